"""A limit is cut: what stays covered, what runs off, what to report and to do."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insureflow.domain.cover import Account, Event, Invoice, LimitDecision, LimitWithdrawal, replay
from insureflow.domain.errors import Refusal
from insureflow.domain.limits import BindingOrder, Cut, CutAction, CutKind, CutReason, effective_day_of, prepare_cut_kit
from insureflow.domain.money import Money
from insureflow.domain.policies import DatedTerms, LimitCancellationNotice, NoticeAppliesTo, PolicyTerms

START, TOLD = date(2026, 1, 1), date(2026, 3, 1)
NOTICE = LimitCancellationNotice(30)


def account(notice: LimitCancellationNotice) -> Account:
    return Account((DatedTerms(date.min, PolicyTerms(currency="EUR", limit_currency="EUR", limit_cancellation_notice=notice)),), "EUR")


def invoice(name: str, net: int, on: date = START) -> Invoice:
    return Invoice(name, on, on, on + timedelta(days=30), "EUR", 1, net)


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


@pytest.mark.parametrize(
    ("kind", "applies_to", "named", "effective"),
    [
        (CutKind.WITHDRAWAL, NoticeAppliesTo.WITHDRAWAL, None, date(2026, 3, 31)),
        (CutKind.REDUCTION, NoticeAppliesTo.WITHDRAWAL, None, TOLD),
        (CutKind.REDUCTION, NoticeAppliesTo.WITHDRAWAL_AND_REDUCTION, None, date(2026, 3, 31)),
        (CutKind.REDUCTION, NoticeAppliesTo.WITHDRAWAL_AND_REDUCTION, date(2026, 3, 10), date(2026, 3, 31)),
        (CutKind.WITHDRAWAL, NoticeAppliesTo.WITHDRAWAL, date(2026, 4, 10), date(2026, 4, 10)),
        (CutKind.CANCELLATION, NoticeAppliesTo.WITHDRAWAL_AND_REDUCTION, None, TOLD),
    ],
)
def test_when_a_cut_takes_effect(kind: CutKind, applies_to: NoticeAppliesTo, named: date | None, effective: date) -> None:
    assert effective_day_of(Cut(kind, TOLD, named), LimitCancellationNotice(30, applies_to)) == effective


def test_a_withdrawal_with_run_off_and_binding_orders() -> None:
    events: list[Event] = [
        LimitDecision(START, 1000, "EUR"),
        invoice("A", 700),
        invoice("B", 400, date(2026, 2, 20)),
        invoice("P", 0),
        LimitWithdrawal(TOLD),
    ]
    orders = [
        BindingOrder("late", 300, date(2026, 3, 31)),
        BindingOrder("soon", 200, date(2026, 3, 30)),
    ]
    kit = prepare_cut_kit(
        replay(account(NOTICE), events),
        Cut(CutKind.WITHDRAWAL, TOLD),
        NOTICE,
        due_on=[("A", date(2026, 1, 31)), ("B", date(2026, 2, 10))],
        orders=orders,
        report_orders_days=10,
    )
    assert (kit.limit_before, kit.limit_after, kit.effective_on, kit.run_off_until) == (
        eur(1000),
        eur(0),
        date(2026, 3, 31),
        date(2026, 3, 30),
    )
    assert [(item.id, item.open, item.covered, item.uncovered) for item in kit.items] == [("A", 700, 700, 0), ("B", 400, 300, 100)]
    assert (kit.covered, kit.uncovered, kit.missing, kit.report_orders_by) == (eur(1000), eur(100), eur(1600), date(2026, 3, 11))
    assert [(each.order.id, each.in_run_off, each.covered, each.uncovered) for each in kit.orders] == [
        ("soon", True, 0, 200),
        ("late", False, 0, 300),
    ]
    assert [(each.action, each.reason, each.amount, each.by) for each in kit.actions] == [
        (CutAction.REPORT_BINDING_ORDERS, CutReason.ORDERS_CANNOT_BE_RELEASED, eur(500), date(2026, 3, 11)),
        (CutAction.PREPAYMENT, CutReason.DELIVERIES_NOT_COVERED, eur(500), date(2026, 3, 30)),
        (CutAction.PAYMENT_PLAN, CutReason.OVERDUE_ITEMS_NOT_COVERED, eur(100), None),
        (CutAction.TOP_UP, CutReason.CAPACITY_MISSING, eur(1600), None),
        (CutAction.LETTER_TO_BUYER, CutReason.LIMIT_LOWER, eur(1000), date(2026, 3, 31)),
    ]
    assert [step.result for step in kit.trace] == [date(2026, 3, 31), date(2026, 3, 30), eur(1000)]


def test_a_reduction_without_notice_leaves_room_for_some_orders() -> None:
    events: list[Event] = [LimitDecision(START, 1000, "EUR"), invoice("A", 300), LimitDecision(TOLD, 500, "EUR")]
    orders = [BindingOrder("one", 150, date(2026, 3, 5)), BindingOrder("two", 100, date(2026, 3, 6))]
    kit = prepare_cut_kit(
        replay(account(LimitCancellationNotice()), events), Cut(CutKind.REDUCTION, TOLD), LimitCancellationNotice(), orders=orders
    )
    assert (kit.effective_on, kit.run_off_until, kit.report_orders_by) == (TOLD, None, None)
    assert [(each.covered, each.uncovered) for each in kit.orders] == [(150, 0), (50, 50)]
    assert [(each.action, each.amount, each.by) for each in kit.actions] == [
        (CutAction.PREPAYMENT, eur(50), date(2026, 3, 6)),
        (CutAction.TOP_UP, eur(50), None),
        (CutAction.LETTER_TO_BUYER, eur(500), TOLD),
    ]


def test_orders_delivered_in_the_run_off_use_the_old_headroom() -> None:
    events: list[Event] = [LimitDecision(START, 1000, "EUR"), invoice("A", 300), invoice("over", 50), LimitDecision(TOLD, 400, "EUR")]
    orders = [BindingOrder("in time", 600, date(2026, 3, 30)), BindingOrder("after", 10, date(2026, 3, 31))]
    kit = prepare_cut_kit(replay(account(NOTICE), events), Cut(CutKind.REDUCTION, TOLD), NOTICE, orders=orders)
    assert [(each.in_run_off, each.covered) for each in kit.orders] == [(True, 600), (False, 0)]
    assert kit.limit_after == eur(400)


def test_a_deposit_for_open_items_that_are_not_yet_due() -> None:
    events: list[Event] = [LimitDecision(START, 100, "EUR"), invoice("A", 300), LimitWithdrawal(TOLD)]
    kit = prepare_cut_kit(replay(account(NOTICE), events), Cut(CutKind.WITHDRAWAL, TOLD), NOTICE, due_on=[("A", TOLD)])
    assert [(each.action, each.amount) for each in kit.actions] == [
        (CutAction.DEPOSIT, eur(200)),
        (CutAction.TOP_UP, eur(300)),
        (CutAction.LETTER_TO_BUYER, eur(100)),
    ]


def test_where_there_was_no_limit_nothing_was_cut() -> None:
    with pytest.raises(Refusal, match="cut_not_known"):
        prepare_cut_kit(replay(account(NOTICE), []), Cut(CutKind.WITHDRAWAL, TOLD), NOTICE)


def test_a_cut_may_take_the_place_of_what_was_granted_on_its_day() -> None:
    events = [LimitDecision(START, 250, "EUR"), LimitDecision(TOLD, 400, "EUR"), LimitDecision(TOLD, 160, "EUR")]
    kit = prepare_cut_kit(replay(account(NOTICE), events), Cut(CutKind.REDUCTION, TOLD), NOTICE, limit_before=400)
    assert (kit.limit_before, kit.limit_after) == (eur(400), eur(160))
    assert kit.actions[-1].amount == eur(240)


amounts = st.integers(1, 500)


@given(first=amounts, second=st.integers(0, 500), open_amounts=st.lists(amounts, max_size=4), ordered=st.lists(amounts, max_size=3))
def test_a_cut_takes_no_cover_away_and_promises_none_it_has_not(
    first: int, second: int, open_amounts: list[int], ordered: list[int]
) -> None:
    invoices = [invoice(f"I{position}", net) for position, net in enumerate(open_amounts)]
    before: list[Event] = [LimitDecision(START, first + second, "EUR"), *invoices]
    history = replay(account(NOTICE), [*before, LimitDecision(TOLD, second, "EUR")])
    orders = [BindingOrder(str(position), amount, TOLD + timedelta(days=20 * position)) for position, amount in enumerate(ordered)]
    kit = prepare_cut_kit(history, Cut(CutKind.REDUCTION, TOLD), NOTICE, orders=orders)
    assert kit.covered.minor == replay(account(NOTICE), before).on(TOLD).account.covered
    assert (kit.limit_before.minor, kit.limit_after.minor) == (first + second, second)
    assert all(each.covered + each.uncovered == each.order.amount and each.covered >= 0 for each in kit.orders)
    assert kit.covered.minor + sum(each.covered for each in kit.orders) <= first + second
    assert all(action.amount.minor > 0 for action in kit.actions)

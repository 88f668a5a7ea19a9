"""May I ship: what is covered, and every remedy that helps."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from support.ship_questions import DAYS_30, ON, START, account, eur, found, held, invoice, kinds, limit, shipment

from insureflow.domain.cover import (
    Account,
    BuyerGrade,
    Consent,
    Dispute,
    Event,
    Layer,
    LimitWithdrawal,
    Payment,
    Reason,
    StopCover,
)
from insureflow.domain.errors import Refusal
from insureflow.domain.limits import (
    ProposedShipment,
    RemedyKind,
    ShipVerdict,
    answer_without_policy,
    ask_to_ship,
)
from insureflow.domain.money import Money
from insureflow.domain.periods import EndOfMonth, PaymentTerms
from insureflow.domain.policies import DatedTerms, parse_terms


def test_a_shipment_within_the_limit_is_covered() -> None:
    answer = ask_to_ship(account(), [limit(1000), invoice("A", 300)], shipment(700), ON)
    assert (answer.verdict, answer.covered, answer.uncovered, answer.reasons) == (ShipVerdict.COVERED, eur(700), eur(0), ())
    assert (answer.headroom_before, answer.headroom_after, answer.insured_percentage) == (eur(700), eur(0), Decimal(100))
    assert (answer.remedies, answer.why, answer.days_too_long, answer.is_stopped) == ((), None, 0, False)
    names = [step.name for step in answer.trace]
    assert (names[0], names[-1]) == ("headroom_before_shipment", "ship_verdict")
    assert "entry" in names


def test_a_quick_answer_is_the_same_without_the_rest() -> None:
    events: list[Event] = [limit(1000), invoice("A", 900)]
    full = ask_to_ship(account(), events, shipment(700), ON)
    quick = ask_to_ship(account(), events, shipment(700), ON, with_remedies=False, with_trace=False)
    assert quick == replace(full, remedies=())
    assert (len(quick.trace), len(full.trace) > 0) == (0, True)


def test_what_is_reserved_comes_first_whatever_its_terms() -> None:
    reserved = [held("young", 500, days=60), held("lapsed", 500, ON), held("later", 500, made_on=ON + timedelta(days=1))]
    for order in ("due_date", "invoice_date", "shipment_date"):
        answer = ask_to_ship(account(allocation={"order": order}), [limit(1000)], shipment(700), ON, reservations=reserved)
        assert (answer.verdict, answer.covered, answer.reservations) == (ShipVerdict.PARTLY, eur(500), ("young",))
        assert (answer.why, answer.headroom_before) == (Reason.OVER_LIMIT, eur(500))
    assert answer.trace.steps[0].result == eur(500)
    early = shipment(700, invoice_on=ON - timedelta(days=5))
    assert ask_to_ship(account(), [limit(1000)], early, ON, reservations=reserved).covered == eur(500)


def test_names_of_plans_never_meet_names_of_invoices() -> None:
    events: list[Event] = [limit(1000), invoice("planned", 100), invoice("planned'", 100), invoice("reservation X", 100)]
    assert ask_to_ship(account(), events, shipment(700), ON, reservations=[held("X", 100)]).covered == eur(600)


def test_over_the_limit_everything_that_helps_is_worked_out() -> None:
    answer = ask_to_ship(
        account(layers={"top_up": {}}), [limit(1000), limit(0, layer=Layer.TOP_UP), invoice("A", 800, ON)], shipment(700), ON
    )
    assert (answer.verdict, answer.covered) == (ShipVerdict.PARTLY, eur(200))
    assert kinds(answer) == [
        RemedyKind.PAY_DOWN,
        RemedyKind.SHIP_LESS,
        RemedyKind.INCREASE_LIMIT,
        RemedyKind.REQUEST_TOP_UP,
        RemedyKind.PREPAYMENT,
    ]
    assert {remedy.kind: remedy.amount for remedy in answer.remedies} == {
        RemedyKind.PAY_DOWN: eur(500),
        RemedyKind.SHIP_LESS: eur(200),
        RemedyKind.INCREASE_LIMIT: eur(500),
        RemedyKind.REQUEST_TOP_UP: eur(500),
        RemedyKind.PREPAYMENT: eur(500),
    }
    assert all(remedy.is_sufficient for remedy in answer.remedies)


def test_older_invoices_over_the_limit_come_before_the_shipment() -> None:
    answer = ask_to_ship(account(), [limit(1000), invoice("A", 1400, ON)], shipment(700), ON)
    assert (answer.verdict, answer.headroom_before) == (ShipVerdict.NOT_COVERED, eur(0))
    assert found(answer, RemedyKind.INCREASE_LIMIT).amount == eur(1100)
    assert found(answer, RemedyKind.PAY_DOWN).amount == eur(1100)
    assert RemedyKind.SHIP_LESS not in kinds(answer)


def test_money_goes_to_uncovered_debt_first_when_that_is_older() -> None:
    old = invoice("long", 300, START, days=61)
    answer = ask_to_ship(
        account(), [limit(1000), old, invoice("B", 1000, date(2026, 2, 20), 60)], shipment(700), ON, reservations=[held("R", 10)]
    )
    assert (found(answer, RemedyKind.PAY_DOWN).amount, found(answer, RemedyKind.INCREASE_LIMIT).amount) == (eur(1010), eur(710))


def test_without_room_in_what_is_owed_only_the_limit_helps() -> None:
    answer = ask_to_ship(account(), [limit(100)], shipment(700), ON)
    assert kinds(answer) == [RemedyKind.SHIP_LESS, RemedyKind.INCREASE_LIMIT, RemedyKind.PREPAYMENT]
    answer = ask_to_ship(account(), [limit(100), invoice("A", 10, ON)], shipment(50), ON, reservations=[held("R", 100)])
    assert (found(answer, RemedyKind.INCREASE_LIMIT).amount, RemedyKind.PAY_DOWN in kinds(answer)) == (eur(60), False)
    disputed: list[Event] = [limit(100), invoice("A", 100, date(2026, 2, 1)), Dispute(ON, "A", 100)]
    answer = ask_to_ship(account(), disputed, shipment(50), ON)
    assert found(answer, RemedyKind.PAY_DOWN).amount == eur(50)


def test_the_primary_limit_takes_back_what_the_top_up_holds() -> None:
    terms = account(layers={"top_up": {}})
    events: list[Event] = [limit(500), limit(300, layer=Layer.TOP_UP), invoice("A", 700, ON)]
    answer = ask_to_ship(terms, events, shipment(400), ON)
    assert (answer.covered, found(answer, RemedyKind.INCREASE_LIMIT).amount) == (eur(100), eur(300))
    late: list[Event] = [
        limit(1000),
        LimitWithdrawal(date(2026, 2, 1)),
        limit(300, date(2026, 2, 5)),
        limit(300, date(2026, 2, 5), Layer.TOP_UP),
    ]
    answer = ask_to_ship(terms, [*late, invoice("A", 700, date(2026, 1, 15))], shipment(400), ON)
    assert answer.covered == eur(300)


def test_no_limit_asks_for_one_or_waits() -> None:
    answer = ask_to_ship(account(), [], shipment(700), ON)
    assert (answer.verdict, answer.why, answer.headroom_before) == (ShipVerdict.NOT_COVERED, Reason.NO_LIMIT, eur(0))
    assert found(answer, RemedyKind.REQUEST_LIMIT).amount == eur(700)
    coming = limit(500, date(2026, 2, 1), effective_from=date(2026, 3, 10))
    answer = ask_to_ship(account(), [coming], shipment(700), ON)
    wait = found(answer, RemedyKind.WAIT)
    assert (wait.on, wait.covered_after, wait.is_sufficient) == (date(2026, 3, 10), eur(500), False)
    ended: list[Event] = [limit(1000), invoice("A", 600), LimitWithdrawal(date(2026, 2, 1))]
    answer = ask_to_ship(account(stop_cover={"automatic": False}), ended, shipment(700), ON)
    assert (answer.why, found(answer, RemedyKind.REQUEST_LIMIT).amount) == (Reason.AFTER_LIMIT_END, eur(1300))


def test_an_announced_increase_is_worth_waiting_for() -> None:
    events: list[Event] = [
        limit(500),
        limit(900, date(2026, 2, 1), effective_from=date(2026, 3, 20)),
        LimitWithdrawal(date(2026, 1, 20), Layer.PRIMARY),
    ]
    answer = ask_to_ship(account(), [limit(500), events[1]], shipment(700), ON)
    assert (answer.covered, found(answer, RemedyKind.WAIT).on, found(answer, RemedyKind.WAIT).is_sufficient) == (
        eur(500),
        date(2026, 3, 20),
        True,
    )
    lower: list[Event] = [limit(500), limit(200, date(2026, 2, 1), effective_from=date(2026, 3, 20))]
    assert RemedyKind.WAIT not in kinds(ask_to_ship(account(), lower, shipment(700), ON))


@pytest.mark.parametrize(
    ("terms", "days", "too_long"),
    [
        (PaymentTerms(90), 60, 30),
        (PaymentTerms(60, end_of_month=EndOfMonth.MONTH_END_PLUS_MONTHS), 30, 31),
        (PaymentTerms(60, end_of_month=EndOfMonth.MONTH_END_PLUS_DAYS), 30, 30),
    ],
)
def test_terms_that_are_too_long_are_shortened(terms: PaymentTerms, days: int, too_long: int) -> None:
    answer = ask_to_ship(account(), [limit(1000)], shipment(700, terms=terms), ON)
    assert (answer.verdict, answer.why, answer.days_too_long) == (ShipVerdict.NOT_COVERED, Reason.TERMS_EXCEED_MAXIMUM, too_long)
    remedy = found(answer, RemedyKind.SHORTEN_TERMS)
    assert (remedy.days, remedy.is_sufficient, remedy.together_with) == (days, True, None)


def test_no_terms_are_short_enough() -> None:
    late = account(maximum_credit_terms={"days": 5, "from": "shipment_date"}, maximum_invoicing_period={"days": 90})
    answer = ask_to_ship(late, [limit(1000)], shipment(700, invoice_on=ON + timedelta(days=10)), ON)
    assert kinds(answer) == [RemedyKind.PREPAYMENT]


def test_two_obstacles_are_taken_away_together() -> None:
    answer = ask_to_ship(account(), [], shipment(700, terms=PaymentTerms(90)), ON)
    assert [(each.kind, each.together_with, each.is_sufficient) for each in answer.remedies] == [
        (RemedyKind.SHORTEN_TERMS, RemedyKind.REQUEST_LIMIT, True),
        (RemedyKind.REQUEST_LIMIT, RemedyKind.SHORTEN_TERMS, True),
        (RemedyKind.PREPAYMENT, None, True),
    ]
    answer = ask_to_ship(account(), [StopCover(START)], shipment(700), ON)
    assert [(each.kind, each.together_with) for each in answer.remedies] == [
        (RemedyKind.LIFT_STOP, RemedyKind.REQUEST_LIMIT),
        (RemedyKind.REQUEST_LIMIT, RemedyKind.LIFT_STOP),
        (RemedyKind.PREPAYMENT, None),
    ]
    graded = account(grade_cover=[{"grades": [1], "insured_percentage": 90}])
    answer = ask_to_ship(graded, [BuyerGrade(START, 9)], shipment(700, terms=PaymentTerms(90)), ON)
    assert kinds(answer) == [RemedyKind.PREPAYMENT]


def test_a_late_invoice_is_written_sooner() -> None:
    answer = ask_to_ship(account(), [limit(1000)], shipment(700, invoice_on=ON + timedelta(days=11)), ON)
    assert answer.why is Reason.INVOICED_LATE
    assert found(answer, RemedyKind.INVOICE_SOONER).on == ON + timedelta(days=10)


OVERDUE: list[Event] = [limit(1000), invoice("A", 300, date(2025, 12, 1)), invoice("B", 200, date(2026, 1, 10), 20), invoice("C", 100, ON)]


@pytest.mark.parametrize(
    ("stop", "amount"),
    [
        ({}, 500),
        ({"minimum_overdue_amount": 50}, 450),
        ({"basis": "total", "minimum_overdue_amount": 50}, 450),
        ({"basis": "total", "minimum_overdue_amount": 250}, 250),
        ({"minimum_overdue_amount": "2.50", "invoices_counted": "all"}, 250 - 200),
    ],
)
def test_overdue_money_is_paid_or_consent_is_asked(stop: dict[str, object], amount: int) -> None:
    minimum = stop.get("minimum_overdue_amount")
    if isinstance(minimum, int):
        stop = {**stop, "minimum_overdue_amount": f"{minimum / 100:.2f}"}
    events: list[Event] = [limit(1000, date(2025, 11, 1)), *OVERDUE[1:]]
    on = date(2026, 3, 2)
    answer = ask_to_ship(account(stop_cover=stop), events, shipment(100, on), on)
    assert (answer.is_stopped, answer.why) == (True, Reason.SHIPPED_WHILE_STOPPED)
    remedy = found(answer, RemedyKind.PAY_OVERDUE)
    assert (remedy.amount, remedy.is_sufficient, remedy.together_with) == (eur(amount), True, None)
    assert found(answer, RemedyKind.ASK_CONSENT).is_sufficient
    assert RemedyKind.LIFT_STOP not in kinds(answer)


def test_a_stop_by_the_insurer_has_to_be_lifted() -> None:
    answer = ask_to_ship(account(), [limit(1000), StopCover(START)], shipment(700), ON)
    assert kinds(answer) == [RemedyKind.LIFT_STOP, RemedyKind.PREPAYMENT]
    manual = account(stop_cover={"automatic": False})
    assert kinds(ask_to_ship(manual, [limit(1000), StopCover(START)], shipment(700), ON)) == [RemedyKind.LIFT_STOP, RemedyKind.PREPAYMENT]
    events: list[Event] = [limit(1000, date(2025, 11, 1)), invoice("A", 300, date(2025, 12, 1)), StopCover(START)]
    answer = ask_to_ship(account(), events, shipment(700), ON)
    assert [(each.kind, each.together_with) for each in answer.remedies] == [
        (RemedyKind.PAY_OVERDUE, RemedyKind.LIFT_STOP),
        (RemedyKind.ASK_CONSENT, RemedyKind.LIFT_STOP),
        (RemedyKind.LIFT_STOP, RemedyKind.ASK_CONSENT),
        (RemedyKind.PREPAYMENT, None),
    ]


def test_what_is_disputed_or_released_does_not_have_to_be_paid() -> None:
    rules = account(stop_cover={"disputed_amounts_count": False})
    events: list[Event] = [limit(1000, date(2025, 11, 1)), *OVERDUE[1:3], Dispute(START, "A", 300)]
    on = date(2026, 3, 2)
    answer = ask_to_ship(rules, events, shipment(100, on), on)
    assert found(answer, RemedyKind.PAY_OVERDUE).amount == eur(500)
    answer = ask_to_ship(account(), [*events[:3], Consent(date(2026, 2, 1), ("A",))], shipment(100, on), on)
    assert found(answer, RemedyKind.PAY_OVERDUE).amount == eur(500)
    uninsured: list[Event] = [limit(1000, date(2025, 12, 15)), *OVERDUE[1:2], invoice("B", 200, date(2025, 12, 20), 20)]
    answer = ask_to_ship(account(), uninsured, shipment(100, on), on)
    assert found(answer, RemedyKind.PAY_OVERDUE).amount == eur(500)


def test_terms_of_any_length_where_the_policy_has_no_maximum() -> None:
    free = Account((DatedTerms(date.min, parse_terms({"currency": "EUR"}, extensions=False)),), "EUR")
    answer = ask_to_ship(free, [limit(1000)], shipment(700, terms=PaymentTerms(500)), ON)
    assert (answer.verdict, answer.days_too_long) == (ShipVerdict.COVERED, 0)


def test_nothing_helps_but_money_where_the_buyer_cannot_be_insured() -> None:
    answer = ask_to_ship(replace(account(), insurable=False), [limit(1000)], shipment(700), ON)
    assert (answer.why, kinds(answer)) == (Reason.BUYER_NOT_INSURABLE, [RemedyKind.PREPAYMENT])


def test_tax_and_credit_balance_and_other_currencies() -> None:
    answer = ask_to_ship(account(), [limit(1000), Payment(START, 50, "EUR")], shipment(500, vat=100), ON)
    assert (answer.amount, answer.credit_used, answer.covered, answer.reasons) == (
        eur(550),
        eur(50),
        eur(450),
        ((Reason.VAT_NOT_COVERED, 100),),
    )
    assert [(each.kind, each.amount) for each in answer.remedies] == [(RemedyKind.PREPAYMENT, eur(100))]
    dollars = ProposedShipment(1000, "USD", Decimal("0.8"), ON, DAYS_30, entity="SE")
    answer = ask_to_ship(account(), [limit(500)], dollars, ON)
    assert (answer.amount, answer.covered, found(answer, RemedyKind.SHIP_LESS).amount) == (eur(800), eur(500), Money(625, "USD"))


def test_a_fraction_of_a_yen_cannot_be_shipped() -> None:
    yen = ProposedShipment(3, "JPY", Decimal("0.8"), ON, DAYS_30)
    answer = ask_to_ship(account(), [limit(40)], yen, ON)
    assert (answer.covered, RemedyKind.SHIP_LESS in kinds(answer)) == (eur(40), False)


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (shipment(0), "shipment_not_positive"),
        (shipment(1, vat=-1), "shipment_not_positive"),
        (shipment(1, ON - timedelta(days=1)), "shipment_in_the_past"),
    ],
)
def test_what_is_no_question_is_refused(asked: ProposedShipment, code: str) -> None:
    with pytest.raises(Refusal, match=code):
        ask_to_ship(account(), [], asked, ON)


def test_without_a_policy_nothing_is_covered() -> None:
    answer = answer_without_policy(ProposedShipment(1000, "USD", Decimal("0.8"), ON, DAYS_30), "EUR", ON)
    assert (answer.verdict, answer.why, answer.uncovered, kinds(answer)) == (
        ShipVerdict.NOT_COVERED,
        Reason.NO_POLICY,
        eur(800),
        [RemedyKind.PREPAYMENT],
    )

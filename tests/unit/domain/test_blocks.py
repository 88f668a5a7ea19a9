"""Whether a buyer is blocked: what counts, what was set aside, and which invoices stop cover."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insureflow.domain.blocks import BlockSource, ExceptionReason, HandBlock, PlanBreak, PolicyStop, StoppingInvoice, decide_block
from insureflow.domain.obligations import ObligationKind, OpenItem, UnpaidInvoice, calculate_obligations, find_stopping_invoices
from insureflow.domain.policies import parse_terms

ON = date(2026, 11, 22)
LATE = StoppingInvoice(1, "A-1", 7, 5000, "EUR", date(2026, 8, 1), date(2026, 9, 30))
ASIDE = replace(LATE, invoice_id=2, number="A-2", set_aside=ExceptionReason.DISPUTED)
STOP = PolicyStop(4, date(2026, 10, 1), invoices=(LATE, ASIDE))


def test_a_stop_by_the_rule_blocks_by_the_invoices_that_count() -> None:
    block = decide_block([STOP])
    assert block.is_blocked
    assert block.since == date(2026, 10, 1)
    assert [(cause.source, [invoice.number for invoice in cause.invoices]) for cause in block.causes] == [(BlockSource.POLICY, ["A-1"])]
    assert [invoice.number for invoice in block.set_aside] == ["A-2"]


def test_what_is_set_aside_lifts_the_block_and_never_the_stop_of_cover() -> None:
    block = decide_block([replace(STOP, invoices=(ASIDE,))])
    assert (block.is_blocked, block.is_cover_stopped, block.since) == (False, True, None)


def test_a_stop_without_an_invoice_of_its_own_blocks() -> None:
    assert decide_block([replace(STOP, invoices=())]).is_blocked


def test_the_insurers_own_stop_cannot_be_set_aside() -> None:
    block = decide_block([replace(STOP, by_insurer=True, invoices=(ASIDE,))])
    assert [cause.source for cause in block.causes] == [BlockSource.INSURER]


def test_blocks_by_hand_and_of_the_group() -> None:
    block = decide_block([], [HandBlock(9, ON, "bounced cheque"), HandBlock(8, ON - timedelta(days=3), "parent insolvent", of_group=True)])
    assert [(cause.source, cause.block_id) for cause in block.causes] == [(BlockSource.MANUAL, 9), (BlockSource.GROUP, 8)]
    assert (block.is_cover_stopped, block.since) == (False, ON - timedelta(days=3))
    assert not decide_block([]).is_blocked


def test_a_broken_plan_blocks_and_says_nothing_of_cover() -> None:
    block = decide_block([], (), [PlanBreak(3, ON, policy_id=4), PlanBreak(5, ON + timedelta(days=1))])
    assert [(cause.source, cause.plan_id, cause.policy_id) for cause in block.causes] == [
        (BlockSource.PLAN_BROKEN, 3, 4),
        (BlockSource.PLAN_BROKEN, 5, None),
    ]
    assert (block.is_blocked, block.is_cover_stopped, block.since) == (True, False, ON)
    assert PlanBreak(3, ON).reason == "plan_broken"


TERMS = {"currency": "EUR", "maximum_extension_period": {"days": 60}}


def item(number: str, days_due: int, open_minor: int, **more: object) -> OpenItem:
    due_on = ON - timedelta(days=days_due)
    unpaid = UnpaidInvoice(number, due_on - timedelta(days=30), due_on - timedelta(days=30), due_on)
    return OpenItem(unpaid, open_minor=open_minor, **more)  # type: ignore[arg-type]  # fields by name


@pytest.mark.parametrize(
    ("stop", "items", "expected"),
    [
        ({}, [item("old", 61, 100), item("new", 60, 100)], ["old"]),
        ({"minimum_overdue_amount": "2.00"}, [item("a", 90, 200), item("b", 80, 201)], ["b"]),
        ({"minimum_overdue_amount": "4.00", "basis": "total"}, [item("a", 90, 200), item("b", 80, 201)], ["a", "b"]),
        ({"minimum_overdue_amount": "5.00", "basis": "total"}, [item("a", 90, 200), item("b", 80, 201)], []),
        ({"automatic": False}, [item("a", 90, 200)], []),
        ({}, [item("a", 90, 200, is_released=True), item("b", 90, 200, is_insured=False)], []),
        ({"invoices_counted": "all"}, [item("b", 90, 200, is_insured=False)], ["b"]),
        ({"disputed_amounts_count": False}, [item("a", 90, 200, disputed_minor=200)], []),
        ({}, [item("a", 90, 200, stop_put_off_to=ON)], []),
    ],
)
def test_which_invoices_stop_cover(stop: dict[str, object], items: list[OpenItem], expected: list[str]) -> None:
    terms = parse_terms({**TERMS, "limit_currency": "EUR", "stop_cover": stop})
    assert [found.invoice.id for found, _end in find_stopping_invoices(terms, "DE", items, ON)] == expected


def test_without_a_maximum_extension_period_nothing_stops() -> None:
    assert find_stopping_invoices(parse_terms({"currency": "EUR"}), "DE", [item("a", 400, 100)], ON) == ()


@given(
    st.lists(st.tuples(st.integers(0, 200), st.integers(1, 500)), max_size=6),
    st.integers(0, 900),
    st.sampled_from(["per_invoice", "total"]),
)
def test_something_stops_cover_from_the_day_after_the_last_day_of_shipments(rows: list[tuple[int, int]], least: int, basis: str) -> None:
    terms = parse_terms({**TERMS, "limit_currency": "EUR", "stop_cover": {"minimum_overdue_amount": f"{least / 100:.2f}", "basis": basis}})
    items = [item(str(number), days, amount) for number, (days, amount) in enumerate(rows)]
    duty = next((each for each in calculate_obligations(terms, items) if each.kind is ObligationKind.STOP_SHIPMENTS), None)
    assert bool(find_stopping_invoices(terms, None, items, ON)) == (duty is not None and duty.due_on < ON)

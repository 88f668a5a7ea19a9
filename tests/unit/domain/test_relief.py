"""Dated relief: a longer time for duties whose ordinary last day falls into a period."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import small_accounts

from insureflow.domain.cover import Account, replay
from insureflow.domain.errors import InvalidValues
from insureflow.domain.obligations import NO_FACTS, Facts, UnpaidInvoice, calculate_invoice_deadlines
from insureflow.domain.obligations.deadlines import calculate_adverse_information
from insureflow.domain.periods import MONDAY_TO_FRIDAY, PeriodUnit
from insureflow.domain.policies import DatedTerms, Relief, ReliefClause, parse_terms, terms_on, terms_to_data, with_all_reliefs

POLICY: dict[str, Any] = {
    "currency": "EUR",
    "maximum_extension_period": {"days": 60},
    "overdue_notification": {"days": 30, "failure": "invoice_not_covered"},
    "adverse_information": {"days": 10},
    "claim_filing": {"months": 6, "from": "due_date"},
}
SPRING = {"clause": "overdue_notification", "from": "2020-03-20", "to": "2020-06-30", "days": 60, "note": "letter of 18 March 2020"}


def terms(*reliefs: dict[str, Any], **more: Any) -> Any:
    return parse_terms({**POLICY, **more, "relief": list(reliefs)})


def invoice(due_on: date) -> UnpaidInvoice:
    return UnpaidInvoice("1", due_on - timedelta(days=30), due_on - timedelta(days=30), due_on)


def notification(due_on: date, *reliefs: dict[str, Any], **more: Any) -> Any:
    return calculate_invoice_deadlines(terms(*reliefs, **more), invoice(due_on)).overdue_notification


@pytest.mark.parametrize("day", [0, 79, 80, 81, 200])
def test_it_holds_for_duties_and_cover_alike_whichever_version_is_in_force(day: int) -> None:
    """Written into a version that begins on day 80, it puts off an ordinary last day of the very first day it names, and is kept by both."""
    spring = {**SPRING, "from": small_accounts.day(120).isoformat(), "to": small_accounts.day(120).isoformat()}
    versions = [DatedTerms(date.min, terms()), DatedTerms(small_accounts.day(80), terms(spring))]
    history = with_all_reliefs(versions)
    owed = small_accounts.invoice("1", 0, 400)
    unpaid = UnpaidInvoice("1", owed.invoice_on, owed.shipment_on, owed.due_on)
    duty = calculate_invoice_deadlines(terms_on(history, small_accounts.day(day)), unpaid).overdue_notification.on
    spans = replay(Account(versions, "EUR"), [small_accounts.limit(0, 1000), owed]).invoice_segments["1"]
    assert duty == small_accounts.day(150)
    assert [span.valid_from for span in spans if not span.covered] == [small_accounts.day(151)]


@pytest.mark.parametrize(
    ("ordinary", "expected"),
    [
        (date(2020, 3, 19), date(2020, 3, 19)),
        (date(2020, 3, 20), date(2020, 4, 19)),
        (date(2020, 6, 30), date(2020, 7, 30)),
        (date(2020, 7, 1), date(2020, 7, 1)),
    ],
)
def test_it_holds_by_the_ordinary_last_day_both_ends_included(ordinary: date, expected: date) -> None:
    # The notification runs 30 days from the end of the maximum extension period, which is 60 days after the due date.
    assert notification(ordinary - timedelta(days=90), SPRING).on == expected


def test_the_longest_wins_a_shorter_one_does_nothing_and_the_trace_says_so() -> None:
    due_on = date(2020, 1, 31)
    shorter = {**SPRING, "days": 10}
    longer = {**SPRING, "days": 75}
    assert notification(due_on, shorter).on == notification(due_on).on
    found = notification(due_on, SPRING, longer, shorter)
    assert found.on == notification(due_on).on + timedelta(days=45)
    assert (found.basis, found.unit) == ("policy.relief.overdue_notification", PeriodUnit.DAYS)
    assert [step.name for step in found.trace.steps][-1] == "relief"


def test_each_clause_has_its_own() -> None:
    other = {**SPRING, "clause": "claim_filing", "months": 8}
    del other["days"]
    deadlines = calculate_invoice_deadlines(terms(other), invoice(date(2019, 10, 15)))
    assert deadlines.claim_latest.on == date(2020, 6, 15)
    assert deadlines.overdue_notification.basis == "policy.overdue_notification"
    adverse = {**SPRING, "clause": "adverse_information", "days": 20}
    learned = Facts(adverse_information_on=date(2020, 4, 1))
    assert calculate_adverse_information(terms(adverse), learned, MONDAY_TO_FRIDAY).on == date(2020, 4, 21)
    assert calculate_adverse_information(terms(adverse), NO_FACTS, MONDAY_TO_FRIDAY).on is None


def test_what_has_no_one_day_to_count_from_has_no_relief() -> None:
    from insureflow.domain.periods import EarlierOf, Period, StartingDay
    from insureflow.domain.policies import find_relief

    relief = Relief(ReliefClause.CLAIM_FILING, date(2020, 1, 1), date(2020, 12, 31), PeriodUnit.DAYS, 400)
    period = Period(PeriodUnit.DAYS, 30, StartingDay.DUE_DATE)
    starts = {StartingDay.DUE_DATE: date(2020, 2, 1)}
    on = date(2020, 3, 2)
    assert find_relief((relief,), ReliefClause.CLAIM_FILING, EarlierOf((period,)), on, starts, MONDAY_TO_FRIDAY) is None
    assert find_relief((relief,), ReliefClause.CLAIM_FILING, Period(PeriodUnit.DAYS, 30), on, starts, MONDAY_TO_FRIDAY) is None
    assert find_relief((relief,), ReliefClause.CLAIM_FILING, period, on, {}, MONDAY_TO_FRIDAY) is None
    assert find_relief((relief,), ReliefClause.CLAIM_FILING, period, on, starts, MONDAY_TO_FRIDAY) == (relief, date(2021, 3, 7))


def test_terms_with_relief_are_written_as_they_are_read() -> None:
    found = terms(SPRING)
    assert found.reliefs == (
        Relief(ReliefClause.OVERDUE_NOTIFICATION, date(2020, 3, 20), date(2020, 6, 30), PeriodUnit.DAYS, 60, "letter of 18 March 2020"),
    )
    assert parse_terms(terms_to_data(found)) == found
    assert "relief" not in terms_to_data(terms())


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"to": "2020-03-01"}, "ends_before_it_begins"),
        ({"clause": "premium"}, "not_a_choice"),
        ({"months": 2}, "exactly_one_of"),
        ({"from": None}, "required"),
    ],
)
def test_a_wrong_relief_is_refused(wrong: dict[str, Any], code: str) -> None:
    written = {name: value for name, value in {**SPRING, **wrong}.items() if value is not None}
    with pytest.raises(InvalidValues) as refused:
        terms(written)
    assert code in {problem.code for problem in refused.value.problems}


@given(st.dates(date(2020, 1, 1), date(2021, 1, 1)), st.integers(0, 120))
def test_relief_never_brings_a_deadline_forward(due_on: date, days: int) -> None:
    assert notification(due_on, {**SPRING, "days": days}).on >= notification(due_on).on

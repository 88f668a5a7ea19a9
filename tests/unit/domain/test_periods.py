"""Periods: the day-after rule, months, business days, the earlier and the later of several, payment terms."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insureflow.domain.errors import InvalidValue, Refusal
from insureflow.domain.periods import (
    BusinessCalendar,
    EarlierOf,
    EndOfMonth,
    LaterOf,
    PaymentTerms,
    Period,
    PeriodUnit,
    StartingDay,
    TermsStart,
    add_days,
    add_months,
    due_date,
    end_of,
    last_day_of_month,
)

DAYS = st.dates(min_value=date(1990, 1, 1), max_value=date(2060, 12, 31))
CALENDARS = st.builds(
    BusinessCalendar,
    weekend=st.frozensets(st.integers(0, 6), max_size=6),
    holidays=st.frozensets(st.dates(date(2024, 1, 1), date(2024, 12, 31)), max_size=40),
)


def test_thirty_days_from_16_july_end_on_15_august():
    assert Period(PeriodUnit.DAYS, 30).end_from(date(2025, 7, 16)) == date(2025, 8, 15)


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2025, 10, 31), 4, date(2026, 2, 28)),
        (date(2023, 10, 31), 4, date(2024, 2, 29)),
        (date(2025, 1, 15), 0, date(2025, 1, 15)),
        (date(2025, 12, 1), 1, date(2026, 1, 1)),
        (date(2026, 3, 31), -1, date(2026, 2, 28)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
    ],
)
def test_months_keep_the_day_number_or_end_with_the_month(day: date, months: int, expected: Any):
    assert add_months(day, months) == expected


@given(DAYS, st.integers(0, 600))
def test_months_are_clamped_and_never_spill_over(day: date, months: int):
    end = add_months(day, months)
    assert (end.year * 12 + end.month) - (day.year * 12 + day.month) == months
    assert end.day == min(day.day, last_day_of_month(end).day)


@given(DAYS, st.integers(0, 2000))
def test_a_period_does_not_count_its_first_day(day: date, length: int):
    """The day after the start is the first of the period, so a period of n days holds exactly n days."""
    end = Period(PeriodUnit.DAYS, length).end_from(day)
    held = sum(1 for offset in range(1, length + 2) if day + timedelta(days=offset) <= end)
    assert held == length


@pytest.mark.parametrize("add", [lambda day: add_days(day, 10), lambda day: add_months(day, 1)])
def test_a_day_beyond_the_calendar_is_refused(add: Any):
    with pytest.raises(Refusal) as refused:
        add(date(9999, 12, 25))
    assert refused.value.code == "date_out_of_range"


def _business_end_by_naive_counting(calendar: BusinessCalendar, day: date, count: int):
    """Every day looked at one by one, straight from the definition."""
    if count == 0 and day.weekday() not in calendar.weekend and day not in calendar.holidays:
        return day
    wanted = max(count, 1)
    found = []
    offset = 0
    while len(found) < wanted:
        offset += 1
        candidate = day + timedelta(days=offset)
        if candidate.weekday() not in calendar.weekend and candidate not in calendar.holidays:
            found.append(candidate)
    return found[-1]


@given(CALENDARS, st.dates(date(2023, 12, 1), date(2025, 1, 31)), st.integers(0, 60))
def test_business_days_are_those_a_naive_count_finds(calendar: BusinessCalendar, day: date, count: int):
    assert calendar.add(day, count) == _business_end_by_naive_counting(calendar, day, count)


@given(CALENDARS, st.dates(date(2023, 12, 1), date(2025, 1, 31)), st.integers(0, 60))
def test_a_business_deadline_is_a_business_day(calendar: BusinessCalendar, day: date, count: int):
    assert calendar.is_business_day(calendar.add(day, count))


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2026, 5, 15), date(2026, 5, 15)),
        (date(2026, 5, 16), date(2026, 5, 18)),
        (date(2026, 5, 17), date(2026, 5, 18)),
        (date(2026, 5, 31), date(2026, 6, 2)),
    ],
)
def test_nought_business_days_is_the_day_itself_or_the_next_business_day(day: date, expected: date):
    assert BusinessCalendar(holidays=frozenset({date(2026, 6, 1)})).add(day, 0) == expected


@given(CALENDARS, st.dates(date(2024, 1, 1), date(2024, 12, 31)))
def test_nought_business_days_skips_no_business_day(calendar: BusinessCalendar, day: date):
    reached = calendar.add(day, 0)
    assert calendar.is_business_day(reached)
    assert not any(calendar.is_business_day(day + timedelta(days=offset)) for offset in range((reached - day).days))


def test_months_reach_both_ends_of_the_calendar():
    assert add_months(date(9998, 12, 31), 12) == date(9999, 12, 31)
    assert add_months(date(2, 1, 31), -12) == date(1, 1, 31)
    with pytest.raises(Refusal):
        add_months(date(1, 1, 31), -1)


def test_a_week_without_business_day_is_refused():
    with pytest.raises(InvalidValue, match="no_business_day_in_week"):
        BusinessCalendar(weekend=frozenset(range(7)))


KNOWN = {StartingDay.DUE_DATE: date(2026, 1, 31), StartingDay.EVENT: date(2026, 3, 1), StartingDay.DECISION: None}
FROM_DUE = Period(PeriodUnit.MONTHS, 1, StartingDay.DUE_DATE)
FROM_EVENT = Period(PeriodUnit.BUSINESS_DAYS, 2, StartingDay.EVENT)
UNKNOWN = Period(PeriodUnit.DAYS, 1, StartingDay.DECISION)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (FROM_DUE, date(2026, 2, 28)),
        (FROM_EVENT, date(2026, 3, 3)),
        (UNKNOWN, None),
        (Period(PeriodUnit.DAYS, 1, StartingDay.POLICY_END), None),
        (Period(PeriodUnit.DAYS, 1), None),
        (EarlierOf((FROM_DUE, FROM_EVENT, UNKNOWN)), date(2026, 2, 28)),
        (EarlierOf((UNKNOWN,)), None),
        (LaterOf((FROM_DUE, FROM_EVENT)), date(2026, 3, 3)),
        (LaterOf((FROM_DUE, UNKNOWN)), None),
        (LaterOf((UNKNOWN,)), None),
        (LaterOf((FROM_DUE, EarlierOf((UNKNOWN, FROM_EVENT)))), date(2026, 3, 3)),
    ],
)
def test_the_end_of_a_rule(rule: Any, expected: Any):
    assert end_of(rule, KNOWN) == expected


@given(st.lists(st.tuples(st.integers(0, 400), st.one_of(st.none(), DAYS)), min_size=1, max_size=5))
def test_earlier_is_never_after_later(entries: Any):
    starts = dict(zip(StartingDay, [day for _, day in entries], strict=False))
    periods = tuple(Period(PeriodUnit.DAYS, length, start) for (length, _), start in zip(entries, StartingDay, strict=False))
    ends = [end_of(period, starts) for period in periods]
    known = [end for end in ends if end is not None]
    assert end_of(EarlierOf(periods), starts) == (min(known) if known else None)
    assert end_of(LaterOf(periods), starts) == (max(known) if len(known) == len(ends) else None)


INVOICE_ON, SHIPMENT_ON = date(2025, 2, 1), date(2025, 1, 31)


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        (PaymentTerms(30), date(2025, 3, 3)),
        (PaymentTerms(30, TermsStart.SHIPMENT_DATE), date(2025, 3, 2)),
        (PaymentTerms(30, end_of_month=EndOfMonth.MONTH_END_PLUS_MONTHS), date(2025, 3, 31)),
        (PaymentTerms(30, TermsStart.SHIPMENT_DATE, EndOfMonth.MONTH_END_PLUS_MONTHS), date(2025, 2, 28)),
        (PaymentTerms(30, end_of_month=EndOfMonth.MONTH_END_PLUS_DAYS), date(2025, 3, 30)),
        (PaymentTerms(0, end_of_month=EndOfMonth.MONTH_END_PLUS_MONTHS), date(2025, 2, 28)),
    ],
)
def test_due_dates_under_payment_terms(terms: Any, expected: Any):
    assert due_date(terms, INVOICE_ON, SHIPMENT_ON) == expected


def test_months_from_the_end_of_the_month_need_a_multiple_of_thirty_days():
    with pytest.raises(InvalidValue, match="not_a_multiple_of_30"):
        PaymentTerms(45, end_of_month=EndOfMonth.MONTH_END_PLUS_MONTHS)


@given(DAYS, st.integers(0, 12), st.sampled_from(EndOfMonth))
def test_terms_from_the_end_of_the_month_do_not_depend_on_the_day_of_the_month(day: date, months: int, mode: EndOfMonth):
    terms = PaymentTerms(30 * months, end_of_month=mode)
    assert due_date(terms, day, day) == due_date(terms, day.replace(day=1), day)
    assert due_date(terms, day, day) >= last_day_of_month(day)

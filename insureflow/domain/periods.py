"""Dates, periods and payment terms: the day-after rule, months, business days and the earlier or later of several.

A period *from* a day does not count that day. Its last day is the deadline: an act on that day is in time. A deadline
is never moved because it falls on a weekend or a holiday.
"""

from __future__ import annotations

import calendar as month_lengths
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from insureflow.domain.errors import InvalidValue, Refusal

#: Names of the days of the week, Monday first, as ``date.weekday`` counts them.
WEEKDAYS: tuple[str, ...] = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

SATURDAY_AND_SUNDAY: frozenset[int] = frozenset({5, 6})


class PeriodUnit(StrEnum):
    """What a period is counted in."""

    DAYS = "days"
    MONTHS = "months"
    BUSINESS_DAYS = "business_days"


class StartingDay(StrEnum):
    """The day from which a period of a policy runs."""

    DUE_DATE = "due_date"
    INVOICE_DATE = "invoice_date"
    SHIPMENT_DATE = "shipment_date"
    MAXIMUM_EXTENSION_PERIOD_END = "maximum_extension_period_end"
    MAXIMUM_EXTENSION_PERIOD_BREACH = "maximum_extension_period_breach"
    NOTIFICATION = "notification"
    CLAIM_FILING = "claim_filing"
    COLLECTION_START = "collection_start"
    EVENT = "event"
    DEBT_ADMISSION = "debt_admission"
    ADVERSE_INFORMATION = "adverse_information"
    DOCUMENTS_COMPLETE = "documents_complete"
    DATE_OF_LOSS = "date_of_loss"
    DECISION = "decision"
    POLICY_END = "policy_end"


class TermsStart(StrEnum):
    """The day from which payment terms run."""

    INVOICE_DATE = "invoice_date"
    SHIPMENT_DATE = "shipment_date"


class EndOfMonth(StrEnum):
    """The two readings of terms "from the end of the month"."""

    MONTH_END_PLUS_MONTHS = "month_end_plus_months"
    MONTH_END_PLUS_DAYS = "month_end_plus_days"


def add_days(day: date, days: int) -> date:
    """The day that lies so many calendar days later. Errors: ``date_out_of_range`` beyond the calendar."""
    try:
        return day + timedelta(days=days)
    except OverflowError:
        raise Refusal("date_out_of_range", start=day, days=days) from None


def last_day_of_month(day: date) -> date:
    """The last day of the month of this day."""
    return day.replace(day=month_lengths.monthrange(day.year, day.month)[1])


def add_months(day: date, months: int) -> date:
    """The same day number so many months later; the last day of that month if it is too short.

    *Formula:* 31 October + 4 months = 28 February (29 in a leap year). Errors: ``date_out_of_range``.
    """
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    if not date.min.year <= year <= date.max.year:
        raise Refusal("date_out_of_range", start=day, months=months)
    length = month_lengths.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, length))


@dataclass(frozen=True, slots=True)
class BusinessCalendar:
    """Which days are business days: neither a weekend day (0 is Monday) nor a holiday."""

    weekend: frozenset[int] = SATURDAY_AND_SUNDAY
    holidays: frozenset[date] = frozenset()

    def __post_init__(self) -> None:
        if self.weekend >= frozenset(range(7)):
            raise InvalidValue("no_business_day_in_week", "weekend", sorted(self.weekend))

    def is_business_day(self, day: date) -> bool:
        """True for a day that is neither a weekend day nor a holiday."""
        return day.weekday() not in self.weekend and day not in self.holidays

    def add(self, day: date, business_days: int) -> date:
        """The n-th business day after a day, which itself is not counted.

        With 0: the day itself if it is a business day, otherwise the next business day.
        """
        reached = day
        if business_days == 0:
            while not self.is_business_day(reached):
                reached = add_days(reached, 1)
            return reached
        left = business_days
        while left:
            reached = add_days(reached, 1)
            if self.is_business_day(reached):
                left -= 1
        return reached


#: Monday to Friday without holidays: what holds when the policy names no calendar.
MONDAY_TO_FRIDAY = BusinessCalendar()


@dataclass(frozen=True, slots=True)
class Period:
    """A length of time from a named starting day; ``start`` is None where the clause says nothing about it."""

    unit: PeriodUnit
    length: int
    start: StartingDay | None = None

    def end_from(self, day: date, calendar: BusinessCalendar = MONDAY_TO_FRIDAY) -> date:
        """Last day of the period when it runs from this day, which is not counted."""
        if self.unit is PeriodUnit.DAYS:
            return add_days(day, self.length)
        if self.unit is PeriodUnit.MONTHS:
            return add_months(day, self.length)
        return calendar.add(day, self.length)


@dataclass(frozen=True, slots=True)
class EarlierOf:
    """The earliest end among several periods; those whose starting day is not known are left out."""

    alternatives: tuple[PeriodRule, ...]


@dataclass(frozen=True, slots=True)
class LaterOf:
    """The latest end among several periods; unknown as long as one of them is unknown."""

    alternatives: tuple[PeriodRule, ...]


PeriodRule = Period | EarlierOf | LaterOf


def end_of(rule: PeriodRule, starts: Mapping[str, date | None], calendar: BusinessCalendar = MONDAY_TO_FRIDAY) -> date | None:
    """Last day of a period, or None while its starting day is not known.

    ``starts`` maps the words of ``StartingDay`` to days; a day left out is unknown.
    """
    if isinstance(rule, Period):
        day = starts.get(rule.start) if rule.start is not None else None
        return rule.end_from(day, calendar) if day is not None else None
    ends = [end_of(alternative, starts, calendar) for alternative in rule.alternatives]
    known = [end for end in ends if end is not None]
    if isinstance(rule, EarlierOf):
        return min(known, default=None)
    return max(known) if known and len(known) == len(ends) else None


@dataclass(frozen=True, slots=True)
class PaymentTerms:
    """Terms of payment on an invoice: days from invoice or shipment, possibly from the end of that month."""

    days: int
    start: TermsStart = TermsStart.INVOICE_DATE
    end_of_month: EndOfMonth | None = None

    def __post_init__(self) -> None:
        if self.end_of_month is EndOfMonth.MONTH_END_PLUS_MONTHS and self.days % 30:
            raise InvalidValue("not_a_multiple_of_30", "days", self.days)


def due_date(terms: PaymentTerms, invoice_on: date, shipment_on: date) -> date:
    """Original due date under payment terms.

    *Formula:* start + days; from the end of the month: last day of the month days ÷ 30 months later, or last day of the
    month + days.
    """
    start = shipment_on if terms.start is TermsStart.SHIPMENT_DATE else invoice_on
    if terms.end_of_month is None:
        return add_days(start, terms.days)
    if terms.end_of_month is EndOfMonth.MONTH_END_PLUS_DAYS:
        return add_days(last_day_of_month(start), terms.days)
    return last_day_of_month(add_months(start.replace(day=1), terms.days // 30))

"""Interest that a notice claims: for which days, on what was open on each of them, and no day twice."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from insureflow.domain.dunning.rules import InterestRule, calculate_interest

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class SetApart:
    """A part of an invoice for which no interest runs, from a day on, up to the day on which that ends."""

    minor: int
    from_on: date
    until_on: date | None = None

    def holds_on(self, day: date) -> bool:
        """Whether the part is set apart on a day."""
        return self.from_on <= day and (self.until_on is None or day < self.until_on)


@dataclass(frozen=True, slots=True)
class LateInvoice:
    """An invoice that is or was overdue: what was to be paid of it, the payments with their days, and what is set apart."""

    number: str
    currency: str
    due_on: date
    owed_minor: int
    payments: tuple[tuple[date, int], ...] = ()
    set_apart: tuple[SetApart, ...] = ()

    def principal_on(self, day: date) -> int:
        """What bears interest on a day: what was owed less what was paid before that day and what is set apart on it."""
        paid = sum(minor for on, minor in self.payments if on < day)
        return max(0, self.owed_minor - paid - sum(part.minor for part in self.set_apart if part.holds_on(day)))

    def last_days(self) -> Iterator[date]:
        """The days after which what bears interest may be another amount."""
        yield from (on for on, _minor in self.payments)
        for part in self.set_apart:
            yield part.from_on - _DAY
            if part.until_on is not None:
                yield part.until_on - _DAY


@dataclass(frozen=True, slots=True)
class ChargedSpan:
    """Days for which interest is charged on one amount: from the day after ``from_on`` up to and with ``until_on``."""

    from_on: date
    until_on: date
    principal_minor: int
    interest_minor: int

    @property
    def days(self) -> int:
        """How many days are charged."""
        return (self.until_on - self.from_on).days


def calculate_spans(
    invoice: LateInvoice, *, until_on: date, rule: InterestRule, claimed_until_on: date | None = None
) -> tuple[ChargedSpan, ...]:
    """What a notice of a day claims for an invoice, in order of days; nothing where it would come to less than half a minor unit.

    Interest runs from the day after the original due date, or after the last day that was claimed before, up to the day of the notice;
    a payment counts from the day after it came. *Formula:* for each amount, amount × rate ÷ 100 × days ÷ days of the year, rounded half-up
    once. *Source:* simple interest on what is open, as statutes on late payment and contracts of sale have it.
    """
    start_on = invoice.due_on if claimed_until_on is None else max(invoice.due_on, claimed_until_on)
    if until_on <= start_on:
        return ()
    cuts = sorted({start_on, until_on, *(day for day in invoice.last_days() if start_on < day < until_on)})
    spans: list[ChargedSpan] = []
    for amount, pieces in itertools.groupby(itertools.pairwise(cuts), key=lambda piece: invoice.principal_on(piece[0] + _DAY)):
        if amount:
            days = list(pieces)
            from_on, last_on = days[0][0], days[-1][1]
            spans.append(ChargedSpan(from_on, last_on, amount, calculate_interest(amount, from_on, last_on, rule)))
    return tuple(spans) if any(span.interest_minor for span in spans) else ()

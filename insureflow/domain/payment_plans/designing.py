"""Payment plans designed: instalments that add up, what they pay of each invoice, and what of it needs the insurer's consent."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from insureflow.domain.errors import InvalidValue
from insureflow.domain.money import Money
from insureflow.domain.periods import add_days, add_months
from insureflow.domain.trace import Step, Trace

#: The most instalments that one plan has.
MOST_INSTALMENTS = 120

_BASIS = "policy.maximum_extension_period"
_BASIS_AFTER_SHIPMENT = "policy.no_new_terms_after_shipment"


class Rhythm(StrEnum):
    """How far instalments are apart."""

    WEEKLY = "weekly"
    FORTNIGHTLY = "fortnightly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"


class Remainder(StrEnum):
    """Which instalment takes the minor units that cannot be divided."""

    FIRST = "first"
    LAST = "last"


class Freedom(StrEnum):
    """Whether a part of an invoice may be paid on a later day without asking."""

    FREE = "free"
    CONSENT_NEEDED = "consent_needed"
    NO_PERIOD = "no_period"
    AFTER_SHIPMENT = "after_shipment"
    NOT_INSURED = "not_insured"


class PlanVerdict(StrEnum):
    """Whether a plan may be agreed freely."""

    FREE = "free"
    CONSENT_NEEDED = "consent_needed"
    MIXED = "mixed"
    NOT_INSURED = "not_insured"


_DAYS_APART = {Rhythm.WEEKLY: 7, Rhythm.FORTNIGHTLY: 14}
_MONTHS_APART = {Rhythm.MONTHLY: 1, Rhythm.QUARTERLY: 3}

#: What may be agreed without asking anybody.
WITHOUT_ASKING = frozenset({Freedom.FREE, Freedom.NOT_INSURED})


@dataclass(frozen=True, slots=True)
class PlannedInvoice:
    """An invoice that a plan puts off.

    ``last_free_on``: the last day of its maximum extension period, None where there is none. ``new_terms_forbidden``: its goods have
    left under a policy that forbids new terms after shipment, so no later day is free, within that period either.
    """

    number: str
    original_due_on: date
    amount_minor: int
    is_insured: bool = True
    last_free_on: date | None = None
    new_terms_forbidden: bool = False

    @property
    def free_until(self) -> date | None:
        """The last day to which it may be put off without asking, None where nothing says so."""
        return self.original_due_on if self.new_terms_forbidden else self.last_free_on


@dataclass(frozen=True, slots=True)
class PlannedInstalment:
    """How much is to be paid by which day."""

    due_on: date
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Portion:
    """What an instalment pays of an invoice. ``instalment`` counts from 1; the original due date stays the basis of every deadline."""

    instalment: int
    due_on: date
    invoice: str
    original_due_on: date
    amount_minor: int
    last_free_on: date | None
    freedom: Freedom


@dataclass(frozen=True, slots=True)
class PlanDesign:
    """A plan with what is to be said about it."""

    currency: str
    invoices: tuple[PlannedInvoice, ...]
    instalments: tuple[PlannedInstalment, ...]
    portions: tuple[Portion, ...]
    verdict: PlanVerdict
    trace: Trace

    @property
    def needs_consent(self) -> bool:
        """Whether any part of it is beyond what may be agreed freely."""
        return self.verdict in {PlanVerdict.CONSENT_NEEDED, PlanVerdict.MIXED}

    @property
    def total_minor(self) -> int:
        """What is to be paid in all."""
        return sum(each.amount_minor for each in self.instalments)

    def of_instalment(self, number: int) -> tuple[Portion, ...]:
        """What an instalment pays."""
        return tuple(portion for portion in self.portions if portion.instalment == number)

    def paid_by(self, invoice: str) -> date:
        """The day by which an invoice is paid in full under the plan."""
        return max(portion.due_on for portion in self.portions if portion.invoice == invoice)

    def freedom_of(self, invoice: str) -> Freedom:
        """Whether an invoice may be paid so late: as its last part may."""
        return max((portion for portion in self.portions if portion.invoice == invoice), key=lambda portion: portion.due_on).freedom

    @property
    def forbidden(self) -> tuple[str, ...]:
        """The invoices that a clause of the policy keeps from getting new terms without consent, as their goods have left."""
        return tuple(dict.fromkeys(portion.invoice for portion in self.portions if portion.freedom is Freedom.AFTER_SHIPMENT))

    @property
    def beyond(self) -> tuple[str, ...]:
        """The invoices whose cover is lost where this is agreed without consent."""
        return tuple(dict.fromkeys(portion.invoice for portion in self.portions if portion.freedom not in WITHOUT_ASKING))


def next_days(first_on: date, count: int, rhythm: Rhythm) -> tuple[date, ...]:
    """The days of instalments. *Formula:* first day + n weeks or months, counted from the first so that a 31st comes back."""
    if rhythm in _DAYS_APART:
        return tuple(add_days(first_on, _DAYS_APART[rhythm] * step) for step in range(count))
    return tuple(add_months(first_on, _MONTHS_APART[rhythm] * step) for step in range(count))


def equal_instalments(
    total_minor: int, count: int, first_on: date, rhythm: Rhythm = Rhythm.MONTHLY, remainder: Remainder = Remainder.LAST
) -> tuple[PlannedInstalment, ...]:
    """Equal instalments that add up to a total; one of them takes what cannot be divided.

    *Formula:* total ÷ count, rounded down; the remainder on the first or the last. Errors: ``plan_count_out_of_bounds``,
    ``plan_instalment_not_positive``.
    """
    if not 1 <= count <= MOST_INSTALMENTS:
        raise InvalidValue("plan_count_out_of_bounds", "count", count, most=MOST_INSTALMENTS)
    each, left = divmod(total_minor, count)
    if each <= 0:
        raise InvalidValue("plan_instalment_not_positive", "instalments", each)
    taking = 0 if remainder is Remainder.FIRST else count - 1
    return tuple(
        PlannedInstalment(day, each + (left if place == taking else 0)) for place, day in enumerate(next_days(first_on, count, rhythm))
    )


def check_instalments(instalments: Sequence[PlannedInstalment], total: Money, not_before: date) -> None:
    """Whether instalments can be agreed: some, each above nothing, on rising days from a day on, together what is owed.

    Errors: ``plan_count_out_of_bounds``, ``plan_instalment_not_positive``, ``plan_days_not_rising``, ``plan_day_over``,
    ``plan_sum_differs``.
    """
    if not 1 <= len(instalments) <= MOST_INSTALMENTS:
        raise InvalidValue("plan_count_out_of_bounds", "instalments", len(instalments), most=MOST_INSTALMENTS)
    if instalments[0].due_on < not_before:
        raise InvalidValue("plan_day_over", "instalments", instalments[0].due_on, first=not_before)
    for earlier, later in itertools.pairwise(instalments):
        if later.due_on <= earlier.due_on:
            raise InvalidValue("plan_days_not_rising", "instalments", later.due_on, earlier=earlier.due_on)
    for each in instalments:
        if each.amount_minor <= 0:
            raise InvalidValue("plan_instalment_not_positive", "instalments", each.amount_minor)
    planned = Money(sum(each.amount_minor for each in instalments), total.currency)
    if planned != total:
        raise InvalidValue("plan_sum_differs", "instalments", planned, owed=total)


def judge_day(invoice: PlannedInvoice, due_on: date) -> Freedom:
    """Whether an invoice may be paid on a day without asking.

    *Formula:* day ≤ end of the maximum extension period. *Source:* within the period the policyholder may agree freely; what falls
    after it needs the insurer's prior written consent. A policy without such a period leaves nothing free; nor does one that forbids new
    terms after shipment, as wordings of export credit agencies do.
    """
    if not invoice.is_insured:
        return Freedom.NOT_INSURED
    if due_on <= invoice.original_due_on:
        return Freedom.FREE
    if invoice.new_terms_forbidden:
        return Freedom.AFTER_SHIPMENT
    if invoice.last_free_on is None:
        return Freedom.NO_PERIOD
    return Freedom.FREE if due_on <= invoice.last_free_on else Freedom.CONSENT_NEEDED


def design_plan(invoices: Sequence[PlannedInvoice], instalments: Sequence[PlannedInstalment], currency: str) -> PlanDesign:
    """What each instalment pays of which invoice, and whether it may be agreed freely.

    *Formula:* every instalment pays the invoices with the oldest original due date first. Who calls has checked that the sums agree.
    *Source:* allocation of payments, oldest debt first; original due dates stay the basis.
    """
    ordered = tuple(sorted(invoices, key=lambda invoice: (invoice.original_due_on, invoice.number)))
    due = tuple(sorted(instalments, key=lambda instalment: instalment.due_on))
    left = [invoice.amount_minor for invoice in ordered]
    portions: list[Portion] = []
    steps: list[Step] = []
    place = 0
    for number, instalment in enumerate(due, start=1):
        rest = instalment.amount_minor
        while rest and place < len(ordered):
            invoice, paid = ordered[place], min(rest, left[place])
            freedom = judge_day(invoice, instalment.due_on)
            portions.append(
                Portion(
                    number, instalment.due_on, invoice.number, invoice.original_due_on, paid, invoice.free_until, freedom
                )
            )  # fmt: skip
            steps.append(_step(number, instalment, invoice, Money(paid, currency), freedom))
            rest, left[place] = rest - paid, left[place] - paid
            place += left[place] == 0
    return PlanDesign(currency, ordered, due, tuple(portions), _verdict(portions), Trace(tuple(steps)))


def _step(number: int, instalment: PlannedInstalment, invoice: PlannedInvoice, paid: Money, freedom: Freedom) -> Step:
    inputs = (
        ("instalment", number),
        ("invoice", invoice.number),
        ("amount", paid),
        ("original_due_on", invoice.original_due_on),
        ("deadline", invoice.free_until),
        ("day", instalment.due_on),
    )
    basis = _BASIS_AFTER_SHIPMENT if freedom is Freedom.AFTER_SHIPMENT else _BASIS
    return Step("plan_portion", "not_after", inputs, freedom.value, basis, instalment.due_on)


def _verdict(portions: Sequence[Portion]) -> PlanVerdict:
    """Free where every part is; consent where each invoice that is insured needs it; mixed in between."""
    insured = [portion for portion in portions if portion.freedom is not Freedom.NOT_INSURED]
    if not insured:
        return PlanVerdict.NOT_INSURED
    beyond = {portion.invoice for portion in insured if portion.freedom not in WITHOUT_ASKING}
    if not beyond:
        return PlanVerdict.FREE
    return PlanVerdict.CONSENT_NEEDED if beyond == {portion.invoice for portion in insured} else PlanVerdict.MIXED

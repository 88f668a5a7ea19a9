"""What is owed at the date of loss and how much of it is covered: as given, under a limit, or invoice by invoice.

Amounts are integer minor units of the policy currency. The claim with its own credit notes and payments is in ``claim``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from insureflow.domain.cover.events import Rate, Reason, Reasons
from insureflow.domain.errors import Refusal
from insureflow.domain.loss.vocabulary import LossReason, UncoveredReason
from insureflow.domain.money import Money, convert_minor, round_half_up
from insureflow.domain.policies.precedence import PercentageSource, insured_percentage_for
from insureflow.domain.policies.terms import Grade, LimitConditions, PolicyTerms
from insureflow.domain.policies.vocabulary import Cause, ClaimRate
from insureflow.domain.trace import Step, Trace, TraceValue

#: What is owed and not covered, by reason; amounts of 0 are left out.
Uncovered = tuple[tuple[UncoveredReason, int], ...]

_ORDER: tuple[UncoveredReason, ...] = (*Reason, *LossReason)

#: Where a percentage of an invoice comes from that no cause of loss changes.
_KEPT_SOURCES = frozenset({"limit", "grade", "country"})

_BASIS_OF_PERCENTAGE: dict[PercentageSource, str] = {
    "limit": "limit.insured_percentage",
    "grade": "policy.grade_cover",
    "country": "policy.insured_percentage.by_country",
    "cause": "policy.insured_percentage.by_cause",
    "policy": "policy.insured_percentage",
}


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What decides which conditions of the policy apply to a loss. ``insured_percentage`` is a condition of the limit."""

    cause: Cause = Cause.PROTRACTED_DEFAULT
    country: str | None = None
    grade: Grade | None = None
    insured_percentage: Decimal | None = None
    date_of_loss: date | None = None


@dataclass(frozen=True, slots=True)
class Debt:
    """What is owed at the date of loss, with late interest but without collection costs.

    ``primary`` and ``top_up`` are covered. ``primary_value`` and ``top_up_value`` are covered × insured percentage, exactly.
    ``percentage`` is their mean weighted with what is covered. ``open`` = covered + what is not covered, by reason.
    """

    open: int
    insured: int
    primary: int
    top_up: int
    uncovered: Uncovered
    percentage: Fraction
    primary_value: Fraction
    top_up_value: Fraction
    trace: Trace

    @property
    def covered(self) -> int:
        """Sum of what the layers cover."""
        return self.primary + self.top_up


@dataclass(frozen=True, slots=True)
class DebtLine:
    """One open invoice at the date of loss, in minor units of ``currency``, usually that of the limit.

    ``insured_percentage`` and its source are those of the primary layer as fixed at shipment, None if it never was eligible.
    """

    id: str
    covered_primary: int
    covered_top_up: int
    reasons: Reasons
    insured_percentage: Decimal | None
    percentage_source: PercentageSource | None


@dataclass(frozen=True, slots=True)
class FrozenRate:
    """The rate at which a debt is turned into policy currency: units of it for one unit of ``currency``. Kept with its source."""

    currency: str
    rate: Rate = 1
    on: date | None = None
    source: str | None = None


def currency_of(terms: PolicyTerms) -> str:
    """The currency of the policy. Errors: ``policy_currency_missing``."""
    if terms.currency is None:
        raise Refusal("policy_currency_missing")
    return terms.currency


def choose_claim_rate(rule: ClaimRate, of_invoice: Rate | None, of_loss: Rate | None) -> tuple[Rate, str]:
    """The rate for a claim and whose day it is: of the date of loss, of the invoice date, or the lower of the two.

    Errors: ``claim_rate_missing`` where the rate that the policy wants is not known.
    """
    wanted = {ClaimRate.DATE_OF_LOSS: [of_loss], ClaimRate.INVOICE_DATE: [of_invoice], ClaimRate.LOWER: [of_invoice, of_loss]}[rule]
    known = [rate for rate in wanted if rate is not None]
    if len(known) != len(wanted):
        raise Refusal("claim_rate_missing", rule=rule)
    chosen = min(known, key=lambda rate: Fraction(rate))  # noqa: PLW0108  the type itself takes more than a rate
    is_of_loss = rule is not ClaimRate.INVOICE_DATE and chosen == of_loss
    return chosen, "date_of_loss" if is_of_loss else "invoice_date"


def convert_debt(terms: PolicyTerms, amount: int, currency: str, of_invoice: Rate | None, of_loss: Rate | None) -> tuple[int, Step]:
    """A debt in another currency as an amount of the policy currency.

    *Formula:* debt × rate, rounded. Fluctuation of the rate is never part of a loss.
    """
    chosen, day = choose_claim_rate(terms.claim_rate, of_invoice, of_loss)
    own = currency_of(terms)
    converted = convert_minor(amount, currency, own, Fraction(chosen))
    inputs: tuple[tuple[str, TraceValue], ...] = (("debt", Money(amount, currency)), ("rate", _plain_rate(chosen)), ("rate_of", day))
    step = Step("converted_debt", "loss.converted_debt", inputs, Money(converted, own), "policy.claim_rate")
    return converted, step


def debt_as_covered(terms: PolicyTerms, circumstances: Circumstances, covered: int) -> Debt:
    """A debt of which only the covered part is stated."""
    return debt_under_limit(terms, circumstances, covered)


def debt_under_limit(
    terms: PolicyTerms,
    circumstances: Circumstances,
    debt: int,
    limits: tuple[int, int] | None = None,
    *,
    uncovered: Iterable[tuple[UncoveredReason, int]] = (),
    steps: Sequence[Step] = (),
) -> Debt:
    """A debt compared with the limits of the layers at the date of loss; ``uncovered`` stands beside the debt and is owed as well.

    *Formula:* primary = smaller of debt and primary limit; top-up = smaller of the rest and its limit; the rest is over the limit.
    Without limits the whole debt is covered.
    *Source:* the static comparison at the date of loss; the limit and the percentage follow from each other, so the indemnity
    of a debt above the limit is limit × percentage.
    """
    currency = currency_of(terms)
    primary = debt if limits is None else min(debt, limits[0])
    top_up = 0 if limits is None else min(debt - primary, limits[1])
    over = debt - primary - top_up
    left_out = _by_reason([*uncovered, (Reason.OVER_LIMIT, over)])
    inputs: list[tuple[str, TraceValue]] = [("insured_debt", Money(debt, currency))]
    if limits is not None:
        inputs += [("primary", Money(limits[0], currency)), ("top_up", Money(limits[1], currency))]
    covered = Step("covered_debt", "loss.covered_debt", tuple(inputs), Money(primary + top_up, currency), "loss.limit")
    own, source = insured_percentage_for(
        terms, circumstances.country, circumstances.grade, LimitConditions(circumstances.insured_percentage), circumstances.cause
    )
    of_top_up = _top_up_percentage(terms, own)
    return _debt(
        terms,
        open_debt=debt + sum(amount for reason, amount in left_out if reason is not Reason.OVER_LIMIT),
        insured=debt,
        parts=[(primary, top_up, own, of_top_up)],
        uncovered=left_out,
        fallback=(own, source),
        steps=(*steps, covered),
    )


def debt_of_lines(
    terms: PolicyTerms, circumstances: Circumstances, lines: Sequence[DebtLine], rate: FrozenRate, *, interest: int = 0
) -> Debt:
    """A debt followed invoice by invoice: what is covered of each on the date of loss, turned into policy currency.

    *Formula:* the covered amount of each layer and the amount of each reason are converted and rounded invoice by invoice; the
    sums are formed from these. The percentage of an invoice stays where a limit, a grade or a country set it; otherwise the
    cause of loss decides. ``interest``, in policy currency, is owed and never covered.
    *Source:* covered debt = Σ of what is covered of each invoice, never more than the limit in force for each shipment.
    """
    currency = currency_of(terms)
    uncovered: list[tuple[UncoveredReason, int]] = []
    parts: list[tuple[int, int, Decimal, Decimal]] = []
    for line in lines:
        uncovered += [(reason, _converted(amount, rate, currency)) for reason, amount in line.reasons]
        primary, top_up = _converted(line.covered_primary, rate, currency), _converted(line.covered_top_up, rate, currency)
        own = _percentage_of(terms, line, circumstances)
        parts.append((primary, top_up, own, _top_up_percentage(terms, own)))
    covered = sum(primary + top_up for primary, top_up, _, _ in parts)
    insured = covered + sum(amount for _, amount in uncovered)
    left_out = _by_reason([*uncovered, (LossReason.INTEREST_NOT_COVERED, interest)])
    steps = []
    if rate.currency != currency:
        rate_inputs: tuple[tuple[str, TraceValue], ...] = (("base", rate.currency), ("quote", currency), ("source", rate.source))
        steps.append(Step("rate", "loss.frozen_rate", rate_inputs, _plain_rate(rate.rate), "policy.claim_rate", rate.on))
    inputs: tuple[tuple[str, TraceValue], ...] = (
        ("lines", len(lines)),
        ("open_debt", Money(insured + interest, currency)),
        *((reason.value, Money(amount, currency)) for reason, amount in left_out),
    )
    steps.append(Step("covered_debt", "loss.covered_lines", inputs, Money(covered, currency), "cover.reason", circumstances.date_of_loss))
    own, source = insured_percentage_for(terms, circumstances.country, circumstances.grade, None, circumstances.cause)
    return _debt(
        terms,
        open_debt=insured + interest,
        insured=insured,
        parts=parts,
        uncovered=left_out,
        fallback=(own, source),
        steps=tuple(steps),
    )


def _debt(
    terms: PolicyTerms,
    *,
    open_debt: int,
    insured: int,
    parts: Sequence[tuple[int, int, Decimal, Decimal]],
    uncovered: Uncovered,
    fallback: tuple[Decimal, PercentageSource],
    steps: tuple[Step, ...],
) -> Debt:
    """Put a debt together; each part is covered in the primary and the top-up layer, with their percentages."""
    currency = currency_of(terms)
    primary, top_up = sum(part[0] for part in parts), sum(part[1] for part in parts)
    primary_value = sum((Fraction(part[2]) * part[0] / 100 for part in parts), Fraction(0))
    top_up_value = sum((Fraction(part[3]) * part[1] / 100 for part in parts), Fraction(0))
    own, source = fallback
    covered = primary + top_up
    percentage = (primary_value + top_up_value) * 100 / covered if covered else Fraction(own)
    used = {part[2] for part in parts if part[0]} | {part[3] for part in parts if part[1]}
    if used <= {own}:
        inputs: tuple[tuple[str, TraceValue], ...] = (("source", source),)
        mean = Step("insured_percentage", "loss.insured_percentage", inputs, own, _BASIS_OF_PERCENTAGE[source])
    else:
        inputs = (
            ("covered_primary", Money(primary, currency)),
            ("covered_top_up", Money(top_up, currency)),
            ("lowest_percentage", min(used)),
            ("highest_percentage", max(used)),
        )
        mean = Step("insured_percentage", "loss.mean_percentage", inputs, rounded_percentage(percentage), "policy.layers")
    return Debt(open_debt, insured, primary, top_up, uncovered, percentage, primary_value, top_up_value, Trace((*steps, mean)))


def rounded_percentage(percentage: Fraction) -> Decimal:
    """A percentage with at most four decimals, a half away from zero."""
    exact = Decimal(round_half_up(percentage * 10_000)).scaleb(-4)
    whole = exact.to_integral_value()
    return whole if whole == exact else exact.normalize()


def _percentage_of(terms: PolicyTerms, line: DebtLine, circumstances: Circumstances) -> Decimal:
    own = terms.insured_percentage.default if line.insured_percentage is None else line.insured_percentage
    if line.percentage_source in _KEPT_SOURCES:
        return own
    return terms.insured_percentage.by_cause.get(circumstances.cause, own)


def _top_up_percentage(terms: PolicyTerms, own: Decimal) -> Decimal:
    top_up = terms.layers.top_up
    return own if top_up is None or top_up.insured_percentage is None else top_up.insured_percentage


def _by_reason(amounts: Iterable[tuple[UncoveredReason, int]]) -> Uncovered:
    totals: dict[UncoveredReason, int] = {}
    for reason, amount in amounts:
        if amount:
            totals[reason] = totals.get(reason, 0) + amount
    return tuple((reason, totals[reason]) for reason in _ORDER if reason in totals)


def _converted(amount: int, rate: FrozenRate, currency: str) -> int:
    return amount if rate.currency == currency else convert_minor(amount, rate.currency, currency, Fraction(rate.rate))


def _plain_rate(rate: Rate) -> TraceValue:
    return Decimal(rate) if isinstance(rate, int) else rate

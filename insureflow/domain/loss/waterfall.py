"""From the debt to the indemnity: the clauses of a policy in their order, each with what it takes away.

Exact values are carried from step to step; only what is reported is rounded. What one loss hands on to the next of the same
policy year (used aggregate first loss, used maximum liability) is the rounded figure.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from insureflow.domain.loss.debt import Circumstances, Debt, Uncovered, currency_of, rounded_percentage
from insureflow.domain.loss.vocabulary import Effect, LossReason
from insureflow.domain.money import Money, minor_digits, round_half_up
from insureflow.domain.policies.precedence import grade_row_for
from insureflow.domain.policies.terms import PolicyTerms
from insureflow.domain.policies.vocabulary import Attachment, DeductibleOrder, Erosion
from insureflow.domain.trace import Step, Trace, TraceValue

_Inputs = tuple[tuple[str, TraceValue], ...]


@dataclass(frozen=True, slots=True)
class YearUse:
    """What the losses of a policy year have used so far, in minor units of the policy currency."""

    aggregate_first_loss_used: int = 0
    maximum_liability_used: int = 0


#: A policy year without losses so far.
NOTHING_USED = YearUse()


@dataclass(frozen=True, slots=True)
class Loss:
    """One loss worked out. Amounts are minor units of ``currency``, the policy's.

    A value after a step is None where the loss ended before it. ``effects`` are what each clause takes away; the loss less all
    of them is the indemnity. ``uncovered`` is what is owed and no part of the loss, with costs that do not count.
    """

    currency: str
    debt: Debt
    collection_costs: int
    collection_costs_counted: int
    uncovered: Uncovered
    loss: int
    below_threshold: bool
    outside_period: bool
    after_deductible: int | None
    after_percentage: int | None
    after_minimum_retention: int | None
    aggregate_first_loss_used: int
    aggregate_first_loss_remaining: int | None
    maximum_liability_remaining: int | None
    indemnity: int
    indemnity_primary: int
    indemnity_top_up: int
    provisional_payment: int | None
    effects: tuple[tuple[Effect, int], ...]
    trace: Trace

    @property
    def open_debt(self) -> int:
        """All that is owed, with late interest and collection costs."""
        return self.debt.open + self.collection_costs

    @property
    def policyholder_share(self) -> int:
        """What of the loss the policyholder bears."""
        return self.loss - self.indemnity

    @property
    def balance(self) -> int | None:
        """What is paid after a provisional payment."""
        return None if self.provisional_payment is None else self.indemnity - self.provisional_payment


def maximum_liability_of(terms: PolicyTerms) -> int | None:
    """The most the insurer pays for a policy year; None without such a clause, or while the premium it depends on is not known.

    *Formula:* the amount, or premium × multiple, rounded.
    """
    clause = terms.maximum_liability
    if clause is None:
        return None
    if clause.premium_multiple is None or clause.premium is None:
        return clause.amount
    return round_half_up(Fraction(clause.premium_multiple) * clause.premium)


def largest_loss_fully_carried(terms: PolicyTerms) -> int | None:
    """The largest loss that the maximum liability pays in full: maximum liability ÷ general insured percentage."""
    maximum, percentage = maximum_liability_of(terms), terms.insured_percentage.default
    return None if maximum is None or not percentage else round_half_up(Fraction(maximum) * 100 / Fraction(percentage))


def calculate_loss(
    terms: PolicyTerms, debt: Debt, circumstances: Circumstances, use: YearUse = NOTHING_USED, *, collection_costs: int = 0
) -> Loss:
    """What the insurer pays for one loss, and what each clause takes away.

    *Formula:* loss = covered debt + collection costs that count; threshold; attachment; deductible before the percentage;
    aggregate first loss before the percentage; insured percentage; deductible after it; minimum retention; aggregate first loss
    after the percentage; maximum indemnity per buyer; maximum liability left; rounded once at the end.
    *Source:* canonical order of a loss calculation; each step stands only where the policy has the clause.
    """
    walk = _Walk(terms, debt, circumstances, use, collection_costs)
    return walk.loss()


def counted_costs(terms: PolicyTerms, debt: Debt, collection_costs: int) -> Fraction:
    """Collection costs that are part of the loss: in proportion to the covered debt, where the policy counts them."""
    if not terms.collection_costs_in_loss or not debt.insured:
        return Fraction(0)
    return Fraction(collection_costs * debt.covered, debt.insured)


class _Walk:
    """One loss on its way through the clauses."""

    def __init__(self, terms: PolicyTerms, debt: Debt, circumstances: Circumstances, use: YearUse, collection_costs: int) -> None:
        self.terms = terms
        self.debt = debt
        self.circumstances = circumstances
        self.currency = currency_of(terms)
        self.collection_costs = collection_costs
        self.costs = counted_costs(terms, debt, collection_costs)
        self.amount = debt.covered + self.costs
        first_loss, liability = terms.aggregate_first_loss, maximum_liability_of(terms)
        self.first_loss_left = None if first_loss is None else max(0, first_loss.amount - use.aggregate_first_loss_used)
        self.liability_left = None if liability is None else max(0, liability - use.maximum_liability_used)
        self.value = self.amount
        self.first_loss_used = Fraction(0)
        self.after_deductible: int | None = None
        self.after_percentage: int | None = None
        self.after_minimum_retention: int | None = None
        self.effects: list[tuple[Effect, int]] = []
        self.steps: list[Step] = []

    def loss(self) -> Loss:
        """The loss with everything that can be said about it."""
        terms = self.terms
        self._begin()
        below, outside = self._is_below_threshold(), self._is_outside_period()
        if below:
            self._end(Effect.CLAIMS_THRESHOLD)
        elif outside:
            self._end(Effect.ATTACHMENT)
        else:
            self._go_through()
        eroded = terms.claims_threshold is not None and terms.claims_threshold.erodes_aggregate_first_loss
        if below and eroded and not outside and self.first_loss_left is not None:
            self._erode_below_threshold()
        used = round_half_up(self.first_loss_used)
        indemnity = round_half_up(self.value)
        primary, top_up = self._by_layer(indemnity)
        counted = round_half_up(self.costs)
        outside_loss = self.collection_costs - counted
        uncovered = self.debt.uncovered + (((LossReason.COSTS_NOT_COVERED, outside_loss),) if outside_loss else ())
        provisional = terms.provisional_payment_percentage
        self._finish(indemnity, provisional)
        return Loss(
            currency=self.currency,
            debt=self.debt,
            collection_costs=self.collection_costs,
            collection_costs_counted=counted,
            uncovered=uncovered,
            loss=round_half_up(self.amount),
            below_threshold=below,
            outside_period=outside,
            after_deductible=self.after_deductible,
            after_percentage=self.after_percentage,
            after_minimum_retention=self.after_minimum_retention,
            aggregate_first_loss_used=used,
            aggregate_first_loss_remaining=None if self.first_loss_left is None else self.first_loss_left - used,
            maximum_liability_remaining=None if self.liability_left is None else self.liability_left - indemnity,
            indemnity=indemnity,
            indemnity_primary=primary,
            indemnity_top_up=top_up,
            provisional_payment=None if provisional is None else _provisional(indemnity, Fraction(provisional)),
            effects=tuple((effect, amount) for effect, amount in self.effects if amount),
            trace=Trace((*self.debt.trace, *self.steps)),
        )

    def _begin(self) -> None:
        if self.collection_costs:
            costs: _Inputs = (
                ("collection_costs", self._money(self.collection_costs)),
                ("covered_debt", self._money(self.debt.covered)),
                ("insured_debt", self._money(self.debt.insured)),
            )
            formula = "loss.costs_counted" if self.terms.collection_costs_in_loss else "loss.costs_left_out"
            self._step("collection_costs_counted", formula, costs, self.costs, "policy.collection_costs_in_loss")
        inputs: _Inputs = (("covered_debt", self._money(self.debt.covered)), ("collection_costs_counted", self._money(self.costs)))
        self._step("loss", "loss.loss", inputs, self.amount, "loss.order")

    def _is_below_threshold(self) -> bool:
        clause = self.terms.claims_threshold
        if clause is None:
            return False
        is_below = self.amount <= clause.amount if clause.inclusive else self.amount < clause.amount
        formula = "loss.threshold_inclusive" if clause.inclusive else "loss.threshold_exclusive"
        inputs: _Inputs = (("loss", self._money(self.amount)), ("claims_threshold", self._money(clause.amount)))
        self._say("below_threshold", formula, inputs, is_below, "policy.claims_threshold")
        return is_below

    def _is_outside_period(self) -> bool:
        terms, on = self.terms, self.circumstances.date_of_loss
        if terms.attachment is not Attachment.LOSSES_OCCURRING or terms.period is None or on is None:
            return False
        is_outside = not terms.period.holds(on)
        inputs: _Inputs = (("date_of_loss", on), ("first_day", terms.period.first_day), ("last_day", terms.period.last_day))
        self._say("outside_period", "loss.outside_period", inputs, is_outside, "policy.attachment")
        return is_outside

    def _end(self, effect: Effect) -> None:
        self._take(effect, Fraction(0))

    def _go_through(self) -> None:
        terms = self.terms
        first_loss, deductible = terms.aggregate_first_loss, terms.each_loss_deductible
        if deductible is not None and deductible.order is DeductibleOrder.BEFORE_PERCENTAGE:
            self._deduct(deductible.amount)
        self.after_deductible = round_half_up(self.value)
        if first_loss is not None and first_loss.erosion is not Erosion.AFTER_PERCENTAGE:
            self._erode(first_loss.erosion)
        self._apply_percentage()
        if deductible is not None and deductible.order is DeductibleOrder.AFTER_PERCENTAGE:
            self._deduct(deductible.amount)
        self.after_percentage = round_half_up(self.value)
        if terms.minimum_retention is not None:
            least = terms.minimum_retention.amount
            highest = max(Fraction(0), self.amount - least)
            inputs: _Inputs = (
                ("before", self._money(self.value)),
                ("loss", self._money(self.amount)),
                ("minimum_retention", self._money(least)),
            )
            self._take(Effect.MINIMUM_RETENTION, min(self.value, highest))
            self._step("after_minimum_retention", "loss.minimum_retention", inputs, self.value, "policy.minimum_retention")
        self.after_minimum_retention = round_half_up(self.value)
        if first_loss is not None and first_loss.erosion is Erosion.AFTER_PERCENTAGE:
            self._erode(first_loss.erosion)
        self._cap()

    def _deduct(self, amount: int) -> None:
        inputs: _Inputs = (("before", self._money(self.value)), ("each_loss_deductible", self._money(amount)))
        self._take(Effect.EACH_LOSS_DEDUCTIBLE, max(Fraction(0), self.value - amount))
        self._step("after_deductible", "loss.each_loss_deductible", inputs, self.value, "policy.each_loss_deductible")

    def _erode(self, erosion: Erosion) -> None:
        left = self.first_loss_left or 0
        before = self.value
        self.first_loss_used = min(Fraction(left), before)
        inputs: _Inputs = (("before", self._money(before)), ("aggregate_first_loss_left", self._money(left)))
        self._take(Effect.AGGREGATE_FIRST_LOSS, before - self.first_loss_used)
        self._step(
            "after_aggregate_first_loss", f"loss.aggregate_first_loss.{erosion.value}", inputs, self.value, "policy.aggregate_first_loss"
        )

    def _apply_percentage(self) -> None:
        first_loss = self.terms.aggregate_first_loss
        before = self.value
        if first_loss is not None and first_loss.erosion is Erosion.LOSS_WITHOUT_PERCENTAGE:
            inputs: _Inputs = (("before", self._money(before)),)
            self._step("share_of_insurer", "loss.no_percentage", inputs, before, "policy.aggregate_first_loss")
            return
        inputs = (("before", self._money(before)), ("insured_percentage", rounded_percentage(self.debt.percentage)))
        self._take(Effect.INSURED_PERCENTAGE, before * self.debt.percentage / 100)
        self._step("share_of_insurer", "loss.percentage", inputs, self.value, "policy.insured_percentage")

    def _cap(self) -> None:
        row = grade_row_for(self.terms, self.circumstances.grade)
        of_grade = None if row is None else row.maximum_indemnity_per_buyer
        highest = self.terms.maximum_indemnity_per_buyer if of_grade is None else of_grade
        if highest is not None:
            inputs: _Inputs = (("before", self._money(self.value)), ("maximum_indemnity_per_buyer", self._money(highest)))
            basis = "policy.maximum_indemnity_per_buyer" if of_grade is None else "policy.grade_cover"
            self._take(Effect.MAXIMUM_INDEMNITY_PER_BUYER, min(self.value, Fraction(highest)))
            self._step("after_maximum_per_buyer", "loss.maximum_indemnity_per_buyer", inputs, self.value, basis)
        if self.liability_left is not None:
            inputs = (("before", self._money(self.value)), ("maximum_liability_left", self._money(self.liability_left)))
            self._take(Effect.MAXIMUM_LIABILITY, min(self.value, Fraction(self.liability_left)))
            self._step("after_maximum_liability", "loss.maximum_liability", inputs, self.value, "policy.maximum_liability")

    def _erode_below_threshold(self) -> None:
        """What the aggregate first loss would have taken with no threshold counts all the same."""
        shadow = _Walk(self.terms, self.debt, self.circumstances, NOTHING_USED, self.collection_costs)
        shadow.first_loss_left = self.first_loss_left
        shadow._go_through()
        self.first_loss_used = shadow.first_loss_used
        inputs: _Inputs = (("loss", self._money(self.amount)), ("aggregate_first_loss_left", self._money(self.first_loss_left or 0)))
        self._step("aggregate_first_loss_used", "loss.eroded_below_threshold", inputs, self.first_loss_used, "policy.claims_threshold")

    def _finish(self, indemnity: int, provisional: object) -> None:
        inputs: _Inputs = (("exact", self.value / 10 ** minor_digits(self.currency)),)
        self._step("indemnity", "loss.indemnity", inputs, Fraction(indemnity), "loss.order")
        if provisional is not None:
            percentage = self.terms.provisional_payment_percentage
            paid = _provisional(indemnity, Fraction(percentage or 0))
            inputs = (("indemnity", self._money(indemnity)), ("percentage", percentage))
            self._step("provisional_payment", "loss.provisional_payment", inputs, Fraction(paid), "policy.provisional_payment")

    def _by_layer(self, indemnity: int) -> tuple[int, int]:
        """The indemnity in proportion to covered × percentage: primary rounded, top-up the rest."""
        of_primary, of_both = self.debt.primary_value, self.debt.primary_value + self.debt.top_up_value
        primary = indemnity if not of_both else round_half_up(indemnity * of_primary / of_both)
        return primary, indemnity - primary

    def _take(self, effect: Effect, left: Fraction) -> None:
        self.effects.append((effect, round_half_up(self.value) - round_half_up(left)))
        self.value = left

    def _step(self, name: str, formula: str, inputs: _Inputs, result: Fraction, basis: str) -> None:
        self._say(name, formula, inputs, self._money(result), basis)

    def _say(self, name: str, formula: str, inputs: _Inputs, result: TraceValue, basis: str) -> None:
        self.steps.append(Step(name, formula, inputs, result, basis))

    def _money(self, value: Fraction | int) -> Money:
        return Money(round_half_up(value), self.currency)


def _provisional(indemnity: int, percentage: Fraction) -> int:
    return round_half_up(indemnity * percentage / 100)

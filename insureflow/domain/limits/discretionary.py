"""The discretionary limit: what the policyholder may set without asking the insurer, and on what evidence.

Amounts are minor units of the currency of the clause.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from fractions import Fraction

from insureflow.domain.money import Money, round_half_up
from insureflow.domain.periods import add_months
from insureflow.domain.policies.terms import DiscretionaryLimit, DiscretionaryMethodTerms
from insureflow.domain.policies.vocabulary import DiscretionaryMethod, InsurerDecisionEffect, NeedAboveMaximum
from insureflow.domain.trace import Step, Trace, TraceValue


class DiscretionaryReason(StrEnum):
    """Why there is no discretionary limit, in the order of the tests."""

    COUNTRY_NOT_LISTED = "country_not_listed"
    ZERO_DECISION = "zero_decision"
    INSURER_DECISION_EXISTS = "insurer_decision_exists"
    ADVERSE_INFORMATION = "adverse_information"
    DEFAULT_LOSS = "default_loss"
    OVERDUE_ITEMS = "overdue_items"
    NAMED_LIMIT_REQUIRED = "named_limit_required"
    NO_VALID_EVIDENCE = "no_valid_evidence"


@dataclass(frozen=True, slots=True)
class CreditReport:
    """A report on the buyer; ``approved``: of an agency the policy accepts. Without ``amount`` it supports the maximum.

    ``stored_on`` is the day on which it was put on file, None where that is not known.
    """

    on: date
    amount: int | None = None
    approved: bool = True
    unfavourable: bool = False
    stored_on: date | None = None
    id: str = ""


@dataclass(frozen=True, slots=True)
class MonthEndBalance:
    """What the buyer owed at the end of a month, and whether it was paid within terms.

    ``cleared_on``: the day on which the last of it was paid; before it nobody could know. ``stored_on`` as for a report.
    """

    month_end: date
    balance: int
    paid_within_terms: bool = True
    cleared_on: date | None = None
    stored_on: date | None = None
    id: str = ""

    @property
    def on(self) -> date:
        """The day the evidence is of."""
        return self.month_end


@dataclass(frozen=True, slots=True)
class Purchase:
    """Something the buyer bought; ``paid_on_time`` is None while it is not settled. ``settled_on`` and ``stored_on`` as above."""

    on: date
    paid_on_time: bool | None = None
    settled_on: date | None = None
    stored_on: date | None = None
    id: str = ""


#: One piece of evidence that a discretionary limit may rest on.
Evidence = CreditReport | MonthEndBalance | Purchase


@dataclass(frozen=True, slots=True)
class InsurerDecision:
    """A named limit or a refusal (0) of the insurer on this buyer."""

    on: date
    amount: int


@dataclass(frozen=True, slots=True)
class OverdueItem:
    """An item that is overdue on the day in question."""

    amount: int
    days_overdue: int


@dataclass(frozen=True, slots=True)
class DiscretionaryFacts:
    """Everything known of a buyer that bears on its discretionary limit.

    Evidence, decisions and losses dated after the day in question are left out by the calculation; ``overdue_items`` are
    those of that day.
    """

    country: str | None = None
    need: int | None = None
    credit_reports: tuple[CreditReport, ...] = ()
    month_end_balances: tuple[MonthEndBalance, ...] = ()
    purchases: tuple[Purchase, ...] = ()
    insurer_decisions: tuple[InsurerDecision, ...] = ()
    adverse_information_on: date | None = None
    default_losses: tuple[date, ...] = ()
    overdue_items: tuple[OverdueItem, ...] = ()


@dataclass(frozen=True, slots=True)
class DiscretionaryResult:
    """The discretionary limit on a day: its amount, the method and evidence it rests on, its last day, or why there is none."""

    on: date
    amount: int
    currency: str
    method: DiscretionaryMethod | None
    valid_to: date | None
    usable: bool
    reason: DiscretionaryReason | None
    evidence: tuple[Evidence, ...] = ()
    trace: Trace = field(default_factory=Trace, compare=False)


@dataclass(frozen=True, slots=True)
class _Support:
    """What one method supports, exactly."""

    terms: DiscretionaryMethodTerms
    amount: Fraction
    valid_to: date | None = None
    evidence: tuple[Evidence, ...] = ()


def calculate_discretionary_limit(clause: DiscretionaryLimit, facts: DiscretionaryFacts, on: date) -> DiscretionaryResult:
    """The limit the policyholder may set for a buyer on a day.

    *Formula:* the tests in their order, the first that fails gives the reason; then the method with the highest amount, the
    first named on a tie; amount = smaller of it and the maximum, rounded. *Source:* clause on the discretionary limit.
    """
    steps: list[Step] = []
    for reason, inputs, has_failed in _tests(clause, facts, on):
        steps.append(_test_step(reason, inputs, on, has_failed=has_failed))
        if has_failed:
            return _not_usable(clause, on, reason, steps)
    best: _Support | None = None
    for terms in clause.methods:
        support = _support_of(clause, terms, facts, on)
        steps.append(_method_step(clause, support, on))
        if support.amount > 0 and (best is None or support.amount > best.amount):
            best = support
    reason = DiscretionaryReason.NO_VALID_EVIDENCE
    steps.append(_test_step(reason, (("methods_counted", len(clause.methods)),), on, has_failed=best is None))
    if best is None:
        return _not_usable(clause, on, reason, steps)
    amount = round_half_up(min(best.amount, Fraction(clause.maximum)))
    steps.append(
        Step(
            name="discretionary_limit",
            formula="discretionary.smaller_of_support_and_maximum",
            inputs=(("supported", _exact(best.amount, clause)), ("maximum", Money(clause.maximum, clause.currency))),
            result=Money(amount, clause.currency),
            basis="policy.discretionary_limit",
            on=on,
        )
    )
    return DiscretionaryResult(
        on,
        amount,
        clause.currency,
        best.terms.method,
        best.valid_to,
        usable=True,
        reason=None,
        evidence=best.evidence,
        trace=Trace(tuple(steps)),
    )


def latest_decision(decisions: Sequence[InsurerDecision], on: date) -> InsurerDecision | None:
    """The insurer's latest decision up to a day; on one day the last of the list."""
    known = [decision for decision in decisions if decision.on <= on]
    return max(reversed(known), key=lambda decision: decision.on, default=None)


def report_valid_to(terms: DiscretionaryMethodTerms, report: CreditReport) -> date:
    """The last day on which a report supports a limit.

    *Formula:* valid for n months: its own day is the first, so report date + n months − 1 day; not older than n months:
    report date + n months.
    """
    if terms.valid_for_months is not None:
        return add_months(report.on, terms.valid_for_months) - timedelta(days=1)
    return add_months(report.on, terms.maximum_age_months or 0)


_Inputs = tuple[tuple[str, TraceValue], ...]
_Test = tuple[DiscretionaryReason, _Inputs, bool]


def _tests(clause: DiscretionaryLimit, facts: DiscretionaryFacts, on: date) -> Iterator[_Test]:
    """The tests before the evidence, with what was compared and whether they fail."""
    has_failed = clause.countries is not None and facts.country not in clause.countries
    yield DiscretionaryReason.COUNTRY_NOT_LISTED, (("country", facts.country),), has_failed
    yield from _decision_tests(clause, facts, on)
    known_on = facts.adverse_information_on
    has_failed = clause.adverse_information_blocks and known_on is not None and known_on <= on
    yield DiscretionaryReason.ADVERSE_INFORMATION, (("adverse_information_on", known_on),), has_failed
    yield _loss_test(clause, facts, on)
    yield _overdue_test(clause, facts)
    inputs = (("limit_needed", _money(facts.need, clause)), ("maximum", _money(clause.maximum, clause)))
    is_above = facts.need is not None and facts.need > clause.maximum
    has_failed = is_above and clause.need_above_maximum is NeedAboveMaximum.NAMED_LIMIT_REQUIRED
    yield DiscretionaryReason.NAMED_LIMIT_REQUIRED, inputs, has_failed


def _decision_tests(clause: DiscretionaryLimit, facts: DiscretionaryFacts, on: date) -> Iterator[_Test]:
    decision = latest_decision(facts.insurer_decisions, on)
    effect, months = clause.insurer_decision, clause.rebuild_after_zero_decision_months
    counts = decision is not None and effect is not InsurerDecisionEffect.NO_EFFECT
    can_rebuild_from = None
    if decision is not None and decision.amount == 0 and months is not None:
        can_rebuild_from = add_months(decision.on, months)
    is_zero = decision is not None and decision.amount == 0
    has_failed = counts and is_zero and (can_rebuild_from is None or on < can_rebuild_from)
    inputs: _Inputs = (
        ("decided_on", decision.on if decision is not None else None),
        ("amount_decided", _money(decision.amount if decision is not None else None, clause)),
        ("can_rebuild_from", can_rebuild_from),
    )
    yield DiscretionaryReason.ZERO_DECISION, inputs, has_failed
    has_failed = counts and not is_zero and effect is InsurerDecisionEffect.ENDS
    yield DiscretionaryReason.INSURER_DECISION_EXISTS, inputs[:2], has_failed


def _loss_test(clause: DiscretionaryLimit, facts: DiscretionaryFacts, on: date) -> _Test:
    if clause.default_loss_blocks_months is None:
        return DiscretionaryReason.DEFAULT_LOSS, (("counted_from", None), ("last_default_loss", None)), False
    counted_from = add_months(on, -clause.default_loss_blocks_months)
    last = max((loss for loss in facts.default_losses if counted_from <= loss <= on), default=None)
    return DiscretionaryReason.DEFAULT_LOSS, (("counted_from", counted_from), ("last_default_loss", last)), last is not None


def _overdue_test(clause: DiscretionaryLimit, facts: DiscretionaryFacts) -> _Test:
    rule = clause.overdue_blocks
    if rule is None:
        return DiscretionaryReason.OVERDUE_ITEMS, (("overdue_total", None), ("overdue_allowed", None)), False
    total = sum(item.amount for item in facts.overdue_items if item.days_overdue > rule.more_than_days)
    inputs = (("overdue_total", _money(total, clause)), ("overdue_allowed", _money(rule.above_amount, clause)))
    return DiscretionaryReason.OVERDUE_ITEMS, inputs, total > rule.above_amount


def _support_of(clause: DiscretionaryLimit, terms: DiscretionaryMethodTerms, facts: DiscretionaryFacts, on: date) -> _Support:
    if terms.method is DiscretionaryMethod.CREDIT_REPORT:
        return _by_report(clause, terms, facts.credit_reports, on)
    counted_from = add_months(on, -(terms.look_back_months or 0))
    if terms.method is DiscretionaryMethod.PAYMENT_EXPERIENCE:
        return _by_experience(terms, facts.month_end_balances, counted_from, on)
    return _by_purchases(clause, terms, facts.purchases, counted_from, on)


def _by_report(clause: DiscretionaryLimit, terms: DiscretionaryMethodTerms, reports: Sequence[CreditReport], on: date) -> _Support:
    """The latest report that qualifies; on one day the last of the list."""
    qualified = [
        report for report in reports if report.approved and not report.unfavourable and report.on <= on <= report_valid_to(terms, report)
    ]
    report = max(reversed(qualified), key=lambda each: each.on, default=None)
    if report is None:
        return _Support(terms, Fraction(0))
    named = None if report.amount is None else report.amount * Fraction(terms.percentage_of_report_amount) / 100
    return _Support(terms, Fraction(clause.maximum) if named is None else named, report_valid_to(terms, report), (report,))


def _by_experience(terms: DiscretionaryMethodTerms, balances: Sequence[MonthEndBalance], counted_from: date, on: date) -> _Support:
    """The highest month-end balance paid within terms × factor."""
    qualified = [
        balance
        for balance in balances
        if balance.paid_within_terms
        and counted_from <= balance.month_end <= on
        and (balance.cleared_on is None or balance.cleared_on <= on)
    ]
    best = max(qualified, key=lambda balance: balance.balance, default=None)
    if best is None:
        return _Support(terms, Fraction(0))
    return _Support(terms, best.balance * Fraction(terms.factor), None, (best,))


def _by_purchases(
    clause: DiscretionaryLimit, terms: DiscretionaryMethodTerms, purchases: Sequence[Purchase], counted_from: date, on: date
) -> _Support:
    """Enough purchases, and all of those settled by the day paid on time: supports the maximum."""
    counted = tuple(purchase for purchase in purchases if counted_from <= purchase.on <= on)
    is_any_late = any(purchase.paid_on_time is False and (purchase.settled_on is None or purchase.settled_on <= on) for purchase in counted)
    if is_any_late or len(counted) < (terms.minimum_purchases or 0):
        return _Support(terms, Fraction(0))
    return _Support(terms, Fraction(clause.maximum), None, counted)


def _not_usable(clause: DiscretionaryLimit, on: date, reason: DiscretionaryReason, steps: Sequence[Step]) -> DiscretionaryResult:
    return DiscretionaryResult(on, 0, clause.currency, None, None, usable=False, reason=reason, trace=Trace(tuple(steps)))


_BASIS = {
    DiscretionaryReason.COUNTRY_NOT_LISTED: "policy.discretionary_limit.countries",
    DiscretionaryReason.ZERO_DECISION: "policy.discretionary_limit.rebuild_after_zero_decision",
    DiscretionaryReason.INSURER_DECISION_EXISTS: "policy.discretionary_limit.insurer_decision",
    DiscretionaryReason.ADVERSE_INFORMATION: "policy.discretionary_limit.adverse_information_blocks",
    DiscretionaryReason.DEFAULT_LOSS: "policy.discretionary_limit.default_loss_blocks",
    DiscretionaryReason.OVERDUE_ITEMS: "policy.discretionary_limit.overdue_blocks",
    DiscretionaryReason.NAMED_LIMIT_REQUIRED: "policy.discretionary_limit.need_above_maximum",
    DiscretionaryReason.NO_VALID_EVIDENCE: "policy.discretionary_limit.methods",
}


def _test_step(reason: DiscretionaryReason, inputs: _Inputs, on: date, *, has_failed: bool) -> Step:
    """One test; ``result`` True: passed."""
    formula = f"discretionary.test.{reason.value}"
    return Step(name=f"discretionary.{reason.value}", formula=formula, inputs=inputs, result=not has_failed, basis=_BASIS[reason], on=on)


def _method_step(clause: DiscretionaryLimit, support: _Support, on: date) -> Step:
    method = support.terms.method
    inputs: _Inputs = (
        ("evidence_of", support.evidence[-1].on if support.evidence else None),
        ("evidence_valid_to", support.valid_to),
        ("evidence_counted", len(support.evidence)),
    )
    result = _exact(support.amount, clause)
    formula = f"discretionary.{method.value}"
    return Step(name=formula, formula=f"{formula}.formula", inputs=inputs, result=result, basis="policy.discretionary_limit.methods", on=on)


def _money(minor: int | None, clause: DiscretionaryLimit) -> Money | None:
    return None if minor is None else Money(minor, clause.currency)


def _exact(amount: Fraction, clause: DiscretionaryLimit) -> Money:
    """An exact amount as it is reported."""
    return Money(round_half_up(amount), clause.currency)

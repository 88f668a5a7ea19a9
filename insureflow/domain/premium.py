"""The premium of a policy year: estimated, least, paid in advance, earned, adjusted by the loss ratio, and what is left to pay.

The exact value is carried from step to step; a figure is rounded where it is reported. What no data were given for is None.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction

from insureflow.domain.money import Money, round_half_up
from insureflow.domain.periods import last_day_of_month
from insureflow.domain.policies.terms import BonusMalusRow, MaximumLiability, Premium
from insureflow.domain.policies.vocabulary import LimitMeasure, PremiumBasis, PremiumMeasure
from insureflow.domain.trace import Step, Trace, TraceValue

#: Decimals of a loss ratio where it is reported.
RATIO_DECIMALS = 2


@dataclass(frozen=True, slots=True)
class DeclaredTurnover:
    """Turnover declared for a period; ``category`` says what kind of sales it was, None for ordinary ones."""

    period: str
    minor: int
    category: str | None = None


@dataclass(frozen=True, slots=True)
class DeclaredBalance:
    """What was outstanding at the end of a month, and the limit it was covered by."""

    on: date
    minor: int
    limit_minor: int | None = None


@dataclass(frozen=True, slots=True)
class LimitFrom:
    """A limit in force from a day on."""

    on: date
    minor: int


@dataclass(frozen=True, slots=True)
class MonthlyLimit:
    """The limit of one month that premium is charged on; ``month`` is its first day."""

    month: date
    minor: int


@dataclass(frozen=True, slots=True)
class PremiumFacts:
    """What is known of a policy year, in minor units of the policy currency. None: not known."""

    estimated_turnover: int | None = None
    estimated_premium: int | None = None
    declarations: Sequence[DeclaredTurnover] = ()
    balances: Sequence[DeclaredBalance] = ()
    limits: Sequence[MonthlyLimit] = ()
    indemnities: int | None = None


@dataclass(frozen=True, slots=True)
class PremiumAccount:
    """The premium of a policy year. ``loss_ratio`` is per hundred, with two decimals."""

    estimated_premium: Money | None
    minimum_premium: Money | None
    advance_per_instalment: Money | None
    advances_total: Money
    insurable_turnover: Money | None
    earned_premium: Money | None
    loss_ratio: Decimal | None
    bonus_malus_adjustment: Money
    final_premium: Money | None
    balance_due: Money | None
    maximum_liability: Money | None
    trace: Trace = field(default_factory=Trace, compare=False)


def limits_of_months(limits: Sequence[LimitFrom], months: Sequence[date], measure: LimitMeasure) -> tuple[MonthlyLimit, ...]:
    """The limit of each month that premium is charged on; ``months`` are first days of months.

    *Formula:* the limit on a day is that of the last entry up to it, 0 before the first. ``highest_in_month``: the highest over the
    days of the month, its first included; ``month_end``: on its last day. *Source:* limit premium in commercial policies.
    """
    of_day: dict[date, int] = {}
    for entry in sorted(limits, key=lambda each: each.on):
        of_day[entry.on] = entry.minor
    found = []
    for month in months:
        first, last = month.replace(day=1), last_day_of_month(month)
        days = [day for day in of_day if day <= last]
        at_end = of_day[days[-1]] if days else 0
        if measure is LimitMeasure.MONTH_END:
            found.append(MonthlyLimit(first, at_end))
            continue
        before = [day for day in days if day <= first]
        at_start = of_day[before[-1]] if before else 0
        found.append(MonthlyLimit(first, max([at_start, *(of_day[day] for day in days if day > first)])))
    return tuple(found)


def insurable_turnover(declarations: Sequence[DeclaredTurnover], excluded: Sequence[str]) -> int:
    """What of declared turnover carries premium: everything whose category the policy does not leave out."""
    return sum(each.minor for each in declarations if each.category not in excluded)


def charged_balance(balance: DeclaredBalance, *, is_capped: bool) -> int:
    """What of a balance carries premium: all of it, or at most its limit."""
    return min(balance.minor, balance.limit_minor) if is_capped and balance.limit_minor is not None else balance.minor


def calculate_premium(
    terms: Premium, facts: PremiumFacts, currency: str, *, maximum_liability: MaximumLiability | None = None
) -> PremiumAccount:
    """The premium of a policy year, with every step.

    *Formula:* final = max(minimum, earned + bonus or malus); balance due = final − advances; earned by the basis: insurable turnover,
    month-end balances or limits of months × rate, or the fixed amount. *Source:* premium clauses: least premium 80 % of the
    estimated one, advances in equal instalments, invoice for the balance at the end of the year.
    """
    return _Working(terms, facts, currency).finish(maximum_liability)


class _Working:
    """One premium as it is worked out: exact values, and the steps that have been taken."""

    def __init__(self, terms: Premium, facts: PremiumFacts, currency: str) -> None:
        self.terms, self.facts, self.currency = terms, facts, currency
        self.steps: list[Step] = []

    def money(self, exact: Fraction | int) -> Money:
        """A figure as it is reported."""
        return Money(round_half_up(exact), self.currency)

    def known(self, exact: Fraction | None) -> Money | None:
        """A figure as it is reported, if there is one."""
        return None if exact is None else self.money(exact)

    def percentage_of(self, exact: Fraction | int, percentage: Decimal) -> Fraction:
        """A percentage of an exact amount."""
        return Fraction(exact) * Fraction(percentage) / 100

    def estimated(self) -> Fraction | None:
        """The premium that was estimated for the year."""
        terms, facts = self.terms, self.facts
        inputs: tuple[tuple[str, TraceValue], ...]
        if terms.basis is PremiumBasis.FIXED and terms.amount is not None:
            exact = Fraction(terms.amount)
            inputs = (("premium_amount", self.money(exact)),)
            formula, basis = "premium.fixed_amount", "policy.premium.amount"
        elif facts.estimated_premium is not None:
            exact = Fraction(facts.estimated_premium)
            inputs = (("estimated_premium", self.money(exact)),)
            formula, basis = "premium.estimated_as_agreed", "policy.premium.estimated_premium"
        elif facts.estimated_turnover is not None and terms.rate is not None:
            exact = self.percentage_of(facts.estimated_turnover, terms.rate)
            inputs = (("estimated_turnover", self.money(facts.estimated_turnover)), ("premium_rate", terms.rate))
            formula, basis = "premium.estimated_turnover_by_rate", "policy.premium.rate"
        else:
            return None
        self.steps.append(Step("estimated_premium", formula, inputs, self.money(exact), basis))
        return exact

    def minimum(self, estimated: Fraction | None) -> Fraction | None:
        """The least premium of the year, and what is paid of it in advance."""
        clause = self.terms.minimum
        if clause is None:
            return None
        inputs: tuple[tuple[str, TraceValue], ...]
        if clause.amount is not None:
            exact = Fraction(clause.amount)
            inputs = (("minimum_amount", self.money(exact)),)
            formula = "premium.minimum_amount"
        elif estimated is not None and clause.percentage_of_estimated is not None:
            exact = self.percentage_of(estimated, clause.percentage_of_estimated)
            inputs = (("estimated_premium", self.money(estimated)), ("minimum_percentage", clause.percentage_of_estimated))
            formula = "premium.minimum_percentage"
        else:
            return None
        self.steps.append(Step("minimum_premium", formula, inputs, self.money(exact), "policy.premium.minimum"))
        return exact

    def instalment(self, minimum: Fraction | None) -> Money | None:
        """One payment in advance: an equal part of the least premium."""
        count = self.terms.advance_instalments
        if minimum is None or count is None:
            return None
        amount = self.money(minimum / count)
        inputs = (("minimum_premium", self.money(minimum)), ("advance_instalments", count))
        basis = "policy.premium.advance_instalments"
        self.steps.append(Step("advance_per_instalment", "premium.advance", inputs, amount, basis))
        return amount

    def insurable(self) -> int | None:
        """The declared turnover that carries premium."""
        declarations, left_out = self.facts.declarations, self.terms.excluded_turnover
        if not declarations:
            return None
        declared = sum(each.minor for each in declarations)
        found = insurable_turnover(declarations, left_out)
        inputs = (
            ("declared_turnover", self.money(declared)),
            ("excluded_turnover", self.money(declared - found)),
            ("declarations_counted", len(declarations)),
        )
        basis = "policy.premium.excluded_turnover"
        self.steps.append(Step("insurable_turnover", "premium.insurable_turnover", inputs, self.money(found), basis))
        return found

    def charged(self, insurable: int | None) -> int | None:
        """The sum that the rate is charged on."""
        terms, facts = self.terms, self.facts
        if terms.basis is PremiumBasis.TURNOVER:
            return insurable
        if terms.basis is PremiumBasis.OUTSTANDING_BALANCE and facts.balances:
            full = sum(balance.minor for balance in facts.balances)
            total = sum(charged_balance(balance, is_capped=terms.balances_capped_at_limit) for balance in facts.balances)
            inputs = (
                ("declared_balances", self.money(full)),
                ("above_limits", self.money(full - total)),
                ("months_counted", len(facts.balances)),
            )
            name, formula, basis = "charged_balances", "premium.charged_balances", "policy.premium.balances_capped_at_limit"
        elif terms.basis is PremiumBasis.LIMIT and facts.limits:
            total = sum(each.minor for each in facts.limits)
            inputs = (
                ("highest_monthly_limit", self.money(max(each.minor for each in facts.limits))),
                ("lowest_monthly_limit", self.money(min(each.minor for each in facts.limits))),
                ("months_counted", len(facts.limits)),
            )
            name, formula, basis = "charged_limits", "premium.charged_limits", "policy.premium.limit_measure"
        else:
            return None
        self.steps.append(Step(name, formula, inputs, self.money(total), basis))
        return total

    def earned(self, charged: int | None) -> Fraction | None:
        """The premium earned by what was declared, or the fixed one."""
        terms = self.terms
        inputs: tuple[tuple[str, TraceValue], ...]
        if terms.basis is PremiumBasis.FIXED:
            if terms.amount is None:
                return None
            exact = Fraction(terms.amount)
            inputs = (("premium_amount", self.money(exact)),)
            formula, basis = "premium.fixed_amount", "policy.premium.amount"
        elif charged is None or terms.rate is None:
            return None
        else:
            exact = self.percentage_of(charged, terms.rate)
            inputs = (("premium_charged_on", self.money(charged)), ("premium_rate", terms.rate))
            formula, basis = "premium.by_rate", "policy.premium.rate"
        self.steps.append(Step("earned_premium", formula, inputs, self.money(exact), basis))
        return exact

    def ratio(self, earned: Fraction | None) -> Fraction | None:
        """Indemnities per hundred of earned premium; None without either."""
        paid = self.facts.indemnities
        if paid is None or not earned:
            return None
        exact = Fraction(paid) / earned * 100
        inputs = (("indemnities", self.money(paid)), ("earned_premium", self.money(earned)))
        self.steps.append(Step("loss_ratio", "premium.loss_ratio", inputs, _two_decimals(exact), "policy.premium.bonus_malus"))
        return exact

    def adjustment(self, earned: Fraction | None, ratio: Fraction | None) -> Fraction:
        """What the loss ratio adds to the earned premium or takes off it."""
        if earned is None or ratio is None:
            return Fraction(0)
        row = _row_for(self.terms.bonus_malus, ratio)
        if row is None:
            return Fraction(0)
        exact = self.percentage_of(earned, row.adjustment_percentage)
        inputs = (
            ("earned_premium", self.money(earned)),
            ("loss_ratio", _two_decimals(ratio)),
            ("loss_ratio_up_to", row.loss_ratio_up_to),
            ("adjustment_percentage", row.adjustment_percentage),
        )
        basis = "policy.premium.bonus_malus"
        self.steps.append(Step("bonus_malus_adjustment", "premium.bonus_malus", inputs, self.money(exact), basis))
        return exact

    def final(self, minimum: Fraction | None, earned: Fraction | None, adjustment: Fraction) -> Fraction | None:
        """The premium of the year: what was earned and adjusted, but not less than the least premium."""
        if earned is None:
            return None
        exact = earned + adjustment if minimum is None else max(minimum, earned + adjustment)
        inputs = (
            ("minimum_premium", self.known(minimum)),
            ("earned_premium", self.money(earned)),
            ("bonus_malus_adjustment", self.money(adjustment)),
        )
        self.steps.append(Step("final_premium", "premium.final", inputs, self.money(exact), "policy.premium"))
        return exact

    def liability(self, clause: MaximumLiability | None, measures: Mapping[PremiumMeasure, Fraction | None]) -> Money | None:
        """The most the insurer pays for the year."""
        if clause is None:
            return None
        inputs: tuple[tuple[str, TraceValue], ...]
        if clause.amount is not None:
            amount = self.money(clause.amount)
            inputs = (("maximum_liability_amount", amount),)
            formula = "premium.liability_amount"
        else:
            premium = measures[clause.of] if clause.premium is None else Fraction(clause.premium)
            if premium is None or clause.premium_multiple is None:
                return None
            amount = self.money(premium * Fraction(clause.premium_multiple))
            inputs = (("premium_multiplied", self.money(premium)), ("premium_multiple", clause.premium_multiple))
            formula = "premium.liability_multiple"
        self.steps.append(Step("maximum_liability", formula, inputs, amount, "policy.maximum_liability"))
        return amount

    def finish(self, maximum_liability: MaximumLiability | None) -> PremiumAccount:
        """All figures, in the order in which they follow from each other."""
        estimated = self.estimated()
        minimum = self.minimum(estimated)
        instalment = self.instalment(minimum)
        advances = self.money(minimum or 0)
        insurable = self.insurable()
        earned = self.earned(self.charged(insurable))
        ratio = self.ratio(earned)
        adjustment = self.adjustment(earned, ratio)
        final = self.final(minimum, earned, adjustment)
        balance = None
        if final is not None:
            balance = self.money(final) - advances
            inputs = (("final_premium", self.money(final)), ("advances_total", advances))
            self.steps.append(Step("balance_due", "premium.balance_due", inputs, balance, "policy.premium"))
        measures = {
            PremiumMeasure.FINAL_PREMIUM: final,
            PremiumMeasure.ESTIMATED_PREMIUM: estimated,
            PremiumMeasure.MINIMUM_PREMIUM: minimum,
        }
        liability = self.liability(maximum_liability, measures)
        return PremiumAccount(
            estimated_premium=self.known(estimated),
            minimum_premium=self.known(minimum),
            advance_per_instalment=instalment,
            advances_total=advances,
            insurable_turnover=None if insurable is None else self.money(insurable),
            earned_premium=self.known(earned),
            loss_ratio=None if ratio is None else _two_decimals(ratio),
            bonus_malus_adjustment=self.money(adjustment),
            final_premium=self.known(final),
            balance_due=balance,
            maximum_liability=liability,
            trace=Trace(tuple(self.steps)),
        )


def _row_for(rows: Sequence[BonusMalusRow], ratio: Fraction) -> BonusMalusRow | None:
    """The first row whose bound the exact loss ratio does not exceed; the last one is open."""
    return next((row for row in rows if row.loss_ratio_up_to is None or ratio <= Fraction(row.loss_ratio_up_to)), None)


def _two_decimals(ratio: Fraction) -> Decimal:
    return Decimal(round_half_up(ratio * 10**RATIO_DECIMALS)).scaleb(-RATIO_DECIMALS)

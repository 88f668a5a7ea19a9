"""How much limit a buyer needs, whether the right amount was asked for, what lies unused, and where capacity is short."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from insureflow.domain.errors import Refusal
from insureflow.domain.limits.benefit import DAYS_IN_YEAR
from insureflow.domain.money import Money, round_half_up
from insureflow.domain.periods import add_months
from insureflow.domain.trace import Step, Trace

#: A month of credit terms, in days, as the seasons of a year are counted.
DAYS_IN_MONTH = 30


class NeedSource(StrEnum):
    """Where the need of a buyer was read from."""

    TURNOVER = "turnover"
    HIGHEST_BALANCE = "highest_balance"


class LimitFit(StrEnum):
    """How what is asked for, or granted, compares with what is needed."""

    UNDER_ASKED = "under_asked"
    FITTING = "fitting"
    OVER_ASKED = "over_asked"


@dataclass(frozen=True, slots=True)
class Need:
    """The limit a buyer needs and where that was read from."""

    amount: Money
    source: NeedSource
    trace: Trace = field(default_factory=Trace, compare=False)


@dataclass(frozen=True, slots=True)
class FitJudgement:
    """Whether the right amount was asked for; ``difference`` is asked − needed."""

    fit: LimitFit
    difference: Money
    trace: Trace = field(default_factory=Trace, compare=False)


@dataclass(frozen=True, slots=True)
class LimitUse:
    """A limit and the highest use of it: ``highest_use`` over the months looked back; ``granted_on`` when it began."""

    id: str
    limit: Money
    highest_use: Money
    granted_on: date


@dataclass(frozen=True, slots=True)
class UnusedLimit:
    """A limit nobody used; ``fee`` is what keeping it costs in a year, None where the policy says nothing."""

    id: str
    limit: Money
    highest_use: Money
    could_give_back: Money
    fee: Money | None


@dataclass(frozen=True, slots=True)
class CapacityWaterfall:
    """What carries the need, from the insurer to nobody: the four parts make up the need.

    ``blocked`` is insured capacity the own limit does not allow to be used.
    """

    need: Money
    primary: Money
    top_up: Money
    own_risk: Money
    gap: Money
    blocked: Money
    trace: Trace = field(default_factory=Trace, compare=False)


def calculate_need(
    turnover: Money,
    terms_days: int,
    *,
    vat_percentage: Decimal = Decimal(0),
    is_vat_covered: bool = False,
    seasonality: Fraction | Decimal = Fraction(1),
    tolerance_days: int = 0,
    open_orders: Money | None = None,
) -> Need:
    """The limit for a year's turnover (without tax) on terms of payment: the most that is outstanding at one time.

    *Formula:* turnover × (1 + tax, where it is covered) × (terms + tolerance) ÷ 365 × seasonality + open orders. Errors:
    ``need_not_positive`` for negative days or a seasonality below 0.
    """
    if terms_days < 0 or tolerance_days < 0 or seasonality < 0:
        raise Refusal("need_not_positive")
    vat = vat_percentage if is_vat_covered else Decimal(0)
    orders = open_orders or Money.zero(turnover.currency)
    exact = turnover.minor * (1 + Fraction(vat) / 100) * Fraction(terms_days + tolerance_days, DAYS_IN_YEAR) * Fraction(seasonality)
    amount = Money(round_half_up(exact), turnover.currency) + orders
    step = Step(
        name="limit_need",
        formula="need.from_turnover",
        inputs=(
            ("annual_turnover", turnover),
            ("tax_percentage", vat),
            ("terms_days", terms_days),
            ("tolerance_days", tolerance_days),
            ("seasonality", Fraction(seasonality)),
            ("open_orders", orders),
        ),
        result=amount,
        basis="buyer.turnover",
    )
    return Need(amount, NeedSource.TURNOVER, Trace((step,)))


def calculate_seasonality(monthly_turnover: Sequence[int], terms_days: int) -> Fraction:
    """How much more is outstanding at the peak of a year than on average; 1 for an even year or one without turnover.

    *Formula:* highest turnover of as many months in a row as the terms last (the year goes round) ÷ that of average months.
    """
    months = len(monthly_turnover)
    total = sum(monthly_turnover)
    if not months or total <= 0:
        return Fraction(1)
    length = min(months, max(1, -(-terms_days // DAYS_IN_MONTH)))
    round_the_year = [*monthly_turnover, *monthly_turnover]
    highest = max(sum(round_the_year[start : start + length]) for start in range(months))
    return Fraction(highest * months, total * length)


def observed_need(balances: Iterable[tuple[date, int]], currency: str, on: date, *, months: int = 12) -> Need | None:
    """The highest balance of the last months, first and last day included; None where none is known."""
    counted_from = add_months(on, -months)
    known = [(balance, day) for day, balance in balances if counted_from <= day <= on]
    if not known:
        return None
    highest, day = max(known)
    amount = Money(max(0, highest), currency)
    step = Step(
        name="limit_need",
        formula="need.highest_balance",
        inputs=(("counted_from", counted_from), ("highest_balance_on", day)),
        result=amount,
        basis="buyer.balances",
        on=on,
    )
    return Need(amount, NeedSource.HIGHEST_BALANCE, Trace((step,)))


def higher_need(*needs: Need | None) -> Need | None:
    """The highest of several needs, the first on a tie, with the traces of all; None where there is none."""
    known = [need for need in needs if need is not None]
    if not known:
        return None
    highest = max(known, key=lambda need: need.amount.minor)
    return Need(highest.amount, highest.source, Trace(tuple(step for need in known for step in need.trace)))


def judge_fit(asked: Money, need: Money, *, tolerance_percentage: Decimal = Decimal(10)) -> FitJudgement:
    """Whether what is asked for, or granted, fits the need.

    *Formula:* less than the need is too little; more than need × (1 + tolerance) is too much.
    """
    ceiling = need.minor * (1 + Fraction(tolerance_percentage) / 100)
    fit = LimitFit.OVER_ASKED if asked.minor > ceiling else LimitFit.FITTING
    if asked < need:
        fit = LimitFit.UNDER_ASKED
    step = Step(
        name="limit_fit",
        formula="need.fit",
        inputs=(("limit_asked", asked), ("limit_needed", need), ("tolerance_percentage", tolerance_percentage)),
        result=fit,
        basis="organisation.limit_tolerance",
    )
    return FitJudgement(fit, asked - need, Trace((step,)))


def find_unused(
    uses: Iterable[LimitUse], on: date, *, months: int = 12, use_percentage: Decimal = Decimal(0), fee: Money | None = None
) -> tuple[UnusedLimit, ...]:
    """Limits that have been there for so many months and whose highest use was no more than a percentage of them.

    ``fee`` is what the policy charges a year for keeping one limit. The largest come first.
    """
    begun_by = add_months(on, -months)
    found = [
        UnusedLimit(use.id, use.limit, use.highest_use, use.limit - use.highest_use, fee)
        for use in uses
        if use.limit.minor > 0 and use.granted_on <= begun_by and use.highest_use.minor * 100 <= use.limit.minor * Fraction(use_percentage)
    ]
    return tuple(sorted(found, key=lambda unused: (-unused.could_give_back.minor, unused.id)))


def calculate_waterfall(need: Money, *, primary: Money, top_up: Money, own_limit: Money | None = None) -> CapacityWaterfall:
    """What carries the need: the insurer's limit first, then the top-up, then the own risk up to the own limit; the rest is the gap.

    *Formula:* allowed = smaller of need and own limit (without an own limit: of need and what is insured); primary, top-up and
    own risk share it in this order; gap = need − allowed.
    """
    zero = Money.zero(need.currency)
    insured = primary + top_up
    allowed = min(need, insured if own_limit is None else own_limit, key=_minor)
    from_primary = min(allowed, primary, key=_minor)
    from_top_up = min(allowed - from_primary, top_up, key=_minor)
    own_risk = allowed - from_primary - from_top_up
    gap = need - allowed
    blocked = max(zero, min(need, insured, key=_minor) - allowed, key=_minor)
    steps = (
        Step(
            name="capacity_primary",
            formula="need.layer",
            inputs=(("limit_needed", need), ("insurer_limit", primary)),
            result=from_primary,
            basis="limit.primary",
        ),
        Step(
            name="capacity_top_up",
            formula="need.layer",
            inputs=(("top_up", top_up),),
            result=from_top_up,
            basis="limit.top_up",
        ),
        Step(
            name="capacity_own_risk",
            formula="need.own_risk",
            inputs=(("own_limit", own_limit),),
            result=own_risk,
            basis="buyer.own_limit",
        ),
        Step(
            name="capacity_gap",
            formula="need.gap",
            inputs=(("limit_needed", need), ("capacity_blocked", blocked)),
            result=gap,
            basis="buyer.own_limit",
        ),
    )
    return CapacityWaterfall(need, from_primary, from_top_up, own_risk, gap, blocked, Trace(steps))


def _minor(money: Money) -> int:
    return money.minor

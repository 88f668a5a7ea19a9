"""What a higher limit is worth: the turnover and gross profit it makes room for."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from insureflow.domain.errors import Refusal
from insureflow.domain.money import Money, round_half_up
from insureflow.domain.trace import Step, Trace

DAYS_IN_YEAR = 365


@dataclass(frozen=True, slots=True)
class LimitBenefit:
    """What the insurer's limit allows beyond the own one, per year."""

    extra_limit: Money
    extra_annual_turnover: Money
    extra_annual_gross_profit: Money
    trace: Trace = field(default_factory=Trace, compare=False)


def calculate_limit_benefit(
    own_limit: Money,
    insurer_limit: Money,
    *,
    gross_margin_percentage: Decimal,
    days_sales_outstanding: Decimal | int,
    days_in_year: Decimal | int = DAYS_IN_YEAR,
) -> LimitBenefit:
    """What the insurer's limit is worth where it is higher than the own one.

    *Formula:* extra limit = max(0, insurer's − own); turnover = extra limit × days in the year ÷ days sales outstanding;
    gross profit = exact turnover × margin. Errors: ``days_sales_outstanding_zero``, ``currencies_differ``.
    """
    if days_sales_outstanding <= 0:
        raise Refusal("days_sales_outstanding_zero")
    currency = own_limit.currency
    extra = max(Money.zero(currency), insurer_limit - own_limit, key=lambda money: money.minor)
    exact_turnover = extra.minor * Fraction(days_in_year) / Fraction(days_sales_outstanding)
    turnover = Money(round_half_up(exact_turnover), currency)
    profit = Money(round_half_up(exact_turnover * Fraction(gross_margin_percentage) / 100), currency)
    days = (("days_in_year", Decimal(days_in_year)), ("days_sales_outstanding", Decimal(days_sales_outstanding)))
    steps = (
        Step(
            name="extra_limit",
            formula="benefit.extra_limit",
            inputs=(("insurer_limit", insurer_limit), ("own_limit", own_limit)),
            result=extra,
            basis="limit.decision",
        ),
        Step(
            name="extra_annual_turnover",
            formula="benefit.extra_annual_turnover",
            inputs=(("extra_limit", extra), *days),
            result=turnover,
            basis="buyer.payment_behaviour",
        ),
        Step(
            name="extra_annual_gross_profit",
            formula="benefit.extra_annual_gross_profit",
            inputs=(("extra_annual_turnover", turnover), ("gross_margin_percentage", gross_margin_percentage)),
            result=profit,
            basis="buyer.gross_margin",
        ),
    )
    return LimitBenefit(extra, turnover, profit, Trace(steps))

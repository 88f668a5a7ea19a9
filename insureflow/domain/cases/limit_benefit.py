"""Worked examples of the kind ``limit_benefit``: what a higher limit is worth."""

from __future__ import annotations

from collections.abc import Mapping

from insureflow.domain.cases.shapes import AMOUNT, ANYTHING, Fields
from insureflow.domain.limits.benefit import DAYS_IN_YEAR, calculate_limit_benefit
from insureflow.domain.money import Money
from insureflow.domain.policies.reading import Reader

GIVEN = Fields(
    {
        "currency": ANYTHING,
        "own_limit": ANYTHING,
        "insurer_limit": ANYTHING,
        "gross_margin_percentage": ANYTHING,
        "days_sales_outstanding": ANYTHING,
        "days_in_year": ANYTHING,
    },
    ("own_limit", "insurer_limit", "gross_margin_percentage", "days_sales_outstanding"),
)

EXPECT = Fields({"extra_limit": AMOUNT, "extra_annual_turnover": AMOUNT, "extra_annual_gross_profit": AMOUNT})


def calculate(given: Mapping[str, object], expect: Mapping[str, object]) -> Mapping[str, object]:  # noqa: ARG001  every kind is called alike
    """The benefit of a higher limit. Errors: ``InvalidValues``; ``days_sales_outstanding_zero``."""
    reader = Reader(given, "given")
    currency = reader.currency = reader.money_code("currency") or "EUR"
    own, insurer = reader.amount("own_limit", required=True), reader.amount("insurer_limit", required=True)
    margin = reader.number("gross_margin_percentage", required=True)
    days = reader.number("days_sales_outstanding", required=True)
    days_in_year = reader.number("days_in_year")
    reader.finish()
    reader.raise_problems()
    assert own is not None and insurer is not None and margin is not None and days is not None  # noqa: PT018  what is missing was a problem
    benefit = calculate_limit_benefit(
        Money(own, currency),
        Money(insurer, currency),
        gross_margin_percentage=margin,
        days_sales_outstanding=days,
        days_in_year=DAYS_IN_YEAR if days_in_year is None else days_in_year,
    )
    return {
        "extra_limit": benefit.extra_limit.amount,
        "extra_annual_turnover": benefit.extra_annual_turnover.amount,
        "extra_annual_gross_profit": benefit.extra_annual_gross_profit.amount,
    }

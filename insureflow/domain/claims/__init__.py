"""Claims before they are made: what a policy would pay for overdue accounts, and when."""

from __future__ import annotations

from insureflow.domain.claims.forecast import (
    AccountAtRisk,
    CashMonth,
    ExpectedDates,
    Forecast,
    cash_calendar,
    expect_dates,
    forecast_year,
)

__all__ = ["AccountAtRisk", "CashMonth", "ExpectedDates", "Forecast", "cash_calendar", "expect_dates", "forecast_year"]

"""Claims read: the forecast of what policies would pay for overdue accounts."""

from __future__ import annotations

from insureflow.queries.claims.accounts import OverdueAccount, overdue_accounts
from insureflow.queries.claims.forecast import ClaimsForecast, cash_expected, forecast_claims
from insureflow.queries.claims.using import year_use

__all__ = ["ClaimsForecast", "OverdueAccount", "cash_expected", "forecast_claims", "overdue_accounts", "year_use"]

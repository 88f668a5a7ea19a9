"""Accounts of a few events for tests of cover: days are numbered from the first of January 2025, amounts are small."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from insureflow.domain.cover import (
    Account,
    Invoice,
    LimitDecision,
)
from insureflow.domain.policies import (
    DatedTerms,
    PolicyTerms,
)

D = date(2025, 1, 1)


def day(number: int) -> date:
    return D + timedelta(days=number)


def invoice(name: str, shipped: int, net: int, *, due: int = 30, vat: int = 0, currency: str = "EUR", rate: Any = 1) -> Invoice:
    return Invoice(name, day(shipped), day(shipped), day(shipped + due), currency, rate, net, vat)


def account(terms: PolicyTerms | None = None, **changes: Any) -> Account:
    return Account((DatedTerms(date.min, terms or PolicyTerms(currency="EUR", limit_currency="EUR")),), "EUR", **changes)


def limit(number: int, amount: int, **changes: Any) -> LimitDecision:
    return LimitDecision(day(number), amount, "EUR", **changes)

"""Receivables: invoices with what is covered of them, payments, disputes."""

from __future__ import annotations

from insureflow.web.receivables import disputes, invoices, payments
from insureflow.web.receivables.routes import blueprint

__all__ = ["blueprint", "disputes", "invoices", "payments"]

"""Receivables read: invoices with their cover, payments, disputes, and everything about one invoice."""

from __future__ import annotations

from insureflow.queries.receivables.invoice import (
    DisputeEntry,
    InvoiceView,
    Movement,
    find_invoice,
    list_buyers_with_invoices,
    list_countries,
    list_positions,
)
from insureflow.queries.receivables.listings import STATES, InvoiceState, disputes_listing, invoices_listing, payments_listing

__all__ = [
    "STATES",
    "DisputeEntry",
    "InvoiceState",
    "InvoiceView",
    "Movement",
    "disputes_listing",
    "find_invoice",
    "invoices_listing",
    "list_buyers_with_invoices",
    "list_countries",
    "list_positions",
    "payments_listing",
]

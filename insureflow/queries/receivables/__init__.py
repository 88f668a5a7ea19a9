"""Receivables read: invoices with their cover, payments, disputes, and everything about one invoice."""

from __future__ import annotations

from insureflow.queries.receivables.invoice import (
    DisputeEntry,
    InvoiceCounts,
    InvoiceView,
    Movement,
    count_disputes,
    count_invoices,
    find_dispute,
    find_invoice,
    list_countries,
    list_currencies,
    list_imports,
    list_positions,
    name_buyers,
)
from insureflow.queries.receivables.invoices import InvoiceState, invoices_listing
from insureflow.queries.receivables.listings import DisputeState, disputes_listing, payments_listing

__all__ = [
    "DisputeEntry",
    "DisputeState",
    "InvoiceCounts",
    "InvoiceState",
    "InvoiceView",
    "Movement",
    "count_disputes",
    "count_invoices",
    "disputes_listing",
    "find_dispute",
    "find_invoice",
    "invoices_listing",
    "list_countries",
    "list_currencies",
    "list_imports",
    "list_positions",
    "name_buyers",
    "payments_listing",
]

"""SQLAlchemy tables: data and integrity, no rules of the trade."""

from __future__ import annotations

from insureflow.models import (
    bank_statements,
    buyers,
    connections,
    cover,
    jobs,
    journal,
    limit_requests,
    limits,
    organisations,
    policies,
    rates,
    receivables,
    shipments,
    tokens,
    work_items,
)

__all__ = [
    "bank_statements",
    "buyers",
    "connections",
    "cover",
    "jobs",
    "journal",
    "limit_requests",
    "limits",
    "organisations",
    "policies",
    "rates",
    "receivables",
    "shipments",
    "tokens",
    "work_items",
]

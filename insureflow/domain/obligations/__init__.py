"""Obligations under a policy: deadlines of unpaid invoices and the duties that follow from them.

``calculate_deadlines`` gives the dates, ``calculate_obligations`` and ``calculate_policy_obligations`` the duties calendar.
"""

from __future__ import annotations

from insureflow.domain.obligations.deadlines import (
    NO_FACTS,
    Deadlines,
    Facts,
    InvoiceDeadlines,
    UnpaidInvoice,
    calculate_deadlines,
    calculate_invoice_deadlines,
    calculate_maximum_extension_end,
    find_oldest,
    latest_due_on,
)
from insureflow.domain.obligations.duties import (
    TEMPORARY_LIMIT_RENEWAL_DAYS,
    DiscretionaryEvidence,
    LimitInForce,
    Obligation,
    ObligationKind,
    ObligationStatus,
    OpenItem,
    calculate_obligations,
    calculate_policy_obligations,
    find_stopping_invoices,
    status_on,
)
from insureflow.domain.obligations.ends import End, find_end

__all__ = [
    "NO_FACTS",
    "TEMPORARY_LIMIT_RENEWAL_DAYS",
    "Deadlines",
    "DiscretionaryEvidence",
    "End",
    "Facts",
    "InvoiceDeadlines",
    "LimitInForce",
    "Obligation",
    "ObligationKind",
    "ObligationStatus",
    "OpenItem",
    "UnpaidInvoice",
    "calculate_deadlines",
    "calculate_invoice_deadlines",
    "calculate_maximum_extension_end",
    "calculate_obligations",
    "calculate_policy_obligations",
    "find_end",
    "find_oldest",
    "find_stopping_invoices",
    "latest_due_on",
    "status_on",
]

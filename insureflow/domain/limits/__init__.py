"""Credit limits: their history, how one stands on a day, and the acts that shape an account."""

from __future__ import annotations

from insureflow.domain.limits.history import (
    ABOUT_INVOICES,
    DECIDED,
    KIND_IN_TERMS,
    WITH_LIMIT,
    AccountActKind,
    AccountMark,
    LimitKind,
    LimitRecord,
    LimitSituation,
    LimitState,
    LimitStatus,
    check_decision,
    in_order,
    situation_on,
    state_of,
    status_of_decision,
)

__all__ = [
    "ABOUT_INVOICES",
    "DECIDED",
    "KIND_IN_TERMS",
    "WITH_LIMIT",
    "AccountActKind",
    "AccountMark",
    "LimitKind",
    "LimitRecord",
    "LimitSituation",
    "LimitState",
    "LimitStatus",
    "check_decision",
    "in_order",
    "situation_on",
    "state_of",
    "status_of_decision",
]

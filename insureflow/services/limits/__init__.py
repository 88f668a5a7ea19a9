"""Credit limits: decisions, requests, withdrawals and the acts that shape cover; files of limits."""

from __future__ import annotations

from insureflow.services.limits.acts import NewAct, record_act, remove_act
from insureflow.services.limits.decisions import (
    NewDecision,
    NewRequest,
    NewWithdrawal,
    record_decision,
    record_request,
    remove_decision,
    withdraw,
)
from insureflow.services.limits.importing import ImportedLimits, import_limits

__all__ = [
    "ImportedLimits",
    "NewAct",
    "NewDecision",
    "NewRequest",
    "NewWithdrawal",
    "import_limits",
    "record_act",
    "record_decision",
    "record_request",
    "remove_act",
    "remove_decision",
    "withdraw",
]

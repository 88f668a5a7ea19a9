"""Cover: which receivables are covered, how far, by which layer and why not, as of any day.

One buyer's account is replayed from everything that happened on it. ``replay`` gives a ``History`` of spans of days;
``explain`` gives the steps behind one invoice's figures.
"""

from __future__ import annotations

from insureflow.domain.cover.cases import parse_account, run_cover_case
from insureflow.domain.cover.events import (
    BuyerGrade,
    Consent,
    CreditNote,
    DateOfLoss,
    Dispute,
    DisputeResolved,
    Event,
    Extension,
    Invoice,
    Layer,
    LimitDecision,
    LimitWithdrawal,
    OverdueNotification,
    Payment,
    Purpose,
    Rate,
    Reason,
    Reasons,
    StopCover,
    StopCoverLifted,
    TemporaryLimit,
)
from insureflow.domain.cover.explaining import explain
from insureflow.domain.cover.history import AccountSegment, AccountState, History, InvoiceSegment
from insureflow.domain.cover.replay import replay
from insureflow.domain.cover.versions import Account

__all__ = [
    "Account",
    "AccountSegment",
    "AccountState",
    "BuyerGrade",
    "Consent",
    "CreditNote",
    "DateOfLoss",
    "Dispute",
    "DisputeResolved",
    "Event",
    "Extension",
    "History",
    "Invoice",
    "InvoiceSegment",
    "Layer",
    "LimitDecision",
    "LimitWithdrawal",
    "OverdueNotification",
    "Payment",
    "Purpose",
    "Rate",
    "Reason",
    "Reasons",
    "StopCover",
    "StopCoverLifted",
    "TemporaryLimit",
    "explain",
    "parse_account",
    "replay",
    "run_cover_case",
]

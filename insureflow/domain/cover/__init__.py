"""Cover: which receivables are covered, how far, by which layer and why not, as of any day.

One buyer's account is replayed from everything that happened on it. ``replay`` gives a ``History`` of spans of days;
``explain`` gives the steps behind one invoice's figures. ``replay_together`` does so for buyers that share one limit.
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
    ExtensionWithdrawn,
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
    SharedUse,
    StopCover,
    StopCoverLifted,
    TemporaryLimit,
)
from insureflow.domain.cover.explaining import explain
from insureflow.domain.cover.history import AccountSegment, AccountState, History, InvoiceSegment
from insureflow.domain.cover.replay import replay
from insureflow.domain.cover.together import SharedLimit, Sharer, SharingPeriod, replay_together, shared_use_of
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
    "ExtensionWithdrawn",
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
    "SharedLimit",
    "SharedUse",
    "Sharer",
    "SharingPeriod",
    "StopCover",
    "StopCoverLifted",
    "TemporaryLimit",
    "explain",
    "parse_account",
    "replay",
    "replay_together",
    "run_cover_case",
    "shared_use_of",
]

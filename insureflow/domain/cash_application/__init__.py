"""Cash application: which open invoices an incoming payment is meant for, with how much confidence, and why.

What is decided here is what the payer meant, and so what the ledger settles. What the policy makes of the payment (most allocate
it to the oldest debt, whatever the payer meant) is decided by ``domain.cover`` alone.
"""

from __future__ import annotations

from insureflow.domain.cash_application.book import OpenBook
from insureflow.domain.cash_application.matching import match_payment
from insureflow.domain.cash_application.names import KnownBuyer
from insureflow.domain.cash_application.references import mentions_prepayment, number_keys, reference_keys, text_keys
from insureflow.domain.cash_application.reversals import find_reversed
from insureflow.domain.cash_application.values import (
    Confidence,
    DecisionKind,
    Deduction,
    EntryState,
    IncomingPayment,
    MatchReason,
    MatchResult,
    OpenItem,
    Proposal,
    Share,
    Tolerance,
    state_of,
)

__all__ = [
    "Confidence",
    "DecisionKind",
    "Deduction",
    "EntryState",
    "IncomingPayment",
    "KnownBuyer",
    "MatchReason",
    "MatchResult",
    "OpenBook",
    "OpenItem",
    "Proposal",
    "Share",
    "Tolerance",
    "find_reversed",
    "match_payment",
    "mentions_prepayment",
    "number_keys",
    "reference_keys",
    "state_of",
    "text_keys",
]

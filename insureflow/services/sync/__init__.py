"""Our picture of limits brought to the insurer's, compared with it, and differences settled by people."""

from __future__ import annotations

from insureflow.services.sync.applying import ACTOR, Applied, Books, apply_covers
from insureflow.services.sync.reconciling import reconcile
from insureflow.services.sync.running import SyncResult, due_connections, failures_in_a_row, is_due, synchronise
from insureflow.services.sync.settling import accept_theirs, keep_ours

__all__ = [
    "ACTOR",
    "Applied",
    "Books",
    "SyncResult",
    "accept_theirs",
    "apply_covers",
    "due_connections",
    "failures_in_a_row",
    "is_due",
    "keep_ours",
    "reconcile",
    "synchronise",
]

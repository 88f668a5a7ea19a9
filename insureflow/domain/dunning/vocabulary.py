"""The words of dunning."""

from __future__ import annotations

from enum import StrEnum


class DunningLevel(StrEnum):
    """How firmly a letter speaks, in this order."""

    BEFORE_DUE = "before_due"
    REMINDER_1 = "reminder_1"
    REMINDER_2 = "reminder_2"
    REMINDER_3 = "reminder_3"
    FINAL_DEMAND = "final_demand"


class LetterState(StrEnum):
    """How a dunning letter stands."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    SENT = "sent"
    SKIPPED = "skipped"
    FAILED = "failed"


class LetterChannel(StrEnum):
    """How a letter reaches the buyer."""

    EMAIL = "email"
    POST = "post"


class ContactKind(StrEnum):
    """What was exchanged with a buyer beside letters."""

    CALL = "call"
    VISIT = "visit"
    EMAIL = "email"
    NOTE = "note"


class PromiseState(StrEnum):
    """How a promise to pay stands on a day; worked out from the money received, never stored."""

    OPEN = "open"
    KEPT = "kept"
    KEPT_LATE = "kept_late"
    BROKEN = "broken"
    CANCELLED = "cancelled"

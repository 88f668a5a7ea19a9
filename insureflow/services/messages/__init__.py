"""E-mail that leaves the house: queued with what made it, sent after the commit, never twice by itself, and what came back of it."""

from __future__ import annotations

from insureflow.services.messages.bouncing import BounceOutcome, record_bounce
from insureflow.services.messages.delivering import Delivered, check_connection, deliver_due, is_mail_configured, write_message
from insureflow.services.messages.hooks import ANY_KIND, StateHook, on_state
from insureflow.services.messages.queueing import (
    LONGEST_BODY,
    LONGEST_SUBJECT,
    cancel,
    confirm_arrival,
    get_message,
    queue,
    repeat,
    state_of,
)

__all__ = [
    "ANY_KIND",
    "LONGEST_BODY",
    "LONGEST_SUBJECT",
    "BounceOutcome",
    "Delivered",
    "StateHook",
    "cancel",
    "check_connection",
    "confirm_arrival",
    "deliver_due",
    "get_message",
    "is_mail_configured",
    "on_state",
    "queue",
    "record_bounce",
    "repeat",
    "state_of",
    "write_message",
]

"""Work for people: what kinds of it there are, and how a piece of it stands."""

from __future__ import annotations

from datetime import date
from enum import StrEnum


class WorkKind(StrEnum):
    """What somebody should do. Each has a sentence under ``work.<kind>`` that its facts fill."""

    LIMIT_CUT = "limit_cut"
    CUT_ACTION = "cut_action"
    REPORT_BINDING_ORDERS = "report_binding_orders"
    APPROVE_REQUEST = "approve_request"
    SEND_REQUEST = "send_request"
    RENEW_EVIDENCE = "renew_evidence"
    SETTLE_DIFFERENCE = "settle_difference"
    CONNECTION_STOPPED = "connection_stopped"
    CONNECTION_STALE = "connection_stale"
    MATCH_COMPANY = "match_company"


class WorkState(StrEnum):
    """How a piece of work stands on a day."""

    OPEN = "open"
    LATE = "late"
    DONE = "done"


class WorkOutcome(StrEnum):
    """How a piece of work ended."""

    DONE = "done"
    NOT_NEEDED = "not_needed"


def state_of_work(due_on: date | None, done_on: date | None, on: date) -> WorkState:
    """How a piece of work stands on a day: done once it was done by then, late after its day."""
    if done_on is not None and done_on <= on:
        return WorkState.DONE
    return WorkState.LATE if due_on is not None and due_on < on else WorkState.OPEN

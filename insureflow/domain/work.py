"""Work for people: what kinds of it there are, and how a piece of it stands."""

from __future__ import annotations

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
    PLAN_BROKEN = "plan_broken"


class WorkState(StrEnum):
    """How a piece of work stands on a day."""

    OPEN = "open"
    LATE = "late"
    DONE = "done"


class WorkOutcome(StrEnum):
    """How a piece of work ended."""

    DONE = "done"
    NOT_NEEDED = "not_needed"

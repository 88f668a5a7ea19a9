"""Connections to insurers: what a connector can do, and how messages that leave or enter the house stand."""

from __future__ import annotations

from enum import StrEnum

from insureflow.domain.errors import Refusal


class Operation(StrEnum):
    """One thing an insurer's interface may offer. Entitlement is per policy, so it is discovered, never assumed."""

    FIND_COMPANY = "find_company"
    REQUEST_NEW = "request_new"
    REQUEST_INCREASE = "request_increase"
    REQUEST_REDUCTION = "request_reduction"
    REQUEST_CANCELLATION = "request_cancellation"
    FIND_REQUEST = "find_request"
    POLL_REQUESTS = "poll_requests"
    LIST_COVERS = "list_covers"
    LIST_CHANGES = "list_changes"
    RECEIVE_PUSH = "receive_push"
    READ_GRADE = "read_grade"
    DECLARE_OVERDUE = "declare_overdue"
    DECLARE_TURNOVER = "declare_turnover"
    DECLARE_COLLECTION = "declare_collection"
    FILE_CLAIM = "file_claim"


class Confidence(StrEnum):
    """How sure a connector's shapes are: what they were taken from."""

    OFFICIAL = "official"
    CLIENTS = "clients"
    BEST_EFFORT = "best_effort"
    OWN = "own"


class OutboxState(StrEnum):
    """How a message to an insurer stands. ``UNCERTAIN``: it was sent and no answer came; it is looked for before it is sent again."""

    WAITING = "waiting"
    SENDING = "sending"
    UNCERTAIN = "uncertain"
    SENT = "sent"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"


class OutboxAction(StrEnum):
    """What happens to a message to an insurer."""

    CLAIM = "claim"
    DELIVER = "deliver"
    LOSE_ANSWER = "lose_answer"
    POSTPONE = "postpone"
    FAIL = "fail"
    WITHDRAW = "withdraw"
    RETRY = "retry"


#: (state, action) → state. A message that is being sent when its process dies is uncertain, never waiting.
OUTBOX: dict[tuple[OutboxState, OutboxAction], OutboxState] = {
    (OutboxState.WAITING, OutboxAction.CLAIM): OutboxState.SENDING,
    (OutboxState.UNCERTAIN, OutboxAction.CLAIM): OutboxState.SENDING,
    (OutboxState.SENDING, OutboxAction.DELIVER): OutboxState.SENT,
    (OutboxState.SENDING, OutboxAction.LOSE_ANSWER): OutboxState.UNCERTAIN,
    (OutboxState.SENDING, OutboxAction.POSTPONE): OutboxState.WAITING,
    (OutboxState.SENDING, OutboxAction.FAIL): OutboxState.FAILED,
    (OutboxState.WAITING, OutboxAction.WITHDRAW): OutboxState.WITHDRAWN,
    (OutboxState.FAILED, OutboxAction.WITHDRAW): OutboxState.WITHDRAWN,
    (OutboxState.FAILED, OutboxAction.RETRY): OutboxState.UNCERTAIN,
}


def next_outbox_state(state: OutboxState, action: OutboxAction) -> OutboxState:
    """Where an action leads. Errors: ``Refusal`` ``message_not_possible``."""
    target = OUTBOX.get((state, action))
    if target is None:
        raise Refusal("message_not_possible", state=state.value, action=action.value)
    return target


class InboxState(StrEnum):
    """How a message of an insurer stands."""

    RECEIVED = "received"
    APPLIED = "applied"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"


class SyncState(StrEnum):
    """How a run of a synchronisation stands or ended."""

    RUNNING = "running"
    DONE = "done"
    PARTLY = "partly"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


class DifferenceKind(StrEnum):
    """How our picture of a limit differs from the insurer's."""

    MISSING_HERE = "missing_here"
    MISSING_THERE = "missing_there"
    AMOUNT = "amount"
    CURRENCY = "currency"
    DATES = "dates"
    STATUS = "status"
    MANUAL_KEPT = "manual_kept"
    BUYER_UNKNOWN = "buyer_unknown"
    UNREADABLE = "unreadable"


class Health(StrEnum):
    """How a connection is doing."""

    GOOD = "good"
    LATE = "late"
    STALE = "stale"
    FAILING = "failing"
    NEVER = "never"
    OFF = "off"

"""Connections to insurers: what a connector can do, and how messages that leave or enter the house stand."""

from __future__ import annotations

from datetime import datetime, timedelta
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


#: After this many tries in vain a message waits for a person.
MOST_ATTEMPTS = 12

_FIRST_PAUSE_SECONDS = 30
_LONGEST_PAUSE_SECONDS = 6 * 3600


def back_off_seconds(attempts: int, asked_for: int | None = None) -> int:
    """How long to wait after so many tries in vain: what the insurer asked for, else twice as long each time up to six hours."""
    if asked_for is not None:
        return max(1, min(asked_for, _LONGEST_PAUSE_SECONDS * 4))
    return min(_FIRST_PAUSE_SECONDS << min(max(0, attempts - 1), 20), _LONGEST_PAUSE_SECONDS)


#: Beyond its interval a synchronisation may take this much longer before it counts as late.
LATE_FACTOR = 3

#: A connection whose last runs ended so often in failure is failing, however young its last good one is.
FAILURES_IN_A_ROW = 3


def health_of(
    *,
    is_enabled: bool,
    is_stopped: bool,
    last_good_at: datetime | None,
    connected_at: datetime,
    at: datetime,
    sync_every_minutes: int,
    stale_after_minutes: int,
    failures_in_a_row: int,
) -> Health:
    """How a connection is doing at an instant: a stop or repeated failures first, then the age of its last good synchronisation.

    A connection that never had one is new until it should have had one, and stale afterwards.
    """
    if not is_enabled:
        return Health.OFF
    if is_stopped or failures_in_a_row >= FAILURES_IN_A_ROW:
        return Health.FAILING
    age = at - (last_good_at or connected_at)
    if age > timedelta(minutes=stale_after_minutes):
        return Health.STALE
    if last_good_at is None:
        return Health.NEVER
    return Health.LATE if age > timedelta(minutes=LATE_FACTOR * sync_every_minutes) else Health.GOOD


#: Health in which figures must not be relied on without a look.
WORRYING = frozenset({Health.STALE, Health.FAILING})

"""Requests on their way out: sent after the commit that wrote them, once, whatever dies in between.

A message is claimed, sent outside any unit of work, and its receipt recorded. Where nobody knows whether it arrived, it is looked
for at the insurer before it is sent again, because no insurer promises to notice a repetition.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from insureflow.connectors.insurers.interface import (
    AnswerLost,
    CollectionMessage,
    CollectionTaker,
    Connection,
    ConnectorError,
    InsurerConnector,
    LimitMessage,
    NotSupported,
    Receipt,
    StopSync,
    TryLater,
)
from insureflow.domain.connections import MOST_ATTEMPTS, Operation, OutboxAction, OutboxState, back_off_seconds, next_outbox_state
from insureflow.domain.cover.events import Layer
from insureflow.domain.errors import Refusal
from insureflow.domain.limits import LimitKind
from insureflow.domain.limits.codes import CoverRequestCode
from insureflow.domain.limits.life import PendingAction, RequestState
from insureflow.domain.money import Money
from insureflow.models.connections import InsurerConnection, InsurerCoverVersion, OutboxMessage
from insureflow.models.limit_requests import LimitRequest
from insureflow.models.policies import Policy
from insureflow.services import connections, journal
from insureflow.services.clock import now
from insureflow.services.connections import Reach
from insureflow.services.journal import Actor, Subject
from insureflow.services.limit_requests.submitting import mark_referred
from insureflow.services.sync import ACTOR, Books, apply_covers
from insureflow.services.transaction import transaction

log = structlog.get_logger("insureflow.outbox")

#: A message that has been on its way for so long belongs to a process that is no more.
LEASE_SECONDS = 300

#: After a stop of its connection a message waits this long before anybody looks at it again.
_STOPPED_SECONDS = 900


@dataclass(slots=True)
class Delivered:
    """What a delivery round came to."""

    sent: int = 0
    found: int = 0
    postponed: int = 0
    uncertain: int = 0
    failed: int = 0

    def counts(self) -> dict[str, int]:
        """The same by name."""
        return {"sent": self.sent, "found": self.found, "postponed": self.postponed, "uncertain": self.uncertain, "failed": self.failed}


def message_of(payload: dict[str, Any]) -> LimitMessage:
    """A stored message as the connectors take it."""
    amount = payload.get("amount_minor")
    return LimitMessage(
        own_reference=payload["own_reference"],
        code=CoverRequestCode(payload["code"]),
        company_id=payload["company_id"],
        kind=LimitKind(payload["kind"]),
        layer=Layer(payload["layer"]),
        amount=None if amount is None else Money(int(amount), payload["currency"]),
        asked_on=date.fromisoformat(payload["asked_on"]),
        cover_id=payload.get("cover_id"),
        is_urgent=bool(payload.get("is_urgent")),
        comment=payload.get("comment", ""),
    )


def collection_of(own_reference: str, payload: dict[str, Any]) -> CollectionMessage:
    """A stored word of a payment as the connectors take it."""
    return CollectionMessage(
        own_reference=own_reference,
        client=payload["client"],
        sale=payload["sale"],
        collected_on=date.fromisoformat(payload["collected_on"]),
        amount=Money(int(payload["amount_minor"]), payload["currency"]),
    )


def deliver_due(
    organisation_id: int,
    on: date,
    at: datetime | None = None,
    *,
    connection_id: int | None = None,
    wants_to_stop: Callable[[], bool] = lambda: False,
) -> Delivered:
    """Send what waits, one message after the other; safe to run twice at once and to be killed at any point."""
    result = Delivered()
    moment = at or now()
    _take_back_lost(organisation_id, moment)
    tried: set[int] = set()
    while not wants_to_stop():
        claimed = _claim(organisation_id, moment, connection_id, tried)
        if claimed is None:
            return result
        tried.add(claimed.id)
        _deliver(organisation_id, claimed, on, result)
    return result


def _take_back_lost(organisation_id: int, at: datetime) -> None:
    """Messages whose sender died while they were on their way: nobody knows whether they arrived."""
    with transaction(organisation_id) as session:
        session.execute(
            update(OutboxMessage)
            .where(OutboxMessage.state == OutboxState.SENDING, OutboxMessage.next_attempt_at <= at)
            .values(state=next_outbox_state(OutboxState.SENDING, OutboxAction.LOSE_ANSWER))
        )


@dataclass(frozen=True, slots=True)
class _Claimed:
    id: int
    connection_id: int
    attempts: int
    was_uncertain: bool
    is_surely_absent: bool
    message: LimitMessage | CollectionMessage
    limit_request_id: int | None


def _claim(organisation_id: int, at: datetime, connection_id: int | None, tried: set[int]) -> _Claimed | None:
    """Take the first message that is due; nobody else can take it until its lease is over."""
    with transaction(organisation_id) as session:
        statement = (
            select(OutboxMessage)
            .join(InsurerConnection, InsurerConnection.id == OutboxMessage.connection_id)
            .where(
                OutboxMessage.state.in_([OutboxState.WAITING, OutboxState.UNCERTAIN]),
                OutboxMessage.next_attempt_at <= at,
                InsurerConnection.is_enabled,
                InsurerConnection.stopped_because.is_(None),
            )
            .order_by(OutboxMessage.id)
            .limit(1)
            .with_for_update(skip_locked=True, of=OutboxMessage)
            .execution_options(populate_existing=True)
        )
        if connection_id is not None:
            statement = statement.where(OutboxMessage.connection_id == connection_id)
        if tried:
            statement = statement.where(OutboxMessage.id.not_in(tried))
        row = session.scalar(statement)
        if row is None:
            return None
        was_uncertain = row.state is OutboxState.UNCERTAIN
        row.state = next_outbox_state(row.state, OutboxAction.CLAIM)
        row.attempts += 1
        row.next_attempt_at = now() + timedelta(seconds=LEASE_SECONDS)
        payload = dict(row.payload)
        message: LimitMessage | CollectionMessage
        if row.operation == Operation.DECLARE_COLLECTION.value:
            message = collection_of(row.own_reference, payload)
        else:
            message = message_of(payload | {"cover_id": payload.get("cover_id") or _cover_id(session, row)})
        return _Claimed(
            row.id,
            row.connection_id,
            row.attempts,
            was_uncertain,
            bool(payload.get("surely_absent")),
            message,
            row.limit_request_id,
        )


def _cover_id(session: Session, row: OutboxMessage) -> str | None:
    """The insurer's cover that a change is about, where the decision that stands was not brought by the connection."""
    if row.operation == Operation.REQUEST_NEW.value or row.limit_request_id is None:
        return None
    request = session.get_one(LimitRequest, row.limit_request_id)
    return session.scalar(
        select(InsurerCoverVersion.cover_id)
        .where(
            InsurerCoverVersion.connection_id == row.connection_id,
            InsurerCoverVersion.buyer_id == request.buyer_id,
            InsurerCoverVersion.missing_since.is_(None),
            InsurerCoverVersion.decision_id.is_not(None),
            InsurerCoverVersion.picture["layer"].as_string() == request.layer.value,
            InsurerCoverVersion.picture["kind"].as_string() == request.kind.value,
        )
        .order_by(InsurerCoverVersion.picture["decided_on"].as_string().desc(), InsurerCoverVersion.id.desc())
        .limit(1)
    )


def _deliver(organisation_id: int, claimed: _Claimed, on: date, result: Delivered) -> None:
    try:
        found = connections.reach(organisation_id, claimed.connection_id)
    except StopSync as stop:
        _postpone(organisation_id, claimed, stop, result, is_sent=claimed.was_uncertain)
        return
    except Refusal:  # switched off or stopped since it was claimed
        _postpone(
            organisation_id,
            claimed,
            StopSync("connection_stopped", connection=str(claimed.connection_id)),
            result,
            is_sent=claimed.was_uncertain,
        )
        return
    try:
        receipt, was_found = _send(found.connector, found.connection, claimed)
    except AnswerLost as lost:
        found.recorder.flush()
        _postpone(organisation_id, claimed, lost, result, is_sent=True)
    except (TryLater, StopSync) as problem:
        found.recorder.flush()
        if isinstance(problem, StopSync):
            connections.stop_connection(organisation_id, claimed.connection_id, problem)
        _postpone(organisation_id, claimed, problem, result, is_sent=claimed.was_uncertain)
    except ConnectorError as refused:
        found.recorder.flush()
        _fail(organisation_id, claimed, refused, result)
    else:
        found.recorder.flush()
        _record(found, claimed, receipt, on)
        result.sent += 1
        result.found += was_found


def _send(connector: InsurerConnector, connection: Connection, claimed: _Claimed) -> tuple[Receipt, bool]:
    """The receipt of a message, and whether it was found rather than sent. Looks before it repeats.

    Word of a payment cannot be looked for: where it may have arrived, a person looks.
    """
    if isinstance(claimed.message, CollectionMessage):
        if not isinstance(connector, CollectionTaker):
            raise NotSupported(connector.name, Operation.DECLARE_COLLECTION)
        if claimed.was_uncertain and not claimed.is_surely_absent:
            raise ConnectorError("cannot_look_before_retry", connector=connector.key)
        return connector.declare_collection(connection, claimed.message), False
    if claimed.was_uncertain and not claimed.is_surely_absent:
        try:
            receipt = connector.find_request(connection, claimed.message)
        except NotSupported as blind:
            raise ConnectorError("cannot_look_before_retry", connector=connector.key) from blind
        if receipt is not None:
            return receipt, True
    return connector.submit(connection, claimed.message), False


def _postpone(organisation_id: int, claimed: _Claimed, error: ConnectorError, result: Delivered, *, is_sent: bool) -> None:
    """Try again later. Whatever may have arrived stays uncertain; after many tries a person has to look."""
    if claimed.attempts >= MOST_ATTEMPTS and not isinstance(error, StopSync):
        _fail(organisation_id, claimed, error, result)
        return
    asked = error.retry_after_seconds if isinstance(error, TryLater) else _STOPPED_SECONDS if isinstance(error, StopSync) else None
    action = OutboxAction.LOSE_ANSWER if is_sent else OutboxAction.POSTPONE
    pause = timedelta(seconds=back_off_seconds(claimed.attempts, asked))
    with transaction(organisation_id) as session:
        session.execute(
            update(OutboxMessage)
            .where(OutboxMessage.id == claimed.id, OutboxMessage.state == OutboxState.SENDING)
            .values(
                state=next_outbox_state(OutboxState.SENDING, action),
                next_attempt_at=now() + pause,
                last_error=connections.error_data(error),
                attempts=claimed.attempts - isinstance(error, StopSync),
            )
        )
    if is_sent:
        result.uncertain += 1
    else:
        result.postponed += 1


def _fail(organisation_id: int, claimed: _Claimed, error: ConnectorError, result: Delivered) -> None:
    """A person has to act: the insurer refused the message, or too many tries were in vain."""
    with transaction(organisation_id) as session:
        row = _get(session, claimed.id)
        if row.state is not OutboxState.SENDING:
            return
        row.state = next_outbox_state(row.state, OutboxAction.FAIL)
        row.last_error = connections.error_data(error)
        if row.limit_request_id is not None:
            request = session.get_one(LimitRequest, row.limit_request_id)
            if request.state is RequestState.SUBMITTED:
                request.pending_action = PendingAction.SENDING_FAILED
        session.flush()
        journal.record(session, ACTOR, "message.failed", _subject(row), after={"error": row.last_error, "attempts": row.attempts})
    result.failed += 1


def _get(session: Session, message_id: int) -> OutboxMessage:
    row = session.scalar(
        select(OutboxMessage).where(OutboxMessage.id == message_id).with_for_update().execution_options(populate_existing=True)
    )
    if row is None:
        raise Refusal("message_unknown", message=str(message_id))
    return row


def _subject(row: OutboxMessage) -> Subject:
    return Subject("message", row.id, row.own_reference)


def _record(found: Reach, claimed: _Claimed, receipt: Receipt, on: date) -> None:
    """Note that a message has arrived, with what the insurer answered at once. A second record of the same changes nothing."""
    with transaction(found.organisation_id) as session:
        connection = connections.get_connection(session, found.connection_id, lock=True)
        row = _get(session, claimed.id)
        if row.state is OutboxState.SENT:
            return
        row.state = OutboxState.SENT  # whatever another process thought meanwhile: here is the proof
        row.sent_at = now()
        row.insurer_reference = receipt.reference[:80]
        row.last_error = None
        if row.limit_request_id is not None:
            request = session.get_one(LimitRequest, row.limit_request_id)
            request.insurer_reference = receipt.reference[:80]
            if request.pending_action in (PendingAction.WAITING_TO_BE_SENT, PendingAction.SENDING_FAILED):
                request.pending_action = None
            if request.state is RequestState.SUBMITTED and receipt.cover is None:
                mark_referred(session, request, insurer_reference=receipt.reference[:80])
        session.flush()
        journal.record(
            session, ACTOR, "message.sent", _subject(row), after={"insurer_reference": row.insurer_reference, "attempts": row.attempts}
        )
        if receipt.cover is not None:
            policy = session.get_one(Policy, connection.policy_id)
            apply_covers(session, Books(session, connection.id, policy, connection.connector), [receipt.cover], on)


def retry(actor: Actor, organisation_id: int, message_id: int, *, is_surely_absent: bool = False) -> OutboxMessage:
    """Try a message that failed again; it is looked for first, unless a person has made sure that the insurer does not have it.

    Errors: ``Refusal`` ``message_unknown``, ``message_not_possible``.
    """
    with transaction(organisation_id) as session:
        row = _get(session, message_id)
        row.state = next_outbox_state(row.state, OutboxAction.RETRY)
        row.attempts, row.next_attempt_at = 0, now()
        if is_surely_absent:
            row.payload = {**row.payload, "surely_absent": True}
        session.flush()
        journal.record(session, actor, "message.retried", _subject(row), after={"is_surely_absent": is_surely_absent})
        return row


def withdraw_message(actor: Actor, organisation_id: int, message_id: int) -> OutboxMessage:
    """Do not send a message that waits or failed. Errors: ``Refusal`` ``message_unknown``, ``message_not_possible``."""
    with transaction(organisation_id) as session:
        row = _get(session, message_id)
        row.state = next_outbox_state(row.state, OutboxAction.WITHDRAW)
        session.flush()
        journal.record(session, actor, "message.withdrawn", _subject(row))
        return row


def backlog(session: Session, connection_id: int) -> dict[OutboxState, int]:
    """How many messages of a connection stand how."""
    rows = session.execute(
        select(OutboxMessage.state, func.count(OutboxMessage.id))
        .where(OutboxMessage.connection_id == connection_id)
        .group_by(OutboxMessage.state)
    )
    return {row[0]: int(row[1]) for row in rows}

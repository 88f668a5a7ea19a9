"""Messages that insurers send of their own accord: kept as they come, applied once, and never believed.

A push only says where to look. What is applied is what the insurer answers when it is asked, so neither the order of pushes nor a
forged one can change a limit.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import structlog
from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from insureflow.connectors.insurers.interface import ConnectorError, InsurerCover, ItemFailed, Push, RequestsFailed, StopSync
from insureflow.domain.connections import InboxState
from insureflow.domain.errors import Refusal
from insureflow.models.connections import InboxMessage, InsurerConnection, SyncRun
from insureflow.models.organisations import Organisation
from insureflow.models.policies import Policy
from insureflow.services import connections
from insureflow.services.clock import now
from insureflow.services.connections import Reach
from insureflow.services.sync import Books, apply_covers
from insureflow.services.transaction import transaction

log = structlog.get_logger("insureflow.inbox")

#: A push is a note, not a document.
LARGEST_BODY_BYTES = 256 * 1024

_HEADERS_KEPT = frozenset({"content-type", "x-request-id", "x-correlation-id", "x-event-id", "x-delivery-id", "date", "user-agent"})
_POLL_CHUNK = 100


@dataclass(frozen=True, slots=True)
class Received:
    """What became of a push at the door."""

    state: InboxState
    message_id: int | None


def receive(slug: str, push_key: str, headers: Mapping[str, str], body: bytes) -> Received:
    """Keep a push. Errors: ``Refusal`` ``push_unknown`` for a wrong address, ``push_too_large``, ``push_unreadable``.

    The key is compared in constant time with that of every connection of the organisation.
    """
    if len(body) > LARGEST_BODY_BYTES:
        raise Refusal("push_too_large", bytes=len(body), most=LARGEST_BODY_BYTES)
    with transaction() as session:
        organisation_id = session.scalar(select(Organisation.id).where(Organisation.slug == slug))
    if organisation_id is None:
        hmac.compare_digest(push_key.encode(), hashlib.sha256(slug.encode()).hexdigest().encode())  # takes as long as for a known one
        raise Refusal("push_unknown")
    connection_id = _find_connection(organisation_id, push_key)
    if connection_id is None:
        raise Refusal("push_unknown")
    found = connections.reach(organisation_id, connection_id, even_if_stopped=True)
    try:
        push = found.connector.read_push(found.connection, headers, body)
    except ConnectorError as unreadable:
        raise Refusal("push_unreadable") from unreadable
    with transaction(organisation_id) as session:
        return _keep(session, organisation_id, connection_id, push, headers, body)


def _find_connection(organisation_id: int, push_key: str) -> int | None:
    given = push_key.encode()
    match = None
    with transaction(organisation_id) as session:
        rows = session.execute(
            select(InsurerConnection.id, InsurerConnection.push_key).where(
                InsurerConnection.push_key.is_not(None), InsurerConnection.is_enabled
            )
        )
        for row in rows:  # every key is compared, so that time tells nothing
            if hmac.compare_digest((row.push_key or "").encode(), given):
                match = row.id
    return match


def _keep(session: Session, organisation_id: int, connection_id: int, push: Push, headers: Mapping[str, str], body: bytes) -> Received:
    delivery = push.delivery if len(push.delivery) <= 80 else hashlib.sha256(push.delivery.encode()).hexdigest()
    make = postgresql.insert if session.connection().dialect.name == "postgresql" else sqlite.insert
    row: dict[str, Any] = {
        "organisation_id": organisation_id,
        "connection_id": connection_id,
        "delivery": delivery,
        "received_at": now(),
        "headers": {name.lower(): value[:300] for name, value in headers.items() if name.lower() in _HEADERS_KEPT},
        "body": body,
        "state": InboxState.RECEIVED,
        "repeated": 0,
    }
    statement = make(InboxMessage).values(**row).on_conflict_do_nothing(index_elements=["organisation_id", "connection_id", "delivery"])
    key = session.scalar(statement.returning(InboxMessage.id))
    if key is not None:
        return Received(InboxState.RECEIVED, int(key))
    session.execute(
        update(InboxMessage)
        .where(InboxMessage.connection_id == connection_id, InboxMessage.delivery == delivery)
        .values(repeated=InboxMessage.repeated + 1)
    )
    return Received(InboxState.DUPLICATE, None)


def process_due(organisation_id: int, on: date, *, connection_id: int | None = None) -> dict[str, int]:
    """Look at what pushes point to and apply it; each push once. What cannot be done now waits for the next round."""
    counts = {"applied": 0, "rejected": 0, "waiting": 0}
    with transaction(organisation_id) as session:
        statement = select(InboxMessage.connection_id).where(InboxMessage.state == InboxState.RECEIVED).distinct()
        if connection_id is not None:
            statement = statement.where(InboxMessage.connection_id == connection_id)
        waiting = session.scalars(statement.order_by(InboxMessage.connection_id)).all()
    for each in waiting:
        for name, number in _process(organisation_id, each, on).items():
            counts[name] += number
    return counts


def _process(organisation_id: int, connection_id: int, on: date) -> dict[str, int]:
    counts = {"applied": 0, "rejected": 0, "waiting": 0}
    with transaction(organisation_id) as session:
        rows = session.execute(
            select(InboxMessage.id, InboxMessage.headers, InboxMessage.body)
            .where(InboxMessage.connection_id == connection_id, InboxMessage.state == InboxState.RECEIVED)
            .order_by(InboxMessage.id)
            .limit(_POLL_CHUNK)
        ).all()
    try:
        found = connections.reach(organisation_id, connection_id)
    except (Refusal, StopSync):
        return counts | {"waiting": len(rows)}
    look_at: dict[str, None] = {}
    readable: list[int] = []
    for row in rows:
        try:
            push = found.connector.read_push(found.connection, row.headers, row.body)
        except ItemFailed as error:
            _reject(organisation_id, row.id, error)
            counts["rejected"] += 1
        else:
            look_at |= dict.fromkeys(push.look_at)
            readable.append(row.id)
    if not readable:
        return counts
    try:
        covers = _look_at(found, tuple(look_at)) if look_at else ()
    except ConnectorError as error:
        found.recorder.flush()
        if isinstance(error, StopSync):
            connections.stop_connection(organisation_id, connection_id, error)
        _note_error(organisation_id, readable, error)
        return counts | {"waiting": len(readable)}
    found.recorder.flush()
    with transaction(organisation_id) as session:
        connection = connections.get_connection(session, connection_id, lock=True)
        policy = session.get_one(Policy, connection.policy_id)
        apply_covers(session, Books(session, connection_id, policy, connection.connector), covers, on)
        if len(covers) < len(look_at):  # something is new or gone: the next synchronisation reads everything, and soon
            session.execute(update(InsurerConnection).where(InsurerConnection.id == connection_id).values(sync_cursor=None))
            _hurry(session, connection_id)
        session.execute(
            update(InboxMessage).where(InboxMessage.id.in_(readable)).values(state=InboxState.APPLIED, applied_at=now(), error=None)
        )
    counts["applied"] += len(readable)
    return counts


def _look_at(found: Reach, references: tuple[str, ...]) -> tuple[InsurerCover, ...]:
    """What pushes point to. What cannot be read is left to the next synchronisation while anything else can."""
    try:
        return found.connector.poll(found.connection, references)
    except RequestsFailed as partly:
        if not partly.covers:
            raise
        return partly.covers


def _hurry(session: Session, connection_id: int) -> None:
    """Let the next synchronisation be due at once."""
    last = session.scalar(select(SyncRun).where(SyncRun.connection_id == connection_id).order_by(SyncRun.id.desc()).limit(1))
    if last is not None:
        last.counts = {**last.counts, "hurry": 1}


def _reject(organisation_id: int, message_id: int, error: ConnectorError) -> None:
    with transaction(organisation_id) as session:
        session.execute(
            update(InboxMessage)
            .where(InboxMessage.id == message_id)
            .values(state=InboxState.REJECTED, error=connections.error_data(error), applied_at=now())
        )


def _note_error(organisation_id: int, message_ids: list[int], error: ConnectorError) -> None:
    with transaction(organisation_id) as session:
        session.execute(update(InboxMessage).where(InboxMessage.id.in_(message_ids)).values(error=connections.error_data(error)))

"""Reading connections: how they do, what was said, what differs, what was looked up."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from insureflow.domain.connections import WORRYING, Health, InboxState, Operation, OutboxState, SyncState, health_of
from insureflow.models.buyers import Buyer
from insureflow.models.connections import (
    InboxMessage,
    InsurerConnection,
    InsurerCoverVersion,
    InsurerExchange,
    LookUp,
    OutboxMessage,
    SyncDifference,
    SyncRun,
)
from insureflow.models.database import db
from insureflow.models.organisations import User
from insureflow.models.policies import Policy
from insureflow.models.scope import within
from insureflow.queries.listing import Field, FilterKind, Kind, Listing, Order

_LOOKED_AT = 10


_READING = frozenset({Operation.LIST_COVERS, Operation.LIST_CHANGES, Operation.POLL_REQUESTS})


def can_be_read(capabilities: Collection[str]) -> bool:
    """True where an insurer can be asked for limits; also while nobody knows what it offers. Limits by hand or file come from people."""
    return not capabilities or any(operation.value in capabilities for operation in _READING)


@dataclass(frozen=True, slots=True)
class ConnectionHealth:
    """How one connection is doing at an instant. ``backlog`` and ``incoming`` count messages by state."""

    connection_id: int
    policy_id: int
    policy_number: str
    policy_name: str
    insurer: str
    connector: str
    environment: str
    health: Health
    last_good_at: datetime | None
    created_at: datetime
    age_minutes: int | None
    failures_in_a_row: int
    backlog: Mapping[str, int]
    incoming: Mapping[str, int]
    differences: int
    covers: int
    stopped_because: Mapping[str, Any] | None
    last_error: Mapping[str, Any] | None
    last_run_at: datetime | None
    sync_every_minutes: int

    @property
    def waiting(self) -> int:
        """Messages that have not reached the insurer for sure."""
        return sum(self.backlog.get(state.value, 0) for state in (OutboxState.WAITING, OutboxState.SENDING, OutboxState.UNCERTAIN))

    @property
    def failed(self) -> int:
        """Messages a person has to look at."""
        return self.backlog.get(OutboxState.FAILED.value, 0)


def _counts(column: Any, key: Any, *conditions: ColumnElement[bool]) -> dict[int, dict[str, int]]:
    rows = db.session.execute(select(key, column, func.count()).where(*conditions).group_by(key, column))
    found: dict[int, dict[str, int]] = {}
    for connection_id, value, number in rows:
        found.setdefault(connection_id, {})[value.value] = int(number)
    return found


def _last_runs() -> dict[int, list[SyncRun]]:
    """The last ended runs of every connection, the newest first."""
    ranked = (
        select(SyncRun.id, func.row_number().over(partition_by=SyncRun.connection_id, order_by=SyncRun.id.desc()).label("place"))
        .where(SyncRun.state.not_in([SyncState.RUNNING, SyncState.INTERRUPTED]))
        .subquery()
    )
    runs = db.session.scalars(
        select(SyncRun).join(ranked, ranked.c.id == SyncRun.id).where(ranked.c.place <= _LOOKED_AT).order_by(SyncRun.id.desc())
    )
    found: dict[int, list[SyncRun]] = {}
    for run in runs:
        found.setdefault(run.connection_id, []).append(run)
    return found


def list_health(at: datetime) -> list[ConnectionHealth]:
    """How every connection of the organisation in scope is doing at an instant, the policies in their order."""
    rows = db.session.execute(
        select(InsurerConnection, Policy).join(Policy, Policy.id == InsurerConnection.policy_id).order_by(Policy.priority, Policy.number)
    ).all()
    if not rows:
        return []
    outgoing = _counts(OutboxMessage.state, OutboxMessage.connection_id)
    incoming = _counts(InboxMessage.state, InboxMessage.connection_id)
    open_differences = _tally(
        select(SyncDifference.connection_id, func.count(SyncDifference.id)).where(SyncDifference.resolved_at.is_(None)),
        SyncDifference.connection_id,
    )
    covers = _tally(
        select(InsurerCoverVersion.connection_id, func.count(InsurerCoverVersion.id)).where(InsurerCoverVersion.missing_since.is_(None)),
        InsurerCoverVersion.connection_id,
    )
    runs = _last_runs()
    found = []
    for connection, policy in rows:
        ended = runs.get(connection.id, [])
        failures = next((index for index, run in enumerate(ended) if run.state is not SyncState.FAILED), len(ended))
        last_good = connection.last_good_sync_at
        found.append(
            ConnectionHealth(
                connection_id=connection.id,
                policy_id=policy.id,
                policy_number=policy.number,
                policy_name=policy.name,
                insurer=policy.insurer,
                connector=connection.connector,
                environment=str(connection.options.get("environment", "production")),
                health=health_of(
                    is_enabled=connection.is_enabled,
                    is_stopped=connection.stopped_because is not None,
                    last_good_at=last_good,
                    connected_at=connection.created_at if can_be_read(connection.capabilities) else at,
                    at=at,
                    sync_every_minutes=connection.sync_every_minutes,
                    stale_after_minutes=connection.stale_after_minutes,
                    failures_in_a_row=failures,
                ),
                last_good_at=last_good,
                created_at=connection.created_at,
                age_minutes=None if last_good is None else int((at - last_good).total_seconds() // 60),
                failures_in_a_row=failures,
                backlog=outgoing.get(connection.id, {}),
                incoming=incoming.get(connection.id, {}),
                differences=open_differences.get(connection.id, 0),
                covers=covers.get(connection.id, 0),
                stopped_because=connection.stopped_because,
                last_error=ended[0].error if ended and ended[0].state is SyncState.FAILED else None,
                last_run_at=ended[0].started_at if ended else None,
                sync_every_minutes=connection.sync_every_minutes,
            )
        )
    return found


def _tally(statement: Select[int, int], key: Any) -> dict[int, int]:
    return {row[0]: int(row[1]) for row in db.session.execute(statement.group_by(key))}


def list_worrying(at: datetime) -> list[ConnectionHealth]:
    """The connections whose figures must not be relied on without a look."""
    return [each for each in list_health(at) if each.health in WORRYING]


def find_health(connection_id: int, at: datetime) -> ConnectionHealth | None:
    """How one connection is doing."""
    return next((each for each in list_health(at) if each.connection_id == connection_id), None)


def find_connection(connection_id: int) -> InsurerConnection | None:
    """A connection of the organisation in scope."""
    return db.session.scalar(select(InsurerConnection).where(InsurerConnection.id == connection_id))


def find_connection_of_policy(policy_number: str) -> InsurerConnection | None:
    """The connection of a policy by its number."""
    return db.session.scalar(
        select(InsurerConnection).join(Policy, Policy.id == InsurerConnection.policy_id).where(Policy.number == policy_number)
    )


def policies_without_connection() -> list[tuple[int, str, str, str]]:
    """Key, number, name and insurer of the policies that are reached by nobody yet."""
    connected = select(InsurerConnection.policy_id)
    rows = db.session.execute(
        select(Policy.id, Policy.number, Policy.name, Policy.insurer)
        .where(Policy.id.not_in(connected))
        .order_by(Policy.priority, Policy.number)
    )
    return [(row.id, row.number, row.name, row.insurer) for row in rows]


def enabled_connections(organisation_id: int) -> list[int]:
    """Keys of the connections that are on and not stopped."""
    with within(organisation_id):
        return list(
            db.session.scalars(
                select(InsurerConnection.id)
                .where(InsurerConnection.is_enabled, InsurerConnection.stopped_because.is_(None))
                .order_by(InsurerConnection.id)
            )
        )


def connections_with_outgoing(organisation_id: int, at: datetime) -> list[int]:
    """Keys of the connections with messages that are due, or that a dead process left on their way."""
    with within(organisation_id):
        return list(
            db.session.scalars(
                select(OutboxMessage.connection_id)
                .where(
                    OutboxMessage.state.in_([OutboxState.WAITING, OutboxState.UNCERTAIN, OutboxState.SENDING]),
                    OutboxMessage.next_attempt_at <= at,
                )
                .distinct()
                .order_by(OutboxMessage.connection_id)
            )
        )


def connections_with_incoming(organisation_id: int) -> list[int]:
    """Keys of the connections with pushes nobody has followed yet."""
    with within(organisation_id):
        return list(
            db.session.scalars(
                select(InboxMessage.connection_id)
                .where(InboxMessage.state == InboxState.RECEIVED)
                .distinct()
                .order_by(InboxMessage.connection_id)
            )
        )


def differences_listing(connection_id: int | None = None, *, only_open: bool = True) -> Listing:
    """Differences between our limits and the insurers'."""

    def source(statement: Select[Any]) -> Select[Any]:
        narrowed = (
            statement.select_from(SyncDifference)
            .join(InsurerConnection, InsurerConnection.id == SyncDifference.connection_id)
            .join(Policy, Policy.id == InsurerConnection.policy_id)
            .outerjoin(Buyer, Buyer.id == SyncDifference.buyer_id)
        )
        if connection_id is not None:
            narrowed = narrowed.where(SyncDifference.connection_id == connection_id)
        return narrowed.where(SyncDifference.resolved_at.is_(None)) if only_open else narrowed

    return Listing(
        "differences",
        (
            Field("kind", SyncDifference.kind, Kind.BADGE, filter=FilterKind.SELECT),
            Field("policy", Policy.number, filter=FilterKind.SELECT),
            Field(
                "buyer",
                func.coalesce(Buyer.legal_name, SyncDifference.company_name),
                search=func.coalesce(Buyer.legal_name, SyncDifference.company_name),
            ),
            Field("subject", SyncDifference.subject, search=SyncDifference.subject),
            Field("first_seen_at", SyncDifference.first_seen_at, Kind.INSTANT),
            Field("last_seen_at", SyncDifference.last_seen_at, Kind.INSTANT),
        ),
        source,
        key=SyncDifference.id,
        order=Order("first_seen_at", descending=True),
    )


def find_difference(difference_id: int) -> tuple[SyncDifference, Policy, Buyer | None] | None:
    """A difference with its policy and, where known, its buyer."""
    row = db.session.execute(
        select(SyncDifference, Policy, Buyer)
        .join(InsurerConnection, InsurerConnection.id == SyncDifference.connection_id)
        .join(Policy, Policy.id == InsurerConnection.policy_id)
        .outerjoin(Buyer, Buyer.id == SyncDifference.buyer_id)
        .where(SyncDifference.id == difference_id)
    ).first()
    return None if row is None else (row[0], row[1], row[2])


def runs_listing(connection_id: int) -> Listing:
    """The synchronisations of a connection."""
    return Listing(
        "sync_runs",
        (
            Field("started_at", SyncRun.started_at, Kind.INSTANT),
            Field("state", SyncRun.state, Kind.BADGE, filter=FilterKind.SELECT),
            Field("finished_at", SyncRun.finished_at, Kind.INSTANT),
            Field("network_milliseconds", SyncRun.network_milliseconds, Kind.NUMBER),
            Field("counts", SyncRun.counts, sortable=False, hidden=True),
            Field("error", SyncRun.error, sortable=False, hidden=True),
            Field("is_whole", SyncRun.is_whole, hidden=True),
        ),
        lambda statement: statement.select_from(SyncRun).where(SyncRun.connection_id == connection_id),
        key=SyncRun.id,
        order=Order("started_at", descending=True),
    )


def exchanges_listing(connection_id: int) -> Listing:
    """What was said over a connection."""
    return Listing(
        "exchanges",
        (
            Field("at", InsurerExchange.at, Kind.INSTANT),
            Field("operation", InsurerExchange.operation, filter=FilterKind.SELECT),
            Field("method", InsurerExchange.method),
            Field("status", InsurerExchange.status, Kind.NUMBER),
            Field("milliseconds", InsurerExchange.milliseconds, Kind.NUMBER),
            Field("error", InsurerExchange.error, filter=FilterKind.TEXT),
            Field("correlation", InsurerExchange.correlation, search=InsurerExchange.correlation),
        ),
        lambda statement: statement.select_from(InsurerExchange).where(InsurerExchange.connection_id == connection_id),
        key=InsurerExchange.id,
        order=Order("at", descending=True),
    )


def find_exchange(exchange_id: int) -> InsurerExchange | None:
    """One exchange."""
    return db.session.scalar(select(InsurerExchange).where(InsurerExchange.id == exchange_id))


def list_operations(connection_id: int) -> list[str]:
    """What was asked over a connection, in alphabetical order."""
    return list(
        db.session.scalars(
            select(InsurerExchange.operation)
            .where(InsurerExchange.connection_id == connection_id)
            .distinct()
            .order_by(InsurerExchange.operation)
        )
    )


def messages_listing(connection_id: int) -> Listing:
    """The requests that leave over a connection."""
    return Listing(
        "messages",
        (
            Field("own_reference", OutboxMessage.own_reference, search=OutboxMessage.own_reference),
            Field("operation", OutboxMessage.operation),
            Field("state", OutboxMessage.state, Kind.BADGE, filter=FilterKind.SELECT),
            Field("attempts", OutboxMessage.attempts, Kind.NUMBER),
            Field("created_at", OutboxMessage.created_at, Kind.INSTANT),
            Field("next_attempt_at", OutboxMessage.next_attempt_at, Kind.INSTANT),
            Field("sent_at", OutboxMessage.sent_at, Kind.INSTANT),
            Field("insurer_reference", OutboxMessage.insurer_reference, search=func.coalesce(OutboxMessage.insurer_reference, "")),
        ),
        lambda statement: statement.select_from(OutboxMessage).where(OutboxMessage.connection_id == connection_id),
        key=OutboxMessage.id,
        order=Order("created_at", descending=True),
    )


def find_message(message_id: int) -> OutboxMessage | None:
    """One message that leaves or left the house."""
    return db.session.scalar(select(OutboxMessage).where(OutboxMessage.id == message_id))


def look_ups_listing(connection_id: int) -> Listing:
    """The look-ups made over a connection."""
    return Listing(
        "look_ups",
        (
            Field("made_at", LookUp.made_at, Kind.INSTANT),
            Field("buyer", Buyer.legal_name, search=Buyer.legal_name),
            Field("confirmed_by", User.email),
            Field("found", LookUp.found, sortable=False, hidden=True),
        ),
        lambda statement: (
            statement.select_from(LookUp)
            .outerjoin(Buyer, Buyer.id == LookUp.buyer_id)
            .outerjoin(User, User.id == LookUp.confirmed_by_id)
            .where(LookUp.connection_id == connection_id)
        ),
        key=LookUp.id,
        order=Order("made_at", descending=True),
    )


def find_look_up(look_up_id: int) -> tuple[LookUp, str] | None:
    """A look-up and the name of the buyer it was made for."""
    row = db.session.execute(
        select(LookUp, Buyer.legal_name).outerjoin(Buyer, Buyer.id == LookUp.buyer_id).where(LookUp.id == look_up_id)
    ).first()
    return None if row is None else (row[0], row[1] or "")


@dataclass(frozen=True, slots=True)
class InsurerGrade:
    """An insurer's grade of a buyer, in the insurer's own words, and when it was last read."""

    policy_number: str
    insurer: str
    grade: str
    grade_class: str
    read_at: datetime | None


def grades_of_buyer(buyer_id: int) -> list[InsurerGrade]:
    """What insurers think of a buyer, as their covers say it: one for each policy, of several covers the one that changed last."""
    rows = db.session.execute(
        select(
            Policy.number,
            Policy.insurer,
            InsurerCoverVersion.picture["grade"].as_string().label("grade"),
            InsurerCoverVersion.picture["grade_class"].as_string().label("grade_class"),
            InsurerCoverVersion.seen_at,
            InsurerConnection.last_good_sync_at,
        )
        .join(InsurerConnection, InsurerConnection.id == InsurerCoverVersion.connection_id)
        .join(Policy, Policy.id == InsurerConnection.policy_id)
        .where(InsurerCoverVersion.buyer_id == buyer_id, InsurerCoverVersion.missing_since.is_(None))
        .order_by(Policy.priority, Policy.number, InsurerCoverVersion.seen_at, InsurerCoverVersion.id)
    )
    found = {
        row.number: InsurerGrade(row.number, row.insurer, row.grade, row.grade_class or "", row.last_good_sync_at or row.seen_at)
        for row in rows
        if row.grade
    }
    return list(found.values())


def find_company_facts(buyer_id: int) -> dict[str, Any] | None:
    """What a look-up tells an insurer of a buyer: name, country and numbers."""
    buyer = db.session.scalar(select(Buyer).where(Buyer.id == buyer_id))
    if buyer is None:
        return None
    return {
        "name": buyer.legal_name,
        "country": buyer.country,
        "numbers": [(identifier.scheme, identifier.value) for identifier in buyer.identifiers],
    }


def count_charged_look_ups(connection_id: int, on: date) -> int:
    """How many look-ups that may cost money were made in the month of a day."""
    counted = select(func.count(LookUp.id)).where(
        LookUp.connection_id == connection_id, LookUp.made_on >= on.replace(day=1), LookUp.made_on <= on, LookUp.cost_minor.is_(None)
    )
    return int(db.session.scalar(counted) or 0)

"""Connections to insurers: credentials, what was said, what waits to be sent, what came in, and how our picture differs."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from insureflow.domain.connections import DifferenceKind, InboxState, OutboxState, SyncState
from insureflow.models.base import Base, BigId, Json, TenantOwned, currency_code, key, minor, optional_minor, vocabulary

_CONNECTION = (["organisation_id", "connection_id"], ["insurer_connection.organisation_id", "insurer_connection.id"])


class InsurerConnection(TenantOwned, Base):
    """How one policy is reached at its insurer. ``credentials`` are encrypted; they never leave the service that uses them.

    ``sync_cursor`` is where a list that was cut short goes on; ``push_key`` is the secret part of the address of pushes.
    """

    __tablename__ = "insurer_connection"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "policy_id"], ["policy.organisation_id", "policy.id"]),
        UniqueConstraint("organisation_id", "id"),
        UniqueConstraint("organisation_id", "policy_id"),
        UniqueConstraint("organisation_id", "push_key"),
    )

    id: Mapped[key]
    policy_id: Mapped[int] = mapped_column(BigId)
    connector: Mapped[str] = mapped_column(String(40))
    addresses: Mapped[dict[str, Any]]
    policy_key: Mapped[dict[str, Any]]
    credentials: Mapped[str] = mapped_column(String(4000), default="")
    options: Mapped[dict[str, Any]]
    capabilities: Mapped[list[Any]]
    is_enabled: Mapped[bool] = mapped_column(default=True)
    sync_every_minutes: Mapped[int] = mapped_column(default=60)
    stale_after_minutes: Mapped[int] = mapped_column(default=1440)
    look_up_budget: Mapped[int] = mapped_column(default=0)
    push_key: Mapped[str | None] = mapped_column(String(64))
    sync_cursor: Mapped[dict[str, Any] | None] = mapped_column(Json)
    last_good_sync_at: Mapped[datetime | None]
    stopped_because: Mapped[dict[str, Any] | None] = mapped_column(Json)
    created_at: Mapped[datetime]


class InsurerExchange(TenantOwned, Base):
    """One request to an insurer and its reply, without secrets."""

    __tablename__ = "insurer_exchange"
    __table_args__ = (ForeignKeyConstraint(*_CONNECTION, ondelete="CASCADE"), Index(None, "organisation_id", "connection_id", "at"))

    id: Mapped[key]
    connection_id: Mapped[int] = mapped_column(BigId)
    at: Mapped[datetime]
    operation: Mapped[str] = mapped_column(String(40))
    method: Mapped[str] = mapped_column(String(10))
    address: Mapped[str] = mapped_column(String(500))
    status: Mapped[int | None]
    milliseconds: Mapped[int]
    correlation: Mapped[str] = mapped_column(String(80))
    request: Mapped[str] = mapped_column(String(4000))
    reply: Mapped[str] = mapped_column(String(4000))
    error: Mapped[str] = mapped_column(String(500), default="")


class OutboxMessage(TenantOwned, Base):
    """A request that leaves the house after the commit that wrote it. ``own_reference`` makes it go out once."""

    __tablename__ = "outbox_message"
    __table_args__ = (
        ForeignKeyConstraint(*_CONNECTION),
        ForeignKeyConstraint(["organisation_id", "limit_request_id"], ["limit_request.organisation_id", "limit_request.id"]),
        UniqueConstraint("organisation_id", "own_reference"),
        Index(None, "organisation_id", "state", "next_attempt_at"),
    )

    id: Mapped[key]
    connection_id: Mapped[int] = mapped_column(BigId)
    limit_request_id: Mapped[int | None] = mapped_column(BigId)
    operation: Mapped[str] = mapped_column(String(40))
    own_reference: Mapped[str] = mapped_column(String(40))
    payload: Mapped[dict[str, Any]]
    state: Mapped[OutboxState] = mapped_column(vocabulary(OutboxState, "state"))
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime]
    last_error: Mapped[dict[str, Any] | None] = mapped_column(Json)
    insurer_reference: Mapped[str | None] = mapped_column(String(80))
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]


class InboxMessage(TenantOwned, Base):
    """A message an insurer pushed to us; ``delivery`` tells a repetition, so that it is applied once."""

    __tablename__ = "inbox_message"
    __table_args__ = (
        ForeignKeyConstraint(*_CONNECTION),
        UniqueConstraint("organisation_id", "connection_id", "delivery"),
        Index(None, "organisation_id", "state", "id"),
    )

    id: Mapped[key]
    connection_id: Mapped[int] = mapped_column(BigId)
    delivery: Mapped[str] = mapped_column(String(80))
    received_at: Mapped[datetime]
    headers: Mapped[dict[str, Any]]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    state: Mapped[InboxState] = mapped_column(vocabulary(InboxState, "state"))
    repeated: Mapped[int] = mapped_column(default=0)
    error: Mapped[dict[str, Any] | None] = mapped_column(Json)
    applied_at: Mapped[datetime | None]


class InsurerCoverVersion(TenantOwned, Base):
    """One version of a cover as the insurer showed it, applied once. ``digest`` is the hash of what it said.

    It is the insurer's picture: reconciliation compares it with our limits, whoever entered those.
    """

    __tablename__ = "insurer_cover_version"
    __table_args__ = (
        ForeignKeyConstraint(*_CONNECTION),
        UniqueConstraint("organisation_id", "connection_id", "cover_id", name="uq_insurer_cover_version_cover"),
        Index("ix_insurer_cover_version_company", "organisation_id", "connection_id", "company_id"),
        Index(None, "organisation_id", "buyer_id"),
    )

    id: Mapped[key]
    connection_id: Mapped[int] = mapped_column(BigId)
    cover_id: Mapped[str] = mapped_column(String(80))
    version: Mapped[str] = mapped_column(String(80))
    digest: Mapped[str] = mapped_column(String(64))
    company_id: Mapped[str] = mapped_column(String(80))
    company_name: Mapped[str] = mapped_column(String(300))
    buyer_id: Mapped[int | None] = mapped_column(BigId)
    picture: Mapped[dict[str, Any]]
    decision_id: Mapped[int | None] = mapped_column(ForeignKey("limit_decision.id", ondelete="SET NULL"))
    seen_at: Mapped[datetime]
    missing_since: Mapped[datetime | None]


class SyncRun(TenantOwned, Base):
    """One synchronisation of a connection: what it counted, how long it took, and how much of that was the network."""

    __tablename__ = "sync_run"
    __table_args__ = (ForeignKeyConstraint(*_CONNECTION, ondelete="CASCADE"), Index(None, "organisation_id", "connection_id", "started_at"))

    id: Mapped[key]
    connection_id: Mapped[int] = mapped_column(BigId)
    state: Mapped[SyncState] = mapped_column(vocabulary(SyncState, "state"))
    is_whole: Mapped[bool] = mapped_column(default=False)
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    network_milliseconds: Mapped[int] = mapped_column(default=0)
    counts: Mapped[dict[str, Any]]
    error: Mapped[dict[str, Any] | None] = mapped_column(Json)


class SyncDifference(TenantOwned, Base):
    """A difference between our picture of a limit and the insurer's that stands until somebody or something settles it."""

    __tablename__ = "sync_difference"
    __table_args__ = (
        ForeignKeyConstraint(*_CONNECTION, ondelete="CASCADE"),
        UniqueConstraint("organisation_id", "connection_id", "kind", "subject"),
        Index(None, "organisation_id", "resolved_at"),
    )

    id: Mapped[key]
    connection_id: Mapped[int] = mapped_column(BigId)
    kind: Mapped[DifferenceKind] = mapped_column(vocabulary(DifferenceKind, "kind"))
    subject: Mapped[str] = mapped_column(String(120))
    buyer_id: Mapped[int | None] = mapped_column(BigId)
    company_name: Mapped[str] = mapped_column(String(300), default="")
    ours: Mapped[dict[str, Any]]
    theirs: Mapped[dict[str, Any]]
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    resolved_at: Mapped[datetime | None]
    note: Mapped[str] = mapped_column(String(1000), default="")


class LookUp(TenantOwned, Base):
    """A look-up that may have cost money: who confirmed it, for whom, and what was found."""

    __tablename__ = "look_up"
    __table_args__ = (ForeignKeyConstraint(*_CONNECTION, ondelete="CASCADE"), Index(None, "organisation_id", "connection_id", "made_on"))

    id: Mapped[key]
    connection_id: Mapped[int] = mapped_column(BigId)
    buyer_id: Mapped[int | None] = mapped_column(BigId)
    made_on: Mapped[date]
    made_at: Mapped[datetime]
    confirmed_by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    found: Mapped[list[Any]]
    currency: Mapped[currency_code | None]
    cost_minor: Mapped[optional_minor]


class LimitFee(TenantOwned, Base):
    """What one limit of a kind costs a year under a policy."""

    __tablename__ = "limit_fee"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "policy_id"], ["policy.organisation_id", "policy.id"], ondelete="CASCADE"),
        UniqueConstraint("organisation_id", "policy_id", "kind"),
    )

    id: Mapped[key]
    policy_id: Mapped[int] = mapped_column(BigId)
    kind: Mapped[str] = mapped_column(String(40))
    fee_minor: Mapped[minor]
    currency: Mapped[currency_code]

"""What leaves the house by itself, and what a person is told inside it: e-mails, events for other systems, inbox, calendar feeds."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from insureflow.domain.messages import DeliveryState, Digest, MessageState, NoticeToPerson
from insureflow.models.base import Base, BigId, Json, TenantOwned, key, vocabulary

_BUYER = (["organisation_id", "buyer_id"], ["buyer.organisation_id", "buyer.id"])


class Message(TenantOwned, Base):
    """An e-mail from the unit of work that wrote it to the server that took it. ``cause`` names what made it, so that it is made once.

    ``documents`` are keys of issued documents to attach. ``sha256`` is that of the message as it was handed to the server.
    """

    __tablename__ = "message"
    __table_args__ = (
        ForeignKeyConstraint(*_BUYER),
        UniqueConstraint("organisation_id", "id"),
        UniqueConstraint("organisation_id", "cause"),
        Index(None, "state", "next_attempt_at"),
        Index(None, "organisation_id", "created_at"),
        Index(None, "organisation_id", "buyer_id"),
        Index(None, "message_id"),
        CheckConstraint("attempts >= 0", name="attempts_not_negative"),
    )

    id: Mapped[key]
    cause: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(40))
    buyer_id: Mapped[int | None] = mapped_column(BigId)
    recipients: Mapped[list[Any]]
    copies: Mapped[list[Any]]
    reply_to: Mapped[str] = mapped_column(String(320), default="")
    language: Mapped[str] = mapped_column(String(20))
    subject: Mapped[str] = mapped_column(String(500))
    body: Mapped[str] = mapped_column(String(20000))
    documents: Mapped[list[Any]]
    state: Mapped[MessageState] = mapped_column(vocabulary(MessageState, "state"))
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime]
    message_id: Mapped[str] = mapped_column(String(200))
    sha256: Mapped[str] = mapped_column(String(64), default="")
    last_error: Mapped[dict[str, Any] | None] = mapped_column(Json)
    bounce: Mapped[dict[str, Any] | None] = mapped_column(Json)
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    sent_at: Mapped[datetime | None]
    bounced_at: Mapped[datetime | None]


class Told(TenantOwned, Base):
    """What one person is told inside the product; ``cause`` makes sure that it is told once. ``address`` is the page that shows it."""

    __tablename__ = "told"
    __table_args__ = (
        ForeignKeyConstraint(*_BUYER),
        UniqueConstraint("organisation_id", "user_id", "cause"),
        Index(None, "organisation_id", "user_id", "read_at"),
        Index(None, "organisation_id", "buyer_id"),
    )

    id: Mapped[key]
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"))
    kind: Mapped[NoticeToPerson] = mapped_column(vocabulary(NoticeToPerson, "kind"))
    cause: Mapped[str] = mapped_column(String(160))
    buyer_id: Mapped[int | None] = mapped_column(BigId)
    facts: Mapped[dict[str, Any]]
    address: Mapped[str] = mapped_column(String(300))
    created_at: Mapped[datetime]
    read_at: Mapped[datetime | None]


class TellingSetting(TenantOwned, Base):
    """How one person wants to be told: a summary by e-mail or none, and how many days before a duty falls due."""

    __tablename__ = "telling_setting"
    __table_args__ = (UniqueConstraint("organisation_id", "user_id"),)

    id: Mapped[key]
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"))
    digest: Mapped[Digest] = mapped_column(vocabulary(Digest, "digest"))
    days_before: Mapped[list[Any]]
    only_own: Mapped[bool] = mapped_column(default=False)


class CalendarFeed(TenantOwned, Base):
    """The secret address under which a person's calendar program reads the duties. Only its hash is kept."""

    __tablename__ = "calendar_feed"
    __table_args__ = (UniqueConstraint("organisation_id", "token_sha256"), Index(None, "organisation_id", "user_id"))

    id: Mapped[key]
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"))
    token_sha256: Mapped[str] = mapped_column(String(64))
    only_own: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    last_read_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class WebhookEndpoint(TenantOwned, Base):
    """Another system that is told of events. ``secret`` signs what is sent and is kept encrypted; no events named means all."""

    __tablename__ = "webhook_endpoint"
    __table_args__ = (UniqueConstraint("organisation_id", "id"),)

    id: Mapped[key]
    url: Mapped[str] = mapped_column(String(1000))
    secret: Mapped[str] = mapped_column(String(1000))
    events: Mapped[list[Any]]
    is_enabled: Mapped[bool] = mapped_column(default=True)
    failures: Mapped[int] = mapped_column(default=0)
    stopped_because: Mapped[dict[str, Any] | None] = mapped_column(Json)
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))


class WebhookDelivery(TenantOwned, Base):
    """One event for one other system, until it took it. ``event_id`` is the same on every attempt."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        ForeignKeyConstraint(
            ["organisation_id", "endpoint_id"], ["webhook_endpoint.organisation_id", "webhook_endpoint.id"], ondelete="CASCADE"
        ),
        UniqueConstraint("organisation_id", "endpoint_id", "event_id"),
        Index(None, "state", "next_attempt_at"),
    )

    id: Mapped[key]
    endpoint_id: Mapped[int] = mapped_column(BigId)
    event: Mapped[str] = mapped_column(String(60))
    event_id: Mapped[str] = mapped_column(String(120))
    payload: Mapped[dict[str, Any]]
    state: Mapped[DeliveryState] = mapped_column(vocabulary(DeliveryState, "state"))
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime]
    status: Mapped[int | None]
    last_error: Mapped[str] = mapped_column(String(500), default="")
    created_at: Mapped[datetime]
    delivered_at: Mapped[datetime | None]

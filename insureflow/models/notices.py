"""Papers for the insurer: what they say about which invoices, how they went out, and what was answered."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from insureflow.domain.notices import Channel, NoticeKind, NoticeState, ReasonForNonPayment, ReplyOutcome
from insureflow.models.base import Base, BigId, Json, TenantOwned, currency_code, key, minor, vocabulary

_BUYER = (["organisation_id", "buyer_id"], ["buyer.organisation_id", "buyer.id"])
_POLICY = (["organisation_id", "policy_id"], ["policy.organisation_id", "policy.id"])
_NOTICE = (["organisation_id", "notice_id"], ["notice.organisation_id", "notice.id"])


class Notice(TenantOwned, Base):
    """A paper for the insurer about one buyer under one policy. ``cause`` names what made it, so that a job drafts it once.

    ``facts`` is what it says besides its invoices: totals, limit, dates, actions, new terms; frozen when it is approved.
    ``deadline_on`` is the last day on which it is in time, where it answers a duty.
    """

    __tablename__ = "notice"
    __table_args__ = (
        ForeignKeyConstraint(*_BUYER),
        ForeignKeyConstraint(*_POLICY),
        UniqueConstraint("organisation_id", "id"),
        UniqueConstraint("organisation_id", "cause"),
        Index(None, "organisation_id", "state", "deadline_on"),
        Index(None, "organisation_id", "buyer_id", "policy_id"),
    )

    id: Mapped[key]
    cause: Mapped[str] = mapped_column(String(120))
    kind: Mapped[NoticeKind] = mapped_column(vocabulary(NoticeKind, "kind"))
    policy_id: Mapped[int] = mapped_column(BigId)
    buyer_id: Mapped[int] = mapped_column(BigId)
    state: Mapped[NoticeState] = mapped_column(vocabulary(NoticeState, "state"))
    as_of: Mapped[date]
    deadline_on: Mapped[date | None]
    language: Mapped[str] = mapped_column(String(20))
    reason: Mapped[ReasonForNonPayment] = mapped_column(vocabulary(ReasonForNonPayment, "reason"))
    comment: Mapped[str] = mapped_column(String(4000), default="")
    facts: Mapped[dict[str, Any]]
    channel: Mapped[Channel | None] = mapped_column(vocabulary(Channel, "channel"))
    document_id: Mapped[int | None] = mapped_column(ForeignKey("issued_document.id"))
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    approved_at: Mapped[datetime | None]
    approved_by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    sent_on: Mapped[date | None]
    reply_outcome: Mapped[ReplyOutcome | None] = mapped_column(vocabulary(ReplyOutcome, "reply_outcome"))
    replied_on: Mapped[date | None]
    reply: Mapped[dict[str, Any] | None] = mapped_column(Json)


class NoticeInvoice(TenantOwned, Base):
    """One invoice as a paper for the insurer states it, in the invoice's currency. It stays when the invoice is taken back."""

    __tablename__ = "notice_invoice"
    __table_args__ = (
        ForeignKeyConstraint(*_NOTICE, ondelete="CASCADE"),
        UniqueConstraint("organisation_id", "notice_id", "entity_code", "number"),
        Index(None, "organisation_id", "invoice_id"),
    )

    id: Mapped[key]
    notice_id: Mapped[int] = mapped_column(BigId)
    invoice_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("invoice.id", ondelete="SET NULL"))
    entity_code: Mapped[str] = mapped_column(String(40))
    number: Mapped[str] = mapped_column(String(80))
    currency: Mapped[currency_code]
    invoice_on: Mapped[date]
    shipment_on: Mapped[date]
    original_due_on: Mapped[date]
    due_on: Mapped[date]
    new_due_on: Mapped[date | None]
    gross_minor: Mapped[minor]
    open_minor: Mapped[minor]
    insured_minor: Mapped[minor]
    disputed_minor: Mapped[minor]
    uninsured_reason: Mapped[str] = mapped_column(String(60), default="")


class NoticeDispatch(TenantOwned, Base):
    """Proof of timeliness: one attempt to bring a paper to the insurer. Who, when, by which channel, what exactly, with what result."""

    __tablename__ = "notice_dispatch"
    __table_args__ = (
        ForeignKeyConstraint(*_NOTICE, ondelete="CASCADE"),
        Index(None, "organisation_id", "notice_id"),
        Index(None, "message_id"),
    )

    id: Mapped[key]
    notice_id: Mapped[int] = mapped_column(BigId)
    channel: Mapped[Channel] = mapped_column(vocabulary(Channel, "channel"))
    at: Mapped[datetime]
    by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    on: Mapped[date]
    recipient: Mapped[str] = mapped_column(String(500), default="")
    sha256: Mapped[str] = mapped_column(String(64))
    protocol_number: Mapped[str] = mapped_column(String(120), default="")
    message_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("message.id", ondelete="SET NULL"))
    is_delivered: Mapped[bool] = mapped_column(default=False)
    details: Mapped[dict[str, Any]]

"""Dunning: rules, letters, holds, promises, and what was said on the telephone."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from insureflow.domain.dunning import ContactKind, DunningLevel, LetterChannel, LetterState
from insureflow.models.base import Base, BigId, TenantOwned, currency_code, key, minor, vocabulary

_BUYER = (["organisation_id", "buyer_id"], ["buyer.organisation_id", "buyer.id"])
_ENTITY = (["organisation_id", "entity_id"], ["entity.organisation_id", "entity.id"])


class DunningRule(TenantOwned, Base):
    """How buyers are reminded: for the organisation, one country, or one buyer; the narrowest holds. ``data`` as the domain reads it.

    Neither country nor buyer: the rule of the organisation. Rules are dated: a letter follows the rule in force on its day.
    """

    __tablename__ = "dunning_rule"
    __table_args__ = (
        ForeignKeyConstraint(*_BUYER, ondelete="CASCADE"),
        Index(None, "organisation_id", "effective_on"),
        Index(None, "organisation_id", "buyer_id"),
        CheckConstraint("country IS NULL OR buyer_id IS NULL", name="one_scope"),
    )

    id: Mapped[key]
    country: Mapped[str | None] = mapped_column(String(2))
    buyer_id: Mapped[int | None] = mapped_column(BigId)
    effective_on: Mapped[date]
    data: Mapped[dict[str, Any]]
    note: Mapped[str] = mapped_column(String(1000), default="")
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))


class DunningLetter(TenantOwned, Base):
    """One letter of one entity to one buyer.

    ``cause`` is the entity, the buyer, the level and the oldest invoice it is about, so that a missed day is caught up
    without a second letter.
    """

    __tablename__ = "dunning_letter"
    __table_args__ = (
        ForeignKeyConstraint(*_BUYER),
        ForeignKeyConstraint(*_ENTITY),
        UniqueConstraint("organisation_id", "id"),
        UniqueConstraint("organisation_id", "cause"),
        Index(None, "organisation_id", "state", "as_of"),
        Index(None, "organisation_id", "buyer_id"),
    )

    id: Mapped[key]
    cause: Mapped[str] = mapped_column(String(160))
    entity_id: Mapped[int] = mapped_column(BigId)
    buyer_id: Mapped[int] = mapped_column(BigId)
    level: Mapped[DunningLevel] = mapped_column(vocabulary(DunningLevel, "level"))
    state: Mapped[LetterState] = mapped_column(vocabulary(LetterState, "state"))
    as_of: Mapped[date]
    currency: Mapped[currency_code]
    total_minor: Mapped[minor]
    interest_minor: Mapped[minor] = mapped_column(default=0)
    language: Mapped[str] = mapped_column(String(20))
    channel: Mapped[LetterChannel] = mapped_column(vocabulary(LetterChannel, "channel"))
    document_id: Mapped[int | None] = mapped_column(ForeignKey("issued_document.id"))
    message_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("message.id", ondelete="SET NULL"))
    reason: Mapped[str] = mapped_column(String(1000), default="")
    created_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    sent_on: Mapped[date | None]
    printed_at: Mapped[datetime | None]


class DunningLetterInvoice(TenantOwned, Base):
    """One invoice as a letter states it, in the invoice's currency."""

    __tablename__ = "dunning_letter_invoice"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "letter_id"], ["dunning_letter.organisation_id", "dunning_letter.id"], ondelete="CASCADE"),
        UniqueConstraint("organisation_id", "letter_id", "number"),
        Index(None, "organisation_id", "invoice_id"),
    )

    id: Mapped[key]
    letter_id: Mapped[int] = mapped_column(BigId)
    invoice_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("invoice.id", ondelete="SET NULL"))
    number: Mapped[str] = mapped_column(String(80))
    due_on: Mapped[date]
    open_minor: Mapped[minor]
    interest_minor: Mapped[minor] = mapped_column(default=0)


class DunningHold(TenantOwned, Base):
    """No letters to this buyer, or about this invoice, until a day or until somebody takes it back. ``until_on`` is the first free day."""

    __tablename__ = "dunning_hold"
    __table_args__ = (
        ForeignKeyConstraint(*_BUYER),
        Index(None, "organisation_id", "buyer_id"),
        CheckConstraint("until_on IS NULL OR until_on >= from_on", name="until_after_from"),
    )

    id: Mapped[key]
    buyer_id: Mapped[int] = mapped_column(BigId)
    entity_code: Mapped[str] = mapped_column(String(40), default="")
    invoice_number: Mapped[str] = mapped_column(String(80), default="")
    reason: Mapped[str] = mapped_column(String(1000))
    from_on: Mapped[date]
    until_on: Mapped[date | None]
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))


class PromiseToPay(TenantOwned, Base):
    """What a buyer promised to pay, and by when. Whether it was kept is worked out from the money received."""

    __tablename__ = "promise_to_pay"
    __table_args__ = (
        ForeignKeyConstraint(*_BUYER),
        Index(None, "organisation_id", "buyer_id"),
        Index(None, "organisation_id", "promised_for"),
        CheckConstraint("amount_minor > 0", name="amount_positive"),
    )

    id: Mapped[key]
    buyer_id: Mapped[int] = mapped_column(BigId)
    amount_minor: Mapped[minor]
    currency: Mapped[currency_code]
    made_on: Mapped[date]
    promised_for: Mapped[date]
    by_whom: Mapped[str] = mapped_column(String(200), default="")
    invoices: Mapped[list[Any]]
    note: Mapped[str] = mapped_column(String(1000), default="")
    cancelled_on: Mapped[date | None]
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))


class ContactNote(TenantOwned, Base):
    """A call, a visit, an e-mail or a note about a buyer."""

    __tablename__ = "contact_note"
    __table_args__ = (ForeignKeyConstraint(*_BUYER), Index(None, "organisation_id", "buyer_id"))

    id: Mapped[key]
    buyer_id: Mapped[int] = mapped_column(BigId)
    kind: Mapped[ContactKind] = mapped_column(vocabulary(ContactKind, "kind"))
    happened_on: Mapped[date]
    with_whom: Mapped[str] = mapped_column(String(200), default="")
    text: Mapped[str] = mapped_column(String(4000))
    follow_up_on: Mapped[date | None]
    followed_up_on: Mapped[date | None]
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))

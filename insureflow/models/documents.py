"""Documents as they were issued, whose letterhead they bear, to whom they go, and evidence that belongs to a subject."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from insureflow.models.base import Base, BigId, TenantOwned, key

_BUYER = (["organisation_id", "buyer_id"], ["buyer.organisation_id", "buyer.id"])
_POLICY = (["organisation_id", "policy_id"], ["policy.organisation_id", "policy.id"])
_ENTITY = (["organisation_id", "entity_id"], ["entity.organisation_id", "entity.id"])


class IssuedDocument(TenantOwned, Base):
    """A document frozen at its issue: language, data and bytes. It is never changed: a correction is another one that replaces it.

    The bytes lie in the file store under ``sha256``; ``facts`` are the data it was made of.
    """

    __tablename__ = "issued_document"
    __table_args__ = (
        ForeignKeyConstraint(*_BUYER),
        ForeignKeyConstraint(*_POLICY),
        ForeignKeyConstraint(*_ENTITY),
        UniqueConstraint("organisation_id", "id"),
        UniqueConstraint("organisation_id", "number"),
        Index(None, "organisation_id", "buyer_id"),
        CheckConstraint("size_bytes >= 0", name="size_not_negative"),
    )

    id: Mapped[key]
    number: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(40))
    language: Mapped[str] = mapped_column(String(20))
    entity_id: Mapped[int | None] = mapped_column(BigId)
    buyer_id: Mapped[int | None] = mapped_column(BigId)
    policy_id: Mapped[int | None] = mapped_column(BigId)
    dated_on: Mapped[date]
    facts: Mapped[dict[str, Any]]
    name: Mapped[str]
    media_type: Mapped[str] = mapped_column(String(100))
    size_bytes: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    replaces_id: Mapped[int | None] = mapped_column(ForeignKey("issued_document.id", ondelete="SET NULL"))
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))


class Letterhead(TenantOwned, Base):
    """What stands on the papers of an insured entity: address, contact, bank details; and from whom its mail comes."""

    __tablename__ = "letterhead"
    __table_args__ = (ForeignKeyConstraint(*_ENTITY), UniqueConstraint("organisation_id", "entity_id"))

    id: Mapped[key]
    entity_id: Mapped[int] = mapped_column(BigId)
    address: Mapped[str] = mapped_column(String(500), default="")
    contact: Mapped[str] = mapped_column(String(200), default="")
    phone: Mapped[str] = mapped_column(String(60), default="")
    email: Mapped[str] = mapped_column(String(320), default="")
    registration: Mapped[str] = mapped_column(String(120), default="")
    tax_number: Mapped[str] = mapped_column(String(40), default="", server_default="")
    bank_name: Mapped[str] = mapped_column(String(200), default="")
    bank_account: Mapped[str] = mapped_column(String(64), default="")
    bank_code: Mapped[str] = mapped_column(String(20), default="")
    footer: Mapped[str] = mapped_column(String(500), default="")


class BuyerContact(TenantOwned, Base):
    """A person at a buyer to whom letters go."""

    __tablename__ = "buyer_contact"
    __table_args__ = (ForeignKeyConstraint(*_BUYER, ondelete="CASCADE"), Index(None, "organisation_id", "buyer_id"))

    id: Mapped[key]
    buyer_id: Mapped[int] = mapped_column(BigId)
    name: Mapped[str] = mapped_column(String(200), default="")
    role: Mapped[str] = mapped_column(String(120), default="")
    email: Mapped[str] = mapped_column(String(320), default="")
    phone: Mapped[str] = mapped_column(String(60), default="")
    language: Mapped[str | None] = mapped_column(String(20))
    gets_letters: Mapped[bool] = mapped_column(default=True)
    bounced_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class PolicyContact(TenantOwned, Base):
    """Where papers for the insurer of a policy go, and in which language."""

    __tablename__ = "policy_contact"
    __table_args__ = (ForeignKeyConstraint(*_POLICY, ondelete="CASCADE"), UniqueConstraint("organisation_id", "policy_id", "purpose"))

    id: Mapped[key]
    policy_id: Mapped[int] = mapped_column(BigId)
    purpose: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(200), default="")
    address: Mapped[str] = mapped_column(String(500), default="")
    email: Mapped[str] = mapped_column(String(320), default="")
    language: Mapped[str] = mapped_column(String(20), default="en")
    portal: Mapped[str] = mapped_column(String(1000), default="")


class EvidenceLink(TenantOwned, Base):
    """A file of evidence and what it proves: a duty's mark, a notice, a dispute, a consent, a plan, a note."""

    __tablename__ = "evidence_link"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "evidence_id"], ["evidence_file.organisation_id", "evidence_file.id"]),
        UniqueConstraint("organisation_id", "subject_kind", "subject_id", "evidence_id"),
        Index(None, "organisation_id", "evidence_id"),
    )

    id: Mapped[key]
    evidence_id: Mapped[int] = mapped_column(BigId)
    subject_kind: Mapped[str] = mapped_column(String(40))
    subject_id: Mapped[int] = mapped_column(BigId)
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))

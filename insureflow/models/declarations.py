"""Declarations to insurers of what premium is charged on, down to the documents they were added up from."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from insureflow.domain.declarations import DeclarationStatus, DeclarationWay, DeclaredItem, SalesCategory
from insureflow.domain.policies.vocabulary import PremiumBasis
from insureflow.models.base import Base, BigId, TenantOwned, currency_code, key, minor, vocabulary


class Declaration(TenantOwned, Base):
    """One version of the declaration of a period. ``full_minor`` is everything found, ``declared_minor`` what of it is declared.

    Both days of the period are within. ``cut_off_on`` is the day the ledger was read. Amounts are in ``currency``, the policy's.
    """

    __tablename__ = "declaration"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "policy_id"], ["policy.organisation_id", "policy.id"]),
        UniqueConstraint("organisation_id", "id"),
        UniqueConstraint("organisation_id", "policy_id", "period_to", "version"),
        Index(None, "organisation_id", "status"),
        CheckConstraint("period_to >= period_from", name="period"),
        CheckConstraint("version >= 1", name="version_counted"),
        CheckConstraint("(declared_on IS NULL) = (way IS NULL)", name="declared_in_a_way"),
        CheckConstraint("status <> 'declared' OR declared_on IS NOT NULL", name="declared_on_a_day"),
    )

    id: Mapped[key]
    policy_id: Mapped[int] = mapped_column(BigId)
    period_from: Mapped[date]
    period_to: Mapped[date]
    due_on: Mapped[date]
    basis: Mapped[PremiumBasis] = mapped_column(vocabulary(PremiumBasis, "basis"))
    version: Mapped[int]
    status: Mapped[DeclarationStatus] = mapped_column(vocabulary(DeclarationStatus, "status"))
    currency: Mapped[currency_code]
    full_minor: Mapped[minor]
    declared_minor: Mapped[minor]
    items: Mapped[int]
    cut_off_on: Mapped[date]
    declared_on: Mapped[date | None]
    way: Mapped[DeclarationWay | None] = mapped_column(vocabulary(DeclarationWay, "way"))
    protocol: Mapped[str] = mapped_column(String(120), default="")
    note: Mapped[str] = mapped_column(String(1000), default="")
    replaces_id: Mapped[int | None] = mapped_column(ForeignKey("declaration.id", ondelete="SET NULL"))
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    approved_at: Mapped[datetime | None]
    approved_by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    declared_by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))


class DeclarationLine(TenantOwned, Base):
    """One document, balance or limit in a declaration as it stood on its cut-off day; a credit note counts below zero.

    ``amount_minor`` is in ``currency``, the document's; ``full_minor`` and ``declared_minor`` in the declaration's. ``category`` says
    what kind of sale it is, None for ordinary credit.
    """

    __tablename__ = "declaration_line"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "declaration_id"], ["declaration.organisation_id", "declaration.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(["organisation_id", "buyer_id"], ["buyer.organisation_id", "buyer.id"]),
        Index(None, "organisation_id", "declaration_id"),
        Index(None, "organisation_id", "buyer_id"),
        Index(None, "invoice_id"),
        Index(None, "credit_note_id"),
    )

    id: Mapped[key]
    declaration_id: Mapped[int] = mapped_column(BigId)
    buyer_id: Mapped[int] = mapped_column(BigId)
    item: Mapped[DeclaredItem] = mapped_column(vocabulary(DeclaredItem, "item"))
    invoice_id: Mapped[int | None] = mapped_column(ForeignKey("invoice.id", ondelete="SET NULL"))
    credit_note_id: Mapped[int | None] = mapped_column(ForeignKey("credit_note.id", ondelete="SET NULL"))
    number: Mapped[str] = mapped_column(String(80), default="")
    dated_on: Mapped[date]
    currency: Mapped[currency_code]
    amount_minor: Mapped[minor]
    full_minor: Mapped[minor]
    declared_minor: Mapped[minor]
    category: Mapped[SalesCategory | None] = mapped_column(vocabulary(SalesCategory, "category"))

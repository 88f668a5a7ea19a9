"""Blocks on shipments that do not follow from a rule alone: set by hand, lifted by the insurer, and invoices that do not count."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from insureflow.domain.blocks import ExceptionReason
from insureflow.models.base import Base, BigId, TenantOwned, key, vocabulary

_BUYER = (["organisation_id", "buyer_id"], ["buyer.organisation_id", "buyer.id"])
_POLICY = (["organisation_id", "policy_id"], ["policy.organisation_id", "policy.id"])
_ENTITY = (["organisation_id", "entity_id"], ["entity.organisation_id", "entity.id"])


class BlockException(TenantOwned, Base):
    """An invoice that does not count for the block of its buyer, and why.

    It names the invoice as the ledger does, so that it holds on when the ledger is imported anew. ``until_on`` is the first day
    on which the invoice counts again.
    """

    __tablename__ = "block_exception"
    __table_args__ = (
        ForeignKeyConstraint(*_BUYER),
        ForeignKeyConstraint(*_ENTITY),
        Index(None, "organisation_id", "entity_id", "invoice_number"),
        Index(None, "organisation_id", "buyer_id"),
        CheckConstraint("until_on IS NULL OR until_on >= from_on", name="until_after_from"),
    )

    id: Mapped[key]
    entity_id: Mapped[int] = mapped_column(BigId)
    buyer_id: Mapped[int] = mapped_column(BigId)
    invoice_number: Mapped[str] = mapped_column(String(80))
    reason: Mapped[ExceptionReason] = mapped_column(vocabulary(ExceptionReason, "reason"))
    note: Mapped[str] = mapped_column(String(1000))
    from_on: Mapped[date]
    until_on: Mapped[date | None]
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))


class ManualBlock(TenantOwned, Base):
    """A block that somebody set on a buyer beside what the policy demands; ``with_group`` holds for its subsidiaries as well."""

    __tablename__ = "manual_block"
    __table_args__ = (
        ForeignKeyConstraint(*_BUYER),
        ForeignKeyConstraint(*_POLICY),
        Index(None, "organisation_id", "buyer_id"),
        CheckConstraint("lifted_on IS NULL OR lifted_on >= from_on", name="lifted_after_from"),
    )

    id: Mapped[key]
    buyer_id: Mapped[int] = mapped_column(BigId)
    policy_id: Mapped[int | None] = mapped_column(BigId)
    with_group: Mapped[bool] = mapped_column(default=False)
    reason: Mapped[str] = mapped_column(String(1000))
    from_on: Mapped[date]
    lifted_on: Mapped[date | None]
    lifted_note: Mapped[str] = mapped_column(String(1000), default="")
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    lifted_by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))

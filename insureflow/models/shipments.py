"""Answers to "may I ship?", stored with the order, and what they keep free of a limit."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from insureflow.models.base import Base, BigId, Json, TenantOwned, currency_code, key, minor


class ShipmentCheck(TenantOwned, Base):
    """One answer as it was given. With ``reserved_until`` it keeps its covered amount free until it lapses or is invoiced.

    ``answer`` is what the asker saw, ``trace`` how it came about. ``order_reference`` is the asker's own.
    """

    __tablename__ = "shipment_check"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "buyer_id"], ["buyer.organisation_id", "buyer.id"]),
        ForeignKeyConstraint(["organisation_id", "policy_id"], ["policy.organisation_id", "policy.id"]),
        ForeignKeyConstraint(["organisation_id", "entity_id"], ["entity.organisation_id", "entity.id"]),
        UniqueConstraint("organisation_id", "id"),
        Index(None, "organisation_id", "buyer_id", "asked_on"),
        Index(None, "organisation_id", "order_reference"),
        Index(None, "invoice_id"),
        CheckConstraint("amount_minor > 0", name="amount_positive"),
    )

    id: Mapped[key]
    buyer_id: Mapped[int] = mapped_column(BigId)
    policy_id: Mapped[int | None] = mapped_column(BigId)
    entity_id: Mapped[int] = mapped_column(BigId)
    order_reference: Mapped[str] = mapped_column(String(80), default="")
    amount_minor: Mapped[minor]
    currency: Mapped[currency_code]
    rate: Mapped[Decimal]
    credit_terms_days: Mapped[int]
    ship_on: Mapped[date]
    asked_on: Mapped[date]
    verdict: Mapped[str] = mapped_column(String(20))
    covered_minor: Mapped[minor]
    limit_currency: Mapped[currency_code]
    answer: Mapped[dict[str, Any]] = mapped_column(Json)
    trace: Mapped[list[Any]] = mapped_column(Json)
    reserved_until: Mapped[date | None]
    released_at: Mapped[datetime | None]
    invoice_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("invoice.id", ondelete="SET NULL"))
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))

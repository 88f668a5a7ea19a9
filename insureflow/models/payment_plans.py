"""Payment plans: the invoices they put off, with their original due dates, and the instalments agreed."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from insureflow.domain.payment_plans import PlanState
from insureflow.models.base import Base, BigId, TenantOwned, currency_code, key, minor, vocabulary

_BUYER = (["organisation_id", "buyer_id"], ["buyer.organisation_id", "buyer.id"])
_POLICY = (["organisation_id", "policy_id"], ["policy.organisation_id", "policy.id"])
_ENTITY = (["organisation_id", "entity_id"], ["entity.organisation_id", "entity.id"])
_PLAN = (["organisation_id", "plan_id"], ["payment_plan.organisation_id", "payment_plan.id"])


class PaymentPlan(TenantOwned, Base):
    """An agreement with a buyer to pay invoices later or in parts. ``notice_id`` is the request for the insurer's consent."""

    __tablename__ = "payment_plan"
    __table_args__ = (
        ForeignKeyConstraint(*_BUYER),
        ForeignKeyConstraint(*_POLICY),
        ForeignKeyConstraint(*_ENTITY),
        UniqueConstraint("organisation_id", "id"),
        Index(None, "organisation_id", "buyer_id"),
        Index(None, "organisation_id", "state"),
    )

    id: Mapped[key]
    entity_id: Mapped[int] = mapped_column(BigId)
    buyer_id: Mapped[int] = mapped_column(BigId)
    policy_id: Mapped[int | None] = mapped_column(BigId)
    state: Mapped[PlanState] = mapped_column(vocabulary(PlanState, "state"))
    currency: Mapped[currency_code]
    proposed_on: Mapped[date]
    agreed_on: Mapped[date | None]
    broken_on: Mapped[date | None]
    grace_days: Mapped[int] = mapped_column(default=0)
    interest: Mapped[str] = mapped_column(String(500), default="")
    note: Mapped[str] = mapped_column(String(1000), default="")
    notice_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("notice.id", ondelete="SET NULL"))
    document_id: Mapped[int | None] = mapped_column(ForeignKey("issued_document.id"))
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))


class PlanInvoice(TenantOwned, Base):
    """An invoice in a plan, as the ledger names it; its original due date stays the basis of every deadline."""

    __tablename__ = "plan_invoice"
    __table_args__ = (
        ForeignKeyConstraint(*_PLAN, ondelete="CASCADE"),
        UniqueConstraint("organisation_id", "plan_id", "number"),
        Index(None, "organisation_id", "invoice_id"),
        CheckConstraint("amount_minor > 0", name="amount_positive"),
    )

    id: Mapped[key]
    plan_id: Mapped[int] = mapped_column(BigId)
    invoice_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("invoice.id", ondelete="SET NULL"))
    number: Mapped[str] = mapped_column(String(80))
    original_due_on: Mapped[date]
    amount_minor: Mapped[minor]


class PlanInstalment(TenantOwned, Base):
    """One instalment: how much by when. What was paid on it is worked out from the money received."""

    __tablename__ = "plan_instalment"
    __table_args__ = (
        ForeignKeyConstraint(*_PLAN, ondelete="CASCADE"),
        UniqueConstraint("organisation_id", "plan_id", "number"),
        Index(None, "organisation_id", "due_on"),
        CheckConstraint("amount_minor > 0", name="amount_positive"),
    )

    id: Mapped[key]
    plan_id: Mapped[int] = mapped_column(BigId)
    number: Mapped[int]
    due_on: Mapped[date]
    amount_minor: Mapped[minor]

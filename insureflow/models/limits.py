"""Credit limits as a history of decisions, and the other acts that shape a buyer's cover."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from insureflow.domain.cover.events import Layer
from insureflow.domain.limits import AccountActKind, LimitKind, LimitStatus
from insureflow.models.base import Base, BigId, Json, TenantOwned, currency_code, key, minor, optional_minor, vocabulary


class LimitDecision(TenantOwned, Base):
    """One decision (or request, or withdrawal) on a buyer's limit under a policy. Immutable; a later one supersedes it.

    ``rate`` is limit currency for one unit of ``currency``, frozen on the day of the decision.
    """

    __tablename__ = "limit_decision"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "policy_id"], ["policy.organisation_id", "policy.id"]),
        ForeignKeyConstraint(["organisation_id", "buyer_id"], ["buyer.organisation_id", "buyer.id"]),
        UniqueConstraint("organisation_id", "policy_id", "insurer_reference"),
        Index(None, "organisation_id", "policy_id", "buyer_id", "decided_on"),
        Index(None, "organisation_id", "buyer_id"),
        CheckConstraint("decided_minor IS NULL OR decided_minor >= 0", name="decided_not_negative"),
        CheckConstraint("requested_minor IS NULL OR requested_minor >= 0", name="requested_not_negative"),
        CheckConstraint("(status IN ('requested', 'withdrawn')) = (decided_minor IS NULL)", name="decided_when_decided"),
        CheckConstraint("valid_to IS NULL OR valid_to >= decided_on", name="valid_after_decision"),
    )

    id: Mapped[key]
    policy_id: Mapped[int] = mapped_column(BigId)
    buyer_id: Mapped[int] = mapped_column(BigId)
    layer: Mapped[Layer] = mapped_column(vocabulary(Layer, "layer"))
    kind: Mapped[LimitKind] = mapped_column(vocabulary(LimitKind, "kind"))
    status: Mapped[LimitStatus] = mapped_column(vocabulary(LimitStatus, "status"))
    requested_minor: Mapped[optional_minor]
    decided_minor: Mapped[optional_minor]
    currency: Mapped[currency_code]
    rate: Mapped[Decimal]
    rate_source: Mapped[str] = mapped_column(String(80), default="")
    decided_on: Mapped[date]
    effective_on: Mapped[date]
    valid_to: Mapped[date | None]
    conditions: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    insurer_reference: Mapped[str | None] = mapped_column(String(80))
    reason: Mapped[str] = mapped_column(String(1000), default="")
    source: Mapped[str] = mapped_column(String(40), default="manual")
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))


class AccountAct(TenantOwned, Base):
    """An act other than a limit, an invoice or money that shapes cover: stop, consent, extension, notification, grade, loss."""

    __tablename__ = "account_act"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "policy_id"], ["policy.organisation_id", "policy.id"]),
        ForeignKeyConstraint(["organisation_id", "buyer_id"], ["buyer.organisation_id", "buyer.id"]),
        ForeignKeyConstraint(["organisation_id", "invoice_id"], ["invoice.organisation_id", "invoice.id"], ondelete="CASCADE"),
        Index(None, "organisation_id", "policy_id", "buyer_id", "happened_on"),
        Index(None, "organisation_id", "buyer_id"),
        Index(None, "organisation_id", "invoice_id"),
    )

    id: Mapped[key]
    policy_id: Mapped[int] = mapped_column(BigId)
    buyer_id: Mapped[int] = mapped_column(BigId)
    invoice_id: Mapped[int | None] = mapped_column(BigId)
    kind: Mapped[AccountActKind] = mapped_column(vocabulary(AccountActKind, "kind"))
    happened_on: Mapped[date]
    data: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    note: Mapped[str] = mapped_column(String(1000), default="")
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))


class LimitGroup(TenantOwned, Base):
    """One limit over several buyers: a group with its subsidiaries (``head_id`` is the parent), or a named pool."""

    __tablename__ = "limit_group"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "policy_id"], ["policy.organisation_id", "policy.id"]),
        ForeignKeyConstraint(["organisation_id", "head_id"], ["buyer.organisation_id", "buyer.id"]),
        UniqueConstraint("organisation_id", "id"),
        UniqueConstraint("organisation_id", "policy_id", "name"),
        Index(None, "organisation_id", "head_id"),
    )

    id: Mapped[key]
    policy_id: Mapped[int] = mapped_column(BigId)
    name: Mapped[str]
    head_id: Mapped[int | None] = mapped_column(BigId)
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))


class LimitGroupMember(TenantOwned, Base):
    """A buyer that shares in the limit from a day on; ``left_on`` is the first day without."""

    __tablename__ = "limit_group_member"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "group_id"], ["limit_group.organisation_id", "limit_group.id"]),
        ForeignKeyConstraint(["organisation_id", "buyer_id"], ["buyer.organisation_id", "buyer.id"]),
        UniqueConstraint("organisation_id", "group_id", "buyer_id", "joined_on", name="uq_limit_group_member_joined"),
        Index(None, "organisation_id", "buyer_id"),
        CheckConstraint("left_on IS NULL OR left_on > joined_on", name="interval"),
    )

    id: Mapped[key]
    group_id: Mapped[int] = mapped_column(BigId)
    buyer_id: Mapped[int] = mapped_column(BigId)
    joined_on: Mapped[date]
    left_on: Mapped[date | None]


class LimitGroupDecision(TenantOwned, Base):
    """What the insurer said about the whole of a shared limit; ``decided_minor`` None: it ends. Each sharer's history names it too."""

    __tablename__ = "limit_group_decision"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "group_id"], ["limit_group.organisation_id", "limit_group.id"]),
        UniqueConstraint("organisation_id", "group_id", "insurer_reference", name="uq_limit_group_decision_reference"),
        Index(None, "organisation_id", "group_id", "decided_on"),
        CheckConstraint("decided_minor IS NULL OR decided_minor >= 0", name="decided_not_negative"),
        CheckConstraint("valid_to IS NULL OR valid_to >= decided_on", name="valid_after_decision"),
    )

    id: Mapped[key]
    group_id: Mapped[int] = mapped_column(BigId)
    status: Mapped[LimitStatus] = mapped_column(vocabulary(LimitStatus, "status"))
    decided_minor: Mapped[optional_minor]
    currency: Mapped[currency_code]
    rate: Mapped[Decimal]
    rate_source: Mapped[str] = mapped_column(String(80), default="")
    decided_on: Mapped[date]
    effective_on: Mapped[date]
    valid_to: Mapped[date | None]
    insurer_reference: Mapped[str | None] = mapped_column(String(80))
    reason: Mapped[str] = mapped_column(String(1000), default="")
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))


class SharedUse(TenantOwned, Base):
    """What the others leave unusable of a shared limit for a buyer during an interval, in limit currency; derived, like positions."""

    __tablename__ = "shared_use"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "policy_id"], ["policy.organisation_id", "policy.id"]),
        ForeignKeyConstraint(["organisation_id", "buyer_id"], ["buyer.organisation_id", "buyer.id"]),
        UniqueConstraint("organisation_id", "policy_id", "buyer_id", "valid_from"),
        Index(None, "organisation_id", "buyer_id"),
        CheckConstraint("valid_to > valid_from", name="interval"),
        CheckConstraint("taken_minor > 0", name="taken_positive"),
    )

    id: Mapped[key]
    policy_id: Mapped[int] = mapped_column(BigId)
    buyer_id: Mapped[int] = mapped_column(BigId)
    valid_from: Mapped[date]
    valid_to: Mapped[date]
    taken_minor: Mapped[minor]

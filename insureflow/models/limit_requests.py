"""Requests for limits on their way to an insurer, who must approve them, and the limits a policyholder may set itself."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from insureflow.domain.access import Role
from insureflow.domain.cover.events import Layer
from insureflow.domain.limits import LimitKind
from insureflow.domain.limits.life import PendingAction, RequestOutcome, RequestState, RequestType
from insureflow.models.base import Base, BigId, Json, TenantOwned, currency_code, key, minor, optional_minor, vocabulary

_BUYER = (["organisation_id", "buyer_id"], ["buyer.organisation_id", "buyer.id"])
_POLICY = (["organisation_id", "policy_id"], ["policy.organisation_id", "policy.id"])


class LimitRequest(TenantOwned, Base):
    """One request to an insurer from its draft to its end. ``own_reference`` is unique for good: the insurer is asked by it.

    ``state`` ends at ``decided``: how the limit stands from then on follows from the history of decisions on the day asked.
    ``pending_action`` is announced and not yet in effect; it stands beside the state.
    """

    __tablename__ = "limit_request"
    __table_args__ = (
        ForeignKeyConstraint(*_BUYER),
        ForeignKeyConstraint(*_POLICY),
        UniqueConstraint("organisation_id", "id"),
        UniqueConstraint("organisation_id", "own_reference"),
        Index(None, "organisation_id", "state", "id"),
        Index(None, "organisation_id", "buyer_id", "policy_id"),
        Index(None, "organisation_id", "policy_id", "insurer_reference"),
        CheckConstraint("requested_minor IS NULL OR requested_minor >= 0", name="requested_not_negative"),
    )

    id: Mapped[key]
    policy_id: Mapped[int] = mapped_column(BigId)
    buyer_id: Mapped[int] = mapped_column(BigId)
    request_type: Mapped[RequestType] = mapped_column(vocabulary(RequestType, "request_type"))
    layer: Mapped[Layer] = mapped_column(vocabulary(Layer, "layer"))
    kind: Mapped[LimitKind] = mapped_column(vocabulary(LimitKind, "kind"))
    state: Mapped[RequestState] = mapped_column(vocabulary(RequestState, "state"))
    outcome: Mapped[RequestOutcome | None] = mapped_column(vocabulary(RequestOutcome, "outcome"))
    pending_action: Mapped[PendingAction | None] = mapped_column(vocabulary(PendingAction, "pending_action"))
    pending_on: Mapped[date | None]
    requested_minor: Mapped[optional_minor]
    currency: Mapped[currency_code]
    asked_on: Mapped[date]
    is_urgent: Mapped[bool] = mapped_column(default=False)
    comment: Mapped[str] = mapped_column(String(1000), default="")
    own_reference: Mapped[str] = mapped_column(String(40))
    insurer_reference: Mapped[str | None] = mapped_column(String(80))
    request_decision_id: Mapped[int | None] = mapped_column(ForeignKey("limit_decision.id", ondelete="SET NULL"))
    decision_id: Mapped[int | None] = mapped_column(ForeignKey("limit_decision.id", ondelete="SET NULL"))
    bulk: Mapped[str] = mapped_column(String(40), default="")
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    approved_at: Mapped[datetime | None]
    approved_by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    submitted_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]


class ApprovalThreshold(TenantOwned, Base):
    """Up to which amount a role may send a request without a second person; without a row there is no bound."""

    __tablename__ = "approval_threshold"
    __table_args__ = (
        UniqueConstraint("organisation_id", "role"),
        CheckConstraint("amount_minor >= 0", name="amount_not_negative"),
    )

    id: Mapped[key]
    role: Mapped[Role] = mapped_column(vocabulary(Role, "role"))
    currency: Mapped[currency_code]
    amount_minor: Mapped[minor]


class EvidenceFile(TenantOwned, Base):
    """A file that proves something, kept for good under the hash of its content. ``dated_on`` is the day its content speaks of.

    ``decision_id`` is the decision that was entered by hand on its strength.
    """

    __tablename__ = "evidence_file"
    __table_args__ = (
        ForeignKeyConstraint(*_BUYER),
        UniqueConstraint("organisation_id", "id"),
        Index(None, "organisation_id", "buyer_id"),
        Index(None, "organisation_id", "decision_id"),
        CheckConstraint("size_bytes >= 0", name="size_not_negative"),
    )

    id: Mapped[key]
    buyer_id: Mapped[int | None] = mapped_column(BigId)
    decision_id: Mapped[int | None] = mapped_column(ForeignKey("limit_decision.id", ondelete="SET NULL"))
    name: Mapped[str]
    media_type: Mapped[str] = mapped_column(String(100))
    size_bytes: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    dated_on: Mapped[date | None]
    note: Mapped[str] = mapped_column(String(1000), default="")
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))


class CreditReport(TenantOwned, Base):
    """What a credit report of an agency says about a buyer, with its file as evidence."""

    __tablename__ = "credit_report"
    __table_args__ = (
        ForeignKeyConstraint(*_BUYER),
        ForeignKeyConstraint(["organisation_id", "evidence_file_id"], ["evidence_file.organisation_id", "evidence_file.id"]),
        Index(None, "organisation_id", "buyer_id", "reported_on"),
    )

    id: Mapped[key]
    buyer_id: Mapped[int] = mapped_column(BigId)
    agency: Mapped[str] = mapped_column(String(120))
    reported_on: Mapped[date]
    amount_minor: Mapped[optional_minor]
    currency: Mapped[str | None] = mapped_column(String(3))
    is_approved_agency: Mapped[bool] = mapped_column(default=True)
    is_unfavourable: Mapped[bool] = mapped_column(default=False)
    evidence_file_id: Mapped[int | None] = mapped_column(BigId)
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))


class DiscretionaryAssessment(TenantOwned, Base):
    """A discretionary limit as it was worked out on a day: amount, method, the facts frozen with their hash, and the trace.

    ``facts`` are what the calculation read, ``facts_sha256`` the hash of their canonical JSON.
    """

    __tablename__ = "discretionary_assessment"
    __table_args__ = (
        ForeignKeyConstraint(*_BUYER),
        ForeignKeyConstraint(*_POLICY),
        Index("ix_discretionary_assessment_account", "organisation_id", "policy_id", "buyer_id", "assessed_on"),
        Index(None, "organisation_id", "valid_to"),
    )

    id: Mapped[key]
    policy_id: Mapped[int] = mapped_column(BigId)
    buyer_id: Mapped[int] = mapped_column(BigId)
    assessed_on: Mapped[date]
    is_usable: Mapped[bool]
    amount_minor: Mapped[minor]
    currency: Mapped[currency_code]
    method: Mapped[str | None] = mapped_column(String(40))
    reason: Mapped[str | None] = mapped_column(String(40))
    valid_to: Mapped[date | None]
    facts: Mapped[dict[str, Any]] = mapped_column(Json)
    facts_sha256: Mapped[str] = mapped_column(String(64))
    trace: Mapped[list[Any]] = mapped_column(Json)
    decision_id: Mapped[int | None] = mapped_column(ForeignKey("limit_decision.id", ondelete="SET NULL"))
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))

"""Policies: the contracts with insurers, their terms by date, and which entities they insure."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from insureflow.models.base import Base, BigId, Json, TenantOwned, currency_code, key


class Policy(TenantOwned, Base):
    """A credit insurance policy. ``priority`` decides where two policies could cover the same sale: the lower first."""

    __tablename__ = "policy"
    __table_args__ = (UniqueConstraint("organisation_id", "number"), UniqueConstraint("organisation_id", "id"))

    id: Mapped[key]
    number: Mapped[str] = mapped_column(String(60))
    name: Mapped[str]
    insurer: Mapped[str] = mapped_column(String(60))
    product: Mapped[str] = mapped_column(String(120), default="")
    preset: Mapped[str | None] = mapped_column(String(80))
    currency: Mapped[currency_code]
    limit_currency: Mapped[currency_code]
    priority: Mapped[int] = mapped_column(default=100)
    created_at: Mapped[datetime]

    versions: Mapped[list[PolicyTermsVersion]] = relationship(
        back_populates="policy", order_by="PolicyTermsVersion.effective_on", cascade="all, delete-orphan"
    )
    insured: Mapped[list[InsuredEntity]] = relationship(back_populates="policy", cascade="all, delete-orphan")


class InsuredEntity(TenantOwned, Base):
    """An entity whose sales a policy insures."""

    __tablename__ = "insured_entity"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "policy_id"], ["policy.organisation_id", "policy.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(["organisation_id", "entity_id"], ["entity.organisation_id", "entity.id"]),
        UniqueConstraint("organisation_id", "policy_id", "entity_id"),
    )

    id: Mapped[key]
    policy_id: Mapped[int] = mapped_column(BigId)
    entity_id: Mapped[int] = mapped_column(BigId)
    policy: Mapped[Policy] = relationship(back_populates="insured")


class PolicyTermsVersion(TenantOwned, Base):
    """The terms of a policy from a day on; ``data`` is read by ``insureflow.domain.policies.parse_terms``."""

    __tablename__ = "policy_terms_version"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "policy_id"], ["policy.organisation_id", "policy.id"], ondelete="CASCADE"),
        UniqueConstraint("organisation_id", "policy_id", "effective_on"),
        Index(None, "organisation_id", "policy_id"),
    )

    id: Mapped[key]
    policy_id: Mapped[int] = mapped_column(BigId)
    effective_on: Mapped[date]
    data: Mapped[dict[str, Any]] = mapped_column(Json)
    note: Mapped[str] = mapped_column(String(1000), default="")
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    policy: Mapped[Policy] = relationship(back_populates="versions")

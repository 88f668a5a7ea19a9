"""Work for people: what somebody should do, by when, and who does it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from insureflow.models.base import Base, BigId, Json, TenantOwned, key


class WorkItem(TenantOwned, Base):
    """One piece of work. ``cause`` names what made it, so that the same event makes it once; ``facts`` fill its sentence."""

    __tablename__ = "work_item"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "buyer_id"], ["buyer.organisation_id", "buyer.id"]),
        ForeignKeyConstraint(["organisation_id", "policy_id"], ["policy.organisation_id", "policy.id"]),
        UniqueConstraint("organisation_id", "kind", "cause"),
        Index(None, "organisation_id", "done_at", "due_on"),
        Index(None, "organisation_id", "buyer_id"),
    )

    id: Mapped[key]
    kind: Mapped[str] = mapped_column(String(60))
    cause: Mapped[str] = mapped_column(String(120))
    buyer_id: Mapped[int | None] = mapped_column(BigId)
    policy_id: Mapped[int | None] = mapped_column(BigId)
    due_on: Mapped[date | None]
    facts: Mapped[dict[str, Any]] = mapped_column(Json)
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    created_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    done_by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    outcome: Mapped[str] = mapped_column(String(40), default="")
    note: Mapped[str] = mapped_column(String(1000), default="")

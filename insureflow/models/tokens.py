"""Keys that let other systems in."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from insureflow.models.base import Base, BigId, Json, key


class ApiToken(Base):
    """A key of a person for one organisation. Only its hash is kept; ``hint`` are its first characters, to tell keys apart.

    ``scopes`` narrow what its owner may do; it never allows more than the owner's role. It belongs to no tenant's scope, because
    the organisation is known only after it was found.
    """

    __tablename__ = "api_token"
    __table_args__ = (UniqueConstraint("sha256"),)

    id: Mapped[key]
    organisation_id: Mapped[int] = mapped_column(BigId, ForeignKey("organisation.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(120))
    hint: Mapped[str] = mapped_column(String(12))
    sha256: Mapped[str] = mapped_column(String(64))
    scopes: Mapped[list[Any]] = mapped_column(Json)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

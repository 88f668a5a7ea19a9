"""Exchange rates an organisation entered by hand, beside the published ones."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from insureflow.models.base import Base, TenantOwned, currency_code, key


class ManualRate(TenantOwned, Base):
    """``rate`` units of ``quote`` for one unit of ``base`` from ``valid_on`` on, until the next entry of the pair."""

    __tablename__ = "manual_rate"
    __table_args__ = (UniqueConstraint("organisation_id", "base", "quote", "valid_on"), Index(None, "organisation_id", "quote"))

    id: Mapped[key]
    base: Mapped[currency_code]
    quote: Mapped[currency_code]
    valid_on: Mapped[date]
    rate: Mapped[Decimal]
    source: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))


class SavedView(TenantOwned, Base):
    """A filtered list somebody keeps under a name."""

    __tablename__ = "saved_view"
    __table_args__ = (UniqueConstraint("organisation_id", "user_id", "page", "name"),)

    id: Mapped[key]
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"))
    page: Mapped[str] = mapped_column(String(60))
    name: Mapped[str] = mapped_column(String(120))
    query: Mapped[str] = mapped_column(String(2000))

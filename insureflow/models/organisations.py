"""Organisations, their entities, people and what they may do."""

from __future__ import annotations

from datetime import datetime

from flask_security.models import sqla
from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column, relationship

from insureflow.domain.access import Role as MemberRole
from insureflow.models.base import Base, BigId, TenantOwned, country_code, currency_code, key, vocabulary

sqla.FsModels.set_db_info(base_model=Base, user_table_name="app_user", role_table_name="app_role")  # type: ignore[no-untyped-call]  # the mixin comes without types


class Organisation(Base):
    """The tenant: an exporter's group, or one client of a broker."""

    __tablename__ = "organisation"

    id: Mapped[key]
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    name: Mapped[str]
    reporting_currency: Mapped[currency_code]
    locale: Mapped[str] = mapped_column(String(20), default="en")
    time_zone: Mapped[str] = mapped_column(String(60), default="UTC")
    created_at: Mapped[datetime]


class Entity(TenantOwned, Base):
    """A legal entity of the organisation that sells and is insured; each has a ledger of its own."""

    __tablename__ = "entity"
    __table_args__ = (UniqueConstraint("organisation_id", "code"), UniqueConstraint("organisation_id", "id"))

    id: Mapped[key]
    code: Mapped[str] = mapped_column(String(40))
    name: Mapped[str]
    country: Mapped[country_code]
    currency: Mapped[currency_code]
    created_at: Mapped[datetime]


class Role(Base, sqla.FsRoleMixin):
    """Flask-Security's role table; what people may do is decided per organisation by ``Membership``."""

    __tablename__ = "app_role"

    #: The mixin's own writes an instant without a zone, which no column here takes.
    update_datetime: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())


class User(Base, sqla.FsUserMixin):
    """A person who can log in."""

    __tablename__ = "app_user"

    name: Mapped[str] = mapped_column(String(200), default="")
    locale: Mapped[str | None] = mapped_column(String(20))
    #: As for roles.
    update_datetime: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())
    memberships: Mapped[list[Membership]] = relationship(back_populates="user", lazy="selectin")


class Membership(Base):
    """The role of a person in one organisation.

    Not tenant-owned in the sense of the scope: it is read before a scope can be entered, always by its user.
    """

    __tablename__ = "membership"
    __table_args__ = (UniqueConstraint("organisation_id", "user_id"), Index(None, "user_id"))

    id: Mapped[key]
    organisation_id: Mapped[int] = mapped_column(BigId, ForeignKey("organisation.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"))
    role: Mapped[MemberRole] = mapped_column(vocabulary(MemberRole, "role"))
    user: Mapped[User] = relationship(back_populates="memberships")
    organisation: Mapped[Organisation] = relationship(lazy="joined")

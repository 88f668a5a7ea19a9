"""Buyers: who owes the price, under which names and numbers they are known."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from insureflow.domain.buyers import AddressKind, BuyerStatus, IdentifierScheme, NameKind, NotInsurable
from insureflow.models.base import Base, BigId, TenantOwned, country_code, key, vocabulary


class Buyer(TenantOwned, Base):
    """A legal entity that buys on credit."""

    __tablename__ = "buyer"
    __table_args__ = (
        UniqueConstraint("organisation_id", "id"),
        ForeignKeyConstraint(["organisation_id", "parent_id"], ["buyer.organisation_id", "buyer.id"]),
        Index(None, "organisation_id", "search_name"),
        Index(None, "organisation_id", "country"),
        Index(None, "organisation_id", "parent_id"),
        CheckConstraint("parent_id IS NULL OR parent_id <> id", name="not_own_parent"),
    )

    id: Mapped[key]
    legal_name: Mapped[str] = mapped_column(String(300))
    search_name: Mapped[str] = mapped_column(String(300))
    country: Mapped[country_code]
    language: Mapped[str | None] = mapped_column(String(20))
    sector: Mapped[str | None] = mapped_column(String(10))
    status: Mapped[BuyerStatus] = mapped_column(vocabulary(BuyerStatus, "status"))
    not_insurable: Mapped[NotInsurable | None] = mapped_column(vocabulary(NotInsurable, "not_insurable"))
    natural_person: Mapped[bool] = mapped_column(default=False)
    parent_id: Mapped[int | None] = mapped_column(BigId)
    created_at: Mapped[datetime]

    names: Mapped[list[BuyerName]] = relationship(back_populates="buyer", cascade="all, delete-orphan")
    identifiers: Mapped[list[BuyerIdentifier]] = relationship(back_populates="buyer", cascade="all, delete-orphan")
    addresses: Mapped[list[BuyerAddress]] = relationship(back_populates="buyer", cascade="all, delete-orphan")
    accounts: Mapped[list[CustomerNumber]] = relationship(back_populates="buyer", cascade="all, delete-orphan")
    insurer_identities: Mapped[list[InsurerIdentity]] = relationship(back_populates="buyer", cascade="all, delete-orphan")
    parent: Mapped[Buyer | None] = relationship(
        remote_side="Buyer.id", primaryjoin="foreign(Buyer.parent_id) == remote(Buyer.id)", viewonly=True
    )


class _OfBuyer(TenantOwned):
    """What belongs to one buyer and goes with it."""


class BuyerName(_OfBuyer, Base):
    """Another name a buyer goes by."""

    __tablename__ = "buyer_name"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "buyer_id"], ["buyer.organisation_id", "buyer.id"], ondelete="CASCADE"),
        UniqueConstraint("organisation_id", "buyer_id", "kind", "name"),
    )

    id: Mapped[key]
    buyer_id: Mapped[int] = mapped_column(BigId)
    kind: Mapped[NameKind] = mapped_column(vocabulary(NameKind, "kind"))
    name: Mapped[str] = mapped_column(String(300))
    search_name: Mapped[str] = mapped_column(String(300))
    buyer: Mapped[Buyer] = relationship(back_populates="names")


class BuyerIdentifier(_OfBuyer, Base):
    """A registration, VAT or LEI number; ``checked`` says whether its form was verified."""

    __tablename__ = "buyer_identifier"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "buyer_id"], ["buyer.organisation_id", "buyer.id"], ondelete="CASCADE"),
        UniqueConstraint("organisation_id", "scheme", "country", "value"),
        Index(None, "organisation_id", "buyer_id"),
    )

    id: Mapped[key]
    buyer_id: Mapped[int] = mapped_column(BigId)
    scheme: Mapped[IdentifierScheme] = mapped_column(vocabulary(IdentifierScheme, "scheme"))
    country: Mapped[country_code]
    value: Mapped[str] = mapped_column(String(60))
    checked: Mapped[bool] = mapped_column(default=False)
    buyer: Mapped[Buyer] = relationship(back_populates="identifiers")


class BuyerAddress(_OfBuyer, Base):
    """An address of a buyer."""

    __tablename__ = "buyer_address"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "buyer_id"], ["buyer.organisation_id", "buyer.id"], ondelete="CASCADE"),
        Index(None, "organisation_id", "buyer_id"),
    )

    id: Mapped[key]
    buyer_id: Mapped[int] = mapped_column(BigId)
    kind: Mapped[AddressKind] = mapped_column(vocabulary(AddressKind, "kind"))
    street: Mapped[str] = mapped_column(String(300), default="")
    postal_code: Mapped[str] = mapped_column(String(20), default="")
    city: Mapped[str] = mapped_column(String(120), default="")
    region: Mapped[str] = mapped_column(String(120), default="")
    country: Mapped[country_code]
    buyer: Mapped[Buyer] = relationship(back_populates="addresses")


class CustomerNumber(_OfBuyer, Base):
    """The number under which an entity's ledger knows a buyer."""

    __tablename__ = "customer_number"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "buyer_id"], ["buyer.organisation_id", "buyer.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(["organisation_id", "entity_id"], ["entity.organisation_id", "entity.id"]),
        UniqueConstraint("organisation_id", "entity_id", "number"),
        Index(None, "organisation_id", "buyer_id"),
    )

    id: Mapped[key]
    entity_id: Mapped[int] = mapped_column(BigId)
    buyer_id: Mapped[int] = mapped_column(BigId)
    number: Mapped[str] = mapped_column(String(60))
    buyer: Mapped[Buyer] = relationship(back_populates="accounts")


class InsurerIdentity(_OfBuyer, Base):
    """The number under which an insurer knows a buyer."""

    __tablename__ = "insurer_identity"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "buyer_id"], ["buyer.organisation_id", "buyer.id"], ondelete="CASCADE"),
        UniqueConstraint("organisation_id", "insurer", "number"),
        Index(None, "organisation_id", "buyer_id"),
    )

    id: Mapped[key]
    buyer_id: Mapped[int] = mapped_column(BigId)
    insurer: Mapped[str] = mapped_column(String(60))
    number: Mapped[str] = mapped_column(String(60))
    buyer: Mapped[Buyer] = relationship(back_populates="insurer_identities")

"""What all tables share: naming of constraints, column types, and the mark of a tenant-owned table."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

from sqlalchemy import JSON, BigInteger, Date, DateTime, Dialect, Enum, ForeignKey, Integer, MetaData, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column, registry
from sqlalchemy.types import TypeDecorator

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

#: The end of an interval that is still open: later than any date the trade writes, and comparable in SQL.
FOREVER = date(9999, 12, 31)


class UTCDateTime(TypeDecorator[datetime]):
    """An instant in UTC. SQLite drops the zone of a timestamp; this type puts it back and refuses naive values."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store UTC."""
        del dialect
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("naive datetime")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give back UTC with its zone."""
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class ExactDecimal(TypeDecorator[Decimal]):
    """A rate or percentage kept digit by digit as text, because SQLite would turn a number into a float."""

    impl = String(40)
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:
        """Store plain notation without exponent."""
        del dialect
        return None if value is None else format(value, "f")

    def process_result_value(self, value: str | None, dialect: Dialect) -> Decimal | None:
        """Give back the exact decimal."""
        del dialect
        return None if value is None else Decimal(value)


BigId = BigInteger().with_variant(Integer, "sqlite")
#: None is no value at all in the database, never the JSON word ``null``, so that ``IS NULL`` finds it.
Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")

key = Annotated[int, mapped_column(BigId, primary_key=True)]
minor = Annotated[int, mapped_column(BigId)]
optional_minor = Annotated[int | None, mapped_column(BigId)]
currency_code = Annotated[str, mapped_column(String(3))]
country_code = Annotated[str, mapped_column(String(2))]


class Base(DeclarativeBase):
    """The declarative base of every table."""

    registry = registry(
        metadata=MetaData(naming_convention=NAMING),
        type_annotation_map={
            datetime: UTCDateTime(),
            Decimal: ExactDecimal(),
            date: Date(),
            dict[str, Any]: Json,
            list[Any]: Json,
            str: String(200),
            int: BigId,
        },
    )


class TenantOwned:
    """Mixin of every table that belongs to one organisation; ``models.scope`` narrows every query on it."""

    @declared_attr
    @classmethod
    def organisation_id(cls) -> Mapped[int]:
        """The organisation that owns the row."""
        return mapped_column(BigId, ForeignKey("organisation.id"), sort_order=-9)


def vocabulary(values: type[StrEnum], name: str, length: int = 40) -> Enum:
    """Column type for a closed list of words, guarded by a named check constraint on both databases."""
    return Enum(
        values,
        name=name,
        native_enum=False,
        create_constraint=True,
        length=length,
        values_callable=lambda members: [m.value for m in members],
    )

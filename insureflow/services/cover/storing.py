"""Writing many derived rows at once, as fast as each database takes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Date, insert
from sqlalchemy import column as lightweight_column
from sqlalchemy import table as lightweight_table
from sqlalchemy.orm import Session

from insureflow.models.base import Base, ExactDecimal


def insert_rows(session: Session, model: type[Base], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows of plain values (numbers, texts, dates, decimals, None) in the order of ``columns``.

    The rows must carry the organisation they belong to. JSON values come as text. PostgreSQL takes them as a stream (COPY),
    SQLite as one prepared statement.
    """
    connection = session.connection()
    table = model.__tablename__
    if connection.dialect.name == "postgresql":
        driver: Any = connection.connection.driver_connection
        names = ", ".join(f'"{name}"' for name in columns)
        with driver.cursor() as cursor, cursor.copy(f'COPY "{table}" ({names}) FROM STDIN') as copy:
            for row in rows:
                copy.write_row(row)
        return
    statement = insert(lightweight_table(table, *map(lightweight_column, columns)))
    compiled = str(statement.compile(dialect=connection.dialect))
    prepared = list(_with_texts(rows, [position for position, name in enumerate(columns) if _is_kept_as_text(model, name)]))
    if prepared:
        connection.exec_driver_sql(compiled, prepared)


def _is_kept_as_text(model: type[Base], column: str) -> bool:
    return isinstance(model.__table__.columns[column].type, Date | ExactDecimal)


def _with_texts(rows: Iterable[Sequence[Any]], positions: Sequence[int]) -> Iterator[tuple[Any, ...]]:
    texts = _Texts()
    for row in rows:
        values = list(row)
        for position in positions:
            values[position] = texts[values[position]]
        yield tuple(values)


class _Texts(dict[Any, Any]):
    """Dates and decimals as SQLite keeps them, each written once; texts and None stay what they are."""

    def __missing__(self, value: Any) -> Any:
        text = value
        if isinstance(value, date):
            text = value.isoformat()
        elif isinstance(value, Decimal):
            text = format(value, "f")
        self[value] = text
        return text

"""Writing many derived rows at once, as fast as each database takes them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import column as lightweight_column
from sqlalchemy import insert
from sqlalchemy import table as lightweight_table
from sqlalchemy.orm import Session

from insureflow.models.base import Base


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
    texts = _Texts()
    prepared = [tuple([texts[value] if type(value) in _AS_TEXT else value for value in row]) for row in rows]
    if prepared:
        connection.exec_driver_sql(compiled, prepared)


_AS_TEXT = frozenset({date, Decimal})


class _Texts(dict[Any, str]):
    """Dates and decimals as SQLite keeps them, each written once."""

    def __missing__(self, value: Any) -> str:
        text = value.isoformat() if isinstance(value, date) else format(value, "f")
        self[value] = text
        return text

"""Writing many derived rows at once, as fast as each database takes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from itertools import islice
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Date, Integer, insert
from sqlalchemy import column as lightweight_column
from sqlalchemy import table as lightweight_table
from sqlalchemy.orm import Session

from insureflow.models.base import Base, ExactDecimal

#: Rows of plain values (numbers, texts, dates, decimals, None) for a table, in the order of the columns named. JSON comes as text.
Parcel = tuple[type[Base], Sequence[str], Iterable[Sequence[Any]]]

#: Rows brought into the form of the database at a time.
_PORTION = 2000

#: One column of some rows, brought into the form of the database.
_Converter = Callable[[Iterable[Any]], Iterable[Any]]


def insert_rows(session: Session, model: type[Base], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows of plain values in the order of ``columns``; see ``Parcel``.

    The rows must carry the organisation they belong to. PostgreSQL takes them as a stream (COPY), SQLite as one prepared statement.
    """
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        _copy(connection.connection.driver_connection, model, columns, _copy_texts(model, columns, rows))
        return
    statement = insert(lightweight_table(model.__tablename__, *map(lightweight_column, columns)))
    prepared = [row for portion in _portions(rows) for row in _converted(portion, [_as_sqlite(model, name) for name in columns])]
    if prepared:
        connection.exec_driver_sql(str(statement.compile(dialect=connection.dialect)), prepared)


class RowWriter:
    """Writes parcels of rows while the caller works out the next ones.

    PostgreSQL takes and checks rows in a process of its own, so the caller need not stand by. From ``write`` until ``wait`` the
    caller leaves the connection alone. SQLite works inside this process: there the rows are written at once.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        is_apart = session.connection().dialect.name == "postgresql"
        self._thread = ThreadPoolExecutor(1, "rows") if is_apart else None
        self._pending: Future[None] | None = None

    def __enter__(self) -> Self:
        """Ready to write."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Everything is written; after an error of the caller what was on its way is let finish, so that the connection is free."""
        if self._thread is not None:
            self._thread.shutdown()
        if kind is None:
            self.wait()

    def write(self, parcels: Iterable[Parcel]) -> None:
        """Write these rows, after all given before."""
        if self._thread is None:
            for model, columns, rows in parcels:
                insert_rows(self._session, model, columns, rows)
            return
        self.wait()
        texts = [(model, columns, list(_copy_texts(model, columns, rows))) for model, columns, rows in parcels]
        driver = self._session.connection().connection.driver_connection
        self._pending = self._thread.submit(_copy_all, driver, [parcel for parcel in texts if parcel[2]])

    def wait(self) -> None:
        """Come back when everything given so far is written. Errors: whatever the database refused."""
        pending, self._pending = self._pending, None
        if pending is not None:
            pending.result()


def _copy_all(driver: Any, parcels: Iterable[tuple[type[Base], Sequence[str], Iterable[str]]]) -> None:
    for model, columns, texts in parcels:
        _copy(driver, model, columns, texts)


def _copy(driver: Any, model: type[Base], columns: Sequence[str], texts: Iterable[str]) -> None:
    names = ", ".join(f'"{name}"' for name in columns)
    with driver.cursor() as cursor, cursor.copy(f'COPY "{model.__tablename__}" ({names}) FROM STDIN') as copy:
        for text in texts:
            copy.write(text)


def _copy_texts(model: type[Base], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """The rows as PostgreSQL reads them from a stream, many in one text."""
    converters = [_as_copied(model, name) for name in columns]
    for portion in _portions(rows):
        yield "\n".join(map("\t".join, _converted(portion, converters))) + "\n"


def _portions(rows: Iterable[Sequence[Any]]) -> Iterator[list[Sequence[Any]]]:
    iterator = iter(rows)
    while portion := list(islice(iterator, _PORTION)):
        yield portion


def _converted(rows: list[Sequence[Any]], converters: Sequence[_Converter | None]) -> Iterator[tuple[Any, ...]]:
    """The rows with every column converted; column by column, because that spares a step for each value."""
    columns = zip(*rows, strict=True)
    return zip(*(column if convert is None else convert(column) for column, convert in zip(columns, converters, strict=True)), strict=True)


def _as_sqlite(model: type[Base], name: str) -> _Converter | None:
    """How a column becomes what SQLite keeps; None where it is that already."""
    is_kept_as_text = isinstance(model.__table__.columns[name].type, Date | ExactDecimal)
    return _each(_Texts().__getitem__) if is_kept_as_text else None


def _as_copied(model: type[Base], name: str) -> _Converter:
    """How a column becomes text in a stream; each column has texts of its own, because 1 and True would find the same one."""
    column = model.__table__.columns[name]
    return _each(str if isinstance(column.type, Integer) and not column.nullable else _CopiedTexts().__getitem__)


def _each(convert: Callable[[Any], Any]) -> _Converter:
    return lambda values: map(convert, values)


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


class _CopiedTexts(dict[Any, str]):
    r"""Values as a stream carries them, each written once: ``\N`` for None, the signs that end a value or a row with a stroke before."""

    def __missing__(self, value: Any) -> str:
        if value is None:
            text = r"\N"
        elif isinstance(value, str):
            text = value.translate(_ESCAPES)
        elif isinstance(value, Decimal):
            text = format(value, "f")
        else:
            text = str(value)  # dates as ISO writes them, True and False, numbers
        self[value] = text
        return text


_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})

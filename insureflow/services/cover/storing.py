"""Writing many rows at once, as fast as each database takes them, and beside the work on the next ones."""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from functools import lru_cache, partial
from itertools import islice
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection, Date, Integer, event
from sqlalchemy.orm import Session

from insureflow.models.base import Base, ExactDecimal

#: Rows of plain values (numbers, texts, dates, decimals, None) for a table, in the order of the columns named. JSON comes as text.
Parcel = tuple[type[Base], Sequence[str], Iterable[Sequence[Any]]]

#: Rows brought into the form of the database at a time.
_PORTION = 2000

#: Rows of one statement on SQLite. Many are cheaper than one by one, and other Python code goes on while a statement runs.
_STATEMENT = 1000

#: Texts of one stream to PostgreSQL, when others are made meanwhile.
_TEXTS = 10

#: Portions on their way at most: what waits to be written takes memory.
_MOST_WAITING = 8

#: One column of some rows, brought into the form of the database.
_Converter = Callable[[Iterable[Any]], Iterable[Any]]

#: Puts one portion of rows, in the form of the database, into it.
_Work = Callable[[], object]


def insert_rows(session: Session, model: type[Base], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows of plain values in the order of ``columns``; see ``Parcel``.

    The rows must carry the organisation they belong to. PostgreSQL takes them as a stream (COPY), SQLite in statements of many.
    """
    connection = session.connection()
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == "postgresql":
        _copy(driver, model, columns, _copy_texts(model, columns, rows))
        return
    for work in _sqlite_statements(driver, model, columns, rows):
        work()


def renew_statistics(session: Session, *models: type[Base]) -> None:
    """Tell PostgreSQL what has been put into the tables in bulk; until it knows, it looks rows up as if the tables were empty.

    A table that somebody else is looking through just now is left to them: waiting for the table would be waiting for the whole work
    of another organisation.
    """
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("ANALYZE (SKIP_LOCKED) " + ", ".join(f'"{model.__tablename__}"' for model in models))


class RowWriter:
    """Writes parcels of rows while the caller works out the next ones.

    PostgreSQL works in a process of its own, and SQLite lets go of the interpreter while it takes a statement of many rows: a
    thread stands by for either. Whatever else is asked of the connection meanwhile waits until all that was given is written.
    """

    def __init__(self, session: Session) -> None:
        self._connection: Connection = session.connection()
        self._thread = ThreadPoolExecutor(1, "rows")
        self._pending: deque[Future[object]] = deque()

    def __enter__(self) -> Self:
        """Ready to write."""
        event.listen(self._connection, "before_cursor_execute", self._let_finish)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Everything is written; after an error of the caller what was on its way is let finish, so that the connection is free."""
        event.remove(self._connection, "before_cursor_execute", self._let_finish)
        self._thread.shutdown()
        if kind is None:
            self.wait()

    def write(self, parcels: Iterable[Parcel]) -> None:
        """Write these rows, after all given before. Errors: whatever the database has refused by now."""
        driver: Any = self._connection.connection.driver_connection
        for model, columns, rows in parcels:
            for work in self._works(driver, model, columns, rows):
                if len(self._pending) >= _MOST_WAITING:
                    self._pending.popleft().result()
                self._pending.append(self._thread.submit(work))

    def wait(self) -> None:
        """Come back when everything given so far is written. Errors: whatever the database refused."""
        while self._pending:
            self._pending.popleft().result()

    def _works(self, driver: Any, model: type[Base], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[_Work]:
        if self._connection.dialect.name != "postgresql":
            yield from _sqlite_statements(driver, model, columns, rows)
            return
        texts = _copy_texts(model, columns, rows)
        while some := list(islice(texts, _TEXTS)):
            yield partial(_copy, driver, model, columns, some)

    def _let_finish(self, *_statement: object) -> None:
        self.wait()


def _sqlite_statements(
    driver: sqlite3.Connection, model: type[Base], columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> Iterator[_Work]:
    """The statements that insert the rows, one after the other; the rows are in the form of the database when one is given."""
    converters = [_as_sqlite(model, name) for name in columns]
    width = len(columns)
    most = min(_STATEMENT, driver.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER) // width)
    for portion in _portions(rows, most):
        values: list[Any] = [None] * (width * len(portion))
        for place, (column, convert) in enumerate(zip(zip(*portion, strict=True), converters, strict=True)):
            values[place::width] = column if convert is None else convert(column)
        yield partial(driver.execute, _insert_of(model.__tablename__, tuple(columns), len(portion)), values)


@lru_cache(maxsize=64)
def _insert_of(table: str, columns: tuple[str, ...], rows: int) -> str:
    names = ", ".join(f'"{name}"' for name in columns)
    row = f"({', '.join('?' * len(columns))})"
    return f'INSERT INTO "{table}" ({names}) VALUES {", ".join([row] * rows)}'  # noqa: S608 (tables and columns of ours)


def _copy(driver: Any, model: type[Base], columns: Sequence[str], texts: Iterable[str]) -> None:
    names = ", ".join(f'"{name}"' for name in columns)
    with driver.cursor() as cursor, cursor.copy(f'COPY "{model.__tablename__}" ({names}) FROM STDIN') as copy:
        for text in texts:
            copy.write(text)


def _copy_texts(model: type[Base], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """The rows as PostgreSQL reads them from a stream, many in one text."""
    converters = [_as_copied(model, name) for name in columns]
    for portion in _portions(rows, _PORTION):
        converted = (convert(column) for column, convert in zip(zip(*portion, strict=True), converters, strict=True))
        yield "\n".join(map("\t".join, zip(*converted, strict=True))) + "\n"


def _portions(rows: Iterable[Sequence[Any]], size: int) -> Iterator[list[Sequence[Any]]]:
    iterator = iter(rows)
    while portion := list(islice(iterator, size)):
        yield portion


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

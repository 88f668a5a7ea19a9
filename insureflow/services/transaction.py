"""The unit of work: one use case, one transaction, one journal entry. Nothing outside the services commits.

An organisation has one writer at a time, on both databases: who changes its books holds the organisation first, before anything is
read or locked, and until the end. Nobody then waits for somebody who waits for them, and cover is never worked out from half of what
two people change at once.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from flask import has_request_context
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from insureflow.domain.errors import Refusal
from insureflow.models.database import db
from insureflow.models.organisations import Organisation
from insureflow.models.scope import within

_OPEN = "insureflow.unit_of_work"

#: So many seconds somebody at a page, or a program that called, waits for another writer; work nobody looks at waits longer.
PATIENCE_OF_A_PAGE = 20.0
PATIENCE_OF_WORK = 600.0

#: What PostgreSQL says where somebody else was in the way: no serial order, deadlock, lock not given in time.
_IN_THE_WAY = frozenset({"40001", "40P01", "55P03"})


class _Turns:
    """The writers of this process, one after the other in the order they came: SQLite alone would take whoever asks at the right moment."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._is_taken = False
        self._waiting: deque[threading.Event] = deque()

    @contextmanager
    def take(self, patience: float) -> Iterator[None]:
        """Wait for the turn and keep it while the block lasts. Errors: ``Refusal`` ``books_busy`` where it does not come in time."""
        mine = threading.Event()
        with self._guard:
            if self._is_taken:
                self._waiting.append(mine)
            else:
                self._is_taken = True
                mine.set()
        if not mine.wait(patience):
            with self._guard:
                if not mine.is_set():
                    self._waiting.remove(mine)
                    raise Refusal("books_busy")
        try:
            yield
        finally:
            with self._guard:
                if self._waiting:
                    self._waiting.popleft().set()
                else:
                    self._is_taken = False


_turns = _Turns()


@contextmanager
def transaction(organisation_id: int | None = None, *, patience: float | None = None) -> Iterator[Session]:
    """Begin a unit of work that writes, in the scope of one organisation, and commit it when the block ends well.

    It waits for the writer before it, for ``patience`` seconds at most. Inside another unit of work it joins that one: the outermost
    block alone commits. On any error everything is undone. Errors: ``Refusal`` ``books_busy`` where somebody else was in the way.
    """
    session = db.session()
    scope = within(organisation_id) if organisation_id is not None else nullcontext()
    if _OPEN in session.info:
        with scope:
            hold(session, organisation_id)
            yield session
            session.flush()
        return
    if session.in_transaction():
        session.rollback()  # ends a transaction that only read, so that this one can begin as a writer
    seconds = patience if patience is not None else _patience()
    with _turns.take(seconds) if session.get_bind().dialect.name == "sqlite" else nullcontext():
        session.info[_OPEN] = set()
        try:
            with scope:
                _begin(session, seconds)
                hold(session, organisation_id)
                yield session
                session.flush()
            session.commit()
        except BaseException as error:
            session.rollback()
            if is_busy(error):
                raise Refusal("books_busy") from error
            raise
        finally:
            session.info.pop(_OPEN, None)


def hold(session: Session, organisation_id: int | None) -> None:
    """Hold an organisation until the running unit of work ends: nobody else writes its books meanwhile.

    On PostgreSQL its row is locked in the one strength that leaves others free to refer to it; on SQLite a unit of work is the only
    writer from its begin.
    """
    held: set[int] = session.info[_OPEN]
    if organisation_id is None or organisation_id in held:
        return
    session.execute(select(Organisation.id).where(Organisation.id == organisation_id).with_for_update(key_share=True))
    held.add(organisation_id)


def _patience() -> float:
    return PATIENCE_OF_A_PAGE if has_request_context() else PATIENCE_OF_WORK


def _begin(session: Session, patience: float) -> None:
    milliseconds = round(patience * 1000)
    connection = session.connection(execution_options={"writes": True, "patience": milliseconds})
    if connection.dialect.name == "postgresql":
        session.execute(text("SELECT set_config('lock_timeout', :milliseconds, true)"), {"milliseconds": str(milliseconds)})


def is_busy(error: BaseException) -> bool:
    """True for an error of either database that says no more than that somebody else was in the way."""
    origin = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(origin, sqlite3.OperationalError):
        return origin.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
    return getattr(origin, "sqlstate", None) in _IN_THE_WAY

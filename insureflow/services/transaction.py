"""The unit of work: one use case, one transaction, one journal entry. Nothing outside the services commits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from sqlalchemy.orm import Session

from insureflow.models.database import db
from insureflow.models.scope import within

_OPEN = "insureflow.unit_of_work"


@contextmanager
def transaction(organisation_id: int | None = None) -> Iterator[Session]:
    """Begin a unit of work that writes, in the scope of one organisation, and commit it when the block ends well.

    Inside another unit of work it joins that one: the outermost block alone commits. On any error everything is undone.
    """
    session = db.session()
    scope = within(organisation_id) if organisation_id is not None else nullcontext()
    if session.info.get(_OPEN):
        with scope:
            yield session
            session.flush()
        return
    if session.in_transaction():
        session.rollback()  # ends a transaction that only read, so that this one can begin as a writer
    session.connection(execution_options={"writes": True})
    session.info[_OPEN] = True
    try:
        with scope:
            yield session
            session.flush()
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        session.info.pop(_OPEN, None)

"""One import of an entity's ledger at a time, across processes and machines."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from insureflow.domain.errors import Refusal
from insureflow.models.database import db
from insureflow.models.organisations import Entity

#: The first number of the advisory lock, so that it is told apart from other locks of the product.
_LOCK_SPACE = 0x1F5C


@contextmanager
def only_import_of(entity: Entity) -> Iterator[None]:
    """Hold the right to import for one entity while the block lasts. Errors: ``Refusal`` ``import_running`` if another holds it.

    Entered before the unit of work of the import, so that the second import is refused at once instead of waiting. A process that
    dies gives the right back, however it dies.
    """
    url = db.engine.url
    if url.get_backend_name() == "sqlite":
        folder = Path(str(url.database)).parent if url.database else Path.cwd()
        with (folder / f"import-{entity.id}.lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Refusal("import_running", entity=entity.name) from None
            yield
        return
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection, Session(connection) as session:
        if not session.scalar(select(func.pg_try_advisory_lock(_LOCK_SPACE, entity.id % 2**31))):
            raise Refusal("import_running", entity=entity.name)
        try:
            yield
        finally:
            session.scalar(select(func.pg_advisory_unlock(_LOCK_SPACE, entity.id % 2**31)))

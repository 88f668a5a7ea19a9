"""How migrations run: on the application's own engine, in batches on SQLite, one transaction each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from alembic import context
from flask import current_app
from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql

import insureflow.models  # noqa: F401 (fills the metadata)
from insureflow.models.base import Base, ExactDecimal, UTCDateTime
from insureflow.models.database import db

config = context.config


def render_item(kind: str, item: object, autogen_context: object) -> str | bool:
    if kind == "type" and isinstance(item, UTCDateTime | ExactDecimal):
        autogen_context.imports.add("from insureflow.models.base import ExactDecimal, UTCDateTime")  # type: ignore[attr-defined]  # Alembic's own object
        return f"{type(item).__name__}()"
    if kind == "type" and isinstance(item, postgresql.JSONB):
        return "postgresql.JSONB()"
    if kind == "type" and type(item).__name__ == "AsaList":
        return "sa.UnicodeText()"
    return False


def run_migrations() -> None:
    given = config.attributes.get("connection")
    if given is not None:
        _run(given)
        return
    with db.engine.connect() as connection, _children_kept(connection):
        _run(connection)


@contextmanager
def _children_kept(connection: Connection) -> Iterator[None]:
    """Keep foreign keys off while SQLite rebuilds tables: a table that is dropped takes the rows with it that belong to its own.

    SQLite hears of it outside a transaction alone.
    """
    if connection.dialect.name != "sqlite":
        yield
        return
    driver: Any = connection.connection.driver_connection
    driver.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        connection.rollback()
        driver.execute("PRAGMA foreign_keys=ON")


def _run(connection: object) -> None:
    options = dict(current_app.extensions["migrate"].configure_args)
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_item=render_item,
        transaction_per_migration=True,
        **options,
    )
    with context.begin_transaction():
        context.run_migrations()


run_migrations()

"""The database extension, and how each engine behaves when a connection is opened."""

from __future__ import annotations

import sqlite3
from typing import Any

import psycopg
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, Engine, event

from insureflow.models.base import Base

db = SQLAlchemy(model_class=Base, disable_autonaming=True, session_options={"autoflush": False, "expire_on_commit": False})

#: So long SQLite waits for another writer where nothing else is said.
_BUSY_MILLISECONDS = 15_000

SQLITE_PRAGMAS = (
    "PRAGMA foreign_keys=ON",
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=NORMAL",
    f"PRAGMA busy_timeout={_BUSY_MILLISECONDS}",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA cache_size=-65536",
)


@event.listens_for(Engine, "connect")
def _prepare(dbapi_connection: Any, _record: Any) -> None:
    """Let SQLAlchemy, not the driver, decide when a transaction begins; otherwise savepoints leak on SQLite.

    PostgreSQL is not to compile statements: they are wide and run for a fraction of a second, which compiling takes alone.
    """
    if isinstance(dbapi_connection, sqlite3.Connection):
        dbapi_connection.isolation_level = None
        for pragma in SQLITE_PRAGMAS:
            dbapi_connection.execute(pragma)
    elif isinstance(dbapi_connection, psycopg.Connection):
        dbapi_connection.autocommit = True  # the setting is the connection's, not that of a unit of work
        dbapi_connection.execute("SET jit = off")
        dbapi_connection.autocommit = False


@event.listens_for(Engine, "begin")
def _begin_sqlite(connection: Connection) -> None:
    """Begin a unit of work that will write as a writer at once: upgrading a reader fails under load.

    ``patience``: so many milliseconds it waits for the writer before it.
    """
    if connection.dialect.name == "sqlite":
        options = connection.get_execution_options()
        driver: Any = connection.connection.driver_connection
        driver.execute(f"PRAGMA busy_timeout={options.get('patience', _BUSY_MILLISECONDS)}")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("writes") else "BEGIN")

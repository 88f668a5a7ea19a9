"""Databases for the tests: migrated once per run, cloned once per worker, emptied after each test.

The template is built by the real migrations. A worker clones it (a file copy for SQLite, ``CREATE DATABASE … TEMPLATE`` for
PostgreSQL) and after each test brings its clone back to the state of the template, so code under test may commit, open
connections of its own and use threads like in the product.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import flask_migrate
import psycopg
from flask import Flask
from support import postgres

import config

KINDS = ("sqlite", "postgresql")
#: The day on which the demo of the tests stands.
DEMO_DAY = date(2026, 11, 22)
_SEED = "seed_of_tests"
_cleaners: dict[str, psycopg.Connection[tuple[object, ...]]] = {}


def _bringing_back(schema: str) -> str:
    """Brings every table and every counter back to what was put aside in a schema; most tables are empty there."""
    return f"""
DO $$
DECLARE
    entry record;
    filled boolean;
BEGIN
    FOR entry IN SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'alembic_version' LOOP
        EXECUTE format('SELECT EXISTS (SELECT 1 FROM public.%I)', entry.name) INTO filled;
        IF filled THEN
            EXECUTE format('DELETE FROM public.%I', entry.name);
        END IF;
    END LOOP;
    FOR entry IN SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = '{schema}'::regnamespace LOOP
        EXECUTE format('INSERT INTO public.%I SELECT * FROM {schema}.%I', entry.name, entry.name);
    END LOOP;
    FOR entry IN SELECT now.sequencename AS name, now.start_value AS start, kept.last_value AS last
                 FROM pg_sequences now LEFT JOIN {schema}.counters kept USING (sequencename)
                 WHERE now.schemaname = 'public' AND (now.last_value IS NOT NULL OR kept.last_value IS NOT NULL) LOOP
        PERFORM setval(format('public.%I', entry.name), coalesce(entry.last, entry.start), entry.last IS NOT NULL);
    END LOOP;
END $$
"""


def _putting_aside(schema: str) -> str:
    """Copies every filled table, and where the counters stand, into a schema."""
    return f"""
DO $$
DECLARE
    entry record;
    filled boolean;
BEGIN
    CREATE SCHEMA {schema};
    FOR entry IN SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'alembic_version' LOOP
        EXECUTE format('SELECT EXISTS (SELECT 1 FROM public.%I)', entry.name) INTO filled;
        IF filled THEN
            EXECUTE format('CREATE TABLE {schema}.%I AS TABLE public.%I', entry.name, entry.name);
        END IF;
    END LOOP;
    CREATE MATERIALIZED VIEW {schema}.counters AS
        SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL;
END $$
"""


@dataclass(frozen=True, slots=True)
class Database:
    """One database of one worker; ``kind`` is ``sqlite`` or ``postgresql``."""

    kind: str
    url: str

    @property
    def path(self) -> Path:
        """The file of an SQLite database."""
        return Path(self.url.removeprefix("sqlite:///"))


def settings_for(url: str, instance: Path) -> config.Config:
    """Testing settings on this database."""
    settings = config.load({"INSUREFLOW_ENVIRONMENT": "testing", "INSUREFLOW_INSTANCE": str(instance), "INSUREFLOW_DATABASE_URL": url})
    assert isinstance(settings, config.TestingConfig)
    return settings


def libpq(url: str) -> str:
    """The address as the PostgreSQL driver itself reads it."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


def _named(url: str, name: str) -> str:
    """The same server, another database."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"/{name}"))


def upgraded(app: Flask, revision: str = "head") -> None:
    """Runs the migrations up to a revision."""
    with app.app_context():
        flask_migrate.upgrade(revision=revision)


def _migrate(url: str, folder: Path) -> None:
    from insureflow.app import create_app
    from insureflow.models.database import db

    app = create_app(settings_for(url, folder / "template-instance"))
    upgraded(app)
    with app.app_context():
        db.engine.dispose()


def template(folder: Path, kind: str) -> Database:
    """The migrated, otherwise untouched database of the run; built by whoever asks first. Nobody works in it."""
    with postgres.only_one(folder, f"template-{kind}"):
        record = folder / f"template-{kind}.url"
        if not record.exists():
            if kind == "sqlite":
                url = _own_folder(folder).url
                _migrate(url, folder)
            else:
                server = postgres.server_url(folder)
                name = f"insureflow_{secrets.token_hex(4)}_template"
                with psycopg.connect(libpq(server), autocommit=True) as connection:
                    connection.execute(f'CREATE DATABASE "{name}"')
                url = _named(server, name)
                _migrate(url, folder)
                with psycopg.connect(libpq(url), autocommit=True) as connection:
                    connection.execute(_putting_aside(_SEED))
            record.write_text(url, encoding="utf-8")
        return Database(kind, record.read_text(encoding="utf-8"))


def drop_templates(folder: Path) -> None:
    """Removes what ``template`` has built, from a server that outlives the run."""
    for kind in KINDS:
        record = folder / f"template-{kind}.url"
        if record.exists():
            drop(folder, Database(kind, record.read_text(encoding="utf-8")))
            record.unlink()


def clone(folder: Path, kind: str) -> Database:
    """A database of its own, in the state of the template."""
    source = template(folder, kind)
    if kind == "sqlite":
        copy = _own_folder(folder)
        _copy(source.path, copy.path)
        return copy
    name = f"insureflow_{secrets.token_hex(6)}"
    with psycopg.connect(libpq(postgres.server_url(folder)), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{urlsplit(source.url).path.strip("/")}"')
    return Database(kind, _named(source.url, name))


def empty(folder: Path, kind: str) -> Database:
    """A database without any table, for tests of the migrations and of the first start."""
    if kind == "sqlite":
        return _own_folder(folder)
    server = postgres.server_url(folder)
    name = f"insureflow_{secrets.token_hex(6)}"
    with psycopg.connect(libpq(server), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return Database(kind, _named(server, name))


def drop(folder: Path, database: Database) -> None:
    """Removes a database; connections that a test forgot are cut."""
    if database.kind == "sqlite":
        shutil.rmtree(database.path.parent)
        return
    kept = _cleaners.pop(database.url, None)
    if kept is not None:
        kept.close()
    with psycopg.connect(libpq(postgres.server_url(folder)), autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{urlsplit(database.url).path.strip("/")}" WITH (FORCE)')


def reset(folder: Path, database: Database) -> None:
    """Brings a clone back to the state of the template. Nobody may be connected to an SQLite clone."""
    if database.kind == "sqlite":
        _replace(folder, database, template(folder, "sqlite").path)
    else:
        _cleaner(database.url).execute(_bringing_back(_SEED))


def keep(folder: Path, database: Database, name: str) -> None:
    """Puts the state of a clone aside under a name. Nobody may be connected to an SQLite clone."""
    if database.kind == "sqlite":
        _copy(database.path, _kept(folder, database, name))
    else:
        _cleaner(database.url).execute(_putting_aside(f"kept_{name}"))


def bring_back(folder: Path, database: Database, name: str) -> None:
    """Brings a clone to the state that ``keep`` has put aside. Nobody may be connected to an SQLite clone."""
    if database.kind == "sqlite":
        _replace(folder, database, _kept(folder, database, name))
    else:
        _cleaner(database.url).execute(_bringing_back(f"kept_{name}"))


def _kept(folder: Path, database: Database, name: str) -> Path:
    return folder / f"{database.path.parent.name}-{name}.db"


def _replace(folder: Path, database: Database, source: Path) -> None:
    drop(folder, database)
    database.path.parent.mkdir()
    _copy(source, database.path)


def _cleaner(url: str) -> psycopg.Connection[tuple[object, ...]]:
    """A connection kept for emptying: a new one would spend five times the work on getting to know the tables."""
    if url not in _cleaners:
        connection = psycopg.connect(libpq(url), autocommit=True)
        connection.execute("SET lock_timeout = '10s'")
        connection.execute("SET session_replication_role = replica")  # no foreign keys and no append-only guards while emptying
        _cleaners[url] = connection
    return _cleaners[url]


def _own_folder(folder: Path) -> Database:
    """A place for an SQLite database, with room beside it for the locks and notes the product keeps there."""
    own = folder / secrets.token_hex(6)
    own.mkdir()
    return Database("sqlite", f"sqlite:///{own / 'insureflow.db'}")


def _copy(source: Path, target: Path) -> None:
    if Path(f"{source}-wal").exists() and Path(f"{source}-wal").stat().st_size:
        message = f"{source.name} has an unwritten log: a connection to the template is still open"
        raise RuntimeError(message)
    shutil.copyfile(source, target)


@contextmanager
def demo(folder: Path) -> Iterator[Database]:
    """A copy of an SQLite database with the demo organisation in it, loaded by whoever asks first and gone after the block."""
    from insureflow.app import create_app
    from insureflow.models.database import db
    from insureflow.services.demo import load_demo

    with postgres.only_one(folder, "demo"):
        record = folder / "demo.url"
        if not record.exists():
            source = clone(folder, "sqlite")
            app = create_app(settings_for(source.url, folder / "template-instance"))
            with app.app_context():
                load_demo(DEMO_DAY)
                db.session.remove()
                db.engine.dispose()
            record.write_text(source.url, encoding="utf-8")
    copy = _own_folder(folder)
    _copy(Path(record.read_text(encoding="utf-8").removeprefix("sqlite:///")), copy.path)
    try:
        yield copy
    finally:
        drop(folder, copy)


@contextmanager
def temporary(folder: Path, kind: str) -> Iterator[Database]:
    """A clone that is gone after the block."""
    database = clone(folder, kind)
    try:
        yield database
    finally:
        drop(folder, database)

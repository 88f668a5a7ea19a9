"""The migrations form one numbered line, and lead to exactly what the models say, up and down, on both databases."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import alembic.command
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from support import databases
from support.databases import Database
from support.tree import ROOT
from support.twins import make_twin, rows_of

from insureflow.app import create_app
from insureflow.models.database import db

MIGRATIONS = ROOT / "migrations"


@pytest.fixture(params=databases.KINDS)
def empty_app(request: pytest.FixtureRequest, run_folder: Path, tmp_path: Path) -> Iterator[Flask]:
    database: Database = databases.empty(run_folder, request.param)
    app = create_app(databases.settings_for(database.url, tmp_path))
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    databases.drop(run_folder, database)


def script() -> ScriptDirectory:
    return ScriptDirectory(str(MIGRATIONS))


def configuration(app: Flask) -> Config:
    migrate = app.extensions["migrate"].migrate
    config: Config = migrate.get_config(str(MIGRATIONS))
    return config


def tables() -> set[str]:
    return set(sa.inspect(db.engine).get_table_names()) - {"alembic_version"}


def differences() -> list[object]:
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "render_as_batch": True})
        return list(compare_metadata(context, db.metadata))


def test_there_is_one_head_and_the_files_are_numbered_along_the_line() -> None:
    revisions = list(reversed(list(script().walk_revisions())))
    assert len(script().get_heads()) == 1
    for number, revision in enumerate(revisions, 1):
        name = Path(revision.path).name
        assert re.fullmatch(rf"{number:04d}_[a-z0-9_]+\.py", name), f"{name} should begin with {number:04d}_"
        assert not isinstance(revision.down_revision, tuple)


def test_every_migration_goes_up_and_down_and_up_again(empty_app: Flask) -> None:
    with empty_app.app_context():
        config = configuration(empty_app)
        states: list[set[str]] = [tables()]
        revisions = [revision.revision for revision in reversed(list(script().walk_revisions()))]
        for revision in revisions:
            alembic.command.upgrade(config, revision)
            states.append(tables())
        assert differences() == []
        for revision, expected in zip(reversed(["base", *revisions[:-1]]), reversed(states[:-1]), strict=True):
            alembic.command.downgrade(config, revision)
            assert tables() == expected
        alembic.command.upgrade(config, "head")
        assert differences() == []


def test_widening_the_reasons_of_a_notice_keeps_it_and_all_that_belongs_to_it(empty_app: Flask) -> None:
    databases.upgraded(empty_app)
    twin = make_twin(empty_app, "KEPTMARK", seed=4_141_411)
    notice = sa.table("notice", sa.column("id"), sa.column("reason"))

    def give(reason: str) -> None:
        with db.engine.begin() as connection:
            connection.execute(sa.update(notice).values(reason=reason))

    with empty_app.app_context():
        give("unknown")
        before = rows_of(empty_app, twin.tenant.id)
        assert before["notice"]
        assert before["notice_invoice"]
        assert before["notice_dispatch"]
        give("trade_restrictions")
        config = configuration(empty_app)
        alembic.command.downgrade(config, "0009")
        assert rows_of(empty_app, twin.tenant.id) == before
        with pytest.raises(sa.exc.IntegrityError):
            give("economy")
        alembic.command.upgrade(config, "head")
        assert rows_of(empty_app, twin.tenant.id) == before
        give("economy")
        with db.engine.connect() as connection:
            checks = {each["name"] for each in sa.inspect(connection).get_check_constraints("notice")}
            if connection.dialect.name == "sqlite":
                assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        assert checks >= {f"ck_notice_{name}" for name in ("kind", "state", "reason", "channel", "reply_outcome")}


def test_what_belongs_to_an_organisation_puts_it_first_in_its_keys() -> None:
    from insureflow.models.base import TenantOwned

    owned = [mapper for mapper in db.Model.registry.mappers if issubclass(mapper.class_, TenantOwned)]
    assert len(owned) > 5
    wrong = []
    for mapper in owned:
        table = mapper.local_table
        assert isinstance(table, sa.Table)
        keys: list[sa.UniqueConstraint | sa.Index] = [
            constraint for constraint in table.constraints if isinstance(constraint, sa.UniqueConstraint)
        ]
        keys += [index for index in table.indexes if index.unique]
        wrong += [f"{table.name}: {key.name}" for key in keys if next(iter(key.columns)).name != "organisation_id"]
    assert wrong == []


def test_every_amount_and_rate_is_exact() -> None:
    inexact = [
        f"{table.name}.{column.name}: {column.type}"
        for table in db.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, sa.Float)
    ]
    assert inexact == []


def test_every_constraint_has_a_name() -> None:
    nameless = [
        f"{table.name}: {constraint}"
        for table in db.metadata.tables.values()
        for constraint in table.constraints
        if not constraint.name and list(constraint.columns)
    ]
    assert nameless == []

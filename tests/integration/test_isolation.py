"""The tests' own ground: what one test commits, the next does not find, on either database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from support.databases import Database

from insureflow.models.database import db
from insureflow.models.organisations import Organisation
from insureflow.services import jobs
from insureflow.services.journal import Actor
from insureflow.services.organisations import add_organisation


@pytest.mark.parametrize("time", [1, 2])
def test_a_committed_organisation_is_gone_in_the_next_test(session: Session, time: int) -> None:
    assert session.scalar(select(func.count()).select_from(Organisation)) == 0
    made = add_organisation(Actor(None, "test"), f"Harbour {time}", reporting_currency="EUR")
    assert made.id == 1, "keys begin anew as well"
    assert jobs.begin_run("night", "2026-11-22") == 1


def test_both_databases_are_what_they_say(app: Flask, database: Database) -> None:
    with app.app_context():
        assert db.engine.dialect.name == database.kind
        if database.kind == "postgresql":
            assert db.session.scalar(text("SHOW server_encoding")) == "UTF8"
        else:
            assert db.session.scalar(text("PRAGMA foreign_keys")) == 1


def test_guards_of_the_database_are_on_in_tests(organisation: Any, app: Flask) -> None:
    """Emptying a clone switches guards off for its own connection alone."""
    with app.app_context(), pytest.raises(DBAPIError, match="append-only"):
        db.session.execute(text("UPDATE journal_entry SET action = 'x'"))


@pytest.mark.parametrize("time", [1, 2])
def test_what_is_kept_for_later_tests_comes_back_as_it_was(app: Flask, keeping: Callable[..., Any], time: int) -> None:
    """Whatever a test has done with it since, and the keys go on where they stopped."""

    def make() -> list[int]:
        with app.app_context():
            return [add_organisation(Actor(None, "test"), f"Quay {number}", reporting_currency="EUR").id for number in (1, 2)]

    keys = keeping("quays", make)
    assert keys == [1, 2]
    keys.append(time)
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Organisation)) == 2
        assert add_organisation(Actor(None, "test"), f"Harbour {time}", reporting_currency="EUR").id == 3

"""The journal cannot be changed without anybody noticing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from insureflow.models.database import db

Invoke = Callable[..., Any]


@pytest.fixture
def filled(invoke: Invoke) -> None:
    """An organisation with five entries in its journal, and another one beside it."""
    for name in ("One", "Two"):
        assert invoke("organisation", "add", name, "--currency", "EUR").exit_code == 0
    for code in "ABCD":
        assert invoke("entity", "add", code, f"Entity {code}", "-o", "one", "--country", "DE", "--currency", "EUR").exit_code == 0


@contextmanager
def without_guard(app: Flask) -> Iterator[Any]:
    """A connection of somebody who has the rights to switch the guard of the database off."""
    with app.app_context(), db.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("ALTER TABLE journal_entry DISABLE TRIGGER ALL"))
            yield connection
            connection.execute(text("ALTER TABLE journal_entry ENABLE TRIGGER ALL"))
        else:
            triggers = connection.execute(
                text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'journal_entry'")
            ).all()
            assert triggers, "the journal is not guarded"
            for name, _sql in triggers:
                connection.execute(text(f"DROP TRIGGER {name}"))
            yield connection
            for _name, sql in triggers:
                connection.execute(text(sql))


@pytest.mark.parametrize(
    "statement",
    ["UPDATE journal_entry SET actor = 'somebody else'", "DELETE FROM journal_entry", "DELETE FROM journal_entry WHERE sequence = 5"],
)
def test_the_database_refuses_to_change_the_journal(filled: None, app: Flask, statement: str) -> None:
    with app.app_context():
        with pytest.raises(DatabaseError, match="append-only"), db.engine.begin() as connection:
            connection.execute(text(statement))
        with db.engine.connect() as connection:
            assert connection.execute(text("SELECT count(*) FROM journal_entry WHERE actor = 'command line'")).scalar() == 6


def test_an_untouched_journal_is_sound(filled: None, invoke: Invoke) -> None:
    result = invoke("journal", "verify", "--format", "json")
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert [(each["organisation"], each["entries"], each["sound"]) for each in found] == [("one", 5, True), ("two", 1, True)]
    assert all(len(each["last_hash"]) == 64 for each in found)


@pytest.mark.parametrize(
    ("statement", "faults"),
    [
        ("UPDATE journal_entry SET actor = 'nobody' WHERE sequence = 3", {(3, "altered")}),
        ("DELETE FROM journal_entry WHERE sequence = 3", {(3, "missing")}),
        ("UPDATE journal_entry SET previous_hash = hash WHERE sequence = 4", {(4, "altered"), (4, "chain_broken")}),
        ("UPDATE journal_entry SET hash = previous_hash WHERE sequence = 2", {(2, "altered"), (3, "chain_broken")}),
    ],
)
def test_every_kind_of_tampering_is_found(filled: None, invoke: Invoke, app: Flask, statement: str, faults: set[tuple[int, str]]) -> None:
    with without_guard(app) as connection:
        assert connection.execute(text(statement)).rowcount == 1
    result = invoke("journal", "verify", "--organisation", "one", "--format", "json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert {(fault["sequence"], fault["kind"]) for fault in found[0]["faults"]} == faults
    words = invoke("journal", "verify")
    assert words.exit_code == 1
    assert f"one: entry {min(faults)[0]}: " in words.stdout
    assert "two: all 1 entries are as they were written" in words.stdout


def test_what_happened_is_listed_newest_first(filled: None, invoke: Invoke) -> None:
    listed = json.loads(invoke("journal", "list", "-o", "one", "--last", "2", "--format", "json").stdout)
    assert [(each["sequence"], each["action"], each["subject"]) for each in listed] == [
        (5, "entity.added", "Entity D"),
        (4, "entity.added", "Entity C"),
    ]
    assert listed[0]["after"] == {"code": "D", "name": "Entity D", "country": "DE", "currency": "EUR"}
    assert "Entity D" in invoke("journal", "list", "-o", "one").stdout

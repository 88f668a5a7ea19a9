"""The journal in the browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask
from sqlalchemy import text
from support.pages import PageClient
from support.tenants import TESTER, Tenant

from insureflow.domain.access import Role
from insureflow.models.database import db
from insureflow.services import organisations
from insureflow.web.journal import changes_of


def test_every_change_is_listed_with_before_and_after(client: PageClient, login: Callable[..., Any], organisation: Tenant) -> None:
    login(client, Role.AUDITOR)
    page = client.get("/journal/").text
    assert "organisation added" in page
    assert "entity added" in page
    assert "Nordic Pumps SE01" in page
    narrowed = client.get("/journal/?action=entity.added").text
    assert "Nordic Pumps SE01" in narrowed
    assert "sales@nordic-pumps.example" not in narrowed.partition("<main")[2]
    with client.get("/journal/?format=csv") as exported:
        assert "entity added" in exported.text or "entity.added" in exported.text
    entry = client.get("/journal/2").text
    assert "SE01" in entry
    assert "SEK" in entry
    assert client.get("/journal/999").status_code == 404


def test_the_check_tells_what_it_found(client: PageClient, login: Callable[..., Any], app: Flask, organisation: Tenant) -> None:
    login(client, Role.CREDIT_MANAGER)
    assert "entries are as they were written" in client.get("/journal/verification").text
    with app.app_context(), db.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("ALTER TABLE journal_entry DISABLE TRIGGER ALL"))
        else:
            for name in (
                connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'journal_entry'"))
                .scalars()
                .all()
            ):
                connection.execute(text(f"DROP TRIGGER {name}"))
        connection.execute(text("UPDATE journal_entry SET subject = 'somebody' WHERE sequence = 3"))
        if connection.dialect.name == "postgresql":
            connection.execute(text("ALTER TABLE journal_entry ENABLE TRIGGER ALL"))
    page = client.get("/journal/verification").text
    assert "The journal was tampered with." in page
    assert "Entry 3: its content was changed after it was written." in page


def test_the_journal_of_another_organisation_is_not_there(
    client: PageClient, login: Callable[..., Any], app: Flask, organisation: Tenant, make_organisation: Callable[..., Tenant]
) -> None:
    other = make_organisation("Other House")
    with app.app_context():
        for number in range(20):
            organisations.add_entity(TESTER, other.id, code=f"S{number}", name="Secret entity", country="DE", currency="EUR")
    login(client, Role.AUDITOR)
    assert "Secret" not in client.get("/journal/?size=250").text
    assert client.get("/journal/25").status_code == 404


def test_who_may_not_read_the_journal_does_not(client: PageClient, login: Callable[..., Any], organisation: Tenant) -> None:
    for role in (Role.SALES, Role.MANAGEMENT, Role.CREDIT_ANALYST):
        login(client, role)
        for address in ("/journal/", "/journal/1", "/journal/verification"):
            assert client.get(address).status_code == 403


def test_before_and_after_are_told_value_by_value(app: Flask) -> None:
    with app.test_request_context():
        changes = changes_of({"terms": {"a": {"days": 60}, "gone": True}}, {"terms": {"a": {"days": 45}, "list": ["DE", "FR"]}, "note": ""})
    assert [(change.name, change.before, change.after) for change in changes] == [
        ("Terms of the policy – a – days", "60", "45"),
        ("Terms of the policy – list", None, "DE, FR"),
        ("Remark", None, "–"),
        ("Terms of the policy – gone", "yes", None),
    ]

"""Who may do what, tried on every address of the product: the table of roles and permissions is the only truth."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
import time_machine
from flask import Blueprint, Flask
from support import databases
from support.pages import PageClient
from support.tenants import PASSWORD, log_in, make_tenant
from support.twins import TODAY, Twin, make_twin, rows_of
from support.walking import Route, addresses, filled, is_open, routes

from insureflow import web
from insureflow.app import create_app
from insureflow.domain.access import CHANGING, PERMISSIONS, Permission, Role
from insureflow.models.database import db
from insureflow.web import access

#: What a person who may change nothing may still do: about the own log-in, saved views, keys and questions alone.
OWN_SETTINGS = {
    "security.login",
    "security.verify",
    "security.logout",
    "security.change_password",
    "saved_views.save",
    "saved_views.delete",
    "tokens.add",
    "tokens.end",
    "telling.mark_read",
    "telling.change_settings",
    "telling.open_feed",
    "telling.end_feed",
    "shipping.decide",
    "shipping.release",
    "shipping.invoiced",
}
#: What comes from outside and carries its own proof of where it comes from.
FROM_OUTSIDE = {"pushes.receive", "telling.feed"}
ONE_KIND = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
HEADERS = {
    "Content-Security-Policy": ("default-src 'self'", "default-src 'none'"),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}


@pytest.fixture
def twin(app: Flask) -> Twin:
    with time_machine.travel(TODAY):
        return make_twin(app, "CCCMARK", seed=5_151_519)


def keys_of(app: Flask, twin: Twin) -> dict[str, list[int]]:
    rows = rows_of(app, twin.tenant.id)
    return {
        **twin.keys,
        "app_user": [login.user_id for login in twin.tenant.logins.values()],
        "membership": [row[0] for row in rows["membership"]],
    }


def somebody(app: Flask, twin: Twin, role: Role | None) -> PageClient:
    client = app.test_client()
    assert isinstance(client, PageClient)
    client.check_pages = False
    if role is not None:
        log_in(client, twin.tenant, role)
    return client


def denial_of(route: Route) -> int:
    """What a session is told that may not do something: the API takes changes from keys alone, so there it is nobody."""
    return 401 if route.rule.rule.startswith("/api/") and route.method != "GET" else 403


def with_logins(app: Flask) -> list[Route]:
    """Every route that is not open to the whole world."""
    return [route for route in routes(app) if route.permission != "public"]


@ONE_KIND
def test_every_address_answers_as_the_table_says(app: Flask, twin: Twin) -> None:
    """For each role: 403 where the table denies the permission, and nothing is changed by asking.

    That each role is shown all that the table gives it is seen where every role walks its pages (tenants/test_pages.py).
    """
    keys = keys_of(app, twin)
    before = rows_of(app, twin.tenant.id)
    wrong: list[str] = []
    for role in Role:
        client = somebody(app, twin, role)
        for route in with_logins(app):
            if is_open(route) or route.permission in PERMISSIONS[role]:
                continue
            for address in addresses(app, route, keys):
                answer = client.open(address, method=route.method, data={"reason": "x", "note": "x"}, buffered=True)
                if answer.status_code != denial_of(route):
                    wrong.append(f"{role} {route.method} {address}: {answer.status_code}, but {route.permission} is not given")
    assert not wrong, "\n".join(wrong)
    assert rows_of(app, twin.tenant.id) == before
    client = somebody(app, twin, Role.ADMINISTRATOR)
    for route in with_logins(app):
        if route.method != "GET":
            answer = client.open(filled(app, route, keys), method=route.method, data={}, buffered=True)
            if answer.status_code == 403 or answer.status_code >= 500:
                wrong.append(f"administrator {route}: {answer.status_code}")
    assert not wrong, "\n".join(wrong)


@ONE_KIND
def test_who_only_reads_can_change_nothing(app: Flask, twin: Twin) -> None:
    """What the table denies is tried above, request by request; here is tried what it gives: addresses that take keys alone."""
    keys = keys_of(app, twin)
    wrong: list[str] = []
    for role in (Role.AUDITOR, Role.MANAGEMENT, Role.SALES):
        client = somebody(app, twin, role)
        given = PERMISSIONS[role] - ({Permission.ASK_SHIPMENT} if role is Role.SALES else set())  # what this role is for
        for route in routes(app):
            if route.method in {"GET", "HEAD"} or route.endpoint in OWN_SETTINGS | FROM_OUTSIDE:
                continue
            if is_open(route) or route.permission in given:
                answer = client.open(filled(app, route, keys), method=route.method, data={"reason": "x", "note": "x"}, buffered=True)
                if answer.status_code != denial_of(route):
                    wrong.append(f"{role} {route}: {answer.status_code}")
    assert not wrong, "\n".join(wrong)


def test_the_table_gives_readers_nothing_that_changes() -> None:
    for role in (Role.AUDITOR, Role.MANAGEMENT, Role.SALES):
        assert not PERMISSIONS[role] & CHANGING
    assert {role for role in Role if Permission.REMOVE_LIMITS in PERMISSIONS[role]} == {Role.ADMINISTRATOR, Role.CREDIT_MANAGER}
    assert PERMISSIONS[Role.SALES] == {Permission.ASK_SHIPMENT}
    assert {
        permission
        for permission in Permission
        if permission.value.startswith(("edit", "remove", "request", "approve", "manage", "import", "send", "lift"))
    } == CHANGING


@ONE_KIND
def test_what_is_open_to_every_member_is_known_by_name(app: Flask) -> None:
    """A changing address for everybody is a decision; it is written down here as well."""
    assert {route.endpoint for route in routes(app) if route.method != "GET" and is_open(route)} <= OWN_SETTINGS | FROM_OUTSIDE


@ONE_KIND
def test_nobody_is_sent_to_the_log_in(app: Flask, twin: Twin) -> None:
    keys = keys_of(app, twin)
    before = rows_of(app, twin.tenant.id)
    client = somebody(app, twin, None)
    wrong = []
    for route in with_logins(app):
        answer = client.open(filled(app, route, keys), method=route.method, data={}, buffered=True)
        sent_away = answer.status_code == 401 if route.rule.rule.startswith("/api/") else answer.status_code == 302
        if not sent_away or not (answer.location or "/login").startswith("/login"):
            wrong.append(f"{route}: {answer.status_code}")
    assert not wrong, "\n".join(wrong)
    assert rows_of(app, twin.tenant.id) == before


@ONE_KIND
def test_a_change_without_its_token_is_refused(app: Flask, twin: Twin) -> None:
    keys = keys_of(app, twin)
    before = rows_of(app, twin.tenant.id)
    client = somebody(app, twin, Role.ADMINISTRATOR)
    client.sends_token = False
    answers = {
        str(route): client.open(filled(app, route, keys), method=route.method, data={"name": "x"}, buffered=True).status_code
        for route in routes(app)
        if route.method != "GET" and route.permission != "public"
    }
    answers["log-in"] = somebody_without_token(app).post("/login", data={"email": "a@b.example", "password": "x"}).status_code
    by_key_alone = {str(route): 401 for route in routes(app) if route.rule.rule.startswith("/api/")}
    assert {name: status for name, status in answers.items() if status != by_key_alone.get(name, 400)} == {}
    assert rows_of(app, twin.tenant.id) == before


def somebody_without_token(app: Flask) -> PageClient:
    client = app.test_client()
    assert isinstance(client, PageClient)
    client.sends_token = False
    return client


@ONE_KIND
def test_every_answer_carries_the_headers(app: Flask, twin: Twin) -> None:
    keys = keys_of(app, twin)
    missing: list[str] = []
    for role in (Role.ADMINISTRATOR, None):
        client = somebody(app, twin, role)
        answers = [(str(route), client.get(filled(app, route, keys), buffered=True)) for route in routes(app, "GET")]
        answers += [("unknown", client.get("/no/such/page")), ("wrong method", client.put("/login"))]
        for name, answer in answers:
            missing += [f"{name}: {header}" for header, start in HEADERS.items() if not answer.headers.get(header, "").startswith(start)]
            if "unsafe" in answer.headers["Content-Security-Policy"]:
                missing.append(f"{name}: the content policy has a hole")
            if role is not None and "no-store" not in answer.headers.get("Cache-Control", "") and "healthz" not in name:
                missing.append(f"{name}: may be kept by a cache")
    assert missing == []


@pytest.fixture
def talkative(run_folder: Path, tmp_path: Path) -> Iterator[Flask]:
    """An application that logs all it can."""
    kept = structlog.get_config()
    with databases.temporary(run_folder, "sqlite") as database:
        app = create_app(dataclasses.replace(databases.settings_for(database.url, tmp_path), log_level="DEBUG"))
        app.test_client_class = PageClient
        yield app
        with app.app_context():
            db.engine.dispose()
    structlog.configure(**kept)


@pytest.mark.parametrize("right", [True, False])
def test_no_password_reaches_a_log(
    talkative: Flask, right: bool, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Whether the log-in succeeds or fails, whether the password is right, in the wrong field or in the address."""
    caplog.set_level(0)
    secret = PASSWORD if right else "quite another secret"
    login = make_tenant(talkative, roles=(Role.CREDIT_MANAGER,)).logins[Role.CREDIT_MANAGER]
    client = talkative.test_client()
    answer = client.post("/login", data={"email": login.email, "password": secret})
    assert (answer.status_code == 302) is right
    client.post("/login", data={"email": secret, "password": secret})
    client.get("/", query_string={"password": secret, "token": secret})
    client.get("/login", query_string={"next": "/", "password": secret})
    client.post("/account/password", data={"password": secret + "?", "new_password": secret + "!", "new_password_confirm": secret})
    with client.session_transaction() as session:
        token = str(session.get("csrf_token"))
    captured = capfd.readouterr()
    written = captured.out + captured.err + caplog.text
    assert "path=/login" in written, "the log was listened to"
    for hidden in (secret, secret.replace(" ", "+"), secret.replace(" ", "%20"), token, str(talkative.secret_key), "$argon2"):
        assert hidden not in written


def test_an_application_with_a_forgotten_route_does_not_start(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages are registered with the real application; one of them has a view without a declaration."""
    forgotten = Blueprint("forgotten", __name__)
    forgotten.add_url_rule("/forgotten", "page", lambda: "everybody may see this")
    register = web.register

    def register_more(app: Flask) -> None:
        register(app)
        app.register_blueprint(forgotten)

    monkeypatch.setattr(web, "register", register_more)
    with pytest.raises(RuntimeError, match=r"forgotten\.page"):
        create_app(databases.settings_for("sqlite:///:memory:", tmp_path))


def test_a_declaration_is_found_on_functions_and_classes(tmp_path: Any) -> None:
    app = create_app(databases.settings_for("sqlite:///:memory:", tmp_path))
    undeclared = [rule.endpoint for rule in app.url_map.iter_rules() if access.declared_permission(app, rule.endpoint) is None]
    assert undeclared == []

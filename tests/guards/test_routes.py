"""Every address says who may use it, and nobody gets past that without being somebody."""

from __future__ import annotations

import pytest
from flask import Flask
from support import databases
from support.pages import PageClient
from werkzeug.routing import Rule

from insureflow.app import create_app
from insureflow.domain.access import Permission
from insureflow.web import access


def plain_app() -> Flask:
    """An application that is only looked at; its database is never opened."""
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        return create_app(databases.settings_for("sqlite:///:memory:", Path(folder)))


def rules(app: Flask) -> list[Rule]:
    return [rule for rule in app.url_map.iter_rules() if rule.endpoint != "static"]


def test_every_route_declares_a_permission() -> None:
    app = plain_app()
    declared = {rule.endpoint: access.declared_permission(app, rule.endpoint) for rule in rules(app)}
    assert len(declared) > 5
    assert [endpoint for endpoint, permission in declared.items() if permission not in {*Permission, access.MEMBER, "public"}] == []


def test_an_application_with_an_undeclared_route_does_not_start() -> None:
    app = plain_app()
    app.add_url_rule("/forgotten", "forgotten", lambda: "everybody may see this")
    with pytest.raises(RuntimeError, match="forgotten"):
        access.require_declared_permissions(app)


def test_what_is_open_to_everybody_is_known_by_name() -> None:
    """A new public address is a decision: it is written down here as well."""
    app = plain_app()
    public = {rule.endpoint for rule in app.url_map.iter_rules() if access.declared_permission(app, rule.endpoint) == "public"}
    assert public <= {
        "static",
        "security.static",
        "security.login",
        "security.logout",
        "security.verify",
        "health.healthz",
        "health.readyz",
        "api-docs.openapi_json",
        "pushes.receive",
        "telling.feed",
    }


def _fitting(rule: Rule, name: str) -> object:
    """A value that the place of an address takes: the first of a closed list, else a number."""
    choices = getattr(rule._converters[name], "items", None)
    return min(choices) if choices else 1


def test_nobody_gets_an_answer_without_being_somebody(app: Flask, client: PageClient) -> None:
    answered = []
    for rule in rules(app):
        if access.declared_permission(app, rule.endpoint) == "public":
            continue
        values = {name: _fitting(rule, name) for name in rule.arguments}
        with app.test_request_context():
            address = app.url_for(rule.endpoint, **values)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            answer = client.open(address, method=method)
            sent_away = answer.status_code in {401, 403} or (answer.status_code == 302 and "/login" in answer.location)
            if not sent_away:
                answered.append(f"{method} {address}: {answer.status_code}")
    assert answered == []

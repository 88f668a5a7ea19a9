"""A key of one organisation opens nothing of another, whichever address is asked with whichever number."""

from __future__ import annotations

import pytest
import time_machine
from flask import Flask
from support.twins import TODAY, Twin, make_twin, rows_of
from support.walking import Route, filled, mixtures, routes

OWN, OTHER = "AAAMARK", "BBBMARK"


@pytest.fixture
def twins(app: Flask) -> tuple[Twin, Twin]:
    with time_machine.travel(TODAY):
        return make_twin(app, OWN, seed=3_131_317), make_twin(app, OTHER, seed=8_686_867)


def api_routes(app: Flask) -> list[Route]:
    return [route for route in routes(app) if route.rule.rule.startswith("/api/") and route.permission != "public"]


def test_a_key_opens_its_own_organisation_alone(app: Flask, twins: tuple[Twin, Twin]) -> None:
    own, other = twins
    client = app.test_client()
    headers = {"Authorization": f"Bearer {own.secret}"}
    before = rows_of(app, other.tenant.id)
    wrong: list[str] = []
    with time_machine.travel(TODAY):
        for route in api_routes(app):
            answers = [(address, True) for address in mixtures(app, route, own.keys, other.keys)] if route.has_keys else []
            if route.method == "GET":
                answers.append((filled(app, route, own.keys), False))
            for address, is_foreign in answers:
                reply = client.open(address, method=route.method, headers=headers, json={} if route.method != "GET" else None)
                text = reply.get_data(as_text=True).casefold()
                if is_foreign and reply.status_code not in {404, 422}:
                    wrong.append(f"{route.method} {address}: {reply.status_code}, not 404")
                if reply.status_code >= 500 or OTHER.casefold() in text:
                    wrong.append(f"{route.method} {address}: {reply.status_code} tells of the other")
    assert wrong == []
    assert rows_of(app, other.tenant.id) == before

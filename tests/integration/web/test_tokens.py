"""The page of keys: shown once, each sees the own ones, administrators all."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from flask import Flask
from support.pages import PageClient
from support.tenants import log_in

from insureflow.domain.access import Role
from insureflow.services import tokens
from insureflow.services.clock import now


def _made(client: PageClient, **typed: Any) -> str:
    answer = client.post("/settings/keys/", data=typed)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    found = re.search(r'value="(ifk_[^"]+)"', answer.text)
    assert found
    return found[1]


def test_a_key_is_shown_once_works_and_ends(app: Flask, client: PageClient, organisation: Any) -> None:
    log_in(client, organisation, Role.SALES)
    assert "No key yet" in client.get("/settings/keys/").text
    until = (now() + timedelta(days=3)).date().isoformat()
    secret = _made(client, name="Shop", scopes="ask_shipment", until=until)
    page = client.get("/settings/keys/").text
    assert (secret in page, "Shop" in page, secret[:8] in page) == (False, True, True)
    other = app.test_client()
    assert other.get("/api/v1/me", headers={"Authorization": f"Bearer {secret}"}).json["permissions"] == ["ask_shipment"]  # type: ignore[index]
    for wrong in ({"name": ""}, {"name": "x", "scopes": "edit_limits"}, {"name": "x", "until": "2020-01-01"}):
        assert client.post("/settings/keys/", data=wrong).status_code == 422
    with app.app_context():
        ((token, _owner),) = tokens.list_tokens(organisation.id)
        token_id = token.id
        _mine, _secret = tokens.add_token(organisation.actor(), organisation.id, organisation.logins[Role.ADMINISTRATOR].user_id, "Boss")
        mine_id = _mine.id
    assert "Boss" not in client.get("/settings/keys/").text
    assert client.post(f"/settings/keys/{mine_id}/end").status_code == 404
    assert client.post(f"/settings/keys/{token_id}/end").status_code == 302
    assert "ended" in client.get("/settings/keys/").text
    assert other.get("/api/v1/me", headers={"Authorization": f"Bearer {secret}"}).status_code == 401
    log_in(client, organisation, Role.ADMINISTRATOR)
    page = client.get("/settings/keys/").text
    assert "Shop" in page
    assert "Boss" in page
    assert client.post(f"/settings/keys/{mine_id}/end").status_code == 302

"""Who comes in by the API, and how it says no."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from support.api import Caller
from support.pages import PageClient
from support.tenants import make_tenant

from insureflow.domain.access import Permission, Role
from insureflow.domain.errors import InvalidValue, Refusal
from insureflow.services import organisations, tokens
from insureflow.services.clock import now
from insureflow.services.journal import Actor

ACTOR = Actor(None, "test")
PASSWORD = "a long enough password"


def _member(app: Flask, role: Role = Role.CREDIT_ANALYST, slug: str = "acme", **key: object) -> tuple[int, int, int, str]:
    """Keys of an organisation, of a member with this role and of a token of theirs, and its secret."""
    with app.app_context():
        organisation = organisations.add_organisation(ACTOR, slug, reporting_currency="EUR")
        user = organisations.add_user(ACTOR, organisation.id, email=f"{role}@{slug}.example", name="", role=role, password=PASSWORD)
        token, secret = tokens.add_token(ACTOR, organisation.id, user.id, "till", **key)  # type: ignore[arg-type]  # what the test wants
        return organisation.id, user.id, token.id, secret


def _with(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def test_a_key_stands_for_its_owner_in_one_organisation(app: Flask) -> None:
    organisation_id, user_id, token_id, secret = _member(app)
    client = app.test_client()
    caller = client.get("/api/v1/me", headers=_with(secret))
    assert caller.status_code == 200
    assert caller.json is not None
    assert (caller.json["organisation"], caller.json["role"]) == ("acme", "credit_analyst")
    assert "ask_shipment" in caller.json["permissions"]
    assert "manage_organisation" not in caller.json["permissions"]
    assert client.get("/api/v1/me").status_code == 401
    for wrong in (secret[:-1], "ifk_" + "x" * 43, "", "something else"):
        refused = client.get("/api/v1/me", headers=_with(wrong))
        assert (refused.status_code, refused.mimetype) == (401, "application/problem+json")
        assert refused.headers["WWW-Authenticate"].startswith("Bearer")
    with app.app_context():
        ((kept, owner),) = tokens.list_tokens(organisation_id)
        assert kept.last_used_at is not None
        assert owner.id == user_id
        assert secret not in (kept.sha256, kept.hint)
        tokens.revoke_token(ACTOR, organisation_id, token_id)
    assert client.get("/api/v1/me", headers=_with(secret)).status_code == 401


def test_a_key_ends_on_its_day_and_never_allows_more_than_its_owner(app: Flask) -> None:
    ends = now() + timedelta(hours=1)
    organisation_id, user_id, token_id, secret = _member(app, scopes=[Permission.ASK_SHIPMENT], expires_at=ends)
    with app.app_context():
        bearer = tokens.find_bearer(secret, ends - timedelta(seconds=1))
        assert bearer is not None
        assert bearer.permissions == {Permission.ASK_SHIPMENT}
        assert tokens.find_bearer(secret, ends) is None
        with pytest.raises(InvalidValue, match="scope_beyond_role"):
            tokens.add_token(ACTOR, organisation_id, user_id, "more", scopes=[Permission.MANAGE_ORGANISATION])
        with pytest.raises(InvalidValue, match="expires_in_past"):
            tokens.add_token(ACTOR, organisation_id, user_id, "late", expires_at=now() - timedelta(days=1))
        with pytest.raises(InvalidValue, match="name_empty"):
            tokens.add_token(ACTOR, organisation_id, user_id, " ")
        other = organisations.add_organisation(ACTOR, "other", reporting_currency="EUR")
        with pytest.raises(Refusal, match="token_unknown"):
            tokens.revoke_token(ACTOR, other.id, token_id)
        with pytest.raises(Refusal, match="token_owner_unknown"):
            tokens.add_token(ACTOR, other.id, user_id, "elsewhere")


def test_a_session_reads_and_never_changes(app: Flask, client: PageClient) -> None:
    _member(app)
    client.post("/login", data={"email": "credit_analyst@acme.example", "password": PASSWORD})
    assert client.get("/api/v1/me").status_code == 200
    assert client.post("/api/v1/me").status_code == 405


def test_what_is_not_there_is_a_problem_and_not_a_page(app: Flask) -> None:
    *_keys, secret = _member(app)
    client = app.test_client()
    nothing = client.get("/api/v1/nothing", headers=_with(secret))
    assert (nothing.status_code, nothing.mimetype) == (404, "application/problem+json")
    wrong = client.delete("/api/v1/me", headers=_with(secret))
    assert (wrong.status_code, wrong.mimetype) == (405, "application/problem+json")
    assert "GET" in wrong.headers["Allow"]
    document = client.get("/api/v1/openapi.json").json
    assert document is not None
    assert document["openapi"] == "3.1.0"
    assert "/api/v1/me" in document["paths"]


def test_recurring_work_is_set_and_comes_as_declared_again(app: Flask) -> None:
    tenant = make_tenant(app, roles=(Role.ADMINISTRATOR, Role.AUDITOR))
    call = Caller(app, tenant)
    jobs = {job["job"]: job for job in call.get("/schedules", Role.AUDITOR)["items"]}
    assert (jobs["limits.sync"]["every_minutes"], jobs["limits.reconcile"]["every_minutes"]) == (5, None)
    assert call("POST", "/schedules/limits.sync", Role.AUDITOR, every_minutes=30)[0] == 403
    assert call.post("/schedules/limits.sync", every_minutes=30)["every_minutes"] == 30
    assert call("POST", "/schedules/limits.sync", every_minutes=1)[1]["code"] == "interval_out_of_bounds"
    assert call("POST", "/schedules/limits.sync", at="03:30")[0] == 422
    assert call.post("/schedules/limits.reconcile", at="03:30")["at"] == "03:30"
    assert call("POST", "/schedules/limits.reconcile", every_minutes=30)[0] == 422
    assert call("POST", "/schedules/journal.verify", is_enabled=False)[1]["code"] == "job_always_on"
    off = call.post("/schedules/limits.reconcile", is_enabled=False)
    assert (off["is_enabled"], off["next_at"]) == (False, None)
    again = call.post("/schedules/limits.reconcile/reset")
    assert (again["is_adjusted"], call.get("/schedules/limits.sync")["is_adjusted"]) == (False, True)
    assert call("POST", "/schedules/runs.trim/reset")[0] == 404

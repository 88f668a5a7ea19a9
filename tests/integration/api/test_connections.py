"""Connections over the API: how they do, a synchronisation asked for and watched to its end, what differs, and how it says no."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import Flask
from support.connections import FIRST_COMPANY, insure, seed, use_sandbox
from support.sandbox import running_sandbox

from insureflow.domain.access import Role
from insureflow.models.database import db
from insureflow.services import organisations, tasks, tokens
from insureflow.services.journal import Actor

ACTOR = Actor(None, "test")
A, UNKNOWN = str(FIRST_COMPANY), "7999999"


def key_of(organisation_id: int, role: Role) -> dict[str, str]:
    user = organisations.add_user(
        ACTOR, organisation_id, email=f"{role}@acme.example", name="", role=role, password="a long enough password"
    )
    _token, secret = tokens.add_token(ACTOR, organisation_id, user.id, "shop")
    return {"Authorization": f"Bearer {secret}"}


def test_a_synchronisation_is_asked_for_watched_and_seen_in_the_limits(app: Flask, tmp_path: Path) -> None:
    with running_sandbox(tmp_path / "sandbox.db") as sandbox:
        use_sandbox(app, sandbox)
        seed(sandbox, "atradius", [{"company_id": A, "amount": 50_000}, {"company_id": UNKNOWN, "amount": 9_000}])
        with app.app_context():
            insured = insure(db.session())
            manager, clerk = (key_of(insured.organisation_id, role) for role in (Role.CREDIT_MANAGER, Role.RECEIVABLES_CLERK))
        client = app.test_client()

        def work() -> int | None:
            with app.app_context():
                return tasks.run_next()

        def get(path: str, headers: dict[str, str] = manager, status: int = 200) -> Any:
            answer = client.get(f"/api/v1{path}", headers=headers)
            assert answer.status_code == status, answer.text
            return answer.json

        (before,) = get("/connections")["items"]
        assert (before["id"], before["policy"], before["health"], before["covers"]) == (insured.connection_id, "P-1", "never", 0)
        asked = client.post(f"/api/v1/connections/{insured.connection_id}/sync", json={"whole": True}, headers=manager)
        assert asked.status_code == 202, asked.text
        assert asked.json["state"] == "queued"
        assert work() == asked.json["id"]
        task = get(asked.headers["Location"].partition("/api/v1")[2])
        assert (task["state"], task["result"]["state"], task["result"]["counts"]["recorded"]) == ("done", "done", 1)
        after = get(f"/connections/{insured.connection_id}")
        assert (after["health"], after["covers"], after["differences"], after["error"]) == ("good", 2, 1, None)
        found = get(f"/connections/{insured.connection_id}/differences?page_size=10")
        assert (found["total"], found["items"][0]["kind"]) == (1, "buyer_unknown")
        assert found["items"][0]["why"].endswith(".")
        settle = f"/api/v1/differences/{found['items'][0]['id']}/settle"
        one = get(f"/differences/{found['items'][0]['id']}")
        assert (one["kind"], one["can_take_theirs"], one["resolved_at"]) == ("buyer_unknown", False, None)
        assert client.post(settle, json={"choice": "theirs"}, headers=clerk).status_code == 403
        assert client.post(settle, json={"choice": "theirs"}, headers=manager).json["code"] == "difference_not_choosable"
        kept = client.post(settle, json={"choice": "ours", "note": "no buyer of ours"}, headers=manager)
        assert (kept.status_code, kept.json["note"]) == (200, "no buyer of ours")
        assert get(f"/connections/{insured.connection_id}/differences")["total"] == 0
        assert client.post(settle, json={"choice": "ours", "note": "x"}, headers=manager).json["code"] == "difference_settled"
        asked_for = client.post(
            f"/api/v1/connections/{insured.connection_id}/look-ups", json={"buyer_id": insured.buyers[A]}, headers=manager
        )
        assert (asked_for.status_code, asked_for.json["code"]) == (409, "look_up_not_confirmed")
        look_ups = get(f"/connections/{insured.connection_id}/look-ups")
        assert (look_ups["total"], look_ups["budget"]["charges"], look_ups["budget"]["spent"]) == (0, True, 0)
        limits = get("/limits?policy=P-1")["items"]
        assert [each["limit"]["amount"] for each in limits if each["limit"]] == ["50000.00"]

        sandbox.control("faults", {"error_500": {}})
        again = client.post(f"/api/v1/connections/{insured.connection_id}/sync", json={}, headers=manager).json
        work()
        assert get(f"/tasks/{again['id']}")["result"]["state"] == "failed"
        assert get(f"/connections/{insured.connection_id}")["error"] == "insurer_fails"

        refused = client.post(f"/api/v1/connections/{insured.connection_id}/sync", json={}, headers=clerk)
        assert (refused.status_code, refused.mimetype) == (403, "application/problem+json")
        assert refused.json["detail"].startswith("The key, or the role of its owner, does not allow this.")
        assert get("/connections/999", status=404)["code"] == "connection_unknown"
        stranger = client.get("/api/v1/connections")
        assert (stranger.status_code, stranger.mimetype, stranger.json["code"]) == (401, "application/problem+json", "unauthorized")
        assert stranger.json["detail"].startswith("No valid key came with the request.")
        assert client.get("/api/v1/nothing", headers=manager).json["detail"].startswith("There is nothing at this address.")
        wrong = client.get("/api/v1/limits?page_size=0", headers=manager)
        assert (wrong.status_code, wrong.json["detail"][:25]) == (422, "Some values cannot be use")

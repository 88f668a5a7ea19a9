from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from support.connections import FIRST_COMPANY, TERMS, seed, use_sandbox
from support.ledgers import Books
from support.sandbox import CREDENTIALS, running_sandbox

from insureflow.models.organisations import Entity
from insureflow.services.transaction import transaction


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_policy_is_connected_and_synchronised_from_the_command_line(
    app: Flask, invoke: Callable[..., Any], organisation: Any, tmp_path: Path
) -> None:
    with app.app_context(), transaction(organisation.id) as session:
        policy = Books(session, organisation.id).policy([session.get_one(Entity, organisation.entity_id)], TERMS)
        policy.insurer = "atradius"
    slug = ("-o", organisation.slug)
    with running_sandbox(tmp_path / "sandbox.db") as sandbox:
        use_sandbox(app, sandbox)
        seed(sandbox, "atradius", [{"company_id": str(FIRST_COMPANY), "amount": 50_000}])
        assert "No policy is connected" in invoke("connections", "list", *slug).output
        assert "not connected" in invoke("connections", "sync", *slug, "-p", "P-1").output
        given = CREDENTIALS["atradius"]
        command = [
            "connections",
            "add",
            *slug,
            "-p",
            "P-1",
            "--connector",
            "atradius",
            "--environment",
            "sandbox",
            "--key",
            "customer_id=4711",
        ]
        names = [part for name in given for part in ("--credential", name)]
        lacking = invoke(*command, *names, input="\n".join(given.values()) + "\n")
        assert lacking.exit_code == 1
        added = invoke(*command, "--key", "policy_id=P-1", *names, input="\n".join(given.values()) + "\n")
        assert added.exit_code == 0, added.output
        assert "request a limit" in invoke("connections", "test", *slug, "-p", "P-1").output
        done = invoke("connections", "sync", *slug, "-p", "P-1", "--format", "json")
        result = json.loads(done.stdout[done.stdout.index("{\n") :])
        assert (result["state"], result["is_whole"], result["counts"]["differences"]) == ("done", True, 1)
        assert "Nothing waits." in invoke("connections", "send", *slug).output
        assert "No request left" in invoke("connections", "messages", *slug, "-p", "P-1").output
        assert "no request" in invoke("connections", "message", *slug, "1", "--retry").output.casefold().replace(
            "is no message", "no request"
        )
        assert (
            "sends no messages" in invoke("connections", "push", *slug, "-p", "P-1", "--base", "https://us.example", "--header", "X").output
        )
        assert "Give --base" in invoke("connections", "push", *slug, "-p", "P-1").output
        rows = json.loads(invoke("connections", "differences", *slug, "--compare", "--format", "json").output)
        assert [row["kind"] for row in rows] == ["buyer_unknown"]
        healthy = invoke("connections", "health", *slug, "--format", "json")
        assert (healthy.exit_code, json.loads(healthy.output)[0]["health"]) == (0, "good")
        sandbox.control("faults", {"error_500": {"times": 100}})
        for _ in range(3):
            assert invoke("connections", "sync", *slug, "-p", "P-1").exit_code == 1
        assert invoke("connections", "health", *slug).exit_code == 2
    assert "hidden-" not in done.output + added.output

"""``insureflow notices``: from the duty to the proof on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from support.notices import make_overdue_account

from insureflow.domain.access import Role

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def test_from_the_duty_to_the_proof(app: Flask, invoke: Callable[..., Any], tmp_path: Path) -> None:
    account = make_overdue_account(app, buyers=2)
    own, on = ("--organisation", account.tenant.slug), ("--on", "2026-06-30")
    handler, clerk = (account.tenant.logins[role].email for role in (Role.CLAIMS_HANDLER, Role.RECEIVABLES_CLERK))
    assert "No notices." in invoke("notices", "list", *own).output
    one = json.loads(invoke("notices", "draft", "1001", *own, *on, "--comment", "late", "--format", "json").output)
    assert (one["state"], one["deadline_on"]) == ("draft", "2026-07-03")
    key = str(one["id"])
    assert invoke("notices", "draft", *own).exit_code == 2
    assert "1 drafted, 1 were there already." in invoke("notices", "draft", "--due", *own, *on).output
    refused = invoke("notices", "approve", key, *own, *on, "--as", clerk)
    assert (refused.exit_code, "may not approve" in refused.stderr) == (1, True)
    assert "approved, not sent" in invoke("notices", "approve", key, *own, *on, "--as", handler).output
    sent = invoke("notices", "send", key, *own, *on, "--as", handler, "--channel", "portal", "--protocol", "AT-7")
    assert (sent.exit_code, "sent" in sent.output) == (0, True)
    answered = json.loads(invoke("notices", "reply", key, *own, *on, "--outcome", "received", "--format", "json").output)
    assert (answered["state"], answered["reply"]) == ("answered", "received")
    listed = json.loads(invoke("notices", "list", *own, "--state", "answered", "--format", "json").output)
    assert [(row["buyer"], row["open"]) for row in listed] == [("Müller GmbH", {"amount": "12000.00", "currency": "EUR"})]
    paper = tmp_path / "proof.pdf"
    proof = json.loads(invoke("notices", "proof", key, *own, "--pdf", str(paper), "--format", "json").output)
    assert (proof["notice"]["in_time"], proof["dispatches"][0]["protocol_number"]) == (True, "AT-7")
    assert paper.read_bytes().startswith(b"%PDF")
    assert "in time" in invoke("notices", "proof", key, *own).output
    assert invoke("notices", "proof", "999", *own).exit_code == 1
    lodging = ("--as", handler, "--administrator", "Dr. Lang", "--evidence", str(paper))
    assert "no proof of debt" in invoke("notices", "lodge", key, *own, *on, *lodging).stderr

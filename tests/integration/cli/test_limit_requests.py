"""``insureflow limits``: requests, their approval, and discretionary limits."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from support.accounts import TERMS, Account, add_invoice, make_account

from insureflow.domain.access import Role
from insureflow.services import limit_requests

CLAUSE = {"maximum": 30000, "methods": [{"method": "paid_purchases", "look_back": {"months": 12}, "minimum_purchases": 1}]}

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def account(app: Flask) -> Account:
    account = make_account(
        app, terms={**TERMS, "discretionary_limit": CLAUSE}, roles=(Role.ADMINISTRATOR, Role.CREDIT_MANAGER, Role.CREDIT_ANALYST)
    )
    with app.app_context():
        limit_requests.set_thresholds(account.tenant.actor(), account.organisation_id, {Role.CREDIT_ANALYST: 20_000_00})
        add_invoice(account, "G1", 5_000_00, shipped_on=date(2026, 5, 1))
    return account


def test_requests_from_the_command_line(account: Account, invoke: Callable[..., Any], tmp_path: Path) -> None:
    own = ("--organisation", account.tenant.slug)
    analyst, manager = (account.tenant.logins[role].email for role in (Role.CREDIT_ANALYST, Role.CREDIT_MANAGER))
    made = invoke(
        "limits", "request", *own, "-p", "POL-N1", "-b", "1001", "--amount", "50000", "--submit", "--as", analyst, "--on", "2026-06-30", "--format", "json"
    )  # fmt: skip
    assert made.exit_code == 0, made.output
    request = json.loads(made.output)
    assert (request["state"], request["type"], request["amount"]) == ("awaiting_approval", "new", {"amount": "50000.00", "currency": "EUR"})
    key = str(request["id"])
    own_request = invoke("limits", "approve", key, *own, "--as", analyst)
    assert own_request.exit_code == 1
    assert "may not approve" in own_request.stderr
    unknown = invoke("limits", "approve", key, *own, "--as", "nobody@x.example")
    assert "Nobody here has the e-mail address" in unknown.stderr
    rejected = invoke("limits", "reject", key, *own, "--as", manager, "--reason", "too much")
    assert "rejected" in rejected.output
    listed = invoke("limits", "requests", *own, "--state", "rejected", "-p", "POL-N1", "--on", "2026-06-30", "--format", "json")
    assert [row["reference"] for row in json.loads(listed.output)] == [request["reference"]]
    assert "No requests." in invoke("limits", "requests", *own, "--state", "draft").output
    second = json.loads(
        invoke("limits", "request", *own, "-p", "POL-N1", "-b", "1001", "--amount", "9000", "--on", "2026-06-30", "--format", "json").output
    )
    sent = invoke("limits", "submit", str(second["id"]), *own, "--as", analyst, "--on", "2026-06-30")
    assert "submitted" in sent.output, sent.stderr
    again = invoke("limits", "request", *own, "-p", "POL-N1", "-b", "1001", "--amount", "9500", "--on", "2026-06-30")
    assert again.exit_code == 1
    assert "is under way" in again.stderr
    file = tmp_path / "wanted.csv"
    file.write_text("customer_number;amount\n1001;100\n4711;100\n")
    bad = invoke("limits", "request", *own, "-p", "POL-N1", "--file", file)
    assert bad.exit_code == 1
    assert "Row 3, customer_number “4711”: No buyer has this number or name." in bad.stderr
    assert json.loads(invoke("limits", "request", *own, "--file", file, "--format", "json").output)["bad"] == 2
    assert invoke("limits", "request", *own).exit_code == 2


def test_a_discretionary_limit_from_the_command_line(account: Account, invoke: Callable[..., Any]) -> None:
    own = ("--organisation", account.tenant.slug, "--policy", "POL-N1")
    early = json.loads(invoke("limits", "discretionary", "1001", *own, "--on", "2026-05-20", "--audit", "--format", "json").output)
    assert (early["usable"], early["method"], early["amount"]["amount"]) == (True, "paid_purchases", "30000.00")
    assert early["audit"]["survives"] is True
    assert early["audit"]["shipments"][0]["invoice"] == "G1"
    late = invoke("limits", "discretionary", "1001", *own, "--on", "2026-06-30", "--audit")
    assert late.exit_code == 0
    assert "no valid evidence" in late.output
    assert "claim" in late.output

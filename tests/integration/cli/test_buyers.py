"""Buyers on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from support.accounts import Account, add_buyer, add_invoice, make_account, within

from insureflow.services import buyers
from insureflow.services.transaction import transaction

Invoke = Callable[..., Any]


@pytest.fixture
def account(app: Flask) -> Account:
    account = make_account(app)
    with app.app_context(), within(account.organisation_id):
        add_invoice(account, "A1", 10_000_00)
    return account


def run(invoke: Invoke, *arguments: object) -> Any:
    return invoke("buyers", *map(str, arguments), "-o", "nordic-pumps")


def test_buyers_are_listed(account: Account, invoke: Invoke) -> None:
    rows = json.loads(run(invoke, "list", "--on", "2026-06-30", "--format", "json").output)
    assert [(row["name"], row["open"], row["situation"]) for row in rows] == [
        ("Müller GmbH", {"amount": "10000.00", "currency": "EUR"}, "never_asked")
    ]
    assert "Müller GmbH" in run(invoke, "list", "--search", "muller").output
    assert "No buyers." in run(invoke, "list", "--to-review").output


def test_a_buyer_is_added(account: Account, invoke: Invoke) -> None:
    added = run(
        invoke, "add", "--name", "New AB", "--country", "SE", "--vat", "556703748501", "--customer-number", "SE01:77", "--format", "json"
    )
    assert json.loads(added.output)["name"] == "New AB"
    again = run(invoke, "add", "--name", "New AB", "--country", "SE", "--vat", "556703748501")
    assert again.exit_code == 1
    assert "belongs to New AB already" in again.stderr
    assert "Buyer" in run(invoke, "add", "--name", "Other AB", "--country", "SE").output


def test_buyers_are_confirmed_and_merged(app: Flask, account: Account, invoke: Invoke) -> None:
    with app.app_context(), within(account.organisation_id):
        double = add_buyer(account.tenant, "Mueller GmbH")
        with transaction(account.organisation_id) as session:
            waiting = buyers.create_for_review(session, account.tenant.entity_id, "88", "Waiting", "DE")
    assert "1 confirmed." in run(invoke, "confirm", waiting).output
    assert "Merged into" in run(invoke, "merge", account.buyer_id, double, "--yes", "--on", "2026-06-30").output
    assert run(invoke, "merge", account.buyer_id, double, "--yes").exit_code == 1

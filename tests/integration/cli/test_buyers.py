"""Buyers on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from support.accounts import Account, add_buyer, add_invoice, make_account, within

from insureflow.cli.options import find_buyer
from insureflow.domain.buyers import IdentifierScheme
from insureflow.domain.errors import Refusal
from insureflow.services import buyers
from insureflow.services.buyers import BuyerDetails, IdentifierEntry
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


def test_a_buyer_is_meant_by_a_number_or_by_its_whole_name(app: Flask, account: Account) -> None:
    def meant(text: str, *, or_key: bool = False) -> str:
        try:
            return find_buyer(text, or_key=or_key).legal_name
        except Refusal as refusal:
            return f"{refusal.code}: {refusal.parameters.get('buyers', '')}"

    with app.app_context(), within(account.organisation_id):
        register = (IdentifierEntry(IdentifierScheme.REGISTRATION, "SE", "556703-7485"),)
        details = BuyerDetails("Åkerlöf & Söner Handels AB", "SE", identifiers=register, insurer_numbers=(("Atradius", "4711"),))
        buyers.add_buyer(account.tenant.actor(), account.organisation_id, details)
        add_buyer(account.tenant, "Müller AG", number="77")
        add_buyer(account.tenant, "Gleich SARL", "FR", number="5005")
        twice = add_buyer(account.tenant, "GLEICH sarl", "BE")
        for text in ("Müller GmbH", "  MULLER   gmbh ", "1001"):
            assert meant(text) == "Müller GmbH", text
        for text in ("akerlof & soner handels ab", "556703-7485", "5567037485", "4711", "Soner"):
            assert meant(text) == "Åkerlöf & Söner Handels AB", text
        assert meant("müller") == "buyer_ambiguous: Müller AG (DE, 77); Müller GmbH (DE, 1001)"
        assert meant("Gleich SARL") in {
            "buyer_ambiguous: GLEICH sarl (BE); Gleich SARL (FR, 5005)",
            "buyer_ambiguous: Gleich SARL (FR, 5005); GLEICH sarl (BE)",  # databases differ in which case comes first
        }
        assert [meant(text) for text in ("", "Nobody", "%", "*")] == ["buyer_unknown: "] * 4
        assert meant(str(twice)) != "GLEICH sarl"
        assert meant(str(twice), or_key=True) == "GLEICH sarl"
        assert meant(str(10**30), or_key=True) == "buyer_unknown: "
        assert meant("77", or_key=True) == "Müller AG"

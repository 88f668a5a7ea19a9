"""The pages, the API and the commands of declarations and premium: drafted, approved by a second person, declared, exported."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine
from flask import Flask
from support.accounts import TERMS, Account, add_invoice, make_account
from support.api import Caller
from support.pages import PageClient
from support.tenants import log_in

from insureflow.domain.access import Role

NOW = datetime(2026, 6, 8, 9, tzinfo=UTC)
PREMIUM = {
    "basis": "turnover",
    "rate": "0.5",
    "minimum": {"percentage_of_estimated": 80},
    "advance_instalments": 4,
    "excluded_turnover": ["cash"],
}
ROLES = (Role.ADMINISTRATOR, Role.CREDIT_MANAGER, Role.CREDIT_ANALYST)


@pytest.fixture
def account(app: Flask) -> Account:
    terms = {
        **TERMS,
        "period": {"from": "2026-05-01", "to": "2027-04-30"},
        "turnover_declaration": {"cycle": "monthly", "days": 15},
        "premium": PREMIUM,
    }
    account = make_account(app, terms=terms, roles=ROLES)
    with app.app_context():
        add_invoice(account, "A", 10_000_00)
        add_invoice(account, "CASH", 500_00, terms_days=0)
    return account


def read(answer: Any) -> str:
    """What a page says, its narrow spaces as ordinary ones."""
    return str(answer.get_data(as_text=True)).replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")


def test_a_declaration_on_its_pages(client: PageClient, account: Account) -> None:
    with time_machine.travel(NOW):
        log_in(client, account.tenant, Role.CREDIT_ANALYST)
        page = read(client.get("/declarations/"))
        assert "1 period is over and not declared; 0 of them are late." in page
        wanted = {"policy_id": account.policy_id, "last_day": "2026-05-31"}
        assert client.post("/declarations/draft", data={**wanted, "last_day": "soon"}).status_code == 404
        assert client.post("/declarations/draft", data={**wanted, "last_day": "2026-06-30"}).headers["Location"].endswith("/declarations/")
        made = client.post("/declarations/draft", data=wanted).headers["Location"]
        shown = read(client.get(made))
        assert "10,000.00 EUR of 10,500.00 EUR is to be declared; 500.00 EUR is left out." in shown
        assert "cash sale" in shown
        assert "A second person does" not in shown  # an analyst approves nothing
        assert client.post(f"{made}/approve").status_code == 403
        with client.get(made, query_string={"format": "csv"}) as lines:
            assert "CASH" in read(lines)
        with client.get("/declarations/", query_string={"format": "xlsx"}) as workbook:
            assert workbook.data[:2] == b"PK"
        log_in(client, account.tenant, Role.CREDIT_MANAGER)
        assert client.post(f"{made}/approve").status_code == 302
        again = read(client.post(f"{made}/approve", follow_redirects=True))
        assert "it must be “draft” for that" in again
        assert "Issue as a document" in read(client.get(made))
        assert "The document D-2026-000001 is issued." in read(client.post(f"{made}/paper", follow_redirects=True))
        assert "Document D-2026-000001" in read(client.get(made))
        told = {"way": "portal", "declared_on": "2026-06-08", "protocol": ""}
        refused = client.post(f"{made}/declare", data=told)
        assert refused.status_code == 422
        assert "Give the protocol number" in read(refused)
        assert client.post(f"{made}/declare", data={**told, "protocol": "P-77"}).status_code == 302
        shown = read(client.get(made))
        assert "P-77" in shown
        assert "Correct it from the ledger" in shown
        assert "Every period that is over has been declared." in read(client.get("/declarations/"))
        assert client.get("/declarations/999999").status_code == 404
        premium = read(client.get(f"/policies/{account.policy_id}/premium"))
        assert "the year costs 50.00 EUR" in premium
        assert "until then no minimum counts here" in premium
        for year in ("2025", "20x6"):
            assert client.get(f"/policies/{account.policy_id}/premium", query_string={"year": year}).status_code == 404
        log_in(client, account.tenant, Role.CREDIT_MANAGER)
        corrected = client.post("/declarations/draft", data=wanted).headers["Location"]
        assert "it must be “approved” for that" in read(client.post(f"{corrected}/paper", follow_redirects=True))
        own = read(client.get(corrected))
        assert "A second person does" in own
        assert "Versions of this period" in own
        assert client.post(f"{corrected}/approve", follow_redirects=True).status_code == 200


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_declaration_over_the_api_and_by_commands(app: Flask, account: Account, invoke: Callable[..., Any], tmp_path: Path) -> None:
    with time_machine.travel(NOW):
        call = Caller(app, account.tenant)
        (due,) = call.get("/declarations/due")["items"]
        assert (due["policy"], due["period_to"], due["declaration_id"]) == ("POL-N1", "2026-05-31", None)
        made = call.post("/declarations", Role.CREDIT_ANALYST, status=201, policy="POL-N1", period_to="2026-05-31")
        key = made["id"]
        assert (made["declared"], made["left_out"]) == (
            {"amount": "10000.00", "currency": "EUR"},
            {"amount": "500.00", "currency": "EUR"},
        )
        assert {each["category"] for each in made["categories"]} == {None, "cash"}
        assert {line["number"] for line in call.get(f"/declarations/{key}/lines")["items"]} == {"A", "CASH"}
        assert call("POST", f"/declarations/{key}/approve", Role.CREDIT_ANALYST)[0] == 403
        assert call.post(f"/declarations/{key}/approve", Role.CREDIT_MANAGER)["status"] == "approved"
        paper = call.post(f"/declarations/{key}/paper")
        assert call.post(f"/declarations/{key}/paper") == paper
        assert (paper["number"], paper["language"]) == ("D-2026-000001", "en")
        assert call("POST", f"/declarations/{key}/declare", way="portal")[1]["code"] == "protocol_needed"
        assert call.post(f"/declarations/{key}/declare", way="email", protocol="M-1")["status"] == "declared"
        assert [row["protocol"] for row in call.get("/declarations?policy=POL-N1&status=declared")["items"]] == ["M-1"]
        premium = call.get("/declarations/premium?policy=POL-N1")
        assert premium["figures"]["final_premium"] == {"amount": "50.00", "currency": "EUR"}
        assert premium["steps"]
        assert call("GET", "/declarations/premium?policy=POL-N1&year=2020")[0] == 404
        assert call("GET", "/declarations/999999")[0] == 404

        own = ("--organisation", account.tenant.slug)
        analyst, manager = (account.tenant.logins[role].email for role in (Role.CREDIT_ANALYST, Role.CREDIT_MANAGER))
        drafted = json.loads(invoke("declarations", "draft", *own, "-p", "POL-N1", "--period-to", "2026-05-31", "--format", "json").output)
        assert (drafted["version"], drafted["status"]) == (2, "draft")
        number = str(drafted["declaration"])
        for person, words in ((analyst, "may not approve declarations"), ("nobody@x.example", "Nobody here has the e-mail address")):
            assert words in invoke("declarations", "approve", number, *own, "--as", person).stderr
        assert "approved" in invoke("declarations", "approve", number, *own, "--as", manager).output
        file = tmp_path / "declaration.pdf"
        assert "D-2026-000002" in invoke("declarations", "paper", number, file, *own).output
        assert file.read_bytes().startswith(b"%PDF")
        assert "declared" in invoke("declarations", "declare", number, *own, "--protocol", "P-2").output
        listed = json.loads(invoke("declarations", "list", *own, "--status", "superseded", "-p", "POL-N1", "--format", "json").output)
        assert [row["version"] for row in listed] == [1]
        assert "has been declared" in invoke("declarations", "list", *own, "--due").output
        assert "50.00 EUR" in invoke("premium", *own, "-p", "POL-N1").output
        assert json.loads(invoke("premium", *own, "-p", "POL-N1", "--format", "json").output)["trace"]
        assert invoke("premium", *own, "-p", "POL-N1", "--year", "2020").exit_code == 1

"""The pages of limits needed: the list, one buyer's picture, fees, and the same as a command."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from flask import Flask
from support.accounts import TODAY, Account, add_buyer, add_invoice, make_account, within
from support.pages import PageClient
from support.tenants import log_in

from insureflow.domain.access import Role
from insureflow.services import limits
from insureflow.services.limits import NewDecision


@pytest.fixture
def account(app: Flask) -> Account:
    account = make_account(app, roles=(Role.ADMINISTRATOR, Role.CREDIT_MANAGER, Role.AUDITOR, Role.SALES))
    with app.app_context(), within(account.organisation_id):
        new = NewDecision(account.buyer_id, account.policy_id, 5_000_00, "EUR", date(2025, 2, 1))
        limits.record_decision(account.tenant.actor(), account.organisation_id, new, TODAY)
        add_invoice(account, "A1", 12_000_00, terms_days=60)
        quiet = add_buyer(account.tenant, "Quiet Oy", "FI")
        new = NewDecision(quiet, account.policy_id, 7_000_00, "EUR", date(2025, 2, 1))
        limits.record_decision(account.tenant.actor(), account.organisation_id, new, TODAY)
    return account


def test_needs_are_listed_drawn_and_asked_for(client: PageClient, account: Account, invoke: Callable[..., Any]) -> None:
    log_in(client, account.tenant, Role.CREDIT_MANAGER)
    client.get(f"/limits/?on={TODAY.isoformat()}")
    page = client.get("/limits/needs/").text
    assert all(text in page for text in ("Müller GmbH", "Quiet Oy", "too low", "unused"))
    assert "Müller" not in client.get("/limits/needs/?standing=unused").text
    one = f"/limits/needs/{account.policy_id}/{account.buyer_id}"
    shown = client.get(one).text
    assert "Ask for this limit" in shown
    assert "amount=12000.00" in shown
    assert "highest balance of the months looked back" in shown
    assert "Own risk" in client.get(f"{one}?own_limit=8000").text
    assert client.get(f"{one}?own_limit=much").status_code == 422
    assert client.get(f"{one}?own_limit=1.234").status_code == 422
    assert client.get(f"/limits/needs/{account.policy_id}/987654").status_code == 404
    with client.get("/limits/needs/?format=csv") as exported:
        assert exported.mimetype == "text/csv"
        assert b"Quiet Oy" in exported.get_data()
    typed = {"policy_id": account.policy_id, "kind": "named", "currency": "EUR"}
    assert "No fee yet" in client.get("/limits/needs/fees").text
    for wrong in ("much", "-1"):
        assert client.post("/limits/needs/fees", data={**typed, "fee": wrong}).status_code == 422
    assert client.post("/limits/needs/fees", data={"fee": "1"}).status_code == 422
    assert client.post("/limits/needs/fees", data={**typed, "fee": "240"}).status_code == 302
    assert "240.00" in client.get("/limits/needs/fees").text
    assert "240.00" in client.get("/limits/needs/?standing=unused").text
    rows = json.loads(invoke("limits", "needs", "-o", account.tenant.slug, "--on", TODAY.isoformat(), "--format", "json").output)
    assert {row["buyer"]: row["standing"] for row in rows} == {"Müller GmbH": "under_asked", "Quiet Oy": "unused"}
    only = invoke("limits", "needs", "-o", account.tenant.slug, "--on", TODAY.isoformat(), "--fit", "unused").output
    assert ("Quiet Oy" in only, "Müller" in only) == (True, False)
    told = invoke("limits", "fee", "-o", account.tenant.slug, "-p", "POL-N1")
    assert told.output == "There is no fee.\n"
    log_in(client, account.tenant, Role.AUDITOR)
    assert "Ask for this limit" not in client.get(one).text
    assert client.get("/limits/needs/fees").status_code == 403
    log_in(client, account.tenant, Role.SALES)
    assert client.get("/limits/needs/").status_code == 403

"""The page for sales: one question, one sentence, and nothing about limits, insurers or what others owe."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
import time_machine
from flask import Flask
from support.accounts import TODAY, Account, add_buyer, add_invoice, make_account, within
from support.pages import PageClient
from support.tenants import log_in

from insureflow.domain.access import Role
from insureflow.i18n.formats import money
from insureflow.services import limits, shipping
from insureflow.services.limits import NewDecision
from insureflow.services.shipping import ShipQuestion

FREE, MUCH = money(22_222_00, "EUR", "en"), money(30_000_00, "EUR", "en")
ROLES = (Role.ADMINISTRATOR, Role.CREDIT_MANAGER, Role.SALES, Role.AUDITOR)
ASKED = "/ship/?buyer={buyer}&amount={amount}&currency=EUR&terms=60&ship_on=2026-07-01&order=4711"


@pytest.fixture
def account(app: Flask) -> Iterator[Account]:
    account = make_account(app, roles=ROLES)
    with app.app_context(), within(account.organisation_id):
        new = NewDecision(account.buyer_id, account.policy_id, 77_777_00, "EUR", date(2026, 1, 15), insurer_reference="CL-1")
        limits.record_decision(account.tenant.actor(), account.organisation_id, new, TODAY)
        add_invoice(account, "A1", 55_555_00, terms_days=60)
        add_buyer(account.tenant, "Müller Söhne KG", number="1002")
    with time_machine.travel(datetime(2026, 6, 30, 9, tzinfo=UTC), tick=True):
        yield account


def test_sales_asks_keeps_reserves_and_releases(client: PageClient, account: Account) -> None:
    log_in(client, account.tenant, Role.SALES)
    assert "/ship/" in client.get("/welcome").text
    assert "May I ship?" in client.get("/ship/").text
    offered = client.get("/ship/buyers?buyer=m%C3%BCl", headers={"HX-Request": "true"}).text
    assert offered.count("<option") == 2
    assert client.get("/ship/buyers?buyer=m", headers={"HX-Request": "true"}).text.strip() == ""
    several = client.get(ASKED.format(buyer="m%C3%BCller", amount="100"))
    assert (several.status_code, "Which buyer?" in several.text) == (422, True)
    nobody = client.get(ASKED.format(buyer="zzz", amount="100"))
    assert (nobody.status_code, "No buyer is called so" in nobody.text) == (422, True)
    for wrong in (ASKED.format(buyer="1001", amount="much"), ASKED.format(buyer="1001", amount="100").replace("2026-07-01", "2026-06-01")):
        assert client.get(wrong).status_code == 422
    whole = client.get(ASKED.format(buyer="1001", amount="22222"))
    assert f"Yes: {FREE} is covered." in whole.text
    partly = client.get(ASKED.format(buyer="1001", amount="30000")).text
    assert f"Partly: {FREE} of {MUCH} is covered" in partly
    assert "What would help" in partly
    for secret in ("77,777", "55,555", "77777", "Atradius", "POL-", "Main policy", "CL-1", "How it was worked out", "explain"):
        assert secret not in partly, "sales sees the answer and nothing behind it"
    typed = {"buyer": "1001", "amount": "30000", "currency": "EUR", "terms": "60", "ship_on": "2026-07-01", "order": "4711"}
    refused = client.post("/ship/", data={**typed, "order": "", "until": "2026-07-31"})
    assert (refused.status_code, "belongs to an order" in refused.text) == (422, True)
    kept = client.post("/ship/", data={**typed, "until": "2026-07-31"})
    assert kept.status_code == 302
    page = client.get(kept.location).text
    assert f"{FREE} is kept free" in page
    assert "How it was worked out" not in page
    assert "No: nothing of" in client.get(ASKED.format(buyer="1001", amount="10").replace("4711", "4712")).text
    assert "4711" in client.get("/ship/answers").text
    assert client.post(f"{kept.location}/invoiced", data={"invoice": "nix"}).status_code == 422
    assert client.post(f"{kept.location}/release").status_code == 302
    assert "was released" in client.get(kept.location).text
    assert client.post(f"{kept.location}/release").status_code in {409, 422}
    again = client.post("/ship/", data={**typed, "until": "2026-07-31"})
    assert client.post(f"{again.location}/invoiced", data={"invoice": "A1"}).status_code == 302
    assert "was invoiced" in client.get(again.location).text
    nothing = client.post("/ship/", data={**typed, "amount": "1"})
    assert "Nothing was reserved" in client.get(nothing.location).text


def test_those_who_see_limits_see_how_it_came_about_and_every_answer(app: Flask, client: PageClient, account: Account) -> None:
    with app.app_context():
        question = ShipQuestion(account.buyer_id, 10_00, "EUR", date(2026, 7, 1), 30, order_reference="H-1")
        other = shipping.decide(account.tenant.actor(), account.organisation_id, question, TODAY, reserve_until=TODAY)
    log_in(client, account.tenant, Role.CREDIT_MANAGER)
    address = ASKED.format(buyer="1001", amount="30000")
    assert "How it was worked out" in client.get(address).text
    assert "headroom before the shipment" in client.get(f"{address}&explain=yes").text
    page = client.get(f"/ship/answers/{other.id}").text
    assert "H-1" in page
    assert "headroom before the shipment" in page
    assert b"H-1" in client.get("/ship/answers?export=csv").get_data()
    log_in(client, account.tenant, Role.SALES)
    assert client.get(f"/ship/answers/{other.id}").status_code == 404
    assert client.post(f"/ship/answers/{other.id}/release").status_code == 404
    assert "H-1" not in client.get("/ship/answers").text
    log_in(client, account.tenant, Role.AUDITOR)
    assert client.get("/ship/").status_code == 403

"""The limit-cut kit: what stays covered, what to do, the work it makes, and words to the buyer that name no insurer."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from support.accounts import Account, add_invoice, make_account, within
from support.pages import PageClient
from support.tenants import log_in

from insureflow.domain.access import Role
from insureflow.models.database import db
from insureflow.models.limits import LimitDecision
from insureflow.models.work_items import WorkItem
from insureflow.services import limit_cuts, limits
from insureflow.services.limits import NewDecision

CUT_ON = date(2026, 6, 1)


@pytest.fixture
def account(app: Flask) -> Account:
    account = make_account(app, roles=(Role.ADMINISTRATOR, Role.CREDIT_MANAGER, Role.AUDITOR))
    with app.app_context(), within(account.organisation_id):
        limits.record_decision(
            account.tenant.actor(), account.organisation_id, NewDecision(account.buyer_id, account.policy_id, 100_000_00, "EUR", date(2026, 1, 2)), CUT_ON
        )  # fmt: skip
        add_invoice(account, "A1", 70_000_00, shipped_on=date(2026, 4, 1))
        add_invoice(account, "A2", 60_000_00, shipped_on=date(2026, 5, 1), terms_days=60)
    return account


def newest(app: Flask, account: Account) -> int:
    with app.app_context(), within(account.organisation_id):
        return db.session.scalars(select(LimitDecision.id).order_by(LimitDecision.id.desc())).first() or 0


def work(app: Flask, account: Account) -> list[tuple[str, bool]]:
    with app.app_context(), within(account.organisation_id):
        return [(item.kind, item.done_at is not None) for item in db.session.scalars(select(WorkItem).order_by(WorkItem.id))]


def test_a_reduction_entered_by_hand_becomes_a_kit_and_work(app: Flask, client: PageClient, account: Account) -> None:
    log_in(client, account.tenant, Role.CREDIT_MANAGER)
    reduced = {
        "policy_id": str(account.policy_id), "layer": "primary", "kind": "named", "currency": "EUR", "decided": "40000",
        "decided_on": CUT_ON.isoformat(), "answers_request": "y",
    }  # fmt: skip
    assert client.post(f"/limits/record?buyer_id={account.buyer_id}", data=reduced).status_code == 302
    assert work(app, account) == [("limit_cut", False)]
    key = newest(app, account)
    page = client.get(f"/limit-cuts/{key}").get_data(as_text=True)
    assert "The limit goes from 100,000.00\u00a0EUR to 40,000.00\u00a0EUR" in page
    assert "30,000.00\u00a0EUR of what is owed is not covered." in page
    assert "A1" in page
    proposal = page.split('<textarea class="form-control" id="letter"', 1)[1].split("</textarea>")[0]
    assert "40,000.00" in proposal
    assert "past their due date" not in proposal
    for word in ("insur", "Atradius", "cover", "policy", "limit"):
        assert word not in proposal.casefold(), word
    assert client.post(f"/limit-cuts/{key}/plan").status_code == 302
    made = work(app, account)
    assert made[0] == ("limit_cut", True)
    assert len(made) > 2
    client.post(f"/limit-cuts/{key}/plan")
    assert work(app, account) == made
    again = client.get(f"/limit-cuts/{key}?report_days=10").get_data(as_text=True)
    assert "Work that was made" in again
    assert "After the cut to 40,000.00\u00a0EUR" in again
    assert f"/limit-cuts/{key}" in client.get(f"/limits/{key}").get_data(as_text=True)
    assert f"/limit-cuts/{key}" in client.get(f"/buyers/{account.buyer_id}/limits").get_data(as_text=True)
    listed = client.get(f"/limits/cut?on={(CUT_ON + timedelta(days=3)).isoformat()}").get_data(as_text=True)
    assert f'data-url="/limit-cuts/{key}"' in listed
    assert client.get("/limit-cuts/999999").status_code == 404
    assert client.post("/limit-cuts/999999/plan").status_code == 404
    refused = client.get(f"/limit-cuts/{key - 1}", follow_redirects=True)
    assert client.post(f"/limit-cuts/{key - 1}/plan").status_code == 302
    assert "reduced or ended no limit" in refused.get_data(as_text=True)
    log_in(client, account.tenant, Role.AUDITOR)
    assert client.post(f"/limit-cuts/{key}/plan").status_code == 403


def test_a_withdrawal_runs_off_after_notice(app: Flask, client: PageClient, account: Account) -> None:
    log_in(client, account.tenant, Role.CREDIT_MANAGER)
    notice = {"policy_id": str(account.policy_id), "layer": "primary", "received_on": CUT_ON.isoformat()}
    assert client.post(f"/limits/withdraw?buyer_id={account.buyer_id}", data=notice).status_code == 302
    key = newest(app, account)
    page = client.get(f"/limit-cuts/{key}").get_data(as_text=True)
    assert "The limit of 100,000.00\u00a0EUR ends on 1 Jul 2026." in page
    assert "30 Jun 2026" in page
    assert "payment in advance" in page
    with app.app_context(), within(account.organisation_id):
        assert limit_cuts.plan_work(account.tenant.actor(), account.organisation_id, key, CUT_ON, report_orders_days=10) > 0


def test_each_of_several_cuts_of_a_day_has_its_own_before_and_after(app: Flask, client: PageClient, account: Account) -> None:
    log_in(client, account.tenant, Role.CREDIT_MANAGER)
    said = {"policy_id": str(account.policy_id), "layer": "primary", "kind": "named", "currency": "EUR", "decided_on": CUT_ON.isoformat()}
    keys = []
    for amount in (40_000, 90_000, 60_000, 140_000, 70_000):
        assert client.post(f"/limits/record?buyer_id={account.buyer_id}", data={**said, "decided": str(amount)}).status_code == 302
        keys.append(newest(app, account))
    with app.app_context(), within(account.organisation_id):
        facts = [item.facts for item in db.session.scalars(select(WorkItem).where(WorkItem.kind == "limit_cut").order_by(WorkItem.id))]
    assert [(each["before"]["amount"], each["after"]["amount"]) for each in facts] == [
        ("100000.00", "40000.00"),
        ("90000.00", "60000.00"),
        ("140000.00", "70000.00"),
    ]
    shown = ((keys[0], "100,000.00", "40,000.00"), (keys[2], "90,000.00", "60,000.00"), (keys[4], "140,000.00", "70,000.00"))
    for key, before, after in shown:
        page = client.get(f"/limit-cuts/{key}").get_data(as_text=True)
        assert f"The limit goes from {before}\u00a0EUR to {after}\u00a0EUR" in page

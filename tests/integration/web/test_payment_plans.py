"""The pages and commands of payment plans: designed, kept, agreed or asked for, and who may do what."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from support.accounts import Account, add_invoice, within
from support.notices import make_overdue_account
from support.pages import PageClient
from support.tenants import log_in

from insureflow.domain.access import Role
from insureflow.domain.payment_plans import PlanState
from insureflow.models.database import db
from insureflow.models.payment_plans import PaymentPlan
from insureflow.models.receivables import Invoice
from insureflow.services.clock import business_date

TODAY = business_date("Europe/Stockholm")


@pytest.fixture
def account(app: Flask) -> Account:
    account = make_overdue_account(app)
    with app.app_context(), within(account.organisation_id):
        add_invoice(account, "FRESH", 300_001, shipped_on=TODAY - timedelta(days=20), on=TODAY)
    return account


def plans_of(app: Flask, account: Account) -> list[PaymentPlan]:
    with app.app_context(), within(account.organisation_id):
        db.session.expire_all()
        return list(db.session.scalars(select(PaymentPlan).order_by(PaymentPlan.id)))


def test_a_plan_from_the_designer_to_the_confirmation(app: Flask, client: PageClient, account: Account) -> None:
    log_in(client, account.tenant, Role.CLAIMS_HANDLER)
    with app.app_context(), within(account.organisation_id):
        keys = {invoice.number: invoice.id for invoice in db.session.scalars(select(Invoice))}
    new = f"/buyers/{account.buyer_id}/plans/new"
    assert "Choose invoices to see what may be granted freely" in client.get(new).get_data(as_text=True)
    first = (TODAY + timedelta(days=15)).isoformat()
    asked = {"count": "2", "first_on": first, "rhythm": "monthly", "remainder": "first"}
    page = client.get(new, query_string={**asked, "invoices": keys["FRESH"]}).get_data(as_text=True)
    assert "may be agreed freely" in page
    assert "1,500.01" in page
    page = client.get(new, query_string={**asked, "invoices": [keys["FRESH"], keys["OLD-0"]]}).get_data(as_text=True)
    assert "OLD-0 would be paid after the last free day" in page
    assert "needs consent for a part" in page
    # The picture of it says in words what it shows, with the figures as a table, and the tab it belongs to is marked.
    assert "2 of 2 instalments end after the last free day of an invoice." in page
    assert "Last free day of OLD-0" in page
    assert 'aria-current="true"' in page
    bad = client.get(new, query_string={**asked, "amounts": "soon 12", "invoices": keys["FRESH"]}).get_data(as_text=True)
    assert "is not an instalment" in bad
    own = {**asked, "amounts": f"{first} 1000\n", "invoices": keys["FRESH"]}
    assert "The instalments make" in client.get(new, query_string=own).get_data(as_text=True)
    assert client.post(new, data=own).status_code == 422
    assert client.post(new, data={**asked, "invoices": [keys["FRESH"]], "grace_days": "x"}).status_code == 422

    answer = client.post(new, data={**asked, "invoices": [keys["FRESH"]], "grace_days": "3", "note": "third promise"})
    free = plans_of(app, account)[0]
    assert answer.headers["Location"].endswith(f"/plans/{free.id}")
    shown = client.get(f"/plans/{free.id}").get_data(as_text=True)
    assert "third promise" in shown
    assert "You may agree this freely" in shown
    assert "in plan" in client.get(new).get_data(as_text=True)
    assert 'value="3"' in client.get(f"/plans/{free.id}/change", query_string={}).get_data(as_text=True)
    changed = {**asked, "count": "1", "invoices": [keys["FRESH"]]}
    assert client.post(f"/plans/{free.id}/change", data=changed).status_code == 302
    assert client.post(f"/plans/{free.id}/confirm").status_code == 422
    assert client.post(f"/plans/{free.id}/agree").status_code == 302
    assert client.post(f"/plans/{free.id}/change", data=changed).status_code == 422
    assert client.post(f"/plans/{free.id}/confirm").status_code == 302
    shown = client.get(f"/plans/{free.id}").get_data(as_text=True)
    assert "is due on" in shown
    assert "Confirmation D-" in shown
    assert "All 1 instalments are within what may be agreed freely." in shown

    # Beyond the period: agreed only with consent, or with open eyes.
    client.post(new, data={**asked, "invoices": [keys["OLD-0"]]})
    beyond = plans_of(app, account)[1]
    refused = client.post(f"/plans/{beyond.id}/agree")
    assert (refused.status_code, "agreed without its consent" in refused.get_data(as_text=True)) == (422, True)
    answer = client.post(f"/plans/{beyond.id}/ask")
    assert "/notices/" in answer.headers["Location"]
    assert "until the insurer consents" in client.get(f"/plans/{beyond.id}").get_data(as_text=True)
    assert client.post(f"/plans/{beyond.id}/ask").status_code == 422
    assert client.post(f"/plans/{beyond.id}/cancel", data={"reason": ""}).status_code == 422
    assert client.post(f"/plans/{beyond.id}/cancel", data={"reason": "paid"}).status_code == 302
    client.post(new, data={**asked, "invoices": [keys["OLD-0"]]})
    risky = plans_of(app, account)[2]
    assert client.post(f"/plans/{risky.id}/agree", data={"without_consent": "yes"}).status_code == 302
    assert [plan.state for plan in plans_of(app, account)] == [PlanState.ACTIVE, PlanState.CANCELLED, PlanState.ACTIVE]
    assert "No plan is broken." in client.get("/plans/").get_data(as_text=True)
    assert "agreed" in client.get(f"/buyers/{account.buyer_id}/plans").get_data(as_text=True)
    listed = client.get("/plans/?format=csv", buffered=True)
    assert listed.data.count(b"M\xc3\xbcller GmbH") == 3
    listed.close()
    assert client.get("/plans/999999").status_code == 404

    log_in(client, account.tenant, Role.RECEIVABLES_CLERK)
    assert client.get(f"/plans/{free.id}").status_code == 200
    assert client.post(f"/plans/{free.id}/confirm").status_code == 403

    # The commands say the same.
    run = app.test_cli_runner().invoke
    slug = account.tenant.slug
    assert "Müller GmbH" in run(args=["plans", "list", "-o", slug]).output
    assert json.loads(run(args=["plans", "show", "-o", slug, str(free.id), "--format", "json"]).output)["verdict"] == "free"
    run(args=["plans", "show", "-o", slug, str(free.id)])
    made = run(args=["plans", "propose", "-o", slug, "1001", "--invoice", "NEW-0", "--first", first])
    assert "lose their cover: NEW-0" in made.output, made.output
    last = plans_of(app, account)[-1]
    assert "agreed without its consent" in run(args=["plans", "agree", "-o", slug, str(last.id)]).stderr
    assert "is drafted" in run(args=["plans", "ask", "-o", slug, str(last.id)]).output
    assert run(args=["plans", "propose", "-o", slug, "1001", "--invoice", "none", "--first", first]).exit_code == 1
    assert run(args=["plans", "show", "-o", slug, "999999"]).exit_code == 1

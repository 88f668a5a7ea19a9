"""The pages of limit requests: written, approved, sent, answered with evidence; many at once; and who may do what."""

from __future__ import annotations

import io
import re
from datetime import date

import pytest
from flask import Flask
from sqlalchemy import select
from support.accounts import TERMS, TODAY, Account, add_buyer, add_invoice, make_account, within
from support.pages import PageClient
from support.tenants import log_in

from insureflow.domain.access import Role
from insureflow.models.database import db
from insureflow.models.limit_requests import EvidenceFile, LimitRequest
from insureflow.models.limits import LimitDecision
from insureflow.services import limits, organisations, policies, tasks
from insureflow.services.limits import NewDecision
from insureflow.web.limit_requests import many

ROLES = (Role.ADMINISTRATOR, Role.CREDIT_MANAGER, Role.CREDIT_ANALYST, Role.AUDITOR, Role.SALES)


@pytest.fixture
def account(app: Flask) -> Account:
    account = make_account(app, roles=ROLES)
    with app.app_context():
        add_invoice(account, "A1", 12_345_67)
    return account


def form(account: Account, **changes: str) -> dict[str, str]:
    return {
        "policy_id": str(account.policy_id), "layer": "primary", "kind": "named", "request_type": "", "amount": "50,000.00", "currency": "EUR",
        "comment": "spring season", **changes,
    }  # fmt: skip


def stored(app: Flask, account: Account) -> list[LimitRequest]:
    with app.app_context(), within(account.organisation_id):
        return list(db.session.scalars(select(LimitRequest).order_by(LimitRequest.id)))


def test_from_the_wish_to_the_answer(app: Flask, client: PageClient, account: Account) -> None:
    log_in(client, account.tenant)
    amounts = client.post("/limit-requests/amounts", data={"credit_analyst": "20000", "credit_manager": "-1"})
    assert amounts.status_code == 422
    assert client.post("/limit-requests/amounts", data={"credit_analyst": "20000", "credit_manager": ""}).status_code == 302
    assert "20000.00" in client.get("/limit-requests/amounts").get_data(as_text=True)
    assert "/limit-requests/amounts" in client.get("/settings/").get_data(as_text=True)

    log_in(client, account.tenant, Role.CREDIT_ANALYST)
    buyer = client.get(f"/buyers/{account.buyer_id}/limits").get_data(as_text=True)
    assert f"/limit-requests/new?buyer_id={account.buyer_id}" in buyer
    assert "Which buyer?" in client.get("/limit-requests/new").get_data(as_text=True)
    refused = client.post(f"/limit-requests/new?buyer_id={account.buyer_id}", data=form(account, amount="", request_type="cancel"))
    assert refused.status_code == 422
    assert "there is nothing to cancel" in refused.get_data(as_text=True)
    assert client.post(f"/limit-requests/new?buyer_id={account.buyer_id}", data=form(account)).status_code == 302
    key = stored(app, account)[0].id
    page = client.get(f"/limit-requests/{key}").get_data(as_text=True)
    assert "This amount needs a second person." in page
    assert "It has not been sent." in page
    assert "spring season" in page
    assert client.post(f"/limit-requests/{key}/edit", data=form(account, amount="60000")).status_code == 302
    assert 'value="60000.00"' in client.get(f"/limit-requests/{key}/edit").get_data(as_text=True)
    client.post(f"/limit-requests/{key}/hand-in")
    assert "A second person has to agree." in client.get(f"/limit-requests/{key}").get_data(as_text=True)
    assert client.post(f"/limit-requests/{key}/approve").status_code == 403

    log_in(client, account.tenant, Role.CREDIT_MANAGER)
    assert "1 request waits for a second person" in client.get("/limit-requests/approvals").get_data(as_text=True)
    assert "needs a second person" in client.get("/work-items/").get_data(as_text=True)
    assert client.post(f"/limit-requests/{key}/reject", data={"reason": ""}).status_code == 422
    client.post(f"/limit-requests/{key}/approve")
    sent = client.get(f"/limit-requests/{key}").get_data(as_text=True)
    assert "send it to the insurer by hand" in sent
    assert f"request_id={key}" in sent
    answer = client.get(f"/limits/record?buyer_id={account.buyer_id}&policy_id={account.policy_id}&request_id={key}").get_data(as_text=True)
    assert 'value="60000.00"' in answer
    decided = {
        "policy_id": str(account.policy_id), "layer": "primary", "kind": "named", "currency": "EUR", "requested": "60000", "decided": "40000",
        "decided_on": TODAY.isoformat(), "answers_request": "y", "evidence": (io.BytesIO(b"<html><script>"), "mail.html"),
    }  # fmt: skip
    hostile = client.post(f"/limits/record?buyer_id={account.buyer_id}", data=decided, content_type="multipart/form-data")
    assert hostile.status_code == 422
    assert "could run a program" in hostile.get_data(as_text=True)
    decided["evidence"] = (io.BytesIO(b"From: insurer@x.example\nDate: today\nSubject: limit\n\nWe allow 40,000."), "mail.eml")
    assert client.post(f"/limits/record?buyer_id={account.buyer_id}", data=decided, content_type="multipart/form-data").status_code == 302
    done = client.get(f"/limit-requests/{key}").get_data(as_text=True)
    assert "in force" in done
    assert "partly" in done
    with app.app_context(), within(account.organisation_id):
        decision = db.session.scalars(select(LimitDecision).order_by(LimitDecision.id.desc())).first()
        evidence = db.session.scalars(select(EvidenceFile)).one()
        assert decision is not None
        assert (evidence.decision_id, evidence.media_type) == (decision.id, "message/rfc822")
    listed = client.get("/limit-requests/?state=in_force&q=müller").get_data(as_text=True)
    assert "40,000.00" in listed
    assert "Nothing matches" in client.get("/limit-requests/?state=draft").get_data(as_text=True)
    with client.get("/limit-requests/?format=csv") as export:
        assert "in force" in export.get_data(as_text=True)
    assert client.get("/limit-requests/999999").status_code == 404

    log_in(client, account.tenant, Role.AUDITOR)
    assert client.get(f"/limit-requests/{key}").status_code == 200
    assert client.post(f"/limit-requests/{key}/cancel").status_code == 403
    assert client.get("/limit-requests/new").status_code == 403


def test_the_form_offers_what_can_be_asked_for(app: Flask, client: PageClient, account: Account) -> None:
    tenant, actor = account.tenant, account.tenant.actor()
    with app.app_context():
        key, day = tenant.id, date(2025, 1, 1)
        organisations.add_entity(actor, key, code="NO01", name="Norway", country="NO", currency="NOK")
        abroad = {**TERMS, "countries_covered": ["FR"]}
        french = policies.add_policy(
            actor,
            key,
            number="POL-FR",
            name="Abroad",
            insurer="Coface",
            currency="EUR",
            terms=abroad,
            entities=["SE01"],
            effective_on=day,
            on=TODAY,
        )
        policies.add_policy(
            actor,
            key,
            number="POL-NO",
            name="Other",
            insurer="Coface",
            currency="EUR",
            terms=TERMS,
            entities=["NO01"],
            effective_on=day,
            on=TODAY,
        )
    log_in(client, tenant, Role.CREDIT_ANALYST)
    page = client.get(f"/limit-requests/new?buyer_id={account.buyer_id}").get_data(as_text=True)
    assert re.search(r"<option disabled[^>]*>POL-FR \(Coface\): does not cover the buyer&#39;s country</option>", page)
    assert re.search(r"<option disabled[^>]*>POL-NO \(Coface\): insures nobody who sells to this buyer</option>", page)
    assert "Now under POL-N1" in page
    assert "Now under POL-FR" not in page
    facts = dict(re.findall(r"<dt>([^<]+)</dt>\s*<dd>\s*(?:<a [^>]*>)?([^<]+?)\s*<", page))
    assert "12,345.67" in facts["Open now"]
    assert {"Limit", "Most used", "Needed"} <= facts.keys()
    # A limit that is held all the same can be lowered and given up.
    with app.app_context():
        limits.record_decision(actor, key, NewDecision(account.buyer_id, french.id, 20_000_00, "EUR", day), TODAY)
    assert "Now under POL-FR" in client.get(f"/limit-requests/new?buyer_id={account.buyer_id}").get_data(as_text=True)


def test_many_at_once(app: Flask, client: PageClient, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    with app.app_context():
        never = add_buyer(account.tenant, "Nobody Asked SARL", "FR", number="2002")
        add_invoice(account, "N1", 10_000_00, buyer_id=never)
    log_in(client, account.tenant, Role.CREDIT_MANAGER)
    assert "/limit-requests/selection" in client.get("/limits/").get_data(as_text=True)
    assert "/limit-requests/selection?list=buyers" in client.get("/buyers/").get_data(as_text=True)
    page = client.get("/limit-requests/selection?situation=never_asked").get_data(as_text=True)
    assert page.count('type="checkbox" id="buyer-') == 2
    assert "2 buyers are in the list" in client.get("/limit-requests/selection?list=buyers").get_data(as_text=True)
    asked = {"policy_id": str(account.policy_id), "layer": "primary", "kind": "named", "rule": "owed", "hand_in": "y"}
    nothing = client.post("/limit-requests/selection", data=asked)
    assert nothing.status_code == 422
    assert "Choose at least one buyer." in nothing.get_data(as_text=True)
    monkeypatch.setattr("insureflow.services.limit_requests.SMALL", 1)
    queued = client.post("/limit-requests/selection", data={**asked, "buyer": [str(account.buyer_id), str(never)]})
    assert queued.status_code == 302
    assert "under way" in client.get(queued.location).get_data(as_text=True)
    client.get(f"{queued.location}/progress", headers={"HX-Request": "true"})
    with app.app_context():
        tasks.run_next()
    assert "2 sent" in client.get(queued.location).get_data(as_text=True)
    monkeypatch.undo()
    again = client.post("/limit-requests/selection", data={**asked, "buyer": [str(account.buyer_id)]})
    assert again.status_code == 422
    assert "is under way" in again.get_data(as_text=True)
    assert [request.requested_minor for request in stored(app, account)] == [13_000_00, 10_000_00]
    assert client.post("/limit-requests/upload", data={"policy_id": str(account.policy_id)}).status_code == 422

    def send(text: str) -> dict[str, object]:
        return {"policy_id": str(account.policy_id), "good_rows_only": "y", "file": (io.BytesIO(text.encode()), "wanted.csv")}

    bad = client.post("/limit-requests/upload", data=send("customer_number;amount\n77;5\n2002;6\n"), content_type="multipart/form-data")
    assert bad.status_code == 422
    assert "No buyer has this number or name." in bad.get_data(as_text=True)
    monkeypatch.setattr(many, "SMALL_FILE", 3)
    large = client.post("/limit-requests/upload", data=send("customer_number;amount\n77;5\n"), content_type="multipart/form-data")
    client.post(f"{large.location}/cancel")
    assert "The work ended" in client.get(large.location).get_data(as_text=True)

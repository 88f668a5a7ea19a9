"""The pages of discretionary limits: evidence put on file and given out, worked out, set, held against a claim."""

from __future__ import annotations

import io
from datetime import date

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from support.accounts import TERMS, TODAY, Account, add_invoice, make_account, within
from support.pages import PageClient
from support.tenants import log_in

from insureflow.domain.access import Role
from insureflow.models.database import db
from insureflow.models.limit_requests import DiscretionaryAssessment
from insureflow.services.transaction import transaction

CLAUSE = {"maximum": 30000, "methods": [{"method": "credit_report", "valid_for": {"months": 12}}], "insurer_decision": "ends"}


@pytest.fixture
def account(app: Flask) -> Account:
    account = make_account(
        app, terms={**TERMS, "discretionary_limit": CLAUSE}, roles=(Role.ADMINISTRATOR, Role.CREDIT_ANALYST, Role.AUDITOR)
    )
    with app.app_context():
        add_invoice(account, "F1", 20_000_00, shipped_on=date(2026, 6, 29))
    return account


def test_from_the_report_to_the_audit(app: Flask, client: PageClient, account: Account) -> None:
    buyer, policy = account.buyer_id, account.policy_id
    with time_machine.travel(f"{TODAY.isoformat()}T09:00:00Z", tick=False):
        log_in(client, account.tenant, Role.CREDIT_ANALYST)
        assert "No discretionary limit was worked out yet" in client.get("/discretionary/").get_data(as_text=True)
        empty = client.get(f"/discretionary/buyers/{buyer}").get_data(as_text=True)
        assert "None on file." in empty
        assert client.post(f"/discretionary/buyers/{buyer}/policies/{policy}/assess").status_code == 302
        with app.app_context(), within(account.organisation_id):
            first = db.session.scalars(select(DiscretionaryAssessment)).one()
        assert first.reason == "no_valid_evidence"
        assert "No limit can be set without asking: no valid evidence." in client.get(f"/discretionary/{first.id}").get_data(as_text=True)

        report = {"agency": "Bureau", "reported_on": "2026-06-01", "amount": "25,000.00", "currency": "EUR", "is_approved_agency": "y"}
        hostile = {**report, "file": (io.BytesIO(b"<svg onload=1>"), "report.svg")}
        refused = client.post(f"/discretionary/buyers/{buyer}/reports/new", data=hostile, content_type="multipart/form-data")
        assert refused.status_code == 422
        good = {**report, "file": (io.BytesIO(b"%PDF-1.4 fine"), "report.pdf")}
        assert client.post(f"/discretionary/buyers/{buyer}/reports/new", data=good, content_type="multipart/form-data").status_code == 302
        page = client.get(f"/discretionary/buyers/{buyer}").get_data(as_text=True)
        assert "25,000.00" in page
        address = page.split('href="/discretionary/evidence/')[1].split('"')[0]
        with client.get(f"/discretionary/evidence/{address}") as download:
            assert download.headers["Content-Disposition"].startswith("attachment")
            assert download.headers["X-Content-Type-Options"] == "nosniff"
            assert download.mimetype == "application/pdf"
            assert download.get_data() == b"%PDF-1.4 fine"
        assert client.get("/discretionary/evidence/999999").status_code == 404

        made = client.post(f"/discretionary/buyers/{buyer}/policies/{policy}/assess").location
        worked_out = client.get(made).get_data(as_text=True)
        assert "25,000.00\u00a0EUR may be set without asking until 31 May 2027; it rests on: credit report." in worked_out
        assert "their hash fits" in worked_out
        assert client.post(f"{made}/apply").status_code == 302
        assert "discretionary limit" in client.get(f"/buyers/{buyer}/limits").get_data(as_text=True)
        assert "31 May 2027" in client.get("/discretionary/").get_data(as_text=True)
        audited = client.get(f"/discretionary/buyers/{buyer}/policies/{policy}/audit").get_data(as_text=True)
        assert "Not all of it: 1 shipment would be refused or cut." in audited
        assert "proof put on file after shipment" in audited
        assert client.get(f"/discretionary/buyers/{buyer}/policies/{policy}/audit?all=yes").status_code == 200
        with client.get("/discretionary/?format=csv") as export:
            assert "no valid evidence" in export.get_data(as_text=True)

        with app.app_context(), transaction(account.organisation_id) as session:
            session.scalars(select(DiscretionaryAssessment).order_by(DiscretionaryAssessment.id.desc())).first().facts = {
                "need": 0,
                "credit_reports": [],
                "month_end_balances": [],
                "purchases": [],
            }  # type: ignore[union-attr]  # it is there
        assert "This proves nothing." in client.get(made).get_data(as_text=True)

        log_in(client, account.tenant, Role.AUDITOR)
        assert client.get(made).status_code == 200
        assert client.post(f"/discretionary/buyers/{buyer}/policies/{policy}/assess").status_code == 403
        assert client.get("/discretionary/999999").status_code == 404
        assert client.get("/discretionary/buyers/999999").status_code == 404

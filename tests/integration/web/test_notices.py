"""The pages of notices to insurers: from the duty to the proof, many at once, and who may do what."""

from __future__ import annotations

import io
import json
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update
from support.accounts import Account, within
from support.notices import make_overdue_account
from support.pages import PageClient
from support.tenants import log_in
from support.walking import links_of

from insureflow.domain.access import Role
from insureflow.domain.notices import NoticeKind, NoticeState
from insureflow.models.cover import Obligation
from insureflow.models.database import db
from insureflow.models.notices import Notice
from insureflow.services import tasks


@pytest.fixture
def account(app: Flask) -> Account:
    return make_overdue_account(app, buyers=25)


def notices_of(app: Flask, account: Account) -> list[Notice]:
    with app.app_context(), within(account.organisation_id):
        db.session.expire_all()
        return list(db.session.scalars(select(Notice).order_by(Notice.id)))


def test_from_the_duty_to_the_proof(app: Flask, client: PageClient, account: Account) -> None:
    log_in(client, account.tenant, Role.CLAIMS_HANDLER)
    assert "notifications are due this week" in client.get("/notices/").get_data(as_text=True)
    with app.app_context(), within(account.organisation_id):
        duty = db.session.scalars(
            select(Obligation.id).where(Obligation.kind == "notify_overdue", Obligation.buyer_id == account.buyer_id)
        ).first()
    assert "Write the notice to the insurer" in client.get(f"/obligations/{duty}").get_data(as_text=True)
    new = f"/notices/buyers/{account.buyer_id}/new"
    assert client.get(new).status_code == 200
    answer = client.post(new, data={"kind": "non_payment", "policy_id": str(account.policy_id)})
    key = notices_of(app, account)[0].id
    assert answer.headers["Location"].endswith(f"/notices/{key}/edit")
    assert client.get(f"/notices/{key}/edit").status_code == 200
    said = {"reason": "cash_flow", "comment": "They wait for a customer.", "paper_language": "de", "intervention": "collection"}
    assert client.post(f"/notices/{key}/edit", data=said).status_code == 302
    page = client.get(f"/notices/{key}").get_data(as_text=True)
    assert "They wait for a customer." in page
    assert "10,000.00" in page  # the overdue invoice
    assert "not yet due" in page
    preview = client.get(f"/notices/{key}/preview")
    assert (preview.mimetype, preview.data[:4]) == ("application/pdf", b"%PDF")
    assert client.post(f"/notices/{key}/send", data={"channel": "portal", "protocol_number": "X"}).status_code == 422
    assert client.post(f"/notices/{key}/approve").status_code == 302
    assert "is approved" in client.get(f"/notices/{key}").get_data(as_text=True)
    assert "Enter the number under which the portal took the notice" in client.post(f"/notices/{key}/send", data={"channel": "portal"}).get_data(as_text=True)  # fmt: skip
    earlier = notices_of(app, account)[0].as_of - timedelta(days=1)
    with app.app_context(), within(account.organisation_id):  # as if it had been drafted the day before
        db.session.execute(update(Notice).where(Notice.id == key).values(as_of=earlier))
        db.session.commit()
    assert "Draft it anew with the figures of today" in client.get(f"/notices/{key}").get_data(as_text=True)
    old = client.post(f"/notices/{key}/send", data={"channel": "portal", "protocol_number": "AT-1"})
    assert (old.status_code, "confirm that it goes as it is" in old.get_data(as_text=True)) == (422, True)
    receipt = {
        "with_old_figures": "y",
        "channel": "portal",
        "protocol_number": "AT-1",
        "evidence": (io.BytesIO(b"%PDF-1.4\n%%EOF\n"), "receipt.pdf"),
    }
    assert client.post(f"/notices/{key}/send", data=receipt, content_type="multipart/form-data").status_code == 302
    assert notices_of(app, account)[0].state is NoticeState.SENT
    wrong = client.post(f"/notices/{key}/reply", data={"outcome": "consented", "replied_on": "2026-01-01"})
    assert wrong.status_code == 422
    today = notices_of(app, account)[0].sent_on
    assert today is not None
    said = {"outcome": "consented", "replied_on": today.isoformat(), "note": "Go on."}
    assert client.post(f"/notices/{key}/reply", data=said).status_code == 302
    proof = client.get(f"/notices/{key}/proof").get_data(as_text=True)
    assert "AT-1" in proof
    data = json.loads(client.get(f"/notices/{key}/proof.json").data)
    assert data["dispatches"][0]["protocol_number"] == "AT-1"
    assert data["reply"]["outcome"] == "consented"
    assert client.get(f"/notices/{key}/proof.pdf").data[:4] == b"%PDF"
    file = client.get(next(link for link in links_of(proof) if "/evidence/" in link))
    assert file.headers["Content-Disposition"].startswith("attachment")
    assert "Go on." in client.get(f"/notices/{key}").get_data(as_text=True)
    assert "notification of non-payment" in client.get(f"/notices/buyers/{account.buyer_id}").get_data(as_text=True)

    # A plan is typed line by line; what cannot be read is said at once.
    client.post(new, data={"kind": "rescheduling", "policy_id": str(account.policy_id)})
    plan = next(notice for notice in notices_of(app, account) if notice.kind is NoticeKind.RESCHEDULING)
    base = {"comment": "", "paper_language": "en"}
    bad = client.post(f"/notices/{plan.id}/edit", data={**base, "plan_due": ["2027-01-01"], "plan_amount": ["much"]})
    assert (bad.status_code, "is not an instalment" in bad.get_data(as_text=True)) == (422, True)
    good = {**base, "plan_due": ["2027-01-01", "2027-02-01"], "plan_amount": ["5000.00", "5000.00"], "plan_invoice": ["OLD-0"]}
    assert client.post(f"/notices/{plan.id}/edit", data=good).status_code == 302
    assert client.post(f"/notices/{plan.id}/approve").status_code == 302
    assert next(notice for notice in notices_of(app, account) if notice.id == plan.id).state is NoticeState.APPROVED
    client.post(f"/notices/{plan.id}/reopen")
    assert client.post(f"/notices/{plan.id}/cancel", data={"reason": ""}).status_code == 422
    assert client.post(f"/notices/{plan.id}/cancel", data={"reason": "agreed otherwise"}).status_code == 302

    # An insolvency with its administrator; once the proof of debt is lodged, with what shows it, the page says so.
    client.post(new, data={"kind": "insolvency", "policy_id": str(account.policy_id)})
    failed = next(notice for notice in notices_of(app, account) if notice.kind is NoticeKind.INSOLVENCY)
    opened = {"proceeding": "bankruptcy", "opened_on": "2026-06-01", "known_on": "2026-06-02", "administrator_name": "Dr. Lang"}
    assert client.post(f"/notices/{failed.id}/edit", data={"paper_language": "en", **opened}).status_code == 302
    assert "Record that it was lodged" not in client.get(f"/notices/{failed.id}").get_data(as_text=True)
    client.post(f"/notices/{failed.id}/approve")
    lodged = {"lodged_on": "2026-06-03", "administrator": "Dr. Lang", "channel": "post"}
    assert client.post(f"/notices/{failed.id}/lodge", data=lodged).status_code == 422
    with_slip = {**lodged, "evidence": (io.BytesIO(b"%PDF-1.4 slip"), "slip.pdf")}
    assert client.post(f"/notices/{failed.id}/lodge", data=with_slip, content_type="multipart/form-data").status_code == 302
    page = client.get(f"/notices/{failed.id}").get_data(as_text=True)
    assert "Proof of debt lodged" in page
    assert "3 Jun 2026" in page
    assert "Fingerprint of what shows it" in client.get(f"/notices/{failed.id}/proof").get_data(as_text=True)

    # Many at once go on in the background.
    assert client.post("/notices/draft-due").status_code == 302
    drafts = [str(notice.id) for notice in notices_of(app, account) if notice.state is NoticeState.DRAFT]
    assert len(drafts) == 24
    assert client.get("/notices/selection/approve?state=draft").status_code == 200
    assert client.post("/notices/selection/approve", data={}).status_code == 422
    answer = client.post("/notices/selection/approve", data={"notice": drafts})
    task = answer.headers["Location"]
    assert "/notices/tasks/" in task
    assert client.get(task).status_code == 200
    with app.app_context():
        tasks.run_next()
    assert "24 done" in client.get(task).get_data(as_text=True)
    assert client.get("/notices/selection/send").status_code == 200
    assert client.get("/notices/buyers").status_code == 200
    listed = client.get("/notices/?format=csv", buffered=True)
    assert listed.data.count(b"M\xc3\xbcller GmbH") == 3
    listed.close()

    log_in(client, account.tenant, Role.RECEIVABLES_CLERK)
    assert client.post(f"/notices/{drafts[0]}/send", data={"channel": "email"}).status_code == 403
    assert client.get(f"/notices/{drafts[0]}").status_code == 200
    assert client.get("/notices/999999").status_code == 404

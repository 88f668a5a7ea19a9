"""Evidence over the API: sent, kept once, listed with its fingerprint, given out as an attachment, and never across things."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select
from support.accounts import within
from support.api import Caller
from support.notices import make_overdue_account
from werkzeug.test import TestResponse

from insureflow.domain.access import Role
from insureflow.models.database import db
from insureflow.models.journal import JournalEntry
from insureflow.models.limits import LimitDecision
from insureflow.models.receivables import Invoice
from insureflow.services import discretionary, files
from insureflow.services.discretionary import NewCreditReport

PAPER = b"%PDF-1.7\nthe insurer's letter\n"


@pytest.fixture
def ground(app: Flask) -> Iterator[SimpleNamespace]:
    """An account that owes an old invoice, and its callers."""
    account = make_overdue_account(app)
    with time_machine.travel(datetime(2026, 6, 30, 9, tzinfo=UTC), tick=True):
        with app.app_context(), within(account.organisation_id):
            new = NewCreditReport(account.buyer_id, "Creditsafe", date(2026, 6, 1))
            report = discretionary.add_report(account.tenant.actor(), account.organisation_id, new, date(2026, 6, 30))
            invoice = db.session.scalars(select(Invoice.id).where(Invoice.number == "NEW-0")).one()
            decision = db.session.scalars(select(LimitDecision.id).limit(1)).one()
            report_id = report.id
        call = Caller(app, account.tenant)
        yield SimpleNamespace(account=account, call=call, invoice=invoice, decision=decision, report=report_id)


def send(call: Caller, address: str, content: bytes = PAPER, name: str = "letter.pdf", role: Role = Role.ADMINISTRATOR, **said: Any) -> Any:
    """The status and the content of the answer to a file."""
    answer: TestResponse = call.send(f"{address}", role, {"file": (io.BytesIO(content), name), **said})
    return answer.status_code, answer.json


def journal_entries(app: Flask, organisation_id: int) -> int:
    with app.app_context(), within(organisation_id):
        return int(db.session.scalar(select(func.count()).select_from(JournalEntry)) or 0)


def test_files_are_kept_for_everything_that_needs_proof(app: Flask, ground: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LARGEST", 100_000)
    call, account = ground.call, ground.account
    duty = call.get("/duties?kind=notify_overdue")["items"][0]["id"]
    assert send(call, f"/duties/{duty}/evidence")[1]["code"] == "obligation_not_marked"
    call.post(f"/duties/{duty}/done", note="told by telephone")
    notice = call.post("/notices", status=201, buyer_id=account.buyer_id)["id"]
    dispute = call.post(f"/invoices/{ground.invoice}/disputes", status=201, amount="5.00", reason="too few")["id"]
    places = (
        f"/duties/{duty}",
        f"/notices/{notice}",
        f"/disputes/{dispute}",
        f"/limits/decisions/{ground.decision}",
        f"/credit-reports/{ground.report}",
    )
    for number, place in enumerate(places):
        content = PAPER + str(number).encode()
        before = journal_entries(app, account.organisation_id)
        status, kept = send(call, f"{place}/evidence", content, "../../letter.pdf", dated_on="2026-06-29", note="by post")
        assert (status, kept["media_type"], kept["size_bytes"]) == (201, "application/pdf", len(content)), kept
        assert (kept["name"], kept["dated_on"], kept["note"]) == ("letter.pdf", "2026-06-29", "by post")
        assert kept["sha256"] == hashlib.sha256(content).hexdigest()
        assert send(call, f"{place}/evidence", content)[1]["id"] == kept["id"], "the same file is kept once"
        assert journal_entries(app, account.organisation_id) == before + 1, "and noted once"
        assert call.get(f"{place}/evidence")["items"] == [kept]
        given = call.fetch(f"{place}/evidence/{kept['id']}")
        assert (given.status_code, given.data, given.headers["X-Content-Type-Options"]) == (200, content, "nosniff")
        assert given.headers["Content-Disposition"].startswith("attachment")
        assert "sandbox" in given.headers["Content-Security-Policy"]
        other = places[(number + 1) % len(places)]
        assert call("GET", f"{other}/evidence/{kept['id']}")[0] == 404, "a file is given out with what it proves alone"
        kind = place.rpartition("/")[0]
        assert send(call, f"{kind}/999/evidence")[0] == call("GET", f"{kind}/999/evidence")[0] == 404
    assert send(call, f"/credit-reports/{ground.report}/evidence", PAPER + b"other")[1]["code"] == "credit_report_has_file"
    assert send(call, f"/duties/{duty}/evidence", role=Role.CLAIMS_HANDLER)[0] in {201, 403}
    assert send(call, f"/limits/decisions/{ground.decision}/evidence", role=Role.CLAIMS_HANDLER)[0] == 403
    assert call.client.post(f"/api/v1/duties/{duty}/evidence", data={"file": (io.BytesIO(PAPER), "a.pdf")}).status_code == 401

    refused = {
        "evidence_empty": (b"", "a.pdf"),
        "evidence_hostile": (b"<html><script>alert(1)</script>", "a.txt"),
        "evidence_type_not_taken": (b"\x00\x01\x02", "a.bin"),
        "evidence_too_large": (b"%PDF-" + b"x" * 100_000, "a.pdf"),
    }
    for code, (content, name) in refused.items():
        status, problem = send(call, f"/disputes/{dispute}/evidence", content, name)
        assert (status, problem["code"]) == (409, code)
    assert send(call, f"/disputes/{dispute}/evidence", dated_on="soon")[0] == 422
    assert call("POST", f"/disputes/{dispute}/evidence")[0] == 422, "without a file"


def test_the_insurers_consent_comes_with_its_letter(app: Flask, ground: SimpleNamespace) -> None:
    call, account = ground.call, ground.account
    address = f"/buyers/{account.buyer_id}/block/consent"
    said = {"policy": "POL-N1", "consented_on": "2026-06-29", "note": "further supplies allowed"}
    assert call.get(f"/buyers/{account.buyer_id}/block")["is_blocked"]
    assert call.send(address, Role.ADMINISTRATOR, said).status_code == 422
    assert send(call, address, role=Role.CLAIMS_HANDLER, **said)[0] == 403
    status, consent = send(call, address, **said)
    assert (status, consent["policy"], consent["kind"], consent["is_blocked"]) == (201, "POL-N1", "consent", False), consent
    kept = call.get(f"/acts/{consent['act_id']}/evidence")["items"]
    assert [(each["name"], each["dated_on"]) for each in kept] == [("letter.pdf", "2026-06-29")]
    assert send(call, f"/acts/{consent['act_id']}/evidence")[1]["id"] == kept[0]["id"]
    assert call.fetch(f"/acts/{consent['act_id']}/evidence/{kept[0]['id']}").data == PAPER
    assert send(call, "/acts/999/evidence")[0] == 404


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_files_are_described_as_they_are_sent(app: Flask) -> None:
    described = app.test_client().get("/api/v1/openapi.json").json
    body = described["paths"]["/api/v1/duties/{duty_id}/evidence"]["post"]["requestBody"]
    assert list(body["content"]) == ["multipart/form-data"]
    about, file = body["content"]["multipart/form-data"]["schema"]["allOf"]
    assert (file["required"], file["properties"]["file"]["format"]) == (["file"], "binary")
    shape = described["components"]["schemas"][about["$ref"].rpartition("/")[2]]
    assert {"dated_on", "note"} <= set(shape["properties"])

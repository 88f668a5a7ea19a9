"""Over the API: an insurer's papers, word of a payment, a proof of debt lodged, and a payment plan drawn up anew."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import time_machine
from flask import Flask
from sqlalchemy import select
from support.accounts import within
from support.api import Caller, check_answer
from support.connections import use_sandbox
from support.notices import make_overdue_account
from support.sandbox import CREDENTIALS, POLICY_KEYS, running_sandbox

from insureflow.connectors.insurers.interface import SaleMessage, SaleTaker
from insureflow.domain.access import Role
from insureflow.domain.money import Money
from insureflow.domain.notices import Administrator, NoticeKind, Particulars, ProceedingKind
from insureflow.domain.obligations import ObligationKind
from insureflow.models.connections import OutboxMessage
from insureflow.models.cover import ObligationMark
from insureflow.models.database import db
from insureflow.models.journal import JournalEntry
from insureflow.models.policies import Policy
from insureflow.services import connections, notices
from insureflow.services.notices import NewNotice
from insureflow.services.transaction import transaction

TODAY = date(2026, 6, 30)
SLIP = b"%PDF-1.7\nslip of the post\n"


def test_papers_are_shown_and_an_insurer_is_told_of_a_payment(app: Flask, tmp_path: Path) -> None:
    with running_sandbox(tmp_path / "sandbox.db") as sandbox, time_machine.travel(datetime(2026, 6, 30, 9, tzinfo=UTC), tick=True):
        use_sandbox(app, sandbox)
        account = make_overdue_account(app)
        actor, org = account.tenant.actor(), account.organisation_id
        with app.app_context(), within(org):
            with transaction(org) as session:
                session.get_one(Policy, account.policy_id).insurer = "cesce"
            setup = connections.Setup(
                connector="cesce", environment="sandbox", policy_key=POLICY_KEYS["cesce"], credentials=CREDENTIALS["cesce"], options={}
            )
            key = connections.add_connection(actor, org, account.policy_id, setup).id
        call = Caller(app, account.tenant)
        place = f"/connections/{key}"
        paid = {"client": "10000001", "sale": "V1", "collected_on": "2026-06-29", "amount": "10.50"}
        # Nobody knows what the policy may do before the connection is tried.
        status, refused = call("POST", f"{place}/payments", **paid)
        assert (status, refused["code"]) == (409, "collections_not_offered")
        with app.app_context(), within(org):
            assert connections.try_connection(actor, org, key).error is None
            found = connections.reach(org, key)
            assert isinstance(found.connector, SaleTaker)
            sold = SaleMessage("IF-1", "10000001", "2026-1", TODAY, TODAY, Money.of("10.50", "EUR"))
            sale = found.connector.declare_sale(found.connection, sold).reference

        offered = call.get(f"{place}/papers")
        assert (offered["paper"], offered["rows"]) == (None, None)
        assert {each["name"]: each["numbers"] for each in offered["offered"]}["recoveries"] == 1
        assert sale in [row["saleCesceReferenceNo"] for row in call.get(f"{place}/papers?paper=sales")["rows"]]
        assert call.get(f"{place}/papers?paper=recoveries&number=D1")["rows"] == []
        for question, code in (("paper=recoveries", "paper_needs_numbers"), ("paper=secrets", "papers_not_offered")):
            status, refused = call("GET", f"{place}/papers?{question}")
            assert (status, refused["code"]) == (409, code)
        assert call("GET", "/connections/999/papers")[1]["code"] == "connection_unknown"

        told = call.post(f"{place}/payments", status=201, **paid | {"sale": f" {sale} "})
        assert (told["state"], told["sale"], told["amount"]) == ("waiting", sale, {"amount": "10.50", "currency": "EUR"})
        with app.app_context(), within(org):
            kept = db.session.get_one(OutboxMessage, told["id"])
            assert (kept.own_reference, kept.payload["amount_minor"], kept.payload["collected_on"]) == (
                told["reference"],
                1050,
                "2026-06-29",
            )
            entry = db.session.scalars(select(JournalEntry).where(JournalEntry.action == "message.written")).one()
            assert (entry.subject, entry.subject_id) == (told["reference"], told["id"])
        assert call("POST", f"{place}/payments", Role.RECEIVABLES_CLERK, **paid)[0] == 403
        assert call("POST", "/connections/999/payments", **paid)[0] == 404
        wrong = call("POST", f"{place}/payments", **paid | {"client": " ", "collected_on": "2026-07-09", "amount": "0"})
        codes = {each["code"] for each in wrong[1]["problems"]}
        assert (wrong[0], codes) == (422, {"collection_number_missing", "in_the_future", "collection_amount_not_positive"})
        assert call("POST", f"{place}/payments", **paid | {"amount": "1.005"})[0] == 422


def test_a_proof_of_debt_is_lodged_and_a_plan_drawn_up_anew(app: Flask) -> None:
    with time_machine.travel(datetime(2026, 6, 30, 9, tzinfo=UTC), tick=True):
        account = make_overdue_account(app)
        actor, org = account.tenant.actor(), account.organisation_id
        call = Caller(app, account.tenant)
        invoice = {each["number"]: each["invoice_id"] for each in call.get(f"/buyers/{account.buyer_id}/payment-plans/choices")["items"]}

        asked = {"invoice_ids": [invoice["NEW-0"]], "equal": {"count": 2, "first_on": "2026-07-15"}}
        plan = call.post(f"/buyers/{account.buyer_id}/payment-plans", status=201, **asked)
        one = f"/payment-plans/{plan['id']}"
        anew = {
            "invoice_ids": asked["invoice_ids"],
            "equal": {"count": 4, "first_on": "2026-07-15", "rhythm": "weekly"},
            "note": "asked for more time",
        }
        changed = call.post(f"{one}/change", Role.CLAIMS_HANDLER, **anew)
        assert (changed["id"], changed["state"], changed["note"]) == (plan["id"], "draft", "asked for more time")
        assert [each["amount"]["amount"] for each in changed["instalments"]] == ["500.00"] * 4
        assert call("POST", f"{one}/change", invoice_ids=[999], equal=anew["equal"])[0] == 422
        assert call("POST", "/payment-plans/999/change", **anew)[0] == 404
        call.post(f"{one}/agree")
        status, refused = call("POST", f"{one}/change", **anew)
        assert (status, refused["code"]) == (409, "plan_cannot")
        assert call.post(f"{one}/cancel", reason="written by mistake", never_told=True)["state"] == "cancelled"

        with app.app_context(), within(org):
            facts = Particulars(
                opened_on=date(2026, 6, 28),
                known_on=date(2026, 6, 29),
                proceeding=ProceedingKind.BANKRUPTCY,
                administrator=Administrator(name="Dr. Lang", street="Domplatz 1", postal_code="50667", city="Köln", country="DE"),
            )
            key = notices.draft(actor, org, NewNotice(kind=NoticeKind.INSOLVENCY, buyer_id=account.buyer_id, particulars=facts), TODAY).id
        said = {"lodged_on": "2026-06-30", "administrator": "Dr. Lang", "channel": "post", "note": "by registered letter"}

        def lodge(role: Role = Role.CLAIMS_HANDLER, notice_id: int = key, slip: bytes | None = SLIP, **changes: str) -> tuple[int, Any]:
            file = {} if slip is None else {"file": (io.BytesIO(slip), "slip.pdf")}
            answer = call.send(f"/notices/{notice_id}/lodged", role, {**file, **said, **changes})
            check_answer(app, "POST", answer)
            return answer.status_code, answer.json

        assert lodge()[1]["code"] == "notice_no_proof_of_debt"
        call.post(f"/notices/{key}/approve")
        assert call.get(f"/notices/{key}")["lodged"] is None
        assert lodge(Role.RECEIVABLES_CLERK)[0] == 403
        assert lodge(notice_id=999)[0] == 404
        assert lodge(slip=None)[0] == lodge(channel="connection")[0] == lodge(lodged_on="soon")[0] == 422
        assert lodge(lodged_on="2026-07-01")[1]["code"] == "in_the_future"
        assert lodge(lodged_on="2026-06-27")[1]["code"] == "lodged_before_opening"
        status, lodged = lodge()
        assert (status, lodged["lodged_on"], lodged["administrator"], lodged["channel"]) == (201, "2026-06-30", "Dr. Lang", "post"), lodged
        assert call.get(f"/notices/{key}")["lodged"] == lodged
        (kept,) = call.get(f"/notices/{key}/evidence")["items"]
        assert (kept["id"], kept["sha256"], kept["dated_on"]) == (lodged["evidence_file_id"], lodged["evidence_sha256"], "2026-06-30")
        with app.app_context(), within(org):
            mark = db.session.scalars(select(ObligationMark).where(ObligationMark.kind == ObligationKind.FILE_PROOF_OF_DEBT.value)).one()
            assert (mark.mark, mark.marked_on, "Dr. Lang" in mark.note) == ("done", TODAY, True)

"""Notices of interest over the API, on the page of a buyer's overdues and by command."""

from __future__ import annotations

import json
from datetime import date

import time_machine
from flask import Flask
from sqlalchemy import select
from support.accounts import add_invoice, within
from support.api import Caller
from support.dunning import RULE, Debtors, make_debtors
from support.pages import PageClient
from support.tenants import log_in

from insureflow.domain.access import Role
from insureflow.models.database import db
from insureflow.models.documents import IssuedDocument
from insureflow.models.journal import JournalEntry
from insureflow.models.receivables import Allocation, CreditNote, Invoice, Payment
from insureflow.services import dunning, receivables
from insureflow.services.transaction import transaction


def settle(
    debtors: Debtors, invoice_id: int, on: date, minor: int, number: str, *, inferred: bool = False, is_credit: bool = False
) -> None:
    """A payment or a credit note that settles a part of an invoice, as the ledger books it."""
    with transaction(debtors.organisation_id) as session:
        invoice = session.scalars(select(Invoice).where(Invoice.id == invoice_id)).one()
        same = {"entity_id": invoice.entity_id, "buyer_id": invoice.buyer_id, "number": number, "currency": "EUR", "unapplied_minor": 0}
        source: Payment | CreditNote = (
            CreditNote(**same, net_minor=minor, vat_minor=0, issued_on=on)
            if is_credit
            else Payment(**same, amount_minor=minor, received_on=on, inferred=inferred)
        )
        session.add(source)
        session.flush()
        key = {"credit_note_id": source.id} if is_credit else {"payment_id": source.id}
        session.add(Allocation(invoice_id=invoice_id, amount_minor=minor, allocated_on=on, **key))
        invoice.open_minor -= minor


def test_interest_is_claimed_once_by_page_api_and_command(app: Flask, client: PageClient) -> None:
    debtors = make_debtors(app, roles=(Role.ADMINISTRATOR, Role.RECEIVABLES_CLERK, Role.CLAIMS_HANDLER))
    tenant, buyer, invoice = debtors.account.tenant, debtors.buyers["DE"], debtors.invoices["DE"]
    actor, entity = tenant.actor(), tenant.entity_id
    with app.app_context():
        disputed, gathered, credited = (
            add_invoice(debtors.account, number, 1_000_00, buyer_id=buyer, shipped_on=date(2026, 5, 1))
            for number in ("DE-2", "DE-3", "DE-4")
        )
        settle(debtors, invoice, date(2026, 6, 10), 4_000_00, "P-1")
        settle(debtors, gathered, date(2026, 6, 20), 1_000_00, "P-2", inferred=True)
        settle(debtors, credited, date(2026, 6, 20), 1_000_00, "C-1", is_credit=True)
        receivables.open_dispute(
            actor, tenant.id, disputed, amount_minor=400_00, opened_on=date(2026, 5, 20), reason="broken", on=date(2026, 6, 1)
        )
    call = Caller(app, tenant)
    with time_machine.travel("2026-06-21T09:00:00Z", tick=False):
        seen = call.get(f"/buyers/{buyer}/interest?entity=SE01", Role.CLAIMS_HANDLER)
        assert [(each["invoice"], each["principal"]["amount"], each["days"], each["interest"]["amount"]) for each in seen["lines"]] == [
            ("DE-1", "10000.00", 10, "22.33"),
            ("DE-1", "6000.00", 11, "14.74"),
            ("DE-2", "600.00", 21, "2.81"),
        ]
        assert seen["totals"] == [{"amount": "39.88", "currency": "EUR"}]
        assert (seen["basis"], seen["lines"][0]["annual_rate"], seen["lines"][0]["original_due_on"]) == ("§ 288 BGB", "8.15", "2026-05-31")
        assert call("GET", f"/buyers/{buyer}/interest?entity=NONE")[0] == 404
        assert call("POST", f"/buyers/{buyer}/interest-notices", Role.CLAIMS_HANDLER, entity="SE01")[0] == 403
        log_in(client, tenant, Role.RECEIVABLES_CLERK)
        assert "Notice of interest of" in client.get(f"/dunning/buyers/{buyer}").get_data(as_text=True)
        paper = client.get(f"/dunning/buyers/{buyer}/interest/{entity}").get_data(as_text=True)
        assert "39,88" in paper
        assert "1.\u00a0Juni\u00a02026" in paper, "the first day of interest is the day after the due date"
        assert client.get(f"/dunning/buyers/{buyer}/interest/999999").status_code == 404
        assert client.post(f"/dunning/buyers/{buyer}/interest/{entity}", data={"by_mail": "yes"}).status_code == 302
        assert "notice of interest" in client.get(f"/documents/buyers/{buyer}").get_data(as_text=True)
        client.get(f"/dunning/buyers/{buyer}/interest/{entity}")
        assert "has no interest to claim" in client.get(f"/dunning/buyers/{buyer}").get_data(as_text=True), "all of it is claimed"
        assert call("GET", f"/buyers/{buyer}/interest?entity=SE01")[1]["code"] == "interest_nothing_owed"
    with app.app_context():
        settle(debtors, invoice, date(2026, 6, 30), 6_000_00, "P-3")
    with time_machine.travel("2026-07-21T09:00:00Z", tick=False):
        issued = call.post(f"/buyers/{buyer}/interest-notices", Role.RECEIVABLES_CLERK, status=201, entity="SE01")
        assert issued["message_id"] is None
        listed = call.get(f"/buyers/{buyer}/interest-notices")["items"]
        assert [each["kind"] for each in listed] == ["interest_notice", "interest_notice"]
        assert call.get(f"/documents/{issued['document_id']}")[:5] == b"%PDF-"
    with app.app_context(), within(tenant.id):
        first, second = db.session.scalars(select(IssuedDocument).order_by(IssuedDocument.id)).all()
        assert [(each["invoice"], each["from_on"], each["until_on"]) for each in second.facts["claimed"]] == [
            ("DE-1", "2026-06-21", "2026-06-30"),
            ("DE-2", "2026-06-21", "2026-07-21"),
        ]
        assert first.facts["claimed"][-1]["until_on"] == "2026-06-21"
        written = db.session.scalars(select(JournalEntry.action).where(JournalEntry.action == "interest_notice.issued")).all()
        assert len(written) == 2
        dunning.set_rule(actor, tenant.id, {**RULE, "interest": None}, date(2026, 8, 1), buyer_id=buyer)
    runner = app.test_cli_runner()
    command = ["dunning", "interest", "-o", tenant.slug, "-e", "SE01", "--format", "json", "-b"]
    with time_machine.travel("2026-08-05T09:00:00Z", tick=False):
        refused = runner.invoke(args=[*command, "1001"])
        assert (refused.exit_code, "Rules of dunning" in refused.stderr) == (1, True)
        (shown,) = json.loads(runner.invoke(args=[*command, "SE Trading"]).stdout)
        assert (shown["invoice"], shown["days"]) == ("SE-1", 66)
        assert json.loads(runner.invoke(args=[*command, "SE Trading", "--issue"]).stdout)["language"] == "sv"
        assert runner.invoke(args=[*command, "SE Trading", "--by-mail"]).exit_code == 1

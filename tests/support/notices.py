"""Accounts with overdue invoices under a policy that wants them notified: the ground of the tests of papers for insurers."""

from __future__ import annotations

from datetime import date

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from support.accounts import TERMS, TODAY, Account, add_buyer, add_invoice, make_account

from insureflow.domain.access import Role
from insureflow.domain.contacts import ContactPurpose
from insureflow.domain.obligations import ObligationKind
from insureflow.models.buyers import InsurerIdentity
from insureflow.models.receivables import Invoice
from insureflow.queries.obligations.calendar import CalendarStatus, DutySelection, calendar
from insureflow.services import contacts
from insureflow.services.contacts import DeskDetails
from insureflow.services.limits.decisions import NewDecision, record_decision
from insureflow.services.transaction import transaction

NOTICE_TERMS = {
    **TERMS,
    "overdue_notification": {"days": 30, "failure": "invoice_not_covered"},
    "adverse_information": {"days": 10},
}

#: Shipped on this day at 30 days: overdue since April, to be notified by the third of July.
OLD = date(2026, 3, 5)
DEADLINE = date(2026, 7, 3)


def make_overdue_account(app: Flask, name: str = "Nordic Pumps", *, buyers: int = 1, email: str = "overdues@insurer.example") -> Account:
    """A policy with a desk for notices, and buyers that each owe an old invoice and one that is not due yet."""
    account = make_account(app, name, terms=NOTICE_TERMS, roles=(Role.ADMINISTRATOR, Role.CLAIMS_HANDLER, Role.RECEIVABLES_CLERK))
    actor = account.tenant.actor()
    with app.app_context():
        desk = DeskDetails(name="Overdues", address="1 Desk Street\nAmsterdam", email=email, language="en", portal="https://portal.example")
        contacts.set_policy_contact(actor, account.organisation_id, account.policy_id, ContactPurpose.NOTICES, desk)
        keys = [account.buyer_id, *(add_buyer(account.tenant, f"Buyer {number:03}") for number in range(1, buyers))]
        with transaction(account.organisation_id) as session:
            session.add(InsurerIdentity(buyer_id=account.buyer_id, insurer="Atradius", number="77001"))
        for place, key in enumerate(keys):
            record_decision(actor, account.organisation_id, NewDecision(key, account.policy_id, 900_000, "EUR", date(2026, 1, 2)), TODAY)
            add_invoice(account, f"OLD-{place}", 1_000_000, buyer_id=key, shipped_on=OLD)
            add_invoice(account, f"NEW-{place}", 200_000, buyer_id=key, shipped_on=date(2026, 5, 20), terms_days=60)
    return account


def duty_status(buyer_id: int, on: date = TODAY, kind: ObligationKind = ObligationKind.NOTIFY_OVERDUE) -> dict[str | None, CalendarStatus]:
    """How the duties of a buyer stand, by invoice."""
    entries = calendar(DutySelection(on, on, [kind], buyer_id=buyer_id), date(2026, 1, 1), date(2027, 12, 31), with_late=True)
    return {entry.invoice: entry.status for entry in entries}


def invoice_id(session: Session, number: str) -> int:
    """Key of an invoice."""
    return session.scalars(select(Invoice.id).where(Invoice.number == number)).one()

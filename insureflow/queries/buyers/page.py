"""Everything about one buyer, read for its page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import selectinload

from insureflow.domain.buyers import BuyerStatus, search_name
from insureflow.domain.money import Money
from insureflow.models.buyers import Buyer, CustomerNumber
from insureflow.models.cover import InvoicePosition
from insureflow.models.database import db
from insureflow.models.journal import JournalEntry
from insureflow.models.limits import AccountAct, LimitDecision
from insureflow.models.receivables import CreditNote, Dispute, Invoice, Payment
from insureflow.queries.buyers.listing import amounts_by_buyer
from insureflow.queries.obligations.calendar import CalendarEntry, DutySelection, calendar

#: How many of the largest invoices, payments and credit notes the timeline shows.
_LARGEST = 12

#: Actions whose thing is gone, so that only the entry itself still knows whose it was.
_REMOVALS = ("limit.removed", "act.removed")


@dataclass(frozen=True, slots=True)
class BuyerFigures:
    """What a buyer owes and may owe in one limit currency."""

    open: Money
    covered: Money
    overdue: Money
    limit: Money
    stopped: bool

    @property
    def uncovered(self) -> Money:
        """What is owed and not covered."""
        return self.open - self.covered


class HappeningKind(StrEnum):
    """What a timeline tells of."""

    DECISION = "decision"
    ACT = "act"
    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
    PAYMENT = "payment"
    DISPUTE = "dispute"
    DISPUTE_RESOLVED = "dispute_resolved"


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened: ``row`` is the decision, act, invoice … itself."""

    on: date
    kind: HappeningKind
    row: Any
    amount: Money | None = None


def find_buyer(buyer_id: int) -> Buyer | None:
    """The buyer with everything that belongs to it, or None."""
    return db.session.scalar(
        select(Buyer)
        .where(Buyer.id == buyer_id)
        .options(
            selectinload(Buyer.names),
            selectinload(Buyer.identifiers),
            selectinload(Buyer.addresses),
            selectinload(Buyer.accounts),
            selectinload(Buyer.insurer_identities),
        )
    )


def figures_of(buyer_id: int, on: date, *, policy_id: int | None = None, entity_id: int | None = None) -> list[BuyerFigures]:
    """What a buyer owes on a day by limit currency, the largest first."""
    amounts = amounts_by_buyer(on, policy_id=policy_id, entity_id=entity_id, buyer_id=buyer_id).c
    statement = (
        select(amounts.currency, amounts.open_minor, amounts.covered_minor, amounts.overdue_minor, amounts.limit_minor, amounts.stopped)
        .select_from(Buyer)
        .join(amounts.buyer_id.table, amounts.buyer_id == Buyer.id)
    )
    found = [
        BuyerFigures(
            open=Money(int(row.open_minor), row.currency),
            covered=Money(int(row.covered_minor), row.currency),
            overdue=Money(int(row.overdue_minor), row.currency),
            limit=Money(int(row.limit_minor), row.currency),
            stopped=bool(row.stopped),
        )
        for row in db.session.execute(statement)
    ]
    return sorted(found, key=lambda figures: (-figures.open.minor, figures.open.currency))


def children_of(buyer_id: int) -> Sequence[Buyer]:
    """The buyers directly below this one in its group."""
    return db.session.scalars(select(Buyer).where(Buyer.parent_id == buyer_id).order_by(Buyer.search_name)).all()


def find_similar(buyer: Buyer, limit: int = 5) -> Sequence[Buyer]:
    """Other buyers in the country whose names begin alike: candidates for being the same."""
    words = buyer.search_name.split()
    if not words:
        return []
    stem = words[0].replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    statement = (
        select(Buyer)
        .where(Buyer.country == buyer.country, Buyer.id != buyer.id, Buyer.status != BuyerStatus.ARCHIVED)
        .where(or_(Buyer.search_name == buyer.search_name, Buyer.search_name.like(f"{stem}%", escape="\\")))
        .order_by((Buyer.search_name == buyer.search_name).desc(), Buyer.search_name)
        .limit(limit)
    )
    return db.session.scalars(statement).all()


def search_buyers(text: str, *, limit: int = 20, without: int | None = None) -> Sequence[Buyer]:
    """Buyers whose names hold all the words, or who have exactly this customer number: for choosing one."""
    tests = [Buyer.search_name.contains(word, autoescape=True) for word in search_name(text).split()]
    if not tests:
        return []
    numbered = select(CustomerNumber.buyer_id).where(CustomerNumber.number == text.strip())
    statement = select(Buyer).where(Buyer.status != BuyerStatus.ARCHIVED, or_(and_(*tests), Buyer.id.in_(numbered)))
    if without is not None:
        statement = statement.where(Buyer.id != without)
    return db.session.scalars(statement.order_by(Buyer.search_name, Buyer.id).limit(limit)).all()


def open_invoices_of(
    buyer_id: int, on: date, *, policy_id: int | None = None, entity_id: int | None = None
) -> list[tuple[Invoice, InvoicePosition]]:
    """A buyer's invoices that are open on a day with their positions, the oldest due date first."""
    statement = (
        select(Invoice, InvoicePosition)
        .join(InvoicePosition, InvoicePosition.invoice_id == Invoice.id)
        .where(
            InvoicePosition.buyer_id == buyer_id,
            InvoicePosition.valid_from <= on,
            InvoicePosition.valid_to > on,
            or_(InvoicePosition.open_minor > 0, InvoicePosition.ledger_open_minor > 0),
        )
        .order_by(Invoice.due_on, Invoice.number)
    )
    if policy_id is not None:
        statement = statement.where(InvoicePosition.policy_id == policy_id)
    if entity_id is not None:
        statement = statement.where(Invoice.entity_id == entity_id)
    return [(invoice, position) for invoice, position in db.session.execute(statement)]


def shipments_of(buyer_id: int, policy_id: int, start: date, end: date) -> list[tuple[date, int]]:
    """Days of shipment under a policy and what was shipped, in minor units of each invoice's own currency."""
    statement = (
        select(Invoice.shipment_on, func.sum(Invoice.net_minor + Invoice.vat_minor))
        .where(Invoice.buyer_id == buyer_id, Invoice.policy_id == policy_id, Invoice.shipment_on >= start, Invoice.shipment_on < end)
        .group_by(Invoice.shipment_on)
        .order_by(Invoice.shipment_on)
    )
    return [(day, int(amount)) for day, amount in db.session.execute(statement)]


def happenings_of(buyer_id: int, on: date, *, months: int = 24) -> list[Happening]:
    """What happened with a buyer up to a day, newest first: decisions, acts, disputes, and the largest documents of two years."""
    since = on - timedelta(days=months * 31)
    found: list[Happening] = []
    for decision in db.session.scalars(select(LimitDecision).where(LimitDecision.buyer_id == buyer_id, LimitDecision.decided_on <= on)):
        minor = decision.decided_minor if decision.decided_minor is not None else decision.requested_minor
        found.append(
            Happening(decision.decided_on, HappeningKind.DECISION, decision, None if minor is None else Money(minor, decision.currency))
        )
    acts = select(AccountAct).where(AccountAct.buyer_id == buyer_id, AccountAct.happened_on <= on)
    found.extend(Happening(act.happened_on, HappeningKind.ACT, act) for act in db.session.scalars(acts))
    for dispute, invoice in db.session.execute(
        select(Dispute, Invoice)
        .join(Invoice, Invoice.id == Dispute.invoice_id)
        .where(Invoice.buyer_id == buyer_id, Dispute.opened_on <= on)
    ):
        found.append(Happening(dispute.opened_on, HappeningKind.DISPUTE, invoice, Money(dispute.amount_minor, invoice.currency)))
        if dispute.resolved_on is not None and dispute.resolved_on <= on:
            owed = Money(dispute.found_owed_minor or 0, invoice.currency)
            found.append(Happening(dispute.resolved_on, HappeningKind.DISPUTE_RESOLVED, invoice, owed))
    gross = Invoice.net_minor + Invoice.vat_minor
    invoices = (
        select(Invoice)
        .where(Invoice.buyer_id == buyer_id, Invoice.invoice_on <= on, Invoice.invoice_on >= since)
        .order_by(gross.desc(), Invoice.id)
        .limit(_LARGEST)
    )
    for invoice in db.session.scalars(invoices):
        amount = Money(invoice.net_minor + invoice.vat_minor, invoice.currency)
        found.append(Happening(invoice.invoice_on, HappeningKind.INVOICE, invoice, amount))
    payments = (
        select(Payment)
        .where(Payment.buyer_id == buyer_id, Payment.received_on <= on, Payment.received_on >= since)
        .order_by(Payment.amount_minor.desc(), Payment.id)
        .limit(_LARGEST)
    )
    found.extend(
        Happening(payment.received_on, HappeningKind.PAYMENT, payment, Money(payment.amount_minor, payment.currency))
        for payment in db.session.scalars(payments)
    )
    notes = (
        select(CreditNote)
        .where(CreditNote.buyer_id == buyer_id, CreditNote.issued_on <= on, CreditNote.issued_on >= since)
        .order_by(CreditNote.net_minor.desc(), CreditNote.id)
        .limit(_LARGEST)
    )
    found.extend(
        Happening(note.issued_on, HappeningKind.CREDIT_NOTE, note, Money(note.net_minor + note.vat_minor, note.currency))
        for note in db.session.scalars(notes)
    )
    return sorted(found, key=lambda entry: (entry.on, entry.kind, entry.row.id), reverse=True)


def journal_of(buyer_id: int, limit: int = 200) -> Sequence[JournalEntry]:
    """What was changed about a buyer, its limits and its acts, newest first."""
    decisions = select(LimitDecision.id).where(LimitDecision.buyer_id == buyer_id)
    acts = select(AccountAct.id).where(AccountAct.buyer_id == buyer_id)
    statement = (
        select(JournalEntry)
        .where(
            or_(
                and_(JournalEntry.subject_type == "buyer", JournalEntry.subject_id == buyer_id),
                and_(JournalEntry.subject_type == "limit", JournalEntry.subject_id.in_(decisions)),
                and_(JournalEntry.subject_type == "act", JournalEntry.subject_id.in_(acts)),
                and_(JournalEntry.action.in_(_REMOVALS), JournalEntry.before["buyer_id"].as_integer() == buyer_id),
            )
        )
        .order_by(JournalEntry.sequence.desc())
        .limit(limit)
    )
    return db.session.scalars(statement).all()


def duties_of(buyer_id: int, on: date, today: date, *, until: date) -> list[CalendarEntry]:
    """The duties and expected dates of a buyer's accounts up to a day, in order of their day, each as it stands on a day."""
    return calendar(DutySelection(on, today, buyer_id=buyer_id), date.min, until)

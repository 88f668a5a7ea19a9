"""Everything about one invoice: facts, positions over time, what settled it, disputes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import and_, case, func, or_, select

from insureflow.domain.tasks import ImportState
from insureflow.models.buyers import Buyer
from insureflow.models.cover import InvoicePosition
from insureflow.models.database import db
from insureflow.models.organisations import Entity
from insureflow.models.policies import Policy
from insureflow.models.receivables import Allocation, CreditNote, Dispute, ImportBatch, Invoice, Payment


@dataclass(frozen=True, slots=True)
class Movement:
    """What settled a part of an invoice: ``kind`` is payment or credit_note."""

    kind: str
    number: str
    on: date
    amount_minor: int
    is_inferred: bool


@dataclass(frozen=True, slots=True)
class DisputeEntry:
    """A dispute with the invoice and the buyer it is about."""

    dispute: Dispute
    invoice: Invoice
    buyer: Buyer


@dataclass(frozen=True, slots=True)
class InvoiceView:
    """An invoice as a page shows it on a day. ``position`` is None where nothing is open."""

    invoice: Invoice
    buyer: Buyer
    entity: Entity
    policy: Policy | None
    position: InvoicePosition | None
    positions: Sequence[InvoicePosition]
    movements: Sequence[Movement]
    disputes: Sequence[Dispute]

    @property
    def gross_minor(self) -> int:
        """Net and tax."""
        return self.invoice.net_minor + self.invoice.vat_minor


def list_positions(invoice_id: int) -> Sequence[InvoicePosition]:
    """How an invoice stands over time, from its first day on."""
    return db.session.scalars(
        select(InvoicePosition).where(InvoicePosition.invoice_id == invoice_id).order_by(InvoicePosition.valid_from)
    ).all()


def _movements(invoice_id: int, on: date) -> list[Movement]:
    statement = (
        select(Allocation, Payment, CreditNote)
        .outerjoin(Payment, Payment.id == Allocation.payment_id)
        .outerjoin(CreditNote, CreditNote.id == Allocation.credit_note_id)
        .where(Allocation.invoice_id == invoice_id, Allocation.allocated_on <= on)
        .order_by(Allocation.allocated_on, Allocation.id)
    )
    found: Iterable[Any] = db.session.execute(statement)
    return [
        Movement(
            "payment" if payment is not None else "credit_note",
            payment.number if payment is not None else note.number,
            allocation.allocated_on,
            allocation.amount_minor,
            payment is not None and payment.inferred,
        )
        for allocation, payment, note in found
    ]


def find_invoice(invoice_id: int, on: date) -> InvoiceView | None:
    """An invoice with all that was known of it on a day; None if there is none with this key, or it was written later."""
    statement = (
        select(Invoice, Buyer, Entity, Policy)
        .join(Buyer, Buyer.id == Invoice.buyer_id)
        .join(Entity, Entity.id == Invoice.entity_id)
        .outerjoin(Policy, Policy.id == Invoice.policy_id)
        .where(Invoice.id == invoice_id, Invoice.invoice_on <= on)
    )
    row = db.session.execute(statement).one_or_none()
    if row is None:
        return None
    positions = list_positions(invoice_id)
    disputes = db.session.scalars(
        select(Dispute).where(Dispute.invoice_id == invoice_id, Dispute.opened_on <= on).order_by(Dispute.opened_on, Dispute.id)
    ).all()
    current = next((position for position in positions if position.valid_from <= on < position.valid_to), None)
    invoice, buyer, entity, policy = row
    return InvoiceView(invoice, buyer, entity, policy, current, positions, _movements(invoice_id, on), disputes)


def list_countries() -> list[str]:
    """The countries of buyers with invoices."""
    has_invoices = select(Invoice.id).where(Invoice.buyer_id == Buyer.id).correlate(Buyer).exists()
    return list(db.session.scalars(select(Buyer.country).where(has_invoices).distinct().order_by(Buyer.country)))


def name_buyers(keys: Collection[int]) -> list[tuple[int, str]]:
    """These buyers with their names, in the order of the names; keys of nobody are left out."""
    if not keys:
        return []
    statement = select(Buyer.id, Buyer.legal_name).where(Buyer.id.in_(keys)).order_by(Buyer.legal_name, Buyer.id)
    return [(row.id, row.legal_name) for row in db.session.execute(statement)]


def list_currencies() -> list[str]:
    """The currencies of invoices."""
    return list(db.session.scalars(select(Invoice.currency).distinct().order_by(Invoice.currency)))


def list_imports() -> list[tuple[int, str]]:
    """The imports that stand, the newest first: key and name of the file."""
    statement = select(ImportBatch.id, ImportBatch.file_name).where(ImportBatch.state == ImportState.DONE).order_by(ImportBatch.id.desc())
    return [(key, name) for key, name in db.session.execute(statement)]


def find_dispute(dispute_id: int) -> DisputeEntry | None:
    """A dispute with its invoice and buyer."""
    row = db.session.execute(
        select(Dispute, Invoice, Buyer)
        .join(Invoice, Invoice.id == Dispute.invoice_id)
        .join(Buyer, Buyer.id == Invoice.buyer_id)
        .where(Dispute.id == dispute_id)
    ).one_or_none()
    return None if row is None else DisputeEntry(*row)


def count_disputes(on: date) -> int:
    """Disputes that go on on a day."""
    statement = select(func.count(Dispute.id)).where(Dispute.opened_on <= on, or_(Dispute.resolved_on.is_(None), Dispute.resolved_on > on))
    return int(db.session.scalar(statement) or 0)


@dataclass(frozen=True, slots=True)
class InvoiceCounts:
    """How many invoices are open on a day, how many of them are late, and how many are not fully covered."""

    open: int
    overdue: int
    not_fully_covered: int


def count_invoices(on: date, entity_id: int | None = None, policy_id: int | None = None) -> InvoiceCounts:
    """The open invoices of an entity or a policy on a day, counted."""
    covered = InvoicePosition.primary_minor + InvoicePosition.top_up_minor
    statement = select(
        func.count(InvoicePosition.due_on),
        func.count(case((and_(InvoicePosition.due_on < on, InvoicePosition.ledger_open_minor > 0), 1))),
        func.count(case((InvoicePosition.open_minor > covered, 1))),
    ).where(InvoicePosition.valid_from <= on, InvoicePosition.valid_to > on)
    if entity_id is not None:
        statement = statement.where(InvoicePosition.entity_id == entity_id)
    if policy_id is not None:
        statement = statement.where(InvoicePosition.policy_id == policy_id)
    return InvoiceCounts(*db.session.execute(statement).one())

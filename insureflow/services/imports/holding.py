"""What the ledger holds of an entity before an import: invoices, payments, credit notes, disputes and customer numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from insureflow.domain.receivables import DocumentKind, ImportMode, LedgerLines
from insureflow.models.buyers import CustomerNumber
from insureflow.models.receivables import Allocation, CreditNote, Dispute, ImportBatch, Invoice, Payment
from insureflow.services.imports.booking import Booking, Held, HeldCredit, Use
from insureflow.services.imports.planning import Known

#: How many values one statement compares with.
PORTION = 10_000

_HELD = (
    "id",
    "buyer_id",
    "currency",
    "net_minor",
    "vat_minor",
    "open_minor",
    "invoice_on",
    "shipment_on",
    "due_on",
    "original_due_on",
    "terms",
    "reference",
    "was_disputed",
    "fingerprint",
)


def portions(values: Sequence[Any], size: int = PORTION) -> Iterator[Sequence[Any]]:
    """The values in pieces that one statement can take."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


def known_customers(session: Session, entity_id: int, numbers: Iterable[str]) -> dict[str, int]:
    """Keys of the buyers that the entity's ledger knows under these numbers."""
    known: dict[str, int] = {}
    for portion in portions(list(numbers)):
        statement = select(CustomerNumber.number, CustomerNumber.buyer_id).where(
            CustomerNumber.entity_id == entity_id, CustomerNumber.number.in_(portion)
        )
        known.update((number, buyer_id) for number, buyer_id in session.execute(statement))
    return known


def held_invoices(session: Session, entity_id: int, lines: LedgerLines, mode: ImportMode) -> dict[str, Held]:
    """The invoices of the entity that the file may be about: those it names and, for a list, those that are open."""
    if session.scalar(select(Invoice.id).where(Invoice.entity_id == entity_id).limit(1)) is None:
        return {}
    statement = select(Invoice.number, *(getattr(Invoice, name) for name in _HELD)).where(Invoice.entity_id == entity_id)
    named = list({number for number in (*lines.number, *lines.applies_to) if number is not None})
    wanted = [statement.where(Invoice.number.in_(portion)) for portion in portions(named)]
    if mode is ImportMode.OPEN_ITEMS:
        wanted.append(statement.where(Invoice.open_minor > 0))
    held: dict[str, Held] = {}
    for each in wanted:
        for number, *values in session.execute(each):
            held[number] = Held(*values)
            held[number].first_open_minor = held[number].open_minor
    return held


def used_payment_numbers(session: Session, entity_id: int, on: date) -> set[str]:
    """The numbers that inferred payments of a day have already."""
    statement = select(Payment.number).where(Payment.entity_id == entity_id, Payment.inferred, Payment.received_on == on)
    return set(session.scalars(statement))


def known_documents(session: Session, entity_id: int, booking: Booking) -> Known:
    """What else the ledger knows that the file may be about."""
    payments: dict[str, int] = {}
    notes: dict[str, int] = {}
    lines = booking.lines
    reductions = [
        (kind, number or f"{kind.value}-{mark}")
        for kind, number, mark in zip(lines.kind, lines.number, lines.fingerprint, strict=True)
        if kind is not DocumentKind.INVOICE
    ]
    for kind, found in ((DocumentKind.PAYMENT, payments), (DocumentKind.CREDIT_NOTE, notes)):
        numbers = [number for each, number in reductions if each is kind]
        model = Payment if kind is DocumentKind.PAYMENT else CreditNote
        amount = Payment.amount_minor if kind is DocumentKind.PAYMENT else CreditNote.net_minor + CreditNote.vat_minor
        for portion in portions(numbers):
            statement = select(model.number, amount).where(model.entity_id == entity_id, model.number.in_(portion))
            found.update((number, int(minor)) for number, minor in session.execute(statement))
    disputed: set[str] = set()
    inferred: dict[str, int] = {}
    if booking.held:
        open_disputes = (
            select(Invoice.number)
            .join(Dispute, Dispute.invoice_id == Invoice.id)
            .where(Invoice.entity_id == entity_id, Dispute.resolved_on.is_(None), Dispute.batch_id.is_not(None))
        )
        disputed = {number for number in session.scalars(open_disputes) if number in booking.held}
        inferred = _inferred(session, entity_id)
    return Known(payments, notes, frozenset(disputed), inferred)


def _inferred(session: Session, entity_id: int) -> dict[str, int]:
    statement = (
        select(Invoice.number, func.sum(Allocation.amount_minor))
        .join(Allocation, Allocation.invoice_id == Invoice.id)
        .join(Payment, Payment.id == Allocation.payment_id)
        .where(Invoice.entity_id == entity_id, Payment.inferred)
        .group_by(Invoice.number)
    )
    return {number: int(minor) for number, minor in session.execute(statement)}


def held_credits(session: Session, entity_id: int, lines: LedgerLines) -> dict[tuple[DocumentKind, str], HeldCredit]:
    """The credits of an entity that a list of open items may be about: those that are open, and those that it names.

    Credit notes all count; payments only where a list brought them, since the others are money that somebody saw coming in.
    """
    named: dict[DocumentKind, list[str]] = {DocumentKind.CREDIT_NOTE: [], DocumentKind.PAYMENT: []}
    for kind, number, mark in zip(lines.kind, lines.number, lines.fingerprint, strict=True):
        if kind in named:
            named[kind].append(number or f"{kind.value}-{mark}")
    notes = (
        select(CreditNote, Invoice.number).outerjoin(Invoice, Invoice.id == CreditNote.invoice_id).where(CreditNote.entity_id == entity_id)
    )
    found: dict[tuple[DocumentKind, str], HeldCredit] = {}
    wanted = [CreditNote.number.in_(portion) for portion in portions(named[DocumentKind.CREDIT_NOTE])]
    for condition in (CreditNote.unapplied_minor > 0, *wanted):
        for note, invoice in session.execute(notes.where(condition)):
            amounts = (note.net_minor, note.vat_minor, note.unapplied_minor)
            found[DocumentKind.CREDIT_NOTE, note.number] = HeldCredit(
                DocumentKind.CREDIT_NOTE, note.id, note.number, note.buyer_id, note.currency, *amounts, note.issued_on, amounts, invoice
            )
    payments = (
        select(Payment)
        .join(ImportBatch, ImportBatch.id == Payment.batch_id)
        .where(Payment.entity_id == entity_id, Payment.inferred.is_(False), ImportBatch.mode == ImportMode.OPEN_ITEMS.value)
    )
    wanted = [Payment.number.in_(portion) for portion in portions(named[DocumentKind.PAYMENT])]
    for condition in (Payment.unapplied_minor > 0, *wanted):
        for payment in session.scalars(payments.where(condition)):
            amounts = (payment.amount_minor, 0, payment.unapplied_minor)
            found[DocumentKind.PAYMENT, payment.number] = HeldCredit(
                DocumentKind.PAYMENT, payment.id, payment.number, payment.buyer_id, payment.currency, *amounts, payment.received_on, amounts
            )
    for kind, column in ((DocumentKind.CREDIT_NOTE, Allocation.credit_note_id), (DocumentKind.PAYMENT, Allocation.payment_id)):
        by_id = {credit.id: credit for credit in found.values() if credit.kind is kind}
        for portion in portions(list(by_id)):
            uses = (
                select(Allocation.id, column, Invoice.number, Allocation.amount_minor)
                .join(Invoice, Invoice.id == Allocation.invoice_id)
                .where(column.in_(portion))
                .order_by(Allocation.allocated_on.desc(), Allocation.id.desc())
            )
            for key, credit_id, number, amount in session.execute(uses):
                by_id[int(credit_id or 0)].uses.append(Use(key, number, amount))
    return found

"""What a match writes into the ledger: payments, what they settle, and deductions as credit notes; and the way back.

The ledger settles what the payer meant. What the policy makes of the payment is worked out from it by the cover account alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from insureflow.domain.cover import Purpose
from insureflow.domain.errors import Refusal
from insureflow.domain.money import Money, split_minor
from insureflow.models.bank_statements import BankEntry, PayerAccount
from insureflow.models.receivables import Allocation, CreditNote, Invoice, Payment
from insureflow.services.cash_application.proposing import received_on
from insureflow.services.clock import now


@dataclass(frozen=True, slots=True)
class Settlement:
    """What of an entry goes to an invoice, and what is deducted with it, in the invoice's currency."""

    invoice_id: int
    paid_minor: int
    deducted_minor: int = 0


@dataclass(slots=True)
class Booked:
    """Keys of what was written, the buyers whose accounts changed, and the same in words for the journal."""

    payments: list[int] = field(default_factory=list)
    credit_notes: list[int] = field(default_factory=list)
    buyers: list[int] = field(default_factory=list)
    settles: list[dict[str, Any]] = field(default_factory=list)

    @property
    def documents(self) -> dict[str, Any]:
        """As a match keeps it."""
        return {"payments": self.payments, "credit_notes": self.credit_notes}


def lock_invoices(session: Session, keys: Iterable[int]) -> dict[int, Invoice]:
    """These invoices, locked in the order of their keys, as they are now."""
    statement = select(Invoice).where(Invoice.id.in_(sorted(set(keys)))).order_by(Invoice.id)
    return {row.id: row for row in session.scalars(statement.with_for_update().execution_options(populate_existing=True))}


def book(
    session: Session,
    entry: BankEntry,
    entity_id: int,
    settlements: Sequence[Settlement],
    invoices: dict[int, Invoice],
    *,
    buyer_id: int,
    purpose: Purpose,
) -> Booked:
    """Write one payment for each buyer whose invoices an entry settles; what settles nothing stays with the one buyer.

    ``settlements`` must fit what is open: the callers have looked.
    """
    on = received_on(entry)
    booked = Booked()
    by_buyer: dict[int, list[Settlement]] = {}
    for each in settlements:
        by_buyer.setdefault(invoices[each.invoice_id].buyer_id, []).append(each)
    by_buyer = by_buyer or {buyer_id: []}
    for number, (buyer, its) in enumerate(sorted(by_buyer.items()), 1):
        name = f"BANK/{entry.id}" if len(by_buyer) == 1 else f"BANK/{entry.id}/{number}"
        payment = _payment(session, entry, entity_id, buyer, name, its, invoices, is_alone=len(by_buyer) == 1, purpose=purpose, on=on)
        booked.payments.append(payment.id)
        booked.buyers.append(buyer)
        for each in its:
            invoice = invoices[each.invoice_id]
            invoice.open_minor -= each.paid_minor
            if each.paid_minor:
                session.add(Allocation(invoice_id=invoice.id, payment_id=payment.id, amount_minor=each.paid_minor, allocated_on=on))
            if each.deducted_minor:
                name_of_note = f"BANK/{entry.id}/D{len(booked.credit_notes) + 1}"
                booked.credit_notes.append(_deduct(session, invoice, each.deducted_minor, name_of_note, on))
            settled = {"invoice": invoice.number, "amount": Money(each.paid_minor, invoice.currency)}
            booked.settles.append({**settled, "deducted": Money(each.deducted_minor, invoice.currency)} if each.deducted_minor else settled)
    if len(by_buyer) == 1:
        _learn(session, entry, next(iter(by_buyer)))
    session.flush()
    return booked


def _payment(
    session: Session,
    entry: BankEntry,
    entity_id: int,
    buyer_id: int,
    number: str,
    settlements: Sequence[Settlement],
    invoices: dict[int, Invoice],
    *,
    is_alone: bool,
    purpose: Purpose,
    on: date,
) -> Payment:
    paid = sum(each.paid_minor for each in settlements)
    in_own_currency = all(invoices[each.invoice_id].currency == entry.currency for each in settlements)
    amount = entry.amount_minor if is_alone else paid
    payment = Payment(
        entity_id=entity_id,
        buyer_id=buyer_id,
        number=number,
        currency=entry.currency,
        amount_minor=amount,
        unapplied_minor=amount - paid if in_own_currency else 0,
        received_on=on,
        purpose=purpose.value,
    )
    session.add(payment)
    session.flush()
    return payment


def _deduct(session: Session, invoice: Invoice, amount_minor: int, number: str, on: date) -> int:
    """A deduction the seller accepts, as a credit note: net and tax in the proportion of the invoice."""
    net, vat = split_minor(amount_minor, (invoice.net_minor, invoice.vat_minor))
    note = CreditNote(
        entity_id=invoice.entity_id,
        buyer_id=invoice.buyer_id,
        invoice_id=invoice.id,
        number=number,
        currency=invoice.currency,
        net_minor=net,
        vat_minor=vat,
        unapplied_minor=0,
        issued_on=on,
    )
    session.add(note)
    session.flush()
    invoice.open_minor -= amount_minor
    session.add(Allocation(invoice_id=invoice.id, credit_note_id=note.id, amount_minor=amount_minor, allocated_on=on))
    return note.id


def _learn(session: Session, entry: BankEntry, buyer_id: int) -> None:
    """Remember from which account a buyer paid."""
    if not entry.payer_account:
        return
    known = session.scalar(
        select(PayerAccount).where(PayerAccount.number == entry.payer_account, PayerAccount.buyer_id == buyer_id).limit(1)
    )
    if known is None:
        session.add(PayerAccount(buyer_id=buyer_id, number=entry.payer_account, matches=1, learned_at=now()))
    else:
        known.matches += 1


def _forget(session: Session, entry: BankEntry, buyer_id: int) -> None:
    known = session.scalar(
        select(PayerAccount).where(PayerAccount.number == entry.payer_account, PayerAccount.buyer_id == buyer_id).limit(1)
    )
    if known is not None and known.matches > 1:
        known.matches -= 1
    elif known is not None:
        session.delete(known)


def unbook(session: Session, entry: BankEntry, documents: dict[str, Any]) -> list[int]:
    """Take back what a match wrote, as it stands now; gives the buyers whose accounts changed.

    Errors: ``undo_above_invoice`` where an invoice was lowered since, so that it cannot take the amount back.
    """
    payments = list(session.scalars(select(Payment).where(Payment.id.in_(documents.get("payments", ()))).with_for_update()))
    notes = list(session.scalars(select(CreditNote).where(CreditNote.id.in_(documents.get("credit_notes", ()))).with_for_update()))
    sources = Allocation.payment_id.in_([each.id for each in payments]) | Allocation.credit_note_id.in_([each.id for each in notes])
    sums = select(Allocation.invoice_id, func.sum(Allocation.amount_minor)).where(sources).group_by(Allocation.invoice_id)
    settled = {invoice_id: int(amount) for invoice_id, amount in session.execute(sums)}
    invoices = lock_invoices(session, settled)
    for invoice_id, amount in settled.items():
        invoice = invoices[invoice_id]
        if invoice.open_minor + amount > invoice.net_minor + invoice.vat_minor:
            raise Refusal("undo_above_invoice", invoice=invoice.number)
    for invoice_id, amount in settled.items():
        session.execute(
            update(Invoice).where(Invoice.id == invoice_id).values(open_minor=Invoice.open_minor + amount),
            execution_options={"synchronize_session": False},
        )
        session.expire(invoices[invoice_id])
    session.execute(delete(Allocation).where(sources), execution_options={"synchronize_session": False})
    buyers = sorted({*(each.buyer_id for each in payments), *(each.buyer_id for each in notes)})
    if len({each.buyer_id for each in payments}) == 1:
        _forget(session, entry, payments[0].buyer_id)
    for document in (*payments, *notes):
        session.delete(document)
    session.flush()
    return buyers

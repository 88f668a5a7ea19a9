"""Taking an import back: everything it brought goes, everything it changed is as before."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from insureflow.domain.buyers import BuyerStatus
from insureflow.domain.errors import Refusal
from insureflow.domain.tasks import ImportState
from insureflow.models.buyers import Buyer, CustomerNumber
from insureflow.models.cover import AccountState, Exposure, InvoicePosition, Obligation
from insureflow.models.limits import AccountAct, LimitDecision
from insureflow.models.receivables import Allocation, CreditNote, Dispute, ImportBatch, Invoice, Payment
from insureflow.services import cover, journal
from insureflow.services.journal import Actor, Subject
from insureflow.services.transaction import transaction

_PORTION = 5000


def undo_import(actor: Actor, organisation_id: int, batch_id: int, on: date) -> int:
    """Take back the last import of an entity; gives the number of invoices that went.

    Errors: ``Refusal`` ``batch_unknown``, ``batch_not_done``, ``batch_not_last`` (undo the later ones first),
    ``batch_in_use`` (somebody entered disputes, acts, payments or credit notes for its invoices since).
    """
    with transaction(organisation_id) as session:
        batch = session.get(ImportBatch, batch_id)
        if batch is None:
            raise Refusal("batch_unknown", batch=batch_id)
        if batch.state is not ImportState.DONE:
            raise Refusal("batch_not_done", batch=batch_id, state=batch.state)
        later = session.scalar(
            select(ImportBatch.file_name)
            .where(ImportBatch.entity_id == batch.entity_id, ImportBatch.id > batch.id, ImportBatch.state == ImportState.DONE)
            .order_by(ImportBatch.id.desc())
            .limit(1)
        )
        if later is not None:
            raise Refusal("batch_not_last", batch=batch_id, later=later)
        _refuse_if_in_use(session, batch_id)
        buyers = _buyers_of(session, batch_id)
        gone = int(session.scalar(select(func.count(Invoice.id)).where(Invoice.batch_id == batch_id)) or 0)
        _remove(session, batch_id)
        undo: dict[str, Any] = batch.counts.get("undo", {})
        _restore(session, undo.get("before", {}))
        buyers |= _restore_inferred(session, batch, undo.get("taken_back", []))
        _reopen_disputes(session, undo.get("closed_disputes", []))
        _drop_new_buyers(session, [int(key) for key in undo.get("new_buyers", [])], buyers)
        batch.state = ImportState.UNDONE
        cover.refresh_buyers(session, buyers, on)
        journal.record(
            session,
            actor,
            "receivables.import_undone",
            Subject("import", batch.id, batch.file_name),
            before={"state": ImportState.DONE, "invoices": gone},
            after={"state": ImportState.UNDONE},
        )
    return gone


def _refuse_if_in_use(session: Session, batch_id: int) -> None:
    mine = select(Invoice.id).where(Invoice.batch_id == batch_id).scalar_subquery()
    for what, statement in (
        ("disputes", select(Dispute.id).where(Dispute.invoice_id.in_(mine), Dispute.batch_id.is_distinct_from(batch_id))),
        ("acts", select(AccountAct.id).where(AccountAct.invoice_id.in_(mine))),
        ("credit_notes", select(CreditNote.id).where(CreditNote.invoice_id.in_(mine), CreditNote.batch_id.is_distinct_from(batch_id))),
        (
            "payments",
            select(Allocation.id)
            .join(Payment, Payment.id == Allocation.payment_id)
            .where(Allocation.invoice_id.in_(mine), Payment.batch_id.is_distinct_from(batch_id)),
        ),
    ):
        if session.scalar(statement.limit(1)) is not None:
            raise Refusal("batch_in_use", batch=batch_id, what=what)


def _buyers_of(session: Session, batch_id: int) -> set[int]:
    buyers: set[int] = set()
    for model in (Invoice, Payment, CreditNote):
        buyers.update(session.scalars(select(model.buyer_id).where(model.batch_id == batch_id).distinct()))
    disputed = select(Invoice.buyer_id).join(Dispute, Dispute.invoice_id == Invoice.id).where(Dispute.batch_id == batch_id)
    buyers.update(session.scalars(disputed))
    return buyers


def _remove(session: Session, batch_id: int) -> None:
    """Remove what the batch brought; what its money had settled is open again."""
    for model, column in ((Payment, Allocation.payment_id), (CreditNote, Allocation.credit_note_id)):
        mine = select(model.id).where(model.batch_id == batch_id)
        settled = session.execute(
            select(Allocation.invoice_id, func.sum(Allocation.amount_minor)).where(column.in_(mine)).group_by(Allocation.invoice_id)
        ).all()
        session.execute(delete(Allocation).where(column.in_(mine)))
        held = set(
            session.scalars(select(Invoice.id).where(Invoice.batch_id.is_distinct_from(batch_id), Invoice.id.in_(select(Invoice.id))))
        )
        for invoice_id, amount in settled:
            if invoice_id in held:
                session.execute(update(Invoice).where(Invoice.id == invoice_id).values(open_minor=Invoice.open_minor + int(amount)))
        session.execute(delete(model).where(model.batch_id == batch_id))
    session.execute(delete(Dispute).where(Dispute.batch_id == batch_id))
    invoices = select(Invoice.id).where(Invoice.batch_id == batch_id)
    session.execute(delete(InvoicePosition).where(InvoicePosition.invoice_id.in_(invoices)))
    session.execute(delete(Obligation).where(Obligation.invoice_id.in_(invoices)))
    session.execute(delete(Invoice).where(Invoice.batch_id == batch_id))


def _restore(session: Session, before: dict[str, dict[str, Any]]) -> None:
    rows = [
        {"id": each["id"], "due_on": date.fromisoformat(each["due_on"]), "fingerprint": each["fingerprint"]} for each in before.values()
    ]
    if rows:
        session.execute(update(Invoice), rows)


def _restore_inferred(session: Session, batch: ImportBatch, taken_back: list[list[int]]) -> set[int]:
    """Infer again what the batch had taken back: the item was settled as far as the ledger knew."""
    buyers: set[int] = set()
    for invoice_id, amount in taken_back:
        invoice = session.get_one(Invoice, invoice_id)
        payment = Payment(
            entity_id=invoice.entity_id,
            buyer_id=invoice.buyer_id,
            number=f"{invoice.number}/restored/{batch.id}",
            currency=invoice.currency,
            amount_minor=amount,
            unapplied_minor=0,
            received_on=batch.as_of,
            inferred=True,
        )
        session.add(payment)
        session.flush()
        session.add(Allocation(invoice_id=invoice_id, payment_id=payment.id, amount_minor=amount, allocated_on=batch.as_of))
        session.execute(update(Invoice).where(Invoice.id == invoice_id).values(open_minor=Invoice.open_minor - amount))
        buyers.add(invoice.buyer_id)
    session.flush()
    return buyers


def _reopen_disputes(session: Session, keys: list[int]) -> None:
    for start in range(0, len(keys), _PORTION):
        session.execute(
            update(Dispute).where(Dispute.id.in_(keys[start : start + _PORTION])).values(resolved_on=None, found_owed_minor=None)
        )


def _drop_new_buyers(session: Session, keys: list[int], buyers: set[int]) -> None:
    """Remove buyers that the batch made and that nobody has looked at or used since."""
    for start in range(0, len(keys), _PORTION):
        portion = keys[start : start + _PORTION]
        used: set[int] = set()
        for column in (
            Invoice.buyer_id,
            Payment.buyer_id,
            CreditNote.buyer_id,
            LimitDecision.buyer_id,
            AccountAct.buyer_id,
            Buyer.parent_id,
        ):
            used.update(key for key in session.scalars(select(column).where(column.in_(portion)).distinct()) if key is not None)
        untouched = session.scalars(select(Buyer.id).where(Buyer.id.in_(portion), Buyer.status == BuyerStatus.TO_REVIEW))
        gone = [key for key in untouched if key not in used]
        for model in (Exposure, AccountState, Obligation, CustomerNumber):
            session.execute(delete(model).where(model.buyer_id.in_(gone)))
        session.execute(delete(Buyer).where(Buyer.id.in_(gone)))
        buyers.difference_update(gone)

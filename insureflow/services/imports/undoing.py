"""Taking an import back: everything it brought goes, everything it changed is as before."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from insureflow.domain.buyers import BuyerStatus
from insureflow.domain.errors import Refusal
from insureflow.domain.receivables import DocumentKind
from insureflow.domain.tasks import ImportState
from insureflow.models.buyers import Buyer, BuyerIdentifier, BuyerName, CustomerNumber
from insureflow.models.cover import AccountState, Exposure, InvoicePosition, Obligation, ObligationMark
from insureflow.models.limits import AccountAct
from insureflow.models.organisations import Entity
from insureflow.models.receivables import Allocation, CreditNote, Dispute, ImportBatch, Invoice, Payment
from insureflow.services import cover, journal
from insureflow.services.buyers.documents import ONE_OF_A_KIND, documents
from insureflow.services.imports.holding import portions
from insureflow.services.imports.locking import only_import_of
from insureflow.services.imports.remembering import Before, forget, recall
from insureflow.services.journal import Actor, Subject
from insureflow.services.transaction import transaction

_PORTION = 5000

#: What a held credit is, by the name under which its changes are kept.
_CREDITS: dict[str, Any] = {DocumentKind.CREDIT_NOTE.value: CreditNote, DocumentKind.PAYMENT.value: Payment}


def undo_import(actor: Actor, organisation_id: int, batch_id: int, on: date) -> int:
    """Take back the last import of an entity; gives the number of invoices that went.

    Errors: ``Refusal`` ``batch_unknown``, ``import_running``, ``batch_not_done``, ``batch_not_last`` (undo the later ones first),
    ``batch_in_use`` (``what``: somebody worked on its invoices since: disputes, acts, duties, credit notes, payments, invoices).
    """
    with transaction(organisation_id) as session:
        entity = session.get_one(Entity, _get_batch(session, batch_id).entity_id)
    with only_import_of(entity), transaction(organisation_id) as session:
        batch = _get_batch(session, batch_id)
        if batch.state is not ImportState.DONE:
            raise Refusal("batch_not_done", file=batch.file_name, state=batch.state)
        later = session.scalar(
            select(ImportBatch.file_name)
            .where(
                ImportBatch.entity_id == batch.entity_id, ImportBatch.finished_at > batch.finished_at, ImportBatch.state == ImportState.DONE
            )
            .order_by(ImportBatch.finished_at.desc())
            .limit(1)
        )
        if later is not None:
            raise Refusal("batch_not_last", file=batch.file_name, later=later)
        before = recall(session, batch)
        _refuse_if_in_use(session, batch, before)
        buyers = _buyers_of(session, batch_id, before)
        gone = int(session.scalar(select(func.count(Invoice.id)).where(Invoice.batch_id == batch_id)) or 0)
        for portion in portions(before.new_allocations, _PORTION):
            _delete(session, Allocation, Allocation.id.in_(portion))
        _remove(session, batch_id)
        _restore(session, before)
        _drop_new_buyers(session, before.new_buyers, buyers)
        forget(session, batch)
        batch.state = ImportState.UNDONE
        session.flush()
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


def _get_batch(session: Session, batch_id: int) -> ImportBatch:
    batch = session.scalar(select(ImportBatch).where(ImportBatch.id == batch_id).execution_options(populate_existing=True))
    if batch is None:
        raise Refusal("batch_unknown", batch=batch_id)
    return batch


def _refuse_if_in_use(session: Session, batch: ImportBatch, before: Before) -> None:
    mine = select(Invoice.id).where(Invoice.batch_id == batch.id).scalar_subquery()
    for what, statement in (
        ("disputes", select(Dispute.id).where(Dispute.invoice_id.in_(mine), Dispute.batch_id.is_distinct_from(batch.id))),
        ("acts", select(AccountAct.id).where(AccountAct.invoice_id.in_(mine))),
        ("duties", select(ObligationMark.id).where(ObligationMark.invoice_id.in_(mine))),
        ("credit_notes", select(CreditNote.id).where(CreditNote.invoice_id.in_(mine), CreditNote.batch_id.is_distinct_from(batch.id))),
        (
            "payments",
            select(Allocation.id)
            .join(Payment, Payment.id == Allocation.payment_id)
            .where(
                Allocation.invoice_id.in_(mine), Payment.batch_id.is_distinct_from(batch.id), Allocation.id.not_in(before.new_allocations)
            ),
        ),
    ):
        if session.scalar(statement.limit(1)) is not None:
            raise Refusal("batch_in_use", file=batch.file_name, what=f"batch_in_use.{what}")
    for portion in portions(before.invoices, _PORTION):
        rows = {row.id: row for row in session.scalars(select(Invoice).where(Invoice.id.in_([each["id"] for each in portion])))}
        for each in portion:
            row = rows.get(each["id"])
            if row is None or any(getattr(row, name) != value for name, value in each["after"].items()):
                raise Refusal("batch_in_use", file=batch.file_name, what="batch_in_use.invoices")
    for each in before.credits:
        credit = session.get(_CREDITS[each["kind"]], each["id"], populate_existing=True)
        if credit is None or any(getattr(credit, name) != value for name, value in each["after"].items()):
            raise Refusal("batch_in_use", file=batch.file_name, what=f"batch_in_use.{each['kind']}s")


def _buyers_of(session: Session, batch_id: int, before: Before) -> set[int]:
    buyers: set[int] = set(before.new_buyers)
    for model in (Invoice, Payment, CreditNote):
        buyers.update(session.scalars(select(model.buyer_id).where(model.batch_id == batch_id).distinct()))
    disputed = select(Invoice.buyer_id).join(Dispute, Dispute.invoice_id == Invoice.id).where(Dispute.batch_id == batch_id)
    buyers.update(session.scalars(disputed))
    closed = select(Invoice.buyer_id).join(Dispute, Dispute.invoice_id == Invoice.id)
    for portion in portions(before.closed_disputes, _PORTION):
        buyers.update(session.scalars(closed.where(Dispute.id.in_(portion))))
    for portion in portions([each["id"] for each in before.invoices], _PORTION):
        buyers.update(session.scalars(select(Invoice.buyer_id).where(Invoice.id.in_(portion)).distinct()))
    for each in before.credits:
        buyers.add(session.get_one(_CREDITS[each["kind"]], each["id"]).buyer_id)
    buyers.update(row["buyer_id"] for row in before.payments)
    return buyers


def _delete(session: Session, model: Any, *conditions: Any) -> None:
    session.execute(delete(model).where(*conditions), execution_options={"synchronize_session": False})


def _remove(session: Session, batch_id: int) -> None:
    """Remove what the batch brought."""
    for model, column in ((Payment, Allocation.payment_id), (CreditNote, Allocation.credit_note_id)):
        _delete(session, Allocation, column.in_(select(model.id).where(model.batch_id == batch_id)))
        _delete(session, model, model.batch_id == batch_id)
    _delete(session, Dispute, Dispute.batch_id == batch_id)
    invoices = select(Invoice.id).where(Invoice.batch_id == batch_id)
    _delete(session, InvoicePosition, InvoicePosition.invoice_id.in_(invoices))
    _delete(session, Obligation, Obligation.invoice_id.in_(invoices))
    _delete(session, Invoice, Invoice.batch_id == batch_id)


def _restore(session: Session, before: Before) -> None:
    """Put back what the batch had changed, row by row as it was."""
    session.expire_all()
    model: Any
    for each in before.credits:
        model = _CREDITS[each["kind"]]
        session.execute(update(model).where(model.id == each["id"]).values(**each["before"]))
    alike: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for each in before.invoices:
        alike.setdefault(tuple(sorted(each["before"])), []).append({"id": each["id"], **each["before"]})
    for rows in alike.values():
        session.execute(update(Invoice), rows)
    for model, rows in ((Payment, before.payments), (Allocation, before.allocations)):
        if not rows:
            continue
        kept = set(session.scalars(select(model.id).where(model.id.in_([row["id"] for row in rows]))))
        if shrunk := [row for row in rows if row["id"] in kept]:
            session.execute(update(model), shrunk)
        if removed := [row for row in rows if row["id"] not in kept]:
            session.execute(insert(model), removed)
    for portion in portions(before.closed_disputes, _PORTION):
        session.execute(
            update(Dispute).where(Dispute.id.in_(portion)).values(resolved_on=None, found_owed_minor=None),
            execution_options={"synchronize_session": False},
        )
    for portion in portions(before.new_names, _PORTION):
        _delete(session, BuyerName, BuyerName.id.in_(portion))
    for portion in portions(before.new_numbers, _PORTION):
        _delete(session, CustomerNumber, CustomerNumber.id.in_(portion))
    session.expire_all()


def _drop_new_buyers(session: Session, keys: list[int], buyers: set[int]) -> None:
    """Remove buyers that the batch made and that nobody has looked at or used since."""
    for portion in portions(keys, _PORTION):
        used: set[int] = set()
        for column in (*(model.buyer_id for model in (*documents(), *ONE_OF_A_KIND)), Buyer.parent_id):
            used.update(key for key in session.scalars(select(column).where(column.in_(portion)).distinct()) if key is not None)
        untouched = session.scalars(select(Buyer.id).where(Buyer.id.in_(portion), Buyer.status == BuyerStatus.TO_REVIEW))
        gone = [key for key in untouched if key not in used]
        for model in (Exposure, AccountState, Obligation, CustomerNumber, BuyerIdentifier):
            _delete(session, model, model.buyer_id.in_(gone))
        _delete(session, Buyer, Buyer.id.in_(gone))
        buyers.difference_update(gone)

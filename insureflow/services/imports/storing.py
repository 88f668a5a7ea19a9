"""Writing a booking: keys are reserved beforehand, so that invoices, money and what settles what go in as bulk rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from insureflow.domain.receivables import LedgerLines
from insureflow.models.base import Base
from insureflow.models.receivables import Allocation, CreditNote, Dispute, Invoice, Payment
from insureflow.models.scope import current_organisation_id
from insureflow.services.clock import now
from insureflow.services.cover.storing import insert_rows
from insureflow.services.imports.booking import INVOICE_COLUMNS, Booking
from insureflow.services.imports.planning import net_and_vat

_PORTION = 5000


def reserve_keys(session: Session, model: type[Base], count: int) -> range | list[int]:
    """Keys for ``count`` new rows of a table. The unit of work must be the only writer on SQLite, as units of work are."""
    if not count:
        return range(0)
    table = model.__tablename__
    if session.connection().dialect.name == "postgresql":
        sequence = func.pg_get_serial_sequence(table, "id")
        return list(session.scalars(select(func.nextval(sequence)).select_from(func.generate_series(1, count))))
    highest = session.connection().exec_driver_sql(f'SELECT coalesce(max(id), 0) FROM "{table}"').scalar_one()  # noqa: S608 (a table of ours)
    return range(highest + 1, highest + 1 + count)


def store(session: Session, booking: Booking, entity_id: int, batch_id: int) -> None:
    """Write everything that a booking holds."""
    keys = dict(zip(booking.new, reserve_keys(session, Invoice, len(booking.new)), strict=True))
    if booking.new:
        insert_rows(session, Invoice, INVOICE_COLUMNS, _invoice_rows(booking, keys, entity_id, batch_id))
    _change_held(session, booking)
    key_of = keys | {number: held.id for number, held in booking.held.items()}
    _store_money(session, booking, key_of, entity_id, batch_id)
    _store_disputes(session, booking, key_of, batch_id)


def _invoice_rows(booking: Booking, keys: dict[str, int], entity_id: int, batch_id: int) -> Iterator[tuple[Any, ...]]:
    lines: LedgerLines = booking.lines
    organisation_id = current_organisation_id()
    for number, invoice in booking.new.items():
        at = invoice.position
        net, vat = net_and_vat(lines, at)
        invoice_on, due_on = lines.invoice_on[at], lines.due_on[at]
        yield (
            keys[number],
            organisation_id,
            entity_id,
            invoice.buyer_id,
            batch_id,
            number,
            (lines.reference[at] or "")[:200],
            invoice.currency,
            net,
            vat,
            invoice.open_minor,
            "",
            invoice_on,
            lines.shipment_on[at] or invoice_on,
            due_on,
            lines.original_due_on[at] or due_on,
            (lines.terms_code[at] or "")[:60],
            lines.was_disputed[at] or lines.disputed[at],
            lines.fingerprint[at],
        )


def _change_held(session: Session, booking: Booking) -> None:
    rows = [
        {
            "id": held.id,
            "open_minor": held.open_minor,
            "due_on": held.new_due_on or held.due_on,
            "fingerprint": held.new_fingerprint or held.fingerprint,
        }
        for held in (booking.held[number] for number in booking.changed)
    ]
    if rows:
        session.execute(update(Invoice), rows)
    for number, amount in booking.taken_back:
        _take_back(session, booking.held[number].id, amount)


def _take_back(session: Session, invoice_id: int, amount: int) -> None:
    """Remove or shrink inferred payments of an invoice, the newest first."""
    statement = (
        select(Allocation.id, Allocation.amount_minor, Payment.id)
        .join(Payment, Payment.id == Allocation.payment_id)
        .where(Allocation.invoice_id == invoice_id, Payment.inferred)
        .order_by(Payment.received_on.desc(), Payment.id.desc())
    )
    for allocation_id, settled, payment_id in session.execute(statement).all():
        part = min(settled, amount)
        amount -= part
        if part == settled:
            session.execute(delete(Allocation).where(Allocation.id == allocation_id))
            session.execute(delete(Payment).where(Payment.id == payment_id))
        else:
            session.execute(update(Allocation).where(Allocation.id == allocation_id).values(amount_minor=settled - part))
            session.execute(update(Payment).where(Payment.id == payment_id).values(amount_minor=Payment.amount_minor - part))
        if not amount:
            return


def _store_money(session: Session, booking: Booking, key_of: dict[str, int], entity_id: int, batch_id: int) -> None:
    organisation_id = current_organisation_id()
    payment_keys = reserve_keys(session, Payment, len(booking.payments))
    if booking.payments:
        insert_rows(
            session,
            Payment,
            (
                "id",
                "organisation_id",
                "entity_id",
                "buyer_id",
                "batch_id",
                "number",
                "currency",
                "amount_minor",
                "unapplied_minor",
                "received_on",
                "purpose",
                "inferred",
            ),
            (
                (
                    key,
                    organisation_id,
                    entity_id,
                    money.buyer_id,
                    batch_id,
                    money.number[:120],
                    money.currency,
                    money.amount_minor,
                    money.unapplied_minor,
                    money.on,
                    "ordinary",
                    money.inferred,
                )
                for key, money in zip(payment_keys, booking.payments, strict=True)
            ),
        )
    note_keys = reserve_keys(session, CreditNote, len(booking.credit_notes))
    if booking.credit_notes:
        insert_rows(
            session,
            CreditNote,
            (
                "id",
                "organisation_id",
                "entity_id",
                "buyer_id",
                "invoice_id",
                "batch_id",
                "number",
                "currency",
                "net_minor",
                "vat_minor",
                "unapplied_minor",
                "issued_on",
            ),
            (
                (
                    key,
                    organisation_id,
                    entity_id,
                    money.buyer_id,
                    key_of[money.applies_to] if money.applies_to else None,
                    batch_id,
                    money.number[:80],
                    money.currency,
                    money.net_minor,
                    money.vat_minor,
                    money.unapplied_minor,
                    money.on,
                )
                for key, money in zip(note_keys, booking.credit_notes, strict=True)
            ),
        )
    allocations: list[tuple[Any, ...]] = [
        (organisation_id, key_of[number], key, None, amount, money.on)
        for key, money in zip(payment_keys, booking.payments, strict=True)
        for number, amount in money.settles
    ]
    allocations += [
        (organisation_id, key_of[number], None, key, amount, money.on)
        for key, money in zip(note_keys, booking.credit_notes, strict=True)
        for number, amount in money.settles
    ]
    if allocations:
        columns = ("organisation_id", "invoice_id", "payment_id", "credit_note_id", "amount_minor", "allocated_on")
        insert_rows(session, Allocation, columns, allocations)


def _store_disputes(session: Session, booking: Booking, key_of: dict[str, int], batch_id: int) -> None:
    at = now()
    session.add_all(
        Dispute(
            invoice_id=key_of[dispute.number],
            amount_minor=dispute.amount_minor,
            opened_on=dispute.opened_on,
            reason=dispute.reason[:1000],
            batch_id=batch_id,
            created_at=at,
        )
        for dispute in booking.disputes
    )
    session.flush()
    closed = [key_of[number] for number in booking.settled_disputes]
    for start in range(0, len(closed), _PORTION):
        portion = closed[start : start + _PORTION]
        statement = select(Dispute).where(Dispute.invoice_id.in_(portion), Dispute.resolved_on.is_(None), Dispute.batch_id.is_not(None))
        for dispute in session.scalars(statement):
            dispute.resolved_on = max(dispute.opened_on, booking.settled_on)
            dispute.found_owed_minor = dispute.amount_minor
            booking.closed_dispute_ids.append(dispute.id)
    session.flush()

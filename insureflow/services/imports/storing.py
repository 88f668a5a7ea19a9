"""Writing a booking: keys are reserved beforehand, so that invoices, money and what settles what go in as bulk rows.

Of buyers whose ledger the import begins, the documents go into their ledgers in memory as well, as reading them back would give them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from insureflow.domain.cover import Purpose
from insureflow.domain.receivables import DocumentKind, LedgerLines
from insureflow.models.base import Base
from insureflow.models.buyers import Buyer
from insureflow.models.receivables import Allocation, CreditNote, Dispute, Invoice, Payment
from insureflow.models.scope import current_organisation_id
from insureflow.queries.cover.ledgers import BuyerLedger, LedgerAllocation, LedgerCreditNote, LedgerInvoice, LedgerPayment
from insureflow.services.clock import now
from insureflow.services.cover import Newcomers, RowWriter
from insureflow.services.imports.booking import Booking, HeldCredit, NewMoney
from insureflow.services.imports.holding import portions
from insureflow.services.imports.planning import net_and_vat

INVOICE_COLUMNS = (
    "id",
    "organisation_id",
    "entity_id",
    "buyer_id",
    "policy_id",
    "batch_id",
    "number",
    "reference",
    "currency",
    "net_minor",
    "vat_minor",
    "open_minor",
    "rate",
    "rate_source",
    "invoice_on",
    "shipment_on",
    "due_on",
    "original_due_on",
    "terms",
    "was_disputed",
    "fingerprint",
)
_PAYMENT_COLUMNS = (
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
)
_CREDIT_NOTE_COLUMNS = (
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
)
_ALLOCATION_COLUMNS = ("id", "organisation_id", "invoice_id", "payment_id", "credit_note_id", "amount_minor", "allocated_on")

#: The policy of an invoice with its rate and where that is from: (buyer, currency, shipment, invoice date) → values.
#: The rate comes as text and as number.
Assign = Callable[[int, str, date, date], "_Assigned"]
_Assigned = tuple[int | None, str | None, Decimal | None, str]

_UNASSIGNED: _Assigned = (None, None, None, "")


@dataclass(slots=True)
class Written:
    """What an import has changed of what was there before: enough to bring it back exactly."""

    invoices: list[dict[str, Any]] = field(default_factory=list)
    payments: list[dict[str, Any]] = field(default_factory=list)
    allocations: list[dict[str, Any]] = field(default_factory=list)
    closed_disputes: list[int] = field(default_factory=list)
    credits: list[dict[str, Any]] = field(default_factory=list)
    new_allocations: list[int] = field(default_factory=list)


def reserve_keys(session: Session, model: type[Base], count: int) -> range | list[int]:
    """Keys for ``count`` new rows of a table. The unit of work must be the only writer on SQLite, as units of work are."""
    if not count:
        return range(0)
    table = model.__tablename__
    if session.connection().dialect.name == "postgresql":
        sequence = select(func.pg_get_serial_sequence(table, "id")).scalar_subquery()  # looked up once, not for every key
        drawn = select(func.nextval(sequence).label("key")).select_from(func.generate_series(1, count)).subquery("drawn")
        first, last = session.execute(select(func.min(drawn.c.key), func.max(drawn.c.key))).one()
        if last - first + 1 == count:
            return range(first, last + 1)
        # somebody else drew keys in between: these are given up, others asked for one by one
        return list(session.scalars(select(func.nextval(sequence)).select_from(func.generate_series(1, count))))
    highest = session.connection().exec_driver_sql(f'SELECT coalesce(max(id), 0) FROM "{table}"').scalar_one()  # noqa: S608 (a table of ours)
    return range(highest + 1, highest + 1 + count)


def store(session: Session, booking: Booking, entity_id: int, batch_id: int, writer: RowWriter, newcomers: Newcomers) -> Written:
    """Write everything that a booking holds; what is new goes to the writer, whose end the caller waits for."""
    written = Written()
    money = (*booking.payments, *booking.credit_notes)
    keys = dict(zip(booking.new, reserve_keys(session, Invoice, len(booking.new)), strict=True))
    payment_keys = reserve_keys(session, Payment, len(booking.payments))
    note_keys = reserve_keys(session, CreditNote, len(booking.credit_notes))
    allocation_keys = iter(reserve_keys(session, Allocation, sum(len(each.settles) for each in money)))
    if booking.new:
        assign = _assigner(session, booking, entity_id, newcomers)
        writer.write([(Invoice, INVOICE_COLUMNS, _invoice_rows(booking, keys, entity_id, batch_id, assign, newcomers.ledgers))])
    _change_held(session, booking, written)
    key_of = keys | {number: held.id for number, held in booking.held.items()} if booking.held else keys
    payments = list(zip(payment_keys, booking.payments, strict=True))
    notes = list(zip(note_keys, booking.credit_notes, strict=True))
    writer.write(
        [
            (Payment, _PAYMENT_COLUMNS, _payment_rows(payments, entity_id, batch_id, newcomers.ledgers)),
            (CreditNote, _CREDIT_NOTE_COLUMNS, _credit_note_rows(notes, key_of, entity_id, batch_id, newcomers.ledgers)),
            (Allocation, _ALLOCATION_COLUMNS, _allocation_rows(payments, notes, key_of, allocation_keys, newcomers.ledgers)),
        ]
    )
    _change_credits(session, booking, key_of, written)
    _store_disputes(session, booking, key_of, batch_id, written)
    return written


def _assigner(session: Session, booking: Booking, entity_id: int, newcomers: Newcomers) -> Assign:
    """Gives new invoices their policy and rate at once, as cover would: an invoice is then written once only.

    Where a rate is missing it is left out; cover reports all that are missing.
    """
    book, rates = newcomers.book, newcomers.rates
    if entity_id not in book.insured:
        return lambda _buyer, _currency, _shipment, _invoice: _UNASSIGNED
    countries: dict[int, str] = {key: ledger.country for key, ledger in newcomers.ledgers.items()}
    for portion in portions(sorted({invoice.buyer_id for invoice in booking.new.values()} - countries.keys())):
        countries.update((key, country) for key, country in session.execute(select(Buyer.id, Buyer.country).where(Buyer.id.in_(portion))))
    found: dict[tuple[int, str, date], _Assigned] = {}

    def assign(buyer_id: int, currency: str, shipment_on: date, invoice_on: date) -> _Assigned:
        policy = book.choose(entity_id, countries.get(buyer_id), shipment_on)
        if policy is None:
            return _UNASSIGNED
        key = (policy.id, currency, invoice_on)
        if key not in found:
            rate = rates.find(currency, policy.limit_currency, invoice_on)
            found[key] = _UNASSIGNED if rate is None else (policy.id, format(rate.rate, "f"), rate.rate, rate.note)
        return found[key]

    return assign


def _invoice_rows(
    booking: Booking, keys: dict[str, int], entity_id: int, batch_id: int, assign: Assign, ledgers: Mapping[int, BuyerLedger]
) -> Iterator[tuple[Any, ...]]:
    lines: LedgerLines = booking.lines
    organisation_id = current_organisation_id()
    for number, invoice in booking.new.items():
        at = invoice.position
        key, buyer_id, currency = keys[number], invoice.buyer_id, invoice.currency
        net, vat = net_and_vat(lines, at)
        invoice_on, due_on = lines.invoice_on[at], lines.due_on[at]
        if invoice_on is None or due_on is None:
            raise ValueError(number)  # reading gives every invoice both
        shipment_on = lines.shipment_on[at] or invoice_on
        original_due_on = lines.original_due_on[at] or due_on
        policy_id, rate_text, rate, rate_source = assign(buyer_id, currency, shipment_on, invoice_on)
        ledger = ledgers.get(buyer_id)
        if ledger is not None:
            ledger.invoices.append(
                LedgerInvoice(
                    key, buyer_id, entity_id, policy_id, currency, net, vat, rate, invoice_on, shipment_on, original_due_on, due_on
                )
            )
        yield (
            key,
            organisation_id,
            entity_id,
            buyer_id,
            policy_id,
            batch_id,
            number,
            (lines.reference[at] or "")[:200],
            currency,
            net,
            vat,
            invoice.open_minor,
            rate_text,
            rate_source,
            invoice_on,
            shipment_on,
            due_on,
            original_due_on,
            (lines.terms_code[at] or "")[:60],
            lines.was_disputed[at] or lines.disputed[at],
            lines.fingerprint[at],
        )


def _change_held(session: Session, booking: Booking, written: Written) -> None:
    """Change the invoices that the ledger holds; those that change alike go together."""
    alike: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for held in booking.marked:
        before, after = held.before_and_after()
        written.invoices.append({"id": held.id, "before": before, "after": after})
        alike.setdefault(tuple(sorted(after)), []).append({"id": held.id, **after})
    for rows in alike.values():
        session.execute(update(Invoice), rows)
    for number, amount in booking.taken_back:
        _take_back(session, booking.held[number].id, amount, written)


def _row_of(row: Any) -> dict[str, Any]:
    return {column.key: getattr(row, column.key) for column in row.__table__.columns}


def _take_back(session: Session, invoice_id: int, amount: int, written: Written) -> None:
    """Remove or shrink inferred payments of an invoice, the newest first."""
    statement = (
        select(Allocation, Payment)
        .join(Payment, Payment.id == Allocation.payment_id)
        .where(Allocation.invoice_id == invoice_id, Payment.inferred)
        .order_by(Payment.received_on.desc(), Payment.id.desc())
    )
    for allocation, payment in session.execute(statement).all():
        written.allocations.append(_row_of(allocation))
        written.payments.append(_row_of(payment))
        part = min(allocation.amount_minor, amount)
        amount -= part
        if part == allocation.amount_minor:
            session.execute(delete(Allocation).where(Allocation.id == allocation.id))
            session.execute(delete(Payment).where(Payment.id == payment.id))
        else:
            allocation.amount_minor -= part
            payment.amount_minor -= part
            session.flush()
        if not amount:
            return


def _change_credits(session: Session, booking: Booking, key_of: dict[str, int], written: Written) -> None:
    """Change held credit notes and payments on account, and what they settle."""
    for credit in booking.changed_credits:
        is_note = credit.kind is DocumentKind.CREDIT_NOTE
        model: Any = CreditNote if is_note else Payment
        row = session.get_one(model, credit.id)
        for use, part in credit.dropped:
            allocation = session.get_one(Allocation, use.id)
            written.allocations.append(_row_of(allocation))
            if part == use.amount_minor:
                session.delete(allocation)
            else:
                allocation.amount_minor -= part
        session.flush()
        if not is_note and not credit.gross_minor:  # a payment of nothing is no payment
            written.payments.append(_row_of(row))
            session.delete(row)
            session.flush()
            continue
        after = _amounts_of(credit)
        before = {name: getattr(row, name) for name in after}
        written.credits.append({"kind": credit.kind.value, "id": credit.id, "before": before, "after": after})
        for name, value in after.items():
            setattr(row, name, value)
        source: dict[str, Any] = {"credit_note_id" if is_note else "payment_id": credit.id}
        uses = [
            Allocation(**source, invoice_id=key_of[number], amount_minor=amount, allocated_on=max(booking.settled_on, credit.on))
            for number, amount in credit.new_uses
        ]
        session.add_all(uses)
        session.flush()
        written.new_allocations.extend(use.id for use in uses)


def _amounts_of(credit: HeldCredit) -> dict[str, int]:
    if credit.kind is DocumentKind.PAYMENT:
        return {"amount_minor": credit.gross_minor, "unapplied_minor": credit.unapplied_minor}
    return {"net_minor": credit.net_minor, "vat_minor": credit.vat_minor, "unapplied_minor": credit.unapplied_minor}


def _payment_rows(
    payments: Iterable[tuple[int, NewMoney]], entity_id: int, batch_id: int, ledgers: Mapping[int, BuyerLedger]
) -> Iterator[tuple[Any, ...]]:
    organisation_id = current_organisation_id()
    purpose = Purpose.ORDINARY.value
    for key, money in payments:
        buyer_id, currency, amount, unapplied, on = money.buyer_id, money.currency, money.amount_minor, money.unapplied_minor, money.on
        ledger = ledgers.get(buyer_id)
        if ledger is not None:
            ledger.payments.append(LedgerPayment(key, buyer_id, entity_id, currency, amount, unapplied, None, on, purpose))
        yield (key, organisation_id, entity_id, buyer_id, batch_id, money.number, currency, amount, unapplied, on, purpose, money.inferred)


def _credit_note_rows(
    notes: Iterable[tuple[int, NewMoney]], key_of: Mapping[str, int], entity_id: int, batch_id: int, ledgers: Mapping[int, BuyerLedger]
) -> Iterator[tuple[Any, ...]]:
    organisation_id = current_organisation_id()
    for key, money in notes:
        buyer_id, currency, net, vat, unapplied = money.buyer_id, money.currency, money.net_minor, money.vat_minor, money.unapplied_minor
        invoice_id = key_of[money.applies_to] if money.applies_to else None
        ledger = ledgers.get(buyer_id)
        if ledger is not None:
            ledger.credit_notes.append(
                LedgerCreditNote(key, buyer_id, entity_id, invoice_id, currency, net, vat, unapplied, None, money.on)
            )
        yield (key, organisation_id, entity_id, buyer_id, invoice_id, batch_id, money.number, currency, net, vat, unapplied, money.on)


def _allocation_rows(
    payments: Iterable[tuple[int, NewMoney]],
    notes: Iterable[tuple[int, NewMoney]],
    key_of: Mapping[str, int],
    keys: Iterator[int],
    ledgers: Mapping[int, BuyerLedger],
) -> Iterator[tuple[Any, ...]]:
    organisation_id = current_organisation_id()
    for are_payments, documents in ((True, payments), (False, notes)):
        for document_id, money in documents:
            payment_id, note_id = (document_id, None) if are_payments else (None, document_id)
            buyer_id, on = money.buyer_id, money.on
            ledger = ledgers.get(buyer_id)
            for number, amount in money.settles:
                key, invoice_id = next(keys), key_of[number]
                if ledger is not None:
                    ledger.allocations.append(LedgerAllocation(key, buyer_id, invoice_id, payment_id, note_id, amount, on))
                yield (key, organisation_id, invoice_id, payment_id, note_id, amount, on)


def _store_disputes(session: Session, booking: Booking, key_of: dict[str, int], batch_id: int, written: Written) -> None:
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
    for portion in portions([key_of[number] for number in booking.settled_disputes]):
        statement = select(Dispute).where(Dispute.invoice_id.in_(portion), Dispute.resolved_on.is_(None), Dispute.batch_id.is_not(None))
        for dispute in session.scalars(statement):
            dispute.resolved_on = max(dispute.opened_on, booking.settled_on)
            dispute.found_owed_minor = dispute.amount_minor
            written.closed_disputes.append(dispute.id)
    session.flush()

"""Importing a ledger file: read and checked outside any transaction, compared and written inside one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import IO, Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from insureflow.connectors.ledgers.batch import LedgerBatch
from insureflow.connectors.ledgers.profile import Profile
from insureflow.connectors.ledgers.profile_files import profile_to_mapping
from insureflow.connectors.ledgers.reading import DEFAULT_LIMITS, Source, read_ledger
from insureflow.connectors.ledgers.source import FileLimits
from insureflow.domain.buyers import NameKind, search_name
from insureflow.domain.errors import Refusal
from insureflow.domain.receivables import DocumentKind, ImportMode, LedgerLines, RowProblem
from insureflow.domain.tasks import ImportState
from insureflow.models.buyers import BuyerName, CustomerNumber
from insureflow.models.organisations import Entity
from insureflow.models.receivables import Allocation, CreditNote, Dispute, ImportBatch, ImportProblem, Invoice, Payment
from insureflow.services import cover, journal
from insureflow.services.buyers import NewBuyer, create_many_for_review
from insureflow.services.clock import now
from insureflow.services.imports.booking import Booking, Held, Progress, nobody_listens
from insureflow.services.imports.locking import only_import_of
from insureflow.services.imports.planning import Known, plan
from insureflow.services.imports.storing import store
from insureflow.services.journal import Actor, Subject
from insureflow.services.organisations import get_entity
from insureflow.services.scoping import within
from insureflow.services.transaction import transaction

_PORTION = 10_000


@dataclass(frozen=True, slots=True)
class ImportOrder:
    """What is to be imported, and how. ``mode`` None takes the profile's; ``as_of`` is the day of an open-items list."""

    entity: str
    profile: Profile
    as_of: date
    file_name: str
    mode: ImportMode | None = None
    dry_run: bool = False
    good_rows_only: bool = False
    create_buyers: bool = True
    batch_id: int | None = None
    limits: FileLimits = DEFAULT_LIMITS


@dataclass(frozen=True, slots=True)
class ImportOutcome:
    """What came of an import. ``state`` is ``done``, ``refused`` (bad rows), ``checked`` (dry run) or ``unchanged``."""

    state: str
    batch_id: int | None
    counts: Mapping[str, int]
    totals: Mapping[str, int]
    problems: tuple[RowProblem, ...]
    warnings: tuple[RowProblem, ...]
    detection: Any = field(default=None)


class _Stopped(Exception):
    def __init__(self, outcome: ImportOutcome) -> None:
        super().__init__(outcome.state)
        self.outcome = outcome


def import_ledger(
    actor: Actor,
    organisation_id: int,
    order: ImportOrder,
    source: Source | Sequence[Source] | IO[bytes],
    *,
    on: date,
    progress: Progress = nobody_listens,
    cancelled: Callable[[], bool] | None = None,
) -> ImportOutcome:
    """Import a ledger file for one entity, wholly or not at all. ``on`` is today where the business is.

    Bad rows stop the import unless ``good_rows_only``; they all come back in the outcome. Importing a file again changes nothing.
    Errors: the refusals of reading, ``entity_unknown``, ``import_running``, ``list_older_than_ledger``, ``rate_missing``.
    """
    with within(organisation_id), transaction(organisation_id) as session:
        entity = get_entity(session, order.entity)
    with only_import_of(entity):
        batch = read_ledger(
            source,
            order.profile,
            limits=order.limits,
            name=order.file_name,
            on_progress=lambda done, total: progress("reading", done, total),
            cancelled=cancelled,
        )
        progress("comparing", 0, len(batch.lines))
        try:
            with transaction(organisation_id) as session:
                return _import(session, actor, entity, order, batch, on, progress)
        except _Stopped as stopped:
            return stopped.outcome


def _import(
    session: Session, actor: Actor, entity: Entity, order: ImportOrder, batch: LedgerBatch, on: date, progress: Progress
) -> ImportOutcome:
    mode = order.mode or batch.mode
    if mode is ImportMode.OPEN_ITEMS:
        _refuse_older_list(session, entity, order.as_of)
    buyers, new_buyers, buyer_problems = _buyers(session, entity, order, batch)
    booking = Booking(batch.lines, _headings(order.profile), _held(session, entity.id, batch.lines, mode))
    booking.settled_on = order.as_of
    booking.problems.extend(buyer_problems)
    plan(booking, buyers, _known(session, entity.id, booking, batch.lines), mode, order.as_of)
    problems = tuple(sorted([*batch.problems, *booking.problems], key=lambda problem: (problem.row, problem.column or "")))
    counts = _counts(batch, booking, problems, new_buyers)
    totals = {f"{kind.value} {currency}": minor for kind in DocumentKind for currency, minor in batch.lines.total_minor(kind).items()}

    def outcome(state: str, batch_id: int | None = None) -> ImportOutcome:
        return ImportOutcome(state, batch_id, counts, totals, problems, batch.warnings, batch.detection)

    if problems and not order.good_rows_only:
        raise _Stopped(outcome("refused"))
    if order.dry_run:
        raise _Stopped(outcome("checked"))
    if booking.is_empty and not new_buyers and order.batch_id is None:
        raise _Stopped(outcome("unchanged"))
    record = _record(session, actor, entity, order, batch, mode)
    progress("writing", 0, len(booking.new))
    store(session, booking, entity.id, record.id)
    progress("writing", len(booking.new), len(booking.new))
    _add_trading_names(session, entity, batch)
    touched = {invoice.buyer_id for invoice in booking.new.values()} | {
        money.buyer_id for money in (*booking.payments, *booking.credit_notes)
    }
    touched |= {booking.held[number].buyer_id for number in booking.changed}
    touched |= {booking.held[number].buyer_id for number in booking.settled_disputes}
    touched |= {found.buyer_id for found in (booking.find(dispute.number) for dispute in booking.disputes) if found is not None}
    cover.refresh_buyers(session, touched, on, progress=lambda done, total: progress("cover", done, total))
    before = {number: _before(booking.held[number]) for number in booking.changed}
    record.counts = dict(counts) | {
        "undo": {
            "before": before,
            "new_buyers": sorted(new_buyers),
            "taken_back": [[booking.held[number].id, amount] for number, amount in booking.taken_back],
            "closed_disputes": booking.closed_dispute_ids,
        }
    }
    record.state, record.finished_at = ImportState.DONE, now()
    _store_problems(session, record.id, problems, batch.warnings)
    marks = hashlib.sha256("".join(batch.lines.fingerprint).encode()).hexdigest()
    journal.record(
        session,
        actor,
        "receivables.imported",
        Subject("import", record.id, order.file_name),
        after={
            "entity": entity.code,
            "mode": mode,
            "as_of": order.as_of,
            "file_sha256": batch.sha256,
            "lines_sha256": marks,
            "counts": dict(counts),
            "totals": totals,
        },
    )
    return outcome("done", record.id)


def _before(held: Held) -> dict[str, Any]:
    return {"id": held.id, "due_on": held.due_on.isoformat(), "fingerprint": held.fingerprint}


def _refuse_older_list(session: Session, entity: Entity, as_of: date) -> None:
    newest = session.scalar(
        select(func.max(ImportBatch.as_of)).where(
            ImportBatch.entity_id == entity.id, ImportBatch.mode == ImportMode.OPEN_ITEMS.value, ImportBatch.state == ImportState.DONE
        )
    )
    if newest is not None and as_of < newest:
        raise Refusal("list_older_than_ledger", as_of=as_of, newest=newest)


def _headings(profile: Profile) -> dict[str, str | None]:
    names = {name: (rule.columns or rule.combine or (name,))[0] for name, rule in profile.columns.items()}
    return {
        **names,
        "gross_minor": names.get("gross"),
        "open_minor": names.get("open"),
        "invoice_on": names.get("document_on"),
        "paid_on": names.get("document_on"),
    }


def _buyers(
    session: Session, entity: Entity, order: ImportOrder, batch: LedgerBatch
) -> tuple[list[int | None], list[int], list[RowProblem]]:
    """The buyer of each line, the buyers made for review, and rows of unknown buyers where none may be made."""
    lines = batch.lines
    marks: list[str | None] = [
        number if number is not None else (name[:60] if name is not None else None)
        for number, name in zip(lines.customer_number, lines.customer_name, strict=True)
    ]
    first: dict[str, int] = {}
    for position, mark in enumerate(marks):
        if mark is not None and mark not in first:
            first[mark] = position
    known = _known_customers(session, entity.id, list(first))
    missing = [mark for mark in first if mark not in known]
    if missing and not order.create_buyers:
        unknown = set(missing)
        problems = [
            RowProblem(lines.row[position], _headings(order.profile).get("customer_number") or "customer_number", mark, "buyer_unknown")
            for position, mark in enumerate(marks)
            if mark in unknown
        ]
        return [known.get(mark) if mark is not None else None for mark in marks], [], problems
    made: list[int] = []
    if missing:
        rows = [
            NewBuyer(
                entity_id=entity.id,
                number=mark,
                name=batch.customers[mark].name if mark in batch.customers else (lines.customer_name[first[mark]] or mark),
                country=lines.country[first[mark]] or entity.country,
            )
            for mark in missing
        ]
        created = create_many_for_review(session, rows)
        made = [created[entity.id, mark] for mark in missing]
        known |= dict(zip(missing, made, strict=True))
    return [known[mark] if mark is not None else None for mark in marks], made, []


def _known_customers(session: Session, entity_id: int, marks: list[str]) -> dict[str, int]:
    known: dict[str, int] = {}
    for start in range(0, len(marks), _PORTION):
        statement = select(CustomerNumber.number, CustomerNumber.buyer_id).where(
            CustomerNumber.entity_id == entity_id, CustomerNumber.number.in_(marks[start : start + _PORTION])
        )
        known.update((number, buyer_id) for number, buyer_id in session.execute(statement))
    return known


def _held(session: Session, entity_id: int, lines: LedgerLines, mode: ImportMode) -> dict[str, Held]:
    """The invoices of the entity that the file may be about: those it names and, for a list, those that are open."""
    if session.scalar(select(Invoice.id).where(Invoice.entity_id == entity_id).limit(1)) is None:
        return {}
    statement = select(
        Invoice.number,
        Invoice.id,
        Invoice.buyer_id,
        Invoice.currency,
        Invoice.net_minor,
        Invoice.vat_minor,
        Invoice.open_minor,
        Invoice.invoice_on,
        Invoice.due_on,
        Invoice.fingerprint,
        Invoice.batch_id,
    ).where(Invoice.entity_id == entity_id)
    named = list({number for number in (*lines.number, *lines.applies_to) if number is not None})
    wanted = [statement.where(Invoice.number.in_(named[start : start + _PORTION])) for start in range(0, len(named), _PORTION)]
    if mode is ImportMode.OPEN_ITEMS:
        wanted.append(statement.where(Invoice.open_minor > 0))
    held: dict[str, Held] = {}
    for each in wanted:
        for number, *values in session.execute(each):
            held[number] = Held(*values)
            held[number].first_open_minor = held[number].open_minor
    return held


def _known(session: Session, entity_id: int, booking: Booking, lines: LedgerLines) -> Known:
    payments: dict[str, int] = {}
    notes: dict[str, int] = {}
    reductions = [
        (kind, number or f"{kind.value}-{mark}")
        for kind, number, mark in zip(lines.kind, lines.number, lines.fingerprint, strict=True)
        if kind is not DocumentKind.INVOICE
    ]
    for kind, found in ((DocumentKind.PAYMENT, payments), (DocumentKind.CREDIT_NOTE, notes)):
        numbers = [number for each, number in reductions if each is kind]
        model = Payment if kind is DocumentKind.PAYMENT else CreditNote
        amount = Payment.amount_minor if kind is DocumentKind.PAYMENT else CreditNote.net_minor + CreditNote.vat_minor
        for start in range(0, len(numbers), _PORTION):
            statement = select(model.number, amount).where(
                model.entity_id == entity_id, model.number.in_(numbers[start : start + _PORTION])
            )
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


def _counts(batch: LedgerBatch, booking: Booking, problems: Sequence[RowProblem], new_buyers: Sequence[int]) -> dict[str, int]:
    return {
        "rows": batch.rows_read,
        "left_out": batch.rows_left_out,
        "bad_rows": len({problem.row for problem in problems}),
        "new_invoices": len(booking.new),
        "changed_invoices": len(booking.changed),
        "unchanged": booking.unchanged,
        "payments": sum(not money.inferred for money in booking.payments),
        "inferred_payments": sum(money.inferred for money in booking.payments),
        "credit_notes": len(booking.credit_notes),
        "disputes": len(booking.disputes),
        "new_buyers": len(new_buyers),
        "warnings": len(batch.warnings),
    }


def _record(session: Session, actor: Actor, entity: Entity, order: ImportOrder, batch: LedgerBatch, mode: ImportMode) -> ImportBatch:
    """The batch of this import: the one that the upload made, or a new one."""
    values: dict[str, Any] = {
        "entity_id": entity.id,
        "file_name": order.file_name[:300],
        "file_sha256": batch.sha256,
        "mode": mode.value,
        "as_of": order.as_of,
        "profile": dict(profile_to_mapping(order.profile)),
        "options": {"good_rows_only": order.good_rows_only, "create_buyers": order.create_buyers},
        "state": ImportState.CHECKED,
    }
    record = session.get(ImportBatch, order.batch_id) if order.batch_id is not None else None
    if record is None:
        record = ImportBatch(created_at=now(), created_by_id=actor.user_id, counts={}, **values)
        session.add(record)
    else:
        for name, value in values.items():
            setattr(record, name, value)
    session.flush()
    return record


def _add_trading_names(session: Session, entity: Entity, batch: LedgerBatch) -> None:
    """Keep every other spelling of a customer as a trading name of its buyer."""
    spelled = {mark: names for mark, names in batch.customers.items() if names.trading_names}
    if not spelled:
        return
    buyer_of = _known_customers(session, entity.id, list(spelled))
    keys = list(buyer_of.values())
    held: set[tuple[int, str]] = set()
    for start in range(0, len(keys), _PORTION):
        statement = select(BuyerName.buyer_id, BuyerName.name).where(
            BuyerName.buyer_id.in_(keys[start : start + _PORTION]), BuyerName.kind == NameKind.TRADING
        )
        held.update((buyer_id, name) for buyer_id, name in session.execute(statement))
    for mark, names in spelled.items():
        for name in names.trading_names:
            if mark in buyer_of and (buyer_of[mark], name[:300]) not in held:
                held.add((buyer_of[mark], name[:300]))
                session.add(BuyerName(buyer_id=buyer_of[mark], kind=NameKind.TRADING, name=name[:300], search_name=search_name(name)))
    session.flush()


def problem_rows(batch_id: int, problems: Sequence[RowProblem], *, warning: bool) -> list[ImportProblem]:
    """Bad rows as they are kept with a batch."""
    return [
        ImportProblem(
            batch_id=batch_id,
            row=problem.row,
            column=(problem.column or "")[:200],
            value=(problem.value or "")[:500],
            code=problem.code,
            parameters={name: value if isinstance(value, int | str) else str(value) for name, value in problem.parameters.items()},
            warning=warning,
        )
        for problem in problems
    ]


#: More bad rows than this are not kept one by one: nobody reads them, and the file is wrong as a whole.
MOST_PROBLEMS = 10_000


def _store_problems(session: Session, batch_id: int, problems: Sequence[RowProblem], warnings: Sequence[RowProblem]) -> None:
    session.add_all(problem_rows(batch_id, problems[:MOST_PROBLEMS], warning=False))
    session.add_all(problem_rows(batch_id, warnings[:MOST_PROBLEMS], warning=True))
    session.flush()

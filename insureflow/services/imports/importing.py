"""Importing a ledger file: read and checked outside any transaction, compared and written inside one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import IO, Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from insureflow.connectors.ledgers.batch import LedgerBatch
from insureflow.connectors.ledgers.detection import Detection
from insureflow.connectors.ledgers.profile import Profile
from insureflow.connectors.ledgers.profile_files import profile_to_mapping
from insureflow.connectors.ledgers.reading import DEFAULT_LIMITS, Source, read_ledger
from insureflow.connectors.ledgers.source import FileLimits
from insureflow.domain.errors import Refusal
from insureflow.domain.receivables import DocumentKind, ImportMode, RowProblem
from insureflow.domain.tasks import ImportState
from insureflow.models.organisations import Entity
from insureflow.models.receivables import ImportBatch, ImportProblem
from insureflow.services import cover, journal
from insureflow.services.clock import now
from insureflow.services.imports import customers, holding
from insureflow.services.imports.booking import Booking, Progress, nobody_listens
from insureflow.services.imports.locking import only_import_of
from insureflow.services.imports.planning import Reading, plan
from insureflow.services.imports.remembering import remember
from insureflow.services.imports.storing import store
from insureflow.services.journal import Actor, Subject
from insureflow.services.organisations import get_entity
from insureflow.services.scoping import within
from insureflow.services.transaction import transaction

#: More bad rows than this are not kept one by one: nobody reads them, and the file is wrong as a whole.
MOST_PROBLEMS = 10_000


@dataclass(frozen=True, slots=True)
class ImportOrder:
    """What is to be imported, and how.

    ``mode`` None takes the profile's, ``currency`` replaces that of the profile for rows without one. ``as_of`` is the day of an
    open-items list. ``batch_id`` names the batch that an upload has made already.
    """

    entity: str
    profile: Profile
    as_of: date
    file_name: str
    mode: ImportMode | None = None
    currency: str | None = None
    dry_run: bool = False
    good_rows_only: bool = False
    create_buyers: bool = True
    batch_id: int | None = None
    limits: FileLimits = DEFAULT_LIMITS

    @property
    def reading_profile(self) -> Profile:
        """The profile with the currency that was asked for."""
        return self.profile if self.currency is None else replace(self.profile, currency=self.currency)


@dataclass(frozen=True, slots=True)
class ImportOutcome:
    """What came of an import. ``state`` is ``done``, ``refused`` (bad rows), ``checked`` (dry run) or ``unchanged``.

    ``totals`` gives minor units by kind of document and currency, ``new_buyers`` names and numbers of buyers that are (or, of a
    dry run, would be) made for review.
    """

    state: str
    batch_id: int | None
    mode: ImportMode
    counts: Mapping[str, int]
    totals: Mapping[str, Mapping[str, int]]
    problems: tuple[RowProblem, ...]
    warnings: tuple[RowProblem, ...]
    new_buyers: tuple[tuple[str, str], ...]
    detection: Detection


class _Stopped(Exception):
    """Ends the unit of work without writing anything."""

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
    Errors: the refusals of reading, ``entity_unknown``, ``import_running``, ``list_older_than_ledger``, ``list_incomplete``,
    ``rate_missing``, ``rates_missing``, ``batch_done_already``.
    """
    with within(organisation_id), transaction(organisation_id) as session:
        entity = get_entity(session, order.entity)
    with only_import_of(entity):
        batch = read_ledger(
            source,
            order.reading_profile,
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
    found = customers.find_customers(session, entity, batch)
    booking = Booking(
        batch.lines,
        _headings(order.profile),
        holding.held_invoices(session, entity.id, batch.lines, mode),
        order.as_of,
        holding.used_payment_numbers(session, entity.id, order.as_of),
    )
    customers.refuse_unusable(booking, found, may_create=order.create_buyers)
    known = holding.known_documents(session, entity.id, booking)
    plan(booking, found.of_line, known, Reading.under(order.profile, mode, order.as_of))
    problems = tuple(sorted([*batch.problems, *booking.problems], key=lambda problem: (problem.row, problem.column or "")))
    new_buyers = customers.wanted_buyers(booking, found)
    outcome = ImportOutcome(
        "checked",
        None,
        mode,
        _counts(batch, booking, problems, len(new_buyers)),
        {kind.value: totals for kind in DocumentKind if (totals := batch.lines.total_minor(kind))},
        problems,
        batch.warnings,
        tuple((mark, batch.lines.customer_name[found.unknown[mark]] or mark) for mark in new_buyers),
        batch.detection,
    )
    if problems and not order.good_rows_only:
        raise _Stopped(outcome if order.dry_run else replace(outcome, state="refused"))
    if batch.problems and booking.missing:
        raise Refusal("list_incomplete", rows=batch.bad_rows, settled=booking.missing)
    if order.dry_run:
        raise _Stopped(outcome)
    if booking.is_empty and order.batch_id is None:
        raise _Stopped(replace(outcome, state="unchanged"))
    record = _record(session, actor, entity, order, batch, mode)
    if booking.is_empty:
        return _finish(session, record, replace(outcome, state="unchanged", batch_id=record.id))
    made = customers.make_buyers(session, booking, found, new_buyers, entity, batch)
    progress("writing", 0, len(booking.new))
    written = store(session, booking, entity.id, record.id)
    names = customers.add_trading_names(session, entity, batch)
    remember(session, record, written, made, names)
    progress("writing", len(booking.new), len(booking.new))
    cover.refresh_buyers(session, booking.buyers, on, progress=lambda done, total: progress("cover", done, total))
    _journal(session, actor, entity, order, batch, record, outcome)
    progress("saving", 0, None)
    return _finish(session, record, replace(outcome, state="done", batch_id=record.id))


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
        "customer_number": names.get("customer_number") or names.get("customer_name"),
        "gross_minor": names.get("gross") or names.get("open"),
        "open_minor": names.get("open"),
        "invoice_on": names.get("document_on"),
        "paid_on": names.get("document_on"),
    }


def _counts(batch: LedgerBatch, booking: Booking, problems: Sequence[RowProblem], new_buyers: int) -> dict[str, int]:
    return {
        "rows": batch.rows_read,
        "left_out": batch.rows_left_out,
        "bad_rows": len({problem.row for problem in problems}),
        "new_invoices": len(booking.new),
        "changed_invoices": booking.changed,
        "unchanged": booking.unchanged,
        "payments": sum(not money.inferred for money in booking.payments),
        "inferred_payments": sum(money.inferred for money in booking.payments),
        "taken_back": len(booking.taken_back),
        "credit_notes": len(booking.credit_notes),
        "disputes": len(booking.disputes),
        "settled_disputes": len(booking.settled_disputes),
        "new_buyers": new_buyers,
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
        "profile": dict(profile_to_mapping(order.reading_profile)),
    }
    record = session.get(ImportBatch, order.batch_id) if order.batch_id is not None else None
    if record is None:
        record = ImportBatch(created_at=now(), created_by_id=actor.user_id, counts={}, options={}, **values)
        session.add(record)
    else:
        if record.state in (ImportState.DONE, ImportState.UNDONE):
            raise Refusal("batch_done_already", file=record.file_name)
        for name, value in values.items():
            setattr(record, name, value)
    record.state = ImportState.RUNNING
    record.options = {**record.options, "good_rows_only": order.good_rows_only, "create_buyers": order.create_buyers}
    session.flush()
    return record


def _finish(session: Session, record: ImportBatch, outcome: ImportOutcome) -> ImportOutcome:
    """Keep what came of the import with its batch."""
    keep_result(session, record, outcome)
    record.state, record.finished_at = ImportState.DONE, now()
    session.flush()
    return outcome


def keep_result(session: Session, record: ImportBatch, outcome: ImportOutcome) -> None:
    """Keep counts, totals and bad rows of a check or an import with its batch, in the place of earlier ones."""
    for problem in session.scalars(select(ImportProblem).where(ImportProblem.batch_id == record.id)):
        session.delete(problem)
    session.flush()
    record.counts = {**outcome.counts, "totals": outcome.totals, "new_buyer_names": [list(pair) for pair in outcome.new_buyers[:200]]}
    for rows, warning in ((outcome.problems, False), (outcome.warnings, True)):
        session.add_all(_problem(record.id, problem, warning=warning) for problem in rows[:MOST_PROBLEMS])
    session.flush()


def _problem(batch_id: int, problem: RowProblem, *, warning: bool) -> ImportProblem:
    return ImportProblem(
        batch_id=batch_id,
        row=problem.row,
        column=(problem.column or "")[:200],
        value=(problem.value or "")[:500],
        code=problem.code,
        parameters={name: value if isinstance(value, int | str) else str(value) for name, value in problem.parameters.items()},
        warning=warning,
    )


def _journal(
    session: Session, actor: Actor, entity: Entity, order: ImportOrder, batch: LedgerBatch, record: ImportBatch, outcome: ImportOutcome
) -> None:
    journal.record(
        session,
        actor,
        "receivables.imported",
        Subject("import", record.id, order.file_name),
        after={
            "entity": entity.code,
            "mode": record.mode,
            "as_of": order.as_of,
            "file_sha256": batch.sha256,
            "lines_sha256": hashlib.sha256("".join(batch.lines.fingerprint).encode()).hexdigest(),
            "counts": dict(outcome.counts),
            "totals": {kind: dict(totals) for kind, totals in outcome.totals.items()},
        },
    )

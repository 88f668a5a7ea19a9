"""Importing a ledger file: read and checked outside any transaction, compared and written inside one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import IO, Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from insureflow.connectors.ledgers.batch import LedgerBatch
from insureflow.connectors.ledgers.profile import Profile
from insureflow.connectors.ledgers.profile_files import profile_to_mapping
from insureflow.connectors.ledgers.reading import DEFAULT_LIMITS, Source, read_ledger
from insureflow.connectors.ledgers.source import FileLimits
from insureflow.domain.errors import Refusal
from insureflow.domain.receivables import ImportMode, RowProblem
from insureflow.domain.tasks import ImportState
from insureflow.models.buyers import Buyer
from insureflow.models.organisations import Entity
from insureflow.models.receivables import ImportBatch, ImportProblem
from insureflow.services import cover, journal
from insureflow.services.clock import now
from insureflow.services.collector import without_collector
from insureflow.services.imports import customers, holding
from insureflow.services.imports.booking import Booking, Progress, nobody_listens
from insureflow.services.imports.customers import Accounts
from insureflow.services.imports.identities import PublicRegister
from insureflow.services.imports.locking import only_import_of
from insureflow.services.imports.outcomes import ImportOutcome, Share, outcome_for, sum_up
from insureflow.services.imports.parts import Part, share_out
from insureflow.services.imports.planning import Reading, plan
from insureflow.services.imports.remembering import remember
from insureflow.services.imports.storing import store
from insureflow.services.journal import Actor, Subject
from insureflow.services.organisations import get_entity
from insureflow.services.scoping import within
from insureflow.services.transaction import transaction

#: More bad rows than this are not kept one by one: nobody reads them, and the file is wrong as a whole.
MOST_PROBLEMS = 10_000

#: From so many documents on it pays to let the database look at its tables first.
MANY_DOCUMENTS = 1000

#: So many names of buyers are kept with a batch, to be shown.
NAMES = 200


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
    """Import a ledger file for an entity, wholly or not at all; rows with the code of another entity go to that one. ``on`` is today where the business is.

    Bad rows stop the import unless ``good_rows_only``; they all come back in the outcome. Importing a file again changes nothing.
    Errors: the refusals of reading, ``entity_unknown``, ``import_running``, ``list_older_than_ledger``, ``list_incomplete``,
    ``rate_missing``, ``rates_missing``, ``batch_done_already``.
    """
    with within(organisation_id), transaction(organisation_id) as session:
        entity = get_entity(session, order.entity)
    with ExitStack() as locks:
        locks.enter_context(only_import_of(entity))
        locks.enter_context(without_collector())
        batch = read_ledger(
            source,
            order.reading_profile,
            limits=order.limits,
            name=order.file_name,
            on_progress=lambda done, total: progress("reading", done, total),
            cancelled=cancelled,
        )
        progress("comparing", 0, len(batch.lines))
        with transaction(organisation_id) as session:
            parts, strangers = share_out(session, entity, batch, _code_heading(order.profile))
        for part in parts[1:]:
            locks.enter_context(only_import_of(part.entity))
        try:
            with transaction(organisation_id) as session:
                return _import(session, actor, order, batch, parts, strangers, on, progress)
        except _Stopped as stopped:
            return stopped.outcome


def _code_heading(profile: Profile) -> str | None:
    """The column with codes of entities, or None where all rows belong to one."""
    rule = profile.columns.get("entity_code")
    return None if rule is None else (rule.columns or rule.combine or ("entity_code",))[0]


def _import(
    session: Session,
    actor: Actor,
    order: ImportOrder,
    batch: LedgerBatch,
    parts: list[Part],
    strangers: list[RowProblem],
    on: date,
    progress: Progress,
) -> ImportOutcome:
    mode = order.mode or batch.mode
    register = PublicRegister()
    shares = [_plan(session, order, part, mode, register, is_alone=len(parts) == 1) for part in parts]
    for share, accounts in zip(shares, customers.plan_accounts([(each.booking, each.found) for each in shares]), strict=True):
        share.accounts = accounts
    outcome = sum_up(batch, shares, mode, register, strangers)
    if outcome.problems and not order.good_rows_only:
        raise _Stopped(outcome if order.dry_run else replace(outcome, state="refused"))
    settled = sum(share.booking.missing for share in shares)
    if (batch.problems or strangers) and settled:
        raise Refusal("list_incomplete", rows=len({each.row for each in (*batch.problems, *strangers)}), settled=settled)
    if order.dry_run:
        raise _Stopped(outcome)
    busy = [share for share in shares if not share.booking.is_empty]
    if not busy and order.batch_id is None:
        raise _Stopped(replace(outcome, state="unchanged"))
    records = _record_all(session, actor, order, batch, mode, shares)
    made = _write_all(session, busy, records, register, on, progress)
    progress("saving", 0, None)
    batches = {code: record.id for code, record in records.items()}
    outcome = replace(outcome, state="done" if busy else "unchanged", batch_id=next(iter(batches.values())), batches=batches)
    for share in shares:
        record = records.get(share.part.entity.code)
        if record is None:
            continue
        own = outcome if len(shares) == 1 else outcome_for(outcome, share, is_first=share is shares[0])
        if share in busy:
            _journal(session, actor, share, batch, record, order, own, made)
        _finish(session, record, own)
    return outcome


def _plan(session: Session, order: ImportOrder, part: Part, mode: ImportMode, register: PublicRegister, *, is_alone: bool) -> Share:
    """Compare the lines of an entity with its ledger."""
    entity, lines, headings = part.entity, part.lines, _headings(order.profile)
    found = customers.find_customers(session, entity, lines, headings, register)
    if not lines.row and not is_alone:  # the list is about other entities, so it settles nothing here
        return Share(part, Booking(lines, headings, {}, order.as_of), found, Accounts())
    if mode is ImportMode.OPEN_ITEMS:
        _refuse_older_list(session, entity, order.as_of)
    booking = Booking(
        lines,
        headings,
        holding.held_invoices(session, entity.id, lines, mode),
        order.as_of,
        holding.used_payment_numbers(session, entity.id, order.as_of),
    )
    if mode is ImportMode.OPEN_ITEMS:
        booking.credits = holding.held_credits(session, entity.id, lines)
    customers.refuse_unusable(booking, found, may_create=order.create_buyers)
    known = holding.known_documents(session, entity.id, booking)
    plan(booking, found.of_line, known, Reading.under(order.profile, mode, order.as_of))
    return Share(part, booking, found, Accounts())


def _record_all(
    session: Session, actor: Actor, order: ImportOrder, batch: LedgerBatch, mode: ImportMode, shares: list[Share]
) -> dict[str, ImportBatch]:
    """An import for each entity that something is written for, the upload's own one for the chosen entity in any case."""
    records: dict[str, ImportBatch] = {}
    for share in shares:
        is_upload = share is shares[0] and order.batch_id is not None
        if is_upload or not share.booking.is_empty:
            entity = share.part.entity
            records[entity.code] = _record(session, actor, entity, order if is_upload else replace(order, batch_id=None), batch, mode)
    if len(records) > 1:
        for record in records.values():
            record.options = {**record.options, "together_with": [each.id for each in records.values() if each is not record]}
    return records


def _write_all(
    session: Session, shares: list[Share], records: dict[str, ImportBatch], register: PublicRegister, on: date, progress: Progress
) -> dict[int, int]:
    """Write what is planned, keep what it takes to undo it, and bring cover up to date; gives the keys of the buyers made on the way."""
    made: dict[int, int] = {}
    begun = []
    for share in shares:
        keys = customers.make_buyers(
            session, share.booking, share.found, share.accounts, share.part.entity, share.part.names, register, made
        )
        begun.append((share, keys))
    session.flush()
    buyers = {key for share in shares for key in share.booking.buyers}
    if sum(len(share.booking.documents) for share in shares) >= MANY_DOCUMENTS:
        cover.renew_statistics(session, Buyer)  # every document is checked against its buyer, and they may be new as well
    newcomers = cover.find_newcomers(session, buyers - {key for share in shares for key in share.booking.disputing_buyers})
    with cover.RowWriter(session) as writer:
        for share, (new_buyers, new_numbers) in begun:
            entity, booking, record = share.part.entity, share.booking, records[share.part.entity.code]
            progress("writing", 0, len(booking.new))
            written = store(session, booking, entity.id, record.id, writer, newcomers)
            names = customers.add_trading_names(session, entity, share.part.names, share.accounts.joined)
            remember(session, record, written, new_buyers=new_buyers, new_names=names, new_numbers=new_numbers)
            progress("writing", len(booking.new), len(booking.new))
        if buyers:
            tell = partial(progress, "cover")
            cover.refresh_buyers(session, buyers, on, progress=tell, newcomers=newcomers, writer=writer)
    return made


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


def _finish(session: Session, record: ImportBatch, outcome: ImportOutcome) -> None:
    """Keep what came of the import with its batch."""
    keep_result(session, record, outcome)
    record.state, record.finished_at = ImportState.DONE, now()
    session.flush()


def keep_result(session: Session, record: ImportBatch, outcome: ImportOutcome) -> None:
    """Keep counts, totals and bad rows of a check or an import with its batch, in the place of earlier ones."""
    for problem in session.scalars(select(ImportProblem).where(ImportProblem.batch_id == record.id)):
        session.delete(problem)
    session.flush()
    record.counts = {
        **outcome.counts,
        "totals": outcome.totals,
        "new_buyer_names": [list(pair) for pair in outcome.new_buyers[:NAMES]],
        "joined_names": [list(pair) for pair in outcome.joined[:NAMES]],
    }
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
    session: Session,
    actor: Actor,
    share: Share,
    batch: LedgerBatch,
    record: ImportBatch,
    order: ImportOrder,
    outcome: ImportOutcome,
    made: Mapping[int, int],
) -> None:
    """One entry for each entity: each import can be taken back by itself."""
    journal.record(
        session,
        actor,
        "receivables.imported",
        Subject("import", record.id, order.file_name),
        after={
            "entity": share.part.entity.code,
            "mode": record.mode,
            "as_of": order.as_of,
            "file_sha256": batch.sha256,
            "lines_sha256": hashlib.sha256("".join(share.part.lines.fingerprint).encode()).hexdigest(),
            "counts": dict(outcome.counts),
            "totals": {kind: dict(totals) for kind, totals in outcome.totals.items()},
            **(
                {"joined": {mark: made.get(key := share.found.key_of[mark], key) for mark in share.accounts.joined}}
                if share.accounts.joined
                else {}
            ),
        },
    )

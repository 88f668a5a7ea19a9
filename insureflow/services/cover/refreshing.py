"""Keeping positions, states of accounts, exposure and duties true: worked out anew for the buyers concerned.

What has not changed stays as it is: rows are compared first, and only those of buyers with a difference are written again.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import nullcontext
from datetime import date
from itertools import islice
from typing import Any

from sqlalchemy import delete, insert, select, union, update
from sqlalchemy.orm import Session

from insureflow.models.base import Base
from insureflow.models.buyers import Buyer
from insureflow.models.cover import AccountState, Exposure, InvoicePosition, Obligation
from insureflow.models.limits import AccountAct, LimitDecision, SharedUse
from insureflow.models.receivables import Allocation, CreditNote, Invoice, Payment
from insureflow.models.scope import current_organisation_id
from insureflow.queries.cover.accounts import Assignment, Frozen
from insureflow.queries.cover.calculation import Derived, calculate
from insureflow.queries.cover.duties import Duty, policy_duties
from insureflow.queries.cover.ledgers import BuyerLedger, load_ledgers, one_of
from insureflow.queries.cover.policies import PolicyBook
from insureflow.queries.cover.sharing import SHARED_COLUMNS, SharingBook
from insureflow.queries.cover.uninsured import (
    EXPOSURE_COLUMNS,
    POSITION_COLUMNS,
    of_buyers,
    uninsured_exposures,
    uninsured_positions,
)
from insureflow.queries.rates import RateBook
from insureflow.services.collector import without_collector
from insureflow.services.cover.followers import tell
from insureflow.services.cover.newcomers import Newcomers
from insureflow.services.cover.storing import Parcel, RowWriter, insert_rows, renew_statistics
from insureflow.services.rates import refuse_missing
from insureflow.services.transaction import transaction

#: Told how many buyers are done, and of how many.
Told = Callable[[int, int], None]

#: Buyers worked out at a time.
CHUNK = 500

#: From so many buyers on a refresh counts as big.
MANY_BUYERS = 50

#: Buyers without policy handled by one statement; a statement takes only so many parameters.
SET_CHUNK = 5000

#: The columns of a state of an account.
STATE_COLUMNS = (
    "organisation_id",
    "buyer_id",
    "policy_id",
    "valid_from",
    "valid_to",
    "limit_currency",
    "limit_primary_minor",
    "limit_top_up_minor",
    "reserved_primary_minor",
    "reserved_top_up_minor",
    "stopped",
)
#: The columns of a duty.
DUTY_COLUMNS = (
    "organisation_id",
    "policy_id",
    "buyer_id",
    "invoice_id",
    "kind",
    "due_on",
    "unit",
    "basis",
    "amount_minor",
    "currency",
    "trace",
)

#: The rows of one table by buyer, each in the order of the table's columns.
Rows = dict[int, list[tuple[Any, ...]]]


def chunks(keys: Iterable[int], size: int) -> Iterator[list[int]]:
    """The keys in portions."""
    iterator = iter(keys)
    while portion := list(islice(iterator, size)):
        yield portion


def refresh_buyers(
    session: Session,
    buyer_ids: Collection[int] | None,
    on: date,
    *,
    progress: Told | None = None,
    newcomers: Newcomers | None = None,
    writer: RowWriter | None = None,
) -> None:
    """Work out positions, states of accounts, exposure and duties of these buyers (None: all) and store what has changed.

    Belongs into the transaction of every change of invoices, payments, credit notes, disputes, limits, acts or policies. ``on``
    is the business date: exposure and duties are kept from this day on. Invoices get their policy and, like payments and
    credit notes, the rate of their own day. Errors: ``rate_missing`` or ``rates_missing``, and what ``replay`` refuses.

    ``newcomers``: those of the buyers whose whole ledger is in memory. ``writer``: the one that is writing it.
    """
    session.flush()
    with without_collector(), RowWriter(session) if writer is None else nullcontext(writer) as rows:
        _refresh(session, buyer_ids, on, progress, newcomers, rows)
    tell(session, buyer_ids, on)


def _refresh(
    session: Session,
    buyer_ids: Collection[int] | None,
    on: date,
    progress: Told | None,
    newcomers: Newcomers | None,
    writer: RowWriter,
) -> None:
    if newcomers is None:
        accounts = _Accounts(session, PolicyBook.load(), RateBook.load(), SharingBook.load(), on, writer)
    else:
        accounts = _Accounts(session, newcomers.book, newcomers.rates, newcomers.sharing, on, writer)
    book = accounts.book
    rest = accounts.sharing.with_mates(buyer_ids)
    filled: tuple[type[Base], ...] = (Invoice, Allocation, Payment, CreditNote)
    if newcomers is not None and rest is not None:
        accounts.refresh_newcomers(newcomers, progress)
        rest = [key for key in rest if key not in accounts.settled]
    if rest is None or rest:
        if rest is None or len(rest) >= MANY_BUYERS:
            renew_statistics(session, *filled)
            filled = ()
        _refresh_uninsured_positions(session, rest, book)
        accounts.refresh(insured_buyers(session, rest, book), progress)
    refuse_missing(accounts.missing)
    if buyer_ids is None or len(buyer_ids) >= MANY_BUYERS:
        renew_statistics(session, *filled, InvoicePosition, AccountState, Obligation, Buyer, LimitDecision)
    _refresh_uninsured_exposure(session, rest, on)
    _refresh_policy_duties(session, book, on)


class _Accounts:
    """The accounts of buyers under their policies, worked out portion by portion; while one is written the next is worked out.

    ``missing`` collects the rates that nobody knows: from the first one on nothing is written. ``settled`` are the buyers with
    an account that need no other look.
    """

    def __init__(self, session: Session, book: PolicyBook, rates: RateBook, sharing: SharingBook, on: date, writer: RowWriter) -> None:
        self._session = session
        self.book = book
        self._rates = rates
        self.sharing = sharing
        self._on = on
        self._writer = writer
        self._done = 0
        self.missing: set[tuple[str, str, date]] = set()
        self.settled: set[int] = set()

    def refresh(self, buyer_ids: Sequence[int], progress: Told | None) -> None:
        """Buyers whose ledgers are read from the database."""
        self._work_out(list(self.sharing.portions(buyer_ids, CHUNK)), load_ledgers, self._done + len(buyer_ids), progress)

    def refresh_newcomers(self, newcomers: Newcomers, progress: Told | None) -> None:
        """Buyers whose ledgers are in memory; nothing is asked of the database unless something had been worked out for them."""
        insured = newcomers.insured()
        for are_new in (True, False):
            keys = [key for key in insured if (key not in newcomers.with_figures) is are_new]
            self._work_out(list(chunks(keys, CHUNK)), newcomers.take, len(insured), progress, are_new=are_new)

    def _work_out(
        self,
        portions: Sequence[list[int]],
        ledgers_of: Callable[[list[int]], list[BuyerLedger]],
        total: int,
        progress: Told | None,
        *,
        are_new: bool = False,
    ) -> None:
        ledgers = ledgers_of(portions[0]) if portions else []
        for number, portion in enumerate(portions):
            derived = calculate(ledgers, self.book, self._rates, self._on, self.sharing)
            self.missing |= derived.frozen.missing
            parcels: list[Parcel] = []
            if not self.missing:
                _freeze(self._session, derived.frozen)
                parcels = _changed_rows(self._session, portion, derived, self._on, are_new=are_new)
            if number + 1 < len(portions):  # read before this portion is on its way: the connection can do one thing at a time
                ledgers = ledgers_of(portions[number + 1])
            self.settled.update(row.buyer_id for row in derived.states)
            self._done += len(portion)
            if progress is not None:
                progress(self._done, total)
            self._writer.write(parcels)


def rebuild(organisation_id: int, on: date, *, progress: Told | None = None) -> None:
    """Work out everything derived of an organisation anew, in one transaction."""
    with transaction(organisation_id) as session:
        refresh_buyers(session, None, on, progress=progress)


def insured_buyers(session: Session, buyer_ids: Collection[int] | None, book: PolicyBook) -> list[int]:
    """The buyers that have, or had, anything to do with a policy, by key."""
    if not book.policies:
        return []
    organisation_id = current_organisation_id()  # a union is not narrowed by the scope
    models: tuple[Any, ...] = (LimitDecision, AccountAct, AccountState, Exposure)
    parts = [select(model.buyer_id).where(model.organisation_id == organisation_id, model.policy_id.is_not(None)) for model in models]
    if book.insured:
        parts.append(
            select(Invoice.buyer_id).where(Invoice.organisation_id == organisation_id, Invoice.entity_id.in_(book.insured_entities))
        )
    found = sorted(int(row[0]) for row in session.execute(union(*parts)))
    if buyer_ids is None:
        return found
    asked = set(buyer_ids)
    return [key for key in found if key in asked]


# ---------------------------------------------------------------------- without policy


def _portions(buyer_ids: Collection[int] | None) -> Iterator[list[int] | None]:
    if buyer_ids is None:
        yield None
    else:
        yield from chunks(sorted(set(buyer_ids)), SET_CHUNK)


def _refresh_uninsured_positions(session: Session, buyer_ids: Collection[int] | None, book: PolicyBook) -> None:
    """Positions of invoices of entities without policy, by the database alone."""
    entities = book.insured_entities
    for portion in _portions(buyer_ids):
        freed = [Invoice.policy_id.is_not(None), *of_buyers(Invoice.buyer_id, portion)]
        if entities:
            freed.append(Invoice.entity_id.not_in(entities))
        _delete(session, InvoicePosition, InvoicePosition.invoice_id.in_(select(Invoice.id).where(*freed)))
        session.execute(
            update(Invoice).where(*freed).values(policy_id=None, rate=None, rate_source=""),
            execution_options={"synchronize_session": False},
        )
        _delete(session, InvoicePosition, InvoicePosition.policy_id.is_(None), *of_buyers(InvoicePosition.buyer_id, portion))
        session.execute(insert(InvoicePosition).from_select(list(POSITION_COLUMNS), uninsured_positions(portion, entities)))


def _refresh_uninsured_exposure(session: Session, buyer_ids: Collection[int] | None, on: date) -> None:
    for portion in _portions(buyer_ids):
        _delete(session, Exposure, Exposure.policy_id.is_(None), *of_buyers(Exposure.buyer_id, portion))
        session.execute(insert(Exposure).from_select(list(EXPOSURE_COLUMNS), uninsured_exposures(portion, on)))


# ---------------------------------------------------------------------- what belongs to documents


def _freeze(session: Session, frozen: Frozen) -> None:
    """Keep with the documents what was found out about them."""
    groups: dict[tuple[Any, ...], list[int]] = {}
    for invoice_id, *values in frozen.assignments:
        groups.setdefault(tuple(values), []).append(invoice_id)
    singly: list[Assignment] = []
    for (policy_id, rate, rate_source), keys in groups.items():
        if len(keys) < 20:
            singly += [Assignment(key, policy_id, rate, rate_source) for key in keys]
            continue
        for portion in chunks(keys, SET_CHUNK):
            session.execute(
                update(Invoice).where(Invoice.id.in_(portion)).values(policy_id=policy_id, rate=rate, rate_source=rate_source),
                execution_options={"synchronize_session": False},
            )
    if singly:
        rows = [{"id": key, "policy_id": policy, "rate": rate, "rate_source": source} for key, policy, rate, source in singly]
        session.execute(update(Invoice), rows)
    if frozen.payment_rates:
        session.execute(update(Payment), [{"id": key, "rate": rate} for key, rate in dict(frozen.payment_rates).items()])
    if frozen.credit_note_rates:
        session.execute(update(CreditNote), [{"id": key, "rate": rate} for key, rate in dict(frozen.credit_note_rates).items()])


# ---------------------------------------------------------------------- under a policy


def position_rows(derived: Derived) -> Rows:
    """The positions as rows, by buyer."""
    return {buyer_id: list(positions) for buyer_id, positions in derived.positions.items()}


def state_rows(derived: Derived) -> Rows:
    """The states of accounts as rows, by buyer."""
    organisation_id = current_organisation_id()
    rows: Rows = {}
    for buyer_id, policy_id, state in derived.states:
        rows.setdefault(buyer_id, []).append((organisation_id, buyer_id, policy_id, *state))
    return rows


def shared_rows(derived: Derived) -> Rows:
    """What the others use of shared limits as rows, by buyer."""
    organisation_id = current_organisation_id()
    rows: Rows = {}
    for buyer_id, policy_id, span in derived.taken:
        rows.setdefault(buyer_id, []).append((organisation_id, policy_id, buyer_id, *span))
    return rows


def exposure_rows(derived: Derived) -> Rows:
    """The exposure as rows, by buyer."""
    organisation_id = current_organisation_id()
    rows: Rows = {}
    for buyer_id, policy_id, span in derived.exposures:
        rows.setdefault(buyer_id, []).append((organisation_id, buyer_id, policy_id, *span))
    return rows


def duty_row(duty: Duty, organisation_id: int) -> tuple[Any, ...]:
    """A duty as a row; the trace as text."""
    return (organisation_id, *duty[:-1], _as_text(duty.trace))


def _as_text(trace: list[Any]) -> str:
    return json.dumps(trace, sort_keys=True) if trace else "[]"


def duty_rows(derived: Derived) -> Rows:
    """The duties as rows, by buyer."""
    organisation_id = current_organisation_id()
    rows: Rows = {}
    for duty in derived.duties:
        rows.setdefault(duty.buyer_id or 0, []).append(duty_row(duty, organisation_id))
    return rows


def stored_rows(session: Session, model: Any, columns: Sequence[str], buyer_ids: Collection[int] | None) -> Rows:
    """The rows of a table that belong to a policy, by buyer, in the order of ``columns``."""
    statement = select(*(getattr(model, name) for name in columns)).where(
        model.policy_id.is_not(None), *of_buyers(model.buyer_id, buyer_ids)
    )
    at = columns.index("buyer_id")
    is_duty = model is Obligation
    rows: Rows = {}
    for row in session.execute(statement):
        plain = tuple(row)
        if is_duty:
            plain = (*plain[:-1], _as_text(plain[-1]))
        rows.setdefault(plain[at] or 0, []).append(plain)
    return rows


def cut_at(rows: Rows, on: date) -> Rows:
    """Exposure rows as they stand from a day on: what is over is left out, what began before begins on that day."""
    at_from, at_to = EXPOSURE_COLUMNS.index("valid_from"), EXPOSURE_COLUMNS.index("valid_to")
    cut: Rows = {}
    for buyer_id, found in rows.items():
        kept = [(*row[:at_from], max(row[at_from], on), *row[at_from + 1 :]) for row in found if row[at_to] > on]
        if kept:
            cut[buyer_id] = kept
    return cut


def _changed_rows(session: Session, buyer_ids: Sequence[int], derived: Derived, on: date, *, are_new: bool) -> list[Parcel]:
    """Take away the rows of buyers with a difference; gives the rows to put in their place.

    For buyers that have none yet there is nothing to compare with; that is looked up unless it is known (``are_new``).
    """
    are_new = are_new or _have_no_rows(session, buyer_ids)
    parcels: list[Parcel] = []
    for model, columns, rows in (
        (InvoicePosition, POSITION_COLUMNS, position_rows(derived)),
        (AccountState, STATE_COLUMNS, state_rows(derived)),
        (Exposure, EXPOSURE_COLUMNS, exposure_rows(derived)),
        (Obligation, DUTY_COLUMNS, duty_rows(derived)),
        (SharedUse, SHARED_COLUMNS, shared_rows(derived)),
    ):
        if are_new:
            parcels.append((model, columns, [row for found in rows.values() for row in found]))
            continue
        stored = stored_rows(session, model, columns, buyer_ids)
        before = cut_at(stored, on) if model is Exposure else stored
        changed = [key for key in buyer_ids if _differ(before.get(key, ()), rows.get(key, ()))]
        gone = [key for key in changed if key in stored]
        if model is Obligation:
            _replace_duties(session, gone, rows)
            changed = [key for key in changed if key not in stored]
        elif gone:
            _delete(session, model, model.policy_id.is_not(None), model.buyer_id.in_(gone))
        parcels.append((model, columns, [row for key in changed for row in rows.get(key, ())]))
    return parcels


def _have_no_rows(session: Session, buyer_ids: Sequence[int]) -> bool:
    """Whether nothing has been worked out under a policy for any of these buyers so far."""
    models: tuple[Any, ...] = (AccountState, InvoicePosition, Exposure, Obligation)
    for model in models:
        which = (model.policy_id.is_not(None), one_of(model.buyer_id, buyer_ids))
        if session.scalar(select(model.id).where(*which).limit(1)) is not None:
            return False
    return True


def _replace_duties(session: Session, buyer_ids: Collection[int], rows: Rows) -> None:
    """Replace the duties that differ; those that stay keep their key, and with it the address of their page."""
    if not buyer_ids:
        return
    left = Counter(row for key in buyer_ids for row in rows.get(key, ()))
    statement = select(Obligation.id, *(getattr(Obligation, name) for name in DUTY_COLUMNS)).where(
        Obligation.policy_id.is_not(None), Obligation.buyer_id.in_(buyer_ids)
    )
    gone = []
    for key, *values, trace in session.execute(statement):
        row = (*values, _as_text(trace))
        if left[row]:
            left[row] -= 1
        else:
            gone.append(key)
    for portion in chunks(gone, SET_CHUNK):
        _delete(session, Obligation, Obligation.id.in_(portion))
    insert_rows(session, Obligation, DUTY_COLUMNS, left.elements())


def _differ(stored: Sequence[tuple[Any, ...]], derived: Sequence[tuple[Any, ...]]) -> bool:
    """Whether two lists hold other rows; their order does not matter."""
    if len(stored) != len(derived):
        return True
    return bool(stored) and set(stored) != set(derived)


def _delete(session: Session, model: Any, *conditions: Any) -> None:
    session.execute(delete(model).where(*conditions), execution_options={"synchronize_session": False})


def _refresh_policy_duties(session: Session, book: PolicyBook, on: date) -> None:
    """The duties of the policies as a whole."""
    organisation_id = current_organisation_id()
    rows = {duty_row(duty, organisation_id) for policy in book.policies.values() for duty in policy_duties(policy, on)}
    statement = select(*(getattr(Obligation, name) for name in DUTY_COLUMNS)).where(Obligation.buyer_id.is_(None))
    stored = {(*tuple(row)[:-1], json.dumps(row[-1], sort_keys=True)) for row in session.execute(statement)}
    if rows != stored:
        _delete(session, Obligation, Obligation.buyer_id.is_(None))
        insert_rows(session, Obligation, DUTY_COLUMNS, sorted(rows, key=lambda row: (row[1], row[5], row[4])))

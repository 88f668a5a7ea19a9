"""Proof that what is stored follows from ledger, limits and policies: everything is worked out again and compared row by row."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Date, Select, case, except_, literal, select
from sqlalchemy.orm import Session

from insureflow.models.cover import AccountState, Exposure, InvoicePosition, Obligation
from insureflow.models.database import db
from insureflow.models.limits import SharedUse
from insureflow.models.scope import current_organisation_id, within
from insureflow.queries.cover.calculation import calculate
from insureflow.queries.cover.duties import policy_duties
from insureflow.queries.cover.ledgers import load_ledgers
from insureflow.queries.cover.policies import PolicyBook
from insureflow.queries.cover.sharing import SHARED_COLUMNS, SharingBook
from insureflow.queries.cover.uninsured import EXPOSURE_COLUMNS, POSITION_COLUMNS, uninsured_exposures, uninsured_positions
from insureflow.queries.rates import RateBook
from insureflow.services.cover import refreshing
from insureflow.services.cover.refreshing import CHUNK, DUTY_COLUMNS, STATE_COLUMNS, Rows, Told, cut_at, insured_buyers, stored_rows
from insureflow.services.rates import refuse_missing


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that is stored but does not follow from the ledger (``calculated`` None), or follows from it but is not stored."""

    table: str
    stored: dict[str, Any] | None
    calculated: dict[str, Any] | None

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        return {"table": self.table, "stored": self.stored, "calculated": self.calculated}


def check(organisation_id: int, on: date, *, today: date | None = None, progress: Told | None = None) -> list[Difference]:
    """Every difference between what is stored of an organisation and what follows from its ledger; empty if all is true.

    Exposure is compared from the day ``on``, duties as they stand on it. Exposure is kept from the day of its last calculation
    on: where ``on`` lies before ``today`` it is compared as far as it is kept. Errors: ``rate_missing``, ``rates_missing``.
    """
    since = today if today is not None and on < today else None
    session = db.session()
    with within(organisation_id):
        book, rates, sharing = PolicyBook.load(), RateBook.load(), SharingBook.load()
        wanted = insured_buyers(session, None, book)
        found: list[Difference] = []
        missing: set[tuple[str, str, date]] = set()
        done = 0
        for portion in sharing.portions(wanted, CHUNK):
            derived = calculate(load_ledgers(portion), book, rates, on, sharing)
            missing |= derived.frozen.missing
            for model, columns, rows in (
                (InvoicePosition, POSITION_COLUMNS, refreshing.position_rows(derived)),
                (AccountState, STATE_COLUMNS, refreshing.state_rows(derived)),
                (Exposure, EXPOSURE_COLUMNS, refreshing.exposure_rows(derived)),
                (Obligation, DUTY_COLUMNS, refreshing.duty_rows(derived)),
                (SharedUse, SHARED_COLUMNS, refreshing.shared_rows(derived)),
            ):
                stored = stored_rows(session, model, columns, portion)
                if model is Exposure:
                    stored = cut_at(stored, on)
                    rows = rows if since is None else _as_far_as_kept(rows, stored, since)  # noqa: PLW2901 (only these are compared)
                found += _compare(model, columns, stored, rows, portion)
            done += len(portion)
            if progress is not None:
                progress(done, len(wanted))
        refuse_missing(missing)
        found += _compare_policy_duties(session, book, on)
        found += _compare_sets(
            session, InvoicePosition, POSITION_COLUMNS, _stored_positions(), uninsured_positions(None, book.insured_entities)
        )
        if since is None:
            found += _compare_sets(session, Exposure, EXPOSURE_COLUMNS, _stored_exposures(on), uninsured_exposures(None, on))
        else:
            found += _compare_past_exposures(session, on, since)
    return found


def _as_far_as_kept(derived: Rows, stored: Rows, today: date) -> Rows:
    """Exposure rows that follow from the ledger, from the day on from which those of their buyer are kept.

    The last calculation was made by ``today``, so what stands on that day must be kept whatever was stored.
    """
    at_from = EXPOSURE_COLUMNS.index("valid_from")
    kept: Rows = {}
    for key, rows in derived.items():
        first = min((row[at_from] for row in stored.get(key, ())), default=today)
        kept |= cut_at({key: rows}, min(first, today))
    return kept


def _compare_past_exposures(session: Session, on: date, today: date) -> list[Difference]:
    """Differences of exposure without policy, as far as it is kept."""
    stored, derived = (_by_buyer(session, statement) for statement in (_stored_exposures(on), uninsured_exposures(None, on)))
    derived = _as_far_as_kept(derived, stored, today)
    return _compare(Exposure, EXPOSURE_COLUMNS, stored, derived, sorted(stored.keys() | derived.keys()))


def _by_buyer(session: Session, statement: Select[Any]) -> Rows:
    at = EXPOSURE_COLUMNS.index("buyer_id")
    rows: Rows = {}
    for row in session.execute(statement):
        rows.setdefault(row[at], []).append(tuple(row))
    return rows


def _compare(model: Any, columns: Sequence[str], stored: Rows, derived: Rows, buyer_ids: Collection[int]) -> list[Difference]:
    found = []
    for key in buyer_ids:
        before, after = set(stored.get(key, ())), set(derived.get(key, ()))
        found += _differences(model, columns, before - after, after - before)
    return found


def _differences(
    model: Any, columns: Sequence[str], only_stored: Collection[tuple[Any, ...]], only_derived: Collection[tuple[Any, ...]]
) -> list[Difference]:
    """Rows of both sides, each beside the row of the other side it should have been, as far as they share their key."""
    keys = [position for position, name in enumerate(columns) if name in _KEYS]

    def key_of(row: tuple[Any, ...]) -> tuple[str, ...]:
        return tuple(str(row[position]) for position in keys)

    derived = {key_of(row): row for row in only_derived}
    found = []
    for row in sorted(only_stored, key=key_of):
        other = derived.pop(key_of(row), None)
        found.append(Difference(model.__tablename__, _plain(columns, row), None if other is None else _plain(columns, other)))
    found += [Difference(model.__tablename__, None, _plain(columns, row)) for _, row in sorted(derived.items())]
    return found


_KEYS = frozenset({"invoice_id", "buyer_id", "policy_id", "currency", "valid_from", "kind", "due_on"})


def _plain(columns: Sequence[str], row: Sequence[Any]) -> dict[str, Any]:
    named = dict(zip(columns, row, strict=True))
    named.pop("organisation_id")
    return {name: value if isinstance(value, int | str | None) else str(value) for name, value in named.items()}


def _compare_policy_duties(session: Session, book: PolicyBook, on: date) -> list[Difference]:
    organisation_id = current_organisation_id()
    derived = {refreshing.duty_row(duty, organisation_id) for policy in book.policies.values() for duty in policy_duties(policy, on)}
    statement = select(*(getattr(Obligation, name) for name in DUTY_COLUMNS)).where(Obligation.buyer_id.is_(None))
    stored = {(*tuple(row)[:-1], json.dumps(row[-1], sort_keys=True)) for row in session.execute(statement)}
    return _differences(Obligation, DUTY_COLUMNS, stored - derived, derived - stored)


def _compare_sets(session: Session, model: Any, columns: Sequence[str], stored: Select[Any], derived: Select[Any]) -> list[Difference]:
    """The differences between two sets of rows, found by the database."""
    only_stored = [tuple(row) for row in session.execute(except_(stored, derived))]
    only_derived = [tuple(row) for row in session.execute(except_(derived, stored))]
    return _differences(model, columns, only_stored, only_derived)


def _stored_positions() -> Select[Any]:
    columns = [getattr(InvoicePosition, name).label(name) for name in POSITION_COLUMNS]
    return select(*columns).where(InvoicePosition.organisation_id == current_organisation_id(), InvoicePosition.policy_id.is_(None))


def _stored_exposures(on: date) -> Select[Any]:
    start = literal(on, Date())
    columns = [
        case((Exposure.valid_from > start, Exposure.valid_from), else_=start).label(name)
        if name == "valid_from"
        else getattr(Exposure, name).label(name)
        for name in EXPOSURE_COLUMNS
    ]
    return select(*columns).where(
        Exposure.organisation_id == current_organisation_id(), Exposure.policy_id.is_(None), Exposure.valid_to > start
    )

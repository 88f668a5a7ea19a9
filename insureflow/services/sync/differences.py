"""Differences between our picture of limits and the insurer's: kept while they stand, gone when they are gone."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from insureflow.connectors.insurers.interface import InsurerCover
from insureflow.domain.connections import DifferenceKind
from insureflow.domain.errors import InvalidValue, Refusal
from insureflow.domain.money import Money
from insureflow.models.connections import SyncDifference
from insureflow.models.scope import current_organisation_id
from insureflow.queries.among import among
from insureflow.services.journal import plain
from insureflow.services.sync.comparing import Held

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Found:
    """A difference as it is seen now. ``subject`` names what it is about: a cover, or a limit of ours."""

    kind: DifferenceKind
    subject: str
    buyer_id: int | None
    company_name: str
    ours: dict[str, Any]
    theirs: dict[str, Any]

    @classmethod
    def of_cover(
        cls, kind: DifferenceKind, cover: InsurerCover, buyer_id: int | None, ours: Held | None, *, problem: Refusal | None = None
    ) -> Found:
        """A difference about one cover."""
        theirs = plain(
            {
                "cover_id": cover.cover_id,
                "company_id": cover.company_id,
                "decided": cover.decided,
                "decided_on": cover.decided_on,
                "effective_on": cover.effective_on,
                "valid_to": cover.valid_to,
                "response": int(cover.response),
            }
        )
        if problem is not None:
            theirs["problem"] = problem.code
            theirs["parameters"] = {name: str(plain(value)) for name, value in problem.parameters.items()}
            if isinstance(problem, InvalidValue):
                theirs["parameters"] |= {"path": problem.path, "value": str(problem.value)}
        return cls(kind, cover.cover_id[:120], buyer_id, cover.company_name[:300], held_data(ours), theirs)


def held_data(held: Held | None) -> dict[str, Any]:
    """A decision of ours as a difference shows it."""
    if held is None:
        return {}
    data: dict[str, Any] = plain(
        {
            "decision_id": held.id,
            "decided": None if held.decided_minor is None else Money(held.decided_minor, held.currency),
            "status": held.status,
            "decided_on": held.decided_on,
            "effective_on": held.effective_on,
            "valid_to": held.valid_to,
            "source": held.source,
            "layer": held.layer,
        }
    )
    return data


def store_found(session: Session, connection_id: int, found: Iterable[Found], at: datetime) -> int:
    """Keep differences that stand; gives how many are new. One a person settled stays settled while both sides stay as they were."""
    by_key = {(each.kind, each.subject): each for each in found}
    if not by_key:
        return 0
    known: dict[tuple[DifferenceKind, str], Any] = {}
    subjects = sorted({subject for _kind, subject in by_key})
    for start in range(0, len(subjects), _CHUNK):
        rows = session.execute(
            select(
                SyncDifference.id,
                SyncDifference.kind,
                SyncDifference.subject,
                SyncDifference.ours,
                SyncDifference.theirs,
                SyncDifference.resolved_at,
                SyncDifference.note,
            ).where(SyncDifference.connection_id == connection_id, among(SyncDifference.subject, subjects[start : start + _CHUNK]))
        )
        known |= {(row.kind, row.subject): row for row in rows}
    new, standing = [], []
    count = 0
    for key, each in by_key.items():
        row = known.get(key)
        values = {
            "buyer_id": each.buyer_id,
            "company_name": each.company_name,
            "ours": each.ours,
            "theirs": each.theirs,
            "last_seen_at": at,
        }
        if row is None:
            own = {"organisation_id": current_organisation_id(), "connection_id": connection_id, "kind": each.kind, "subject": each.subject}
            new.append(own | values | {"first_seen_at": at, "resolved_at": None, "note": ""})
            count += 1
        elif row.resolved_at is None:
            standing.append({"id": row.id} | values)
        elif not row.note or (row.ours, row.theirs) != (each.ours, each.theirs):
            standing.append({"id": row.id} | values | {"first_seen_at": at, "resolved_at": None, "note": ""})
            count += 1
    if new:
        session.execute(insert(SyncDifference), new)
    for names in {frozenset(row) for row in standing}:  # one statement for rows that set the same columns
        session.execute(update(SyncDifference), [row for row in standing if frozenset(row) == names])
    return count


def settle_gone(
    session: Session, connection_id: int, subjects: Collection[str], standing: Collection[tuple[DifferenceKind, str]], at: datetime
) -> int:
    """Settle the differences about these subjects that are not seen any more; gives how many."""
    gone = []
    wanted = sorted(subjects)
    for start in range(0, len(wanted), _CHUNK):
        rows = session.execute(
            select(SyncDifference.id, SyncDifference.kind, SyncDifference.subject).where(
                SyncDifference.connection_id == connection_id,
                SyncDifference.resolved_at.is_(None),
                among(SyncDifference.subject, wanted[start : start + _CHUNK]),
            )
        )
        gone += [row.id for row in rows if (row.kind, row.subject) not in standing]
    return settle(session, gone, at)


def settle(session: Session, difference_ids: Collection[int], at: datetime) -> int:
    """Mark differences as gone."""
    if difference_ids:
        session.execute(update(SyncDifference), [{"id": key, "resolved_at": at} for key in difference_ids])
    return len(difference_ids)


def open_of_kinds(session: Session, connection_id: int, kinds: Collection[DifferenceKind]) -> dict[tuple[DifferenceKind, str], int]:
    """Keys of the differences of some kinds that stand."""
    rows = session.execute(
        select(SyncDifference.id, SyncDifference.kind, SyncDifference.subject).where(
            SyncDifference.connection_id == connection_id, SyncDifference.resolved_at.is_(None), SyncDifference.kind.in_(list(kinds))
        )
    )
    return {(row.kind, row.subject): row.id for row in rows}

"""The journal: every change is one entry, and each entry carries the hash of the one before it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from insureflow.domain.money import Money
from insureflow.models.database import db
from insureflow.models.journal import JournalEntry
from insureflow.models.scope import current_organisation_id, within
from insureflow.services.clock import now
from insureflow.services.transaction import hold

FIRST_HASH = "0" * 64


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a person with a log-in, or a named part of the product (``user_id`` None)."""

    user_id: int | None
    name: str


@dataclass(frozen=True, slots=True)
class Subject:
    """What is acted on: kind of thing, its key if it has one, and the words people know it by."""

    type: str
    id: int | None
    label: str


@dataclass(frozen=True, slots=True)
class Fault:
    """An entry of the journal that does not fit: ``kind`` is ``altered``, ``chain_broken`` or ``missing``."""

    sequence: int
    kind: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What a check of the journal found; ``last_hash`` can be noted elsewhere to prove later that nothing was cut off."""

    entries: int
    last_hash: str
    faults: tuple[Fault, ...]

    @property
    def is_sound(self) -> bool:
        """True if every entry is unaltered and in its place."""
        return not self.faults


#: What stands in JSON as it is; nearly every value of a long entry is one of these.
_AS_THEY_ARE = frozenset({str, int, bool, type(None)})


def plain(value: Any) -> Any:
    """A value as the journal writes it: JSON without floats."""
    if type(value) in _AS_THEY_ARE:
        return value
    if isinstance(value, Mapping):
        return {str(name): plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(inner) for inner in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Money):
        return {"amount": str(value.amount), "currency": value.currency}
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    return value


def digest(entry: JournalEntry) -> str:
    """Hash of an entry's content together with the hash of the entry before it. *Formula:* SHA-256 over canonical JSON."""
    content = {
        "organisation": entry.organisation_id,
        "sequence": entry.sequence,
        "at": entry.at.isoformat(),
        "actor_id": entry.actor_id,
        "actor": entry.actor,
        "action": entry.action,
        "subject": [entry.subject_type, entry.subject_id, entry.subject],
        "before": entry.before,
        "after": entry.after,
        "previous": entry.previous_hash,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest()


def record(
    session: Session,
    actor: Actor,
    action: str,
    subject: Subject,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> JournalEntry:
    """Write the entry for a change into the running unit of work; the organisation is held until it ends, so the chain has one end."""
    organisation_id = current_organisation_id()
    session.flush()
    hold(session, organisation_id)
    last = session.execute(select(JournalEntry.sequence, JournalEntry.hash).order_by(JournalEntry.sequence.desc()).limit(1)).first()
    entry = JournalEntry(
        organisation_id=organisation_id,
        sequence=(last.sequence if last else 0) + 1,
        at=now(),
        actor_id=actor.user_id,
        actor=actor.name,
        action=action,
        subject_type=subject.type,
        subject_id=subject.id,
        subject=subject.label[:300],
        before=None if before is None else plain(before),
        after=None if after is None else plain(after),
        previous_hash=last.hash if last else FIRST_HASH,
    )
    entry.hash = digest(entry)
    session.add(entry)
    session.flush()
    return entry


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What differs between two pictures of a thing, as the pair the journal keeps."""
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return {name: before.get(name) for name in names}, {name: after.get(name) for name in names}


def verify(organisation_id: int) -> Verification:
    """Walk the whole chain of one organisation and report every entry that was altered, removed or put in."""
    faults: list[Fault] = []
    previous_hash, previous_sequence, entries = FIRST_HASH, 0, 0
    with within(organisation_id):
        statement = select(JournalEntry).order_by(JournalEntry.sequence).execution_options(yield_per=1000)
        for entry in db.session.scalars(statement):
            entries += 1
            faults.extend(Fault(sequence, "missing") for sequence in range(previous_sequence + 1, entry.sequence))
            if entry.previous_hash != previous_hash and entry.sequence == previous_sequence + 1:
                faults.append(Fault(entry.sequence, "chain_broken"))
            if digest(entry) != entry.hash:
                faults.append(Fault(entry.sequence, "altered"))
            previous_hash, previous_sequence = entry.hash, entry.sequence
    return Verification(entries, previous_hash, tuple(faults))


def count_entries(organisation_id: int) -> int:
    """Number of entries in the journal of one organisation."""
    with within(organisation_id):
        return int(db.session.scalar(select(func.count(JournalEntry.id))) or 0)

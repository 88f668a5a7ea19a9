"""Reading the journal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, select

from insureflow.models.database import db
from insureflow.models.journal import JournalEntry
from insureflow.queries.listing import Field, FilterKind, Kind, Listing, Order


def _source(statement: Select[Any]) -> Select[Any]:
    return statement.select_from(JournalEntry)


ENTRIES = Listing(
    "journal",
    (
        Field("sequence", JournalEntry.sequence, Kind.NUMBER),
        Field("at", JournalEntry.at, Kind.INSTANT),
        Field("actor", JournalEntry.actor, search=JournalEntry.actor, filter=FilterKind.TEXT),
        Field("action", JournalEntry.action, search=JournalEntry.action, filter=FilterKind.SELECT),
        Field("subject_type", JournalEntry.subject_type, filter=FilterKind.SELECT),
        Field("subject", JournalEntry.subject, search=JournalEntry.subject),
    ),
    _source,
    key=JournalEntry.id,
    order=Order("sequence", descending=True),
)


def list_entries(count: int) -> Sequence[JournalEntry]:
    """The newest entries of the organisation in scope, the newest first."""
    return db.session.scalars(select(JournalEntry).order_by(JournalEntry.sequence.desc()).limit(count)).all()


def find_entry(sequence: int) -> JournalEntry | None:
    """The entry with this number in the organisation's journal."""
    return db.session.scalar(select(JournalEntry).where(JournalEntry.sequence == sequence))


def find_last_sequence() -> int:
    """Number of the newest entry; 0 in an empty journal."""
    return int(db.session.scalar(select(JournalEntry.sequence).order_by(JournalEntry.sequence.desc()).limit(1)) or 0)


def list_actions() -> Sequence[str]:
    """The kinds of changes that happened, in alphabetical order."""
    return db.session.scalars(select(JournalEntry.action).distinct().order_by(JournalEntry.action)).all()


def list_subject_types() -> Sequence[str]:
    """The kinds of things that were changed, in alphabetical order."""
    return db.session.scalars(select(JournalEntry.subject_type).distinct().order_by(JournalEntry.subject_type)).all()

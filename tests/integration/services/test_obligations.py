"""What people note about duties: which one comes next, what the journal keeps, and who may not touch it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from support.ledgers import Books, organisation

from insureflow.domain.errors import Refusal
from insureflow.domain.obligations import ObligationKind
from insureflow.models.cover import Obligation, ObligationMark
from insureflow.models.database import db
from insureflow.models.journal import JournalEntry
from insureflow.models.scope import within
from insureflow.services import cover, obligations
from insureflow.services.journal import Actor
from insureflow.services.obligations import NOTE_LENGTH, Mark
from insureflow.services.transaction import transaction

TODAY = date(2026, 6, 30)
ACTOR = Actor(None, "test")
TERMS = {
    "currency": "EUR",
    "maximum_extension_period": {"days": 60},
    "overdue_notification": {"days": 30, "failure": "invoice_not_covered"},
}


@pytest.fixture
def owner(session: Session) -> int:
    """An organisation with one buyer that owes two overdue invoices, the first since April, the second since May."""
    tenant = organisation(session)
    with transaction(tenant.id) as working:
        books = Books(working, tenant.id)
        entity, buyer = books.entity(), books.buyer()
        policy = books.policy([entity], TERMS)
        books.limit(policy, buyer, 5_000_00, date(2026, 1, 1))
        books.invoice(entity, buyer, 1_000_00, date(2026, 3, 11), date(2026, 4, 10))
        books.invoice(entity, buyer, 700_00, date(2026, 4, 11), date(2026, 5, 11))
        cover.refresh_buyers(working, None, TODAY)
    return int(tenant.id)


def duties(owner: int, kind: ObligationKind) -> dict[date, int]:
    """Keys of the stored duties of a kind by day."""
    with within(owner):
        rows = db.session.execute(select(Obligation.due_on, Obligation.id).where(Obligation.kind == kind).order_by(Obligation.due_on))
        return {row.due_on: row.id for row in rows}


def marks(owner: int) -> list[tuple[str, date, str, date, str]]:
    """What is noted."""
    with within(owner):
        rows = db.session.scalars(select(ObligationMark).order_by(ObligationMark.due_on)).all()
    return [(row.kind, row.due_on, row.mark, row.marked_on, row.note) for row in rows]


def test_a_reminder_that_was_sent_makes_room_for_the_next_and_comes_back_when_it_was_not(owner: int) -> None:
    first = duties(owner, ObligationKind.SEND_REMINDER)
    assert list(first) == [date(2026, 4, 11)]
    key = first[date(2026, 4, 11)]
    obligations.mark_obligation(ACTOR, owner, key, Mark.DONE, on=date(2026, 5, 1), note="letter", today=TODAY)
    assert cover.check(owner, TODAY) == []
    after = duties(owner, ObligationKind.SEND_REMINDER)
    assert date(2026, 5, 12) in after
    assert after[date(2026, 4, 11)]
    obligations.undo_mark(ACTOR, owner, after[date(2026, 4, 11)], today=TODAY)
    assert (list(duties(owner, ObligationKind.SEND_REMINDER)), marks(owner)) == ([date(2026, 4, 11)], [])
    assert cover.check(owner, TODAY) == []


def test_duties_of_two_invoices_are_marked_apart_and_a_new_mark_replaces_the_old(owner: int) -> None:
    found = duties(owner, ObligationKind.NOTIFY_OVERDUE)
    assert list(found) == [date(2026, 7, 9), date(2026, 8, 9)]
    key = found[date(2026, 7, 9)]
    obligations.mark_obligation(ACTOR, owner, key, Mark.DONE, on=TODAY, note="  form 7  ", today=TODAY)
    obligations.mark_obligation(ACTOR, owner, key, Mark.WAIVED, on=TODAY, note="x" * (NOTE_LENGTH + 5), today=TODAY)
    assert marks(owner) == [("notify_overdue", date(2026, 7, 9), "waived", TODAY, "x" * NOTE_LENGTH)]
    with within(owner):
        entries = db.session.scalars(
            select(JournalEntry).where(JournalEntry.action.like("obligation.%")).order_by(JournalEntry.sequence)
        ).all()
    assert [(entry.action, (entry.before or {}).get("note"), (entry.after or {}).get("mark")) for entry in entries] == [
        ("obligation.done", None, "done"),
        ("obligation.waived", "form 7", "waived"),
    ]


@pytest.mark.parametrize(("note", "on", "code"), [("  ", TODAY, "note_needed"), ("x", TODAY + timedelta(days=1), "marked_in_future")])
def test_what_cannot_be_noted_is_refused_and_nothing_stays(owner: int, note: str, on: date, code: str) -> None:
    key = duties(owner, ObligationKind.NOTIFY_OVERDUE)[date(2026, 7, 9)]
    with pytest.raises(Refusal, match=code):
        obligations.mark_obligation(ACTOR, owner, key, Mark.DONE, on=on, note=note, today=TODAY)
    assert marks(owner) == []


def test_another_organisation_has_no_such_duty(session: Session, owner: int) -> None:
    key = duties(owner, ObligationKind.NOTIFY_OVERDUE)[date(2026, 7, 9)]
    obligations.mark_obligation(ACTOR, owner, key, Mark.DONE, on=TODAY, note="x", today=TODAY)
    other = organisation(session, "Other")
    with pytest.raises(Refusal, match="obligation_unknown"):
        obligations.mark_obligation(ACTOR, other.id, key, Mark.WAIVED, on=TODAY, note="x", today=TODAY)
    with pytest.raises(Refusal, match="obligation_unknown"):
        obligations.undo_mark(ACTOR, other.id, key, today=TODAY)
    with within(other.id):
        assert db.session.scalar(select(func.count()).select_from(ObligationMark)) == 0
    assert [mark[2] for mark in marks(owner)] == ["done"]

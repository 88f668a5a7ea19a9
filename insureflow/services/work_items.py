"""Work for people: made once by what causes it, given to somebody, done with an outcome, opened again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from insureflow.domain.errors import Refusal
from insureflow.domain.work import WorkKind, WorkOutcome
from insureflow.models.organisations import Membership
from insureflow.models.scope import current_organisation_id
from insureflow.models.work_items import WorkItem
from insureflow.services import journal
from insureflow.services.clock import now
from insureflow.services.journal import Actor, Subject
from insureflow.services.transaction import transaction

#: Longest note that is kept.
NOTE_LENGTH = 1000


def find_item(session: Session, kind: WorkKind, cause: str) -> WorkItem | None:
    """The work that a cause made, open or done; None if it made none."""
    return session.scalar(select(WorkItem).where(WorkItem.kind == kind.value, WorkItem.cause == cause))


def open_item(
    session: Session,
    kind: WorkKind | str,
    cause: str,
    *,
    buyer_id: int | None = None,
    policy_id: int | None = None,
    due_on: date | None = None,
    facts: Mapping[str, Any] | None = None,
) -> WorkItem:
    """Work in the running unit of work, made once per kind and cause: what is there already stays as it is, done or not.

    ``facts`` fill the sentence of the kind: amounts, dates and codes as they are. Who calls writes the journal.
    """
    kind = WorkKind(kind)
    known = find_item(session, kind, cause)
    if known is not None:
        return known
    item = WorkItem(
        kind=kind.value,
        cause=cause,
        buyer_id=buyer_id,
        policy_id=policy_id,
        due_on=due_on,
        facts=journal.plain(facts or {}),
        created_at=now(),
    )
    try:
        with session.begin_nested():
            session.add(item)
            session.flush()
    except IntegrityError:  # somebody else made it between the look and the insert
        known = find_item(session, kind, cause)
        if known is None:
            raise
        return known
    return item


def close_items(session: Session, kind: WorkKind, cause: str, outcome: WorkOutcome, *, by: int | None = None) -> None:
    """Mark the open work of a kind as ended whose cause begins so, because what it asked for has happened.

    Part of the use case that made it happen.
    """
    statement = select(WorkItem).where(
        WorkItem.kind == kind.value, WorkItem.cause.startswith(cause, autoescape=True), WorkItem.done_at.is_(None)
    )
    for item in session.scalars(statement):
        item.done_at, item.done_by_id, item.outcome = now(), by, outcome.value


def _get(session: Session, item_id: int) -> WorkItem:
    item = session.scalar(select(WorkItem).where(WorkItem.id == item_id).with_for_update())
    if item is None:
        raise Refusal("work_unknown", work=str(item_id))
    return item


def _record(session: Session, actor: Actor, action: str, item: WorkItem, **after: Any) -> None:
    label = f"{item.kind}: {item.cause}"
    journal.record(session, actor, f"work.{action}", Subject("work_item", item.id, label), after={"kind": item.kind, **after})


def finish_item(actor: Actor, organisation_id: int, item_id: int, *, outcome: WorkOutcome = WorkOutcome.DONE, note: str = "") -> WorkItem:
    """Record that work was done, or that it is not needed, which takes a reason. Errors: ``work_unknown``, ``work_done_already``, ``work_reason_needed``."""
    with transaction(organisation_id) as session:
        item = _get(session, item_id)
        if item.done_at is not None:
            raise Refusal("work_done_already", day=item.done_at.date())
        if outcome is WorkOutcome.NOT_NEEDED and not note.strip():
            raise Refusal("work_reason_needed")
        item.done_at, item.done_by_id, item.outcome = now(), actor.user_id, outcome.value
        item.note = note.strip()[:NOTE_LENGTH]
        _record(session, actor, "done", item, outcome=outcome, note=item.note)
        return item


def reopen_item(actor: Actor, organisation_id: int, item_id: int) -> WorkItem:
    """Take back that work was done. Errors: ``work_unknown``, ``work_open_already``."""
    with transaction(organisation_id) as session:
        item = _get(session, item_id)
        if item.done_at is None:
            raise Refusal("work_open_already")
        item.done_at, item.done_by_id, item.outcome = None, None, ""
        _record(session, actor, "reopened", item)
        return item


def assign_item(actor: Actor, organisation_id: int, item_id: int, owner_id: int | None) -> WorkItem:
    """Give work to somebody of the organisation, or to nobody. Errors: ``work_unknown``, ``work_owner_unknown``."""
    with transaction(organisation_id) as session:
        item = _get(session, item_id)
        if owner_id is not None:
            is_member = select(Membership.id).where(Membership.organisation_id == current_organisation_id(), Membership.user_id == owner_id)
            if session.scalar(is_member) is None:
                raise Refusal("work_owner_unknown")
        item.owner_id = owner_id
        _record(session, actor, "assigned", item, owner_id=owner_id)
        return item

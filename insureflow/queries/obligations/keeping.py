"""Who looks after a duty, and the mark that says what was done about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, select

from insureflow.models.cover import ObligationMark, ObligationOwner
from insureflow.models.database import db
from insureflow.models.organisations import User
from insureflow.queries.obligations.calendar import DutyKey

#: The key that a list gives where nobody looks after a duty.
NOBODY = 0


@dataclass(frozen=True, slots=True)
class Keeping:
    """What people recorded about a duty: its mark and who looks after it."""

    mark_id: int | None
    owner_id: int | None
    owner: str | None


def _same(model: Any, key: DutyKey) -> list[ColumnElement[bool]]:
    return [
        model.policy_id == key.policy_id,
        model.buyer_id.is_not_distinct_from(key.buyer_id),
        model.invoice_id.is_not_distinct_from(key.invoice_id),
        model.kind == key.kind,
        model.due_on == key.due_on,
    ]


def find_keeping(key: DutyKey) -> Keeping:
    """What people recorded about a duty that is named by what it is about."""
    mark_id = db.session.scalar(select(ObligationMark.id).where(*_same(ObligationMark, key)))
    found = db.session.execute(
        select(ObligationOwner.user_id, User.name, User.email)
        .join(User, User.id == ObligationOwner.user_id)
        .where(*_same(ObligationOwner, key))
    ).one_or_none()
    if found is None:
        return Keeping(mark_id, None, None)
    user_id, name, email = found
    return Keeping(mark_id, user_id, name or email)


def owners() -> dict[DutyKey, tuple[int, str]]:
    """Who looks after the duties that somebody looks after, by what they are about: key and name of the person."""
    owner = ObligationOwner
    rows = db.session.execute(
        select(owner.policy_id, owner.buyer_id, owner.invoice_id, owner.kind, owner.due_on, owner.user_id, User.name, User.email).join(
            User, User.id == owner.user_id
        )
    )
    return {DutyKey(*row[:5]): (row.user_id, row.name or row.email) for row in rows}

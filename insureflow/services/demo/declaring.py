"""Declarations of the demo: every quarter declared in time, and the correction of the last one, which waits for a second person."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from insureflow.domain.declarations import DeclarationWay
from insureflow.models.organisations import User
from insureflow.models.policies import Policy
from insureflow.queries.declarations import open_periods
from insureflow.services import declarations
from insureflow.services.journal import Actor

#: So many days after the end of a quarter it was declared.
_DECLARED_AFTER = timedelta(days=18)


def declare_quarters(session: Session, organisation_id: int, policy: Policy, on: date) -> None:
    """Declare what was due by a day as people at work would have done, and draft a correction of the newest quarter."""
    analyst, manager = _person(session, "analyst@"), _person(session, "manager@")
    newest = None
    for each in open_periods(on, policy_id=policy.id):
        end = each.period.last_day
        made = declarations.draft(analyst, organisation_id, policy.id, end, min(end + _DECLARED_AFTER, on))
        if end + _DECLARED_AFTER > on:
            continue
        declarations.approve(manager, organisation_id, made.id)
        declarations.declare(
            analyst,
            organisation_id,
            made.id,
            DeclarationWay.PORTAL,
            protocol=f"TO-{end.year}-{(end.month + 2) // 3}-{4100 + 7 * end.month}",
            declared_on=end + _DECLARED_AFTER,
            on=on,
        )
        newest = end
    if newest is not None:
        declarations.draft(analyst, organisation_id, policy.id, newest, on)


def _person(session: Session, start: str) -> Actor:
    user = session.scalars(select(User).where(User.email.startswith(start))).one()
    return Actor(user.id, user.name)

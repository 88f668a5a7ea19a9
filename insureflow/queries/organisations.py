"""What an organisation consists of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, func, select

from insureflow.models.database import db
from insureflow.models.organisations import Entity, Membership, User
from insureflow.models.policies import Policy
from insureflow.models.scope import current_organisation_id


def person(user: Any) -> ColumnElement[str]:
    """How a person is named in a list: by name where there is one, else by e-mail address."""
    return func.coalesce(func.nullif(user.name, ""), user.email)


def name_of(user: User) -> str:
    """How a person is named: by name where there is one, else by e-mail address."""
    return user.name or user.email


def list_entities() -> Sequence[Entity]:
    """The entities of the organisation in scope, by name."""
    return db.session.scalars(select(Entity).order_by(Entity.name)).all()


def list_policies() -> Sequence[Policy]:
    """The policies of the organisation in scope, by priority and number."""
    return db.session.scalars(select(Policy).order_by(Policy.priority, Policy.number)).all()


def find_entity(code: str) -> Entity | None:
    """The entity with this code in the organisation in scope."""
    return db.session.scalar(select(Entity).where(Entity.code == code))


def find_member(user_id: int) -> tuple[User, Membership] | None:
    """A person of the organisation in scope with the role; None for anybody else."""
    return next((found for found in list_members() if found[0].id == user_id), None)


def list_members() -> Sequence[tuple[User, Membership]]:
    """The people of the organisation in scope with their roles, by e-mail address."""
    statement = (
        select(User, Membership)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.organisation_id == current_organisation_id())
        .order_by(User.email)
    )
    return [(user, membership) for user, membership in db.session.execute(statement)]

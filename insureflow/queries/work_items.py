"""Work for people, read: what is open, whose it is, and what of it is late on a day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Date as SqlDate
from sqlalchemy import Select, and_, case, func, literal, or_, select, type_coerce

from insureflow.domain.buyers import search_name
from insureflow.domain.work import WorkKind, WorkState
from insureflow.models.base import FOREVER, vocabulary
from insureflow.models.buyers import Buyer
from insureflow.models.database import db
from insureflow.models.organisations import User
from insureflow.models.policies import Policy
from insureflow.models.work_items import WorkItem
from insureflow.queries.listing import Field, FilterKind, Kind, Listing, Order
from insureflow.queries.organisations import person

_STATE = vocabulary(WorkState, "work_state")
_KIND = vocabulary(WorkKind, "work_kind")


def find_item(item_id: int) -> WorkItem | None:
    """The work with this key, or None."""
    return db.session.scalar(select(WorkItem).where(WorkItem.id == item_id))


def find_items(keys: Sequence[int]) -> list[WorkItem]:
    """The work with these keys, in their order."""
    found = {item.id: item for item in db.session.scalars(select(WorkItem).where(WorkItem.id.in_(keys)))}
    return [found[key] for key in keys if key in found]


def state_of(item: WorkItem, on: date) -> WorkState:
    """How a piece of work stands on a day."""
    if item.done_at is not None:
        return WorkState.DONE
    return WorkState.LATE if item.due_on is not None and item.due_on < on else WorkState.OPEN


def items_of(buyer_id: int, *, is_open: bool = True) -> Sequence[WorkItem]:
    """The work about a buyer, the first due first."""
    statement = select(WorkItem).where(WorkItem.buyer_id == buyer_id).order_by(WorkItem.due_on.asc().nulls_last(), WorkItem.id)
    if is_open:
        statement = statement.where(WorkItem.done_at.is_(None))
    return db.session.scalars(statement).all()


def items_of_causes(causes: Sequence[str]) -> Sequence[WorkItem]:
    """The work that any of these causes made, in the order in which it was made."""
    return db.session.scalars(select(WorkItem).where(WorkItem.cause.in_(causes)).order_by(WorkItem.id)).all()


def count_open(on: date, *, owner_id: int | None = None) -> tuple[int, int]:
    """How much work is open, and how much of it is late on a day; of one person with what nobody has taken, or of all."""
    statement = select(func.count(), func.count(case((WorkItem.due_on < on, 1)))).where(WorkItem.done_at.is_(None))
    if owner_id is not None:
        statement = statement.where(or_(WorkItem.owner_id == owner_id, WorkItem.owner_id.is_(None)))
    every, late = db.session.execute(statement).one()
    return int(every), int(late)


def work_listing(on: date, *, policy_id: int | None = None, owner_id: int | None = None, with_done: bool = False) -> Listing:
    """Open work, the late and the next due first; with ``owner_id`` that of one person and what nobody has taken."""
    is_done = WorkItem.done_at.is_not(None)
    is_late = and_(WorkItem.done_at.is_(None), WorkItem.due_on < on)
    state = type_coerce(case((is_done, WorkState.DONE.value), (is_late, WorkState.LATE.value), else_=WorkState.OPEN.value), _STATE)
    fields = (
        Field("kind", type_coerce(WorkItem.kind.expression, _KIND), Kind.BADGE, filter=FilterKind.SELECT),
        Field("due_on", WorkItem.due_on.expression, Kind.DATE, filter=FilterKind.DATE_RANGE),
        Field("buyer", Buyer.legal_name.expression, search=Buyer.search_name + " " + Buyer.legal_name, sort=Buyer.search_name.expression),
        Field("policy", Policy.number.expression, search=func.coalesce(Policy.number, "")),
        Field("owner", person(User), filter=FilterKind.SELECT),
        Field("state", state, Kind.BADGE, filter=FilterKind.SELECT),
        Field("created_at", WorkItem.created_at.expression, Kind.INSTANT),
        Field("facts", WorkItem.facts.expression, hidden=True, sortable=False),
        Field("buyer_id", WorkItem.buyer_id.expression, Kind.NUMBER, hidden=True),
        Field(
            "urgency",
            WorkItem.id.expression,
            Kind.NUMBER,
            hidden=True,
            sort=func.coalesce(WorkItem.due_on, literal(FOREVER, SqlDate())),
        ),
        Field("number", WorkItem.id.expression, Kind.NUMBER, hidden=True),
    )

    def source(statement: Select[Any]) -> Select[Any]:
        statement = (
            statement.select_from(WorkItem)
            .outerjoin(Buyer, Buyer.id == WorkItem.buyer_id)
            .outerjoin(Policy, Policy.id == WorkItem.policy_id)
            .outerjoin(User, User.id == WorkItem.owner_id)
        )
        if policy_id is not None:
            statement = statement.where(or_(WorkItem.policy_id == policy_id, WorkItem.policy_id.is_(None)))
        if owner_id is not None:
            statement = statement.where(or_(WorkItem.owner_id == owner_id, WorkItem.owner_id.is_(None)))
        return statement if with_done else statement.where(WorkItem.done_at.is_(None))

    return Listing("work", fields, source, key=WorkItem.id.expression, order=Order("urgency"), normalise=search_name)

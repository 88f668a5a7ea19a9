"""What a person was told inside the product."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, func, select, type_coerce

from insureflow.domain.buyers import search_name
from insureflow.domain.messages import NoticeToPerson
from insureflow.models.base import vocabulary
from insureflow.models.buyers import Buyer
from insureflow.models.database import db
from insureflow.models.messages import TellingSetting, Told
from insureflow.queries.listing import Field, FilterKind, Kind, Listing, Order

_KIND = vocabulary(NoticeToPerson, "notice_to_person")


def count_unread(user_id: int) -> int:
    """How much a person has not read yet."""
    return int(db.session.scalar(select(func.count()).select_from(Told).where(Told.user_id == user_id, Told.read_at.is_(None))) or 0)


def find_setting(user_id: int) -> TellingSetting | None:
    """How a person wants to be told, or None while nothing was chosen."""
    return db.session.scalar(select(TellingSetting).where(TellingSetting.user_id == user_id))


def told_listing(user_id: int, *, with_read: bool = False) -> Listing:
    """What a person was told, the newest first; without ``with_read`` only what was not read yet."""

    def source(statement: Select[Any]) -> Select[Any]:
        statement = statement.select_from(Told).outerjoin(Buyer, Buyer.id == Told.buyer_id).where(Told.user_id == user_id)
        return statement if with_read else statement.where(Told.read_at.is_(None))

    fields = (
        Field("kind", type_coerce(Told.kind.expression, _KIND), Kind.BADGE, filter=FilterKind.SELECT),
        Field("buyer", Buyer.legal_name.expression, search=Buyer.search_name + " " + Buyer.legal_name, sort=Buyer.search_name.expression),
        Field("created_at", Told.created_at.expression, Kind.INSTANT),
        Field("read_at", Told.read_at.expression, Kind.INSTANT, hidden=True),
        Field("facts", Told.facts.expression, hidden=True, sortable=False),
        Field("address", Told.address.expression, hidden=True, sortable=False),
        Field("buyer_id", Told.buyer_id.expression, Kind.NUMBER, hidden=True),
    )
    return Listing("told", fields, source, key=Told.id.expression, order=Order("created_at", descending=True), normalise=search_name)

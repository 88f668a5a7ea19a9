"""Messages, read: what waits, what was sent, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select, String, cast, func, select, type_coerce

from insureflow.domain.buyers import search_name
from insureflow.domain.messages import MessageState
from insureflow.models.base import vocabulary
from insureflow.models.buyers import Buyer
from insureflow.models.database import db
from insureflow.models.messages import Message
from insureflow.queries.listing import Field, FilterKind, Kind, Listing, Order

_STATE = vocabulary(MessageState, "message_state")


def find_message(message_id: int) -> Message | None:
    """The message with this key, or None."""
    return db.session.scalar(select(Message).where(Message.id == message_id))


def count_by_state() -> Mapping[MessageState, int]:
    """How many messages stand how."""
    rows = db.session.execute(select(Message.state, func.count(Message.id)).group_by(Message.state))
    return {row[0]: int(row[1]) for row in rows}


def message_listing(*, buyer_id: int | None = None) -> Listing:
    """All messages, newest first."""
    recipients = cast(Message.recipients, String)
    fields = (
        Field("subject", Message.subject.expression, search=Message.subject.expression),
        Field("state", type_coerce(Message.state, _STATE), Kind.BADGE, filter=FilterKind.SELECT),
        Field("recipients", Message.recipients.expression, search=recipients, sortable=False),
        Field("buyer", Buyer.legal_name.expression, search=Buyer.search_name + " " + Buyer.legal_name, sort=Buyer.search_name.expression),
        Field("attempts", Message.attempts.expression, Kind.NUMBER),
        Field("created_at", Message.created_at.expression, Kind.INSTANT),
        Field("sent_at", Message.sent_at.expression, Kind.INSTANT),
        Field("buyer_id", Message.buyer_id.expression, Kind.NUMBER, hidden=True),
    )

    def source(statement: Select[Any]) -> Select[Any]:
        statement = statement.select_from(Message).outerjoin(Buyer, Buyer.id == Message.buyer_id)
        return statement if buyer_id is None else statement.where(Message.buyer_id == buyer_id)

    return Listing("messages", fields, source, key=Message.id.expression, order=Order("created_at", descending=True), normalise=search_name)

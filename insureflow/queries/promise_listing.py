"""The list of promises to pay: each with how it stands on a day by the money received, found, sorted and paged by the database.

The rule is that of ``promise_state``, test by test.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Date, Select, String, case, cast, func, literal, or_, select, type_coerce

from insureflow.domain.buyers import search_name
from insureflow.domain.dunning import PromiseState
from insureflow.models.base import vocabulary
from insureflow.models.buyers import Buyer
from insureflow.models.database import db
from insureflow.models.dunning import PromiseToPay
from insureflow.models.receivables import Allocation, Invoice, Payment
from insureflow.queries.listing import Field, FilterKind, Kind, Listing, Order

_STATE = vocabulary(PromiseState, "promise_state")


def _named() -> Any:
    """The numbers of the invoices that a promise names."""
    is_postgresql = db.session.get_bind().dialect.name == "postgresql"
    elements: Any = func.jsonb_array_elements_text if is_postgresql else func.json_each
    numbers = elements(PromiseToPay.invoices).table_valued("value", name="named")
    return select(cast(numbers.c.value, String)).correlate(PromiseToPay)


def _received(until: ColumnElement[Any]) -> ColumnElement[int]:
    """The money received since a promise was made, until a day with it: on the invoices that it names, or at all."""
    days = (Payment.received_on >= PromiseToPay.made_on, Payment.received_on <= until)
    at_all = (
        select(func.sum(Payment.amount_minor))
        .where(Payment.buyer_id == PromiseToPay.buyer_id, Payment.currency == PromiseToPay.currency, *days)
        .correlate(PromiseToPay)
        .scalar_subquery()
    )
    on_named = (
        select(func.sum(Allocation.amount_minor))
        .join(Invoice, Invoice.id == Allocation.invoice_id)
        .join(Payment, Payment.id == Allocation.payment_id)
        .where(Invoice.buyer_id == PromiseToPay.buyer_id, Invoice.currency == PromiseToPay.currency, Invoice.number.in_(_named()), *days)
        .correlate(PromiseToPay)
        .scalar_subquery()
    )
    is_postgresql = db.session.get_bind().dialect.name == "postgresql"
    length: Any = func.jsonb_array_length if is_postgresql else func.json_array_length
    return cast(func.coalesce(case((length(PromiseToPay.invoices) > 0, on_named), else_=at_all), 0), BigInteger)


def promise_listing(on: date, *, buyer_id: int | None = None, with_cancelled: bool = False) -> Listing:
    """Promises that were made by a day, the earliest promised first; those taken back only where asked for."""
    today, promise = literal(on, Date), PromiseToPay
    received = _received(today)
    in_time = _received(case((promise.promised_for < today, promise.promised_for), else_=today))
    state = type_coerce(
        case(
            (promise.cancelled_on <= today, PromiseState.CANCELLED.value),
            (in_time >= promise.amount_minor, PromiseState.KEPT.value),
            (received >= promise.amount_minor, PromiseState.KEPT_LATE.value),
            (promise.promised_for >= today, PromiseState.OPEN.value),
            else_=PromiseState.BROKEN.value,
        ),
        _STATE,
    )
    urgency = [PromiseState.BROKEN, PromiseState.OPEN, PromiseState.KEPT_LATE, PromiseState.KEPT, PromiseState.CANCELLED]
    fields = (
        Field("buyer", Buyer.legal_name.expression, search=Buyer.search_name + " " + Buyer.legal_name, sort=Buyer.search_name.expression),
        Field("country", Buyer.country.expression, Kind.COUNTRY, filter=FilterKind.SELECT),
        Field(
            "state",
            state,
            Kind.BADGE,
            sort=case({each.value: place for place, each in enumerate(urgency)}, value=cast(state, String)),
            filter=FilterKind.SELECT,
        ),
        Field(
            "promised",
            promise.amount_minor.expression,
            Kind.MONEY,
            currency=promise.currency.expression,
            filter=FilterKind.AMOUNT_RANGE,
            total=True,
        ),
        Field("received", received, Kind.MONEY, currency=promise.currency.expression),
        Field("promised_for", promise.promised_for.expression, Kind.DATE, filter=FilterKind.DATE_RANGE),
        Field("made_on", promise.made_on.expression, Kind.DATE, filter=FilterKind.DATE_RANGE),
        Field("by_whom", promise.by_whom.expression, search=promise.by_whom.expression),
        Field("invoices", promise.invoices.expression, sortable=False),
        Field("note", promise.note.expression, search=promise.note.expression, sortable=False),
        Field("buyer_id", promise.buyer_id.expression, Kind.NUMBER, hidden=True),
    )

    def source(statement: Select[Any]) -> Select[Any]:
        found = statement.select_from(promise).join(Buyer, Buyer.id == promise.buyer_id).where(promise.made_on <= on)
        if not with_cancelled:
            found = found.where(or_(promise.cancelled_on.is_(None), promise.cancelled_on > on))
        return found if buyer_id is None else found.where(promise.buyer_id == buyer_id)

    return Listing("promises", fields, source, key=promise.id.expression, order=Order("promised_for"), normalise=search_name)

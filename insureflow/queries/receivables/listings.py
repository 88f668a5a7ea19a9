"""The lists of receivables as of a day: invoices with what is covered of them and why not, payments, disputes."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, and_, case, func, null, select
from sqlalchemy.orm import aliased

from insureflow.domain.buyers import search_name
from insureflow.models.buyers import Buyer
from insureflow.models.organisations import Entity
from insureflow.models.receivables import Allocation, Dispute, Invoice, Payment
from insureflow.queries.listing import Field, FilterKind, Kind, Listing, Order


class DisputeState(StrEnum):
    """How a dispute stands on a day."""

    GOING_ON = "disputed"
    RESOLVED = "settled"


def payments_listing(on: date, *, entity_id: int | None = None, policy_id: int | None = None) -> Listing:
    """The payments received by a day, with what they have settled by then and what is left of them."""
    paid = aliased(Payment)
    in_other_currency = case((Invoice.currency != paid.currency, 1), else_=0)
    settled = (
        select(
            Allocation.payment_id.label("payment_id"),
            func.sum(Allocation.amount_minor).label("settled"),
            func.count().label("invoices"),
            func.sum(in_other_currency).label("in_other_currency"),
        )
        .select_from(Allocation)
        .join(Invoice, Invoice.id == Allocation.invoice_id)
        .join(paid, paid.id == Allocation.payment_id)
        .where(Allocation.allocated_on <= on)
        .group_by(Allocation.payment_id)
        .subquery()
    )
    # What is settled in another currency has no amount of its own in the currency of the payment: then the ledger's rest counts.
    unapplied = case(
        (func.coalesce(settled.c.in_other_currency, 0) > 0, Payment.unapplied_minor),
        else_=Payment.amount_minor - func.coalesce(settled.c.settled, 0),
    )
    fields = [
        Field("number", Payment.number.expression, search=Payment.number.expression),
        Field("buyer", Buyer.legal_name.expression, search=Buyer.search_name.expression, filter=FilterKind.TEXT),
        Field("country", Buyer.country.expression, Kind.COUNTRY, filter=FilterKind.SELECT),
        Field("received_on", Payment.received_on.expression, Kind.DATE, filter=FilterKind.DATE_RANGE),
        Field(
            "amount",
            Payment.amount_minor.expression,
            Kind.MONEY,
            currency=Payment.currency.expression,
            filter=FilterKind.AMOUNT_RANGE,
            total=True,
        ),
        Field("unapplied", unapplied, Kind.MONEY, currency=Payment.currency.expression, total=True),
        Field("invoices", func.coalesce(settled.c.invoices, 0), Kind.NUMBER),
        Field("purpose", Payment.purpose.expression, Kind.BADGE, filter=FilterKind.SELECT),
        Field("inferred", case((Payment.inferred.is_(True), "yes"), else_="no"), Kind.BADGE, filter=FilterKind.SELECT),
        Field("entity", Entity.code.expression),
        Field("buyer_id", Payment.buyer_id.expression, hidden=True, filter=FilterKind.SELECT),
    ]

    def source(statement: Select[Any]) -> Select[Any]:
        statement = (
            statement.select_from(Payment)
            .join(Buyer, Buyer.id == Payment.buyer_id)
            .join(Entity, Entity.id == Payment.entity_id)
            .outerjoin(settled, settled.c.payment_id == Payment.id)
            .where(Payment.received_on <= on)
        )
        if entity_id is not None:
            statement = statement.where(Payment.entity_id == entity_id)
        if policy_id is not None:
            under = (
                select(Allocation.payment_id)
                .join(Invoice, Invoice.id == Allocation.invoice_id)
                .where(Invoice.policy_id == policy_id, Allocation.payment_id.is_not(None))
            )
            statement = statement.where(Payment.id.in_(under))
        return statement

    return Listing(
        "payments", fields, source, key=Payment.id.expression, order=Order("received_on", descending=True), normalise=search_name
    )


def disputes_listing(on: date, *, entity_id: int | None = None, policy_id: int | None = None) -> Listing:
    """The disputes opened by a day and how they stand on it."""
    is_over = and_(Dispute.resolved_on.is_not(None), Dispute.resolved_on <= on)
    fields = [
        Field("number", Invoice.number.expression, search=Invoice.number.expression),
        Field("buyer", Buyer.legal_name.expression, search=Buyer.search_name.expression, filter=FilterKind.TEXT),
        Field("country", Buyer.country.expression, Kind.COUNTRY, filter=FilterKind.SELECT),
        Field("opened_on", Dispute.opened_on.expression, Kind.DATE, filter=FilterKind.DATE_RANGE),
        Field(
            "state", case((is_over, DisputeState.RESOLVED.value), else_=DisputeState.GOING_ON.value), Kind.BADGE, filter=FilterKind.SELECT
        ),
        Field("amount", Dispute.amount_minor.expression, Kind.MONEY, currency=Invoice.currency.expression, total=True),
        Field("resolved_on", case((is_over, Dispute.resolved_on), else_=null()), Kind.DATE),
        Field(
            "found_owed",
            case((is_over, Dispute.found_owed_minor), else_=null()),
            Kind.MONEY,
            currency=Invoice.currency.expression,
            total=True,
        ),
        Field("reason", Dispute.reason.expression, search=func.lower(Dispute.reason)),
        Field("invoice_id", Dispute.invoice_id.expression, hidden=True),
        Field("buyer_id", Invoice.buyer_id.expression, hidden=True, filter=FilterKind.SELECT),
    ]

    def source(statement: Select[Any]) -> Select[Any]:
        statement = (
            statement.select_from(Dispute)
            .join(Invoice, Invoice.id == Dispute.invoice_id)
            .join(Buyer, Buyer.id == Invoice.buyer_id)
            .where(Dispute.opened_on <= on)
        )
        if entity_id is not None:
            statement = statement.where(Invoice.entity_id == entity_id)
        if policy_id is not None:
            statement = statement.where(Invoice.policy_id == policy_id)
        return statement

    return Listing("disputes", fields, source, key=Dispute.id.expression, order=Order("opened_on", descending=True), normalise=search_name)

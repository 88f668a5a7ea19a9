"""The lists of receivables as of a day: invoices with what is covered of them and why not, payments, disputes."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, and_, case, cast, func, null, or_, select
from sqlalchemy.orm import aliased

from insureflow.domain.buyers import search_name
from insureflow.domain.cover import Reason
from insureflow.models.buyers import Buyer
from insureflow.models.cover import InvoicePosition
from insureflow.models.organisations import Entity
from insureflow.models.policies import Policy
from insureflow.models.receivables import Allocation, Dispute, Invoice, Payment
from insureflow.queries.listing import Field, FilterKind, Kind, Listing, Order


class InvoiceState(StrEnum):
    """How an invoice stands in the ledger on a day."""

    OPEN = "not_yet_due"
    OVERDUE = "overdue"
    SETTLED = "settled"


class DisputeState(StrEnum):
    """How a dispute stands on a day."""

    GOING_ON = "disputed"
    RESOLVED = "settled"


def is_disputed_on(on: date) -> ColumnElement[bool]:
    """True while a dispute about the invoice goes on."""
    return (
        select(Dispute.id)
        .where(
            Dispute.invoice_id == Invoice.id,
            Dispute.opened_on <= on,
            or_(Dispute.resolved_on.is_(None), Dispute.resolved_on > on),
        )
        .correlate(Invoice)
        .exists()
    )


def invoices_listing(on: date, *, entity_id: int | None = None, policy_id: int | None = None, buyer_id: int | None = None) -> Listing:
    """The invoices written by a day, each with its position on it.

    ``reason`` is what keeps most tests from being passed: an exclusion first, then the limit, the tax, a dispute.
    """
    position = aliased(InvoicePosition)
    ledger_open = func.coalesce(position.ledger_open_minor, 0)
    limit_currency = func.coalesce(position.limit_currency, Policy.limit_currency, Invoice.currency)
    covered = func.coalesce(position.primary_minor + position.top_up_minor, 0)
    uncovered = func.coalesce(position.open_minor, 0) - covered
    state = case(
        (ledger_open <= 0, InvoiceState.SETTLED.value),
        (Invoice.due_on < on, InvoiceState.OVERDUE.value),
        else_=InvoiceState.OPEN.value,
    )
    # Overdue invoices first, then those to come, then those settled; within each by due day.
    worst_first = case((ledger_open <= 0, "3"), (Invoice.due_on < on, "1"), else_="2").concat(cast(Invoice.due_on, Text))
    reason = case(
        (position.excluded_minor > 0, position.excluded_reason),
        (position.over_limit_minor > 0, Reason.OVER_LIMIT.value),
        (position.vat_minor > 0, Reason.VAT_NOT_COVERED.value),
        (position.disputed_minor > 0, Reason.DISPUTED.value),
        else_=null(),
    )
    fields = [
        Field("number", Invoice.number.expression, search=Invoice.number.expression),
        Field("buyer", Buyer.legal_name.expression, search=Buyer.search_name.expression, filter=FilterKind.TEXT),
        Field("country", Buyer.country.expression, Kind.COUNTRY, filter=FilterKind.SELECT),
        Field("due_on", Invoice.due_on.expression, Kind.DATE, filter=FilterKind.DATE_RANGE),
        Field("state", state, Kind.BADGE, sort=worst_first, filter=FilterKind.SELECT),
        Field(
            "gross",
            Invoice.net_minor + Invoice.vat_minor,
            Kind.MONEY,
            currency=Invoice.currency.expression,
            filter=FilterKind.AMOUNT_RANGE,
            total=True,
        ),
        Field("open", ledger_open, Kind.MONEY, currency=Invoice.currency.expression, filter=FilterKind.AMOUNT_RANGE, total=True),
        Field("covered", covered, Kind.MONEY, currency=limit_currency, total=True),
        Field("uncovered", uncovered, Kind.MONEY, currency=limit_currency, filter=FilterKind.AMOUNT_RANGE, total=True),
        Field("reason", reason, Kind.BADGE, filter=FilterKind.SELECT),
        Field("policy", Policy.name.expression),
        Field("entity", Entity.code.expression),
        Field("invoice_on", Invoice.invoice_on.expression, Kind.DATE),
        Field("policy_id", func.coalesce(position.policy_id, Invoice.policy_id), hidden=True, filter=FilterKind.SELECT),
        Field("entity_id", Invoice.entity_id.expression, hidden=True, filter=FilterKind.SELECT),
        Field("currency", Invoice.currency.expression, hidden=True, filter=FilterKind.SELECT),
        Field("disputed", case((is_disputed_on(on), "yes"), else_="no"), hidden=True, filter=FilterKind.SELECT),
        Field(
            "still_open", case((or_(ledger_open > 0, position.open_minor > 0), "yes"), else_="no"), hidden=True, filter=FilterKind.SELECT
        ),
        Field("not_fully_covered", case((uncovered > 0, "yes"), else_="no"), hidden=True, filter=FilterKind.SELECT),
        Field("buyer_id", Invoice.buyer_id.expression, hidden=True, filter=FilterKind.SELECT),
        Field("batch_id", Invoice.batch_id.expression, hidden=True, filter=FilterKind.SELECT),
    ]

    def source(statement: Select[Any]) -> Select[Any]:
        statement = (
            statement.select_from(Invoice)
            .join(Buyer, Buyer.id == Invoice.buyer_id)
            .join(Entity, Entity.id == Invoice.entity_id)
            # Wrapped, so that SQLite looks positions up by their invoice and not, for each invoice, by the day.
            .outerjoin(
                position, (position.invoice_id == Invoice.id) & (position.valid_from <= on) & (func.coalesce(position.valid_to, on) > on)
            )
            .outerjoin(Policy, Policy.id == Invoice.policy_id)
            .where(Invoice.invoice_on <= on)
        )
        if entity_id is not None:
            statement = statement.where(Invoice.entity_id == entity_id)
        if policy_id is not None:
            statement = statement.where(func.coalesce(position.policy_id, Invoice.policy_id) == policy_id)
        if buyer_id is not None:
            statement = statement.where(Invoice.buyer_id == buyer_id)
        return statement

    return Listing("invoices", fields, source, key=Invoice.id.expression, order=Order("state"), normalise=search_name)


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

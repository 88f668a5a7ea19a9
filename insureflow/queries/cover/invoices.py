"""The list of open invoices with their cover on a day."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Date, Float, Integer, Select, case, cast, func, literal

from insureflow.domain.buyers import search_name
from insureflow.domain.cover import Reason
from insureflow.models.buyers import Buyer
from insureflow.models.cover import AccountState, InvoicePosition
from insureflow.models.database import db
from insureflow.models.organisations import Entity
from insureflow.models.policies import Policy
from insureflow.models.receivables import Invoice
from insureflow.queries.listing import Field, FilterKind, Kind, Listing, Order


def days_between(earlier: Any, later: date) -> ColumnElement[int]:
    """Days from a date column to a day, as the database in use counts them."""
    if db.engine.dialect.name == "sqlite":
        return cast(func.julianday(later.isoformat()) - func.julianday(earlier), Integer)
    return cast(literal(later, Date()) - earlier, Integer)


def main_reason() -> ColumnElement[Any]:
    """Why the largest part of an invoice is not covered; NULL for one covered in full."""
    position = InvoicePosition
    over, disputed, vat = position.over_limit_minor, position.disputed_minor, position.vat_minor
    return case(
        (position.excluded_minor > 0, position.excluded_reason),
        ((over > 0) & (over >= disputed) & (over >= vat), Reason.OVER_LIMIT.value),
        ((disputed > 0) & (disputed >= vat), Reason.DISPUTED.value),
        (vat > 0, Reason.VAT_NOT_COVERED.value),
    )


def invoice_listing(on: date, *, entity_id: int | None = None, policy_id: int | None = None, buyer_id: int | None = None) -> Listing:
    """Invoices with something open on a day, by the ledger or by the policy's allocation; the key is the invoice's.

    Open is by the ledger, in the invoice's currency; covered and uncovered are by the policy's allocation, in its limit currency.
    Hidden fields: ``buyer_id``, ``policy_id``, ``entity_id`` and ``stopped`` (further shipments to the buyer are not covered).
    """
    position: Any = InvoicePosition
    invoice: Any = Invoice
    buyer: Any = Buyer
    entity: Any = Entity
    policy: Any = Policy
    state: Any = AccountState
    covered = position.primary_minor + position.top_up_minor
    conditions = [position.valid_from <= on, position.valid_to > on]
    if entity_id is not None:
        conditions.append(Invoice.entity_id == entity_id)
    if policy_id is not None:
        conditions.append(position.policy_id == policy_id)
    if buyer_id is not None:
        conditions.append(position.buyer_id == buyer_id)

    def source(statement: Select[Any]) -> Select[Any]:
        return (
            statement.select_from(position)
            .join(Invoice, Invoice.id == position.invoice_id)
            .join(Buyer, Buyer.id == position.buyer_id)
            .join(Entity, Entity.id == Invoice.entity_id)
            .outerjoin(Policy, Policy.id == position.policy_id)
            .outerjoin(
                AccountState,
                (AccountState.policy_id == position.policy_id)
                & (AccountState.buyer_id == position.buyer_id)
                & (AccountState.valid_from <= on)
                & (AccountState.valid_to > on),
            )
            .where(*conditions)
        )

    fields = [
        Field("number", invoice.number, search=invoice.number, filter=FilterKind.TEXT),
        Field("buyer", buyer.legal_name, search=buyer.search_name, sort=buyer.search_name),
        Field("country", buyer.country, Kind.COUNTRY, filter=FilterKind.SELECT),
        Field("entity", entity.code),
        Field("policy", policy.number, filter=FilterKind.SELECT),
        Field("invoice_on", invoice.invoice_on, Kind.DATE, filter=FilterKind.DATE_RANGE),
        Field("shipment_on", invoice.shipment_on, Kind.DATE),
        Field("due_on", invoice.due_on, Kind.DATE, filter=FilterKind.DATE_RANGE),
        Field("days_overdue", _not_below_zero(days_between(invoice.due_on, on)), Kind.NUMBER),
        Field("open", position.ledger_open_minor, Kind.MONEY, currency=position.currency, filter=FilterKind.AMOUNT_RANGE, total=True),
        Field("covered", covered, Kind.MONEY, currency=position.limit_currency, total=True),
        Field("uncovered", position.open_minor - covered, Kind.MONEY, currency=position.limit_currency, total=True),
        Field("reason", main_reason(), Kind.BADGE, filter=FilterKind.SELECT),
        Field(
            "insured_percentage",
            position.insured_percentage,
            Kind.PERCENT,
            sort=cast(position.insured_percentage, Float),  # only orders the rows; the figure shown is exact
        ),
        Field("stopped", state.stopped, hidden=True, sortable=False),
        Field("buyer_id", position.buyer_id, hidden=True, sortable=False),
        Field("policy_id", position.policy_id, hidden=True, sortable=False),
        Field("entity_id", invoice.entity_id, hidden=True, sortable=False),
    ]
    return Listing("receivables", fields, source, key=invoice.id, order=Order("due_on"), normalise=search_name)


def _not_below_zero(days: ColumnElement[int]) -> ColumnElement[int]:
    return case((days > 0, days), else_=0)

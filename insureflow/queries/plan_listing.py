"""The list of payment plans: each with what is still open and its next instalment, found, sorted and paged by the database.

The rule is that of ``judge_keeping``: money goes to the oldest instalment first, and what had settled an invoice before the plan was
drawn up is no money of the plan.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Date, Select, String, case, cast, func, literal, or_, select, type_coerce
from sqlalchemy.orm import aliased

from insureflow.domain.buyers import search_name
from insureflow.domain.payment_plans import PlanState
from insureflow.models.base import vocabulary
from insureflow.models.buyers import Buyer
from insureflow.models.payment_plans import PaymentPlan, PlanInstalment, PlanInvoice
from insureflow.models.policies import Policy
from insureflow.models.receivables import Allocation, Invoice
from insureflow.queries.listing import Field, FilterKind, Kind, Listing, Order
from insureflow.queries.payment_plans import AGREED

_STATE = vocabulary(PlanState, "plan_state")


def _settled(until: Any) -> ColumnElement[int]:
    """What had settled an invoice of a plan by the end of a day."""
    found = select(func.sum(Allocation.amount_minor)).where(
        Allocation.invoice_id == PlanInvoice.invoice_id, Allocation.allocated_on <= until
    )
    return func.coalesce(found.correlate(PlanInvoice, PaymentPlan).scalar_subquery(), 0)


def _received(on: date) -> Any:
    """The money of each plan by the end of a day."""
    known, now = _settled(PaymentPlan.proposed_on), _settled(literal(on, Date))
    before = Invoice.net_minor + Invoice.vat_minor - PlanInvoice.amount_minor
    left_out = case((before < known, before), else_=known)
    beyond = case((now > left_out, now - left_out), else_=0)
    return (
        select(PlanInvoice.plan_id.label("plan_id"), cast(func.sum(beyond), BigInteger).label("received"))
        .join(PaymentPlan, PaymentPlan.id == PlanInvoice.plan_id)
        .join(Invoice, Invoice.id == PlanInvoice.invoice_id)
        .where(PaymentPlan.state.in_(sorted(AGREED)))
        .group_by(PlanInvoice.plan_id)
        .subquery("money")
    )


def plan_listing(on: date, *, buyer_id: int | None = None, entity_id: int | None = None, policy_id: int | None = None) -> Listing:
    """The plans, the nearest instalment first."""
    plan, money = PaymentPlan, _received(on)
    put_off = (
        select(PlanInvoice.plan_id.label("plan_id"), cast(func.sum(PlanInvoice.amount_minor), BigInteger).label("total"))
        .group_by(PlanInvoice.plan_id)
        .subquery("put_off")
    )
    parts = (
        select(
            PlanInstalment.plan_id.label("plan_id"),
            func.count(PlanInstalment.id).label("count"),
            cast(func.sum(PlanInstalment.amount_minor), BigInteger).label("asked"),
            func.max(PlanInstalment.due_on).label("last_on"),
        )
        .group_by(PlanInstalment.plan_id)
        .subquery("parts")
    )
    received, asked = func.coalesce(money.c.received, 0), func.coalesce(parts.c.asked, 0)
    is_agreed = plan.state.in_(sorted(AGREED))
    part, until = aliased(PlanInstalment), aliased(PlanInstalment)
    asked_by_then = (
        select(func.sum(until.amount_minor))
        .where(
            until.plan_id == part.plan_id,
            or_(until.due_on < part.due_on, (until.due_on == part.due_on) & (until.number <= part.number)),
        )
        .correlate(part)
        .scalar_subquery()
    )
    following = (
        select(func.min(part.due_on)).where(part.plan_id == plan.id, asked_by_then > received).correlate(plan, money).scalar_subquery()
    )
    currency = plan.currency.expression
    fields = (
        Field("number", cast(plan.id, String), sort=plan.id.expression, search=cast(plan.id, String)),
        Field("buyer", Buyer.legal_name.expression, search=Buyer.search_name + " " + Buyer.legal_name, sort=Buyer.search_name.expression),
        Field("state", type_coerce(plan.state, _STATE), Kind.BADGE, filter=FilterKind.SELECT),
        Field("policy", func.coalesce(Policy.number, ""), search=func.coalesce(Policy.number, "")),
        Field("total", func.coalesce(put_off.c.total, 0), Kind.MONEY, currency=currency, total=True),
        Field(
            "open",
            case((is_agreed, case((received < asked, asked - received), else_=0))),
            Kind.MONEY,
            currency=currency,
            total=True,
        ),
        Field("instalments", func.coalesce(parts.c.count, 0), Kind.NUMBER),
        Field("next_on", type_coerce(case((is_agreed, following)), Date), Kind.DATE, filter=FilterKind.DATE_RANGE),
        Field("last_on", type_coerce(func.coalesce(parts.c.last_on, plan.proposed_on), Date), Kind.DATE, filter=FilterKind.DATE_RANGE),
        Field("agreed_on", plan.agreed_on.expression, Kind.DATE, filter=FilterKind.DATE_RANGE),
        Field("broken_on", plan.broken_on.expression, Kind.DATE, filter=FilterKind.DATE_RANGE),
        Field("buyer_id", plan.buyer_id.expression, Kind.NUMBER, hidden=True),
    )

    def source(statement: Select[Any]) -> Select[Any]:
        found = statement.select_from(plan).join(Buyer, Buyer.id == plan.buyer_id).outerjoin(Policy, Policy.id == plan.policy_id)
        for each in (put_off, parts, money):
            found = found.outerjoin(each, each.c.plan_id == plan.id)
        for column, wanted in ((plan.buyer_id, buyer_id), (plan.entity_id, entity_id), (plan.policy_id, policy_id)):
            if wanted is not None:
                found = found.where(column == wanted)
        return found

    return Listing("plans", fields, source, key=plan.id.expression, order=Order("next_on"), normalise=search_name)

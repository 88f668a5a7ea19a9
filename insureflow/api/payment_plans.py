"""Payment plans: what may be put off, drawn up, asked for, agreed, confirmed, and how they are kept."""

# flask-smorest comes without types, and its decorators with it.
# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import g, url_for
from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from insureflow.api.fields import DecimalText, ListSchema, MoneySchema, PageSchema, listed, money, row_key
from insureflow.domain.access import Permission, requires
from insureflow.domain.errors import Refusal
from insureflow.domain.money import to_minor
from insureflow.domain.payment_plans import (
    MOST_INSTALMENTS,
    PlannedInstalment,
    PlanState,
    Remainder,
    Rhythm,
    equal_instalments,
    possible_plan_actions,
)
from insureflow.queries import payment_plans as queries
from insureflow.queries import shipping as shipping_queries
from insureflow.queries.listing import Narrowing, Order
from insureflow.queries.payment_plans import OpenChoice
from insureflow.queries.plan_listing import plan_listing
from insureflow.services import payment_plans
from insureflow.services.payment_plans import NewPlan

blueprint = Blueprint("api_payment_plans", __name__, description="Payment plans.")


class InstalmentSchema(Schema):
    """How much is to be paid by which day, in the currency of the invoices."""

    due_on = fields.Date(required=True)
    amount = DecimalText(required=True)


class EqualSchema(Schema):
    """Equal instalments."""

    count = fields.Integer(required=True, validate=validate.Range(1, MOST_INSTALMENTS))
    first_on = fields.Date(required=True)
    rhythm = fields.Enum(Rhythm, by_value=True, load_default=Rhythm.MONTHLY)
    remainder = fields.Enum(Remainder, by_value=True, load_default=Remainder.LAST)


class NewPlanSchema(Schema):
    """A plan for all that is open of some invoices: `instalments` one by one, or `equal` ones."""

    invoice_ids = fields.List(row_key(), required=True, validate=validate.Length(1, 1000))
    instalments = fields.List(fields.Nested(InstalmentSchema), validate=validate.Length(1, MOST_INSTALMENTS))
    equal = fields.Nested(EqualSchema)
    grace_days = fields.Integer(load_default=0, validate=validate.Range(0, 366))
    interest = fields.String(load_default="", validate=validate.Length(0, 500))
    note = fields.String(load_default="", validate=validate.Length(0, 1000))


class AgreementSchema(Schema):
    """`without_consent` says in so many words that the cover of what is beyond the extension period is given up."""

    without_consent = fields.Boolean(load_default=False)


class CancellationSchema(Schema):
    """Why a plan is given up."""

    reason = fields.String(required=True, validate=validate.Length(1, 1000))
    never_told = fields.Boolean(
        load_default=False, metadata={"description": "The buyer never heard of it: its dates never held. Otherwise they end today."}
    )


class ChoiceSchema(Schema):
    """An open invoice that can be put into a plan."""

    invoice_id = fields.Integer()
    number = fields.String()
    open = fields.Nested(MoneySchema)
    original_due_on = fields.Date()
    last_free_on = fields.Date(allow_none=True, metadata={"description": "The last day to which it may be put off without asking."})
    plan_id = fields.Integer(allow_none=True, metadata={"description": "The plan it is in already."})


class ChoicesSchema(Schema):
    """The open invoices of a buyer."""

    items = fields.List(fields.Nested(ChoiceSchema))


class PlanRowSchema(Schema):
    """A plan in a list."""

    id = fields.Integer()
    buyer_id = fields.Integer()
    buyer = fields.String()
    policy = fields.String(allow_none=True)
    state = fields.String()
    total = fields.Nested(MoneySchema)
    open = fields.Nested(MoneySchema, allow_none=True)
    next_on = fields.Date(allow_none=True)
    last_on = fields.Date()
    agreed_on = fields.Date(allow_none=True)
    broken_on = fields.Date(allow_none=True)


class PlansSchema(ListSchema):
    """A page of plans, newest first."""

    items = fields.List(fields.Nested(PlanRowSchema))


class PlanQuestionSchema(PageSchema):
    """Which plans."""

    state = fields.Enum(PlanState, by_value=True)
    buyer_id = row_key()


class PlannedSchema(Schema):
    """An invoice in a plan; `freedom` says whether it may be paid so late without asking."""

    number = fields.String()
    amount = fields.Nested(MoneySchema)
    original_due_on = fields.Date()
    paid_by = fields.Date()
    freedom = fields.String()


class InstalmentStandingSchema(Schema):
    """An instalment, and how it stands once the plan is agreed."""

    due_on = fields.Date()
    amount = fields.Nested(MoneySchema)
    paid = fields.Nested(MoneySchema, allow_none=True)
    state = fields.String(allow_none=True)


class PlanSchema(Schema):
    """A plan as it stands."""

    id = fields.Integer()
    buyer_id = fields.Integer()
    buyer = fields.String()
    entity = fields.String()
    policy = fields.String(allow_none=True)
    state = fields.String()
    actions = fields.List(fields.String(), metadata={"description": "What can happen to it now."})
    verdict = fields.String()
    needs_consent = fields.Boolean()
    invoices = fields.List(fields.Nested(PlannedSchema))
    instalments = fields.List(fields.Nested(InstalmentStandingSchema))
    grace_days = fields.Integer()
    interest = fields.String()
    note = fields.String()
    proposed_on = fields.Date()
    agreed_on = fields.Date(allow_none=True)
    broken_on = fields.Date(allow_none=True)
    notice_id = fields.Integer(allow_none=True, metadata={"description": "The request for the insurer's consent."})
    document_id = fields.Integer(allow_none=True, metadata={"description": "The confirmation for the buyer."})


def _shown(plan_id: int) -> dict[str, Any]:
    view = queries.find_plan(plan_id, g.today)
    if view is None:
        raise Refusal("plan_unknown", plan=str(plan_id))
    plan, design = view.plan, view.design
    standings = () if view.standing is None else view.standing.instalments
    return {
        "id": plan.id,
        "buyer_id": plan.buyer_id,
        "buyer": view.buyer,
        "entity": view.entity,
        "policy": view.policy,
        "state": plan.state.value,
        "actions": sorted(action.value for action in possible_plan_actions(plan.state)),
        "verdict": design.verdict.value,
        "needs_consent": design.needs_consent,
        "invoices": [
            {
                "number": each.number,
                "amount": money(each.amount_minor, plan.currency),
                "original_due_on": each.original_due_on,
                "paid_by": design.paid_by(each.number),
                "freedom": design.freedom_of(each.number).value,
            }
            for each in design.invoices
        ],
        "instalments": [
            {
                "due_on": each.due_on,
                "amount": money(each.amount_minor, plan.currency),
                "paid": money(standings[place].paid_minor, plan.currency) if standings else None,
                "state": standings[place].state.value if standings else None,
            }
            for place, each in enumerate(design.instalments)
        ],
        "grace_days": plan.grace_days,
        "interest": plan.interest,
        "note": plan.note,
        "proposed_on": plan.proposed_on,
        "agreed_on": plan.agreed_on,
        "broken_on": plan.broken_on,
        "notice_id": plan.notice_id,
        "document_id": plan.document_id,
    }


def _instalments(asked: Mapping[str, Any], chosen: Sequence[OpenChoice]) -> tuple[PlannedInstalment, ...]:
    """The instalments that were asked for; none where no invoice was found, which is refused by itself."""
    if not chosen:
        return ()
    if "instalments" in asked:
        currency = chosen[0].currency
        return tuple(PlannedInstalment(each["due_on"], to_minor(each["amount"], currency, path="amount")) for each in asked["instalments"])
    if "equal" not in asked:
        return ()
    equal = asked["equal"]
    total = sum(choice.open_minor for choice in chosen)
    return equal_instalments(total, equal["count"], equal["first_on"], equal["rhythm"], equal["remainder"])


def _new_plan(asked: Mapping[str, Any], buyer_id: int) -> NewPlan:
    wanted = set(asked["invoice_ids"])
    chosen = [choice for choice in queries.choices_of(buyer_id, g.today) if choice.invoice_id in wanted]
    return NewPlan(
        buyer_id=buyer_id,
        invoice_ids=sorted(wanted),
        instalments=_instalments(asked, chosen),
        grace_days=asked["grace_days"],
        interest=asked["interest"],
        note=asked["note"],
    )


@blueprint.get("/payment-plans")
@requires(Permission.VIEW_OBLIGATIONS)
@blueprint.arguments(PlanQuestionSchema, location="query")
@blueprint.response(200, PlansSchema)
def index(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The plans, newest first."""
    choices = {"state": [asked["state"].value]} if "state" in asked else {}
    listing = plan_listing(g.today, buyer_id=asked.get("buyer_id"))
    found = listing.page(Narrowing(choices=choices), Order("number", descending=True), asked["page"], asked["page_size"])
    names = ("buyer_id", "buyer", "next_on", "last_on", "agreed_on", "broken_on")
    items = [
        {
            **{name: row[name] for name in names},
            "id": row["key"],
            "policy": row["policy"] or None,
            "state": PlanState(row["state"]).value,
            "total": money(*row["total"]),
            "open": None if row["open"] is None else money(*row["open"]),
        }
        for row in found.rows
    ]
    return listed(asked, found, items)


@blueprint.get("/buyers/<int:buyer_id>/payment-plans/choices")
@requires(Permission.VIEW_OBLIGATIONS)
@blueprint.response(200, ChoicesSchema)
def choices(buyer_id: int) -> dict[str, Any]:
    """The open invoices of a buyer, with the last day to which each may be put off freely."""
    found = queries.choices_of(shipping_queries.get_buyer(buyer_id).id, g.today)
    return {
        "items": [
            {
                "invoice_id": each.invoice_id,
                "number": each.number,
                "open": money(each.open_minor, each.currency),
                "original_due_on": each.original_due_on,
                "last_free_on": each.planned().free_until,
                "plan_id": each.plan_id,
            }
            for each in found
        ]
    }


@blueprint.post("/buyers/<int:buyer_id>/payment-plans")
@requires(Permission.EDIT_OBLIGATIONS)
@blueprint.arguments(NewPlanSchema)
@blueprint.response(201, PlanSchema)
def propose(asked: Mapping[str, Any], buyer_id: int) -> Any:
    """Draw up a plan as a draft; nothing is agreed, and no due date changes."""
    shipping_queries.get_buyer(buyer_id)
    plan = payment_plans.propose(g.actor, g.organisation.id, _new_plan(asked, buyer_id), g.today)
    return _shown(plan.id), 201, {"Location": url_for("api_payment_plans.show", plan_id=plan.id)}


@blueprint.get("/payment-plans/<int:plan_id>")
@requires(Permission.VIEW_OBLIGATIONS)
@blueprint.response(200, PlanSchema)
def show(plan_id: int) -> dict[str, Any]:
    """A plan, what of it is free and what needs consent, and how it is kept."""
    return _shown(plan_id)


@blueprint.post("/payment-plans/<int:plan_id>/change")
@requires(Permission.EDIT_OBLIGATIONS)
@blueprint.arguments(NewPlanSchema)
@blueprint.response(200, PlanSchema)
def change(asked: Mapping[str, Any], plan_id: int) -> dict[str, Any]:
    """Draw a plan up anew that is not agreed yet: it is a draft again, and a request that was not sent is given up."""
    payment_plans.change(g.actor, g.organisation.id, plan_id, _new_plan(asked, _shown(plan_id)["buyer_id"]), g.today)
    return _shown(plan_id)


@blueprint.post("/payment-plans/<int:plan_id>/ask")
@requires(Permission.APPROVE_NOTICES)
@blueprint.response(200, PlanSchema)
def ask(plan_id: int) -> dict[str, Any]:
    """Draft the request for the insurer's consent; approve and send it as any other notice."""
    payment_plans.ask_consent(g.actor, g.organisation.id, plan_id, g.today)
    return _shown(plan_id)


@blueprint.post("/payment-plans/<int:plan_id>/agree")
@requires(Permission.APPROVE_NOTICES)
@blueprint.arguments(AgreementSchema)
@blueprint.response(200, PlanSchema)
def agree(said: Mapping[str, Any], plan_id: int) -> dict[str, Any]:
    """Agree a plan with the buyer, and write the confirmation."""
    payment_plans.agree(g.actor, g.organisation.id, plan_id, g.today, without_consent=said["without_consent"])
    return _shown(plan_id)


@blueprint.post("/payment-plans/<int:plan_id>/confirm")
@requires(Permission.APPROVE_NOTICES)
@blueprint.response(200, PlanSchema)
def confirm(plan_id: int) -> dict[str, Any]:
    """Write the confirmation for the buyer anew."""
    payment_plans.confirm(g.actor, g.organisation.id, plan_id, g.today)
    return _shown(plan_id)


@blueprint.post("/payment-plans/<int:plan_id>/cancel")
@requires(Permission.EDIT_OBLIGATIONS)
@blueprint.arguments(CancellationSchema)
@blueprint.response(200, PlanSchema)
def cancel(said: Mapping[str, Any], plan_id: int) -> dict[str, Any]:
    """Give a plan up."""
    payment_plans.cancel(g.actor, g.organisation.id, plan_id, said["reason"], g.today, never_told=said["never_told"])
    return _shown(plan_id)

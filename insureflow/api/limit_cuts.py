"""Limits that were cut: what stays covered, how long goods run off, what to do, and the work it makes."""

# flask-smorest comes without types, and its decorators with it.
# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import g
from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from insureflow.api.fields import MoneySchema, money
from insureflow.domain.access import Permission, requires
from insureflow.domain.errors import Refusal
from insureflow.domain.limits.cuts import CutAction
from insureflow.domain.money import Money
from insureflow.queries import work_items as work_queries
from insureflow.queries.limit_cuts import find_cut
from insureflow.services import limit_cuts

blueprint = Blueprint("api_limit_cuts", __name__, url_prefix="/limit-cuts", description="Limits that were cut.")


class CutQuestionSchema(Schema):
    """Within how many days binding orders are to be reported, where the terms of the policy do not say it."""

    report_days = fields.Integer(validate=validate.Range(0, 365))


class CutItemSchema(Schema):
    """An open invoice, and what of it stays covered."""

    invoice = fields.String()
    due_on = fields.Date(allow_none=True)
    open = fields.Nested(MoneySchema)
    covered = fields.Nested(MoneySchema)
    uncovered = fields.Nested(MoneySchema)


class CutOrderSchema(Schema):
    """A binding order, and what there is room for."""

    order = fields.String()
    deliver_on = fields.Date()
    amount = fields.Nested(MoneySchema)
    in_run_off = fields.Boolean(metadata={"description": "It is delivered while the old limit still runs."})
    covered = fields.Nested(MoneySchema)
    uncovered = fields.Nested(MoneySchema)


class CutActionSchema(Schema):
    """Something to do about a cut, why, and by when where there is a day for it."""

    action = fields.String()
    reason = fields.String()
    amount = fields.Nested(MoneySchema)
    by = fields.Date(allow_none=True)


class CutSchema(Schema):
    """A cut with everything it asks for; `work` are the keys of the work that was made of it, finished under `/work-items`."""

    decision_id = fields.Integer()
    buyer_id = fields.Integer()
    buyer = fields.String()
    policy = fields.String()
    kind = fields.String()
    told_on = fields.Date()
    effective_on = fields.Date()
    run_off_until = fields.Date(allow_none=True, metadata={"description": "The last day of shipments under the old limit."})
    limit_before = fields.Nested(MoneySchema)
    limit_after = fields.Nested(MoneySchema)
    covered = fields.Nested(MoneySchema)
    uncovered = fields.Nested(MoneySchema)
    missing = fields.Nested(MoneySchema, metadata={"description": "By how much what is owed and ordered exceeds the new limit."})
    report_orders_by = fields.Date(allow_none=True)
    items = fields.List(fields.Nested(CutItemSchema))
    orders = fields.List(fields.Nested(CutOrderSchema))
    actions = fields.List(fields.Nested(CutActionSchema))
    work = fields.List(fields.Integer())


def _money(amount: Money) -> dict[str, Any] | None:
    return money(amount.minor, amount.currency)


def _shown(decision_id: int, report_days: int | None) -> dict[str, Any]:
    view = find_cut(decision_id, report_orders_days=report_days)
    if view is None:
        raise Refusal("limit_unknown", limit=str(decision_id))
    kit = view.kit
    currency = kit.limit_before.currency
    cause = limit_cuts.cause_of(decision_id)
    return {
        "decision_id": decision_id,
        "buyer_id": view.buyer.id,
        "buyer": view.buyer.legal_name,
        "policy": view.policy.number,
        "kind": kit.cut.kind.value,
        "told_on": kit.cut.told_on,
        "effective_on": kit.effective_on,
        "run_off_until": kit.run_off_until,
        "limit_before": _money(kit.limit_before),
        "limit_after": _money(kit.limit_after),
        "covered": _money(kit.covered),
        "uncovered": _money(kit.uncovered),
        "missing": _money(kit.missing),
        "report_orders_by": kit.report_orders_by,
        "items": [
            {
                "invoice": view.numbers.get(item.id, item.id),
                "due_on": item.due_on,
                "open": money(item.open, currency),
                "covered": money(item.covered, currency),
                "uncovered": money(item.uncovered, currency),
            }
            for item in kit.items
        ],
        "orders": [
            {
                "order": each.order.id,
                "deliver_on": each.order.deliver_on,
                "amount": money(each.order.amount, currency),
                "in_run_off": each.in_run_off,
                "covered": money(each.covered, currency),
                "uncovered": money(each.uncovered, currency),
            }
            for each in kit.orders
        ],
        "actions": [
            {"action": each.action.value, "reason": each.reason.value, "amount": _money(each.amount), "by": each.by} for each in kit.actions
        ],
        "work": [item.id for item in work_queries.items_of_causes([cause, *(f"{cause}/{action.value}" for action in CutAction)])],
    }


@blueprint.get("/<int:decision_id>")
@requires(Permission.VIEW_LIMITS)
@blueprint.arguments(CutQuestionSchema, location="query")
@blueprint.response(200, CutSchema)
def show(asked: Mapping[str, Any], decision_id: int) -> dict[str, Any]:
    """What the cut of a decision means and asks for."""
    return _shown(decision_id, asked.get("report_days"))


@blueprint.post("/<int:decision_id>/plan")
@requires(Permission.EDIT_LIMITS)
@blueprint.arguments(CutQuestionSchema)
@blueprint.response(200, CutSchema)
def plan(said: Mapping[str, Any], decision_id: int) -> dict[str, Any]:
    """Make work of every action a cut asks for, each once."""
    limit_cuts.plan_work(g.actor, g.organisation.id, decision_id, g.today, report_orders_days=said.get("report_days"))
    return _shown(decision_id, said.get("report_days"))

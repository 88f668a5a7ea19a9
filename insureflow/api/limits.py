"""Limits read: the register of a day, and everything that was decided on one buyer."""

# flask-smorest comes without types, and its decorators with it.
# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import g
from flask_smorest import Blueprint
from marshmallow import Schema, fields

from insureflow.api.fields import DecimalText, ListSchema, MoneySchema, PageSchema, listed, money
from insureflow.domain.access import Permission, requires
from insureflow.domain.errors import Refusal
from insureflow.models.policies import Policy
from insureflow.queries import limits as queries
from insureflow.queries import organisations as organisation_queries
from insureflow.queries import shipping as shipping_queries
from insureflow.queries.cover.ledgers import load_decisions
from insureflow.queries.listing import Narrowing, Order

blueprint = Blueprint("api_limits", __name__, description="Credit limits.")


def policy_of_number(number: str) -> Policy:
    """The policy with a number. Errors: ``policy_number_unknown``."""
    for policy in organisation_queries.list_policies():
        if policy.number == number:
            return policy
    raise Refusal("policy_number_unknown", policy=number)


class RegisterQuestionSchema(PageSchema):
    """Which part of the register, and for which day."""

    policy = fields.String(metadata={"description": "Number of a policy; without it all."})
    on = fields.Date(metadata={"description": "The day; without it today."})
    search = fields.String(load_default="", metadata={"description": "Part of a name of a buyer, or of a policy's number."})


class LimitSchema(Schema):
    """A layer of a buyer's limit under a policy."""

    buyer_id = fields.Integer()
    buyer = fields.String()
    country = fields.String()
    policy = fields.String()
    layer = fields.String()
    situation = fields.String()
    kind = fields.String(allow_none=True)
    limit = fields.Nested(MoneySchema, allow_none=True)
    used = fields.Nested(MoneySchema, allow_none=True)
    headroom = fields.Nested(MoneySchema, allow_none=True)
    insured_percentage = DecimalText(allow_none=True)
    decided_on = fields.Date(allow_none=True)
    valid_to = fields.Date(allow_none=True)
    decision_id = fields.Integer(allow_none=True)


class RegisterSchema(ListSchema):
    """A page of the register."""

    items = fields.List(fields.Nested(LimitSchema))


class DecisionSchema(Schema):
    """A decision, a request or a withdrawal, as it was entered."""

    id = fields.Integer()
    policy = fields.String()
    layer = fields.String()
    kind = fields.String()
    status = fields.String()
    decided = fields.Nested(MoneySchema, allow_none=True)
    decided_on = fields.Date()
    effective_on = fields.Date()
    valid_to = fields.Date(allow_none=True)
    conditions = fields.Dict()


class HistorySchema(Schema):
    """The history of a buyer's limits."""

    buyer_id = fields.Integer()
    buyer = fields.String()
    items = fields.List(fields.Nested(DecisionSchema))


_AMOUNTS = ("limit", "used", "headroom")


@blueprint.get("/limits")
@requires(Permission.VIEW_LIMITS)
@blueprint.arguments(RegisterQuestionSchema, location="query")
@blueprint.response(200, RegisterSchema)
def register(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The register of limits on a day, by buyer."""
    policy_id = policy_of_number(asked["policy"]).id if "policy" in asked else None
    listing = queries.register_listing(asked.get("on") or g.today, policy_id=policy_id)
    found = listing.page(Narrowing(asked["search"][:200]), Order("buyer"), asked["page"], asked["page_size"])
    items = [{**row, **{name: None if row[name] is None else money(*row[name]) for name in _AMOUNTS}} for row in found.rows]
    return listed(asked, found, items)


@blueprint.get("/buyers/<int:buyer_id>/limits")
@requires(Permission.VIEW_LIMITS)
@blueprint.response(200, HistorySchema)
def history(buyer_id: int) -> dict[str, Any]:
    """Everything that was decided on a buyer, newest first."""
    buyer = shipping_queries.get_buyer(buyer_id)
    numbers = {policy.id: policy.number for policy in organisation_queries.list_policies()}
    decisions = sorted(load_decisions([buyer.id]), key=lambda each: (each.decided_on, each.id), reverse=True)
    items = [
        {
            **each._asdict(),
            "policy": numbers[each.policy_id],
            "layer": each.layer.value,
            "kind": each.kind.value,
            "status": each.status.value,
            "decided": money(each.decided_minor, each.currency),
        }
        for each in decisions
    ]
    return {"buyer_id": buyer.id, "buyer": buyer.legal_name, "items": items}

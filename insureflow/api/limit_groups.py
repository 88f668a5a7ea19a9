"""Limits that several buyers share: entered, decided on, joined and left."""

# flask-smorest comes without types, and its decorators with it.
# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import g, url_for
from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from insureflow.api.fields import ListSchema, MoneySchema, PageSchema, listed, minor_of, money, row_key
from insureflow.api.limits import policy_of_number
from insureflow.domain.access import Permission, requires
from insureflow.domain.errors import Refusal
from insureflow.domain.money import Money
from insureflow.queries import limit_groups as queries
from insureflow.queries import shipping as shipping_queries
from insureflow.queries.listing import Narrowing
from insureflow.services import limit_groups
from insureflow.services.limit_groups import GroupWord, NewGroup

blueprint = Blueprint("api_limit_groups", __name__, url_prefix="/limit-groups", description="Limits that several buyers share.")

_KEYS = fields.List(row_key(), required=True, validate=validate.Length(1, 1000))


class GroupQuestionSchema(PageSchema):
    """Which shared limits."""

    policy = fields.String(metadata={"description": "Number of a policy; without it all."})


class GroupRowSchema(Schema):
    """A shared limit in a list."""

    id = fields.Integer()
    name = fields.String()
    head = fields.String(allow_none=True)
    policy = fields.String()
    buyers = fields.Integer()
    limit = fields.Nested(MoneySchema)
    used = fields.Nested(MoneySchema)
    headroom = fields.Nested(MoneySchema)


class GroupPageSchema(ListSchema):
    """A page of shared limits."""

    items = fields.List(fields.Nested(GroupRowSchema))


class SharerSchema(Schema):
    """A buyer that shares, or did."""

    buyer_id = fields.Integer()
    buyer = fields.String()
    joined_on = fields.Date()
    left_on = fields.Date(allow_none=True)
    is_sharing = fields.Boolean()
    has_own_limit = fields.Boolean()
    limit = fields.Nested(MoneySchema)
    used = fields.Nested(MoneySchema)


class GroupWordSchema(Schema):
    """What the insurer said about the whole; `limit` null: it ends."""

    limit = fields.Nested(MoneySchema, allow_none=True)
    status = fields.String()
    decided_on = fields.Date()
    effective_on = fields.Date()
    valid_to = fields.Date(allow_none=True)
    insurer_reference = fields.String(allow_none=True)
    reason = fields.String()


class GroupSchema(Schema):
    """A shared limit today: what is in force, what all use of it, and what is left for any of them."""

    id = fields.Integer()
    name = fields.String()
    head_id = fields.Integer(allow_none=True)
    policy = fields.String()
    limit = fields.Nested(MoneySchema)
    used = fields.Nested(MoneySchema)
    headroom = fields.Nested(MoneySchema)
    sharers = fields.List(fields.Nested(SharerSchema))
    decisions = fields.List(fields.Nested(GroupWordSchema))


class NewWordSchema(Schema):
    """What the insurer said about the whole. Without `limit` the whole limit ends."""

    limit = fields.Nested(MoneySchema)
    decided_on = fields.Date(metadata={"description": "Left out: today."})
    effective_on = fields.Date()
    valid_to = fields.Date()
    insurer_reference = fields.String(validate=validate.Length(1, 80))
    reason = fields.String(load_default="", validate=validate.Length(0, 1000))


class NewGroupSchema(NewWordSchema):
    """A limit over several buyers, with its first decision."""

    limit = fields.Nested(MoneySchema, required=True)
    policy = fields.String(required=True, metadata={"description": "Number of the policy."})
    name = fields.String(required=True, validate=validate.Length(1, limit_groups.NAME_LENGTH))
    buyer_ids = _KEYS
    head_id = row_key(metadata={"description": "The parent whose subsidiaries share."})


class JoinSchema(Schema):
    """More buyers that share."""

    buyer_ids = _KEYS
    joined_on = fields.Date(metadata={"description": "Left out: today."})


class LeavingSchema(Schema):
    """The first day without a share; not before the policy's notice has run."""

    left_on = fields.Date(required=True)
    reason = fields.String(load_default="", validate=validate.Length(0, 1000))


class EndOfShareSchema(Schema):
    """From when a buyer shares no longer."""

    left_on = fields.Date()


def _money(amount: Money) -> dict[str, Any] | None:
    return money(amount.minor, amount.currency)


def _view(group_id: int) -> queries.GroupView:
    view = queries.find_group(group_id, g.today)
    if view is None:
        raise Refusal("limit_group_unknown", group=str(group_id))
    return view


def _shown(group_id: int) -> dict[str, Any]:
    view = _view(group_id)
    return {
        "id": view.group.id,
        "name": view.group.name,
        "head_id": None if view.head is None else view.head.id,
        "policy": view.policy.number,
        "limit": _money(view.limit),
        "used": _money(view.used),
        "headroom": _money(view.headroom),
        "sharers": [
            {
                "buyer_id": each.buyer.id,
                "buyer": each.buyer.legal_name,
                "joined_on": each.joined_on,
                "left_on": each.left_on,
                "is_sharing": each.is_sharing,
                "has_own_limit": each.has_own_limit,
                "limit": _money(each.limit),
                "used": _money(each.used),
            }
            for each in view.sharers
        ],
        "decisions": [
            {
                "limit": money(word.decided_minor, word.currency),
                "status": word.status.value,
                "decided_on": word.decided_on,
                "effective_on": word.effective_on,
                "valid_to": word.valid_to,
                "insurer_reference": word.insurer_reference,
                "reason": word.reason,
            }
            for word in view.words
        ],
    }


def _word(said: Mapping[str, Any], currency: str) -> GroupWord:
    limit = said.get("limit")
    return GroupWord(
        None if limit is None else minor_of(limit, "limit.amount"),
        currency if limit is None else limit["currency"],
        said.get("decided_on") or g.today,
        said.get("effective_on"),
        said.get("valid_to"),
        said.get("insurer_reference"),
        said["reason"],
    )


@blueprint.get("")
@requires(Permission.VIEW_LIMITS)
@blueprint.arguments(GroupQuestionSchema, location="query")
@blueprint.response(200, GroupPageSchema)
def index(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The limits that several buyers share."""
    policy_id = policy_of_number(asked["policy"]).id if "policy" in asked else None
    found = queries.group_listing(g.today, policy_id=policy_id).page(Narrowing(), None, asked["page"], asked["page_size"])
    items = [
        {
            **{name: row[name] for name in ("name", "head", "policy", "buyers")},
            **{name: money(*row[name]) for name in ("limit", "used", "headroom")},
            "id": row["number"],
        }
        for row in found.rows
    ]
    return listed(asked, found, items)


@blueprint.post("")
@requires(Permission.EDIT_LIMITS)
@blueprint.arguments(NewGroupSchema)
@blueprint.response(201, GroupSchema)
def create(said: Mapping[str, Any]) -> Any:
    """Enter a limit over several buyers; it takes the place of their own."""
    policy = policy_of_number(said["policy"])
    head = shipping_queries.get_buyer(said["head_id"]) if "head_id" in said else None
    new = NewGroup(policy.id, said["name"], said["buyer_ids"], _word(said, policy.limit_currency), None if head is None else head.id)
    made = limit_groups.create(g.actor, g.organisation.id, new, g.today)
    return _shown(made.id), 201, {"Location": url_for("api_limit_groups.show", group_id=made.id)}


@blueprint.get("/<int:group_id>")
@requires(Permission.VIEW_LIMITS)
@blueprint.response(200, GroupSchema)
def show(group_id: int) -> dict[str, Any]:
    """One shared limit: what is left of it, who shares, and every decision on the whole."""
    return _shown(group_id)


@blueprint.post("/<int:group_id>/decisions")
@requires(Permission.EDIT_LIMITS)
@blueprint.arguments(NewWordSchema)
@blueprint.response(201, GroupSchema)
def decide(said: Mapping[str, Any], group_id: int) -> dict[str, Any]:
    """Enter what the insurer says about the whole."""
    limit_groups.decide(g.actor, g.organisation.id, group_id, _word(said, _view(group_id).policy.limit_currency), g.today)
    return _shown(group_id)


@blueprint.post("/<int:group_id>/join")
@requires(Permission.EDIT_LIMITS)
@blueprint.arguments(JoinSchema)
@blueprint.response(200, GroupSchema)
def join(said: Mapping[str, Any], group_id: int) -> dict[str, Any]:
    """Let more buyers share."""
    limit_groups.join(g.actor, g.organisation.id, group_id, said["buyer_ids"], said.get("joined_on") or g.today, g.today)
    return _shown(group_id)


@blueprint.post("/<int:group_id>/leave/<int:buyer_id>")
@requires(Permission.EDIT_LIMITS)
@blueprint.arguments(LeavingSchema)
@blueprint.response(200, EndOfShareSchema)
def leave(said: Mapping[str, Any], group_id: int, buyer_id: int) -> dict[str, Any]:
    """End the share of a buyer; what it has used by then stays covered."""
    shipping_queries.get_buyer(buyer_id)
    end = limit_groups.leave(g.actor, g.organisation.id, group_id, buyer_id, said["left_on"], g.today, reason=said["reason"])
    return {"left_on": end}

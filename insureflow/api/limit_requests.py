"""Limits asked for: written, sent or put before a second person, agreed to, given up."""

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
from insureflow.domain.cover import Layer
from insureflow.domain.errors import Refusal
from insureflow.domain.limits import LimitKind, RequestState, RequestType
from insureflow.models.limit_requests import LimitRequest
from insureflow.queries import limit_requests as queries
from insureflow.queries.listing import Narrowing
from insureflow.services import limit_requests
from insureflow.services.limit_requests import NewLimitRequest

blueprint = Blueprint("api_limit_requests", __name__, url_prefix="/limit-requests", description="Limits asked for.")


class NewRequestSchema(Schema):
    """A request. `limit` is the whole limit wanted, not the difference; left out to cancel."""

    buyer_id = row_key(required=True)
    policy = fields.String(required=True, metadata={"description": "Number of the policy."})
    limit = fields.Nested(MoneySchema)
    request_type = fields.Enum(RequestType, by_value=True, metadata={"description": "Left out, it follows from the limit granted now."})
    layer = fields.Enum(Layer, by_value=True, load_default=Layer.PRIMARY)
    kind = fields.Enum(LimitKind, by_value=True, load_default=LimitKind.NAMED)
    is_urgent = fields.Boolean(load_default=False)
    comment = fields.String(load_default="", validate=validate.Length(0, 1000))


class RejectionSchema(Schema):
    """Why a request is not agreed to."""

    reason = fields.String(required=True, validate=validate.Length(1, 1000))


class RequestSchema(Schema):
    """A request as it stands today."""

    id = fields.Integer()
    buyer_id = fields.Integer()
    buyer = fields.String()
    policy = fields.String()
    request_type = fields.String()
    layer = fields.String()
    kind = fields.String(allow_none=True)
    limit = fields.Nested(MoneySchema, allow_none=True)
    state = fields.String()
    must_act = fields.String(metadata={"description": "Whose turn it is."})
    pending = fields.List(fields.String())
    actions = fields.List(fields.String(), metadata={"description": "What can be done with it now."})
    decided = fields.Nested(MoneySchema, allow_none=True)
    own_reference = fields.String()
    insurer_reference = fields.String(allow_none=True)
    asked_on = fields.Date()
    author = fields.String(allow_none=True)
    is_urgent = fields.Boolean()
    comment = fields.String()


class RequestRowSchema(Schema):
    """A request in a list."""

    id = fields.Integer()
    buyer_id = fields.Integer()
    buyer = fields.String()
    policy = fields.String()
    request_type = fields.String()
    limit = fields.Nested(MoneySchema, allow_none=True)
    state = fields.String()
    must_act = fields.String()
    decided = fields.Nested(MoneySchema, allow_none=True)
    own_reference = fields.String()
    asked_on = fields.Date()


class RequestPageSchema(ListSchema):
    """A page of requests."""

    items = fields.List(fields.Nested(RequestRowSchema))


class RequestQuestionSchema(PageSchema):
    """Which requests."""

    state = fields.Enum(RequestState, by_value=True)
    policy = fields.String(metadata={"description": "Number of a policy; without it all."})


def _shown(request_id: int) -> dict[str, Any]:
    view = queries.find_request(request_id, g.today)
    if view is None:
        raise Refusal("limit_request_unknown", request=str(request_id))
    request, decision = view.request, view.decision
    return {
        "id": request.id,
        "buyer_id": view.buyer.id,
        "buyer": view.buyer.legal_name,
        "policy": view.policy.number,
        "request_type": request.request_type.value,
        "layer": request.layer.value,
        "kind": request.kind.value,
        "limit": money(request.requested_minor, request.currency),
        "state": view.life.value,
        "must_act": view.must_act.value,
        "pending": [each.action.value for each in view.pending],
        "actions": [each.value for each in view.actions],
        "decided": None if decision is None else money(decision.decided_minor, decision.currency),
        "own_reference": request.own_reference,
        "insurer_reference": request.insurer_reference,
        "asked_on": request.asked_on,
        "author": view.author,
        "is_urgent": request.is_urgent,
        "comment": request.comment,
    }


@blueprint.get("")
@requires(Permission.VIEW_LIMITS)
@blueprint.arguments(RequestQuestionSchema, location="query")
@blueprint.response(200, RequestPageSchema)
def index(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The requests, newest first."""
    policy_id = policy_of_number(asked["policy"]).id if "policy" in asked else None
    choices = {"state": [asked["state"].value]} if "state" in asked else {}
    listing = queries.request_listing(g.today, policy_id=policy_id)
    found = listing.page(Narrowing(choices=choices), None, asked["page"], asked["page_size"])
    items = [
        {
            "id": row["number"],
            "buyer_id": row["buyer_id"],
            "buyer": row["buyer"],
            "policy": row["policy"],
            "request_type": row["type"].value,
            "limit": None if row["amount"] is None else money(*row["amount"]),
            "state": row["state"].value,
            "must_act": row["must_act"].value,
            "decided": None if row["decided"] is None else money(*row["decided"]),
            "own_reference": row["reference"],
            "asked_on": row["asked_on"],
        }
        for row in found.rows
    ]
    return listed(asked, found, items)


@blueprint.post("")
@requires(Permission.REQUEST_LIMITS)
@blueprint.arguments(NewRequestSchema)
@blueprint.response(201, RequestSchema)
def draft(asked: Mapping[str, Any]) -> Any:
    """Write a request as a draft; nothing is asked of anybody yet."""
    limit = asked.get("limit")
    new = NewLimitRequest(
        buyer_id=asked["buyer_id"],
        policy_id=policy_of_number(asked["policy"]).id,
        amount_minor=None if limit is None else minor_of(limit, "limit.amount"),
        request_type=asked.get("request_type"),
        currency=None if limit is None else limit["currency"],
        layer=asked["layer"],
        kind=asked["kind"],
        is_urgent=asked["is_urgent"],
        comment=asked["comment"],
    )
    request = limit_requests.draft(g.actor, g.organisation.id, new, g.today)
    return _shown(request.id), 201, {"Location": url_for("api_limit_requests.show", limit_request_id=request.id)}


@blueprint.get("/<int:limit_request_id>")
@requires(Permission.VIEW_LIMITS)
@blueprint.response(200, RequestSchema)
def show(limit_request_id: int) -> dict[str, Any]:
    """One request as it stands today."""
    return _shown(limit_request_id)


@blueprint.post("/<int:limit_request_id>/submit")
@requires(Permission.REQUEST_LIMITS)
@blueprint.response(200, RequestSchema)
def submit(limit_request_id: int) -> dict[str, Any]:
    """Send a draft, or put it before a second person where its amount needs one."""
    return _moved(limit_requests.hand_in(g.actor, g.organisation.id, limit_request_id, g.role, g.today))


@blueprint.post("/<int:limit_request_id>/approve")
@requires(Permission.APPROVE_LIMITS)
@blueprint.response(200, RequestSchema)
def approve(limit_request_id: int) -> dict[str, Any]:
    """Agree to a request that somebody else wrote, and send it."""
    return _moved(limit_requests.approve(g.actor, g.organisation.id, limit_request_id, g.role, g.today))


@blueprint.post("/<int:limit_request_id>/reject")
@requires(Permission.APPROVE_LIMITS)
@blueprint.arguments(RejectionSchema)
@blueprint.response(200, RequestSchema)
def reject(said: Mapping[str, Any], limit_request_id: int) -> dict[str, Any]:
    """Say no to a request that somebody else wrote."""
    return _moved(limit_requests.reject(g.actor, g.organisation.id, limit_request_id, g.role, said["reason"], g.today))


@blueprint.post("/<int:limit_request_id>/cancel")
@requires(Permission.REQUEST_LIMITS)
@blueprint.response(200, RequestSchema)
def cancel(limit_request_id: int) -> dict[str, Any]:
    """Give a request up that has not left the house."""
    return _moved(limit_requests.cancel(g.actor, g.organisation.id, limit_request_id, g.today))


def _moved(request: LimitRequest) -> dict[str, Any]:
    return _shown(request.id)

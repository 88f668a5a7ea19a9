"""Companies looked up at an insurer within a budget, and differences that a person settles."""

# flask-smorest comes without types, and its decorators with it.
# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import g, url_for
from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from insureflow.api.errors import locale
from insureflow.api.fields import ListSchema, PageSchema, listed, row_key
from insureflow.connectors.insurers import registry
from insureflow.domain.access import Permission, requires
from insureflow.domain.errors import Refusal
from insureflow.i18n.words import sentence_for
from insureflow.queries import connections as queries
from insureflow.queries.listing import Narrowing
from insureflow.services import connections, sync
from insureflow.services.sync.settling import TAKEN

blueprint = Blueprint("api_look_ups", __name__, description="Look-ups at insurers, and differences settled.")


class BudgetSchema(Schema):
    """What look-ups over a connection may cost."""

    charges = fields.Boolean(metadata={"description": "A look-up may cost money, so it takes `confirmed`."})
    spent = fields.Integer(metadata={"description": "Look-ups of this month that may have cost money."})
    budget = fields.Integer()


class LookUpRowSchema(Schema):
    """A look-up in a list."""

    id = fields.Integer()
    made_at = fields.AwareDateTime()
    buyer = fields.String(allow_none=True)
    confirmed_by = fields.String(allow_none=True)
    found = fields.List(fields.Dict())


class LookUpPageSchema(ListSchema):
    """A page of look-ups, newest first, and the budget."""

    budget = fields.Nested(BudgetSchema)
    items = fields.List(fields.Nested(LookUpRowSchema))


class LookUpSchema(Schema):
    """A look-up and what it found."""

    id = fields.Integer()
    connection_id = fields.Integer()
    buyer_id = fields.Integer(allow_none=True)
    buyer = fields.String()
    made_at = fields.AwareDateTime()
    found = fields.List(fields.Dict())


class NewLookUpSchema(Schema):
    """For whom; `confirmed` says that it may cost money."""

    buyer_id = row_key(required=True)
    confirmed = fields.Boolean(load_default=False)


class MatchSchema(Schema):
    """Which of the companies found is the buyer."""

    company_id = fields.String(required=True, validate=validate.Length(1, 80))


class IdentifiedSchema(Schema):
    """The buyer at which the insurer's number was entered."""

    buyer_id = fields.Integer()
    buyer = fields.String()


class DifferenceViewSchema(Schema):
    """A difference with both sides."""

    id = fields.Integer()
    connection_id = fields.Integer()
    kind = fields.String()
    why = fields.String(metadata={"description": "The explanation for people, in the language asked for by Accept-Language."})
    policy = fields.String()
    buyer_id = fields.Integer(allow_none=True)
    company = fields.String()
    reference = fields.String()
    ours = fields.Dict()
    theirs = fields.Dict()
    can_take_theirs = fields.Boolean()
    first_seen_at = fields.AwareDateTime()
    last_seen_at = fields.AwareDateTime()
    resolved_at = fields.AwareDateTime(allow_none=True)
    note = fields.String()


class SettlementSchema(Schema):
    """Take the insurer's word, or keep ours and say why."""

    choice = fields.String(required=True, validate=validate.OneOf(["theirs", "ours"]))
    note = fields.String(load_default="", validate=validate.Length(0, 1000))


def _look_up(look_up_id: int) -> dict[str, Any]:
    row = queries.find_look_up(look_up_id)
    if row is None:
        raise Refusal("look_up_unknown", look_up=str(look_up_id))
    made, buyer = row
    return {
        "id": made.id,
        "connection_id": made.connection_id,
        "buyer_id": made.buyer_id,
        "buyer": buyer,
        "made_at": made.made_at,
        "found": made.found,
    }


def _difference(difference_id: int) -> dict[str, Any]:
    found = queries.find_difference(difference_id)
    if found is None:
        raise Refusal("difference_unknown", difference=str(difference_id))
    row, policy, buyer = found
    return {
        "id": row.id,
        "connection_id": row.connection_id,
        "kind": row.kind.value,
        "why": sentence_for(Refusal(f"difference.{row.kind.value}"), locale()),
        "policy": policy.number,
        "buyer_id": row.buyer_id,
        "company": row.company_name if buyer is None else buyer.legal_name,
        "reference": row.subject,
        "ours": row.ours,
        "theirs": row.theirs,
        "can_take_theirs": row.kind in TAKEN and row.resolved_at is None,
        "first_seen_at": row.first_seen_at,
        "last_seen_at": row.last_seen_at,
        "resolved_at": row.resolved_at,
        "note": row.note,
    }


@blueprint.get("/connections/<int:connection_id>/look-ups")
@requires(Permission.VIEW_CONNECTIONS)
@blueprint.arguments(PageSchema, location="query")
@blueprint.response(200, LookUpPageSchema)
def index(asked: Mapping[str, Any], connection_id: int) -> dict[str, Any]:
    """The look-ups that were made over a connection, and what is left of the month's budget."""
    connection = queries.find_connection(connection_id)
    if connection is None:
        raise Refusal("connection_unknown", connection=str(connection_id))
    found = queries.look_ups_listing(connection_id).page(Narrowing(), None, asked["page"], asked["page_size"])
    items = [{"id": row["key"], **{name: row[name] for name in ("made_at", "buyer", "confirmed_by", "found")}} for row in found.rows]
    budget = {
        "charges": registry.get_connector(connection.connector).charges_look_ups,
        "spent": queries.count_charged_look_ups(connection_id, g.today),
        "budget": connection.look_up_budget,
    }
    return listed(asked, found, items) | {"budget": budget}


@blueprint.post("/connections/<int:connection_id>/look-ups")
@requires(Permission.REQUEST_LIMITS)
@blueprint.arguments(NewLookUpSchema)
@blueprint.response(201, LookUpSchema)
def look_up(said: Mapping[str, Any], connection_id: int) -> Any:
    """Ask the insurer which of its companies a buyer is."""
    made = connections.look_up(g.actor, g.organisation.id, connection_id, said["buyer_id"], g.today, confirmed=said["confirmed"])
    return _look_up(made.id), 201, {"Location": url_for("api_look_ups.show", look_up_id=made.id)}


@blueprint.get("/look-ups/<int:look_up_id>")
@requires(Permission.VIEW_CONNECTIONS)
@blueprint.response(200, LookUpSchema)
def show(look_up_id: int) -> dict[str, Any]:
    """What a look-up found."""
    return _look_up(look_up_id)


@blueprint.post("/look-ups/<int:look_up_id>/take")
@requires(Permission.EDIT_BUYERS)
@blueprint.arguments(MatchSchema)
@blueprint.response(200, IdentifiedSchema)
def take_match(said: Mapping[str, Any], look_up_id: int) -> dict[str, Any]:
    """Say that a company that was found is the buyer."""
    buyer = connections.take_match(g.actor, g.organisation.id, look_up_id, said["company_id"])
    return {"buyer_id": buyer.id, "buyer": buyer.legal_name}


@blueprint.get("/differences/<int:difference_id>")
@requires(Permission.VIEW_CONNECTIONS)
@blueprint.response(200, DifferenceViewSchema)
def difference(difference_id: int) -> dict[str, Any]:
    """One difference: both sides, and why."""
    return _difference(difference_id)


@blueprint.post("/differences/<int:difference_id>/settle")
@requires(Permission.EDIT_LIMITS)
@blueprint.arguments(SettlementSchema)
@blueprint.response(200, DifferenceViewSchema)
def settle(said: Mapping[str, Any], difference_id: int) -> dict[str, Any]:
    """Take the insurer's word, or keep ours; what is kept comes back when either side changes."""
    if said["choice"] == "theirs":
        sync.accept_theirs(g.actor, g.organisation.id, difference_id, g.today, said["note"])
    else:
        sync.keep_ours(g.actor, g.organisation.id, difference_id, said["note"])
    return _difference(difference_id)

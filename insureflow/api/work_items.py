"""Work for people: what is open, who does it, and that it was done."""

# flask-smorest comes without types, and its decorators with it.
# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import g
from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from insureflow.api.fields import PageSchema, row_key
from insureflow.domain.access import Permission, requires
from insureflow.domain.errors import Refusal
from insureflow.domain.work import WorkKind, WorkOutcome
from insureflow.models.work_items import WorkItem
from insureflow.queries import work_items as queries
from insureflow.queries.listing import Narrowing
from insureflow.services import work_items
from insureflow.services.work_items import NOTE_LENGTH

blueprint = Blueprint("api_work_items", __name__, url_prefix="/work-items", description="Work for people.")


class WorkQuestionSchema(PageSchema):
    """Which work."""

    kind = fields.Enum(WorkKind, by_value=True, metadata={"description": "Only this kind; without it all."})
    mine = fields.Boolean(load_default=False, metadata={"description": "Only that of the key's owner, and what nobody has taken."})
    done = fields.Boolean(load_default=False, metadata={"description": "Work that is done as well."})


class AssignmentSchema(Schema):
    """Who does it; left out or null: nobody yet."""

    owner_id = row_key(load_default=None, allow_none=True, metadata={"description": "Key of a person of the organisation."})


class CompletionSchema(Schema):
    """How it ended; what is not needed takes a reason."""

    outcome = fields.Enum(WorkOutcome, by_value=True, load_default=WorkOutcome.DONE)
    note = fields.String(load_default="", validate=validate.Length(0, NOTE_LENGTH))


class WorkSchema(Schema):
    """A piece of work."""

    id = fields.Integer()
    kind = fields.String()
    state = fields.String()
    due_on = fields.Date(allow_none=True)
    buyer_id = fields.Integer(allow_none=True)
    policy_id = fields.Integer(allow_none=True)
    owner_id = fields.Integer(allow_none=True)
    facts = fields.Dict(metadata={"description": "Amounts, days and codes of its sentence."})
    created_at = fields.DateTime()
    done_at = fields.DateTime(allow_none=True)
    outcome = fields.String(allow_none=True)
    note = fields.String(allow_none=True)


class WorkPageSchema(Schema):
    """A page of work, the late and the next due first."""

    page = fields.Integer()
    page_size = fields.Integer()
    total = fields.Integer()
    items = fields.List(fields.Nested(WorkSchema))


def _shown(item: WorkItem) -> dict[str, Any]:
    return {
        "id": item.id,
        "kind": item.kind,
        "state": queries.state_of(item, g.today).value,
        "due_on": item.due_on,
        "buyer_id": item.buyer_id,
        "policy_id": item.policy_id,
        "owner_id": item.owner_id,
        "facts": item.facts,
        "created_at": item.created_at,
        "done_at": item.done_at,
        "outcome": item.outcome or None,
        "note": item.note or None,
    }


@blueprint.get("")
@requires(Permission.VIEW_OBLIGATIONS)
@blueprint.arguments(WorkQuestionSchema, location="query")
@blueprint.response(200, WorkPageSchema)
def index(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Work that is open, the late and the next due first."""
    listing = queries.work_listing(g.today, owner_id=g.user.id if asked["mine"] else None, with_done=asked["done"])
    choices = {"kind": [asked["kind"].value]} if "kind" in asked else {}
    found = listing.page(Narrowing(choices=choices), None, asked["page"], asked["page_size"])
    items = queries.find_items([int(row["number"]) for row in found.rows])
    return {"page": asked["page"], "page_size": asked["page_size"], "total": found.total_rows, "items": [_shown(item) for item in items]}


@blueprint.get("/<int:work_item_id>")
@requires(Permission.VIEW_OBLIGATIONS)
@blueprint.response(200, WorkSchema)
def show(work_item_id: int) -> dict[str, Any]:
    """One piece of work."""
    item = queries.find_item(work_item_id)
    if item is None:
        raise Refusal("work_unknown", work=str(work_item_id))
    return _shown(item)


@blueprint.post("/<int:work_item_id>/assign")
@requires(Permission.EDIT_OBLIGATIONS)
@blueprint.arguments(AssignmentSchema)
@blueprint.response(200, WorkSchema)
def assign(asked: Mapping[str, Any], work_item_id: int) -> dict[str, Any]:
    """Give the work to somebody, or to nobody."""
    return _shown(work_items.assign_item(g.actor, g.organisation.id, work_item_id, asked["owner_id"]))


@blueprint.post("/<int:work_item_id>/complete")
@requires(Permission.EDIT_OBLIGATIONS)
@blueprint.arguments(CompletionSchema)
@blueprint.response(200, WorkSchema)
def complete(asked: Mapping[str, Any], work_item_id: int) -> dict[str, Any]:
    """Record that it was done, or why it is not needed."""
    outcome, note = asked["outcome"], asked["note"]
    return _shown(work_items.finish_item(g.actor, g.organisation.id, work_item_id, outcome=outcome, note=note))


@blueprint.post("/<int:work_item_id>/reopen")
@requires(Permission.EDIT_OBLIGATIONS)
@blueprint.response(200, WorkSchema)
def reopen(work_item_id: int) -> dict[str, Any]:
    """Take back that it was done."""
    return _shown(work_items.reopen_item(g.actor, g.organisation.id, work_item_id))

"""Duties towards insurers: the list, each with its reasons, what was done about it, and what other terms would ask for."""

# flask-smorest comes without types, and its decorators with it.
# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import g
from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from insureflow.api.fields import ListSchema, MoneySchema, PageSchema, listed, money, row_key
from insureflow.api.limits import policy_of_number
from insureflow.domain.access import Permission, requires
from insureflow.domain.errors import Refusal
from insureflow.domain.obligations import ObligationKind
from insureflow.domain.policies import parse_terms, terms_to_data
from insureflow.queries.cover.policies import PolicyBook
from insureflow.queries.dashboard.duties import PressingDuty
from insureflow.queries.dashboard.duty_listing import DutyListing
from insureflow.queries.listing import Narrowing
from insureflow.queries.obligations.calendar import CalendarEntry, CalendarStatus, DutySelection, find_entry
from insureflow.queries.obligations.keeping import NOBODY, find_keeping
from insureflow.queries.obligations.simulation import KindCount, MovedDuty, simulate
from insureflow.services import obligations
from insureflow.services.obligations import NOTE_LENGTH, Mark
from insureflow.services.policies import with_overrides

blueprint = Blueprint("api_duties", __name__, url_prefix="/duties", description="Duties towards insurers.")

#: Most duties that an answer to "what if" lists.
_MOST_MOVED = 500


class DutyQuestionSchema(PageSchema):
    """Which duties."""

    kind = fields.Enum(ObligationKind, by_value=True)
    status = fields.Enum(CalendarStatus, by_value=True)
    policy = fields.String(metadata={"description": "Number of a policy; without it all."})
    buyer_id = row_key()
    due_from = fields.Date()
    due_to = fields.Date()
    owner = fields.String(validate=validate.OneOf(("mine", "nobody")), metadata={"description": "Those of the key's owner, or of nobody."})
    owner_id = row_key(metadata={"description": "Those of one person."})


class DutyRowSchema(Schema):
    """A duty in the list."""

    id = fields.Integer()
    kind = fields.String()
    status = fields.String()
    due_on = fields.Date()
    policy = fields.String()
    buyer_id = fields.Integer(allow_none=True)
    buyer = fields.String(allow_none=True)
    invoice_id = fields.Integer(allow_none=True)
    invoice = fields.String(allow_none=True)
    at_stake = fields.Nested(MoneySchema, allow_none=True, metadata={"description": "The cover that is lost with it."})
    done_on = fields.Date(allow_none=True)
    note = fields.String()
    owner_id = fields.Integer(allow_none=True)
    owner = fields.String(allow_none=True, metadata={"description": "Who looks after it."})


class DutySchema(DutyRowSchema):
    """One duty with the steps to its day."""

    basis = fields.String()
    steps = fields.List(fields.Dict())


class DutyPageSchema(ListSchema):
    """A page of duties: late ones first, then those to come by their day, then what is over."""

    items = fields.List(fields.Nested(DutyRowSchema))


class DoneSchema(Schema):
    """That a duty was done, and how that can be shown."""

    done_on = fields.Date(metadata={"description": "Left out: today."})
    note = fields.String(required=True, validate=validate.Length(1, NOTE_LENGTH))


class WaiverSchema(Schema):
    """Why a duty need not be done."""

    reason = fields.String(required=True, validate=validate.Length(1, NOTE_LENGTH))


class OwnerSchema(Schema):
    """Who looks after a duty; null: nobody."""

    owner_id = row_key(required=True, allow_none=True)


class WhatIfSchema(Schema):
    """What the terms would say otherwise: values by their paths, such as `{"overdue_notification.days": 45}`; null takes one away."""

    policy = fields.String(required=True, metadata={"description": "Number of the policy."})
    terms = fields.Dict(keys=fields.String(), required=True, validate=validate.Length(1, 50))


class DutyCountSchema(Schema):
    """The duties of a kind."""

    open = fields.Integer()
    late = fields.Integer()
    next_on = fields.Date(allow_none=True)


class ComparisonSchema(Schema):
    """The duties of a kind as they are and as they would be."""

    kind = fields.String()
    now = fields.Nested(DutyCountSchema)
    then = fields.Nested(DutyCountSchema)
    moved = fields.Integer()


class MovedSchema(Schema):
    """A duty that would fall due on another day; null: there is none now, or would be none."""

    kind = fields.String()
    buyer_id = fields.Integer(allow_none=True)
    buyer = fields.String(allow_none=True)
    invoice = fields.String(allow_none=True)
    now_on = fields.Date(allow_none=True)
    then_on = fields.Date(allow_none=True)
    is_late_now = fields.Boolean()
    is_late_then = fields.Boolean()
    at_stake = fields.Nested(MoneySchema, allow_none=True)


class SimulationSchema(Schema):
    """What would change; `moved` holds the duties that matter most, `moved_count` says how many there are in all."""

    kinds = fields.List(fields.Nested(ComparisonSchema))
    moved = fields.List(fields.Nested(MovedSchema))
    moved_count = fields.Integer()


def _row(duty_id: int, entry: CalendarEntry, status: CalendarStatus) -> dict[str, Any]:
    return {
        "id": duty_id,
        "kind": entry.key.kind,
        "status": status.value,
        "due_on": entry.key.due_on,
        "policy": entry.policy,
        "buyer_id": entry.key.buyer_id,
        "buyer": entry.buyer,
        "invoice_id": entry.key.invoice_id,
        "invoice": entry.invoice,
        "at_stake": money(entry.amount_minor, entry.currency),
        "done_on": entry.done_on,
        "note": entry.note,
    }


def _shown(duty_id: int) -> dict[str, Any]:
    entry = find_entry(duty_id, g.today)
    if entry is None:
        raise Refusal("obligation_unknown", obligation=str(duty_id))
    kept = find_keeping(entry.key)
    is_expected = PressingDuty(entry, 0).is_expected
    status = CalendarStatus.OPEN if is_expected and entry.status is CalendarStatus.LATE else entry.status
    return _row(duty_id, entry, status) | {
        "basis": entry.basis,
        "owner_id": kept.owner_id,
        "owner": kept.owner,
        "steps": entry.trace,
    }


@blueprint.get("")
@requires(Permission.VIEW_OBLIGATIONS)
@blueprint.arguments(DutyQuestionSchema, location="query")
@blueprint.response(200, DutyPageSchema)
def index(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The duties as they stand today."""
    policy_id = policy_of_number(asked["policy"]).id if "policy" in asked else None
    listing = DutyListing(DutySelection(g.today, g.today, (), policy_id, asked.get("buyer_id")), {})
    choices = {name: [asked[name].value] for name in ("kind", "status") if name in asked}
    owners = {str({"mine": g.user.id, "nobody": NOBODY}[asked["owner"]])} if "owner" in asked else set()
    owners |= {str(asked["owner_id"])} if "owner_id" in asked else set()
    if owners:
        choices["owner_id"] = sorted(owners)
    dates = {"due_on": (asked.get("due_from"), asked.get("due_to"))}
    found = listing.page(Narrowing(choices=choices, dates=dates), None, asked["page"], asked["page_size"])
    items = [
        _row(row["key"], row["duty"].entry, row["status"]) | {"owner_id": row["owner_id"] or None, "owner": row["owner"] or None}
        for row in found.rows
    ]
    return listed(asked, found, items)


@blueprint.get("/<int:duty_id>")
@requires(Permission.VIEW_OBLIGATIONS)
@blueprint.response(200, DutySchema)
def show(duty_id: int) -> dict[str, Any]:
    """One duty: why it falls due on its day, who looks after it, and what was done about it."""
    return _shown(duty_id)


@blueprint.post("/<int:duty_id>/done")
@requires(Permission.EDIT_OBLIGATIONS)
@blueprint.arguments(DoneSchema)
@blueprint.response(200, DutySchema)
def mark_done(said: Mapping[str, Any], duty_id: int) -> dict[str, Any]:
    """Record that a duty was done."""
    day = said.get("done_on") or g.today
    obligations.mark_obligation(g.actor, g.organisation.id, duty_id, Mark.DONE, on=day, note=said["note"], today=g.today)
    return _shown(duty_id)


@blueprint.post("/<int:duty_id>/waive")
@requires(Permission.EDIT_OBLIGATIONS)
@blueprint.arguments(WaiverSchema)
@blueprint.response(200, DutySchema)
def waive(said: Mapping[str, Any], duty_id: int) -> dict[str, Any]:
    """Record that a duty need not be done, and why."""
    obligations.mark_obligation(g.actor, g.organisation.id, duty_id, Mark.WAIVED, on=g.today, note=said["reason"], today=g.today)
    return _shown(duty_id)


@blueprint.post("/<int:duty_id>/reopen")
@requires(Permission.EDIT_OBLIGATIONS)
@blueprint.response(200, DutySchema)
def reopen(duty_id: int) -> dict[str, Any]:
    """Take back what was recorded about a duty."""
    obligations.undo_mark(g.actor, g.organisation.id, duty_id, today=g.today)
    return _shown(duty_id)


@blueprint.post("/<int:duty_id>/assign")
@requires(Permission.EDIT_OBLIGATIONS)
@blueprint.arguments(OwnerSchema)
@blueprint.response(200, DutySchema)
def assign(said: Mapping[str, Any], duty_id: int) -> dict[str, Any]:
    """Give a duty to somebody of the organisation, or to nobody."""
    obligations.assign_obligation(g.actor, g.organisation.id, duty_id, said["owner_id"])
    return _shown(duty_id)


def _count(count: KindCount) -> dict[str, Any]:
    return {"open": count.open, "late": count.late, "next_on": count.next_on}


def _moved(duty: MovedDuty) -> dict[str, Any]:
    return {
        "kind": duty.kind.value,
        "buyer_id": duty.buyer_id,
        "buyer": duty.buyer,
        "invoice": duty.invoice,
        "now_on": duty.now_on,
        "then_on": duty.then_on,
        "is_late_now": duty.is_late_now,
        "is_late_then": duty.is_late_then,
        "at_stake": money(duty.amount_minor, duty.currency),
    }


@blueprint.post("/what-if")
@requires(Permission.VIEW_OBLIGATIONS)
@blueprint.arguments(WhatIfSchema)
@blueprint.response(200, SimulationSchema)
def what_if(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The duties of a policy beside those it would have under other terms. Nothing is stored."""
    policy = PolicyBook.load().policies.get(policy_of_number(asked["policy"]).id)
    if policy is None or not policy.history:
        raise Refusal("no_terms", policy=asked["policy"])
    terms = parse_terms(with_overrides(terms_to_data(policy.terms_on(g.today)), asked["terms"]))
    result = simulate(DutySelection(g.today, g.today), policy.id, terms, rows=_MOST_MOVED)
    return {
        "kinds": [
            {"kind": each.kind.value, "now": _count(each.now), "then": _count(each.then), "moved": each.moved} for each in result.kinds
        ],
        "moved": [_moved(each) for each in result.moved],
        "moved_count": result.moved_count,
    }

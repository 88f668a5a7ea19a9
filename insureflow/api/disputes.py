"""Disputes: opened, the rest of the invoice collected or not, and how they ended."""

# flask-smorest comes without types, and its decorators with it.
# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import g
from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from insureflow.api.fields import DecimalText, ListSchema, MoneySchema, PageSchema, listed, money, row_key
from insureflow.domain.access import Permission, requires
from insureflow.domain.disputes import DisputeOutcome
from insureflow.domain.errors import Refusal
from insureflow.domain.money import to_minor
from insureflow.queries import receivables as queries
from insureflow.queries.listing import Narrowing
from insureflow.queries.receivables import DisputeState
from insureflow.services import receivables

blueprint = Blueprint("api_disputes", __name__, description="Disputes about invoices.")


class DisputeQuestionSchema(PageSchema):
    """Which disputes."""

    state = fields.Enum(DisputeState, by_value=True)
    buyer_id = row_key()


class DisputeRowSchema(Schema):
    """A dispute in a list."""

    id = fields.Integer()
    invoice_id = fields.Integer()
    invoice = fields.String()
    buyer_id = fields.Integer()
    buyer = fields.String()
    state = fields.String()
    disputed = fields.Nested(MoneySchema)
    found_owed = fields.Nested(MoneySchema, allow_none=True)
    opened_on = fields.Date()
    resolved_on = fields.Date(allow_none=True)
    reason = fields.String()


class DisputeSchema(DisputeRowSchema):
    """A dispute as it stands."""

    outcome = fields.String(allow_none=True)
    reference = fields.String(allow_none=True)
    is_ring_fenced = fields.Boolean(metadata={"description": "The rest of the invoice is collected meanwhile."})


class DisputePageSchema(ListSchema):
    """A page of disputes, newest first."""

    items = fields.List(fields.Nested(DisputeRowSchema))


class NewDisputeSchema(Schema):
    """What a buyer disputes of an invoice, in the invoice's currency."""

    amount = DecimalText(required=True)
    opened_on = fields.Date(metadata={"description": "Left out: today."})
    reason = fields.String(required=True, validate=validate.Length(1, 1000))
    is_ring_fenced = fields.Boolean(load_default=True)


class RingFenceSchema(Schema):
    """Whether the rest of the invoice is collected meanwhile."""

    is_ring_fenced = fields.Boolean(required=True)


class ResolutionSchema(Schema):
    """How a dispute ended; `found_owed` is in the invoice's currency."""

    found_owed = DecimalText(required=True)
    resolved_on = fields.Date(metadata={"description": "Left out: today."})
    outcome = fields.Enum(DisputeOutcome, by_value=True, required=True)
    reference = fields.String(load_default="", validate=validate.Length(0, 200))


def _found(dispute_id: int) -> queries.DisputeEntry:
    found = queries.find_dispute(dispute_id)
    if found is None:
        raise Refusal("dispute_unknown", dispute=str(dispute_id))
    return found


def _shown(dispute_id: int) -> dict[str, Any]:
    found = _found(dispute_id)
    dispute, invoice = found.dispute, found.invoice
    return {
        "id": dispute.id,
        "invoice_id": invoice.id,
        "invoice": invoice.number,
        "buyer_id": found.buyer.id,
        "buyer": found.buyer.legal_name,
        "state": (DisputeState.GOING_ON if dispute.resolved_on is None else DisputeState.RESOLVED).value,
        "disputed": money(dispute.amount_minor, invoice.currency),
        "found_owed": money(dispute.found_owed_minor, invoice.currency),
        "opened_on": dispute.opened_on,
        "resolved_on": dispute.resolved_on,
        "reason": dispute.reason,
        "outcome": None if dispute.outcome is None else dispute.outcome.value,
        "reference": dispute.reference or None,
        "is_ring_fenced": dispute.is_ring_fenced,
    }


@blueprint.get("/disputes")
@requires(Permission.VIEW_RECEIVABLES)
@blueprint.arguments(DisputeQuestionSchema, location="query")
@blueprint.response(200, DisputePageSchema)
def index(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The disputes, newest first."""
    choices = {}
    if "state" in asked:
        choices["state"] = [asked["state"].value]
    if "buyer_id" in asked:
        choices["buyer_id"] = [str(asked["buyer_id"])]
    found = queries.disputes_listing(g.today).page(Narrowing(choices=choices), None, asked["page"], asked["page_size"])
    items = [
        {
            **{name: row[name] for name in ("invoice_id", "buyer_id", "buyer", "opened_on", "resolved_on", "reason")},
            "id": row["key"],
            "invoice": row["number"],
            "state": DisputeState(row["state"]).value,
            "disputed": money(*row["amount"]),
            "found_owed": None if row["found_owed"] is None else money(*row["found_owed"]),
        }
        for row in found.rows
    ]
    return listed(asked, found, items)


@blueprint.get("/disputes/<int:dispute_id>")
@requires(Permission.VIEW_RECEIVABLES)
@blueprint.response(200, DisputeSchema)
def show(dispute_id: int) -> dict[str, Any]:
    """One dispute as it stands."""
    return _shown(dispute_id)


@blueprint.post("/invoices/<int:invoice_id>/disputes")
@requires(Permission.EDIT_RECEIVABLES)
@blueprint.arguments(NewDisputeSchema)
@blueprint.response(201, DisputeSchema)
def open_dispute(said: Mapping[str, Any], invoice_id: int) -> dict[str, Any]:
    """Record that a buyer disputes a part of an invoice; cover follows."""
    found = queries.find_invoice(invoice_id, g.today)
    if found is None:
        raise Refusal("receivable_unknown", invoice=str(invoice_id))
    dispute = receivables.open_dispute(
        g.actor,
        g.organisation.id,
        invoice_id,
        amount_minor=to_minor(said["amount"], found.invoice.currency, path="amount"),
        opened_on=said.get("opened_on") or g.today,
        reason=said["reason"],
        on=g.today,
        is_ring_fenced=said["is_ring_fenced"],
    )
    return _shown(dispute.id)


@blueprint.post("/disputes/<int:dispute_id>/ring-fence")
@requires(Permission.EDIT_RECEIVABLES)
@blueprint.arguments(RingFenceSchema)
@blueprint.response(200, DisputeSchema)
def ring_fence(said: Mapping[str, Any], dispute_id: int) -> dict[str, Any]:
    """Go on collecting the rest of the invoice, or let the whole invoice wait."""
    receivables.ring_fence(g.actor, g.organisation.id, dispute_id, is_ring_fenced=said["is_ring_fenced"])
    return _shown(dispute_id)


@blueprint.post("/disputes/<int:dispute_id>/resolve")
@requires(Permission.EDIT_RECEIVABLES)
@blueprint.arguments(ResolutionSchema)
@blueprint.response(200, DisputeSchema)
def resolve(said: Mapping[str, Any], dispute_id: int) -> dict[str, Any]:
    """Record how a dispute ended; cover follows."""
    owed = to_minor(said["found_owed"], _found(dispute_id).invoice.currency, path="found_owed")
    receivables.resolve_dispute(
        g.actor,
        g.organisation.id,
        dispute_id,
        found_owed_minor=owed,
        resolved_on=said.get("resolved_on") or g.today,
        on=g.today,
        outcome=said["outcome"],
        reference=said["reference"],
    )
    return _shown(dispute_id)

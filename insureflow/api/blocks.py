"""Blocks on shipments: who is blocked and why, set and lifted, invoices set aside and counted again."""

# flask-smorest comes without types, and its decorators with it.
# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flask import g
from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from insureflow.api.fields import ListSchema, MoneySchema, PageSchema, listed, money
from insureflow.domain.access import Permission, requires
from insureflow.domain.blocks import Block, ExceptionReason, StoppingInvoice
from insureflow.queries import blocks as queries
from insureflow.queries import organisations as organisation_queries
from insureflow.queries import shipping as shipping_queries
from insureflow.queries.listing import Narrowing
from insureflow.services import blocks
from insureflow.services.blocks import NOTE_LENGTH

blueprint = Blueprint("api_blocks", __name__, description="Blocks on shipments.")


class StoppingInvoiceSchema(Schema):
    """An overdue invoice beyond its maximum extension period."""

    invoice_id = fields.Integer()
    number = fields.String()
    open = fields.Nested(MoneySchema)
    original_due_on = fields.Date()
    extension_end = fields.Date()
    set_aside = fields.String(allow_none=True, metadata={"description": "Why it does not count for the block, if it does not."})


class CauseSchema(Schema):
    """One reason for a block."""

    source = fields.String()
    since = fields.Date()
    policy = fields.String(allow_none=True)
    block_id = fields.Integer(allow_none=True, metadata={"description": "Key of a block that somebody set."})
    plan_id = fields.Integer(allow_none=True, metadata={"description": "Key of the payment plan that is broken."})
    reason = fields.String()
    invoices = fields.List(fields.Nested(StoppingInvoiceSchema))


class ExceptionSchema(Schema):
    """An invoice that was set aside."""

    id = fields.Integer()
    invoice = fields.String()
    reason = fields.String()
    note = fields.String()
    from_on = fields.Date()
    until_on = fields.Date(allow_none=True, metadata={"description": "The first day on which it counts again."})


class HandBlockSchema(Schema):
    """A block that somebody set."""

    id = fields.Integer()
    reason = fields.String()
    with_group = fields.Boolean()
    from_on = fields.Date()
    lifted_on = fields.Date(allow_none=True)
    lifted_note = fields.String(allow_none=True)


class BlockSchema(Schema):
    """Whether anything may be shipped to a buyer on credit, and why not."""

    buyer_id = fields.Integer()
    buyer = fields.String()
    is_blocked = fields.Boolean()
    is_cover_stopped = fields.Boolean(metadata={"description": "The policy covers no new shipment, blocked or not."})
    since = fields.Date(allow_none=True)
    causes = fields.List(fields.Nested(CauseSchema))
    set_aside = fields.List(fields.Nested(StoppingInvoiceSchema))


class BuyerBlockSchema(BlockSchema):
    """The block of one buyer, with all that was ever set by hand or set aside."""

    by_hand = fields.List(fields.Nested(HandBlockSchema))
    exceptions = fields.List(fields.Nested(ExceptionSchema))


class BlockedSchema(BlockSchema):
    """A buyer in the list of blocks."""

    blocked_members = fields.List(fields.Integer(), metadata={"description": "Keys of the subsidiaries that are blocked."})


class BlockQuestionSchema(PageSchema):
    """Whose blocks."""

    search = fields.String(load_default="", validate=validate.Length(0, 200), metadata={"description": "Part of a buyer's name."})
    state = fields.String(
        validate=validate.OneOf([state.rpartition(".")[2] for state in queries.STATES]),
        metadata={"description": "Blocked; not covered, though not blocked; or with a blocked company in its group."},
    )
    country = fields.String(validate=validate.Regexp(r"^[A-Z]{2}$"))


class BlocksSchema(ListSchema):
    """A page of those who are blocked, the latest block first."""

    items = fields.List(fields.Nested(BlockedSchema))


class NewBlockSchema(Schema):
    """A block set by hand, from today on."""

    reason = fields.String(required=True, validate=validate.Length(1, NOTE_LENGTH))
    with_group = fields.Boolean(load_default=False)


class LiftSchema(Schema):
    """Why a block ends."""

    note = fields.String(required=True, validate=validate.Length(1, NOTE_LENGTH))


class AsideSchema(Schema):
    """Why an invoice does not count."""

    reason = fields.Enum(ExceptionReason, by_value=True, required=True)
    note = fields.String(required=True, validate=validate.Length(1, NOTE_LENGTH))
    until_on = fields.Date(metadata={"description": "The first day on which it counts again; left out, until somebody says so."})


def _invoices(found: Iterable[StoppingInvoice]) -> list[dict[str, Any]]:
    return [
        {
            "invoice_id": each.invoice_id,
            "number": each.number,
            "open": money(each.open_minor, each.currency),
            "original_due_on": each.original_due_on,
            "extension_end": each.extension_end,
            "set_aside": None if each.set_aside is None else each.set_aside.value,
        }
        for each in found
    ]


def _block(buyer_id: int, name: str, block: Block, numbers: Mapping[int, str]) -> dict[str, Any]:
    return {
        "buyer_id": buyer_id,
        "buyer": name,
        "is_blocked": block.is_blocked,
        "is_cover_stopped": block.is_cover_stopped,
        "since": block.since,
        "causes": [
            {
                "source": cause.source.value,
                "since": cause.since,
                "policy": numbers.get(cause.policy_id or 0),
                "block_id": cause.block_id,
                "plan_id": cause.plan_id,
                "reason": cause.reason,
                "invoices": _invoices(cause.invoices),
            }
            for cause in block.causes
        ],
        "set_aside": _invoices(block.set_aside),
    }


def _numbers() -> dict[int, str]:
    return {policy.id: policy.number for policy in organisation_queries.list_policies()}


def _shown(buyer_id: int) -> dict[str, Any]:
    buyer = shipping_queries.get_buyer(buyer_id)
    return _block(buyer.id, buyer.legal_name, queries.find_block(buyer.id, g.today), _numbers()) | {
        "by_hand": [
            {
                "id": row.id,
                "reason": row.reason,
                "with_group": row.with_group,
                "from_on": row.from_on,
                "lifted_on": row.lifted_on,
                "lifted_note": row.lifted_note or None,
            }
            for row in queries.hand_blocks_of(buyer.id)
        ],
        "exceptions": [
            {
                "id": row.id,
                "invoice": row.invoice_number,
                "reason": row.reason.value,
                "note": row.note,
                "from_on": row.from_on,
                "until_on": row.until_on,
            }
            for row in queries.exceptions_of(buyer.id)
        ],
    }


@blueprint.get("/blocks")
@requires(Permission.VIEW_OBLIGATIONS)
@blueprint.arguments(BlockQuestionSchema, location="query")
@blueprint.response(200, BlocksSchema)
def index(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Everybody who is blocked, whose cover is stopped all the same, or with a blocked company in its group."""
    choices = {"state": [f"BlockState.{asked['state']}"]} if "state" in asked else {}
    if "country" in asked:
        choices["country"] = [asked["country"]]
    wanted = Narrowing(asked["search"], choices)
    found, numbers = queries.BlockListing(g.today).page(wanted, None, asked["page"], asked["page_size"]), _numbers()
    items = [
        _block(row["key"], row["buyer"], row["block"], numbers) | {"blocked_members": [key for key, _name in row["blocked_members"]]}
        for row in found.rows
    ]
    return listed(asked, found, items)


@blueprint.get("/buyers/<int:buyer_id>/block")
@requires(Permission.VIEW_OBLIGATIONS)
@blueprint.response(200, BuyerBlockSchema)
def of_buyer(buyer_id: int) -> dict[str, Any]:
    """Whether a buyer is blocked, and why."""
    return _shown(buyer_id)


@blueprint.post("/buyers/<int:buyer_id>/block")
@requires(Permission.LIFT_BLOCKS)
@blueprint.arguments(NewBlockSchema)
@blueprint.response(201, BuyerBlockSchema)
def set_block(said: Mapping[str, Any], buyer_id: int) -> dict[str, Any]:
    """Block a buyer from today on, with its subsidiaries if asked."""
    blocks.set_block(g.actor, g.organisation.id, buyer_id, reason=said["reason"], from_on=g.today, with_group=said["with_group"])
    return _shown(buyer_id)


@blueprint.post("/blocks/<int:block_id>/lift")
@requires(Permission.LIFT_BLOCKS)
@blueprint.arguments(LiftSchema)
@blueprint.response(200, BuyerBlockSchema)
def lift(said: Mapping[str, Any], block_id: int) -> dict[str, Any]:
    """Lift a block that was set by hand."""
    return _shown(blocks.lift_block(g.actor, g.organisation.id, block_id, note=said["note"], on=g.today).buyer_id)


@blueprint.post("/blocks/invoices/<int:invoice_id>/set-aside")
@requires(Permission.LIFT_BLOCKS)
@blueprint.arguments(AsideSchema)
@blueprint.response(200, BuyerBlockSchema)
def set_aside(said: Mapping[str, Any], invoice_id: int) -> dict[str, Any]:
    """Let an overdue invoice not count for the block; what is shipped then is still not covered."""
    entry = blocks.set_aside(
        g.actor, g.organisation.id, invoice_id, reason=said["reason"], note=said["note"], on=g.today, until_on=said.get("until_on")
    )
    return _shown(entry.buyer_id)


@blueprint.post("/blocks/exceptions/<int:exception_id>/end")
@requires(Permission.LIFT_BLOCKS)
@blueprint.response(200, BuyerBlockSchema)
def count_again(exception_id: int) -> dict[str, Any]:
    """Let an invoice count again that was set aside."""
    return _shown(blocks.count_again(g.actor, g.organisation.id, exception_id, on=g.today).buyer_id)

"""What an insurer's interface shows beside limits, and word to it that a sale was paid."""

# flask-smorest comes without types, and its decorators with it.
# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import g
from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from insureflow.api.errors import locale
from insureflow.api.fields import DecimalText, MoneySchema, money
from insureflow.domain.access import Permission, requires
from insureflow.domain.errors import Refusal
from insureflow.domain.money import to_minor
from insureflow.i18n.words import word
from insureflow.models.connections import InsurerConnection
from insureflow.queries import connections as queries
from insureflow.queries import organisations as organisation_queries
from insureflow.services import connections

blueprint = Blueprint("api_insurer_papers", __name__, url_prefix="/connections", description="Papers of insurers, and word of payments.")


class PaperQuestionSchema(Schema):
    """Which paper; without one nothing is asked of the insurer."""

    paper = fields.String(validate=validate.Length(1, 80), metadata={"description": "Name of a paper that the interface offers."})
    number = fields.List(
        fields.String(validate=validate.Length(1, 80)),
        load_default=list,
        metadata={"description": "The numbers it asks for, such as that of the claim file; repeated where it asks for two."},
    )


class OfferedPaperSchema(Schema):
    """A paper that the insurer's interface shows."""

    name = fields.String()
    what = fields.String(metadata={"description": "What it is, in the language asked for by Accept-Language."})
    numbers = fields.Integer(metadata={"description": "How many numbers it asks for."})


class InsurerPapersSchema(Schema):
    """The papers on offer, and the rows of the one that was asked for."""

    offered = fields.List(fields.Nested(OfferedPaperSchema))
    paper = fields.String(allow_none=True)
    rows = fields.List(fields.Dict(), allow_none=True, metadata={"description": "In the insurer's own words; nothing of it is kept."})


class NewPaymentSchema(Schema):
    """A payment as an insurer is told of it."""

    client = fields.String(required=True, validate=validate.Length(1, 80), metadata={"description": "The insurer's number of the debtor."})
    sale = fields.String(
        required=True,
        validate=validate.Length(1, 80),
        metadata={"description": "The insurer's number of the sale, as its list of sales shows it."},
    )
    collected_on = fields.Date(required=True)
    amount = DecimalText(required=True, metadata={"description": "In the currency of the policy's limits."})


class ToldPaymentSchema(Schema):
    """Word of a payment that waits in the outbox; it leaves with the next delivery."""

    id = fields.Integer()
    reference = fields.String(metadata={"description": "Our own reference of the message."})
    state = fields.String()
    client = fields.String()
    sale = fields.String()
    collected_on = fields.Date()
    amount = fields.Nested(MoneySchema)


def _connection(connection_id: int) -> InsurerConnection:
    found = queries.find_connection(connection_id)
    if found is None:
        raise Refusal("connection_unknown", connection=str(connection_id))
    return found


@blueprint.get("/<int:connection_id>/papers")
@requires(Permission.VIEW_CONNECTIONS)
@blueprint.arguments(PaperQuestionSchema, location="query")
@blueprint.response(200, InsurerPapersSchema)
def papers(asked: Mapping[str, Any], connection_id: int) -> dict[str, Any]:
    """The papers that the insurer shows; with `paper`, that one as the insurer answers now."""
    offered = connections.papers_of(_connection(connection_id).connector)
    name = asked.get("paper")
    return {
        "offered": [{"name": each, "what": word(f"InsurerPaper.{each}", locale()), "numbers": count} for each, count in offered.items()],
        "paper": name,
        "rows": None if name is None else connections.read_paper(g.organisation.id, connection_id, name, asked["number"]),
    }


@blueprint.post("/<int:connection_id>/payments")
@requires(Permission.MANAGE_CONNECTIONS)
@blueprint.arguments(NewPaymentSchema)
@blueprint.response(201, ToldPaymentSchema)
def tell_payment(said: Mapping[str, Any], connection_id: int) -> dict[str, Any]:
    """Have the insurer told that a sale it knows was paid. This leaves the house and cannot be taken back."""
    policy_id = _connection(connection_id).policy_id
    currency = next(policy.limit_currency for policy in organisation_queries.list_policies() if policy.id == policy_id)
    amount_minor = to_minor(said["amount"], currency, path="amount")
    message = connections.declare_collection(
        g.actor, g.organisation.id, connection_id, said["client"], said["sale"], said["collected_on"], amount_minor, g.today
    )
    return {
        "id": message.id,
        "reference": message.own_reference,
        "state": message.state.value,
        "client": message.payload["client"],
        "sale": message.payload["sale"],
        "collected_on": said["collected_on"],
        "amount": money(amount_minor, currency),
    }

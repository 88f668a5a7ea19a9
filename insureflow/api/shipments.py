"""May I ship? Asked by a shop or an order system, kept with the order, reserved and released."""

# flask-smorest comes without types, and its decorators with it.
# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import g, url_for
from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from insureflow.api.errors import locale
from insureflow.api.fields import DecimalText, MoneySchema, currency, minor_of, money, row_key
from insureflow.domain.access import Permission, requires
from insureflow.domain.errors import InvalidValue, Refusal
from insureflow.i18n.shipping import answer_sentence, remedy_sentence
from insureflow.models.shipments import ShipmentCheck
from insureflow.queries import shipping as queries
from insureflow.services import shipping
from insureflow.services.shipping import ShipQuestion

blueprint = Blueprint("api_shipments", __name__, description="May I ship?")

#: What only those see who may see limits.
_BEHIND = ("headroom_before", "headroom_after", "insured_percentage", "reservations", "reasons")


class QuestionSchema(Schema):
    """A planned shipment. The buyer is named by its key or by its customer number."""

    buyer_id = row_key()
    customer_number = fields.String(validate=validate.Length(1, 60))
    entity = fields.String(metadata={"description": "Code of the company that ships; without it as usual for this buyer."})
    amount = DecimalText(required=True, metadata={"description": "What will be invoiced, without tax."})
    currency = currency(required=True)
    terms = fields.Integer(
        required=True,
        validate=validate.Range(0, shipping.LONGEST_TERMS),
        metadata={"description": "Terms of payment in days from the invoice."},
    )
    date = fields.Date(metadata={"description": "Day of shipment; without it today."})
    order = fields.String(
        load_default="", validate=validate.Length(0, shipping.REFERENCE_LENGTH), metadata={"description": "The order's reference."}
    )
    explain = fields.Boolean(load_default=False, metadata={"description": "Say also what would help and how it was worked out. Slower."})


class OrderSchema(QuestionSchema):
    """A planned shipment whose answer is kept with the order."""

    explain = fields.Boolean(
        load_default=True,
        metadata={"description": "Keep also what would help and how it was worked out; false is faster for buyers with many invoices."},
    )
    reserve_until = fields.Date(metadata={"description": "Keep the covered part free for the order up to this day."})


class RemedySchema(Schema):
    """Something that would bring the shipment, or more of it, into cover."""

    kind = fields.String()
    sentence = fields.String()
    amount = fields.Nested(MoneySchema, allow_none=True)
    days = fields.Integer(allow_none=True)
    on = fields.String(allow_none=True)
    covered_after = fields.Nested(MoneySchema)
    is_sufficient = fields.Boolean()
    together_with = fields.String(allow_none=True)


class ReasonSchema(Schema):
    """A part that is not covered, and why."""

    reason = fields.String()
    amount = fields.Nested(MoneySchema)


class AnswerSchema(Schema):
    """The answer. Headroom, reasons and trace are given to keys that may see limits."""

    buyer_id = fields.Integer()
    entity = fields.String()
    verdict = fields.String(validate=validate.OneOf(["covered", "partly", "not_covered"]))
    sentence = fields.String(metadata={"description": "The answer for people, in the language asked for by Accept-Language."})
    amount = fields.Nested(MoneySchema)
    covered = fields.Nested(MoneySchema)
    uncovered = fields.Nested(MoneySchema)
    why = fields.String(allow_none=True, metadata={"description": "The reason behind most of what is not covered."})
    is_stopped = fields.Boolean()
    blocked_because = fields.List(
        fields.String(), metadata={"description": "Blocks that people set: nothing leaves for this buyer on credit."}
    )
    days_too_long = fields.Integer()
    due_on = fields.String()
    remedies = fields.List(fields.Nested(RemedySchema))
    reasons = fields.List(fields.Nested(ReasonSchema))
    headroom_before = fields.Nested(MoneySchema)
    headroom_after = fields.Nested(MoneySchema)
    insured_percentage = fields.String(allow_none=True)
    reservations = fields.List(fields.Integer())
    trace = fields.List(fields.Dict())


class KeptSchema(AnswerSchema):
    """An answer as it was given, and what it still keeps."""

    id = fields.Integer()
    order = fields.String()
    asked_on = fields.Date()
    date = fields.Date()
    terms = fields.Integer()
    shipment = fields.Nested(MoneySchema)
    reserved_until = fields.Date(allow_none=True)
    is_reserved = fields.Boolean(metadata={"description": "Whether it keeps something free today."})
    is_invoiced = fields.Boolean()


def _question(asked: Mapping[str, Any]) -> ShipQuestion:
    entity_id = queries.entity_of_code(asked["entity"]) if "entity" in asked else None
    if "buyer_id" not in asked and "customer_number" not in asked:
        raise InvalidValue("shipment_buyer_needed", "buyer_id")
    day: date = asked.get("date") or g.today
    return ShipQuestion(
        buyer_id=asked["buyer_id"] if "buyer_id" in asked else queries.buyer_of_number(asked["customer_number"], entity_id),
        amount_minor=minor_of(asked),
        currency=asked["currency"],
        ship_on=day,
        credit_terms_days=asked["terms"],
        entity_id=entity_id,
        order_reference=asked["order"],
    )


def _shown(data: Mapping[str, Any], trace: list[Any] | None) -> dict[str, Any]:
    """What this caller may see of an answer."""
    said = {name: value for name, value in data.items() if name not in _BEHIND}
    said["sentence"] = answer_sentence(data, locale())
    said["remedies"] = [{**each, "sentence": remedy_sentence(each, locale())} for each in data["remedies"]]
    if Permission.VIEW_LIMITS in g.permissions:
        said |= {name: data[name] for name in _BEHIND} | ({"trace": trace} if trace else {})
    return said


def _kept(check: ShipmentCheck, *, explain: bool = True) -> dict[str, Any]:
    entity = queries.get_entity(check.entity_id, check.buyer_id)
    return _shown(check.answer, check.trace if explain else None) | {
        "id": check.id,
        "buyer_id": check.buyer_id,
        "entity": entity.code,
        "order": check.order_reference,
        "asked_on": check.asked_on,
        "date": check.ship_on,
        "terms": check.credit_terms_days,
        "shipment": money(check.amount_minor, check.currency),
        "reserved_until": check.reserved_until,
        "is_reserved": queries.is_kept(check.id, g.today),
        "is_invoiced": queries.is_invoiced(check.id),
    }


def _owner_id() -> int | None:
    return None if Permission.VIEW_LIMITS in g.permissions else int(g.user.id)


def _get(check_id: int) -> ShipmentCheck:
    check = queries.find_check(check_id)
    if check is None or _owner_id() not in (None, check.created_by_id):
        raise Refusal("shipment_check_unknown", check=str(check_id))
    return check


@blueprint.get("/ship-check")
@requires(Permission.ASK_SHIPMENT)
@blueprint.arguments(QuestionSchema, location="query")
@blueprint.response(200, AnswerSchema)
def ask(asked: Mapping[str, Any]) -> dict[str, Any]:
    """May I ship? Nothing is stored or reserved."""
    explain = asked["explain"]
    answered = shipping.ask(_question(asked), g.today, with_remedies=explain, with_trace=explain)
    trace = answered.answer.trace.to_list() if explain else None
    return _shown(answered.data, trace) | {"buyer_id": answered.buyer.id, "entity": answered.entity.code}


@blueprint.post("/ship-checks")
@requires(Permission.ASK_SHIPMENT)
@blueprint.arguments(OrderSchema)
@blueprint.response(201, KeptSchema)
def decide(asked: Mapping[str, Any]) -> Any:
    """Ask, and keep the answer with the order; with `reserve_until` the covered part stays free for it.

    Asked again for the same order with a reservation, the earlier reservation is released.
    """
    check = shipping.decide(
        g.actor,
        g.organisation.id,
        _question(asked),
        g.today,
        reserve_until=asked.get("reserve_until"),
        with_remedies=asked["explain"],
        with_trace=asked["explain"],
    )
    return _kept(check, explain=asked["explain"]), 201, {"Location": url_for("api_shipments.show", shipment_check_id=check.id)}


@blueprint.get("/ship-checks/<int:shipment_check_id>")
@requires(Permission.ASK_SHIPMENT)
@blueprint.response(200, KeptSchema)
def show(shipment_check_id: int) -> dict[str, Any]:
    """An answer as it was given. A key without a view of limits finds the answers of its owner."""
    return _kept(_get(shipment_check_id))


@blueprint.post("/ship-checks/<int:shipment_check_id>/release")
@requires(Permission.ASK_SHIPMENT)
@blueprint.response(200, KeptSchema)
def release(shipment_check_id: int) -> dict[str, Any]:
    """Give back what is kept for the order."""
    check = shipping.release(g.actor, g.organisation.id, shipment_check_id, g.today, owner_id=_owner_id())
    return _kept(check)


class InvoicedSchema(Schema):
    """The invoice that an order became."""

    invoice = fields.String(required=True, validate=validate.Length(1, 80))


@blueprint.post("/ship-checks/<int:shipment_check_id>/invoiced")
@requires(Permission.ASK_SHIPMENT)
@blueprint.arguments(InvoicedSchema)
@blueprint.response(200, KeptSchema)
def invoiced(said: Mapping[str, Any], shipment_check_id: int) -> dict[str, Any]:
    """Say which invoice the order became, where the invoice does not carry the order's reference."""
    check = shipping.mark_invoiced(g.actor, g.organisation.id, shipment_check_id, said["invoice"], owner_id=_owner_id())
    return _kept(check)

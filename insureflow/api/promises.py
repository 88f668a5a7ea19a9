"""Promises to pay: written down, listed with how they stand, taken back."""

# flask-smorest comes without types, and its decorators with it.
# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import g
from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from insureflow.api.fields import ListSchema, MoneySchema, PageSchema, listed, minor_of, money, row_key
from insureflow.domain.access import Permission, requires
from insureflow.domain.dunning import PromiseState
from insureflow.domain.money import Money
from insureflow.queries import dunning as queries
from insureflow.queries import shipping as shipping_queries
from insureflow.queries.dunning import PromisePicture
from insureflow.queries.listing import Narrowing
from insureflow.queries.promise_listing import promise_listing
from insureflow.services import dunning

blueprint = Blueprint("api_promises", __name__, description="Promises to pay.")


class NewPromiseSchema(Schema):
    """What a buyer promised to pay, and by when."""

    promised = fields.Nested(MoneySchema, required=True)
    promised_for = fields.Date(required=True)
    by_whom = fields.String(load_default="", validate=validate.Length(0, 200))
    invoices = fields.List(fields.String(validate=validate.Length(1, 80)), load_default=list, validate=validate.Length(0, 200))
    note = fields.String(load_default="", validate=validate.Length(0, 1000))


class PromiseSchema(Schema):
    """A promise, and what came of it so far."""

    id = fields.Integer()
    buyer_id = fields.Integer()
    state = fields.String()
    promised = fields.Nested(MoneySchema)
    received = fields.Nested(MoneySchema)
    made_on = fields.Date()
    promised_for = fields.Date()
    by_whom = fields.String()
    invoices = fields.List(fields.String())
    note = fields.String()


class PromisesSchema(Schema):
    """Promises of a buyer."""

    items = fields.List(fields.Nested(PromiseSchema))


class PromiseQuestionSchema(PageSchema):
    """Which promises."""

    state = fields.Enum(PromiseState, by_value=True)
    buyer_id = row_key()


class PromisePageSchema(ListSchema):
    """A page of promises, the earliest promised first."""

    items = fields.List(fields.Nested(PromiseSchema))


def _promise(picture: PromisePicture) -> dict[str, Any]:
    promise = picture.promise
    return {
        "id": promise.id,
        "buyer_id": promise.buyer_id,
        "state": picture.state.value,
        "promised": money(promise.amount_minor, promise.currency),
        "received": money(picture.received_minor, promise.currency),
        "made_on": promise.made_on,
        "promised_for": promise.promised_for,
        "by_whom": promise.by_whom,
        "invoices": promise.invoices,
        "note": promise.note,
    }


def _stored_promise(buyer_id: int, promise_id: int) -> dict[str, Any]:
    return next(_promise(each) for each in queries.promise_pictures(g.today, buyer_id=buyer_id) if each.promise.id == promise_id)


@blueprint.get("/promises")
@requires(Permission.VIEW_RECEIVABLES)
@blueprint.arguments(PromiseQuestionSchema, location="query")
@blueprint.response(200, PromisePageSchema)
def promises(asked: Mapping[str, Any]) -> dict[str, Any]:
    """All promises that nobody took back, with how they stand today."""
    choices = {"state": [asked["state"].value]} if "state" in asked else {}
    listing = promise_listing(g.today, buyer_id=asked.get("buyer_id"), with_cancelled=asked.get("state") is PromiseState.CANCELLED)
    found = listing.page(Narrowing(choices=choices), None, asked["page"], asked["page_size"])
    names = ("buyer_id", "made_on", "promised_for", "by_whom", "invoices", "note")
    items = [
        {
            **{name: row[name] for name in names},
            **{name: money(*row[name]) for name in ("promised", "received")},
            "id": row["key"],
            "state": PromiseState(row["state"]).value,
        }
        for row in found.rows
    ]
    return listed(asked, found, items)


@blueprint.get("/buyers/<int:buyer_id>/promises")
@requires(Permission.VIEW_RECEIVABLES)
@blueprint.response(200, PromisesSchema)
def promises_of(buyer_id: int) -> dict[str, Any]:
    """The promises of a buyer."""
    buyer = shipping_queries.get_buyer(buyer_id)
    return {"items": [_promise(each) for each in queries.promise_pictures(g.today, buyer_id=buyer.id)]}


@blueprint.post("/buyers/<int:buyer_id>/promises")
@requires(Permission.SEND_LETTERS)
@blueprint.arguments(NewPromiseSchema)
@blueprint.response(201, PromiseSchema)
def promise(said: Mapping[str, Any], buyer_id: int) -> dict[str, Any]:
    """Write down what a buyer promised; letters about it wait until then."""
    made = dunning.add_promise(
        g.actor,
        g.organisation.id,
        buyer_id,
        Money(minor_of(said["promised"], "promised.amount"), said["promised"]["currency"]),
        made_on=g.today,
        promised_for=said["promised_for"],
        by_whom=said["by_whom"],
        invoices=said["invoices"],
        note=said["note"],
    )
    return _stored_promise(buyer_id, made.id)


@blueprint.post("/promises/<int:promise_id>/cancel")
@requires(Permission.SEND_LETTERS)
@blueprint.response(200, PromiseSchema)
def cancel_promise(promise_id: int) -> dict[str, Any]:
    """A promise no longer counts."""
    return _stored_promise(dunning.cancel_promise(g.actor, g.organisation.id, promise_id, g.today).buyer_id, promise_id)

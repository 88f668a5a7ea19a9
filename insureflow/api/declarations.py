"""Declarations to insurers, and the premium account they lead to."""

# flask-smorest comes without types, and its decorators with it.
# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import g, url_for
from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from insureflow.api.fields import ListSchema, MoneySchema, PageSchema, listed, money
from insureflow.api.limits import policy_of_number
from insureflow.domain.access import Permission, requires
from insureflow.domain.declarations import DeclarationStatus, DeclarationWay
from insureflow.domain.errors import Refusal
from insureflow.domain.money import Money
from insureflow.domain.trace import plain
from insureflow.models.declarations import Declaration
from insureflow.queries import declarations as queries
from insureflow.queries import premium as premium_queries
from insureflow.queries.listing import Narrowing
from insureflow.services import declarations

blueprint = Blueprint("api_declarations", __name__, url_prefix="/declarations", description="Declarations to insurers, and premium.")


class DeclarationQuestionSchema(PageSchema):
    """Which declarations."""

    policy = fields.String(metadata={"description": "Number of a policy; without it all."})
    status = fields.Enum(DeclarationStatus, by_value=True)


class DeclarationRowSchema(Schema):
    """One version of the declaration of a period. Both days of the period are within."""

    id = fields.Integer()
    policy = fields.String()
    period_from = fields.Date()
    period_to = fields.Date()
    version = fields.Integer()
    status = fields.String()
    due_on = fields.Date()
    declared_on = fields.Date(allow_none=True)
    declared = fields.Nested(MoneySchema)
    left_out = fields.Nested(MoneySchema)
    items = fields.Integer()
    protocol = fields.String()


class DeclarationPageSchema(ListSchema):
    """A page of declarations."""

    items = fields.List(fields.Nested(DeclarationRowSchema))


class CategorySchema(Schema):
    """One kind of sale in a declaration; `category` null: ordinary sales on credit."""

    category = fields.String(allow_none=True)
    items = fields.Integer()
    full = fields.Nested(MoneySchema)
    declared = fields.Nested(MoneySchema)


class DeclarationSchema(DeclarationRowSchema):
    """A declaration with its sums by kind of sale."""

    basis = fields.String()
    cut_off_on = fields.Date(metadata={"description": "The day the ledger was read."})
    way = fields.String(allow_none=True)
    note = fields.String()
    replaces_id = fields.Integer(allow_none=True)
    categories = fields.List(fields.Nested(CategorySchema))


class LineSchema(Schema):
    """One document, balance or limit in a declaration; a credit note counts below zero."""

    buyer_id = fields.Integer()
    buyer = fields.String()
    country = fields.String()
    item = fields.String()
    number = fields.String()
    dated_on = fields.Date()
    amount = fields.Nested(MoneySchema)
    full = fields.Nested(MoneySchema)
    declared = fields.Nested(MoneySchema)
    category = fields.String(allow_none=True)


class LinePageSchema(ListSchema):
    """A page of lines."""

    items = fields.List(fields.Nested(LineSchema))


class PeriodSchema(Schema):
    """A period that is over and not declared; `declaration_id` is its draft."""

    policy = fields.String()
    period_from = fields.Date()
    period_to = fields.Date()
    due_on = fields.Date()
    is_late = fields.Boolean()
    declaration_id = fields.Integer(allow_none=True)


class PeriodsSchema(Schema):
    """What still has to be declared."""

    items = fields.List(fields.Nested(PeriodSchema))


class NewDraftSchema(Schema):
    """Which period to add up from the ledger."""

    policy = fields.String(required=True, metadata={"description": "Number of the policy."})
    period_to = fields.Date(required=True, metadata={"description": "Last day of the period."})


class MadeSchema(Schema):
    """How a declaration was made, and how that is proven."""

    way = fields.Enum(DeclarationWay, by_value=True, required=True)
    protocol = fields.String(load_default="", validate=validate.Length(0, 120))
    declared_on = fields.Date(metadata={"description": "Left out: today."})
    note = fields.String(load_default="", validate=validate.Length(0, 1000))


class PaperSchema(Schema):
    """A declaration as it was issued for the insurer."""

    document_id = fields.Integer()
    number = fields.String()
    language = fields.String()
    sha256 = fields.String()


class PremiumQuestionSchema(Schema):
    """Which premium account."""

    policy = fields.String(required=True, metadata={"description": "Number of the policy."})
    year = fields.Integer(validate=validate.Range(1900, 9999), metadata={"description": "The policy year that begins in it."})


class PremiumSchema(Schema):
    """The premium account of a policy year; null: not known. `steps` say where each figure comes from."""

    policy = fields.String()
    figures = fields.Dict()
    advances = fields.List(fields.Dict())
    steps = fields.List(fields.Dict())


def _money(amount: Money) -> dict[str, Any] | None:
    return money(amount.minor, amount.currency)


def _shown(declaration_id: int) -> dict[str, Any]:
    view = queries.find_declaration(declaration_id)
    if view is None:
        raise Refusal("declaration_unknown", declaration=str(declaration_id))
    own: Declaration = view.declaration
    names = ("id", "period_from", "period_to", "version", "due_on", "declared_on", "items", "protocol", "cut_off_on", "note", "replaces_id")
    return {
        **{name: getattr(own, name) for name in names},
        "policy": view.policy.number,
        "status": own.status.value,
        "basis": own.basis.value,
        "way": None if own.way is None else own.way.value,
        "declared": _money(view.declared),
        "left_out": _money(view.left_out),
        "categories": [
            {
                "category": None if each.category is None else each.category.value,
                "items": each.items,
                "full": _money(each.full),
                "declared": _money(each.declared),
            }
            for each in view.totals
        ],
    }


@blueprint.get("")
@requires(Permission.VIEW_OBLIGATIONS)
@blueprint.arguments(DeclarationQuestionSchema, location="query")
@blueprint.response(200, DeclarationPageSchema)
def index(asked: Mapping[str, Any]) -> dict[str, Any]:
    """All versions of all declarations."""
    policy_id = policy_of_number(asked["policy"]).id if "policy" in asked else None
    narrowing = Narrowing(choices={"status": [asked["status"].value]}) if "status" in asked else Narrowing()
    found = queries.declaration_listing(policy_id=policy_id).page(narrowing, None, asked["page"], asked["page_size"])
    names = ("policy", "period_from", "version", "status", "due_on", "declared_on", "items", "protocol")
    items = [
        {
            **{name: row[name] for name in names},
            **{name: money(*row[name]) for name in ("declared", "left_out")},
            "id": row["number"],
            "period_to": row["period"],
        }
        for row in found.rows
    ]
    return listed(asked, found, items)


@blueprint.get("/due")
@requires(Permission.VIEW_OBLIGATIONS)
@blueprint.response(200, PeriodsSchema)
def due() -> dict[str, Any]:
    """The periods that are over and not declared."""
    return {
        "items": [
            {
                "policy": each.policy.number,
                "period_from": each.period.first_day,
                "period_to": each.period.last_day,
                "due_on": each.period.due_on,
                "is_late": each.is_late,
                "declaration_id": None if each.declaration is None else each.declaration.id,
            }
            for each in queries.open_periods(g.today)
        ]
    }


@blueprint.post("")
@requires(Permission.EDIT_OBLIGATIONS)
@blueprint.arguments(NewDraftSchema)
@blueprint.response(201, DeclarationSchema)
def draft(said: Mapping[str, Any]) -> Any:
    """Add a period up from the ledger as it stands today."""
    policy = policy_of_number(said["policy"])
    made = declarations.draft(g.actor, g.organisation.id, policy.id, said["period_to"], g.today)
    return _shown(made.id), 201, {"Location": url_for("api_declarations.show", declaration_id=made.id)}


@blueprint.get("/premium")
@requires(Permission.VIEW_POLICIES)
@blueprint.arguments(PremiumQuestionSchema, location="query")
@blueprint.response(200, PremiumSchema)
def premium(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The premium account of a policy year, with every step."""
    view = premium_queries.get_premium(policy_of_number(asked["policy"]).id, g.today, asked.get("year"))
    return {
        "policy": view.policy.number,
        "figures": {name: plain(value) for name, value in premium_queries.premium_facts(view).items()},
        "advances": [
            {"due_on": each.advance.due_on.isoformat(), "amount": plain(each.advance.amount), "is_due": each.is_due}
            for each in view.advances
        ],
        "steps": [] if view.account is None else view.account.trace.to_list(),
    }


@blueprint.get("/<int:declaration_id>")
@requires(Permission.VIEW_OBLIGATIONS)
@blueprint.response(200, DeclarationSchema)
def show(declaration_id: int) -> dict[str, Any]:
    """One declaration with its sums by kind of sale."""
    return _shown(declaration_id)


@blueprint.get("/<int:declaration_id>/lines")
@requires(Permission.VIEW_OBLIGATIONS)
@blueprint.arguments(PageSchema, location="query")
@blueprint.response(200, LinePageSchema)
def lines(asked: Mapping[str, Any], declaration_id: int) -> dict[str, Any]:
    """What a declaration is added up from, down to the documents."""
    _shown(declaration_id)
    found = queries.line_listing(declaration_id).page(Narrowing(), None, asked["page"], asked["page_size"])
    names = ("buyer_id", "buyer", "country", "item", "number", "dated_on", "category")
    items = [
        {**{name: row[name] for name in names}, **{name: money(*row[name]) for name in ("amount", "full", "declared")}}
        for row in found.rows
    ]
    return listed(asked, found, items)


@blueprint.post("/<int:declaration_id>/approve")
@requires(Permission.APPROVE_DECLARATIONS)
@blueprint.response(200, DeclarationSchema)
def approve(declaration_id: int) -> dict[str, Any]:
    """Agree to a draft as a second person."""
    declarations.approve(g.actor, g.organisation.id, declaration_id)
    return _shown(declaration_id)


@blueprint.post("/<int:declaration_id>/declare")
@requires(Permission.EDIT_OBLIGATIONS)
@blueprint.arguments(MadeSchema)
@blueprint.response(200, DeclarationSchema)
def declare(said: Mapping[str, Any], declaration_id: int) -> dict[str, Any]:
    """Record that an approved declaration was made, and how that is proven."""
    declarations.declare(
        g.actor,
        g.organisation.id,
        declaration_id,
        said["way"],
        protocol=said["protocol"],
        declared_on=said.get("declared_on") or g.today,
        on=g.today,
        note=said["note"],
    )
    return _shown(declaration_id)


@blueprint.post("/<int:declaration_id>/paper")
@requires(Permission.EDIT_OBLIGATIONS)
@blueprint.response(200, PaperSchema)
def paper(declaration_id: int) -> dict[str, Any]:
    """Issue an approved declaration as a document; one that was issued already is given back."""
    document = declarations.issue_paper(g.actor, g.organisation.id, declaration_id, g.today)
    return {"document_id": document.id, "number": document.number, "language": document.language, "sha256": document.sha256}

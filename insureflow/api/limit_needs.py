"""Limits needed: the need of every buyer against its limit, one account with what carries it, and what limits cost a year."""

# flask-smorest comes without types, and its decorators with it.
# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import g
from flask_smorest import Blueprint
from marshmallow import Schema, fields

from insureflow.api.fields import ListSchema, MoneySchema, PageSchema, listed, money
from insureflow.api.limits import policy_of_number
from insureflow.domain.access import Permission, requires
from insureflow.domain.money import Money
from insureflow.queries import limit_needs as queries
from insureflow.queries.limit_needs import NeedStanding
from insureflow.queries.listing import Narrowing

blueprint = Blueprint("api_limit_needs", __name__, description="Limits needed, and what limits cost.")


class NeedQuestionSchema(PageSchema):
    """Which accounts."""

    standing = fields.Enum(NeedStanding, by_value=True)
    policy = fields.String(metadata={"description": "Number of a policy; without it all."})


class NeedRowSchema(Schema):
    """What a buyer needs under a policy, against what was asked for, granted and used."""

    buyer_id = fields.Integer()
    buyer = fields.String()
    country = fields.String()
    policy_id = fields.Integer()
    policy = fields.String()
    standing = fields.String()
    need = fields.Nested(MoneySchema)
    requested = fields.Nested(MoneySchema, allow_none=True)
    limit = fields.Nested(MoneySchema)
    gap = fields.Nested(MoneySchema)
    used = fields.Nested(MoneySchema)
    balance = fields.Nested(MoneySchema)
    turnover = fields.Nested(MoneySchema)
    terms_days = fields.Integer(allow_none=True)
    fee = fields.Nested(MoneySchema, allow_none=True, metadata={"description": "What the limit costs a year."})


class NeedPageSchema(ListSchema):
    """A page of needs, the largest gap first."""

    items = fields.List(fields.Nested(NeedRowSchema))


class NeedSchema(Schema):
    """The need of one account, and how it was worked out."""

    buyer_id = fields.Integer()
    buyer = fields.String()
    policy = fields.String()
    need = fields.Nested(MoneySchema)
    source = fields.String(metadata={"description": "Whether it was read from turnover or from the balance."})
    limit = fields.Nested(MoneySchema)
    top_up = fields.Nested(MoneySchema)
    fit = fields.String()
    difference = fields.Nested(MoneySchema)
    could_give_back = fields.Nested(MoneySchema, allow_none=True)
    turnover = fields.Nested(MoneySchema)
    terms_days = fields.Integer()
    owed = fields.Nested(MoneySchema)
    highest = fields.Nested(MoneySchema)
    used = fields.Nested(MoneySchema)
    steps = fields.List(fields.Dict())


class FeeSchema(Schema):
    """What a limit of a kind costs a year; `source` is `set` where it was set, `terms` where the policy says it."""

    policy = fields.String()
    kind = fields.String()
    fee = fields.Nested(MoneySchema)
    source = fields.String()


class FeesSchema(Schema):
    """What limits cost."""

    items = fields.List(fields.Nested(FeeSchema))


_AMOUNTS = ("need", "requested", "limit", "gap", "used", "balance", "turnover", "fee")


def _money(amount: Money) -> dict[str, Any] | None:
    return money(amount.minor, amount.currency)


@blueprint.get("/limit-needs")
@requires(Permission.VIEW_LIMITS)
@blueprint.arguments(NeedQuestionSchema, location="query")
@blueprint.response(200, NeedPageSchema)
def index(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The need of every buyer against its limit, the largest gap first."""
    policy_id = policy_of_number(asked["policy"]).id if "policy" in asked else None
    choices = {"standing": [asked["standing"].value]} if "standing" in asked else {}
    found = queries.needs_listing(g.today, policy_id=policy_id).page(Narrowing(choices=choices), None, asked["page"], asked["page_size"])
    items = [
        {
            **{name: row[name] for name in ("buyer_id", "buyer", "country", "policy_id", "policy")},
            **{name: None if row[name] is None else money(*row[name]) for name in _AMOUNTS},
            "standing": NeedStanding(row["standing"]).value,
            "terms_days": row["terms"],
        }
        for row in found.rows
    ]
    return listed(asked, found, items)


@blueprint.get("/limit-needs/<int:policy_id>/<int:buyer_id>")
@requires(Permission.VIEW_LIMITS)
@blueprint.response(200, NeedSchema)
def show(policy_id: int, buyer_id: int) -> dict[str, Any]:
    """What one buyer needs, what carries it, and how that was worked out."""
    found = queries.find_need(policy_id, buyer_id, g.today)
    return {
        "buyer_id": found.buyer.id,
        "buyer": found.buyer.legal_name,
        "policy": found.policy.number,
        "need": _money(found.need.amount),
        "source": found.need.source.value,
        "limit": _money(found.limit),
        "top_up": _money(found.top_up),
        "fit": found.fit.fit.value,
        "difference": _money(found.fit.difference),
        "could_give_back": None if found.unused is None else _money(found.unused.could_give_back),
        "turnover": _money(found.turnover),
        "terms_days": found.terms_days,
        "owed": _money(found.owed),
        "highest": _money(found.highest),
        "used": _money(found.used),
        "steps": [*found.need.trace.to_list(), *found.fit.trace.to_list(), *found.waterfall.trace.to_list()],
    }


@blueprint.get("/limit-fees")
@requires(Permission.EDIT_POLICIES)
@blueprint.response(200, FeesSchema)
def fees() -> dict[str, Any]:
    """What limits cost a year, by policy and kind."""
    own = [
        {"policy": policy.number, "kind": fee.kind, "fee": money(fee.fee_minor, fee.currency), "source": "set"}
        for fee, policy in queries.list_fees()
    ]
    by_terms = [
        {"policy": policy.number, "kind": kind.value, "fee": _money(fee), "source": "terms"}
        for policy, kind, fee in queries.fees_by_terms(g.today)
    ]
    return {"items": own + by_terms}

"""Rules of dunning: for the organisation, for a country, for one buyer; set by scope and day, and taken out."""

# flask-smorest comes without types, and its decorators with it.
# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import g
from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from insureflow.api.fields import DecimalText, currency, row_key
from insureflow.domain.access import Permission, requires
from insureflow.domain.dunning import DEFAULT_DATA, ORDER, DunningLevel, DunningRules, LetterChannel, read_rules
from insureflow.domain.dunning.rules import MOST_DAYS
from insureflow.domain.errors import Refusal
from insureflow.domain.money import from_minor
from insureflow.models.dunning import DunningRule
from insureflow.queries import dunning as queries
from insureflow.services import dunning

blueprint = Blueprint("api_dunning_rules", __name__, url_prefix="/dunning-rules", description="Rules of dunning.")


class DunningLevelSchema(Schema):
    """A level and the day it is reached, counted from the original due date; negative before it."""

    level = fields.Enum(DunningLevel, by_value=True, required=True)
    days = fields.Integer(required=True, validate=validate.Range(-MOST_DAYS, MOST_DAYS))
    automatic = fields.Boolean(load_default=False, metadata={"description": "Letters of this level go without approval."})


class WaitingSchema(Schema):
    """Which invoices wait."""

    disputes = fields.Boolean(load_default=True)
    promises = fields.Boolean(load_default=True)
    plans = fields.Boolean(load_default=True)


class DunningInterestSchema(Schema):
    """Interest on late payment."""

    annual_rate = DecimalText(required=True, metadata={"description": "Per cent and year."})
    basis = fields.String(required=True, validate=validate.Length(1, 300), metadata={"description": "The law or clause it rests on."})
    day_count = fields.Integer(load_default=365, validate=validate.OneOf((360, 365)))
    from_level = fields.Enum(DunningLevel, by_value=True, load_default=ORDER[1])


class DunningCompensationSchema(Schema):
    """A fixed amount per invoice for the costs of recovery."""

    amounts = fields.Dict(keys=currency(), values=DecimalText(), required=True, validate=validate.Length(1, 200))
    from_level = fields.Enum(DunningLevel, by_value=True, load_default=ORDER[1])


class DunningRuleDataSchema(Schema):
    """What a rule says."""

    levels = fields.List(fields.Nested(DunningLevelSchema), required=True, validate=validate.Length(1, len(ORDER)))
    minimum = fields.Dict(
        keys=currency(),
        values=DecimalText(),
        load_default=dict,
        validate=validate.Length(0, 200),
        metadata={"description": "Least open amount by currency for which anything is written."},
    )
    grace_days = fields.Integer(load_default=0, validate=validate.Range(0, 365))
    days_between = fields.Integer(load_default=7, validate=validate.Range(0, 365), metadata={"description": "Least days between letters."})
    pay_within_days = fields.Integer(load_default=10, validate=validate.Range(1, 365))
    channel = fields.Enum(LetterChannel, by_value=True, load_default=LetterChannel.EMAIL)
    holds = fields.Nested(WaitingSchema, load_default=lambda: {"disputes": True, "promises": True, "plans": True})
    may_skip_levels = fields.Boolean(
        load_default=False, metadata={"description": "A firmer letter may go although no milder one was sent before it."}
    )
    interest = fields.Nested(DunningInterestSchema, load_default=None, allow_none=True)
    compensation = fields.Nested(DunningCompensationSchema, load_default=None, allow_none=True)


class NewDunningRuleSchema(Schema):
    """A rule and for whom it holds: for `country`, for `buyer_id`, or with neither for everybody."""

    effective_on = fields.Date(metadata={"description": "Its first day; left out, today. The rule of the same scope and day is replaced."})
    country = fields.String(validate=validate.Regexp(r"^[A-Z]{2}$"))
    buyer_id = row_key()
    note = fields.String(load_default="", validate=validate.Length(0, 1000))
    rule = fields.Nested(DunningRuleDataSchema, required=True)


class DunningRuleSchema(Schema):
    """A rule as it is kept."""

    id = fields.Integer()
    effective_on = fields.Date()
    country = fields.String(allow_none=True)
    buyer_id = fields.Integer(allow_none=True)
    note = fields.String()
    rule = fields.Nested(DunningRuleDataSchema)


class DunningRulesSchema(Schema):
    """All rules, newest first, and the one that holds where there is none."""

    items = fields.List(fields.Nested(DunningRuleSchema))
    fallback = fields.Nested(DunningRuleDataSchema)


def _amounts(minor_by_currency: Mapping[str, int]) -> dict[str, Any]:
    return {code: from_minor(minor, code) for code, minor in minor_by_currency.items()}


def _said(rules: DunningRules) -> dict[str, Any]:
    """A rule with every value spelled out."""
    return {
        "levels": [{"level": each.level, "days": each.days, "automatic": each.is_automatic} for each in rules.levels],
        "minimum": _amounts(rules.minimums),
        "grace_days": rules.grace_days,
        "days_between": rules.days_between,
        "pay_within_days": rules.pay_within_days,
        "channel": rules.channel,
        "holds": {"disputes": rules.holds_for_disputes, "promises": rules.holds_for_promises, "plans": rules.holds_for_plans},
        "may_skip_levels": rules.may_skip_levels,
        "interest": None
        if rules.interest is None
        else {
            "annual_rate": rules.interest.annual_rate,
            "basis": rules.interest.basis,
            "day_count": rules.interest.day_count,
            "from_level": rules.interest.from_level,
        },
        "compensation": None
        if rules.compensation is None
        else {"amounts": _amounts(rules.compensation.amounts), "from_level": rules.compensation.from_level},
    }


def _shown(rule: DunningRule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "effective_on": rule.effective_on,
        "country": rule.country,
        "buyer_id": rule.buyer_id,
        "note": rule.note,
        "rule": _said(read_rules(rule.data)),
    }


@blueprint.get("")
@requires(Permission.VIEW_RECEIVABLES)
@blueprint.response(200, DunningRulesSchema)
def rules() -> dict[str, Any]:
    """All rules, newest first; of those that fit, the narrowest holds: the buyer's, the country's, everybody's."""
    return {"items": [_shown(rule) for rule in queries.rules()], "fallback": _said(read_rules(DEFAULT_DATA))}


@blueprint.get("/<int:dunning_rule_id>")
@requires(Permission.VIEW_RECEIVABLES)
@blueprint.response(200, DunningRuleSchema)
def rule(dunning_rule_id: int) -> dict[str, Any]:
    """One rule."""
    found = queries.find_rule(dunning_rule_id)
    if found is None:
        raise Refusal("dunning_rule_unknown", rule=str(dunning_rule_id))
    return _shown(found)


@blueprint.put("")
@requires(Permission.MANAGE_ORGANISATION)
@blueprint.arguments(NewDunningRuleSchema)
@blueprint.response(200, DunningRuleSchema)
def put(said: Mapping[str, Any]) -> dict[str, Any]:
    """Set the rule of a scope from a day on; said twice, it is the same. Letters made before keep the rule of their day."""
    data: dict[str, Any] = DunningRuleDataSchema().dump(said["rule"])
    return _shown(
        dunning.set_rule(
            g.actor,
            g.organisation.id,
            data,
            said.get("effective_on") or g.today,
            country=said.get("country"),
            buyer_id=said.get("buyer_id"),
            note=said["note"],
        )
    )


@blueprint.delete("/<int:dunning_rule_id>")
@requires(Permission.MANAGE_ORGANISATION)
@blueprint.response(204)
def delete(dunning_rule_id: int) -> None:
    """Take a rule out; the next wider one holds again."""
    dunning.remove_rule(g.actor, g.organisation.id, dunning_rule_id)

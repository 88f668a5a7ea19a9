"""Forecast of claims: what policies would pay for overdue accounts, when, and every step to it."""

# flask-smorest comes without types, and its decorators with it.
# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import g
from flask_smorest import Blueprint
from marshmallow import Schema, fields

from insureflow.api.fields import ListSchema, MoneySchema, PageSchema, money, row_key
from insureflow.api.limits import policy_of_number
from insureflow.domain.access import Permission, requires
from insureflow.queries.claims import ClaimsForecast, cash_expected, forecast_claims

blueprint = Blueprint("api_claims", __name__, description="Claims: what is expected of overdue accounts.")


class ForecastQuestionSchema(PageSchema):
    """Which accounts, and for which day."""

    policy = fields.String(metadata={"description": "Number of a policy; without it all."})
    buyer_id = row_key()
    on = fields.Date(metadata={"description": "The day; without it today."})


class PartSchema(Schema):
    """A part of what is owed that is not paid, and why."""

    reason = fields.String()
    amount = fields.Nested(MoneySchema)


class ForecastSchema(Schema):
    """What is expected of one overdue account. Amounts are null where the rate to the policy's currency is not known."""

    buyer_id = fields.Integer()
    buyer = fields.String()
    country = fields.String()
    policy = fields.String()
    cause = fields.String()
    open_debt = fields.Nested(MoneySchema, allow_none=True)
    covered_debt = fields.Nested(MoneySchema, allow_none=True)
    uncovered = fields.List(fields.Nested(PartSchema))
    effects = fields.List(fields.Nested(PartSchema), metadata={"description": "What each clause takes away."})
    indemnity = fields.Nested(MoneySchema, allow_none=True)
    own_retention = fields.Nested(MoneySchema, allow_none=True)
    maximum_liability_unknown = fields.Boolean()
    date_of_loss = fields.Date(allow_none=True)
    claim_earliest = fields.Date(allow_none=True)
    claim_latest = fields.Date(allow_none=True)
    claim_is_late = fields.Boolean()
    decision_expected = fields.Date(allow_none=True)
    payment_expected = fields.Date(allow_none=True)
    steps = fields.List(fields.Dict(), metadata={"description": "Every step with its formula, its inputs and the clause it rests on."})


class CashSchema(Schema):
    """What is expected in a month; `month` is its first day, null where no day can be worked out, `is_later` from that month on."""

    month = fields.Date(allow_none=True)
    amount = fields.Nested(MoneySchema)
    claims = fields.Integer()
    is_later = fields.Boolean()


class ForecastPageSchema(ListSchema):
    """A page of the forecast, by policy and expected date of loss, with the cash calendar of all of it."""

    items = fields.List(fields.Nested(ForecastSchema))
    calendar = fields.List(fields.Nested(CashSchema))


def forecast_to_data(found: ClaimsForecast) -> dict[str, Any]:
    """What is expected of an account, as plain data."""
    forecast, dates, currency = found.forecast, found.dates, found.currency
    loss = None if forecast is None else forecast.loss
    return {
        "buyer_id": found.account.buyer_id,
        "buyer": found.account.buyer,
        "country": found.account.country,
        "policy": found.account.policy.number,
        "cause": dates.cause.value,
        "open_debt": None if loss is None else money(loss.open_debt, currency),
        "covered_debt": None if loss is None else money(loss.debt.covered, currency),
        "uncovered": [] if loss is None else [{"reason": str(reason), "amount": money(part, currency)} for reason, part in loss.uncovered],
        "effects": [] if loss is None else [{"reason": str(effect), "amount": money(part, currency)} for effect, part in loss.effects],
        "indemnity": None if loss is None else money(loss.indemnity, currency),
        "own_retention": None if forecast is None else money(forecast.own_retention, currency),
        "maximum_liability_unknown": found.is_maximum_unknown,
        "date_of_loss": dates.date_of_loss,
        "claim_earliest": dates.claim_earliest,
        "claim_latest": dates.claim_latest,
        "claim_is_late": dates.is_late,
        "decision_expected": dates.decision_on,
        "payment_expected": dates.payment_on,
        "steps": (dates.trace if forecast is None else forecast.trace).to_list(),
    }


@blueprint.get("/claims/forecast")
@requires(Permission.VIEW_CLAIMS)
@blueprint.arguments(ForecastQuestionSchema, location="query")
@blueprint.response(200, ForecastPageSchema)
def forecast(asked: Mapping[str, Any]) -> dict[str, Any]:
    """What policies would pay for every account overdue on a day, and when."""
    on = asked.get("on", g.today)
    policy_id = policy_of_number(asked["policy"]).id if "policy" in asked else None
    found = forecast_claims(on, policy_id=policy_id, buyer_id=asked.get("buyer_id"))
    size, start = asked["page_size"], (asked["page"] - 1) * asked["page_size"]
    return {
        "page": asked["page"],
        "page_size": size,
        "total": len(found),
        "items": [forecast_to_data(each) for each in found[start : start + size]],
        "calendar": [
            {"month": each.month, "amount": money(each.minor, each.currency), "claims": each.claims, "is_later": each.is_later}
            for each in cash_expected(found, on)
        ],
    }

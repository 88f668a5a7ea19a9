"""``insureflow claims``: what policies would pay for overdue buyers, and when."""

from __future__ import annotations

from datetime import date
from typing import Any

import click
from flask import Flask
from flask.cli import AppGroup

from insureflow.cli.limits import find_policy
from insureflow.cli.options import (
    LOCALE,
    find_buyer,
    format_option,
    inside,
    on_option,
    organisation_option,
    print_json,
    print_rows,
    refusals_as_errors,
)
from insureflow.domain.money import Money
from insureflow.i18n.words import word
from insureflow.queries.claims import ClaimsForecast, cash_expected, forecast_claims

group = AppGroup("claims", help="Claims: what is expected of overdue buyers.")


def register(app: Flask) -> None:
    """Make the commands known."""
    app.cli.add_command(group)


def _row(found: ClaimsForecast) -> dict[str, Any]:
    forecast, dates = found.forecast, found.dates
    loss = None if forecast is None else forecast.loss

    def parts(entries: Any) -> list[dict[str, object]]:
        return [{"reason": str(code), "amount": found.money(amount)} for code, amount in entries]

    return {
        "buyer": found.account.buyer,
        "policy": found.account.policy.number,
        "cause": dates.cause.value,
        "open_debt": None if loss is None else found.money(loss.open_debt),
        "covered_debt": None if loss is None else found.money(loss.debt.covered),
        "uncovered": [] if loss is None else parts(loss.uncovered),
        "effects": [] if loss is None else parts(loss.effects),
        "indemnity": None if loss is None else found.money(loss.indemnity),
        "own_retention": None if forecast is None else found.money(forecast.own_retention),
        "date_of_loss": dates.date_of_loss,
        "claim_earliest": dates.claim_earliest,
        "claim_latest": dates.claim_latest,
        "decision_expected": dates.decision_on,
        "payment_expected": dates.payment_on,
        "steps": (dates.trace if forecast is None else forecast.trace).to_list(),
    }


@group.command("forecast")
@organisation_option
@click.option("--policy", "-p", "policy_number", metavar="NUMBER", help="Only this policy.")
@click.option("--buyer", "-b", "buyer", metavar="BUYER", help="Only this buyer.")
@on_option
@format_option
@refusals_as_errors
def forecast(organisation: str, policy_number: str | None, buyer: str | None, on: date | None, output: str) -> None:
    """Show what policies would pay for every overdue buyer if nothing more came in, and when."""
    with inside(organisation) as place:
        day = place.day(on)
        policy_id = find_policy(policy_number).id if policy_number else None
        buyer_id = find_buyer(buyer).id if buyer else None
        found = forecast_claims(day, policy_id=policy_id, buyer_id=buyer_id)
    rows, calendar = [_row(each) for each in found], cash_expected(found, day)
    if output == "json":
        months = [
            {"month": each.month, "amount": Money(each.minor, each.currency), "claims": each.claims, "is_later": each.is_later}
            for each in calendar
        ]
        print_json({"accounts": rows, "calendar": months})
        return
    names = {
        "buyer": "Buyer",
        "policy": "Policy",
        "cause": "Cause",
        "open_debt": "Owed",
        "covered_debt": "Covered",
        "indemnity": "Expected indemnity",
        "own_retention": "Own retention",
        "date_of_loss": "Date of loss",
        "claim_latest": "Claim by",
        "payment_expected": "Money expected",
    }
    spoken = [{**row, "cause": word(row["cause"], LOCALE)} for row in rows]
    print_rows(output, names, spoken, nothing="No insured buyer is overdue on this day.")

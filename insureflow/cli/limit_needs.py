"""``insureflow limits needs`` and ``insureflow limits fee``: is every limit right, and what does it cost."""

from __future__ import annotations

from datetime import date
from typing import Any

import click
from flask import Flask

from insureflow.cli.limits import find_policy, group, in_words, policy_option
from insureflow.cli.options import COMMAND_LINE, format_option, inside, on_option, organisation_option, print_rows, refusals_as_errors
from insureflow.domain.limits import LimitKind
from insureflow.domain.money import Money
from insureflow.queries.limit_needs import NeedStanding, needs_listing
from insureflow.queries.listing import Narrowing
from insureflow.services.limit_fees import set_fee

_AMOUNTS = ("need", "requested", "limit", "gap", "used", "balance", "turnover", "fee")


def register(app: Flask) -> None:
    """The commands stand in the group of limits."""
    del app


@group.command("needs")
@organisation_option
@click.option("--policy", "-p", "policy_number", metavar="NUMBER", help="Only this policy.")
@click.option("--fit", type=click.Choice([each.value for each in NeedStanding]), help="Only limits that stand so.")
@on_option
@format_option
@refusals_as_errors
def needs(organisation: str, policy_number: str | None, fit: str | None, on: date | None, output: str) -> None:
    """Show what buyers need against what was asked for, granted and used."""
    with inside(organisation) as place:
        policy_id = find_policy(policy_number).id if policy_number else None
        narrowing = Narrowing(choices={"standing": [fit]} if fit else {})
        rows = [_row(row) for row in needs_listing(place.day(on), policy_id=policy_id).stream(narrowing, None)]
    names = {
        "buyer": "Buyer",
        "country": "Country",
        "policy": "Policy",
        "standing": "Fit",
        "need": "Needed",
        "requested": "Asked for",
        "limit": "Limit",
        "gap": "Gap",
        "used": "Most used",
        "balance": "Highest balance",
        "turnover": "Turnover",
        "terms": "Terms",
        "fee": "Fee",
    }
    print_rows(output, names, in_words(rows, output), nothing="No limits and no invoices.")


def _row(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, **{name: None if row[name] is None else Money(*row[name]) for name in _AMOUNTS}}


@group.command("fee")
@organisation_option
@policy_option
@click.option("--kind", type=click.Choice([kind.value for kind in LimitKind]), default=LimitKind.NAMED.value, show_default=True)
@click.option("--amount", metavar="AMOUNT", help="What one limit costs a year; left out, there is no fee.")
@click.option("--currency", metavar="CODE", help="Currency of the fee (default: the policy's limit currency).")
@refusals_as_errors
def fee(organisation: str, policy_number: str, kind: str, amount: str | None, currency: str | None) -> None:
    """Set what limits of a kind cost a year."""
    with inside(organisation) as place:
        policy = find_policy(policy_number)
        value = None if amount is None else Money.of(amount, currency or policy.limit_currency)
        set_fee(COMMAND_LINE, place.organisation_id, policy.id, LimitKind(kind), value)
    click.echo("There is no fee." if value is None else f"One limit costs {value.amount} {value.currency} a year.")

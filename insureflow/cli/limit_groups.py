"""``insureflow limits shared…``: limits over several buyers."""

from __future__ import annotations

from datetime import date

import click
from flask import Flask

from insureflow.cli.limits import find_policy, group, policy_option
from insureflow.cli.options import (
    COMMAND_LINE,
    Day,
    find_buyer,
    format_option,
    inside,
    on_option,
    organisation_option,
    print_rows,
    refusals_as_errors,
)
from insureflow.domain.errors import Refusal
from insureflow.domain.money import Money
from insureflow.queries import limit_groups as queries
from insureflow.queries.listing import Narrowing
from insureflow.services import limit_groups
from insureflow.services.limit_groups import GroupWord, NewGroup


def register(app: Flask) -> None:
    """The commands stand in the group of limits."""
    del app


def _find(name: str, policy_id: int, on: date) -> int:
    """The key of the shared limit with this name under a policy. Errors: ``limit_group_unknown``."""
    for row in queries.group_listing(on, policy_id=policy_id).stream(Narrowing(), None):
        if row["name"] == name:
            return int(row["number"])
    raise Refusal("limit_group_unknown", group=name)


@group.command("shared")
@organisation_option
@on_option
@format_option
@refusals_as_errors
def shared(organisation: str, on: date | None, output: str) -> None:
    """Show the limits that several buyers share."""
    with inside(organisation) as place:
        rows = [
            {**row, **{name: Money(*row[name]) for name in ("limit", "used", "headroom")}}
            for row in queries.group_listing(place.day(on)).stream(Narrowing(), None)
        ]
    names = {
        "name": "Group or pool",
        "head": "Parent",
        "policy": "Policy",
        "buyers": "Buyers",
        "limit": "Limit",
        "used": "Used",
        "headroom": "Headroom",
    }
    print_rows(output, names, rows, nothing="No limit is shared.")


@group.command("share")
@organisation_option
@policy_option
@click.option("--name", required=True, metavar="NAME", help="Name of the group or pool.")
@click.option("--buyer", "-b", "buyers", multiple=True, metavar="BUYER", help="A buyer that shares: its number or legal name. Repeat it.")
@click.option("--amount", metavar="AMOUNT", help="The limit over all of them; left out, an existing limit stays as it is.")
@click.option("--currency", metavar="CODE", help="Currency of the amount (default: the policy's limit currency).")
@click.option("--from", "start", type=Day(), metavar="DATE", help="Decided on, or shared from (default: today).")
@click.option("--reference", metavar="TEXT", help="The insurer's reference.")
@refusals_as_errors
def share(
    organisation: str,
    policy_number: str,
    name: str,
    buyers: tuple[str, ...],
    amount: str | None,
    currency: str | None,
    start: date | None,
    reference: str | None,
) -> None:
    """Enter a shared limit, a decision on the whole of one, or buyers that join it."""
    with inside(organisation) as place:
        policy, today = find_policy(policy_number), place.day(None)
        on, found = start or today, [find_buyer(buyer).id for buyer in buyers]
        money = None if amount is None else Money.of(amount, currency or policy.limit_currency)
        word = None if money is None else GroupWord(money.minor, money.currency, on, insurer_reference=reference)
        try:
            key: int | None = _find(name, policy.id, today)
        except Refusal:
            key = None
        if key is None:
            missing = GroupWord(None, policy.limit_currency, on)
            limit_groups.create(COMMAND_LINE, place.organisation_id, NewGroup(policy.id, name, found, word or missing), today)
        else:
            if word is not None:
                limit_groups.decide(COMMAND_LINE, place.organisation_id, key, word, today)
            if found:
                limit_groups.join(COMMAND_LINE, place.organisation_id, key, found, on, today)
    click.echo(f"The shared limit “{name}” is entered.")


@group.command("unshare")
@organisation_option
@policy_option
@click.option("--name", required=True, metavar="NAME", help="Name of the group or pool.")
@click.option("--buyer", "-b", required=True, metavar="BUYER", help="The buyer whose share ends: its number or legal name.")
@click.option("--from", "start", type=Day(), metavar="DATE", help="First day without (default: today, or when the notice has run).")
@refusals_as_errors
def unshare(organisation: str, policy_number: str, name: str, buyer: str, start: date | None) -> None:
    """End the share of a buyer in a limit."""
    with inside(organisation) as place:
        policy, today = find_policy(policy_number), place.day(None)
        buyer_id = find_buyer(buyer).id
        end = limit_groups.leave(COMMAND_LINE, place.organisation_id, _find(name, policy.id, today), buyer_id, start or today, today)
    click.echo(f"{buyer} shares no longer from {end.isoformat()} on.")

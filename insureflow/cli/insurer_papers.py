"""``insureflow connections papers`` and ``tell-payment``: what an insurer shows beside limits, and word to it of payments."""

from __future__ import annotations

from datetime import datetime

import click
from flask import Flask

from insureflow.cli.connections import connection_id_of, group, policy_option
from insureflow.cli.options import COMMAND_LINE, LOCALE, format_option, inside, organisation_option, print_rows, refusals_as_errors
from insureflow.domain.money import to_minor
from insureflow.i18n.words import word
from insureflow.queries import connections as queries
from insureflow.queries import policies as policy_queries
from insureflow.services import connections


def register(app: Flask) -> None:
    """The commands stand in the group of connections."""
    del app


@group.command("papers")
@organisation_option
@policy_option
@click.argument("name", required=False)
@click.argument("numbers", nargs=-1)
@format_option
@refusals_as_errors
def papers(organisation: str, policy_number: str, name: str | None, numbers: tuple[str, ...], output: str) -> None:
    """Show a paper of the insurer in its own words, such as its claim files; without NAME, which there are.

    Some ask for numbers, for instance that of the claim file.
    """
    with inside(organisation) as place:
        connection_id = connection_id_of(policy_number)
        if name is None:
            row = queries.find_connection(connection_id)
            offered = {} if row is None else connections.papers_of(row.connector)
            shown = [{"name": each, "what": _said_paper(each), "numbers": count} for each, count in offered.items()]
            print_rows(
                output, {"name": "Name", "what": "What", "numbers": "Numbers it asks for"}, shown, nothing="The interface shows no papers."
            )
            return
        found = connections.read_paper(place.organisation_id, connection_id, name, numbers)
    print_rows(output, {column: column for row in found for column in row}, found, nothing="The insurer shows nothing here.")


def _said_paper(name: str) -> str:
    return word(f"InsurerPaper.{name}", LOCALE)


@group.command("tell-payment")
@organisation_option
@policy_option
@click.option("--client", required=True, metavar="NUMBER", help="The insurer's number of the debtor.")
@click.option("--sale", required=True, metavar="NUMBER", help="The insurer's number of the sale.")
@click.option("--paid-on", required=True, type=click.DateTime(["%Y-%m-%d"]), help="Day of the payment.")
@click.option("--amount", required=True, help="What was paid, in the currency of the policy.")
@refusals_as_errors
def tell_payment(organisation: str, policy_number: str, client: str, sale: str, paid_on: datetime, amount: str) -> None:
    """Have the insurer told that a sale it knows was paid; "send" sends it at once."""
    with inside(organisation) as place:
        currency = policy_queries.get_policy(policy_number).limit_currency
        row = connections.declare_collection(
            COMMAND_LINE,
            place.organisation_id,
            connection_id_of(policy_number),
            client,
            sale,
            paid_on.date(),
            to_minor(amount, currency, path="amount"),
            place.today,
        )
    click.echo(f"{row.own_reference} waits to be sent.")

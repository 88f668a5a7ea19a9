"""``insureflow entity``: the legal entities of an organisation, each with a ledger of its own."""

from __future__ import annotations

import click
from flask import Flask
from flask.cli import AppGroup

from insureflow.cli.options import COMMAND_LINE, format_option, inside, organisation_option, print_json, print_rows, refusals_as_errors
from insureflow.queries.organisations import list_entities
from insureflow.services import organisations

group = AppGroup("entity", help="The entities of an organisation that sell and are insured.")


def register(app: Flask) -> None:
    """Add the commands."""
    app.cli.add_command(group)


@group.command("add")
@click.argument("code")
@click.argument("name")
@organisation_option
@click.option("--country", required=True, metavar="CODE", help="Where it is, such as DE.")
@click.option("--currency", required=True, metavar="CODE", help="Currency of its ledger, such as EUR.")
@format_option
@refusals_as_errors
def add(code: str, name: str, organisation: str, country: str, currency: str, output: str) -> None:
    """Add the entity NAME under the short CODE of its ledger."""
    with inside(organisation) as place:
        entity = organisations.add_entity(
            COMMAND_LINE, place.organisation_id, code=code, name=name, country=country.upper(), currency=currency.upper()
        )
        facts = {"code": entity.code, "name": entity.name, "country": entity.country, "currency": entity.currency}
    if output == "json":
        print_json(facts)
    else:
        click.echo(f"Added {facts['name']} ({facts['code']}).")


@group.command("list")
@organisation_option
@format_option
@refusals_as_errors
def list_all(organisation: str, output: str) -> None:
    """List the entities."""
    with inside(organisation):
        rows = [{"code": each.code, "name": each.name, "country": each.country, "currency": each.currency} for each in list_entities()]
    names = {"code": "Code", "name": "Name", "country": "Country", "currency": "Currency"}
    print_rows(output, names, rows, nothing="There is no entity yet. Add one with “insureflow entity add”.")

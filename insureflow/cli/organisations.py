"""``insureflow organisation``: the tenants of an installation."""

from __future__ import annotations

import click
from flask import Flask
from flask.cli import AppGroup

from insureflow.cli.options import COMMAND_LINE, format_option, print_json, print_rows, refusals_as_errors
from insureflow.queries import settings
from insureflow.services import organisations

group = AppGroup("organisation", help="The organisations of this installation.")


def register(app: Flask) -> None:
    """Add the commands."""
    app.cli.add_command(group)


@group.command("add")
@click.argument("name")
@click.option("--currency", required=True, metavar="CODE", help="Currency of its reports, such as EUR.")
@click.option("--slug", help="Short name for commands and addresses (default: made from the name).")
@click.option("--locale", default="en", show_default=True, help="Language of its people.")
@click.option("--time-zone", default="UTC", show_default=True, metavar="ZONE", help="Where its days begin, such as Europe/Stockholm.")
@format_option
@refusals_as_errors
def add(name: str, currency: str, slug: str | None, locale: str, time_zone: str, output: str) -> None:
    """Add the organisation NAME."""
    organisation = organisations.add_organisation(
        COMMAND_LINE, name, reporting_currency=currency, slug=slug, locale=locale, time_zone=time_zone
    )
    if output == "json":
        print_json({"slug": organisation.slug, "name": organisation.name, "reporting_currency": organisation.reporting_currency})
    else:
        click.echo(f"Added {organisation.name}. Its short name is {organisation.slug}.")


@group.command("list")
@format_option
@refusals_as_errors
def list_all(output: str) -> None:
    """List the organisations."""
    rows = [
        {"slug": each.slug, "name": each.name, "reporting_currency": each.reporting_currency, "time_zone": each.time_zone}
        for each in settings.list_organisations()
    ]
    names = {"slug": "Short name", "name": "Name", "reporting_currency": "Currency", "time_zone": "Time zone"}
    print_rows(output, names, rows, nothing="There is no organisation yet. Add one with “insureflow organisation add”.")

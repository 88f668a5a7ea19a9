"""``insureflow premium``: the premium account of a policy year."""

from __future__ import annotations

from datetime import date

import click
from flask import Flask
from flask.cli import with_appcontext

from insureflow.cli.limits import find_policy, policy_option
from insureflow.cli.options import LOCALE, format_option, inside, on_option, organisation_option, print_json, print_rows, refusals_as_errors
from insureflow.i18n.words import word
from insureflow.queries.premium import get_premium, premium_facts


def register(app: Flask) -> None:
    """Add the command."""
    app.cli.add_command(premium)


@click.command("premium")
@with_appcontext
@organisation_option
@policy_option
@click.option("--year", type=int, metavar="YEAR", help="The policy year that begins in this year (default: the current one).")
@on_option
@format_option
@refusals_as_errors
def premium(organisation: str, policy_number: str, year: int | None, on: date | None, output: str) -> None:
    """Show what a policy year costs: estimated, minimum, advances, declared, earned and due."""
    with inside(organisation) as place:
        view = get_premium(find_policy(policy_number).id, place.day(on), year)
        facts = premium_facts(view)
        if output == "json":
            print_json({**facts, "trace": [] if view.account is None else view.account.trace.to_list()})
            return
        rows = [{"figure": word(name, LOCALE), "value": "–" if value is None else value} for name, value in facts.items()]
    print_rows(output, {"figure": "Figure", "value": "Value"}, rows, nothing="")

"""``insureflow cash``: bank statements imported, payments compared with what is open, and certain ones matched."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
from flask import Flask, current_app
from flask.cli import AppGroup

from insureflow.cli.options import (
    COMMAND_LINE,
    LOCALE,
    entity_option,
    format_option,
    inside,
    organisation_option,
    print_json,
    print_table,
    refusals_as_errors,
)
from insureflow.connectors.bank_statements import StatementBounds
from insureflow.domain.cash_application import Confidence, EntryState
from insureflow.domain.receivables import RowProblem
from insureflow.i18n.row_problems import reason_of
from insureflow.i18n.words import word
from insureflow.services import cash_application as cash

group = AppGroup("cash", help="Cash application: import bank statements, propose what payments are for, match what is certain.")


def register(app: Flask) -> None:
    """Add the commands."""
    app.cli.add_command(group)


def _row(problem: RowProblem) -> dict[str, Any]:
    reason = reason_of(problem.code, problem.parameters, LOCALE, column=problem.column, value=problem.value)
    return {"row": problem.row, "column": problem.column, "value": problem.value, "code": problem.code, "reason": reason}


@group.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@organisation_option
@entity_option
@format_option
@refusals_as_errors
def import_file(file: Path, organisation: str, entity: str, output: str) -> None:
    """Import the bank statement FILE (camt.053, camt.054 or MT940) for an entity. Exit status 1 if an entry could not be read."""
    bounds = StatementBounds(size=int(current_app.config["MAX_CONTENT_LENGTH"]))
    with file.open("rb") as stream:
        content = stream.read(bounds.size + 1)
    with inside(organisation) as place:
        outcome = cash.import_statements(
            COMMAND_LINE, place.organisation_id, entity=entity, file_name=file.name, content=content, bounds=bounds
        )
    problems, warnings = [_row(each) for each in outcome.problems], [_row(each) for each in outcome.warnings]
    if output == "json":
        print_json(
            {
                "statements": outcome.statements,
                "known_statements": outcome.known_statements,
                "entries": outcome.entries,
                "known": outcome.known,
                "detailed": outcome.detailed,
                "problems": problems,
                "warnings": warnings,
            }
        )
    else:
        for kind, rows in (("bad entry", problems), ("warning", warnings)):
            for each in rows:
                value = f" [{each['value']}]" if each["value"] else ""
                click.echo(f"{kind}, entry {each['row']}: {each['reason']}{value}", err=True)
        if not outcome.is_new:
            click.echo("All of this is known already; nothing was changed.")
        else:
            click.echo(f"{len(outcome.statements)} statements imported; {outcome.known} bookings were known already.")
            print_table(["", "Count"], [(word(EntryState(state), LOCALE), count) for state, count in outcome.entries.items()], numbers=(1,))
    if problems:
        sys.exit(1)


@group.command("propose")
@organisation_option
@format_option
@refusals_as_errors
def propose(organisation: str, output: str) -> None:
    """Compare every payment that waits with what is open now."""
    with inside(organisation) as place:
        found = cash.propose(COMMAND_LINE, place.organisation_id)
    if output == "json":
        print_json(found)
    else:
        print_table(["", "Count"], [(word(Confidence(name), LOCALE), count) for name, count in found.items()], numbers=(1,))


@group.command("apply")
@organisation_option
@format_option
@refusals_as_errors
def apply_certain(organisation: str, output: str) -> None:
    """Match every payment of which it is certain what it is for."""
    with inside(organisation) as place:
        counts = cash.confirm_certain(COMMAND_LINE, place.organisation_id, on=place.today)
    if output == "json":
        print_json(counts)
    else:
        click.echo(f"{counts['matched']} payments matched; {counts['changed']} had changed and wait.")

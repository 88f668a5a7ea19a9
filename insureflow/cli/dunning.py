"""``insureflow dunning``: letters to buyers who owe, and the rules they follow."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import click
from flask import Flask
from flask.cli import AppGroup

from insureflow.cli.options import (
    BUYER_HELP,
    COMMAND_LINE,
    LOCALE,
    Day,
    buyer_option,
    entity_option,
    find_buyer,
    format_option,
    inside,
    on_option,
    organisation_option,
    print_json,
    print_rows,
    print_table,
    refusals_as_errors,
)
from insureflow.domain.dunning import DEFAULT_DATA, LetterState
from insureflow.domain.errors import Refusal
from insureflow.domain.money import Money
from insureflow.i18n.words import word
from insureflow.queries import dunning as queries
from insureflow.queries import organisations as organisation_queries
from insureflow.queries.listing import Narrowing
from insureflow.services import dunning

group = AppGroup("dunning", help="Dunning: letters to buyers who owe, and the rules they follow.")

_COLUMNS = {
    "key": "Key",
    "buyer": "Buyer",
    "entity": "Entity",
    "level": "Level",
    "state": "Stands",
    "total": "Asked for",
    "as_of": "Day",
    "channel": "Channel",
    "language": "Language",
    "sent_on": "Sent",
}


def register(app: Flask) -> None:
    """Add the commands."""
    app.cli.add_command(group)


@group.command("propose")
@organisation_option
@on_option
@click.option("--dry-run", is_flag=True, help="Only show what would be made.")
@format_option
@refusals_as_errors
def propose(organisation: str, on: date | None, dry_run: bool, output: str) -> None:
    """Write down every letter that is due; twice on a day makes none twice."""
    with inside(organisation) as place:
        if dry_run:
            rows = [
                {
                    "buyer": each.buyer_id,
                    "level": word(each.level, LOCALE),
                    "total": Money(each.open_minor, each.currency),
                    "invoices": each.invoices,
                }
                for each in dunning.simulate(place.day(on))
            ]
            names = {"buyer": "Buyer", "level": "Level", "total": "Asked for", "invoices": "Invoices"}
            print_rows(output, names, rows, nothing="No letter is due.")
            return
        counts = dunning.propose(COMMAND_LINE, place.organisation_id, place.day(on)).counts()
    if output == "json":
        print_json(counts)
    else:
        print_table(["", "Count"], [(word(f"RunCount.{name}", LOCALE), count) for name, count in counts.items()], numbers=(1,))


@group.command("list")
@organisation_option
@click.option("--state", type=click.Choice([state.value for state in LetterState]), default=None, help="Only letters that stand so.")
@format_option
@refusals_as_errors
def list_letters(organisation: str, state: str | None, output: str) -> None:
    """List letters, those that wait for a decision first."""
    with inside(organisation):
        rows = list(queries.letter_listing().stream(Narrowing(choices={"state": [state]} if state else {}), None))
    shown = [{**row, "total": Money(row["total"][0], row["total"][1])} for row in rows]
    if output == "text":
        shown = [{**row, **{name: word(row[name], LOCALE) for name in ("level", "state", "channel")}} for row in shown]
    print_rows(output, _COLUMNS, shown, nothing="There is no letter.")


@group.command("approve")
@click.argument("letters", type=int, nargs=-1)
@organisation_option
@click.option("--all", "everything", is_flag=True, help="All that wait.")
@refusals_as_errors
def approve(letters: tuple[int, ...], organisation: str, everything: bool) -> None:
    """Approve LETTERS, write them, and queue or lay them aside for the post."""
    if not letters and not everything:
        raise click.UsageError("Name the letters, or use --all.")
    with inside(organisation) as place:
        count = dunning.approve(COMMAND_LINE, place.organisation_id, None if everything else letters)
        issued = dunning.issue_approved(place.organisation_id, place.today)
    click.echo(f"{count} letters approved, {issued['letters_issued']} written, {issued['letters_settled']} not needed any more.")


def _entity_id(code: str) -> int:
    """Key of an entity by its code. Errors: ``entity_unknown``."""
    for entity in organisation_queries.list_entities():
        if entity.code == code:
            return int(entity.id)
    raise Refusal("entity_unknown", entity=code)


_INTEREST = {
    "invoice": "Invoice",
    "due_on": "Due date",
    "principal": "Principal",
    "from_on": "After",
    "until_on": "Until",
    "days": "Days",
    "annual_rate": "Rate a year",
    "interest": "Interest",
}


@group.command("interest")
@organisation_option
@buyer_option
@entity_option
@click.option("--issue", is_flag=True, help="Issue the notice; without it only what it would claim is shown.")
@click.option("--by-mail", is_flag=True, help="Issue it, and send it to the buyer's contacts.")
@format_option
@refusals_as_errors
def interest(organisation: str, buyer: str, entity: str, issue: bool, by_mail: bool, output: str) -> None:
    """Show the interest on late payment that no notice has claimed, or issue the notice that claims it."""
    with inside(organisation) as place:
        buyer_id, entity_id = find_buyer(buyer, or_key=True).id, _entity_id(entity)
        if issue or by_mail:
            document, _message = dunning.send_interest_notice(
                COMMAND_LINE, place.organisation_id, buyer_id, entity_id, place.today, by_mail=by_mail
            )
            issued = {"number": document.number, "language": document.language, "by_mail": by_mail, "claimed": document.facts["totals"]}
            if output == "json":
                print_json(issued)
            else:
                click.echo(f"The notice of interest {document.number} is issued.")
            return
        paper = dunning.interest_of_account(place.organisation_id, buyer_id, entity_id, place.today)
    rows = [
        {
            "invoice": line.number,
            "due_on": line.due_on,
            "principal": line.principal,
            "from_on": line.from_on,
            "until_on": line.until_on,
            "days": line.days,
            "annual_rate": line.annual_rate,
            "interest": line.interest,
        }
        for line in paper.lines
    ]
    print_rows(output, _INTEREST, rows, nothing="There is no interest to claim.")


@group.command("rules")
@organisation_option
@format_option
@refusals_as_errors
def list_rules(organisation: str, output: str) -> None:
    """Show the rules; JSON has them whole."""
    with inside(organisation):
        rows = [
            {"id": row.id, "from": row.effective_on, "country": row.country, "buyer": row.buyer_id, "note": row.note, "data": row.data}
            for row in queries.rules()
        ]
    if output == "json":
        print_json({"rules": rows, "default": DEFAULT_DATA})
    else:
        names = {"id": "Key", "from": "From", "country": "Country", "buyer": "Buyer", "note": "Note"}
        print_rows(output, names, rows, nothing="No rule was made; the default holds (see --format json).")


@group.command("set-rule")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@organisation_option
@click.option("--from", "effective_on", type=Day(), default=None, help="First day of the rule (default: today).")
@click.option("--country", default=None, help="Only buyers of this country.")
@click.option("--buyer", "-b", default=None, metavar="BUYER", help=f"Only for one buyer. {BUYER_HELP}")
@click.option("--note", default="", help="Why.")
@refusals_as_errors
def set_rule(file: Path, organisation: str, effective_on: date | None, country: str | None, buyer: str | None, note: str) -> None:
    """Set the rule of the JSON FILE for the organisation, a country or a buyer."""
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise Refusal("dunning_file_unreadable", name=file.name) from error
    if not isinstance(data, dict):
        raise Refusal("dunning_file_unreadable", name=file.name)
    with inside(organisation) as place:
        buyer_id = None if buyer is None else find_buyer(buyer, or_key=True).id
        rule = dunning.set_rule(
            COMMAND_LINE, place.organisation_id, data, place.day(effective_on), country=country, buyer_id=buyer_id, note=note
        )
        click.echo(f"Rule {rule.id} holds from {rule.effective_on}.")

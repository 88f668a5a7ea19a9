"""``insureflow contacts``: people at buyers, and the letterheads of entities."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from flask import Flask
from flask.cli import AppGroup

from insureflow.cli.options import (
    COMMAND_LINE,
    LOCALE,
    buyer_option,
    entity_option,
    find_buyer,
    format_option,
    inside,
    organisation_option,
    print_json,
    print_rows,
    refusals_as_errors,
)
from insureflow.connectors.contact_files import LARGEST
from insureflow.i18n.row_problems import reason_of
from insureflow.queries import contacts as queries
from insureflow.queries import organisations as organisation_queries
from insureflow.services import contacts
from insureflow.services.contacts import ContactDetails, LetterheadDetails

group = AppGroup("contacts", help="Contacts: the people at buyers to whom letters go, and the letterheads of entities.")

_COLUMNS = {
    "id": "Key",
    "name": "Name",
    "role": "Role",
    "email": "E-mail",
    "phone": "Telephone",
    "language": "Language",
    "gets_letters": "Letters",
}


def register(app: Flask) -> None:
    """Add the commands."""
    app.cli.add_command(group)


@group.command("list")
@organisation_option
@buyer_option
@format_option
@refusals_as_errors
def list_contacts(organisation: str, buyer: str, output: str) -> None:
    """List the people at a buyer."""
    with inside(organisation):
        rows = [{name: getattr(contact, name) for name in _COLUMNS} for contact in queries.contacts_of(find_buyer(buyer, or_key=True).id)]
    print_rows(output, _COLUMNS, rows, nothing="No contact is known.")


@group.command("add")
@organisation_option
@buyer_option
@click.option("--name", default="", help="Name of the person.")
@click.option("--role", default="", help="What the person does.")
@click.option("--email", default="", help="E-mail address.")
@click.option("--phone", default="", help="Telephone number.")
@click.option("--language", default=None, help="Language of letters (default: that of the buyer).")
@click.option("--no-letters", is_flag=True, help="Letters do not go to this person.")
@refusals_as_errors
def add(organisation: str, buyer: str, name: str, role: str, email: str, phone: str, language: str | None, no_letters: bool) -> None:
    """Add a person at a buyer."""
    details = ContactDetails(name=name, role=role, email=email, phone=phone, language=language, gets_letters=not no_letters)
    with inside(organisation) as place:
        contact = contacts.add_contact(COMMAND_LINE, place.organisation_id, find_buyer(buyer, or_key=True).id, details)
        click.echo(f"Contact {contact.id} is added.")


@group.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@organisation_option
@format_option
@refusals_as_errors
def import_file(file: Path, organisation: str, output: str) -> None:
    """Import the people of the CSV FILE. Exit status 1 if a row could not be taken."""
    with file.open("rb") as stream:
        content = stream.read(LARGEST + 1)
    with inside(organisation) as place:
        outcome = contacts.import_contacts(COMMAND_LINE, place.organisation_id, content)
    problems = [
        {
            "row": each.row,
            "column": each.column,
            "value": each.value,
            "code": each.code,
            "reason": reason_of(each.code, each.parameters, LOCALE),
        }
        for each in outcome.problems
    ]
    if output == "json":
        print_json({"added": outcome.added, "changed": outcome.changed, "known": outcome.known, "problems": problems})
    else:
        for each in problems:
            click.echo(f"row {each['row']}: {each['reason']} [{each['value']}]", err=True)
        click.echo(f"{outcome.added} new, {outcome.changed} changed, {outcome.known} as they were, {len(problems)} rows not taken.")
    if problems:
        sys.exit(1)


@group.command("letterhead")
@organisation_option
@entity_option
@click.option("--address", default=None, help="Postal address; lines divided by a semicolon.")
@click.option("--contact", default=None, help="Who is named under the letters.")
@click.option("--phone", default=None, help="Telephone number.")
@click.option("--email", default=None, help="Address to which answers go.")
@click.option("--registration", default=None, help="Registration number.")
@click.option("--tax-number", default=None, help="VAT number.")
@click.option("--bank-name", default=None, help="Bank.")
@click.option("--bank-account", default=None, help="IBAN or account number.")
@click.option("--bank-code", default=None, help="BIC.")
@click.option("--footer", default=None, help="Foot of the page.")
@refusals_as_errors
def letterhead(organisation: str, entity: str, **given: str | None) -> None:
    """Set what stands on the papers of an entity; what is not named stays."""
    with inside(organisation) as place:
        found = organisation_queries.find_entity(entity)
        entity_id = -1 if found is None else found.id
        known = queries.letterheads().get(entity_id)
        values = {name: getattr(known, name) if known else "" for name in LetterheadDetails.__dataclass_fields__}
        values |= {name: value for name, value in given.items() if value is not None}
        if given["address"] is not None:
            values["address"] = given["address"].replace(";", "\n")
        contacts.set_letterhead(COMMAND_LINE, place.organisation_id, entity_id, LetterheadDetails(**values))
        click.echo(f"The letterhead of {entity} is set.")

"""``insureflow declarations …``: what has to be declared to insurers, from its draft to its protocol number."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import click
from flask import Flask
from flask.cli import AppGroup

from insureflow.cli.limits import find_policy, policy_option
from insureflow.cli.options import (
    COMMAND_LINE,
    Day,
    format_option,
    inside,
    on_option,
    organisation_option,
    print_json,
    print_rows,
    refusals_as_errors,
)
from insureflow.domain.access import Permission, is_allowed
from insureflow.domain.declarations import DeclarationStatus, DeclarationWay
from insureflow.domain.errors import Refusal
from insureflow.domain.money import Money
from insureflow.models.declarations import Declaration
from insureflow.queries import declarations as queries
from insureflow.queries import organisations as organisation_queries
from insureflow.queries.listing import Narrowing
from insureflow.services import declarations, issued_documents
from insureflow.services.journal import Actor

group = AppGroup("declarations", help="Declare turnover, balances or limits to insurers.")


def register(app: Flask) -> None:
    """Add the commands."""
    app.cli.add_command(group)


def _print(found: Declaration, output: str) -> None:
    facts: dict[str, Any] = {
        "declaration": found.id,
        "version": found.version,
        "status": found.status,
        "from": found.period_from,
        "to": found.period_to,
        "due": found.due_on,
        "declared": Money(found.declared_minor, found.currency),
        "left_out": Money(found.full_minor - found.declared_minor, found.currency),
        "items": found.items,
    }
    if output == "json":
        print_json(facts)
        return
    click.echo(
        f"Declaration {found.id} (version {found.version}, {found.status.value}): {facts['declared']} of {found.period_from} to "
        f"{found.period_to}, {facts['left_out']} left out, {found.items} items, due on {found.due_on}."
    )


def _approver(email: str) -> Actor:
    """Who approves. Errors: ``person_unknown``, ``declaration_approver_may_not``."""
    for user, membership in organisation_queries.list_members():
        if user.email.casefold() == email.strip().casefold():
            if not is_allowed(membership.role, Permission.APPROVE_DECLARATIONS):
                raise Refusal("declaration_approver_may_not", email=user.email)
            return Actor(user.id, user.email)
    raise Refusal("person_unknown", email=email)


@group.command("draft")
@organisation_option
@policy_option
@click.option("--period-to", "last_day", required=True, type=Day(), metavar="DATE", help="Last day of the period.")
@on_option
@format_option
@refusals_as_errors
def draft(organisation: str, policy_number: str, last_day: date, on: date | None, output: str) -> None:
    """Add a period up from the ledger."""
    with inside(organisation) as place:
        policy = find_policy(policy_number)
        _print(declarations.draft(COMMAND_LINE, place.organisation_id, policy.id, last_day, place.day(on)), output)


@group.command("approve")
@click.argument("declaration_id", type=int)
@organisation_option
@click.option("--as", "person", required=True, metavar="EMAIL", help="The second person.")
@format_option
@refusals_as_errors
def approve(declaration_id: int, organisation: str, person: str, output: str) -> None:
    """Agree to draft DECLARATION_ID as a second person."""
    with inside(organisation) as place:
        _print(declarations.approve(_approver(person), place.organisation_id, declaration_id), output)


@group.command("declare")
@click.argument("declaration_id", type=int)
@organisation_option
@click.option("--way", type=click.Choice([way.value for way in DeclarationWay]), default=DeclarationWay.PORTAL.value, show_default=True)
@click.option("--protocol", default="", metavar="TEXT", help="Protocol number of the insurer's portal or desk.")
@click.option("--declared-on", type=Day(), metavar="DATE", help="Day of the declaration (default: today).")
@click.option("--note", default="", help="A remark.")
@on_option
@format_option
@refusals_as_errors
def declare(
    declaration_id: int,
    organisation: str,
    way: str,
    protocol: str,
    declared_on: date | None,
    note: str,
    on: date | None,
    output: str,
) -> None:
    """Record that approved declaration DECLARATION_ID was made, and how that is proven."""
    with inside(organisation) as place:
        today = place.day(on)
        found = declarations.declare(
            COMMAND_LINE,
            place.organisation_id,
            declaration_id,
            DeclarationWay(way),
            protocol=protocol,
            declared_on=declared_on or today,
            on=today,
            note=note,
        )
        _print(found, output)


@group.command("paper")
@click.argument("declaration_id", type=int)
@click.argument("file", type=click.Path(dir_okay=False, writable=True, path_type=Path))
@organisation_option
@on_option
@refusals_as_errors
def paper(declaration_id: int, file: Path, organisation: str, on: date | None) -> None:
    """Write approved declaration DECLARATION_ID as a PDF for the insurer to FILE."""
    with inside(organisation) as place:
        document = declarations.issue_paper(COMMAND_LINE, place.organisation_id, declaration_id, place.day(on))
        file.write_bytes(issued_documents.read(place.organisation_id, document.id).content)
        click.echo(f"Document {document.number} is in {file}.")


@group.command("list")
@organisation_option
@click.option("--policy", "-p", "policy_number", metavar="NUMBER", help="Only this policy.")
@click.option("--status", type=click.Choice([status.value for status in DeclarationStatus]), help="Only those that stand so.")
@click.option("--due", is_flag=True, help="The periods that are over and not declared, instead.")
@on_option
@format_option
@refusals_as_errors
def list_declarations(organisation: str, policy_number: str | None, status: str | None, due: bool, on: date | None, output: str) -> None:
    """Show the declarations, or the periods that still have to be declared."""
    with inside(organisation) as place:
        policy_id = None if policy_number is None else find_policy(policy_number).id
        if due:
            periods = [
                {
                    "policy": each.policy.number,
                    "from": each.period.first_day,
                    "to": each.period.last_day,
                    "due": each.period.due_on,
                    "late": each.is_late,
                    "draft": None if each.declaration is None else each.declaration.id,
                }
                for each in queries.open_periods(place.day(on), policy_id=policy_id)
            ]
            names = {"policy": "Policy", "from": "From", "to": "To", "due": "Due", "late": "Late", "draft": "Draft"}
            print_rows(output, names, periods, nothing="Every period that is over has been declared.")
            return
        narrowing = Narrowing(choices={"status": [status]}) if status else Narrowing()
        rows = [
            {**row, **{name: Money(*row[name]) for name in ("declared", "left_out")}}
            for row in queries.declaration_listing(policy_id=policy_id).stream(narrowing, None)
        ]
    names = {
        "number": "Declaration",
        "policy": "Policy",
        "period_from": "From",
        "period": "To",
        "version": "Version",
        "status": "Status",
        "due_on": "Due",
        "declared_on": "Declared on",
        "declared": "To declare",
        "left_out": "Left out",
        "protocol": "Protocol",
    }
    print_rows(output, names, rows, nothing="No declaration yet.")

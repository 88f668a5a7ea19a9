"""``insureflow token``: keys that let other systems in."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import click
from flask import Flask
from flask.cli import AppGroup

from insureflow.cli.options import COMMAND_LINE, Day, format_option, inside, organisation_option, print_json, print_rows, refusals_as_errors
from insureflow.domain.access import Permission
from insureflow.domain.errors import Refusal
from insureflow.queries.organisations import list_members
from insureflow.services import tokens

group = AppGroup("token", help="Keys that let other systems in on behalf of a person.")


def register(app: Flask) -> None:
    """Add the commands."""
    app.cli.add_command(group)


@group.command("add")
@click.argument("name")
@organisation_option
@click.option("--user", "email", required=True, metavar="EMAIL", help="On whose behalf the key works.")
@click.option("--scope", "scopes", multiple=True, type=click.Choice([each.value for each in Permission]), help="Narrow the key to this.")
@click.option("--until", type=Day(), help="Last day of the key (default: it does not end).")
@format_option
@refusals_as_errors
def add(name: str, organisation: str, email: str, scopes: tuple[str, ...], until: date | None, output: str) -> None:
    """Make a key called NAME. Its secret is shown once."""
    expires_at = None if until is None else datetime.combine(until + timedelta(days=1), time.min, UTC)
    with inside(organisation) as place:
        owner = next((user for user, _membership in list_members() if user.email == email.strip().casefold()), None)
        if owner is None:
            raise Refusal("member_unknown", email=email)
        scope = [Permission(each) for each in scopes]
        token, secret = tokens.add_token(COMMAND_LINE, place.organisation_id, owner.id, name, scopes=scope, expires_at=expires_at)
        facts = {"id": token.id, "name": token.name, "user": owner.email, "scopes": token.scopes, "secret": secret}
    if output == "json":
        print_json(facts)
    else:
        click.echo(f"The key “{facts['name']}” of {facts['user']} (nobody can read it again):")
        click.echo(secret)


@group.command("list")
@organisation_option
@format_option
@refusals_as_errors
def list_all(organisation: str, output: str) -> None:
    """List the keys, without their secrets."""
    with inside(organisation) as place:
        rows = [
            {
                "id": token.id,
                "name": token.name,
                "begins": f"{token.hint}…",
                "user": user.email,
                "scopes": token.scopes,
                "expires_at": token.expires_at,
                "last_used_at": token.last_used_at,
                "revoked_at": token.revoked_at,
            }
            for token, user in tokens.list_tokens(place.organisation_id)
        ]
    names = {
        "id": "No.",
        "name": "Name",
        "begins": "Begins",
        "user": "User",
        "scopes": "Scopes",
        "expires_at": "Expires",
        "last_used_at": "Last used",
        "revoked_at": "Revoked",
    }
    print_rows(output, names, rows, nothing="There are no keys yet. Make one with “insureflow token add”.")


@group.command("revoke")
@click.argument("number", type=int)
@organisation_option
@refusals_as_errors
def revoke(number: int, organisation: str) -> None:
    """End the key with this NUMBER at once."""
    with inside(organisation) as place:
        tokens.revoke_token(COMMAND_LINE, place.organisation_id, number)
    click.echo(f"Key {number} has ended.")

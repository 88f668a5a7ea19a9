"""``insureflow user``: the people of an organisation and what they may do."""

from __future__ import annotations

import sys

import click
from flask import Flask
from flask.cli import AppGroup

from insureflow.cli.options import COMMAND_LINE, format_option, inside, organisation_option, print_json, print_rows, refusals_as_errors
from insureflow.domain.access import Role
from insureflow.domain.errors import Refusal
from insureflow.i18n.words import sentence_for
from insureflow.queries.organisations import list_members
from insureflow.services import organisations

group = AppGroup("user", help="The people of an organisation and their roles.")


def register(app: Flask) -> None:
    """Add the commands."""
    app.cli.add_command(group)


@group.command("add")
@click.argument("email")
@organisation_option
@click.option("--name", default="", help="What the person is called.")
@click.option("--role", required=True, type=click.Choice([role.value for role in Role]), help="What the person may do.")
@click.option("--password-stdin", is_flag=True, help="Read the password of a new log-in from standard input instead of asking for it.")
@format_option
@refusals_as_errors
def add(email: str, organisation: str, name: str, role: str, password_stdin: bool, output: str) -> None:
    """Give the person with the address EMAIL a role, with a new log-in where there is none.

    A password is never given on the command line, where others could read it: it is asked for, or read from standard input.
    """
    with inside(organisation) as place:
        password = sys.stdin.readline().rstrip("\r\n") if password_stdin else None
        try:
            user = organisations.add_user(COMMAND_LINE, place.organisation_id, email=email, name=name, role=Role(role), password=password)
        except Refusal as refusal:
            if refusal.code != "password_needed" or password_stdin:
                raise
            click.echo(sentence_for(refusal, "en"), err=True)
            password = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
            user = organisations.add_user(COMMAND_LINE, place.organisation_id, email=email, name=name, role=Role(role), password=password)
        facts = {"email": user.email, "name": user.name, "role": role}
    if output == "json":
        print_json(facts)
    else:
        click.echo(f"{facts['email']} is now {role.replace('_', ' ')} of {organisation}.")


@group.command("role")
@click.argument("email")
@organisation_option
@click.option("--role", required=True, type=click.Choice([role.value for role in Role]), help="What the person may do from now on.")
@format_option
@refusals_as_errors
def change_role(email: str, organisation: str, role: str, output: str) -> None:
    """Give the person with the address EMAIL another role."""
    with inside(organisation) as place:
        user = organisations.change_role(COMMAND_LINE, place.organisation_id, email=email, role=Role(role))
        facts = {"email": user.email, "name": user.name, "role": role}
    if output == "json":
        print_json(facts)
    else:
        click.echo(f"{facts['email']} is now {role.replace('_', ' ')} of {organisation}.")


@group.command("remove")
@click.argument("email")
@organisation_option
@format_option
@refusals_as_errors
def remove(email: str, organisation: str, output: str) -> None:
    """End the work of the person with the address EMAIL in the organisation; the log-in itself stays."""
    with inside(organisation) as place:
        user = organisations.remove_member(COMMAND_LINE, place.organisation_id, email=email)
        facts = {"email": user.email, "name": user.name}
    if output == "json":
        print_json(facts)
    else:
        click.echo(f"{facts['email']} no longer works in {organisation}.")


@group.command("list")
@organisation_option
@format_option
@refusals_as_errors
def list_all(organisation: str, output: str) -> None:
    """List the people."""
    with inside(organisation):
        rows = [
            {"email": user.email, "name": user.name, "role": membership.role.value, "active": user.active}
            for user, membership in list_members()
        ]
    names = {"email": "E-mail", "name": "Name", "role": "Role", "active": "May log in"}
    print_rows(output, names, rows, nothing="Nobody works in this organisation yet. Add somebody with “insureflow user add”.")

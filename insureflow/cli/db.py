"""``insureflow db``: the database and its migrations."""

from __future__ import annotations

import click
from flask import Flask
from flask.cli import AppGroup
from flask_migrate import check, downgrade, stamp, upgrade

from insureflow.services.database import MIGRATIONS

group = AppGroup("db", help="The database and its migrations.")


def register(app: Flask) -> None:
    """Add the commands."""
    app.cli.add_command(group)


@group.command("upgrade")
@click.argument("revision", default="head")
def upgrade_database(revision: str) -> None:
    """Bring the database to the newest migration (or to REVISION)."""
    upgrade(directory=str(MIGRATIONS), revision=revision)


@group.command("downgrade")
@click.argument("revision")
@click.confirmation_option(prompt="This removes tables and what is in them. Go on?")
def downgrade_database(revision: str) -> None:
    """Take the database back to REVISION ("base" for nothing at all)."""
    downgrade(directory=str(MIGRATIONS), revision=revision)


@group.command("check")
def check_database() -> None:
    """Tell whether the tables are what the models say."""
    check(directory=str(MIGRATIONS))


@group.command("stamp")
@click.argument("revision")
def stamp_database(revision: str) -> None:
    """Note that the database is at REVISION without changing it."""
    stamp(directory=str(MIGRATIONS), revision=revision)

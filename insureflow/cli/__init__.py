"""The commands. Each feature has a module with a ``register(app)`` of its own."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pkgutil import iter_modules

import click
from flask import Flask
from flask.cli import FlaskGroup

import config
from insureflow.services.database import MIGRATIONS

__all__ = ["MIGRATIONS", "main", "register"]


def register(app: Flask) -> None:
    """Add every feature's commands to the application."""
    for info in iter_modules(__path__):
        module = import_module(f"{__name__}.{info.name}")
        if hasattr(module, "register"):
            module.register(app)


def main(create_app: Callable[[], Flask]) -> None:
    """Run ``insureflow``; a wrong setting ends it with every problem listed."""
    group = FlaskGroup(
        create_app=create_app, add_default_commands=False, add_version_option=False, load_dotenv=False, help="InsureFlow's commands."
    )
    try:
        group.main(prog_name="insureflow")
    except config.ConfigurationError as error:
        click.echo(str(error), err=True)
        raise SystemExit(2) from None

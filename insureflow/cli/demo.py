"""``insureflow demo``: the demo organisation."""

from __future__ import annotations

from datetime import datetime

import click
from flask import Flask, current_app
from flask.cli import AppGroup

from insureflow.cli.options import progress_bar
from insureflow.services import demo
from insureflow.services.clock import business_date

group = AppGroup("demo", help="The demo organisation.")


def register(app: Flask) -> None:
    """Add the commands."""
    app.cli.add_command(group)


@group.command("load")
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), help="The day on which the demo stands (default: today).")
@click.option("--seed", type=int, default=7, show_default=True, help="Another seed gives another demo.")
@click.option("--if-empty", is_flag=True, help="Do nothing where there is an organisation already.")
def load(on: datetime | None, seed: int, if_empty: bool) -> None:
    """Load a made-up exporter with 400 buyers, 6,000 invoices and three policies."""
    if if_empty and not demo.is_database_empty():
        return
    day = on.date() if on else business_date(current_app.config["BABEL_DEFAULT_TIMEZONE"])
    stages = {"demo_policies": 0, "demo_ledger": 10}
    with progress_bar("Loading the demo") as report:

        def tell(stage: str, done: int, total: int) -> None:
            report(stages.get(stage, 20 + 80 * done // max(1, total)), 100)

        organisation = demo.load_demo(day, seed=seed, progress=tell)
    click.echo(f"{organisation.name} is loaded as of {day.isoformat()}. Log in with:")
    for email, name, role in demo.DEMO_USERS:
        click.echo(f"  {email:<28} {role.value:<18} {name}")
    click.echo(f"  password for all of them: {demo.DEMO_PASSWORD}")

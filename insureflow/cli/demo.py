"""``insureflow demo``: the demo organisation."""

from __future__ import annotations

from datetime import date, datetime

import click
from flask import Flask, current_app
from flask.cli import AppGroup

from insureflow.cli.options import progress_bar
from insureflow.sandbox.state import Cover, State, seed
from insureflow.services import demo
from insureflow.services.clock import business_date, now

group = AppGroup("demo", help="The demo organisation.")


def register(app: Flask) -> None:
    """Add the commands."""
    app.cli.add_command(group)


@group.command("load")
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), help="The day on which the demo stands (default: today).")
@click.option("--seed", "dice", type=int, default=7, show_default=True, help="Another seed gives another demo.")
@click.option("--if-empty", is_flag=True, help="Do nothing where there is an organisation already.")
def load(on: datetime | None, dice: int, if_empty: bool) -> None:
    """Load a made-up exporter with 400 buyers, 6,000 invoices and three policies."""
    if if_empty and not demo.is_database_empty():
        return
    day = on.date() if on else business_date(current_app.config["BABEL_DEFAULT_TIMEZONE"])
    stages = {"demo_policies": 0, "demo_ledger": 10}
    with progress_bar("Loading the demo") as report:

        def tell(stage: str, done: int, total: int) -> None:
            report(stages.get(stage, 20 + 80 * done // max(1, total)), 100)

        organisation = demo.load_demo(day, seed=dice, progress=tell)
    _teach_sandbox(organisation.id, day)
    click.echo(f"{organisation.name} is loaded as of {day.isoformat()}. Log in with:")
    for email, name, role in demo.DEMO_USERS:
        click.echo(f"  {email:<28} {role.value:<18} {name}")
    click.echo(f"  password for all of them: {demo.DEMO_PASSWORD}")


def _teach_sandbox(organisation_id: int, day: date) -> None:
    """Let the sandbox insurers know the demo's limits, so that its connections have something to say."""
    path = current_app.config["INSUREFLOW"].sandbox_path
    limits = demo.sandbox_limits(organisation_id, day)
    state = State(path, now)
    state.reset()
    for policy, currency in {(each.policy, each.currency) for each in limits}:
        state.set_setting(f"currency.{policy}", currency)
    state.close()
    seed(
        path,
        (
            Cover(
                each.insurer,
                0,
                each.policy,
                each.company_id,
                each.currency,
                each.requested,
                each.decided_on.isoformat(),
                decided=each.decided,
                stage="in_force" if each.answer else "applied",
                answer=each.answer,
                decided_on=each.decided_on.isoformat() if each.answer else None,
                effective_on=each.decided_on.isoformat() if each.answer else None,
                reference=each.reference,
                company_name=each.company_name,
                country=each.country,
            )
            for each in limits
        ),
        clock=now,
    )

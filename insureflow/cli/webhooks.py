"""``insureflow webhooks``: other systems that are told of events."""

from __future__ import annotations

import click
from flask import Flask
from flask.cli import AppGroup

from insureflow.cli.options import (
    COMMAND_LINE,
    LOCALE,
    format_option,
    inside,
    organisation_option,
    print_json,
    print_rows,
    print_table,
    refusals_as_errors,
)
from insureflow.i18n.words import word
from insureflow.queries import webhooks as queries
from insureflow.services import webhooks

group = AppGroup("webhooks", help="Events for other systems: where they go, and sending what waits.")


def register(app: Flask) -> None:
    """Add the commands."""
    app.cli.add_command(group)


@group.command("list")
@organisation_option
@format_option
@refusals_as_errors
def list_endpoints(organisation: str, output: str) -> None:
    """List the addresses."""
    with inside(organisation):
        rows = [
            {
                "id": row.id,
                "url": row.url,
                "events": row.events,
                "on": row.is_enabled and row.stopped_because is None,
                "failures": row.failures,
            }
            for row in queries.endpoints()
        ]
    names = {"id": "Key", "url": "Address", "events": "Events", "on": "On", "failures": "Failures"}
    print_rows(output, names, rows, nothing="No other system is told of events.")


@group.command("add")
@click.argument("url")
@organisation_option
@click.option("--event", "events", multiple=True, help="Only this event; may be named several times (default: all).")
@refusals_as_errors
def add(url: str, organisation: str, events: tuple[str, ...]) -> None:
    """Tell the system at URL of events, and print the secret that proves them: it is shown this once."""
    with inside(organisation) as place:
        endpoint, secret = webhooks.add_endpoint(COMMAND_LINE, place.organisation_id, url, events)
        click.echo(f"Address {endpoint.id} is added. Its secret: {secret}")


@group.command("test")
@click.argument("endpoint", type=int)
@organisation_option
@refusals_as_errors
def test(endpoint: int, organisation: str) -> None:
    """Queue an event that means nothing for ENDPOINT."""
    with inside(organisation) as place:
        webhooks.send_test(COMMAND_LINE, place.organisation_id, endpoint)
    click.echo("A test event waits to be sent.")


@group.command("remove")
@click.argument("endpoint", type=int)
@organisation_option
@refusals_as_errors
def remove(endpoint: int, organisation: str) -> None:
    """Take ENDPOINT out with everything that waits for it."""
    with inside(organisation) as place:
        webhooks.remove_endpoint(COMMAND_LINE, place.organisation_id, endpoint)
    click.echo("The address is taken out.")


@group.command("send")
@organisation_option
@format_option
@refusals_as_errors
def send(organisation: str, output: str) -> None:
    """Send what waits now."""
    with inside(organisation) as place:
        counts = webhooks.deliver_due(place.organisation_id).counts()
    if output == "json":
        print_json(counts)
    else:
        print_table(["", "Count"], [(word(f"RunCount.{name}", LOCALE), count) for name, count in counts.items()], numbers=(1,))

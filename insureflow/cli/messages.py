"""``insureflow messages``: e-mail that waits, is sent, and comes back."""

from __future__ import annotations

from typing import IO

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
from insureflow.connectors.mail_reports import LARGEST
from insureflow.domain.messages import MessageState
from insureflow.i18n.words import word
from insureflow.queries import messages as queries
from insureflow.queries.listing import Narrowing
from insureflow.services import message_watch, messages
from insureflow.services.mail_test import queue_test

group = AppGroup("messages", help="E-mail: what waits, what was sent, what came back.")

#: Who is told of messages that fail registers at import.
WATCHES = message_watch
_COLUMNS = {
    "key": "Key",
    "state": "Stands",
    "subject": "Subject",
    "recipients": "To",
    "attempts": "Attempts",
    "created_at": "Written",
    "sent_at": "Sent",
}


def register(app: Flask) -> None:
    """Add the commands."""
    app.cli.add_command(group)


@group.command("list")
@organisation_option
@click.option("--state", type=click.Choice([state.value for state in MessageState]), default=None, help="Only messages that stand so.")
@format_option
@refusals_as_errors
def list_messages(organisation: str, state: str | None, output: str) -> None:
    """List messages, the newest first."""
    narrowing = Narrowing(choices={"state": [state]} if state else {})
    with inside(organisation):
        rows = list(queries.message_listing().stream(narrowing, None))
    if output == "text":
        rows = [{**row, "state": word(row["state"], LOCALE)} for row in rows]
    print_rows(output, _COLUMNS, rows, nothing="No message was written.")


@group.command("send")
@organisation_option
@format_option
@refusals_as_errors
def send(organisation: str, output: str) -> None:
    """Send what waits now."""
    with inside(organisation) as place:
        counts = messages.deliver_due(place.organisation_id).counts()
    if output == "json":
        print_json(counts)
    else:
        print_table(["", "Count"], [(word(f"RunCount.{name}", LOCALE), count) for name, count in counts.items()], numbers=(1,))


@group.command("retry")
@click.argument("message", type=int)
@organisation_option
@click.option("--to", "recipients", multiple=True, help="Another address; may be named several times.")
@refusals_as_errors
def retry(message: int, organisation: str, recipients: tuple[str, ...]) -> None:
    """Send MESSAGE again."""
    with inside(organisation) as place:
        messages.repeat(COMMAND_LINE, place.organisation_id, message, recipients=recipients or None)
    click.echo("The message waits to be sent again.")


@group.command("cancel")
@click.argument("message", type=int)
@organisation_option
@refusals_as_errors
def cancel(message: int, organisation: str) -> None:
    """Do not send MESSAGE."""
    with inside(organisation) as place:
        messages.cancel(COMMAND_LINE, place.organisation_id, message)
    click.echo("The message will not be sent.")


@group.command("bounce")
@click.argument("file", type=click.File("rb"))
@organisation_option
@format_option
@refusals_as_errors
def bounce(file: IO[bytes], organisation: str, output: str) -> None:
    """Take in the report FILE of a mail server, or - for standard input."""
    content = file.read(LARGEST + 1)
    with inside(organisation) as place:
        outcome = messages.record_bounce(COMMAND_LINE, place.organisation_id, content)
    if output == "json":
        print_json(
            {
                "message": outcome.message_id,
                "bounced": outcome.is_bounced,
                "recipients": list(outcome.recipients),
                "contacts": outcome.contacts,
            }
        )
    else:
        click.echo(
            f"Message {outcome.message_id} {'came back' if outcome.is_bounced else 'is only delayed'}; {outcome.contacts} contacts are marked."
        )


@group.command("test")
@click.argument("address")
@organisation_option
@refusals_as_errors
def test(address: str, organisation: str) -> None:
    """Send a test message to ADDRESS at once."""
    with inside(organisation) as place:
        message = queue_test(COMMAND_LINE, place.organisation_id, address, LOCALE)
        messages.deliver_due(place.organisation_id)
        state = messages.state_of(place.organisation_id, message.id)
    click.echo(f"The test message {word(state, LOCALE)}.")

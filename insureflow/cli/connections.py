"""``insureflow connections``: how policies reach their insurers."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import click
from flask import Flask, current_app, url_for
from flask.cli import AppGroup

from insureflow.cli.options import (
    COMMAND_LINE,
    LOCALE,
    buyer_option,
    find_buyer,
    format_option,
    inside,
    organisation_option,
    print_json,
    print_rows,
    progress_bar,
    refusals_as_errors,
)
from insureflow.cli.stopping import INTERRUPTED, StopRequest, leave
from insureflow.connectors.insurers import registry
from insureflow.domain.connections import SyncState
from insureflow.domain.errors import Refusal
from insureflow.i18n.differences import subject_in_words
from insureflow.i18n.words import sentence_for, word
from insureflow.queries import connections as queries
from insureflow.queries import policies as policy_queries
from insureflow.queries.connections import ConnectionHealth
from insureflow.queries.listing import Narrowing
from insureflow.services import connections, outbox, sync
from insureflow.services.clock import now

#: So long a synchronisation that was asked to end is waited for; what it has put into the books stays.
_PATIENCE_SECONDS = 2.0

group = AppGroup("connections", help="Connections to insurers: set up, tried, synchronised.")


def register(app: Flask) -> None:
    """Add the commands."""
    app.cli.add_command(group)


def policy_option(command: Any) -> Any:
    """``--policy``: the number of the policy."""
    return click.option("--policy", "-p", "policy_number", required=True, metavar="NUMBER", help="Number of the policy.")(command)


def connection_id_of(policy_number: str) -> int:
    """Key of the connection of a policy. Errors: ``policy_not_connected``."""
    found = queries.find_connection_of_policy(policy_number)
    if found is None:
        raise Refusal("policy_not_connected", policy=policy_number)
    return found.id


def _pairs(given: tuple[str, ...], option: str) -> dict[str, str]:
    pairs = {}
    for each in given:
        name, separator, value = each.partition("=")
        if not separator or not name.strip():
            raise click.UsageError(f"Write {option} as name=value.")
        pairs[name.strip()] = value
    return pairs


def _secret(name: str) -> str:
    """A credential typed in unseen, or a line of standard input."""
    if sys.stdin.isatty():
        return str(click.prompt(name, hide_input=True, err=True))
    return sys.stdin.readline().rstrip("\r\n")


def _counts(counts: Mapping[str, int]) -> str:
    """What a run counted, in words; what is nought is left out."""
    return ", ".join(f"{word(f'RunCount.{name}', LOCALE)}: {number}" for name, number in counts.items() if number)


def _said(output: str, code: Any) -> Any:
    """A code for programs, its word for people."""
    return code if output == "json" or code is None else word(code, LOCALE)


def _error(error: Any) -> str:
    return sentence_for(Refusal(error.code, **dict(error.parameters)), LOCALE)


@group.command("list")
@organisation_option
@format_option
@refusals_as_errors
def list_(organisation: str, output: str) -> None:
    """Every connection and how it is doing."""
    with inside(organisation):
        rows = [_row(each, output) for each in queries.list_health(now())]
    names = {
        "policy": "Policy",
        "connector": "Connector",
        "environment": "Environment",
        "health": "Health",
        "last_good_at": "Last good",
        "waiting": "Waiting",
        "failed": "Failed",
        "differences": "Differences",
    }
    print_rows(output, names, rows, nothing="No policy is connected to its insurer.")


def _row(each: ConnectionHealth, output: str) -> dict[str, object]:
    is_json = output == "json"
    return {
        "policy": each.policy_number,
        "connector": each.connector if is_json else registry.get_connector(each.connector).name,
        "environment": each.environment if is_json else word(f"Environment.{each.environment}", LOCALE),
        "health": _said(output, each.health),
        "last_good_at": each.last_good_at,
        "waiting": each.waiting,
        "failed": each.failed,
        "differences": each.differences,
    }


@group.command("health")
@organisation_option
@format_option
@refusals_as_errors
def health(organisation: str, output: str) -> None:
    """How connections are doing; exit status 2 where one is out of date or failing."""
    with inside(organisation):
        found = queries.list_health(now())
        worrying = queries.list_worrying(now())
    rows = [
        {
            "policy": each.policy_number,
            "health": _said(output, each.health),
            "age_minutes": each.age_minutes,
            "failures": each.failures_in_a_row,
            "waiting": each.waiting,
            "failed": each.failed,
            "incoming": each.incoming.get("received", 0),
            "covers": each.covers,
            "why": _why(output, each.stopped_because or each.last_error),
        }
        for each in found
    ]
    names = {"policy": "Policy", "health": "Health", "age_minutes": "Minutes", "failures": "Failures", "waiting": "Waiting"}
    names |= {"failed": "Failed", "incoming": "To follow", "covers": "Limits", "why": "Why"}
    print_rows(output, names, rows, nothing="No policy is connected to its insurer.")
    if worrying:
        sys.exit(2)


def _why(output: str, stored: Mapping[str, Any] | None) -> str | None:
    """What went wrong last: its code for programs, its sentence for people."""
    if not stored:
        return None
    code = str(stored["code"])
    return code if output == "json" else sentence_for(Refusal(code, **dict(stored.get("parameters", {}))), LOCALE)


@group.command("add")
@organisation_option
@policy_option
@click.option("--connector", required=True, type=click.Choice(sorted(registry.CONNECTORS)), help="Which insurer's interface.")
@click.option(
    "--environment", type=click.Choice(connections.ENVIRONMENTS), default="production", show_default=True, help="Which of its systems."
)
@click.option("--key", "keys", multiple=True, metavar="NAME=VALUE", help="A part of the insurer's key of the policy.")
@click.option(
    "--credential",
    "names",
    multiple=True,
    metavar="NAME",
    help="A credential; its value is asked for, or read from standard input line by line.",
)
@click.option("--address", "addresses", multiple=True, metavar="NAME=URL", help="An address other than the documented one.")
@click.option("--option", "options", multiple=True, metavar="NAME=VALUE", help="An option of the connector.")
@click.option("--every", "every_minutes", type=int, default=60, show_default=True, help="Minutes between synchronisations.")
@click.option("--look-ups", "budget", type=int, default=0, show_default=True, help="Look-ups a month that may cost money.")
@refusals_as_errors
def add(
    organisation: str,
    policy_number: str,
    connector: str,
    environment: str,
    keys: tuple[str, ...],
    names: tuple[str, ...],
    addresses: tuple[str, ...],
    options: tuple[str, ...],
    every_minutes: int,
    budget: int,
) -> None:
    """Connect a policy. Credentials never stand in the command, where others could read them."""
    credentials = {name: _secret(name) for name in names}
    setup = connections.Setup(
        connector=connector,
        environment=environment,
        addresses=_pairs(addresses, "--address"),
        policy_key=_pairs(keys, "--key"),
        credentials=credentials,
        options=_pairs(options, "--option"),
        sync_every_minutes=every_minutes,
        look_up_budget=budget,
    )
    with inside(organisation) as place:
        policy_id = policy_queries.get_policy(policy_number).id
        connections.add_connection(COMMAND_LINE, place.organisation_id, policy_id, setup)
    click.echo(f"{policy_number} is connected. Try it: insureflow connections test -o {organisation} -p {policy_number}")


@group.command("test")
@organisation_option
@policy_option
@format_option
@refusals_as_errors
def test(organisation: str, policy_number: str, output: str) -> None:
    """Ask the insurer what the policy may do."""
    with inside(organisation) as place:
        trial = connections.try_connection(COMMAND_LINE, place.organisation_id, connection_id_of(policy_number))
    if trial.error is not None:
        click.echo(f"Error: {_error(trial.error)}", err=True)
        sys.exit(1)
    if output == "json":
        print_json({"capabilities": list(trial.capabilities)})
    else:
        click.echo("The connection works. It offers: " + ", ".join(word(each, LOCALE) for each in trial.capabilities))


@group.command("sync")
@organisation_option
@policy_option
@click.option("--whole", is_flag=True, help="Read everything, even where the insurer offers what changed.")
@format_option
@refusals_as_errors
def synchronise(organisation: str, policy_number: str, whole: bool, output: str) -> None:
    """Bring our limits to the insurer's. Ctrl-C ends it after the part in hand; the next time it goes on there."""
    stopping = StopRequest(patience=_PATIENCE_SECONDS)
    with inside(organisation) as place, progress_bar("Covers") as report:
        result = sync.synchronise(
            place.organisation_id,
            connection_id_of(policy_number),
            place.today,
            whole=whole,
            progress=report,
            wants_to_stop=stopping.is_made,
        )
    if output == "json":
        print_json(
            {
                "state": result.state,
                "is_whole": result.is_whole,
                "counts": result.counts,
                "milliseconds": result.milliseconds,
                "network_milliseconds": result.network_milliseconds,
                "error": None if result.error is None else result.error.code,
            }
        )
    else:
        counts = _counts(result.counts)
        click.echo(
            f"{word(result.state, LOCALE)}: {counts or 'nothing'} ({result.milliseconds} ms, of these {result.network_milliseconds} ms at the insurer)"
        )
    if result.error is not None:
        click.echo(f"Error: {_error(result.error)}", err=True)
        sys.exit(1)
    if result.state is SyncState.INTERRUPTED:
        leave(INTERRUPTED)


@group.command("send")
@organisation_option
@format_option
@refusals_as_errors
def send(organisation: str, output: str) -> None:
    """Send the requests that wait."""
    with inside(organisation) as place:
        counts = outbox.deliver_due(place.organisation_id, place.today).counts()
    if output == "json":
        print_json(counts)
    else:
        click.echo(_counts(counts) or "Nothing waits.")


@group.command("differences")
@organisation_option
@click.option("--compare", is_flag=True, help="Hold all limits against the insurers' again first.")
@format_option
@refusals_as_errors
def differences(organisation: str, compare: bool, output: str) -> None:
    """What differs between our limits and the insurers'."""
    with inside(organisation) as place:
        if compare:
            for connection_id in queries.enabled_connections(place.organisation_id):
                sync.reconcile(place.organisation_id, connection_id, place.today)
        rows = [
            row
            | {
                "kind": _said(output, row["kind"]),
                "subject": row["subject"] if output == "json" else subject_in_words(row["subject"], LOCALE),
                "why": sentence_for(Refusal(f"difference.{row['kind'].value}"), LOCALE),
            }
            for row in queries.differences_listing().stream(Narrowing(), None)
        ]
    names = {"kind": "What", "policy": "Policy", "buyer": "Buyer", "subject": "Reference", "first_seen_at": "Since", "why": "Why"}
    print_rows(output, names, rows, nothing="Ours and theirs are the same.")


@group.command("look-up")
@organisation_option
@policy_option
@buyer_option
@click.option("--confirm", is_flag=True, help="Go on although it may cost money; it stays within the budget of the connection.")
@click.option("--take", "company_id", metavar="NUMBER", help="Enter this company's number at the buyer, if it is among those found.")
@format_option
@refusals_as_errors
def look_up(organisation: str, policy_number: str, buyer: str, confirm: bool, company_id: str | None, output: str) -> None:
    """Ask the insurer which of its companies a buyer is."""
    with inside(organisation) as place:
        connection_id, buyer_id = connection_id_of(policy_number), find_buyer(buyer, or_key=True).id
        made = connections.look_up(COMMAND_LINE, place.organisation_id, connection_id, buyer_id, place.today, confirmed=confirm)
        found = list(made.found)
        if company_id is not None:
            connections.take_match(COMMAND_LINE, place.organisation_id, made.id, company_id)
    rows = [each | {"is_exact": each["is_exact"] if output == "json" else "a number" if each["is_exact"] else "likeness"} for each in found]
    names = {"company_id": "Number", "name": "Name", "country": "Country", "city": "City", "is_exact": "Found by"}
    print_rows(output, names, rows, nothing="No company was found.")


@group.command("push")
@organisation_option
@policy_option
@click.option("--base", metavar="URL", help="The https address under which the insurer reaches InsureFlow.")
@click.option("--header", help="The header from which the insurer reads the address, as it tells its subscribers.")
@click.option("--off", is_flag=True, help="Take no messages any more.")
@refusals_as_errors
def push(organisation: str, policy_number: str, base: str | None, header: str | None, off: bool) -> None:
    """Have requests ask the insurer for messages, at a new address; the one before ends."""
    if not off and (base is None or header is None):
        raise click.UsageError("Give --base and --header, or --off.")
    with inside(organisation) as place:
        connection_id = connection_id_of(policy_number)
        if base is None or header is None:
            connections.refuse_pushes(COMMAND_LINE, place.organisation_id, connection_id)
            click.echo("Messages are not taken any more.")
            return

        def address_of(key: str) -> str:
            with current_app.test_request_context(base_url=base):
                return url_for("pushes.receive", slug=organisation, push_key=key, _external=True)

        address = connections.take_pushes(COMMAND_LINE, place.organisation_id, connection_id, header, address_of)
    click.echo(f"Requests ask for messages at {address}")


@group.command("messages")
@organisation_option
@policy_option
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="Most messages to show.")
@format_option
@refusals_as_errors
def messages(organisation: str, policy_number: str, limit: int, output: str) -> None:
    """The requests that leave or left for the insurer, newest first."""
    with inside(organisation):
        listing = queries.messages_listing(connection_id_of(policy_number))
        found = listing.page(Narrowing(), listing.order, 1, limit).rows
    rows = [
        {
            **row,
            "operation": row["operation"] if output == "json" else word(f"Operation.{row['operation']}", LOCALE),
            "state": _said(output, row["state"]),
        }
        for row in found
    ]
    names = {"key": "Key", "own_reference": "Our reference", "operation": "What for", "state": "How it stands", "attempts": "Tries"}
    names |= {"created_at": "Written", "sent_at": "Arrived", "insurer_reference": "Insurer's reference"}
    print_rows(output, names, rows, nothing="No request left over this connection.")


@group.command("message")
@organisation_option
@click.argument("message_id", type=int)
@click.option("--retry", "what", flag_value="retry", help="Look for it at the insurer, and send it where it is absent.")
@click.option("--surely-absent", "what", flag_value="send", help="Send it without looking: somebody has made sure that it is not there.")
@click.option("--hold", "what", flag_value="hold", help="Do not send it.")
@refusals_as_errors
def message(organisation: str, message_id: int, what: str | None) -> None:
    """Try a request again that failed, or hold it back."""
    with inside(organisation) as place:
        if what == "hold":
            row = outbox.withdraw_message(COMMAND_LINE, place.organisation_id, message_id)
        elif what in {"retry", "send"}:
            row = outbox.retry(COMMAND_LINE, place.organisation_id, message_id, is_surely_absent=what == "send")
        else:
            raise click.UsageError("Say --retry, --surely-absent or --hold.")
        state = row.state
    click.echo(f"{message_id}: {word(state, LOCALE)}")

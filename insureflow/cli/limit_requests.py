"""``insureflow limits``: requests, their approval, and discretionary limits."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import Any

import click
from flask import Flask

from insureflow.cli.limits import find_policy, group, in_words, policy_option, read_amount, reason_of
from insureflow.cli.options import (
    BUYER_HELP,
    COMMAND_LINE,
    LOCALE,
    find_buyer,
    format_option,
    inside,
    on_option,
    organisation_option,
    print_json,
    print_rows,
    progress_bar,
    refusals_as_errors,
)
from insureflow.domain.access import Role
from insureflow.domain.cover.events import Layer
from insureflow.domain.errors import Refusal
from insureflow.domain.limits import LimitKind, RequestType
from insureflow.domain.money import Money
from insureflow.i18n.words import word
from insureflow.queries import limit_requests as request_queries
from insureflow.queries import organisations as organisation_queries
from insureflow.queries.listing import Narrowing
from insureflow.services import discretionary, limit_requests
from insureflow.services.journal import Actor
from insureflow.services.limit_requests import BulkOutcome, NewLimitRequest


def register(app: Flask) -> None:
    """Add the commands to those of limits."""
    del app


def person_option(command: Any) -> Any:
    """``--as``: the person on whose behalf the command acts."""
    return click.option("--as", "person", metavar="EMAIL", help="The person who acts (default: the command line, which approves nothing).")(
        command
    )


def _person(email: str | None) -> tuple[Actor, Role | None]:
    """Who acts, and in which role."""
    if email is None:
        return COMMAND_LINE, None
    for user, membership in organisation_queries.list_members():
        if user.email.casefold() == email.strip().casefold():
            return Actor(user.id, user.email), membership.role
    raise Refusal("person_unknown", email=email)


@group.command("request")
@organisation_option
@click.option("--policy", "-p", "policy_number", metavar="NUMBER", help="Number of the policy.")
@click.option("--buyer", "-b", metavar="BUYER", help=BUYER_HELP)
@click.option("--amount", metavar="AMOUNT", help="The whole limit wanted, such as 50000.00.")
@click.option(
    "--type", "request_type", type=click.Choice([each.value for each in RequestType]), help="What is asked (default: as the amount says)."
)
@click.option("--currency", metavar="CODE", help="Currency of the amount (default: the policy's limit currency).")
@click.option("--kind", type=click.Choice([kind.value for kind in LimitKind]), default=LimitKind.NAMED.value, show_default=True)
@click.option("--layer", type=click.Choice([layer.value for layer in Layer]), default=Layer.PRIMARY.value, show_default=True)
@click.option("--urgent", is_flag=True, help="Say that it is urgent.")
@click.option("--comment", default="", help="Words to the insurer.")
@click.option("--file", "file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Many requests from a CSV or XLSX file.")
@click.option("--good-rows", is_flag=True, help="With --file: leave bad rows out.")
@click.option("--submit", "hand_in", is_flag=True, help="Send at once, or ask for approval where the amount needs it.")
@person_option
@on_option
@format_option
@refusals_as_errors
def request_limit(
    organisation: str,
    policy_number: str | None,
    buyer: str | None,
    amount: str | None,
    request_type: str | None,
    currency: str | None,
    kind: str,
    layer: str,
    urgent: bool,
    comment: str,
    file: Path | None,
    good_rows: bool,
    hand_in: bool,
    person: str | None,
    on: date | None,
    output: str,
) -> None:
    """Ask for a limit on one buyer, or for many with a file."""
    with inside(organisation) as place:
        actor, role = _person(person)
        day = place.day(on)
        if file is not None:
            policy_id = None if policy_number is None else find_policy(policy_number).id
            with file.open("rb") as source, progress_bar("Requests") as report:
                outcome = limit_requests.request_file(
                    actor,
                    place.organisation_id,
                    source,
                    file.name,
                    role,
                    day,
                    policy_id=policy_id,
                    good_rows_only=good_rows,
                    hand_in=hand_in,
                    told=lambda _stage, done, total: report(done, total),
                )
            _tell_outcome(outcome, output)
            return
        if policy_number is None or buyer is None:
            raise click.UsageError("Give --policy and --buyer, or --file.")
        policy = find_policy(policy_number)
        code = currency or policy.limit_currency
        new = NewLimitRequest(
            buyer_id=find_buyer(buyer).id,
            policy_id=policy.id,
            amount_minor=read_amount(amount, code),
            request_type=None if request_type is None else RequestType(request_type),
            currency=code,
            layer=Layer(layer),
            kind=LimitKind(kind),
            is_urgent=urgent,
            comment=comment,
        )
        made = limit_requests.draft(actor, place.organisation_id, new, day)
        if hand_in:
            made = limit_requests.hand_in(actor, place.organisation_id, made.id, role, day)
        _show_request(made, output)


def _tell_outcome(outcome: BulkOutcome, output: str) -> None:
    if output == "json":
        data = limit_requests.outcome_as_data(outcome)
        data["problems"] = [{**row, "reason": reason_of(problem)} for row, problem in zip(data["problems"], outcome.problems, strict=False)]
        print_json(data)
    else:
        for problem in outcome.problems:
            value = "" if problem.value is None else f" “{problem.value}”"
            click.echo(f"Row {problem.row}, {problem.column or 'whole row'}{value}: {reason_of(problem)}", err=True)
        if outcome.is_stored:
            click.echo(
                f"{outcome.bulk}: {outcome.drafted} written, {outcome.submitted} sent, {outcome.awaiting_approval} waiting for approval."
            )
    if not outcome.is_stored:
        if output != "json":
            click.echo("Nothing was written.", err=True)
        sys.exit(1)


def _show_request(made: Any, output: str) -> None:
    amount = None if made.requested_minor is None else Money(made.requested_minor, made.currency)
    if output == "json":
        print_json(
            {
                "id": made.id,
                "reference": made.own_reference,
                "type": made.request_type,
                "state": made.state,
                "amount": amount,
                "outcome": made.outcome,
            }
        )
    else:
        click.echo(f"Request {made.id} ({made.own_reference}): {word(made.state, LOCALE)}{f', {amount}' if amount else ''}.")


@group.command("submit")
@click.argument("request_id", type=int)
@organisation_option
@person_option
@on_option
@format_option
@refusals_as_errors
def submit(request_id: int, organisation: str, person: str | None, on: date | None, output: str) -> None:
    """Send the draft REQUEST_ID, or ask for approval where its amount needs it."""
    with inside(organisation) as place:
        actor, role = _person(person)
        _show_request(limit_requests.hand_in(actor, place.organisation_id, request_id, role, place.day(on)), output)


@group.command("approve")
@click.argument("request_id", type=int)
@organisation_option
@click.option("--as", "person", required=True, metavar="EMAIL", help="The second person.")
@on_option
@format_option
@refusals_as_errors
def approve(request_id: int, organisation: str, person: str, on: date | None, output: str) -> None:
    """Agree to request REQUEST_ID as a second person, which sends it."""
    with inside(organisation) as place:
        actor, role = _person(person)
        assert role is not None
        _show_request(limit_requests.approve(actor, place.organisation_id, request_id, role, place.day(on)), output)


@group.command("reject")
@click.argument("request_id", type=int)
@organisation_option
@click.option("--as", "person", required=True, metavar="EMAIL", help="The second person.")
@click.option("--reason", required=True, help="Why not.")
@on_option
@format_option
@refusals_as_errors
def reject(request_id: int, organisation: str, person: str, reason: str, on: date | None, output: str) -> None:
    """Say no to request REQUEST_ID as a second person."""
    with inside(organisation) as place:
        actor, role = _person(person)
        assert role is not None
        _show_request(limit_requests.reject(actor, place.organisation_id, request_id, role, reason, place.day(on)), output)


@group.command("requests")
@organisation_option
@click.option("--policy", "-p", "policy_number", metavar="NUMBER", help="Only this policy.")
@click.option("--state", metavar="STATE", help="Only requests that stand so, such as submitted or in_force.")
@on_option
@format_option
@refusals_as_errors
def list_requests(organisation: str, policy_number: str | None, state: str | None, on: date | None, output: str) -> None:
    """Show the requests and how they stand."""
    with inside(organisation) as place:
        policy_id = find_policy(policy_number).id if policy_number else None
        narrowing = Narrowing(choices={"state": [state]}) if state else Narrowing()
        rows = list(request_queries.request_listing(place.day(on), policy_id=policy_id).stream(narrowing, None))
    for row in rows:
        for name in ("amount", "decided"):
            row[name] = None if row[name] is None else Money(*row[name])
    names = {
        "number": "Request",
        "buyer": "Buyer",
        "policy": "Policy",
        "type": "Asks for",
        "amount": "Amount",
        "state": "Stands",
        "must_act": "Turn of",
        "decided": "Decided",
        "asked_on": "Asked on",
        "author": "Written by",
        "reference": "Reference",
    }
    print_rows(output, names, in_words(rows, output), nothing="No requests.")


@group.command("discretionary")
@click.argument("buyer")
@organisation_option
@policy_option
@click.option("--audit", "is_audit", is_flag=True, help="Hold the open shipments against a claim.")
@on_option
@format_option
@refusals_as_errors
def show_discretionary(buyer: str, organisation: str, policy_number: str, is_audit: bool, on: date | None, output: str) -> None:
    """Work out the discretionary limit of BUYER; nothing is stored."""
    with inside(organisation) as place:
        day, found, policy = place.day(on), find_buyer(buyer), find_policy(policy_number)
        held = discretionary.audit(policy.id, found.id, day)
    result = held.result
    data: dict[str, Any] = {
        "buyer": found.legal_name,
        "policy": policy.number,
        "on": day,
        "usable": result.usable,
        "amount": Money(result.amount, result.currency),
        "method": result.method,
        "reason": result.reason,
        "valid_to": result.valid_to,
        "trace": result.trace.to_list(),
    }
    if is_audit:
        claim = held.claim
        data["audit"] = {
            "survives": claim.survives,
            "covered": Money(claim.covered, held.currency),
            "uncovered": Money(claim.uncovered, held.currency),
            "shipments": [
                {
                    "invoice": each.shipment.id,
                    "shipped_on": each.shipment.on,
                    "amount": Money(each.shipment.amount, held.currency),
                    "limit": Money(each.limit.amount, held.currency),
                    "covered": Money(each.covered, held.currency),
                    "verdict": each.verdict,
                    "reason": each.limit.reason,
                }
                for each in claim.shipments
            ],
        }
    if output == "json":
        print_json(data)
        return
    why = "" if result.reason is None else f" ({word(result.reason, LOCALE)})"
    rests = "" if result.method is None else f", {word(result.method, LOCALE)}"
    until = "" if result.valid_to is None else f", until {result.valid_to.isoformat()}"
    click.echo(f"{found.legal_name}, {policy.number}: {data['amount']}{rests}{until}{why}")
    if is_audit:
        for each in data["audit"]["shipments"]:
            click.echo(
                f"{each['invoice']}, {each['shipped_on']}, {each['amount']}: held {each['covered']}, {word(each['verdict'], LOCALE)}"
            )
        click.echo("Would survive a claim." if held.claim.survives else "Would not survive a claim as it stands.")

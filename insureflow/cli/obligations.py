"""``insureflow obligations``: what is to be done by when, what was done about it, and what other terms would make of it."""

from __future__ import annotations

from datetime import date, timedelta

import click
from flask import Flask
from flask.cli import AppGroup

from insureflow.cli.limits import find_policy
from insureflow.cli.options import (
    COMMAND_LINE,
    LOCALE,
    format_option,
    inside,
    on_option,
    organisation_option,
    print_json,
    print_rows,
    print_table,
    refusals_as_errors,
)
from insureflow.domain.errors import Refusal
from insureflow.domain.money import Money
from insureflow.domain.obligations import ObligationKind
from insureflow.domain.policies import parse_terms, terms_to_data
from insureflow.i18n.words import word
from insureflow.queries.cover.policies import PolicyBook
from insureflow.queries.obligations.calendar import CalendarEntry, CalendarStatus, DutySelection, calendar
from insureflow.queries.obligations.simulation import simulate
from insureflow.queries.organisations import list_members
from insureflow.services import obligations
from insureflow.services.obligations import Mark
from insureflow.services.policies import with_overrides

group = AppGroup("obligations", help="Duties under the policies: what is to be done by when.")

_NAMES = {
    "id": "No.",
    "due_on": "Due",
    "kind": "Duty",
    "status": "Stands",
    "buyer": "Buyer",
    "invoice": "Invoice",
    "policy": "Policy",
    "amount": "Cover at stake",
    "done_on": "Done on",
}


def register(app: Flask) -> None:
    """Add the commands."""
    app.cli.add_command(group)


def _row(entry: CalendarEntry) -> dict[str, object]:
    return {
        "id": entry.obligation_id,
        "due_on": entry.key.due_on,
        "kind": ObligationKind(entry.key.kind),
        "status": entry.status,
        "buyer": entry.buyer,
        "invoice": entry.invoice,
        "policy": entry.policy,
        "amount": None if entry.amount_minor is None or entry.currency is None else Money(entry.amount_minor, entry.currency),
        "done_on": entry.done_on,
    }


@group.command("list")
@organisation_option
@click.option("--policy", "-p", "policy_number", metavar="NUMBER", help="Only this policy.")
@click.option("--kind", type=click.Choice([each.value for each in ObligationKind]), help="Only duties of this kind.")
@click.option("--status", type=click.Choice([each.value for each in CalendarStatus]), help="Only duties that stand so.")
@click.option("--days", type=click.IntRange(0, 3660), default=30, show_default=True, help="So many days ahead; late ones come always.")
@on_option
@format_option
@refusals_as_errors
def list_duties(
    organisation: str, policy_number: str | None, kind: str | None, status: str | None, days: int, on: date | None, output: str
) -> None:
    """Show the duties of the coming days, and those that are late."""
    with inside(organisation) as place:
        today = place.day(None)
        day = place.day(on)
        policy_id = find_policy(policy_number).id if policy_number else None
        selection = DutySelection(day, today, [ObligationKind(kind)] if kind else (), policy_id)
        found = calendar(selection, day, day + timedelta(days=days), with_late=True)
        rows = [_row(entry) for entry in found if status is None or entry.status.value == status]
    if output == "text":
        rows = [{**row, "kind": word(row["kind"], LOCALE), "status": word(row["status"], LOCALE)} for row in rows]
    print_rows(output, _NAMES, rows, nothing="No duties.")


def _member(email: str) -> int:
    found = next((user.id for user, _membership in list_members() if user.email == email.strip().lower()), None)
    if found is None:
        raise Refusal("member_unknown", email=email)
    return found


def _mark(organisation: str, number: int, mark: Mark, on: date | None, note: str) -> None:
    with inside(organisation) as place:
        day = place.day(on)
        obligations.mark_obligation(COMMAND_LINE, place.organisation_id, number, mark, on=day, note=note, today=place.day(None))
    click.echo(f"Duty {number}: {word(mark, LOCALE)} on {day.isoformat()}.")


@group.command("done")
@click.argument("number", type=int)
@organisation_option
@click.option("--evidence", required=True, help="How it was done: a reference, a letter, a confirmation.")
@on_option
@refusals_as_errors
def done(number: int, organisation: str, evidence: str, on: date | None) -> None:
    """Record that duty NUMBER was done."""
    _mark(organisation, number, Mark.DONE, on, evidence)


@group.command("waive")
@click.argument("number", type=int)
@organisation_option
@click.option("--reason", required=True, help="Why it need not be done.")
@refusals_as_errors
def waive(number: int, organisation: str, reason: str) -> None:
    """Record that duty NUMBER need not be done."""
    _mark(organisation, number, Mark.WAIVED, None, reason)


@group.command("reopen")
@click.argument("number", type=int)
@organisation_option
@refusals_as_errors
def reopen(number: int, organisation: str) -> None:
    """Take back what was recorded about duty NUMBER."""
    with inside(organisation) as place:
        obligations.undo_mark(COMMAND_LINE, place.organisation_id, number, today=place.day(None))
    click.echo(f"Duty {number} is open again.")


@group.command("assign")
@click.argument("number", type=int)
@organisation_option
@click.option("--to", "email", metavar="EMAIL", help="Who looks after it; nobody if left out.")
@refusals_as_errors
def assign(number: int, organisation: str, email: str | None) -> None:
    """Give duty NUMBER to somebody, or to nobody."""
    with inside(organisation) as place:
        user_id = _member(email) if email else None
        obligations.assign_obligation(COMMAND_LINE, place.organisation_id, number, user_id)
    click.echo(f"Duty {number} is looked after by {email or 'nobody'}.")


@group.command("what-if")
@organisation_option
@click.option("--policy", "-p", "policy_number", metavar="NUMBER", required=True, help="The policy whose terms are asked otherwise.")
@click.option(
    "--set", "settings", multiple=True, metavar="PATH=NUMBER", required=True, help="For example overdue_notification.days=45; repeatable."
)
@on_option
@format_option
@refusals_as_errors
def what_if(organisation: str, policy_number: str, settings: tuple[str, ...], on: date | None, output: str) -> None:
    """Show how duties would move if the terms said otherwise. Nothing is stored."""
    overrides: dict[str, object] = {}
    for setting in settings:
        path, separator, number = setting.partition("=")
        if not separator or not number.strip().isdecimal() or "." not in path:
            raise click.BadParameter(
                f"{setting!r}: write a path and a whole number, such as overdue_notification.days=45", param_hint="--set"
            )
        overrides[path.strip()] = int(number)
    with inside(organisation) as place:
        day = place.day(on)
        policy = PolicyBook.load().policies[find_policy(policy_number).id]
        terms = parse_terms(with_overrides(terms_to_data(policy.terms_on(day)), overrides))
        found = simulate(DutySelection(day, place.day(None)), policy.id, terms)
        if output == "json":
            print_json(
                {
                    "moved": found.moved_count,
                    "kinds": [
                        {
                            "kind": each.kind.value,
                            "moved": each.moved,
                            **{
                                name: {"open": side.open, "late": side.late, "next_on": side.next_on}
                                for name, side in (("now", each.now), ("then", each.then))
                            },
                        }
                        for each in found.kinds
                    ],
                }
            )
            return
    print_table(
        ("Duty", "Open now", "Open then", "Late now", "Late then", "Next now", "Next then", "Moved"),
        [
            (
                word(each.kind, LOCALE),
                each.now.open,
                each.then.open,
                each.now.late,
                each.then.late,
                each.now.next_on,
                each.then.next_on,
                each.moved,
            )
            for each in found.kinds
        ],
        numbers=(1, 2, 3, 4, 7),
    )

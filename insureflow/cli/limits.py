"""``insureflow limits``: files of limits, and single decisions and withdrawals."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

import click
from flask import Flask
from flask.cli import AppGroup

from insureflow.cli.options import (
    COMMAND_LINE,
    LOCALE,
    Day,
    buyer_option,
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
from insureflow.domain.cover.events import Layer
from insureflow.domain.errors import Refusal
from insureflow.domain.limits import LimitKind
from insureflow.domain.money import Money, to_minor
from insureflow.domain.receivables import RowProblem
from insureflow.i18n import formats
from insureflow.i18n.words import sentence, word
from insureflow.queries import limits as limit_queries
from insureflow.queries import organisations as organisation_queries
from insureflow.queries.listing import Narrowing
from insureflow.services import limits
from insureflow.services.limits import NewDecision, NewWithdrawal

group = AppGroup("limits", help="Credit limits: what insurers decided.")


def register(app: Flask) -> None:
    """Add the commands."""
    app.cli.add_command(group)


def policy_option(command: Any) -> Any:
    """``--policy``: the number of the policy."""
    return click.option("--policy", "-p", "policy_number", required=True, metavar="NUMBER", help="Number of the policy.")(command)


def find_policy(number: str) -> Any:
    """The policy with this number. Errors: ``policy_number_unknown``."""
    for policy in organisation_queries.list_policies():
        if policy.number == number:
            return policy
    raise Refusal("policy_number_unknown", policy=number)


@group.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@organisation_option
@policy_option
@click.option("--dry-run", is_flag=True, help="Say what would be done and store nothing.")
@click.option("--create-buyers", is_flag=True, help="Make buyers that nobody knows, to be reviewed.")
@on_option
@format_option
@refusals_as_errors
def import_file(
    file: Path, organisation: str, policy_number: str, dry_run: bool, create_buyers: bool, on: date | None, output: str
) -> None:
    """Enter all limits of FILE, or none where any row is bad. A file read twice changes nothing."""
    with inside(organisation) as place, progress_bar("Limits") as report:
        report(0, None)
        result = limits.import_limits(
            COMMAND_LINE,
            place.organisation_id,
            file,
            policy_number=policy_number,
            on=place.day(on),
            dry_run=dry_run,
            create_buyers=create_buyers,
        )
    if output == "json":
        print_json(
            {
                "file": result.file_name,
                "rows": result.rows,
                "added": result.added,
                "unchanged": result.unchanged,
                "buyers_created": result.buyers_created,
                "dry_run": result.dry_run,
                "stored": result.is_stored,
                "problems": [
                    {
                        "row": problem.row,
                        "column": problem.column,
                        "value": problem.value,
                        "code": problem.code,
                        "reason": reason_of(problem),
                    }
                    for problem in result.problems
                ],
            }
        )
    else:
        _tell(result)
    if result.problems:
        sys.exit(1)


def reason_of(problem: RowProblem) -> str:
    """What is wrong with a row, in a sentence."""
    return sentence(problem.code, {"value": problem.value, "path": problem.column, **problem.parameters}, LOCALE)


def _tell(result: limits.ImportedLimits) -> None:
    for problem in result.problems:
        value = "" if problem.value is None else f" “{problem.value}”"
        click.echo(f"Row {problem.row}, {problem.column or 'whole row'}{value}: {reason_of(problem)}", err=True)
    if result.problems:
        click.echo(f"Error: {sentence('limit_rows_bad', {'count': len(result.problems)}, LOCALE)}", err=True)
        return
    done = "would be entered" if result.dry_run else "entered"
    click.echo(f"{result.rows} rows read: {result.added} {done}, {result.unchanged} known already, {result.buyers_created} new buyers.")


@group.command("list")
@organisation_option
@click.option("--policy", "-p", "policy_number", metavar="NUMBER", help="Only this policy.")
@on_option
@format_option
@refusals_as_errors
def list_limits(organisation: str, policy_number: str | None, on: date | None, output: str) -> None:
    """Show what is in force for every buyer, and who was never asked for."""
    with inside(organisation) as place:
        policy_id = find_policy(policy_number).id if policy_number else None
        listing = limit_queries.register_listing(place.day(on), policy_id=policy_id)
        rows = [_row(row) for row in listing.stream(Narrowing(), None)]
    names = {
        "buyer": "Buyer",
        "country": "Country",
        "policy": "Policy",
        "layer": "Layer",
        "situation": "Stands",
        "kind": "Kind",
        "limit": "Limit",
        "used": "Used",
        "headroom": "Headroom",
        "insured_percentage": "Insured %",
        "decided_on": "Decided",
        "valid_to": "Valid to",
    }
    print_rows(output, names, in_words(rows, output), nothing="No limits.")


def in_words(rows: Sequence[Mapping[str, Any]], output: str) -> list[dict[str, Any]]:
    """Rows as people read them: codes in words, countries by name; as JSON they keep their codes."""
    if output == "json":
        return [dict(row) for row in rows]
    return [
        {
            **{name: word(value, LOCALE) if isinstance(value, Enum) else value for name, value in row.items()},
            **({"country": formats.country(row["country"], LOCALE)} if row.get("country") else {}),
        }
        for row in rows
    ]


def _row(row: dict[str, Any]) -> dict[str, Any]:
    for name in ("limit", "used", "headroom"):
        row[name] = None if row[name] is None else Money(*row[name])
    return row


def read_amount(text: str | None, currency: str) -> int | None:
    """Minor units of a typed amount, None for none. Errors: ``InvalidValue``."""
    return None if text is None else to_minor(text, currency)


@group.command("record")
@organisation_option
@policy_option
@buyer_option
@click.option("--decided", required=True, metavar="AMOUNT", help="The amount decided, such as 50000.00; 0 for a refusal.")
@click.option("--requested", metavar="AMOUNT", help="The amount that was asked for.")
@click.option("--currency", metavar="CODE", help="Currency of the amounts (default: the policy's limit currency).")
@click.option("--kind", type=click.Choice([kind.value for kind in LimitKind]), default=LimitKind.NAMED.value, show_default=True)
@click.option("--layer", type=click.Choice([layer.value for layer in Layer]), default=Layer.PRIMARY.value, show_default=True)
@click.option("--decided-on", type=Day(), help="Day of the decision (default: today).")
@click.option("--effective-on", type=Day(), help="First day (default: the day of the decision).")
@click.option("--valid-to", type=Day(), help="Last day.")
@click.option("--insured-percentage", type=Decimal, help="Only where the decision sets one.")
@click.option("--reference", help="The insurer's reference.")
@click.option("--reason", default="", help="Reason or remark.")
@on_option
@format_option
@refusals_as_errors
def record(
    organisation: str,
    policy_number: str,
    buyer: str,
    decided: str,
    requested: str | None,
    currency: str | None,
    kind: str,
    layer: str,
    decided_on: date | None,
    effective_on: date | None,
    valid_to: date | None,
    insured_percentage: Decimal | None,
    reference: str | None,
    reason: str,
    on: date | None,
    output: str,
) -> None:
    """Enter one decision."""
    with inside(organisation) as place:
        policy = find_policy(policy_number)
        code = currency or policy.limit_currency
        decision = limits.record_decision(
            COMMAND_LINE,
            place.organisation_id,
            NewDecision(
                buyer_id=find_buyer(buyer).id,
                policy_id=policy.id,
                decided_minor=read_amount(decided, code) or 0,
                currency=code,
                decided_on=decided_on or place.day(on),
                kind=LimitKind(kind),
                layer=Layer(layer),
                requested_minor=read_amount(requested, code),
                effective_on=effective_on,
                valid_to=valid_to,
                conditions={} if insured_percentage is None else {"insured_percentage": format(insured_percentage, "f")},
                insurer_reference=reference,
                reason=reason,
            ),
            place.day(on),
        )
    _show(decision, output)


@group.command("withdraw")
@organisation_option
@policy_option
@buyer_option
@click.option("--layer", type=click.Choice([layer.value for layer in Layer]), default=Layer.PRIMARY.value, show_default=True)
@click.option("--received-on", type=Day(), help="Day on which the notice came (default: today).")
@click.option("--effective-on", type=Day(), help="Where the notice names a later day.")
@click.option("--reference", help="The insurer's reference.")
@click.option("--reason", default="", help="Reason or remark.")
@on_option
@format_option
@refusals_as_errors
def withdraw(
    organisation: str,
    policy_number: str,
    buyer: str,
    layer: str,
    received_on: date | None,
    effective_on: date | None,
    reference: str | None,
    reason: str,
    on: date | None,
    output: str,
) -> None:
    """Enter the insurer's notice that a limit ends."""
    with inside(organisation) as place:
        notice = NewWithdrawal(
            buyer_id=find_buyer(buyer).id,
            policy_id=find_policy(policy_number).id,
            received_on=received_on or place.day(on),
            effective_on=effective_on,
            layer=Layer(layer),
            insurer_reference=reference,
            reason=reason,
        )
        decision = limits.withdraw(COMMAND_LINE, place.organisation_id, notice, place.day(on))
    _show(decision, output)


def _show(decision: Any, output: str) -> None:
    amount = None if decision.decided_minor is None else Money(decision.decided_minor, decision.currency)
    if output == "json":
        print_json(
            {
                "id": decision.id,
                "status": decision.status,
                "decided": amount,
                "decided_on": decision.decided_on,
                "effective_on": decision.effective_on,
                "valid_to": decision.valid_to,
                "rate": decision.rate,
            }
        )
    else:
        click.echo(f"Entered as {decision.id}: {word(decision.status, LOCALE)}{f', {amount}' if amount else ''}.")

"""``insureflow exposure``: what buyers owe and what of it is covered, and the proof that the stored figures are true."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import date
from typing import Any

import click
from flask import Flask
from flask.cli import with_appcontext

from insureflow.cli.options import (
    Place,
    format_option,
    inside,
    on_option,
    organisation_option,
    print_json,
    print_table,
    progress_bar,
    refusals_as_errors,
)
from insureflow.domain.errors import Refusal
from insureflow.domain.money import from_minor
from insureflow.queries import organisations as organisation_queries
from insureflow.queries.exposure import (
    Division,
    Figures,
    Grouping,
    Portfolio,
    PortfolioPart,
    Reporting,
    Selection,
    divide,
    exposure_by,
    total_of,
)
from insureflow.queries.exposure.names import group_names
from insureflow.services import cover

#: Differences shown as text before the rest is only counted.
_SHOWN = 20


def register(app: Flask) -> None:
    """Add the commands."""
    app.cli.add_command(exposure)


@click.group("exposure", invoke_without_command=True)
@click.option("--organisation", "-o", metavar="SLUG", help="Short name of the organisation.")
@click.option("--entity", "-e", metavar="CODE", help="Only the receivables of this entity.")
@click.option("--policy", metavar="NUMBER", help="Only the receivables under this policy.")
@click.option(
    "--by",
    type=click.Choice([grouping.value for grouping in Grouping if grouping is not Grouping.TOTAL]),
    default=Grouping.COUNTRY.value,
    show_default=True,
    help="What the figures are grouped by.",
)
@on_option
@format_option
@click.pass_context
@with_appcontext
@refusals_as_errors
def exposure(
    context: click.Context, organisation: str | None, entity: str | None, policy: str | None, by: str, on: date | None, output: str
) -> None:
    """Show what buyers owe on a day and what of it is covered, in original currencies."""
    if context.invoked_subcommand is not None:
        return
    if organisation is None:
        raise click.UsageError("Missing option '--organisation' / '-o'.", context)
    with inside(organisation) as place:
        grouping = Grouping(by)
        selection = _selection(place, place.day(on), entity, policy)
        rows = exposure_by(grouping, selection)
        whole = _in_one_currency(place, selection)
        names = group_names(grouping, [row.group for row in rows])
        if output == "json":
            print_json({**_as_data(grouping, place.day(on), rows, names), "reporting": whole})
        else:
            _print(grouping, place.day(on), rows, names, whole)


def _selection(place: Place, on: date, entity: str | None, policy: str | None) -> Selection:
    """What is asked for. Errors: ``entity_unknown``, ``policy_unknown``."""
    entities = {each.code: each.id for each in organisation_queries.list_entities()}
    policies = {each.number: each.id for each in organisation_queries.list_policies()}
    if entity is not None and entity not in entities:
        raise Refusal("entity_unknown", entity=entity)
    if policy is not None and policy not in policies:
        raise Refusal("policy_unknown", policy=policy)
    return Selection(
        on=on,
        today=place.today,
        entity_id=None if entity is None else entities[entity],
        policy_id=None if policy is None else policies[policy],
    )


def _amount(minor: int, currency: str) -> str:
    return format(from_minor(minor, currency), "f")


def _figures(row: Figures) -> dict[str, Any]:
    limit = row.limit_currency
    return {
        "currency": row.currency,
        "receivables": _amount(row.ledger_open, row.currency),
        "unapplied": _amount(row.unapplied, row.currency),
        "limit_currency": limit,
        "open": _amount(row.open, limit),
        "covered": _amount(row.covered, limit),
        "uncovered": _amount(row.uncovered, limit),
        "reasons": {name: _amount(minor, limit) for name, minor in row.reasons.items()},
        "insurer_liability": _amount(row.liability, limit),
    }


def _in_one_currency(place: Place, selection: Selection) -> dict[str, Any]:
    """The whole in the reporting currency, added up and rounded as on every page, with the rates it took."""
    currency = place.organisation.reporting_currency
    report = Reporting(currency, selection.on)
    parts = divide(Portfolio(selection.on, selection.entity_id, selection.policy_id), Division.WHOLE, report)
    whole = parts[0] if parts else PortfolioPart(None)
    opened, covered = report.sum(whole.open), report.sum(whole.covered)
    sums = {
        "receivables": report.sum(whole.ledger),
        "open": opened,
        "covered": covered,
        "uncovered": opened - covered,
        "insurer_liability": report.sum(whole.liability),
    }
    return {
        "currency": currency,
        **{name: _amount(minor, currency) for name, minor in sums.items()},
        "rates": [
            {"base": used.base, "quote": used.quote, "rate": used.rate, "on": used.on, "source": used.source} for used in report.rates
        ],
        "without_rate": sorted(report.missing),
    }


def _as_data(grouping: Grouping, on: date, rows: list[Figures], names: Mapping[Any, str | None]) -> dict[str, Any]:
    """The figures for programs: every amount a text with all its decimals."""
    ledger: dict[str, list[int]] = {}
    for row in rows:
        sums = ledger.setdefault(row.currency, [0, 0])
        sums[0] += row.ledger_open
        sums[1] += row.unapplied
    return {
        "on": on,
        "by": grouping.value,
        "rows": [{grouping.value: names.get(row.group), **_identity(grouping, row), **_figures(row)} for row in rows],
        "totals": [_figures(row) for row in total_of(rows)],
        "ledger": [
            {"currency": currency, "receivables": _amount(opened, currency), "unapplied": _amount(unapplied, currency)}
            for currency, (opened, unapplied) in sorted(ledger.items())
        ],
    }


def _identity(grouping: Grouping, row: Figures) -> dict[str, Any]:
    """The key of the group, where its name need not be unique."""
    return {"buyer_id": row.group} if grouping is Grouping.BUYER else {}


def _print(grouping: Grouping, on: date, rows: list[Figures], names: Mapping[Any, str | None], whole: Mapping[str, Any]) -> None:
    if not rows:
        click.echo(f"Nothing is open on {on.isoformat()}.")
        return
    headings = [grouping.value.capitalize(), "", "Receivables", "Unapplied", "", "Open", "Covered", "Uncovered"]
    lines = [[names.get(row.group) or "-", *_line(row)] for row in rows]
    lines += [["Total", *_line(row)] for row in total_of(rows)]
    click.echo(f"Exposure on {on.isoformat()}")
    print_table(headings, lines, numbers=(2, 3, 5, 6, 7))
    click.echo(f"In {whole['currency']}: {whole['open']} open, {whole['covered']} covered, {whole['uncovered']} uncovered.")
    if whole["without_rate"]:
        click.echo(f"Not in these sums, for want of a rate: {', '.join(whole['without_rate'])}.")


def _line(row: Figures) -> list[str]:
    figures = _figures(row)
    return [figures[name] for name in ("currency", "receivables", "unapplied", "limit_currency", "open", "covered", "uncovered")]


@exposure.command("rebuild")
@organisation_option
@click.option("--check", "only_check", is_flag=True, help="Change nothing: compare what is stored with what follows from the ledger.")
@on_option
@format_option
@with_appcontext
@refusals_as_errors
def rebuild(organisation: str, only_check: bool, on: date | None, output: str) -> None:
    """Work out positions, exposure and duties anew from ledger, limits and policies."""
    with inside(organisation) as place:
        day = place.day(on)
        if not only_check:
            with progress_bar("Working out cover") as report:
                cover.rebuild(place.organisation_id, day, progress=report)
            if output == "json":
                print_json({"on": day, "rebuilt": True})
            else:
                click.echo(f"Positions, exposure and duties are worked out anew as of {day.isoformat()}.")
            return
        with progress_bar("Comparing") as report:
            differences = cover.check(place.organisation_id, day, today=place.day(None), progress=report)
    if output == "json":
        print_json({"on": day, "differences": [difference.to_dict() for difference in differences]})
    elif not differences:
        click.echo(f"What is stored is what follows from ledger, limits and policies as of {day.isoformat()}.")
    else:
        for difference in differences[:_SHOWN]:
            click.echo(f"{difference.table}: stored {difference.stored}, calculated {difference.calculated}")
        click.echo(f"{len(differences)} rows differ. Run without --check to put them right.")
    if differences:
        sys.exit(1)

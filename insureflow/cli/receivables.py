"""``insureflow receivables``: ledger files imported, listed and taken back."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import click
from flask import Flask, current_app
from flask.cli import AppGroup

from insureflow.cli.options import (
    COMMAND_LINE,
    LOCALE,
    Day,
    entity_option,
    format_option,
    inside,
    organisation_option,
    print_json,
    print_rows,
    print_table,
    progress_bar,
    refusals_as_errors,
)
from insureflow.connectors.ledgers import FileLimits
from insureflow.connectors.ledgers.detection import Certainty
from insureflow.domain.currencies import is_currency
from insureflow.domain.errors import InvalidValue
from insureflow.domain.money import Money
from insureflow.domain.receivables import DocumentKind, ImportMode, RowProblem
from insureflow.i18n import formats
from insureflow.i18n.findings import value_of_finding
from insureflow.i18n.row_problems import reason_of
from insureflow.i18n.words import word
from insureflow.queries import imports as queries
from insureflow.services import imports
from insureflow.services.imports import ImportOrder, ImportOutcome
from insureflow.services.imports.booking import Progress
from insureflow.web.tables import safe_text

group = AppGroup("receivables", help="The receivables ledger: import files, list imports, take one back.")

#: So many bad rows are shown on the screen; the file of problems has them all.
SHOWN = 50

_MODES = {"movements": ImportMode.MOVEMENTS, "open-items": ImportMode.OPEN_ITEMS}


def register(app: Flask) -> None:
    """Add the commands."""
    app.cli.add_command(group)


@group.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@organisation_option
@entity_option
@click.option(
    "--profile", "-p", required=True, metavar="P", help="Name of a profile (see “insureflow receivables profiles”) or a YAML file."
)
@click.option("--dry-run", is_flag=True, help="Check everything, change nothing.")
@click.option("--on", "as_of", type=Day(), help="The day of a list of open items (default: today).")
@click.option("--mode", type=click.Choice(list(_MODES)), help="What the file is (default: as the profile says).")
@click.option("--good-rows", is_flag=True, help="Import the good rows although there are bad ones.")
@click.option(
    "--unknown-buyers",
    type=click.Choice(["create", "refuse"]),
    default="create",
    show_default=True,
    help="Make them for review, or refuse.",
)
@click.option("--currency", metavar="CODE", help="Currency of rows that name none.")
@click.option(
    "--problems", "problems_file", type=click.Path(dir_okay=False, path_type=Path), help="Write all bad rows and warnings to this CSV file."
)
@format_option
@refusals_as_errors
def import_file(
    file: Path,
    organisation: str,
    entity: str,
    profile: str,
    dry_run: bool,
    as_of: date | None,
    mode: str | None,
    good_rows: bool,
    unknown_buyers: str,
    currency: str | None,
    problems_file: Path | None,
    output: str,
) -> None:
    """Import the ledger file FILE for an entity: wholly, or not at all."""
    if currency is not None and not is_currency(currency):
        raise InvalidValue("unknown_currency", "currency", currency)
    with inside(organisation) as place, _progress() as tell:
        order = ImportOrder(
            entity=entity,
            profile=imports.profiles.read_profile(profile),
            as_of=place.day(as_of),
            file_name=file.name,
            mode=_MODES[mode] if mode else None,
            currency=currency,
            dry_run=dry_run,
            good_rows_only=good_rows,
            create_buyers=unknown_buyers == "create",
            limits=FileLimits(size=int(current_app.config["MAX_CONTENT_LENGTH"])),
        )
        outcome = imports.import_ledger(COMMAND_LINE, place.organisation_id, order, file, on=place.today, progress=tell)
    if problems_file is not None:
        _write_problems(problems_file, outcome)
    if output == "json":
        print_json(_as_data(outcome))
    else:
        _tell(outcome, problems_file)
    if outcome.problems and not good_rows:
        sys.exit(1)


@contextmanager
def _progress() -> Iterator[Progress]:
    """A bar for all stages: each stage begins anew under its own name."""
    with ExitStack() as stack:
        bars: dict[str, Callable[[int, int | None], None]] = {}

        def tell(stage: str, done: int, total: int | None) -> None:
            if stage not in bars:
                stack.close()
                bars.clear()
                bars[stage] = stack.enter_context(progress_bar(word(f"stage.{stage}", LOCALE).capitalize()))
            bars[stage](done, total)

        yield tell


def _reason(problem: RowProblem) -> str:
    return reason_of(problem.code, problem.parameters, LOCALE, column=problem.column, value=problem.value)


def _row(problem: RowProblem) -> dict[str, Any]:
    return {"row": problem.row, "column": problem.column, "value": problem.value, "code": problem.code, "reason": _reason(problem)}


def _as_data(outcome: ImportOutcome) -> dict[str, Any]:
    return {
        "state": outcome.state,
        "batch": outcome.batch_id,
        "batches": dict(outcome.batches),
        "mode": outcome.mode,
        "counts": outcome.counts,
        "found": [
            {"aspect": each.aspect, "column": each.column, "value": each.value, "certainty": each.certainty}
            for each in outcome.detection.findings
        ],
        "totals": _totals(outcome.totals),
        "problems": [_row(problem) for problem in outcome.problems],
        "warnings": [_row(problem) for problem in outcome.warnings],
        "new_buyers": [{"number": number, "name": name} for number, name in outcome.new_buyers],
        "joined_buyers": [{"number": number, "name": name} for number, name in outcome.joined],
    }


def _totals(totals: Mapping[str, Mapping[str, int]]) -> dict[str, list[Money]]:
    return {kind: [Money(minor, currency) for currency, minor in by_currency.items()] for kind, by_currency in totals.items()}


def _write_problems(path: Path, outcome: ImportOutcome) -> None:
    """All bad rows and warnings as CSV, so written that no spreadsheet takes a cell for a formula."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["row", "column", "value", "kind", "reason"])
        for kind, problems in (("bad row", outcome.problems), ("warning", outcome.warnings)):
            for problem in problems:
                writer.writerow([problem.row, *map(safe_text, (problem.column, problem.value, kind, _reason(problem)))])


def _tell(outcome: ImportOutcome, problems_file: Path | None) -> None:
    """Say what came of an import: bad rows on standard error, the rest on standard output."""
    if outcome.problems:
        click.echo(f"{outcome.counts['bad_rows']} of {outcome.counts['rows']} rows are bad:", err=True)
        for problem in outcome.problems[:SHOWN]:
            where = f"row {problem.row}" + (f", {problem.column}" if problem.column else "")
            click.echo(f"  {where}: {_reason(problem)}" + (f" [{problem.value}]" if problem.value else ""), err=True)
        if len(outcome.problems) > SHOWN:
            more = f"All of them are in {problems_file}." if problems_file else "Write all of them to a file with --problems FILE.csv."
            click.echo(f"  and {len(outcome.problems) - SHOWN} more. {more}", err=True)
    _tell_findings(outcome)
    _tell_warnings(outcome, problems_file)
    if outcome.state == "refused":
        click.echo("Nothing was imported. Correct these rows, or import the others with --good-rows.", err=True)
        return
    heads = {
        "done": f"Imported as batch {outcome.batch_id}."
        if len(outcome.batches) < 2
        else f"Imported as batches {', '.join(f'{key} ({code})' for code, key in outcome.batches.items())}.",
        "checked": "Checked; nothing was changed.",
        "unchanged": "The ledger has all of it already; nothing was changed.",
    }
    click.echo(heads[outcome.state])
    counted = [(word(f"count.{name}", LOCALE), number) for name, number in outcome.counts.items() if number]
    if counted:
        print_table(["", "Count"], counted, numbers=(1,))
    for kind, amounts in _totals(outcome.totals).items():
        click.echo(
            f"{word(DocumentKind(kind), LOCALE).capitalize()}: "
            + ", ".join(f"{formats.money(each.minor, each.currency, LOCALE)}" for each in amounts)
        )


def _tell_findings(outcome: ImportOutcome) -> None:
    """Say how the file was understood, as far as nobody had stated it."""
    found = [
        (word(f"aspect.{each.aspect}", LOCALE), each.column or "", value_of_finding(each.aspect, each.value, LOCALE), each.certainty)
        for each in outcome.detection.findings
        if each.certainty is not Certainty.STATED and each.value and each.aspect != "column_missing"
    ]
    if found:
        rows = [(*words, word(certainty, LOCALE)) for *words, certainty in dict.fromkeys(found)]
        print_table(["Found in the file", "Column", "", "How sure"], rows)


def _tell_warnings(outcome: ImportOutcome, problems_file: Path | None) -> None:
    """Say of each kind of warning how often it came and where first."""
    alike: dict[str, list[RowProblem]] = {}
    for warning in outcome.warnings:
        alike.setdefault(warning.code, []).append(warning)
    for warnings in alike.values():
        first = warnings[0]
        where = f"row {first.row}" + (f", {first.column}" if first.column else "")
        many = f"{len(warnings)} warnings like that of {where}" if len(warnings) > 1 else f"Warning, {where}"
        click.echo(f"{many}: {_reason(first)}" + (f" [{first.value}]" if first.value else ""))
    if alike:
        click.echo(f"All of them are in {problems_file}." if problems_file else "Write all of them to a file with --problems FILE.csv.")


@group.command("imports")
@organisation_option
@format_option
@refusals_as_errors
def list_imports(organisation: str, output: str) -> None:
    """List the imports, the newest first."""
    with inside(organisation):
        rows = [
            {
                "batch": each.id,
                "file": each.file_name,
                "entity": each.entity,
                "state": each.state,
                "mode": each.mode,
                "as_of": each.as_of,
                "new_invoices": each.counts.get("new_invoices", 0),
                "changed_invoices": each.counts.get("changed_invoices", 0),
                "created_at": each.created_at,
            }
            for each in queries.list_imports()
        ]
    names = {
        "batch": "Batch",
        "file": "File",
        "entity": "Entity",
        "state": "State",
        "mode": "Mode",
        "as_of": "As of",
        "new_invoices": "New",
        "changed_invoices": "Changed",
        "created_at": "When",
    }
    print_rows(output, names, rows, nothing="Nothing was imported yet. Begin with “insureflow receivables import FILE”.")


@group.command("undo")
@click.argument("batch", type=int)
@organisation_option
@format_option
@refusals_as_errors
def undo(batch: int, organisation: str, output: str) -> None:
    """Take back the import BATCH, which must be the last of its entity."""
    with inside(organisation) as place:
        gone = imports.undo_import(COMMAND_LINE, place.organisation_id, batch, place.today)
    if output == "json":
        print_json({"batch": batch, "state": "undone", "invoices": gone})
    else:
        click.echo(f"Batch {batch} was taken back; {gone} invoices went with it.")


@group.command("profiles")
@organisation_option
@format_option
@refusals_as_errors
def list_profiles(organisation: str, output: str) -> None:
    """List the profiles that describe ledger files."""
    with inside(organisation):
        rows = [
            {
                "name": profile.name,
                "title": profile.title,
                "mode": profile.mode,
                "origin": "product" if key is None else "own",
            }
            for key, profile in imports.profiles.list_profiles()
        ]
    print_rows(output, {"name": "Name", "title": "Title", "mode": "Mode", "origin": "From"}, rows, nothing="There are no profiles.")

"""``insureflow limits export-requests`` and ``import-decisions``: the way of files, for people and for scheduled tasks."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

import click
from flask import Flask

from insureflow.cli.limits import group, policy_option
from insureflow.cli.options import (
    COMMAND_LINE,
    LOCALE,
    format_option,
    inside,
    on_option,
    organisation_option,
    print_json,
    refusals_as_errors,
)
from insureflow.connectors.insurers.file_exchange import PROFILES, ExchangeFormat
from insureflow.domain.errors import Refusal
from insureflow.domain.receivables import RowProblem
from insureflow.i18n.words import sentence, sentence_for, word
from insureflow.services import limit_exchange
from insureflow.services.limit_exchange import ImportedAnswers

#: Largest file that is read into memory.
_LARGEST = 50 * 1024 * 1024


def register(app: Flask) -> None:
    """Add the commands, which stand beside the others about limits."""
    app.cli.add_command(group)


@group.command("export-requests")
@organisation_option
@policy_option
@click.option("--to", "folder", type=click.Path(exists=True, file_okay=False, writable=True, path_type=Path), required=True, help="Folder.")
@click.option(
    "--as",
    "form",
    type=click.Choice([form.value for form in ExchangeFormat]),
    default=ExchangeFormat.CSV.value,
    show_default=True,
    help="Kind of file.",
)
@click.option("--again", is_flag=True, help="Also requests sent before that nobody has answered.")
@click.option("--sender", default="", help="Our name in an EDIFACT file (default: short name of the organisation).")
@click.option("--recipient", default="", help="The insurer's name in an EDIFACT file (default: the policy's insurer).")
@format_option
@refusals_as_errors
def export_requests(
    organisation: str, policy_number: str, folder: Path, form: str, again: bool, sender: str, recipient: str, output: str
) -> None:
    """Write all requests that wait to be sent by hand into a file; they then count as sent. Nothing to send is no error."""
    with inside(organisation) as place:
        try:
            sent = limit_exchange.export_requests(
                COMMAND_LINE, place.organisation_id, policy_number, ExchangeFormat(form), again=again, sender=sender, recipient=recipient
            )
        except Refusal as refusal:
            if refusal.code != "nothing_to_send":
                raise
            if output == "json":
                print_json({"file": None, "requests": [], "left_out": []})
            else:
                click.echo(sentence_for(refusal, LOCALE))
            return
    path = folder / sent.file_name
    if sent.references:
        path.write_bytes(sent.data)
    if output == "json":
        print_json(
            {
                "file": str(path) if sent.references else None,
                "requests": list(sent.references),
                "left_out": [
                    {"request": each.own_reference, "buyer": each.buyer_name, "reason": sentence_for(each.reason, LOCALE)}
                    for each in sent.left_out
                ],
            }
        )
    else:
        if sent.references:
            click.echo(f"{len(sent.references)} requests written to {path}.")
        for each in sent.left_out:
            click.echo(f"{each.own_reference}, {each.buyer_name}: {sentence_for(each.reason, LOCALE)}", err=True)
    if sent.left_out:
        sys.exit(1)


@group.command("import-decisions")
@click.argument("files", type=click.Path(exists=True, dir_okay=False, path_type=Path), nargs=-1, required=True)
@organisation_option
@policy_option
@click.option(
    "--profile", type=click.Choice(list(PROFILES)), default="plain", show_default=True, help="How a list is read; EDIFACT is recognised."
)
@click.option("--dry-run", is_flag=True, help="Say what would be done and store nothing.")
@on_option
@format_option
@refusals_as_errors
def import_decisions(
    files: tuple[Path, ...], organisation: str, policy_number: str, profile: str, dry_run: bool, on: date | None, output: str
) -> None:
    """Enter the insurer's decisions from FILES, each as a whole or not at all, and close the requests they answer."""
    results: list[ImportedAnswers] = []
    with inside(organisation) as place:
        for file in files:
            size = file.stat().st_size
            if size > _LARGEST:
                raise Refusal("file_too_large", size=size, limit=_LARGEST)
            results.append(
                limit_exchange.import_decisions(
                    COMMAND_LINE,
                    place.organisation_id,
                    file.read_bytes(),
                    policy_number=policy_number,
                    on=place.day(on),
                    name=file.name,
                    profile=profile,
                    dry_run=dry_run,
                )
            )
    if output == "json":
        print_json([_as_data(result) for result in results])
    else:
        for result in results:
            _tell(result)
    if any(result.problems for result in results):
        sys.exit(1)


def _as_data(result: ImportedAnswers) -> dict[str, object]:
    return {
        "file": result.file_name,
        "rows": result.rows,
        "added": result.added,
        "unchanged": result.unchanged,
        "requests_answered": result.requests_answered,
        "undecided": [
            {"row": each.row, "buyer": each.buyer_name, "response": word(each.response, LOCALE), "text": each.text}
            for each in result.undecided
        ],
        "dry_run": result.dry_run,
        "stored": result.is_stored,
        "problems": [
            {"row": problem.row, "column": problem.column, "value": problem.value, "code": problem.code, "reason": _reason(problem)}
            for problem in result.problems
        ],
    }


def _reason(problem: RowProblem) -> str:
    return sentence(problem.code, {"value": problem.value, "path": problem.column, **problem.parameters}, LOCALE)


def _tell(result: ImportedAnswers) -> None:
    for problem in result.problems:
        value = "" if problem.value is None else f" “{problem.value}”"
        click.echo(f"{result.file_name}, row {problem.row}, {problem.column or 'whole row'}{value}: {_reason(problem)}", err=True)
    if result.problems:
        click.echo(f"Error: {sentence('limit_rows_bad', {'count': len(result.problems)}, LOCALE)}", err=True)
        return
    for each in result.undecided:
        click.echo(f"{result.file_name}, row {each.row}, {each.buyer_name}: {word(each.response, LOCALE)}. {each.text}".strip())
    done = "would be entered" if result.dry_run else "entered"
    click.echo(
        f"{result.file_name}: {result.rows} rows read, {result.added} decisions {done}, {result.unchanged} known already, "
        f"{result.requests_answered} requests answered."
    )

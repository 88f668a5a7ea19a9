"""``insureflow journal``: reading the journal and proving that nobody changed it."""

from __future__ import annotations

import sys

import click
from flask import Flask
from flask.cli import AppGroup

from insureflow.cli.options import format_option, inside, organisation_option, print_json, print_rows, refusals_as_errors
from insureflow.i18n.words import word
from insureflow.queries import settings
from insureflow.queries.journal import list_entries
from insureflow.services import journal

group = AppGroup("journal", help="The journal of every change.")


def register(app: Flask) -> None:
    """Add the commands."""
    app.cli.add_command(group)


@group.command("verify")
@click.option("--organisation", "-o", metavar="SLUG", help="Short name of the organisation (default: all of them).")
@format_option
@refusals_as_errors
def verify(organisation: str | None, output: str) -> None:
    """Check every entry against the chain of hashes. Ends with status 1 if an entry was altered, removed or put in."""
    slugs = [organisation] if organisation else [each.slug for each in settings.list_organisations()]
    results = {}
    for slug in slugs:
        with inside(slug) as place:
            results[slug] = journal.verify(place.organisation_id)
    if output == "json":
        print_json(
            [
                {
                    "organisation": slug,
                    "entries": result.entries,
                    "last_hash": result.last_hash,
                    "sound": result.is_sound,
                    "faults": [{"sequence": fault.sequence, "kind": fault.kind} for fault in result.faults],
                }
                for slug, result in results.items()
            ]
        )
    else:
        for slug, result in results.items():
            if result.is_sound:
                click.echo(f"{slug}: all {result.entries} entries are as they were written. Last hash: {result.last_hash}")
            for fault in result.faults:
                click.echo(f"{slug}: entry {fault.sequence}: {word(f'Fault.{fault.kind}', 'en')}")
        if not results:
            click.echo("There is no organisation yet, and so no journal.")
    if any(not result.is_sound for result in results.values()):
        sys.exit(1)


@group.command("list")
@organisation_option
@click.option("--last", "count", type=click.IntRange(1, 100_000), default=50, show_default=True, help="How many entries, the newest first.")
@format_option
@refusals_as_errors
def list_all(organisation: str, count: int, output: str) -> None:
    """List the newest entries."""
    with inside(organisation):
        rows = [
            {
                "sequence": entry.sequence,
                "at": entry.at,
                "actor": entry.actor,
                "action": entry.action,
                "subject_type": entry.subject_type,
                "subject": entry.subject,
                **({"before": entry.before, "after": entry.after, "hash": entry.hash} if output == "json" else {}),
            }
            for entry in list_entries(count)
        ]
    names = {"sequence": "No.", "at": "When (UTC)", "actor": "Who", "action": "What", "subject": "Subject"}
    if output == "json":
        print_json(rows)
    else:
        print_rows(output, names, rows, nothing="Nothing has happened yet.")

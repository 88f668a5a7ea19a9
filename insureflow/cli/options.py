"""What the commands share: options, the organisation's scope, errors as sentences, tables and JSON, and progress bars."""

from __future__ import annotations

import functools
import json
import sys
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, TypeVar

import click

from insureflow.domain.errors import InvalidValues, Refusal
from insureflow.i18n.words import sentence_for
from insureflow.models.buyers import Buyer
from insureflow.models.organisations import Organisation
from insureflow.queries import buyers as buyer_queries
from insureflow.services import organisations
from insureflow.services.clock import business_date
from insureflow.services.journal import Actor, plain
from insureflow.services.scoping import within

Command = TypeVar("Command", bound=Callable[..., Any])

#: Who acts when a command is run.
COMMAND_LINE = Actor(None, "command line")

#: The commands speak English.
LOCALE = "en"

#: How a command lets people name a buyer.
BUYER_HELP = "Customer number, registration number or legal name of the buyer."
#: Most buyers that are named where several may be meant.
_CANDIDATES = 8
_KEY_DIGITS = 19


class Day(click.ParamType[date]):
    """A calendar day, written as 2026-12-31."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """The day of a text."""
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            self.fail(f"“{value}” is not a date. Write it as 2026-12-31.", param, ctx)


def organisation_option(command: Command) -> Command:
    """``--organisation``: the short name of the organisation."""
    return click.option("--organisation", "-o", required=True, metavar="SLUG", help="Short name of the organisation.")(command)


def entity_option(command: Command) -> Command:
    """``--entity``: the code of the entity."""
    return click.option("--entity", "-e", required=True, metavar="CODE", help="Code of the entity within the organisation.")(command)


def on_option(command: Command) -> Command:
    """``--on``: the day the answer is for; None means today where the organisation is (see ``Place.day``)."""
    return click.option("--on", type=Day(), help="The day the answer is for (default: today).")(command)


def format_option(command: Command) -> Command:
    """``--format``: text for people or JSON for programs; passed on as ``output``."""
    return click.option(
        "--format", "output", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Text for people or JSON."
    )(command)


def buyer_option(command: Command) -> Command:
    """``--buyer``: who is meant, as ``find_buyer`` reads it."""
    return click.option("--buyer", "-b", required=True, metavar="BUYER", help=BUYER_HELP)(command)


def find_buyer(text: str, *, or_key: bool = False) -> Buyer:
    """The one buyer that a customer number, a registration number or a legal name means; case and accents do not matter.

    ``or_key``: a number may also be the key of a buyer. Errors: ``buyer_unknown``, ``buyer_ambiguous`` with those who may be meant.
    """
    found = list(buyer_queries.buyers_called(text))
    if or_key and text.isascii() and text.isdecimal() and len(text) < _KEY_DIGITS:
        keyed = buyer_queries.find_buyer(int(text))
        if keyed is not None and keyed.id not in {each.id for each in found}:
            found.append(buyer_queries.NamedBuyer(keyed.id, keyed.legal_name, keyed.country))
    if not found:
        raise Refusal("buyer_unknown", buyer=text)
    if len(found) > 1:
        shown = [f"{each.legal_name} ({', '.join((each.country, *each.numbers))})" for each in found[:_CANDIDATES]]
        raise Refusal("buyer_ambiguous", buyers="; ".join([*shown, "…"] if len(found) > _CANDIDATES else shown))
    buyer = buyer_queries.find_buyer(found[0].id)
    if buyer is None:  # gone since it was found
        raise Refusal("buyer_unknown", buyer=text)
    return buyer


def refusals_as_errors(command: Command) -> Command:
    """Answer a refusal with its sentence on standard error and exit status 1; several problems stand on a line each."""

    @functools.wraps(command)
    def run(*arguments: Any, **options: Any) -> Any:
        try:
            return command(*arguments, **options)
        except InvalidValues as refusal:
            for problem in refusal.problems:
                click.echo(f"Error: {sentence_for(problem, LOCALE)}", err=True)
            sys.exit(1)
        except Refusal as refusal:
            click.echo(f"Error: {sentence_for(refusal, LOCALE)}", err=True)
            sys.exit(1)

    return run  # type: ignore[return-value]  # wraps keeps what the command is


@dataclass(frozen=True, slots=True)
class Place:
    """The organisation a command works in. Its scope is entered as long as ``inside`` lasts."""

    organisation: Organisation
    organisation_id: int
    time_zone: str

    @property
    def today(self) -> date:
        """Today where the organisation is."""
        return business_date(self.time_zone)

    def day(self, on: date | None) -> date:
        """The day asked for, or today."""
        return on or self.today


@contextmanager
def inside(slug: str) -> Iterator[Place]:
    """Work in an organisation's scope. Errors: ``Refusal`` ``organisation_unknown``."""
    organisation = organisations.get_organisation(slug)
    place = Place(organisation, organisation.id, organisation.time_zone)
    with within(place.organisation_id):
        yield place


def print_json(data: object) -> None:
    """Print data as JSON: dates as 2026-12-31, decimals as texts with every digit, amounts as ``{amount, currency}``."""
    click.echo(json.dumps(plain(data), ensure_ascii=False, indent=2))


def print_table(headings: Sequence[str], rows: Sequence[Sequence[object]], *, numbers: Sequence[int] = ()) -> None:
    """Print rows under their headings in aligned columns; the columns in ``numbers`` are aligned at their end."""
    cells = [[_shown(cell) for cell in row] for row in rows]
    widths = [max([_width(heading), *(_width(row[index]) for row in cells)]) for index, heading in enumerate(headings)]
    for line in [list(headings), ["-" * width for width in widths], *cells]:
        padded = [
            " " * (widths[index] - _width(cell)) + cell if index in numbers else cell + " " * (widths[index] - _width(cell))
            for index, cell in enumerate(line)
        ]
        click.echo("  ".join(padded).rstrip())


def print_rows(output: str, names: Mapping[str, str], rows: Sequence[Mapping[str, object]], *, nothing: str) -> None:
    """Print the same rows as a table or as JSON. ``names`` maps the keys of a row to the headings; ``nothing`` is said of no rows."""
    if output == "json":
        print_json([{name: row[name] for name in names} for row in rows])
    elif rows:
        print_table(list(names.values()), [[row[name] for name in names] for row in rows])
    else:
        click.echo(nothing)


def _shown(cell: object) -> str:
    if isinstance(cell, datetime):
        return f"{cell.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    value = plain(cell)
    if value is None:
        return "-"
    if isinstance(value, dict) and set(value) == {"amount", "currency"}:
        return f"{value['amount']} {value['currency']}"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return " ".join(str(value).split())


def _width(text: str) -> int:
    """Columns a text takes on a terminal: East Asian characters take two, combining marks none."""
    return sum(0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


@contextmanager
def progress_bar(label: str) -> Iterator[Callable[[int, int | None], None]]:
    """A progress bar on a terminal, nothing elsewhere. Gives ``report(done, total)``; ``total`` is None while nobody knows."""
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    with click.progressbar(length=1, label=label, file=sys.stderr) as bar:

        def report(done: int, total: int | None) -> None:
            length = total or done + 1
            bar.length = length
            bar.update(min(done, length) - bar.pos)

        yield report
        bar.update((bar.length or 0) - bar.pos)

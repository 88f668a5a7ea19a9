"""``insureflow buyers``: listing, adding, confirming and merging buyers."""

from __future__ import annotations

from datetime import date
from typing import Any

import click
from flask import Flask
from flask.cli import AppGroup

from insureflow.cli.options import (
    COMMAND_LINE,
    find_buyer,
    format_option,
    inside,
    on_option,
    organisation_option,
    print_json,
    print_rows,
    refusals_as_errors,
)
from insureflow.domain.buyers import BuyerStatus, IdentifierScheme
from insureflow.domain.money import Money
from insureflow.queries import buyers as buyer_queries
from insureflow.queries import organisations as organisation_queries
from insureflow.queries.listing import Narrowing
from insureflow.services import buyers
from insureflow.services.buyers import BuyerDetails, IdentifierEntry

group = AppGroup("buyers", help="Buyers: who owes the price.")

#: Columns of the list by their headings.
_COLUMNS = {
    "buyer_id": "Key",
    "name": "Buyer",
    "country": "Country",
    "situation": "Limit stands",
    "open": "Owed",
    "limit": "Limit",
    "covered": "Covered",
    "uncovered": "Not covered",
    "overdue": "Overdue",
    "stopped": "Stopped",
    "status": "Status",
}


def register(app: Flask) -> None:
    """Add the commands."""
    app.cli.add_command(group)


@group.command("list")
@organisation_option
@click.option("--search", default="", help="Words of the name, or a customer number.")
@click.option("--to-review", is_flag=True, help="Only buyers that wait for review.")
@on_option
@format_option
@refusals_as_errors
def list_buyers(organisation: str, search: str, to_review: bool, on: date | None, output: str) -> None:
    """Show buyers with what they owe and what of it is covered."""
    with inside(organisation) as place:
        narrowing = Narrowing(search, {"status": [BuyerStatus.TO_REVIEW.value]} if to_review else {})
        rows = [_row(row) for row in buyer_queries.buyer_listing(place.day(on)).stream(narrowing, None)]
    print_rows(output, _COLUMNS, rows, nothing="No buyers.")


def _row(row: dict[str, Any]) -> dict[str, Any]:
    for name in ("open", "limit", "covered", "uncovered", "overdue"):
        row[name] = None if row[name] is None else Money(*row[name])
    return row


@group.command("add")
@organisation_option
@click.option("--name", required=True, help="Legal name.")
@click.option("--country", required=True, metavar="CODE", help="Country, such as DE.")
@click.option("--vat", metavar="NUMBER", help="VAT number.")
@click.option("--registration", metavar="NUMBER", help="Registration number.")
@click.option("--customer-number", "numbers", multiple=True, metavar="ENTITY:NUMBER", help="Number in an entity's ledger; may be repeated.")
@format_option
@refusals_as_errors
def add(
    organisation: str, name: str, country: str, vat: str | None, registration: str | None, numbers: tuple[str, ...], output: str
) -> None:
    """Add a buyer."""
    with inside(organisation) as place:
        entities = {entity.code: entity.id for entity in organisation_queries.list_entities()}
        pairs = [number.partition(":") for number in numbers]
        given = ((IdentifierScheme.VAT, vat), (IdentifierScheme.REGISTRATION, registration))
        details = BuyerDetails(
            legal_name=name,
            country=country,
            identifiers=tuple(IdentifierEntry(scheme, country, number) for scheme, number in given if number),
            customer_numbers=tuple((entities.get(code, 0), number) for code, _colon, number in pairs),
        )
        buyer = buyers.add_buyer(COMMAND_LINE, place.organisation_id, details)
    if output == "json":
        print_json({"id": buyer.id, "name": buyer.legal_name, "country": buyer.country})
    else:
        click.echo(f"Buyer {buyer.id}: {buyer.legal_name}.")


@group.command("confirm")
@organisation_option
@click.argument("named", metavar="BUYERS...", nargs=-1, required=True)
@refusals_as_errors
def confirm(organisation: str, named: tuple[str, ...]) -> None:
    """Mark BUYERS as looked at; each by key, number or legal name."""
    with inside(organisation) as place:
        keys = [find_buyer(each, or_key=True).id for each in named]
        count = buyers.confirm_buyers(COMMAND_LINE, place.organisation_id, keys)
    click.echo(f"{count} confirmed.")


@group.command("merge")
@organisation_option
@click.argument("kept")
@click.argument("merged")
@on_option
@click.confirmation_option(prompt="The second buyer is gone afterwards. Go on?")
@refusals_as_errors
def merge(organisation: str, kept: str, merged: str, on: date | None) -> None:
    """Move everything of the buyer MERGED to the buyer KEPT; both by key, number or legal name."""
    with inside(organisation) as place:
        kept_id, merged_id = find_buyer(kept, or_key=True).id, find_buyer(merged, or_key=True).id
        buyer = buyers.merge_buyers(COMMAND_LINE, place.organisation_id, kept_id, merged_id, place.day(on))
    click.echo(f"Merged into {buyer.id}: {buyer.legal_name}.")

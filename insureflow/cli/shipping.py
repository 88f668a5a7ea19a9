"""``insureflow ship-check``: may I ship, and what is kept for an order."""

from __future__ import annotations

from datetime import date

import click
from flask import Flask
from flask.cli import AppGroup, with_appcontext

from insureflow.cli.options import (
    BUYER_HELP,
    COMMAND_LINE,
    LOCALE,
    Day,
    Place,
    find_buyer,
    format_option,
    inside,
    organisation_option,
    print_json,
    refusals_as_errors,
)
from insureflow.domain.errors import Refusal
from insureflow.domain.money import to_minor
from insureflow.i18n.shipping import answer_sentence, remedy_sentence
from insureflow.queries import organisations as organisation_queries
from insureflow.services import shipping
from insureflow.services.shipping import ShipQuestion


def register(app: Flask) -> None:
    """Add the commands."""
    app.cli.add_command(group)


def _entity_id(code: str | None) -> int | None:
    if code is None:
        return None
    for entity in organisation_queries.list_entities():
        if entity.code == code:
            return int(entity.id)
    raise Refusal("entity_unknown", entity=code)


@click.group("ship-check", cls=AppGroup, invoke_without_command=True)
@click.option("--organisation", "-o", metavar="SLUG", help="Short name of the organisation.")
@click.option("--buyer", "-b", metavar="BUYER", help=BUYER_HELP)
@click.option("--amount", metavar="AMOUNT", help="What will be invoiced, without tax, such as 12500.00.")
@click.option("--currency", metavar="CODE", help="Currency of the amount.")
@click.option("--terms", type=int, metavar="DAYS", help="Terms of payment in days from the invoice.")
@click.option("--on", "ship_on", type=Day(), help="Day of shipment (default: today).")
@click.option("--entity", "-e", metavar="CODE", help="Who ships (default: as usual for this buyer).")
@click.option("--order", default="", metavar="REFERENCE", help="The order's reference; with it the answer can be kept.")
@click.option("--keep", is_flag=True, help="Keep the answer.")
@click.option("--reserve-until", type=Day(), help="Keep the answer, and keep the covered part free for the order up to this day.")
@click.option("--explain", is_flag=True, help="Say what would help and how it was worked out.")
@format_option
@click.pass_context
@with_appcontext
@refusals_as_errors
def group(
    context: click.Context,
    organisation: str | None,
    buyer: str | None,
    amount: str | None,
    currency: str | None,
    terms: int | None,
    ship_on: date | None,
    entity: str | None,
    order: str,
    keep: bool,
    reserve_until: date | None,
    explain: bool,
    output: str,
) -> None:
    """May I ship? Ends with status 0 if all is covered, 2 if a part is, 3 if nothing is."""
    if context.invoked_subcommand is not None:
        return
    for name, value in (("organisation", organisation), ("buyer", buyer), ("amount", amount), ("currency", currency), ("terms", terms)):
        if value is None:
            raise click.UsageError(f"Missing option '--{name}'.", context)
    assert organisation is not None
    assert buyer is not None
    assert amount is not None
    assert currency is not None
    assert terms is not None
    with inside(organisation) as place:
        question = ShipQuestion(
            buyer_id=find_buyer(buyer).id,
            amount_minor=to_minor(amount, currency),
            currency=currency,
            ship_on=place.day(ship_on),
            credit_terms_days=terms,
            entity_id=_entity_id(entity),
            order_reference=order,
        )
        facts = _answer(place, question, keep=keep, reserve_until=reserve_until, explain=explain)
    _print(facts, output)
    context.exit({"covered": 0, "partly": 2, "not_covered": 3}[str(facts["verdict"])])


def _answer(place: Place, question: ShipQuestion, *, keep: bool, reserve_until: date | None, explain: bool) -> dict[str, object]:
    if keep or reserve_until is not None:
        check = shipping.decide(
            COMMAND_LINE, place.organisation_id, question, place.today, reserve_until=reserve_until, with_remedies=explain
        )
        kept = {"id": check.id, "order": check.order_reference, "reserved_until": check.reserved_until}
        data, trace = check.answer, check.trace
    else:
        answered = shipping.ask(question, place.today, with_remedies=explain, with_trace=explain)
        kept, data, trace = {}, answered.data, answered.answer.trace.to_list()
    facts: dict[str, object] = {**kept, "sentence": answer_sentence(data, LOCALE), **data}
    facts["remedies"] = [{**each, "sentence": remedy_sentence(each, LOCALE)} for each in data["remedies"]]
    return facts | ({"trace": trace} if explain else {})


def _print(facts: dict[str, object], output: str) -> None:
    if output == "json":
        print_json(facts)
        return
    blocked = facts.get("blocked_because")
    for reason in blocked if isinstance(blocked, list) else ():
        click.echo(f"Do not ship: this buyer is blocked. {reason}")
    click.echo(facts["sentence"])
    remedies = facts["remedies"]
    assert isinstance(remedies, list)
    for remedy in remedies:
        click.echo(f"- {remedy['sentence']}")
    if facts.get("reserved_until"):
        click.echo(f"Reserved until {facts['reserved_until']} as answer {facts['id']}.")
    elif "id" in facts:
        click.echo(f"Kept as answer {facts['id']}; nothing is reserved.")


@group.command("release")
@click.argument("number", type=int)
@organisation_option
@refusals_as_errors
def release(number: int, organisation: str) -> None:
    """Give back what answer NUMBER keeps for its order."""
    with inside(organisation) as place:
        shipping.release(COMMAND_LINE, place.organisation_id, number, place.today)
    click.echo(f"Answer {number} keeps nothing any more.")


@group.command("invoiced")
@click.argument("number", type=int)
@click.argument("invoice")
@organisation_option
@refusals_as_errors
def invoiced(number: int, invoice: str, organisation: str) -> None:
    """Say that the order of answer NUMBER became INVOICE, where the invoice does not carry the order's reference."""
    with inside(organisation) as place:
        shipping.mark_invoiced(COMMAND_LINE, place.organisation_id, number, invoice)
    click.echo(f"Invoice {invoice} takes the place of what answer {number} kept.")

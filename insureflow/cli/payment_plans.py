"""Payment plans on the command line: list, show, draw up, ask the insurer, agree with the buyer."""

from __future__ import annotations

from datetime import date

import click
from flask import Flask
from flask.cli import AppGroup

from insureflow.cli.options import (
    COMMAND_LINE,
    LOCALE,
    Day,
    find_buyer,
    format_option,
    inside,
    on_option,
    organisation_option,
    print_json,
    print_rows,
    print_table,
    refusals_as_errors,
)
from insureflow.domain.errors import InvalidValue, Refusal
from insureflow.domain.money import Money
from insureflow.domain.payment_plans import PlanState, Remainder, Rhythm, equal_instalments
from insureflow.i18n.words import word
from insureflow.queries.listing import Narrowing, Order
from insureflow.queries.payment_plans import PlanView, choices_of, find_plan
from insureflow.queries.plan_listing import plan_listing
from insureflow.services import payment_plans
from insureflow.services.payment_plans import NewPlan

group = AppGroup("plans", help="Payment plans and deferrals.")


def register(app: Flask) -> None:
    """Make the commands known."""
    app.cli.add_command(group)


def _view(plan_id: int, on: date) -> PlanView:
    view = find_plan(plan_id, on)
    if view is None:
        raise Refusal("plan_unknown", plan=str(plan_id))
    return view


@group.command("list")
@organisation_option
@click.option("--state", "states", multiple=True, type=click.Choice([state.value for state in PlanState]), help="Only those that stand so.")
@on_option
@format_option
@refusals_as_errors
def list_all(organisation: str, states: tuple[str, ...], on: date | None, output: str) -> None:
    """Show the plans and how they stand."""
    wanted = Narrowing(choices={"state": list(states)} if states else {})
    with inside(organisation) as place:
        rows = list(plan_listing(place.day(on)).stream(wanted, Order("number", descending=True)))
    shown = [
        {
            "plan": row["key"],
            "buyer": row["buyer"],
            "state": PlanState(row["state"]).value if output == "json" else word(PlanState(row["state"]), LOCALE),
            "total": Money(*row["total"]),
            "open": None if row["open"] is None else Money(*row["open"]),
            "next_on": row["next_on"],
            "broken_on": row["broken_on"],
        }
        for row in rows
    ]
    names = {
        "plan": "Plan", "buyer": "Buyer", "state": "Stands", "total": "Put off", "open": "Open", "next_on": "Next", "broken_on": "Broken on",
    }  # fmt: skip
    print_rows(output, names, shown, nothing="No plans.")


@group.command("show")
@organisation_option
@click.argument("plan_id", type=int)
@on_option
@format_option
@refusals_as_errors
def show(organisation: str, plan_id: int, on: date | None, output: str) -> None:
    """Show a plan: its instalments, what they pay, and what of it needs consent."""
    with inside(organisation) as place:
        view = _view(plan_id, place.day(on))
    _print(view, output)


def _print(view: PlanView, output: str) -> None:
    plan, design, standing = view.plan, view.design, view.standing
    if output == "json":
        print_json(
            {
                "id": plan.id,
                "buyer": view.buyer,
                "state": plan.state,
                "verdict": design.verdict,
                "agreed_on": plan.agreed_on,
                "broken_on": plan.broken_on,
                "portions": [
                    {
                        "instalment": each.instalment,
                        "due_on": each.due_on,
                        "invoice": each.invoice,
                        "original_due_on": each.original_due_on,
                        "amount": Money(each.amount_minor, plan.currency),
                        "last_free_on": each.last_free_on,
                        "freedom": each.freedom,
                    }
                    for each in design.portions
                ],
                "outcome": None if standing is None else standing.outcome,
                "open": None if standing is None else Money(standing.open_minor, plan.currency),
            }
        )
        return
    click.echo(f"Plan {plan.id} with {view.buyer}: {word(plan.state, LOCALE)}, {word(design.verdict, LOCALE)}.")
    rows = [
        (each.instalment, each.due_on, each.invoice, Money(each.amount_minor, plan.currency), each.last_free_on, word(each.freedom, LOCALE))
        for each in design.portions
    ]
    print_table(["No.", "Pay by", "Invoice", "Amount", "Last free day", "Freedom"], rows, numbers=(0, 3))
    if design.beyond:
        click.echo(f"Without the insurer's consent these invoices lose their cover: {', '.join(design.beyond)}.")


@group.command("propose")
@organisation_option
@click.argument("buyer")
@click.option("--invoice", "numbers", multiple=True, required=True, metavar="NUMBER", help="An invoice that is put off; again for more.")
@click.option("--count", type=int, default=1, show_default=True, help="How many instalments; one is a deferral.")
@click.option("--first", "first_on", type=Day(), required=True, help="Day of the first instalment.")
@click.option("--rhythm", type=click.Choice([rhythm.value for rhythm in Rhythm]), default=Rhythm.MONTHLY.value, show_default=True)
@click.option("--remainder", type=click.Choice([each.value for each in Remainder]), default=Remainder.LAST.value, show_default=True)
@click.option("--grace", "grace_days", type=int, default=0, show_default=True, help="Days an instalment may be late.")
@on_option
@format_option
@refusals_as_errors
def propose(
    organisation: str,
    buyer: str,
    numbers: tuple[str, ...],
    count: int,
    first_on: date,
    rhythm: str,
    remainder: str,
    grace_days: int,
    on: date | None,
    output: str,
) -> None:
    """Draw up a plan for a buyer's open invoices; nothing is agreed by that."""
    with inside(organisation) as place:
        day, buyer_id = place.day(on), find_buyer(buyer).id
        chosen = [choice for choice in choices_of(buyer_id, day) if choice.number in numbers]
        unknown = set(numbers) - {choice.number for choice in chosen}
        if unknown:
            raise InvalidValue("plan_invoice_not_open", "invoices", min(unknown))
        total = sum(choice.open_minor for choice in chosen)
        new = NewPlan(
            buyer_id=buyer_id,
            invoice_ids=[choice.invoice_id for choice in chosen],
            instalments=equal_instalments(total, count, first_on, Rhythm(rhythm), Remainder(remainder)),
            grace_days=grace_days,
        )
        plan = payment_plans.propose(COMMAND_LINE, place.organisation_id, new, day)
        _print(_view(plan.id, day), output)


@group.command("ask")
@organisation_option
@click.argument("plan_id", type=int)
@on_option
@refusals_as_errors
def ask(organisation: str, plan_id: int, on: date | None) -> None:
    """Draft the request for the insurer's consent."""
    with inside(organisation) as place:
        notice = payment_plans.ask_consent(COMMAND_LINE, place.organisation_id, plan_id, place.day(on))
        click.echo(f"Notice {notice.id} is drafted. Approve and send it.")


@group.command("agree")
@organisation_option
@click.argument("plan_id", type=int)
@click.option("--without-consent", is_flag=True, help="Give up the cover of what would be paid too late.")
@on_option
@format_option
@refusals_as_errors
def agree(organisation: str, plan_id: int, without_consent: bool, on: date | None, output: str) -> None:
    """Agree a plan with the buyer and write the confirmation."""
    with inside(organisation) as place:
        day = place.day(on)
        payment_plans.agree(COMMAND_LINE, place.organisation_id, plan_id, day, without_consent=without_consent)
        _print(_view(plan_id, day), output)

"""``insureflow limits cuts`` and ``insureflow limits cut``: limits that were cut, and what a cut asks for."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import click
from flask import Flask

from insureflow.cli.limits import find_policy, group, in_words
from insureflow.cli.options import (
    COMMAND_LINE,
    LOCALE,
    format_option,
    inside,
    on_option,
    organisation_option,
    print_json,
    print_rows,
    refusals_as_errors,
)
from insureflow.domain.errors import Refusal
from insureflow.domain.money import Money
from insureflow.i18n import formats
from insureflow.i18n.words import word
from insureflow.queries.limit_cuts import CutView, find_cut
from insureflow.queries.limits import history_listing
from insureflow.queries.listing import Narrowing
from insureflow.services import limit_cuts


def register(app: Flask) -> None:
    """The commands stand in the group of limits."""
    del app


@group.command("cuts")
@organisation_option
@click.option("--policy", "-p", "policy_number", metavar="NUMBER", help="Only this policy.")
@click.option("--days", type=click.IntRange(1, 3650), default=90, show_default=True, help="How far to look back.")
@on_option
@format_option
@refusals_as_errors
def cuts(organisation: str, policy_number: str | None, days: int, on: date | None, output: str) -> None:
    """Show the limits that were reduced or withdrawn lately."""
    with inside(organisation) as place:
        day, policy_id = place.day(on), find_policy(policy_number).id if policy_number else None
        listing = history_listing(day, policy_id=policy_id, cut_since=day - timedelta(days=days))
        rows = [_row(row) for row in listing.stream(Narrowing(), None)]
    names = {
        "number": "Decision",
        "decided_on": "Decided",
        "buyer": "Buyer",
        "policy": "Policy",
        "status": "What",
        "previous": "Before",
        "decided": "After",
        "effective_on": "Effective from",
    }
    print_rows(output, names, in_words(rows, output), nothing="No limit was cut.")


def _row(row: dict[str, Any]) -> dict[str, Any]:
    amounts = {name: None if row[name] is None or row[name][1] is None else Money(*row[name]) for name in ("previous", "decided")}
    return {**row, **amounts}


@group.command("cut")
@click.argument("decision_id", type=int)
@organisation_option
@click.option("--report-days", type=click.IntRange(0, 365), help="Days to report binding orders (default: as the policy says).")
@click.option("--plan", is_flag=True, help="Make work of all that is to be done.")
@on_option
@format_option
@refusals_as_errors
def cut(decision_id: int, organisation: str, report_days: int | None, plan: bool, on: date | None, output: str) -> None:
    """Show what the cut by decision DECISION_ID means and asks for."""
    with inside(organisation) as place:
        view = find_cut(decision_id, report_orders_days=report_days)
        if view is None:
            raise Refusal("limit_unknown", limit=str(decision_id))
        made = None
        if plan:
            made = limit_cuts.plan_work(COMMAND_LINE, place.organisation_id, decision_id, place.day(on), report_orders_days=report_days)
    if output == "json":
        print_json(_as_data(view) | ({} if made is None else {"work_made": made}))
        return
    kit = view.kit
    click.echo(f"{view.buyer.legal_name}, {view.policy.number}: {word(kit.cut.kind, LOCALE)}")
    click.echo(f"Limit {_money(kit.limit_before)} → {_money(kit.limit_after)} from {kit.effective_on.isoformat()}")
    click.echo(f"Covered {_money(kit.covered)}, not covered {_money(kit.uncovered)}, room missing {_money(kit.missing)}")
    if kit.run_off_until:
        click.echo(f"Goods shipped until {kit.run_off_until.isoformat()} fall under the old limit.")
    if kit.report_orders_by:
        click.echo(f"Binding orders are to be reported by {kit.report_orders_by.isoformat()}.")
    for action in kit.actions:
        by = f", by {action.by.isoformat()}" if action.by else ""
        click.echo(f"- {word(action.action, LOCALE)}: {_money(action.amount)}{by} ({word(action.reason, LOCALE)})")
    if made is not None:
        click.echo(f"Pieces of work made: {made}.")


def _money(amount: Money) -> str:
    return formats.money(amount.minor, amount.currency, LOCALE)


def _as_data(view: CutView) -> dict[str, Any]:
    kit = view.kit
    return {
        "decision": view.decision.id,
        "buyer": view.buyer.legal_name,
        "policy": view.policy.number,
        "kind": kit.cut.kind,
        "limit_before": kit.limit_before,
        "limit_after": kit.limit_after,
        "effective_on": kit.effective_on,
        "run_off_until": kit.run_off_until,
        "report_orders_by": kit.report_orders_by,
        "covered": kit.covered,
        "uncovered": kit.uncovered,
        "missing": kit.missing,
        "actions": [{"action": each.action, "reason": each.reason, "amount": each.amount, "by": each.by} for each in kit.actions],
    }

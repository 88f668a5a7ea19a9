"""All duties as a list."""

from __future__ import annotations

from typing import Any

from flask import g, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import pgettext

from insureflow.domain.access import Permission
from insureflow.domain.obligations import ObligationKind
from insureflow.queries.dashboard.calculated import CalculatedListing, calculated_field
from insureflow.queries.dashboard.duties import PressingDuty, list_duties
from insureflow.queries.listing import FilterKind, Kind, Order
from insureflow.queries.obligations.calendar import CalendarStatus
from insureflow.web.access import requires
from insureflow.web.filters import country as country_name
from insureflow.web.filters import word
from insureflow.web.links import buyer_url, duty_url, link_to, policy_url
from insureflow.web.obligations.standing import blueprint, chosen_portfolio, chosen_reporting, status_of, time_left, tone_of
from insureflow.web.tables import Empty, TableView, build_table, country_options, wanted_export, word_options


def _rows(found: list[PressingDuty]) -> list[dict[str, Any]]:
    names = {policy.id: policy.name for policy in g.scope.policies}
    rows = []
    for place, duty in enumerate(found):
        entry = duty.entry
        rows.append(
            {
                "key": entry.obligation_id or -place,
                "kind": duty.kind,
                "due_on": duty.due_on,
                "status": status_of(duty),
                "buyer": entry.buyer,
                "country": entry.country,
                "invoice": entry.invoice,
                "policy": names.get(entry.key.policy_id, entry.policy),
                "amount": None if entry.amount_minor is None or entry.currency is None else (entry.amount_minor, entry.currency),
                "policy_id": entry.key.policy_id,
                "buyer_id": entry.key.buyer_id,
                "duty": duty,
            }
        )
    return rows


def _decorate(row: dict[str, Any]) -> dict[str, Any]:
    duty: PressingDuty = row["duty"]
    key = duty.entry.key
    tone = tone_of(duty, g.on)
    row["url"] = duty_url(duty)
    row["kind"] = word(duty.kind)
    row["due_on"] = {"value": duty.due_on, "hint": time_left(duty, g.on), "tone": tone if duty.is_open and tone != "undecided" else None}
    row["status"] = {"value": row["status"], "tone": tone}
    row["buyer"] = {"value": row["buyer"], "url": buyer_url(key.buyer_id) if key.buyer_id else None}
    row["policy"] = {"value": row["policy"], "url": policy_url(key.policy_id)}
    if key.invoice_id:
        row["invoice"] = {"value": row["invoice"], "url": link_to("receivables.show", invoice_id=key.invoice_id)}
    return row


@blueprint.get("/list")
@requires(Permission.VIEW_OBLIGATIONS)
def duties() -> ResponseReturnValue:
    """All duties as a list."""
    found = list_duties(chosen_portfolio(), chosen_reporting(), g.today)
    buyers = {duty.entry.key.buyer_id: duty.entry.buyer for duty in found if duty.entry.key.buyer_id is not None}
    countries = sorted({duty.entry.country for duty in found if duty.entry.country})
    listing = CalculatedListing(
        "duties",
        [
            calculated_field("kind", searched=True, filtered=FilterKind.SELECT),
            calculated_field("due_on", Kind.DATE, filtered=FilterKind.DATE_RANGE),
            calculated_field("status", Kind.BADGE, filtered=FilterKind.SELECT),
            calculated_field("buyer", searched=True),
            calculated_field("country", Kind.COUNTRY, filtered=FilterKind.SELECT),
            calculated_field("invoice", searched=True),
            calculated_field("policy"),
            calculated_field("amount", Kind.MONEY),
            calculated_field("policy_id", hidden=True, filtered=FilterKind.SELECT),
            calculated_field("buyer_id", hidden=True, filtered=FilterKind.SELECT),
        ],
        _rows(found),
        order=Order("due_on"),
        sort_by={
            "kind": {kind: word(kind) for kind in ObligationKind},
            "country": {code: country_name(code) for code in countries},
            "status": {status: word(status) for status in CalendarStatus},
        },
    )
    view = TableView(
        listing=listing,
        caption=_("Duties"),
        labels={
            "kind": _("Duty"),
            "due_on": pgettext("day of a duty", "Due"),
            "status": _("Status"),
            "buyer": _("Buyer"),
            "country": _("Country"),
            "invoice": _("Invoice"),
            "policy": _("Policy"),
            "amount": _("Cover at stake"),
            "policy_id": _("Policy"),
            "buyer_id": _("Buyer"),
        },
        options={
            "kind": lambda: word_options(tuple(ObligationKind)),
            "status": lambda: word_options(tuple(CalendarStatus)),
            "country": lambda: country_options(countries),
            "policy_id": lambda: [(str(policy.id), policy.name) for policy in g.scope.policies],
            "buyer_id": lambda: sorted(((str(key), str(name)) for key, name in buyers.items()), key=lambda pair: pair[1]),
        },
        decorate=_decorate,
        empty=no_duties,
    )
    if (export := wanted_export(view, "duties")) is not None:
        return export
    late = [duty for duty in found if duty.is_late]
    return render_template("obligations/list.html", listing=build_table(view), late=late, open_count=sum(duty.is_open for duty in found))


def no_duties() -> Empty:
    """What the list says while there are no duties."""
    return Empty(
        _("No duties"),
        _("Duties follow from the terms of a policy and from what is open: reminders, notifications, claims, renewals of limits."),
        link_to("policies.index"),
        _("Go to the policies"),
    )

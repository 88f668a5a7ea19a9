"""All duties as a list."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import g, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import pgettext

from insureflow.domain.access import Permission
from insureflow.domain.obligations import ObligationKind
from insureflow.queries.dashboard.calculated import CalculatedListing, calculated_field
from insureflow.queries.dashboard.duties import TO_DO, PressingDuty, list_duties
from insureflow.queries.dashboard.duty_listing import DutyListing, countries_of_duties, names_of_buyers, urgency_of
from insureflow.queries.listing import Field, FilterKind, Kind, Listing, Order
from insureflow.queries.obligations.calendar import CalendarStatus, DutySelection
from insureflow.queries.obligations.keeping import NOBODY, owners
from insureflow.queries.obligations.standing import Standing
from insureflow.queries.organisations import list_members
from insureflow.web.access import requires
from insureflow.web.filters import country as country_name
from insureflow.web.filters import word
from insureflow.web.keys import read_key
from insureflow.web.links import buyer_url, duty_url, link_to, policy_url
from insureflow.web.obligations.standing import blueprint, chosen_portfolio, chosen_reporting, status_of, time_left, tone_of
from insureflow.web.tables import Empty, TableView, build_table, country_options, wanted_export, word_options


def _rows(found: list[PressingDuty]) -> list[dict[str, Any]]:
    names, kept = {policy.id: policy.name for policy in g.scope.policies}, owners()
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
                "owner": kept.get(entry.key, (NOBODY, ""))[1],
                "owner_id": kept.get(entry.key, (NOBODY, ""))[0],
                "policy_id": entry.key.policy_id,
                "buyer_id": entry.key.buyer_id,
                "urgency": urgency_of(status_of(duty), duty.due_on, g.on),
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


def _fields() -> list[Field]:
    return [
        calculated_field("kind", searched=True, filtered=FilterKind.SELECT),
        calculated_field("due_on", Kind.DATE, filtered=FilterKind.DATE_RANGE),
        calculated_field("status", Kind.BADGE, filtered=FilterKind.SELECT),
        calculated_field("buyer", searched=True),
        calculated_field("country", Kind.COUNTRY, filtered=FilterKind.SELECT),
        calculated_field("invoice", searched=True),
        calculated_field("policy"),
        calculated_field("amount", Kind.MONEY),
        calculated_field("owner", searched=True),
        calculated_field("owner_id", hidden=True, filtered=FilterKind.SELECT),
        calculated_field("policy_id", hidden=True, filtered=FilterKind.SELECT),
        calculated_field("buyer_id", hidden=True, filtered=FilterKind.SELECT),
        calculated_field("urgency", hidden=True),
    ]


def _listing(countries: Iterable[str]) -> tuple[Listing, int, int]:
    """The list, how many duties are late and how many are open. Those of another day than today are worked out one by one."""
    portfolio = chosen_portfolio()
    words = {
        "kind": {kind.value: str(word(kind)) for kind in ObligationKind},
        "country": {code: country_name(code) for code in countries},
        "status": {status.value: str(word(status)) for status in CalendarStatus},
    }
    if g.on == g.today:
        selection = DutySelection(g.on, g.today, (), portfolio.policy_id, portfolio.buyer_id, portfolio.entity_id)
        listing = DutyListing(selection, words)
        to_do = DutySelection(g.on, g.today, TO_DO, portfolio.policy_id, portfolio.buyer_id, portfolio.entity_id)
        return listing, Standing(to_do).count_late(), listing.count_open()
    found = list_duties(portfolio, chosen_reporting(), g.today)
    rows = CalculatedListing("duties", _fields(), _rows(found), order=Order("urgency"), sort_by=words)
    return rows, sum(duty.is_late for duty in found), sum(duty.is_open for duty in found)


def _names(buyer_ids: Iterable[str]) -> list[tuple[str, str]]:
    """The buyers that the list is narrowed to: nobody chooses one from a list of all."""
    wanted = [key for text in buyer_ids if (key := read_key(text))]
    return [(str(key), name) for key, name in names_of_buyers(wanted)]


def _owners() -> list[tuple[str, str]]:
    """Whose duties the list can be narrowed to: one's own and nobody's first."""
    others = [(str(user.id), user.name or user.email) for user, _membership in list_members() if user.id != g.user.id]
    return [(str(g.user.id), _("Mine")), (str(NOBODY), _("Nobody's")), *others]


@blueprint.get("/list")
@requires(Permission.VIEW_OBLIGATIONS)
def duties() -> ResponseReturnValue:
    """All duties as a list."""
    countries = countries_of_duties()
    listing, late, open_count = _listing(countries)
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
            "owner": _("Looked after by"),
            "owner_id": _("Looked after by"),
            "policy_id": _("Policy"),
            "buyer_id": _("Buyer"),
        },
        options={
            "kind": lambda: word_options(tuple(ObligationKind)),
            "status": lambda: word_options(tuple(CalendarStatus)),
            "country": lambda: country_options(countries),
            "owner_id": _owners,
            "policy_id": lambda: [(str(policy.id), policy.name) for policy in g.scope.policies],
            "buyer_id": lambda: _names(request.args.getlist("buyer_id")),
        },
        decorate=_decorate,
        empty=no_duties,
    )
    if (export := wanted_export(view, "duties")) is not None:
        return export
    return render_template("obligations/list.html", listing=build_table(view), late=late, open_count=open_count)


def no_duties() -> Empty:
    """What the list says while there are no duties."""
    return Empty(
        _("No duties"),
        _("Duties follow from the terms of a policy and from what is open: reminders, notifications, claims, renewals of limits."),
        link_to("policies.index"),
        _("Go to the policies"),
    )

"""The lists of limits: the register of a day, the whole history, and what was cut lately."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import g, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from insureflow.domain.access import Permission
from insureflow.domain.cover.events import Layer
from insureflow.domain.limits import AccountMark, LimitKind, LimitSituation, LimitStatus
from insureflow.i18n import formats, words
from insureflow.queries import buyers as buyer_queries
from insureflow.queries import limits as limit_queries
from insureflow.queries.limits import UseBand
from insureflow.queries.listing import Listing
from insureflow.web.access import may, requires
from insureflow.web.context import choose_locale
from insureflow.web.limits.routes import blueprint
from insureflow.web.limits.words import tone_of_situation
from insureflow.web.links import link_to
from insureflow.web.tables import Empty, TableView, build_table, country_options, wanted_export, word_options

#: How many days back a cut counts as one of late.
CUT_DAYS = 30

#: How many days ahead a limit that ends is worth a word.
EXPIRING_DAYS = 30


def _kind(row: dict[str, Any]) -> dict[str, Any]:
    """The kind of a limit, and its layer where it is not the usual one."""
    hint = words.word(row["layer"], choose_locale()) if row["layer"] is not Layer.PRIMARY else None
    return {"value": row["kind"], "tone": "plain" if row["kind"] is not None else None, "hint": hint}


def _decorate_register(row: dict[str, Any]) -> dict[str, Any]:
    row["url"] = url_for("buyers.limits", buyer_id=row["buyer_id"])
    situation = row["situation"]
    row["situation"] = {"value": situation, "tone": tone_of_situation(situation)}
    if situation is LimitSituation.PENDING and row["requested"] is not None and row["requested"][1]:
        row["situation"]["hint"] = _(
            "asked for %(amount)s", amount=formats.money(row["requested"][0], row["requested"][1], choose_locale())
        )
    if row["announced_for"] is not None:
        row["situation"]["hint"] = _("changes on %(day)s", day=formats.day(row["announced_for"], choose_locale()))
    if row["decision_id"] is not None and situation is not LimitSituation.NEVER_ASKED and row["limit"] is not None:
        row["limit"] = {"value": row["limit"], "why_url": url_for("limits.why", decision_id=row["decision_id"])}
    elif situation is LimitSituation.NEVER_ASKED:
        row["limit"] = {"value": None, "hint": _("never asked")}
    if row["use"] == UseBand.ABOVE_LIMIT:
        row["open"] = {"value": row["open"], "tone": "uncovered"}
    row["kind"] = _kind(row)
    row["badges"] = [AccountMark.STOPPED] if row["stopped"] else []
    return row


def _entity_policies() -> frozenset[int] | None:
    """Policies that insure the entity chosen in the header; None where none is chosen."""
    if g.scope.entity_id is None:
        return None
    return limit_queries.policies_of_entity(g.scope.entity_id)


def _shared_options() -> dict[str, Any]:
    return {
        "country": lambda: country_options(list(buyer_queries.countries_of_buyers())),
        "policy": lambda: [(policy.number, f"{policy.number} ({policy.insurer})") for policy in g.scope.policies],
        "currency": lambda: [(code, code) for code in sorted({policy.limit_currency for policy in g.scope.policies})],
        "layer": lambda: word_options(list(Layer)),
        "kind": lambda: word_options(list(LimitKind)),
        "situation": lambda: word_options(list(LimitSituation)),
        "use": lambda: word_options(list(UseBand)),
        "status": lambda: word_options(list(LimitStatus)),
    }


def _empty() -> Empty:
    return Empty(
        _("No limits yet"),
        _("Import the insurer's list of limits with “insureflow limits import”, or enter a decision by hand."),
        url_for("limits.record") if may(Permission.EDIT_LIMITS) else None,
        _("Enter a decision"),
    )


def register_view() -> TableView:
    """The register as the page shows it."""
    return TableView(
        limit_queries.register_listing(g.on, policy_id=g.scope.policy_id, entity_policies=_entity_policies()),
        _("Limits in force"),
        {
            "buyer": _("Buyer"),
            "country": _("Country"),
            "policy": _("Policy"),
            "layer": _("Layer"),
            "situation": _("Stands"),
            "kind": _("Kind"),
            "currency": _("Currency"),
            "limit": _("Limit"),
            "used": _("Used"),
            "headroom": _("Headroom"),
            "open": _("Owed"),
            "utilisation": _("Utilisation"),
            "insured_percentage": _("Insured"),
            "decided_on": _("Decided"),
            "valid_to": _("Valid to"),
            "use": _("How far used"),
        },
        _shared_options(),
        decorate=_decorate_register,
        empty=_empty,
        beside=frozenset({"layer"}),
        currency_column="currency",
    )


def _decorate_history(row: dict[str, Any]) -> dict[str, Any]:
    row["url"] = url_for("limits.show", decision_id=int(row["number"]))
    if request.endpoint == "limits.cut":
        row["url"] = link_to("limit_cuts.show", decision_id=int(row["number"])) or row["url"]
    row["kind"] = _kind(row)
    row["buyer"] = {"value": row["buyer"], "url": url_for("buyers.limits", buyer_id=row["buyer_id"])}
    if row["previous"] is not None and row["previous"][1] is None:
        row["previous"] = None
    return row


def history_view(listing: Listing, caption: str) -> TableView:
    """The history as the page shows it."""
    return TableView(
        listing,
        caption,
        {
            "decided_on": _("Decided"),
            "buyer": _("Buyer"),
            "country": _("Country"),
            "policy": _("Policy"),
            "layer": _("Layer"),
            "kind": _("Kind"),
            "status": _("Decision"),
            "previous": _("Before"),
            "requested": _("Requested"),
            "decided": _("Amount"),
            "effective_on": _("Effective from"),
            "valid_to": _("Valid to"),
            "insurer_reference": _("Insurer's reference"),
        },
        _shared_options(),
        decorate=_decorate_history,
        empty=_empty,
        beside=frozenset({"layer"}),
    )


@blueprint.get("/")
@requires(Permission.VIEW_LIMITS)
def index() -> ResponseReturnValue:
    """What is in force for every buyer under every policy, and who was never asked for."""
    view = register_view()
    export = wanted_export(view, "limits") if may(Permission.EXPORT) else None
    if export is not None:
        return export
    counts = limit_queries.count_by_situation(g.on, policy_id=g.scope.policy_id)
    never = counts.get(LimitSituation.NEVER_ASKED, 0)
    sentence = (
        ngettext(
            "%(count)s buyer owes you money although nobody asked for a limit.",
            "%(count)s buyers owe you money although nobody asked for a limit.",
            never,
            count=never,
        )
        if never
        else _("Every buyer that owes you money was asked for.")
    )
    expiring = {"valid_to_from": g.on.isoformat(), "valid_to_to": (g.on + timedelta(days=EXPIRING_DAYS)).isoformat()}
    return render_template(
        "limits/index.html",
        listing=build_table(view),
        sentence=sentence,
        counts=[(situation, counts[situation]) for situation in LimitSituation if counts.get(situation)],
        tone_of_situation=tone_of_situation,
        expiring_url=url_for("limits.index", **expiring),
        expiring_days=EXPIRING_DAYS,
    )


@blueprint.get("/history")
@requires(Permission.VIEW_LIMITS)
def history() -> ResponseReturnValue:
    """Every decision, request and withdrawal."""
    listing = limit_queries.history_listing(g.on, policy_id=g.scope.policy_id, entity_policies=_entity_policies())
    view = history_view(listing, _("All decisions"))
    export = wanted_export(view, "limit-history") if may(Permission.EXPORT) else None
    if export is not None:
        return export
    return render_template(
        "limits/history.html",
        listing=build_table(view),
        heading=_("History of limits"),
        sentence=_("Every decision as the insurer made it; a later one supersedes, and none is ever changed."),
        page="limits.history",
    )


@blueprint.get("/cut")
@requires(Permission.VIEW_LIMITS)
def cut() -> ResponseReturnValue:
    """Limits that were reduced or withdrawn lately."""
    since = g.on - timedelta(days=CUT_DAYS)
    listing = limit_queries.history_listing(g.on, policy_id=g.scope.policy_id, entity_policies=_entity_policies(), cut_since=since)
    view = history_view(listing, _("Limits cut"))
    export = wanted_export(view, "limits-cut") if may(Permission.EXPORT) else None
    if export is not None:
        return export
    table = build_table(view)
    sentence = (
        ngettext(
            "%(count)s limit was cut in the last %(days)s days: look at what is still to be shipped.",
            "%(count)s limits were cut in the last %(days)s days: look at what is still to be shipped.",
            table.total_rows,
            count=table.total_rows,
            days=CUT_DAYS,
        )
        if table.total_rows
        else _("No limit was cut in the last %(days)s days.", days=CUT_DAYS)
    )
    return render_template("limits/history.html", listing=table, heading=_("Limits cut"), sentence=sentence, page="limits.cut")

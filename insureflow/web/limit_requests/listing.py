"""The lists of requests: all of them, and those that wait for a second person."""

from __future__ import annotations

from typing import Any

from flask import g, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from insureflow.domain.access import Permission
from insureflow.domain.cover.events import Layer
from insureflow.domain.limits import RequestState, RequestType
from insureflow.i18n import formats, words
from insureflow.queries import limit_requests as queries
from insureflow.queries import limits as limit_queries
from insureflow.queries import organisations as organisation_queries
from insureflow.queries.limit_requests import MustAct
from insureflow.queries.listing import Listing
from insureflow.web.access import may, requires
from insureflow.web.context import choose_locale
from insureflow.web.limit_requests.routes import blueprint
from insureflow.web.tables import Empty, TableView, build_table, wanted_export, word_options

_TONES = {
    RequestState.IN_FORCE: "covered",
    RequestState.REDUCED: "uncovered",
    RequestState.EXPIRED: "uncovered",
    RequestState.REJECTED: "stopped",
    RequestState.WITHDRAWN: "stopped",
}


def tone_of_request(state: RequestState) -> str:
    """The colour of how a request stands; what is not decided, or no longer counts, is grey."""
    return _TONES.get(state, "undecided")


def _decorate(row: dict[str, Any]) -> dict[str, Any]:
    row["url"] = url_for("limit_requests.show", request_id=row["number"])
    state = row["state"]
    row["state"] = {"value": state, "tone": tone_of_request(state)}
    pending = row["pending"]
    if pending is not None:
        hint = words.word(pending.action, choose_locale())
        row["state"]["hint"] = f"{hint}, {formats.day(pending.on, choose_locale())}" if pending.on else hint
    elif row["outcome"] is not None:
        row["state"]["hint"] = words.word(row["outcome"], choose_locale())
    row["type"] = {"value": row["type"], "tone": "plain"}
    row["must_act"] = {"value": row["must_act"], "tone": "plain"} if row["must_act"] is not MustAct.NOBODY else None
    row["asked_on"] = {"value": row["asked_on"], "hint": row["author"]}
    row["buyer"] = {"value": row["buyer"], "hint": row["reference"]}
    return row


def request_view(listing: Listing, caption: str) -> TableView:
    """A list of requests as a page shows it."""
    return TableView(
        listing,
        caption,
        {
            "buyer": _("Buyer"),
            "policy": _("Policy"),
            "type": _("Asks for"),
            "amount": _("Limit wanted"),
            "state": _("Stands"),
            "must_act": _("Whose turn"),
            "decided": _("Decided"),
            "asked_on": _("Asked on"),
            "author": _("Written by"),
            "reference": _("Our reference"),
            "bulk": _("Written together"),
            "layer": _("Layer"),
        },
        {
            "policy": lambda: [(policy.number, f"{policy.number} ({policy.insurer})") for policy in g.scope.policies],
            "type": lambda: word_options(list(RequestType)),
            "state": lambda: word_options(list(RequestState)),
            "must_act": lambda: word_options(list(MustAct)),
            "layer": lambda: word_options(list(Layer)),
            "author": lambda: [
                (name, name)
                for name in sorted({organisation_queries.name_of(user) for user, _membership in organisation_queries.list_members()})
            ],
            "bulk": lambda: [(value, value) for value in request.args.getlist("bulk") if value],
        },
        decorate=_decorate,
        beside=frozenset({"author", "reference"}),
        empty=lambda: Empty(
            _("No limit was asked for yet"),
            _("Ask for a limit on a buyer's page, for several buyers from the limits register, or with a file."),
            url_for("limit_requests.new") if may(Permission.REQUEST_LIMITS) else None,
            _("Ask for a limit"),
        ),
    )


def _policies() -> frozenset[int] | None:
    return None if g.scope.entity_id is None else limit_queries.policies_of_entity(g.scope.entity_id)


@blueprint.get("/")
@requires(Permission.VIEW_LIMITS)
def index() -> ResponseReturnValue:
    """Every request and how it stands."""
    view = request_view(queries.request_listing(g.on, policy_id=g.scope.policy_id, policies=_policies()), _("Limit requests"))
    export = wanted_export(view, "limit-requests") if may(Permission.EXPORT) else None
    if export is not None:
        return export
    waiting = queries.count_awaiting_approval()
    sentence = (
        ngettext("%(count)s request waits for a second person.", "%(count)s requests wait for a second person.", waiting, count=waiting)
        if waiting
        else _("No request waits for a second person.")
    )
    return render_template("limit_requests/index.html", listing=build_table(view), sentence=sentence, waiting=waiting)


@blueprint.get("/approvals")
@requires(Permission.VIEW_LIMITS)
def approvals() -> ResponseReturnValue:
    """The requests that wait for a second person."""
    listing = queries.request_listing(g.today, policy_id=g.scope.policy_id, policies=_policies(), states=[RequestState.AWAITING_APPROVAL])
    view = request_view(listing, _("Requests to approve"))
    export = wanted_export(view, "approvals") if may(Permission.EXPORT) else None
    if export is not None:
        return export
    table = build_table(view)
    sentence = ngettext(
        "%(count)s request waits for a second person; who wrote it cannot approve it.",
        "%(count)s requests wait for a second person; who wrote one cannot approve it.",
        table.total_rows,
        count=table.total_rows,
    )
    return render_template("limit_requests/approvals.html", listing=table, sentence=sentence)

"""Every promise to pay, and what came of it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from insureflow.domain.access import Permission
from insureflow.domain.dunning import PromiseState
from insureflow.queries import receivables
from insureflow.queries.listing import Narrowing
from insureflow.queries.promise_listing import promise_listing
from insureflow.web.access import requires
from insureflow.web.tables import Empty, TableView, build_table, country_options, wanted_export, word_options

blueprint = Blueprint("promises", __name__, url_prefix="/promises")

TONES = {
    PromiseState.OPEN: "undecided",
    PromiseState.KEPT: "covered",
    PromiseState.KEPT_LATE: "uncovered",
    PromiseState.BROKEN: "stopped",
    PromiseState.CANCELLED: "undecided",
}


def _decorate(row: dict[str, Any]) -> dict[str, Any]:
    state = PromiseState(row["state"])
    row["url"] = url_for("dunning.of_buyer", buyer_id=row["buyer_id"])
    row["state"] = {"value": state, "tone": TONES[state]}
    row["invoices"] = ", ".join(map(str, row["invoices"]))
    return row


@blueprint.get("/")
@requires(Permission.VIEW_RECEIVABLES)
def index() -> ResponseReturnValue:
    """Every promise that nobody took back, the earliest promised first."""
    listing = promise_listing(g.on)
    view = TableView(
        listing,
        _("Promises to pay"),
        {
            "buyer": _("Buyer"),
            "country": _("Country"),
            "state": _("State"),
            "promised": _("Promised"),
            "received": _("Received"),
            "promised_for": _("Promised for"),
            "made_on": _("Made on"),
            "by_whom": _("By whom"),
            "invoices": _("Invoices"),
            "note": _("Remark"),
        },
        {
            "country": lambda: country_options(receivables.list_countries()),
            "state": lambda: word_options([each for each in PromiseState if each is not PromiseState.CANCELLED]),
        },
        decorate=_decorate,
        empty=lambda: Empty(_("No promises"), _("What a buyer promised to pay is written down on its page of overdues.")),
    )
    if (export := wanted_export(view, "promises")) is not None:
        return export
    broken = listing.page(Narrowing(choices={"state": [PromiseState.BROKEN.value]}), None, 1, 1).total_rows
    sentence = (
        ngettext("%(count)s promise is broken.", "%(count)s promises are broken.", broken, count=broken)
        if broken
        else _("No promise is broken.")
    )
    return render_template("promises/index.html", listing=build_table(view), sentence=sentence)

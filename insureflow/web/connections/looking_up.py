"""Company look-ups at an insurer: asked once before money is spent, and kept."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from insureflow.connectors.insurers import registry
from insureflow.domain.access import Permission
from insureflow.domain.errors import Refusal
from insureflow.i18n.words import sentence_for
from insureflow.queries import connections as queries
from insureflow.services import connections
from insureflow.web.access import requires
from insureflow.web.connections.base import blueprint, get_health, list_page, locale
from insureflow.web.tables import Empty, TableView


def _row(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"url": url_for("connections.look_up", look_up_id=row["key"])}


@blueprint.get("/<int:connection_id>/look-ups")
@requires(Permission.VIEW_CONNECTIONS)
def look_ups(connection_id: int) -> ResponseReturnValue:
    """The look-ups that were made."""
    health = get_health(connection_id)
    view = TableView(
        queries.look_ups_listing(connection_id),
        _("Look-ups"),
        {"made_at": _("When"), "buyer": _("Buyer"), "confirmed_by": _("Confirmed by")},
        decorate=_row,
        empty=lambda: Empty(_("Nobody was looked up yet"), _("A look-up starts on the page of a buyer.")),
    )
    return list_page(health, view, "look_ups")


@blueprint.get("/<int:connection_id>/look-up/<int:buyer_id>")
@requires(Permission.REQUEST_LIMITS)
def ask_look_up(connection_id: int, buyer_id: int) -> str:
    """What a look-up would send, and whether it may cost money."""
    health = get_health(connection_id)
    row = queries.find_connection(connection_id)
    assert row is not None  # its health was found
    return render_template(
        "connections/ask_look_up.html",
        health=health,
        connection=row,
        query=queries.find_company_facts(buyer_id) or abort(404),
        buyer_id=buyer_id,
        charges=registry.get_connector(row.connector).charges_look_ups,
        spent=queries.count_charged_look_ups(connection_id, g.today),
    )


@blueprint.post("/<int:connection_id>/look-up/<int:buyer_id>")
@requires(Permission.REQUEST_LIMITS)
def make_look_up(connection_id: int, buyer_id: int) -> ResponseReturnValue:
    """Ask the insurer."""
    get_health(connection_id)
    try:
        made = connections.look_up(
            g.actor, g.organisation.id, connection_id, buyer_id, g.today, confirmed=request.form.get("confirmed") == "yes"
        )
    except Refusal as refusal:
        flash(sentence_for(refusal, locale()), "error")
        return redirect(url_for("connections.ask_look_up", connection_id=connection_id, buyer_id=buyer_id))
    return redirect(url_for("connections.look_up", look_up_id=made.id))


@blueprint.get("/look-ups/<int:look_up_id>")
@requires(Permission.VIEW_CONNECTIONS)
def look_up(look_up_id: int) -> str:
    """What a look-up found."""
    found = queries.find_look_up(look_up_id)
    if found is None:
        abort(404)
    made, buyer = found
    return render_template("connections/look_up.html", look_up=made, buyer=buyer, health=get_health(made.connection_id))


@blueprint.post("/look-ups/<int:look_up_id>/take")
@requires(Permission.EDIT_BUYERS)
def take_match(look_up_id: int) -> ResponseReturnValue:
    """Say that a company that was found is the buyer."""
    if queries.find_look_up(look_up_id) is None:
        abort(404)
    try:
        buyer = connections.take_match(g.actor, g.organisation.id, look_up_id, request.form.get("company_id", ""))
    except Refusal as refusal:
        flash(sentence_for(refusal, locale()), "error")
        return redirect(url_for("connections.look_up", look_up_id=look_up_id))
    flash(_("The number is entered at %(buyer)s.", buyer=buyer.legal_name), "success")
    return redirect(url_for("buyers.show", buyer_id=buyer.id))

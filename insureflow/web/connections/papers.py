"""What an insurer shows beside limits, and word to it that a sale was paid."""

from __future__ import annotations

from flask import abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import DateField, StringField
from wtforms.validators import InputRequired, Length

from insureflow.domain.access import Permission
from insureflow.domain.connections import Operation
from insureflow.domain.errors import Refusal
from insureflow.i18n.words import sentence_for, word
from insureflow.models.connections import InsurerConnection
from insureflow.queries import connections as queries
from insureflow.services import connections
from insureflow.web.access import requires
from insureflow.web.connections.base import blueprint, get_health, locale
from insureflow.web.limits.forms import read_minor, show_refusal


def takes_collections(row: InsurerConnection) -> bool:
    """Whether the insurer wants to be told of payments over a connection."""
    return Operation.DECLARE_COLLECTION.value in row.capabilities


def _row_or_404(connection_id: int) -> InsurerConnection:
    row = queries.find_connection(connection_id)
    if row is None:
        abort(404)
    return row


@blueprint.get("/<int:connection_id>/papers")
@requires(Permission.VIEW_CONNECTIONS)
def papers(connection_id: int) -> ResponseReturnValue:
    """A paper as the insurer shows it; it is asked when one is chosen, and nothing is kept."""
    health, row = get_health(connection_id), _row_or_404(connection_id)
    offered = connections.papers_of(row.connector)
    name, numbers = request.args.get("paper", ""), request.args.get("numbers", "").split()
    rows, problem, status = None, "", 200
    if not offered:
        problem = sentence_for(Refusal("papers_not_offered", connector=health.insurer), locale())
    elif name:
        try:
            rows = connections.read_paper(g.organisation.id, connection_id, name, numbers)
        except Refusal as refusal:
            problem, status = sentence_for(refusal, locale()), 422
    return render_template(
        "connections/papers.html",
        health=health,
        offered=[(each, word(f"InsurerPaper.{each}", locale()), count) for each, count in offered.items()],
        chosen=name,
        numbers=" ".join(numbers),
        problem=problem,
        rows=rows,
        columns=list(dict.fromkeys(column for each in rows or () for column in each)),
        takes_collections=takes_collections(row),
    ), status


class CollectionForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF comes without types
    """A payment as an insurer is told of it."""

    client = StringField(
        _l("Insurer's number of the debtor"), [InputRequired(_l("A number is needed.")), Length(max=80)], render_kw={"autocomplete": "off"}
    )
    sale = StringField(
        _l("Insurer's number of the sale"),
        [InputRequired(_l("A number is needed.")), Length(max=80)],
        description=_l("As its list of sales shows it."),
        render_kw={"autocomplete": "off"},
    )
    collected_on = DateField(_l("Paid on"), [InputRequired(_l("Enter a day."))])
    amount = StringField(
        _l("Amount paid"),
        [InputRequired(_l("Enter an amount.")), Length(max=40)],
        render_kw={"inputmode": "decimal", "autocomplete": "off"},
    )


@blueprint.route("/<int:connection_id>/collections/new", methods=["GET", "POST"])
@requires(Permission.MANAGE_CONNECTIONS)
def new_collection(connection_id: int) -> ResponseReturnValue:
    """Tell the insurer that a sale it knows was paid."""
    health, row = get_health(connection_id), _row_or_404(connection_id)
    refused = "" if takes_collections(row) else sentence_for(Refusal("collections_not_offered", connector=health.insurer), locale())
    currency = next(policy.limit_currency for policy in g.scope.policies if policy.id == row.policy_id)
    form = CollectionForm(data={"sale": request.args.get("sale", ""), "client": request.args.get("client", ""), "collected_on": g.today})
    status = 200
    if request.method == "POST":
        status = 422
        if form.validate_on_submit():
            try:
                minor = read_minor(form.amount.data, currency, "amount") or 0
                message = connections.declare_collection(
                    g.actor, g.organisation.id, connection_id, form.client.data, form.sale.data, form.collected_on.data, minor, g.today
                )
            except Refusal as refusal:
                show_refusal(form, refusal)
            else:
                flash(_("The insurer is told within a minute."), "success")
                return redirect(url_for("connections.message", message_id=message.id))
    return render_template("connections/collection.html", health=health, form=form, currency=currency, refused=refused), status

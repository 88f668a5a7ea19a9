"""Events for other systems: where they go, what arrived, and the secret that proves them, shown once."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from flask_wtf import FlaskForm
from wtforms import SelectMultipleField, StringField
from wtforms.validators import InputRequired, Length

from insureflow.domain.access import Permission
from insureflow.domain.errors import Refusal
from insureflow.domain.messages import DeliveryState
from insureflow.domain.webhooks import WebhookEvent
from insureflow.i18n.words import sentence
from insureflow.queries import webhooks as queries
from insureflow.services import webhooks
from insureflow.web.access import requires
from insureflow.web.context import choose_locale
from insureflow.web.limits.forms import show_refusal
from insureflow.web.tables import word_options

blueprint = Blueprint("webhooks", __name__, url_prefix="/webhooks")

TONES = {DeliveryState.QUEUED: "undecided", DeliveryState.DELIVERED: "covered", DeliveryState.FAILED: "stopped"}
#: Why nothing was sent at all.
_OURS = frozenset({"webhook_address_wrong", "webhook_address_private", webhooks.NO_KEY_OPENS})
_OFFERED = tuple(event for event in WebhookEvent if event is not WebhookEvent.TEST)


class EndpointForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF comes without types
    """Where events go."""

    url = StringField(_l("Address"), [InputRequired(_l("Give the address.")), Length(max=1000)], description=_l("Begins with https://."))
    events = SelectMultipleField(
        _l("Events"), validate_choice=False, description=_l("None chosen means all, also those that are yet to come.")
    )


def _form() -> EndpointForm:
    form = EndpointForm()
    form.events.choices = word_options(list(_OFFERED))
    return form


def _page(form: EndpointForm, status: int = 200, *, secret: str = "", url: str = "") -> ResponseReturnValue:
    rows = queries.endpoints()
    stopped = sum(row.stopped_because is not None for row in rows)
    if not rows:
        sentence = _("No other system is told of events.")
    elif stopped:
        sentence = ngettext("%(count)s address fails too often and is stopped.", "%(count)s addresses fail too often and are stopped.", stopped, count=stopped)  # fmt: skip
    else:
        sentence = ngettext("%(count)s address is told of events.", "%(count)s addresses are told of events.", len(rows), count=len(rows))
    return render_template("webhooks/index.html", rows=rows, form=form, sentence=sentence, secret=secret, url=url), status


@blueprint.get("/")
@requires(Permission.VIEW_SETTINGS)
def index() -> ResponseReturnValue:
    """The addresses that are told of events."""
    return _page(_form())


@blueprint.post("/")
@requires(Permission.MANAGE_ORGANISATION)
def add() -> ResponseReturnValue:
    """Add an address; its secret is shown this once."""
    form = _form()
    if form.validate_on_submit():
        try:
            endpoint, secret = webhooks.add_endpoint(g.actor, g.organisation.id, form.url.data, form.events.data or ())
        except Refusal as refusal:
            show_refusal(form, refusal)
        else:
            return _page(_form(), secret=secret, url=endpoint.url)
    return _page(form, 422)


def _get_or_404(endpoint_id: int) -> Any:
    endpoint = queries.find_endpoint(endpoint_id)
    if endpoint is None:
        abort(404)
    return endpoint


def _said(error: str, url: str) -> str:
    """What came back, in a sentence where it is one of ours; the other system's words stay as they are."""
    return sentence(error, {"url": url}, choose_locale()) if error in _OURS else error


@blueprint.get("/<int:endpoint_id>")
@requires(Permission.VIEW_SETTINGS)
def show(endpoint_id: int) -> ResponseReturnValue:
    """One address and the last events for it."""
    endpoint = _get_or_404(endpoint_id)
    rows = [(row, f"WebhookEvent.{row.event}", _said(row.last_error, endpoint.url)) for row in queries.deliveries_of(endpoint_id)]
    stopped = _said((endpoint.stopped_because or {}).get("error", ""), endpoint.url)
    return render_template("webhooks/show.html", endpoint=endpoint, rows=rows, tones=TONES, stopped=stopped)


@blueprint.post("/<int:endpoint_id>/test")
@requires(Permission.MANAGE_ORGANISATION)
def test(endpoint_id: int) -> ResponseReturnValue:
    """Send an event that means nothing."""
    _get_or_404(endpoint_id)
    webhooks.send_test(g.actor, g.organisation.id, endpoint_id)
    flash(_("A test event waits to be sent; its fate is shown below within a minute or two."), "success")
    return redirect(url_for("webhooks.show", endpoint_id=endpoint_id))


@blueprint.post("/<int:endpoint_id>/switch")
@requires(Permission.MANAGE_ORGANISATION)
def switch(endpoint_id: int) -> ResponseReturnValue:
    """Switch it on (again) or off."""
    _get_or_404(endpoint_id)
    webhooks.set_enabled(g.actor, g.organisation.id, endpoint_id, is_enabled=request.form.get("is_enabled") == "yes")
    flash(_("Saved."), "success")
    return redirect(url_for("webhooks.show", endpoint_id=endpoint_id))


@blueprint.post("/<int:endpoint_id>/remove")
@requires(Permission.MANAGE_ORGANISATION)
def remove(endpoint_id: int) -> ResponseReturnValue:
    """Take it out."""
    _get_or_404(endpoint_id)
    webhooks.remove_endpoint(g.actor, g.organisation.id, endpoint_id)
    flash(_("The address is taken out."), "success")
    return redirect(url_for("webhooks.index"))

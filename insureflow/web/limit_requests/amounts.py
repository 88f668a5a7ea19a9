"""Up to which amount each role sends a request alone."""

from __future__ import annotations

from typing import Any

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf import FlaskForm
from wtforms import StringField
from wtforms.validators import Optional

from insureflow.domain.access import Permission, Role
from insureflow.domain.errors import Refusal
from insureflow.domain.money import from_minor
from insureflow.i18n.words import word
from insureflow.services import limit_requests
from insureflow.web.access import requires
from insureflow.web.context import choose_locale
from insureflow.web.limit_requests.routes import blueprint
from insureflow.web.limits.forms import read_minor, show_refusal


def _form() -> FlaskForm:
    """A field for each role that may ask for limits, filled with what is set."""
    fields: dict[str, Any] = {
        role.value: StringField(word(role, choose_locale()).capitalize(), [Optional()], render_kw={"inputmode": "decimal"})
        for role in limit_requests.ASKING_ROLES
    }
    known = limit_requests.thresholds_of()
    data = {role.value: format(from_minor(amount.minor, amount.currency), "f") for role, amount in known.items()}
    form: FlaskForm = type("AmountsForm", (FlaskForm,), fields)(data=data)
    return form


@blueprint.route("/amounts", methods=["GET", "POST"])
@requires(Permission.MANAGE_ORGANISATION)
def amounts() -> ResponseReturnValue:
    """Set the amounts from which a second person is needed."""
    form = _form()
    status = 200
    if request.method == "POST":
        status = 422
        if form.validate_on_submit():
            currency = g.organisation.reporting_currency
            try:
                wanted = {Role(role.value): read_minor(form[role.value].data, currency, role.value) for role in limit_requests.ASKING_ROLES}
                limit_requests.set_thresholds(g.actor, g.organisation.id, wanted)
            except Refusal as refusal:
                show_refusal(form, refusal)
            else:
                flash(_("The amounts are set."), "success")
                return redirect(url_for("limit_requests.amounts"))
    return render_template("limit_requests/amounts.html", form=form), status

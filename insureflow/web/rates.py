"""Exchange rates: those entered by hand, and the rate that holds for a pair on a day."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_wtf import FlaskForm
from wtforms import StringField
from wtforms.validators import InputRequired, Length

from insureflow.domain.access import Permission
from insureflow.domain.currencies import is_currency
from insureflow.domain.errors import InvalidValue, InvalidValues, Refusal
from insureflow.i18n.words import sentence_for
from insureflow.queries.rates import DatedRate
from insureflow.queries.settings import find_manual_rate, manual_rates_listing
from insureflow.services import rates
from insureflow.web.access import may, requires
from insureflow.web.tables import Empty, TableView, build_table, read_date, wanted_export

blueprint = Blueprint("rates", __name__, url_prefix="/rates")


def _locale() -> str:
    return str(get_locale() or "en")


def _plain(rate: Decimal) -> str:
    exact = format(rate, "f")
    return exact.rstrip("0").rstrip(".") if "." in exact else exact


def _row(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"rate": _plain(row["rate"]), "url": url_for("rates.show", rate_id=row["key"])}


def _asked_rate() -> tuple[dict[str, str], DatedRate | None, str]:
    """What was asked for, the rate that holds, and what to say where there is none."""
    base, quote = (request.args.get(name, "").strip().upper()[:3] for name in ("rate_of", "rate_in"))
    asked = {"base": base, "quote": quote or g.organisation.reporting_currency}
    if not base:
        return asked, None, ""
    if not is_currency(base) or not is_currency(asked["quote"]):
        return asked, None, _("A currency is written with three letters, such as USD.")
    found = rates.RateBook.load().find(base, asked["quote"], g.on)
    return asked, found, "" if found else _("Nobody knows a rate of %(base)s in %(quote)s on that day.", base=base, quote=asked["quote"])


@blueprint.get("/")
@requires(Permission.VIEW_SETTINGS)
def index() -> ResponseReturnValue:
    """The organisation's own rates, and the rate of any pair on the day of the figures."""
    manage = may(Permission.MANAGE_ORGANISATION)
    view = TableView(
        manual_rates_listing(),
        _("Rates entered by hand"),
        {
            "base": _("One unit of"),
            "quote": _("costs, in"),
            "valid_on": _("From"),
            "rate": _("Rate"),
            "source": _("Source"),
        },
        decorate=_row,
        empty=lambda: Empty(
            _("No rate was entered by hand"),
            _(
                "Rates of the European Central Bank are used. Enter a rate for a currency it does not publish, or where your policy names another one."
            ),
            url_for("rates.add") if manage else None,
            _("Enter a rate") if manage else None,
        ),
    )
    exported = wanted_export(view, "rates")
    if exported is not None:
        return exported
    asked, found, problem = _asked_rate()
    return render_template("rates/index.html", table=build_table(view), asked=asked, found=found, problem=problem)


def _form() -> FlaskForm:
    needed = InputRequired(_("A value is needed."))
    fields = {
        "base": StringField(_("One unit of"), [needed, Length(min=3, max=3)], description=_("Three letters, such as USD.")),
        "quote": StringField(_("costs, in"), [needed, Length(min=3, max=3)], description=_("Three letters, such as EUR.")),
        "rate": StringField(_("Rate"), [needed, Length(max=40)], description=_("Such as 0.9215."), render_kw={"inputmode": "decimal"}),
        "valid_on": StringField(_("From"), [needed], description=_("Until the next rate of the same pair."), render_kw={"type": "date"}),
        "source": StringField(_("Source"), [needed, Length(max=200)], description=_("Who says so, such as the name of a bank.")),
    }
    form: FlaskForm = type("RateForm", (FlaskForm,), fields)(
        data={"quote": g.organisation.reporting_currency, "valid_on": g.today.isoformat()}
    )
    return form


@blueprint.route("/add", methods=["GET", "POST"])
@requires(Permission.MANAGE_ORGANISATION)
def add() -> ResponseReturnValue:
    """Enter a rate by hand."""
    form = _form()
    if request.method == "GET":
        return render_template("rates/add.html", form=form)
    if form.validate():
        try:
            _add(form)
        except Refusal as refusal:
            for problem in refusal.problems if isinstance(refusal, InvalidValues) else (refusal,):
                name = problem.path.rpartition(".")[2] if isinstance(problem, InvalidValue) else ""
                words = sentence_for(problem, _locale())
                if name in form:
                    form[name].errors = [*form[name].errors, words]
                else:
                    form.form_errors.append(words)
        else:
            flash(_("The rate is entered. Documents keep the rate they have; new ones use this one."), "success")
            return redirect(url_for("rates.index"))
    return render_template("rates/add.html", form=form), 422


def _add(form: FlaskForm) -> None:
    day = read_date(form["valid_on"].data)
    if day is None:
        raise InvalidValue("not_a_date", "rate.valid_on", form["valid_on"].data)
    rates.add_manual_rate(
        g.actor,
        g.organisation.id,
        base=form["base"].data.upper(),
        quote=form["quote"].data.upper(),
        valid_on=day,
        rate=form["rate"].data.strip(),
        source=form["source"].data,
    )


@blueprint.get("/<int:rate_id>")
@requires(Permission.VIEW_SETTINGS)
def show(rate_id: int) -> str:
    """One rate that was entered by hand."""
    found = find_manual_rate(rate_id)
    if found is None:
        abort(404)
    return render_template("rates/show.html", rate=found, exact=_plain(found.rate))


@blueprint.post("/<int:rate_id>/remove")
@requires(Permission.MANAGE_ORGANISATION)
def remove(rate_id: int) -> ResponseReturnValue:
    """Take a rate out that was entered by hand."""
    rates.remove_manual_rate(g.actor, g.organisation.id, rate_id)
    flash(_("The rate is taken out. Documents keep the rate they have."), "success")
    return redirect(url_for("rates.index"))

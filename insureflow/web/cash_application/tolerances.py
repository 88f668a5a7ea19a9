"""What is tolerated: bank charges and cash discounts by currency."""

from __future__ import annotations

from decimal import Decimal

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from insureflow.domain.access import Permission
from insureflow.domain.currencies import is_currency
from insureflow.domain.errors import Refusal
from insureflow.domain.money import minor_digits
from insureflow.i18n.words import sentence_for
from insureflow.queries import cash_application as queries
from insureflow.services import cash_application as cash
from insureflow.web.access import requires
from insureflow.web.cash_application.routes import blueprint
from insureflow.web.context import choose_locale
from insureflow.web.tables import read_decimal


@blueprint.get("/tolerances")
@requires(Permission.VIEW_RECEIVABLES)
def tolerances() -> ResponseReturnValue:
    """What is tolerated in each currency."""
    return _page([])


def _page(problems: list[str]) -> str:
    return render_template("cash_application/tolerances.html", rows=queries.list_tolerances(), problems=problems, typed=request.form)


@blueprint.post("/tolerances")
@requires(Permission.EDIT_RECEIVABLES)
def set_tolerance() -> ResponseReturnValue:
    """Change what is tolerated in a currency."""
    currency = request.form.get("code", "").strip().upper()
    charges, percent = read_decimal(request.form.get("charges", "") or "0"), read_decimal(request.form.get("discount", "") or "0")
    days = request.form.get("days", "").strip()
    problems = [] if is_currency(currency) else [_("This is not the code of a currency.")]
    scaled = None if charges is None else charges * Decimal(10) ** minor_digits(currency)
    if scaled is None or scaled != scaled.to_integral_value() or abs(scaled) > 10**12:
        problems.append(_("The bank charges are not an amount."))
    if percent is None:
        problems.append(_("The cash discount is not a percentage."))
    if days and not (days.isdecimal() and len(days) < 5):
        problems.append(_("The days are not a number."))
    if problems or scaled is None or percent is None:
        return _page(problems), 422
    try:
        cash.set_tolerance(
            g.actor,
            g.organisation.id,
            currency=currency,
            charges_minor=int(scaled),
            discount_percent=percent,
            discount_days=int(days) if days else None,
        )
    except Refusal as refusal:
        return _page([sentence_for(refusal, choose_locale())]), 422
    flash(_("What is tolerated was changed. Payments that wait can be compared again."), "success")
    return redirect(url_for("cash_application.tolerances"))

"""The forecast of claims: every overdue buyer with what its policy would pay and when, and the waterfall of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from babel.dates import format_date
from flask import g, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from insureflow.domain.access import Permission
from insureflow.domain.claims import CashMonth
from insureflow.domain.errors import Refusal
from insureflow.domain.loss import Effect
from insureflow.domain.policies import Cause
from insureflow.i18n import words
from insureflow.queries import buyers as buyer_queries
from insureflow.queries.claims import ClaimsForecast, cash_expected, forecast_claims
from insureflow.queries.dashboard.calculated import CalculatedListing, calculated_field
from insureflow.queries.listing import FilterKind, Kind, Order
from insureflow.web.access import may, requires
from insureflow.web.charts.claims import cash_bars, claim_waterfall
from insureflow.web.charts.language import request_language
from insureflow.web.charts.pictures import Picture
from insureflow.web.claims.routes import blueprint
from insureflow.web.context import choose_locale
from insureflow.web.tables import Empty, TableView, build_table, wanted_export, word_options


def _row(found: ClaimsForecast) -> dict[str, Any]:
    account, dates, forecast = found.account, found.dates, found.forecast
    loss = None if forecast is None else forecast.loss

    def amount(minor: int | None) -> tuple[int, str] | None:
        return None if minor is None else (minor, found.currency)

    return {
        "key": (account.policy.id, account.buyer_id),
        "buyer_id": account.buyer_id,
        "buyer": account.buyer,
        "country": account.country,
        "policy": account.policy.number,
        "cause": dates.cause,
        "invoices": account.invoices,
        "open": amount(None if loss is None else loss.open_debt),
        "overdue": (account.overdue_minor, account.policy.limit_currency),
        "covered": amount(None if loss is None else loss.debt.covered),
        "indemnity": amount(None if loss is None else loss.indemnity),
        "retention": amount(None if forecast is None else forecast.own_retention),
        **{effect.value: amount(None if loss is None else found.taken_by(effect)) for effect in Effect},
        "date_of_loss": dates.date_of_loss,
        "claim_earliest": dates.claim_earliest,
        "claim_latest": dates.claim_latest,
        "decision": dates.decision_on,
        "payment": dates.payment_on,
        "is_late": dates.is_late,
    }


def _decorate(row: dict[str, Any]) -> dict[str, Any]:
    row["url"] = url_for("claims.forecast_of_buyer", buyer_id=row["buyer_id"])
    if row["is_late"]:
        row["claim_latest"] = {"value": row["claim_latest"], "tone": "stopped"}
    if row["indemnity"] is not None and row["indemnity"][0] == 0:
        row["indemnity"] = {"value": row["indemnity"], "tone": "uncovered"}
    return row


def _view(found: Sequence[ClaimsForecast]) -> TableView:
    fields = [
        calculated_field("buyer", searched=True),
        calculated_field("country", Kind.COUNTRY),
        calculated_field("policy", filtered=FilterKind.SELECT),
        calculated_field("cause", Kind.BADGE, filtered=FilterKind.SELECT),
        calculated_field("invoices", Kind.NUMBER),
        calculated_field("open", Kind.MONEY, total=True),
        calculated_field("overdue", Kind.MONEY, total=True),
        calculated_field("covered", Kind.MONEY, total=True),
        *(calculated_field(effect.value, Kind.MONEY) for effect in Effect),
        calculated_field("indemnity", Kind.MONEY, total=True),
        calculated_field("retention", Kind.MONEY, total=True),
        calculated_field("date_of_loss", Kind.DATE, filtered=FilterKind.DATE_RANGE),
        calculated_field("claim_earliest", Kind.DATE),
        calculated_field("claim_latest", Kind.DATE),
        calculated_field("decision", Kind.DATE),
        calculated_field("payment", Kind.DATE, filtered=FilterKind.DATE_RANGE),
        calculated_field("buyer_id", Kind.NUMBER, hidden=True),
        calculated_field("is_late", hidden=True),
    ]
    locale = choose_locale()
    return TableView(
        CalculatedListing("claims-forecast", fields, [_row(each) for each in found], order=Order("indemnity", descending=True)),
        _("Forecast of claims"),
        {
            "buyer": _("Buyer"),
            "country": _("Country"),
            "policy": _("Policy"),
            "cause": _("Cause"),
            "invoices": _("Open invoices"),
            "open": _("Owed"),
            "overdue": _("Overdue"),
            "covered": _("Covered"),
            **{effect.value: words.word(effect, locale) for effect in Effect},
            "indemnity": _("Expected indemnity"),
            "retention": _("Own retention"),
            "date_of_loss": _("Date of loss"),
            "claim_earliest": _("Claim from"),
            "claim_latest": _("Claim by"),
            "decision": _("Decision expected"),
            "payment": _("Money expected"),
        },
        {
            "policy": lambda: [(number, number) for number in sorted({each.account.policy.number for each in found})],
            "cause": lambda: word_options([cause for cause in Cause if any(each.dates.cause is cause for each in found)]),
        },
        decorate=_decorate,
        empty=lambda: Empty(
            _("No insured buyer is overdue on this day"),
            _("As soon as an invoice under a policy is past its due date, this shows what the insurer would pay, and when."),
        ),
        # What each clause takes away stands in the waterfall of the buyer; a list of this width has to fit a screen.
        beside=frozenset({*(effect.value for effect in Effect), "country", "invoices", "claim_earliest", "decision", "overdue", "covered"}),
    )


def _month_name(month: CashMonth) -> str:
    if month.month is None:
        return str(_("No date"))
    name = str(format_date(month.month, "MMM yy", locale=choose_locale()))
    return str(_("From %(month)s", month=name)) if month.is_later else name


def _cash_pictures(months: Sequence[CashMonth]) -> list[Picture]:
    """One picture for each currency."""
    pictures = []
    for currency in dict.fromkeys(month.currency for month in months):
        own = [month for month in months if month.currency == currency]
        title = _("Money expected, %(currency)s", currency=currency)
        language = request_language(currency)
        pictures.append(cash_bars(own, language=language, name=_month_name, title=title, key=f"cash-{currency}", teaching=""))
    return pictures


@blueprint.get("/forecast")
@requires(Permission.VIEW_CLAIMS)
def forecast() -> ResponseReturnValue:
    """What policies would pay for every overdue buyer, and when."""
    found = forecast_claims(g.on, policy_id=g.scope.policy_id, entity_id=g.scope.entity_id)
    view = _view(found)
    export = wanted_export(view, "claims-forecast") if may(Permission.EXPORT) else None
    if export is not None:
        return export
    count = len(found)
    sentence = ngettext(
        "%(count)s account is overdue. If nothing more comes in, its policy would pay as below.",
        "%(count)s accounts are overdue. If nothing more comes in, their policies would pay as below.",
        count,
        count=count,
    )
    return render_template(
        "claims/forecast.html",
        listing=build_table(view),
        pictures=_cash_pictures(cash_expected(found, g.on)),
        sentence=sentence if found else _("Nothing that is insured is overdue on this day."),
        unknown=sorted({each.account.policy.number for each in found if each.is_maximum_unknown}),
    )


@blueprint.get("/forecast/buyers/<int:buyer_id>")
@requires(Permission.VIEW_CLAIMS)
def forecast_of_buyer(buyer_id: int) -> ResponseReturnValue:
    """The waterfall of one buyer under each of its policies, with every step."""
    buyer = buyer_queries.find_buyer(buyer_id)
    if buyer is None:
        raise Refusal("buyer_unknown", buyer=str(buyer_id))
    locale = choose_locale()
    shown = []
    for found in forecast_claims(g.on, buyer_id=buyer_id, policy_id=g.scope.policy_id):
        picture = None
        if found.forecast is not None:
            picture = claim_waterfall(
                found.forecast,
                language=request_language(found.currency),
                word=lambda code: words.word(code, locale),
                title=_("From the debt to the indemnity, policy %(number)s", number=found.account.policy.number),
                key=f"waterfall-{found.account.policy.id}",
            )
        shown.append((found, picture))
    return render_template("claims/forecast_of_buyer.html", buyer=buyer, shown=shown)

"""Is every limit right: what buyers need against what was asked for, granted and used, and what unused limits cost."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import SelectField, StringField
from wtforms.validators import InputRequired, Length, Optional

from insureflow.domain.access import Permission
from insureflow.domain.currencies import CURRENCIES
from insureflow.domain.errors import InvalidValue, Refusal
from insureflow.domain.limits import LimitKind
from insureflow.domain.money import Money, from_minor, to_minor
from insureflow.i18n import formats
from insureflow.i18n.words import sentence_for
from insureflow.queries import buyers as buyer_queries
from insureflow.queries import limit_needs as queries
from insureflow.queries import limits as limit_queries
from insureflow.queries.limit_needs import NeedStanding
from insureflow.services.limit_fees import set_fee
from insureflow.web.access import may, requires
from insureflow.web.charts.capacity import capacity_waterfall
from insureflow.web.charts.language import request_language
from insureflow.web.context import choose_locale
from insureflow.web.links import link_to
from insureflow.web.tables import Empty, TableView, build_table, country_options, read_decimal, wanted_export, word_options

blueprint = Blueprint("limit_needs", __name__, url_prefix="/limits/needs")

_TONES = {
    NeedStanding.UNDER_ASKED: "uncovered",
    NeedStanding.FITTING: "covered",
    NeedStanding.OVER_ASKED: "undecided",
    NeedStanding.UNUSED: "undecided",
}


class FeeForm(FlaskForm):  # type: ignore[misc]  # the library comes without types
    """What limits of a kind cost a year."""

    policy_id = SelectField(_l("Policy"), [InputRequired()], coerce=int)
    kind = SelectField(_l("Kind"), [InputRequired()])
    fee = StringField(
        _l("Fee a year for one limit"),
        [Optional(), Length(max=40)],
        description=_l("Empty: no fee."),
        render_kw={"inputmode": "decimal", "autocomplete": "off"},
    )
    currency = SelectField(_l("Currency"), [InputRequired()])

    def prepare(self) -> None:
        """Fill the choices; the currencies of the policies come first."""
        self.policy_id.choices = [(policy.id, f"{policy.number} ({policy.insurer})") for policy in g.scope.policies]
        self.kind.choices = word_options(list(LimitKind))
        own = dict.fromkeys(policy.limit_currency for policy in g.scope.policies)
        self.currency.choices = [(code, code) for code in (*own, *sorted(CURRENCIES - own.keys()))]


def _decorate(row: dict[str, Any]) -> dict[str, Any]:
    row["url"] = url_for("limit_needs.show", policy_id=row["policy_id"], buyer_id=row["buyer_id"])
    standing = row["standing"]
    row["standing"] = {"value": standing, "tone": _TONES[standing]}
    for name in ("requested", "fee"):
        if row[name] is not None and row[name][1] != row["currency"]:  # the column of currencies speaks of the others
            row[name] = {"value": None, "hint": formats.money(row[name][0], row[name][1], choose_locale())}
    if row["gap"][0] <= 0:
        row["gap"] = {"value": row["gap"], "tone": None}
    row["need"] = {"value": row["need"], "why_url": row["url"]}
    return row


def _view() -> TableView:
    entity_policies = limit_queries.policies_of_entity(g.scope.entity_id) if g.scope.entity_id is not None else None
    return TableView(
        queries.needs_listing(g.on, policy_id=g.scope.policy_id, entity_policies=entity_policies),
        _("Limits needed"),
        {
            "buyer": _("Buyer"),
            "country": _("Country"),
            "policy": _("Policy"),
            "standing": _("Fit"),
            "currency": _("Currency"),
            "need": _("Needed"),
            "requested": _("Last asked for"),
            "limit": _("Limit"),
            "gap": _("Needed − limit"),
            "used": _("Most used"),
            "balance": _("Highest balance"),
            "turnover": _("Turnover, 12 months"),
            "terms": _("Terms, days"),
            "fee": _("Fee a year"),
        },
        {
            "standing": lambda: word_options(list(NeedStanding)),
            "policy": lambda: [(policy.number, policy.number) for policy in g.scope.policies],
            "currency": lambda: [(code, code) for code in sorted({policy.limit_currency for policy in g.scope.policies})],
            "country": lambda: country_options(buyer_queries.countries_of_buyers()),
        },
        decorate=_decorate,
        # What a reader of one account wants to know stands on its page; a list of this width has to fit a screen.
        beside=frozenset({"balance", "terms", "turnover"}),
        currency_column="currency",
        empty=lambda: Empty(_("Nothing to compare yet"), _("Import invoices and enter limits: this shows which limits fit.")),
    )


@blueprint.get("/")
@requires(Permission.VIEW_LIMITS)
def index() -> ResponseReturnValue:
    """The need of every buyer against its limit, the largest gap first."""
    view = _view()
    export = wanted_export(view, "limit-needs") if may(Permission.EXPORT) else None
    return export or render_template("limit_needs/index.html", listing=build_table(view))


@blueprint.get("/<int:policy_id>/<int:buyer_id>")
@requires(Permission.VIEW_LIMITS)
def show(policy_id: int, buyer_id: int) -> ResponseReturnValue:
    """What one buyer needs, what carries it, and how that was worked out; with an own limit to try."""
    found = queries.find_need(policy_id, buyer_id, g.on)
    currency, typed, problem = found.policy.limit_currency, request.args.get("own_limit", "").strip()[:40], None
    if typed:
        amount = read_decimal(typed)
        try:
            own_limit = None if amount is None or amount < 0 else Money(to_minor(amount, currency), currency)
        except InvalidValue:
            own_limit = None
        if own_limit is None:
            problem = _("This is no amount. Write it like 12500.00.")
        else:
            found = queries.find_need(policy_id, buyer_id, g.on, own_limit=own_limit)
    ask_url = None
    if may(Permission.REQUEST_LIMITS) and found.need.amount > found.limit:
        amount_wanted = str(from_minor(found.need.amount.minor, currency))
        ask_url = link_to("limit_requests.new", buyer_id=buyer_id, policy_id=policy_id, amount=amount_wanted)
    picture = capacity_waterfall(found.waterfall, language=request_language(currency), title=_("What carries the need"))
    page = render_template(
        "limit_needs/show.html",
        found=found,
        picture=picture,
        steps=[*found.need.trace, *found.fit.trace, *found.waterfall.trace],
        ask_url=ask_url,
        typed=typed,
        problem=problem,
    )
    return page, 422 if problem else 200


def _fees(form: FeeForm, status: int = 200) -> ResponseReturnValue:
    return render_template("limit_needs/fees.html", form=form, fees=queries.list_fees(), by_terms=queries.fees_by_terms(g.on)), status


@blueprint.get("/fees")
@requires(Permission.EDIT_POLICIES)
def fees() -> ResponseReturnValue:
    """What limits cost a year, by policy and kind."""
    form = FeeForm()
    form.prepare()
    return _fees(form)


@blueprint.post("/fees")
@requires(Permission.EDIT_POLICIES)
def save_fee() -> ResponseReturnValue:
    """Set or take away what limits of a kind cost a year."""
    form = FeeForm()
    form.prepare()
    if not form.validate_on_submit():
        return _fees(form, 422)
    text, currency = (form.fee.data or "").strip(), form.currency.data
    amount = read_decimal(text) if text else None
    if text and amount is None:
        form.fee.errors = [_("This is no amount. Write it like 12500.00.")]
        return _fees(form, 422)
    try:
        fee = None if amount is None else Money(to_minor(amount, currency), currency)
        set_fee(g.actor, g.organisation.id, form.policy_id.data, LimitKind(form.kind.data), fee)
    except Refusal as refusal:
        form.fee.errors = [sentence_for(refusal, choose_locale())]
        return _fees(form, 422)
    flash(_("The fee is kept."), "success")
    return redirect(url_for("limit_needs.fees"))

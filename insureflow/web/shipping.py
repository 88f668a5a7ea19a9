"""May I ship? One question for sales, answered in one sentence; kept with the order, and a part of the limit kept for it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import DateField, IntegerField, SelectField, StringField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from insureflow.domain.access import Permission
from insureflow.domain.currencies import CURRENCIES
from insureflow.domain.errors import InvalidValue, InvalidValues, Refusal
from insureflow.domain.limits import ShipVerdict
from insureflow.domain.money import to_minor
from insureflow.i18n.shipping import answer_sentence, remedy_sentence
from insureflow.i18n.words import sentence_for
from insureflow.models.shipments import ShipmentCheck
from insureflow.queries import buyers as buyer_queries
from insureflow.queries import shipping as queries
from insureflow.queries.search import BuyerHit, find_buyers
from insureflow.services import shipping
from insureflow.services.shipping import ShipQuestion
from insureflow.web.access import may, requires
from insureflow.web.context import choose_locale
from insureflow.web.links import buyer_url, policy_url
from insureflow.web.tables import Empty, TableView, build_table, read_decimal, wanted_export, word_options

blueprint = Blueprint("shipping", __name__, url_prefix="/ship")

#: Most buyers that are offered while somebody types.
OFFERED = 8

_TONES = {ShipVerdict.COVERED: "covered", ShipVerdict.PARTLY: "uncovered", ShipVerdict.NOT_COVERED: "stopped"}

#: A buyer as it is offered ends with its key, so that two of one name are told apart.
_NAMED = re.compile(r"\(#(\d{1,18})\)\s*$")

_FIELD_OF_PATH = {"terms": "terms", "amount": "amount", "currency": "currency", "order_reference": "order", "reserve_until": "until"}
_FIELD_OF_CODE = {
    "buyer_unknown": "buyer",
    "shipping_entity_needed": "company",
    "shipment_in_the_past": "ship_on",
    "rate_missing": "currency",
}


class ShipForm(FlaskForm):  # type: ignore[misc]  # the library comes without types
    """What sales would like to ship."""

    class Meta:
        """A question changes nothing, so it needs no token and can be sent to somebody as an address."""

        csrf = False

    buyer = StringField(
        _l("Buyer"),
        [InputRequired(), Length(max=300)],
        description=_l("Name or customer number."),
        render_kw={"autocomplete": "off", "list": "ship-buyers"},
    )
    company = SelectField(_l("Who ships"), [Optional()])
    amount = StringField(
        _l("Amount without tax"), [InputRequired(), Length(max=40)], render_kw={"inputmode": "decimal", "autocomplete": "off"}
    )
    currency = SelectField(_l("Currency"), [InputRequired()])
    terms = IntegerField(
        _l("Terms of payment, days"), [InputRequired(), NumberRange(0, shipping.LONGEST_TERMS)], render_kw={"inputmode": "numeric"}
    )
    ship_on = DateField(_l("Day of shipment"), [InputRequired()])
    order = StringField(_l("Order reference"), [Optional(), Length(max=shipping.REFERENCE_LENGTH)])
    until = DateField(_l("Keep it free until"), [Optional()])

    def prepare(self) -> None:
        """Fill the choices; the currencies of the own companies come first."""
        entities = g.scope.entities
        self.company.choices = [("", _("as usual for this buyer")), *((str(each.id), each.name) for each in entities)]
        own = dict.fromkeys([*(each.currency for each in entities), g.organisation.reporting_currency])
        self.currency.choices = [(code, code) for code in (*own, *sorted(CURRENCIES - own.keys()))]


def label_of(hit: BuyerHit) -> str:
    """A buyer as it is offered to somebody who types."""
    return ", ".join([hit.name, hit.country, *hit.numbers[:1]]) + f" (#{hit.id})"


def _hits(text: str) -> list[BuyerHit]:
    return list(find_buyers(text))[:OFFERED] if len(text.strip()) > 1 else []


@blueprint.get("/buyers")
@requires(Permission.ASK_SHIPMENT)
def buyers() -> ResponseReturnValue:
    """Buyers whose name or number begins like what is typed, a few of them; nothing else about them."""
    text = request.args.get("buyer", "")[:300]
    return render_template("shipping/_buyers.html", labels=[] if _NAMED.search(text) else [label_of(hit) for hit in _hits(text)])


def _form() -> ShipForm:
    typed = request.form if request.method == "POST" else request.args
    form = ShipForm(typed if "buyer" in typed else None)
    form.prepare()
    if request.method == "GET" and not request.args.get("ship_on"):
        form.ship_on.data = g.today
    return form


def _show_problems(form: ShipForm, refusal: Refusal) -> None:
    for problem in refusal.problems if isinstance(refusal, InvalidValues) else (refusal,):
        path = problem.path if isinstance(problem, InvalidValue) else ""
        name = _FIELD_OF_CODE.get(problem.code) or _FIELD_OF_PATH.get(path)
        words = sentence_for(problem, choose_locale())
        if name is None:
            form.form_errors.append(words)
        else:
            form[name].errors = [*form[name].errors, words]


def _read(form: ShipForm) -> tuple[ShipQuestion | None, list[BuyerHit]]:
    """The question as it was typed; without one, the buyers it could be about."""
    text = form.buyer.data.strip()
    named = _NAMED.search(text)
    hits = [] if named else _hits(text)
    if named is None and len(hits) != 1:
        form.buyer.errors = [_("Several buyers are called so. Choose one below.") if hits else _("No buyer is called so. Try the number.")]
        return None, hits
    typed, currency = read_decimal(form.amount.data or ""), form.currency.data
    if typed is None:
        form.amount.errors = [_("This is no amount. Write it like 12500.00.")]
        return None, []
    question = ShipQuestion(
        buyer_id=int(named[1]) if named else hits[0].id,
        amount_minor=to_minor(typed, currency),
        currency=currency,
        ship_on=form.ship_on.data,
        credit_terms_days=form.terms.data,
        entity_id=int(form.company.data) if form.company.data else None,
        order_reference=form.order.data or "",
    )
    return question, []


def _page(
    form: ShipForm, answered: shipping.Answered | None = None, hits: list[BuyerHit] | None = None, status: int = 200
) -> ResponseReturnValue:
    shown = None
    if answered is not None:
        shown = shown_answer(answered.data) | {
            "buyer": answered.buyer,
            "policy": answered.policy,
            "entity": answered.entity,
            "trace": answered.answer.trace.to_list(),
            "before": answered.answer.headroom_before,
            "after": answered.answer.headroom_after,
        }
    labels = [(label_of(hit), {**request.args.to_dict(), "buyer": label_of(hit)}) for hit in hits or []]
    return render_template("shipping/index.html", form=form, shown=shown, labels=labels), status


def shown_answer(data: Mapping[str, Any]) -> dict[str, Any]:
    """An answer as the pages show it: a sentence with its tone, and what would help."""
    locale = choose_locale()
    verdict = ShipVerdict(data["verdict"])
    return {
        "data": data,
        "verdict": verdict,
        "tone": _TONES[verdict],
        "sentence": answer_sentence(data, locale),
        "remedies": [{"text": remedy_sentence(each, locale), "is_sufficient": each["is_sufficient"]} for each in data["remedies"]],
    }


@blueprint.get("/")
@requires(Permission.ASK_SHIPMENT)
def index() -> ResponseReturnValue:
    """The question, and its answer where one was asked. Nothing is stored."""
    form = _form()
    if "buyer" not in request.args:
        form.currency.data = g.scope.entities[0].currency if g.scope.entities else g.organisation.reporting_currency
        form.terms.data = 30
        return _page(form)
    hits: list[BuyerHit] = []
    if form.validate():
        try:
            question, hits = _read(form)
            if question is not None:
                explained = may(Permission.VIEW_LIMITS) and request.args.get("explain") == "yes"
                return _page(form, shipping.ask(question, g.today, with_trace=explained))
        except Refusal as refusal:
            _show_problems(form, refusal)
    return _page(form, hits=hits, status=422)


@blueprint.post("/")
@requires(Permission.ASK_SHIPMENT)
def decide() -> ResponseReturnValue:
    """Ask again with the rows locked, and keep the answer with the order; with a day, the covered part stays free until then."""
    form = _form()
    if form.validate():
        try:
            question, _hits_found = _read(form)
            if question is not None:
                check = shipping.decide(g.actor, g.organisation.id, question, g.today, reserve_until=form.until.data)
                if check.reserved_until is not None:
                    flash(_("Kept, and reserved for the order. This is the answer as it stands now."), "success")
                elif form.until.data:
                    flash(_("Kept. Nothing is covered, so nothing could be reserved."), "warning")
                else:
                    flash(_("Kept with the order. Nothing is reserved."), "success")
                return redirect(url_for("shipping.show", shipment_check_id=check.id))
        except Refusal as refusal:
            _show_problems(form, refusal)
    return _page(form, status=422)


# ---------------------------------------------------------------------- answers given


def _owner_id() -> int | None:
    """Sales sees what it asked itself; those who see limits see every answer."""
    return None if may(Permission.VIEW_LIMITS) else int(g.user.id)


def _check_or_404(check_id: int) -> ShipmentCheck:
    check = queries.find_check(check_id)
    if check is None or _owner_id() not in (None, check.created_by_id):
        abort(404)
    return check


def _decorate(row: dict[str, Any]) -> dict[str, Any]:
    row["url"] = url_for("shipping.show", shipment_check_id=row["number"])
    row["verdict"] = {"value": row["verdict"], "tone": _TONES[row["verdict"]]}
    if may(Permission.VIEW_BUYERS):
        row["buyer"] = {"value": row["buyer"], "url": buyer_url(row["buyer_id"])}
    return row


@blueprint.get("/answers")
@requires(Permission.ASK_SHIPMENT)
def answers() -> ResponseReturnValue:
    """The answers kept so far, newest first."""
    owner_id = _owner_id()
    view = TableView(
        queries.checks_listing(g.today, asked_by_id=owner_id),
        _("Answers kept") if owner_id is None else _("My answers"),
        {
            "asked_on": _("Asked on"),
            "buyer": _("Buyer"),
            "order_reference": _("Order"),
            "ship_on": _("Shipment"),
            "amount": _("Amount"),
            "verdict": _("Answer"),
            "covered": _("Covered"),
            "kept_until": _("Reserved until"),
            "asked_by": _("Asked by"),
        },
        {"verdict": lambda: word_options(list(ShipVerdict))},
        decorate=_decorate,
        empty=lambda: Empty(
            _("No answer is kept yet"),
            _("Ask whether you may ship and keep the answer with the order."),
            url_for("shipping.index"),
            _("May I ship?"),
        ),
    )
    export = wanted_export(view, "ship-answers") if may(Permission.EXPORT) else None
    return export or render_template("shipping/answers.html", listing=build_table(view), is_mine=owner_id is not None)


@blueprint.get("/answers/<int:shipment_check_id>")
@requires(Permission.ASK_SHIPMENT)
def show(shipment_check_id: int) -> ResponseReturnValue:
    """One answer as it was given, and whether it still keeps something free."""
    return _show(_check_or_404(shipment_check_id))


def _show(check: ShipmentCheck, problem: str | None = None, status: int = 200) -> ResponseReturnValue:
    buyer = buyer_queries.find_buyer(check.buyer_id)
    assert buyer is not None  # its key is a foreign one
    return render_template(
        "shipping/show.html",
        check=check,
        shown=shown_answer(check.answer),
        buyer=buyer,
        buyer_url=buyer_url(buyer.id) if may(Permission.VIEW_BUYERS) else None,
        policy=next((each for each in g.scope.policies if each.id == check.policy_id), None),
        policy_url=policy_url,
        entity=next((each for each in g.scope.entities if each.id == check.entity_id), None),
        is_kept=queries.is_kept(check.id, g.today),
        is_invoiced=queries.is_invoiced(check.id),
        problem=problem,
    ), status


@blueprint.post("/answers/<int:shipment_check_id>/release")
@requires(Permission.ASK_SHIPMENT)
def release(shipment_check_id: int) -> ResponseReturnValue:
    """Give back what is kept for the order."""
    _check_or_404(shipment_check_id)
    shipping.release(g.actor, g.organisation.id, shipment_check_id, g.today, owner_id=_owner_id())
    flash(_("Released. Others can ship for it now."), "success")
    return redirect(url_for("shipping.show", shipment_check_id=shipment_check_id))


@blueprint.post("/answers/<int:shipment_check_id>/invoiced")
@requires(Permission.ASK_SHIPMENT)
def invoiced(shipment_check_id: int) -> ResponseReturnValue:
    """Say which invoice the order became."""
    check = _check_or_404(shipment_check_id)
    try:
        shipping.mark_invoiced(g.actor, g.organisation.id, shipment_check_id, request.form.get("invoice", "")[:80], owner_id=_owner_id())
    except Refusal as refusal:
        return _show(check, sentence_for(refusal, choose_locale()), 422)
    flash(_("The invoice takes the place of the reservation."), "success")
    return redirect(url_for("shipping.show", shipment_check_id=shipment_check_id))

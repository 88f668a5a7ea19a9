"""One entry of a bank statement: its proposals, the choice by hand, and the way back."""

from __future__ import annotations

from decimal import Decimal

from flask import abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from insureflow.domain.access import Permission
from insureflow.domain.cash_application import Confidence, EntryState, MatchReason
from insureflow.domain.cover import Purpose
from insureflow.domain.errors import InvalidValues, Refusal
from insureflow.domain.money import minor_digits
from insureflow.i18n.words import sentence_for
from insureflow.queries import cash_application as queries
from insureflow.queries.cash_application import EntryView
from insureflow.services import cash_application as cash
from insureflow.services.cash_application import Choice
from insureflow.web.access import may, requires
from insureflow.web.cash_application.listing import TONES
from insureflow.web.cash_application.routes import blueprint
from insureflow.web.context import choose_locale
from insureflow.web.links import buyer_url
from insureflow.web.tables import read_decimal


def _view(entry_id: int) -> EntryView:
    view = queries.find_entry(entry_id)
    if view is None:
        abort(404)
    return view


def _purpose() -> Purpose:
    return Purpose.CASH_OR_PREPAID_SUPPLY if request.form.get("purpose") == Purpose.CASH_OR_PREPAID_SUPPLY.value else Purpose.ORDINARY


def _page(entry_id: int, problems: list[str] | None = None) -> str:
    view = _view(entry_id)
    entry = view.entry
    waits = entry.state in {EntryState.UNMATCHED, EntryState.PROPOSED}
    query = request.values.get("find", "")[:100]
    proposals = [
        {
            "place": place,
            "confidence": Confidence(each["confidence"]),
            "reasons": [MatchReason(reason) for reason in each["reasons"]],
            "buyer": view.buyers.get(each["buyer_id"], "–"),
            "buyer_url": buyer_url(each["buyer_id"]) if each["buyer_id"] in view.buyers else None,
            "shares": each["shares"],
            "unapplied_minor": each["unapplied_minor"],
            "deducted": any(share["deducted_minor"] for share in each["shares"]),
        }
        for place, each in enumerate(entry.proposals)
    ]
    buyer_ids = sorted(view.buyers)
    return render_template(
        "cash_application/show.html",
        view=view,
        entry=entry,
        tone=TONES[entry.state],
        proposals=proposals if waits else [],
        waits=waits,
        can_decide=may(Permission.EDIT_RECEIVABLES),
        is_reversal=entry.is_reversal and not entry.is_credit,
        offered=queries.offer_invoices(entry, view.entity.id, query) if waits else [],
        buyers=_buyers(view, query) if waits else [],
        find=query,
        problems=problems or [],
        typed=request.form,
        rules=queries.prepayment_rules(buyer_ids, g.today) if waits and buyer_ids else [],
        purposes=tuple(Purpose),
        mentions_prepayment=any(MatchReason.MENTIONS_PREPAYMENT in each["reasons"] for each in proposals),
    )


def _buyers(view: EntryView, query: str) -> list[tuple[int, str]]:
    """Buyers with whom the money may stay: those proposed, and those looked for."""
    return sorted({*view.buyers.items(), *queries.find_buyers(query)}, key=lambda pair: (pair[1], pair[0]))


def _back(entry_id: int, text: str) -> ResponseReturnValue:
    flash(text, "success")
    return redirect(url_for("cash_application.show", bank_entry_id=entry_id))


def _told(refusal: Refusal) -> list[str]:
    problems = refusal.problems if isinstance(refusal, InvalidValues) else (refusal,)
    return [sentence_for(problem, choose_locale()) for problem in problems]


@blueprint.get("/<int:bank_entry_id>")
@requires(Permission.VIEW_RECEIVABLES)
def show(bank_entry_id: int) -> ResponseReturnValue:
    """An entry with everything that can be done about it."""
    return _page(bank_entry_id)


@blueprint.get("/<int:bank_entry_id>/why")
@requires(Permission.VIEW_RECEIVABLES)
def why(bank_entry_id: int) -> ResponseReturnValue:
    """The steps that lead to the proposals, as things stand now."""
    view = _view(bank_entry_id)
    if not view.entry.is_credit or view.entry.state is EntryState.NOT_A_RECEIPT:
        abort(404)
    return render_template("cash_application/why.html", view=view, result=cash.explain(bank_entry_id))


@blueprint.post("/<int:bank_entry_id>/confirm")
@requires(Permission.EDIT_RECEIVABLES)
def confirm(bank_entry_id: int) -> ResponseReturnValue:
    """Accept a proposal."""
    _view(bank_entry_id)
    place = request.form.get("proposal", "")
    number = int(place) if place.isdecimal() and len(place) < 3 else -1
    deduct = request.form.get("deduct") == "yes"
    try:
        cash.confirm(g.actor, g.organisation.id, bank_entry_id, proposal=number, purpose=_purpose(), deduct=deduct, on=g.today)
    except Refusal as refusal:
        return _page(bank_entry_id, _told(refusal)), 422
    return _back(bank_entry_id, _("The payment is matched, and cover was worked out anew."))


def _amounts(currency: str) -> tuple[dict[int, int], list[str]]:
    """The amounts that were typed, by invoice, and what is wrong with them."""
    amounts: dict[int, int] = {}
    problems: list[str] = []
    for name, text in request.form.items():
        key = name.removeprefix("amount-")
        if key == name or not key.isdecimal() or len(key) > 18 or not text.strip():
            continue
        amount = read_decimal(text)
        scaled = None if amount is None else amount * Decimal(10) ** minor_digits(currency)
        if scaled is None or scaled != scaled.to_integral_value() or abs(scaled) > 10**17:
            problems.append(_("“%(text)s” is not an amount in %(currency)s.", text=text[:40], currency=currency))
        else:
            amounts[int(key)] = int(scaled)
    return amounts, problems


@blueprint.post("/<int:bank_entry_id>/choose")
@requires(Permission.EDIT_RECEIVABLES)
def choose(bank_entry_id: int) -> ResponseReturnValue:
    """Match by hand."""
    entry = _view(bank_entry_id).entry
    amounts, problems = _amounts(entry.currency)
    buyer = request.form.get("buyer", "")
    choice = Choice(amounts, int(buyer) if buyer.isdecimal() and len(buyer) < 19 else None, _purpose())
    if problems:
        return _page(bank_entry_id, problems), 422
    try:
        cash.choose(g.actor, g.organisation.id, bank_entry_id, choice, on=g.today)
    except Refusal as refusal:
        return _page(bank_entry_id, _told(refusal)), 422
    return _back(bank_entry_id, _("The payment is matched, and cover was worked out anew."))


@blueprint.post("/<int:bank_entry_id>/set-aside")
@requires(Permission.EDIT_RECEIVABLES)
def set_aside(bank_entry_id: int) -> ResponseReturnValue:
    """Say that this is no payment of a buyer."""
    _view(bank_entry_id)
    cash.set_aside(g.actor, g.organisation.id, bank_entry_id, note=request.form.get("note", "")[:1000])
    return _back(bank_entry_id, _("The entry is set aside."))


@blueprint.post("/<int:bank_entry_id>/undo")
@requires(Permission.EDIT_RECEIVABLES)
def undo(bank_entry_id: int) -> ResponseReturnValue:
    """Take the decision back."""
    _view(bank_entry_id)
    cash.undo(g.actor, g.organisation.id, bank_entry_id, on=g.today)
    return _back(bank_entry_id, _("The decision was taken back, and cover was worked out anew."))


@blueprint.post("/<int:bank_entry_id>/take-back")
@requires(Permission.EDIT_RECEIVABLES)
def take_back(bank_entry_id: int) -> ResponseReturnValue:
    """Accept that the bank took a payment back."""
    _view(bank_entry_id)
    cash.take_back(g.actor, g.organisation.id, bank_entry_id, on=g.today)
    return _back(bank_entry_id, _("The payment was taken out of the ledger, and cover was worked out anew."))

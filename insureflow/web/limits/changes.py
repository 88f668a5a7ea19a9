"""Entering decisions, requests, withdrawals and acts, and taking back what was entered by mistake."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf import FlaskForm

from insureflow.domain.access import Permission
from insureflow.domain.cover.events import Layer
from insureflow.domain.errors import Refusal
from insureflow.domain.limits import AccountActKind, LimitKind
from insureflow.domain.money import from_minor
from insureflow.queries import buyers as buyer_queries
from insureflow.queries import limit_requests as request_queries
from insureflow.queries import limits as limit_queries
from insureflow.services import limit_requests, limits
from insureflow.services.files import NewEvidence
from insureflow.services.limits import NewAct, NewDecision, NewWithdrawal
from insureflow.web.access import requires
from insureflow.web.keys import read_key
from insureflow.web.limits.forms import (
    ActForm,
    DecisionForm,
    RemovalForm,
    WithdrawalForm,
    read_minor,
    show_refusal,
    title_of,
)
from insureflow.web.limits.pages import get_view_or_404
from insureflow.web.limits.routes import blueprint


def _chosen_buyer() -> Any:
    """The buyer the address names, or None; one of another organisation is not found."""
    text = request.args.get("buyer_id", "")
    if not text.isdecimal():
        return None
    buyer = buyer_queries.find_buyer(read_key(text) or 0)
    if buyer is None:
        abort(404)
    return buyer


def _choose_buyer() -> ResponseReturnValue:
    """The page that asks which buyer is meant."""
    text = request.args.get("search", "").strip()[:200]
    found = buyer_queries.search_buyers(text) if text else []
    return render_template("limits/choose_buyer.html", search=text, found=found)


def _start() -> dict[str, Any]:
    """What a form begins with: the policy of the address, or the one chosen in the header."""
    policy_id = read_key(request.args.get("policy_id")) or g.scope.policy_id
    return {} if policy_id is None else {"policy_id": policy_id}


def _asked(buyer: Any) -> dict[str, Any]:
    """What the form begins with where a request is answered: what was asked."""
    request_id = read_key(request.args.get("request_id"))
    view = None if request_id is None else request_queries.find_request(request_id, g.today)
    if view is None or view.buyer.id != buyer.id:
        return {}
    asked = view.request
    start: dict[str, Any] = {"layer": asked.layer.value, "kind": asked.kind.value, "currency": asked.currency}
    if asked.requested_minor is not None:
        start["requested"] = format(from_minor(asked.requested_minor, asked.currency), "f")
    return start


def _answered(new: NewDecision | NewWithdrawal, form: Any) -> None:
    """Keep the insurer's word with the file that shows it, and close the request it answers. Errors: those of both."""
    file = request.files.get("evidence")
    evidence = None
    if file is not None and file.filename:
        dated_on = new.decided_on if isinstance(new, NewDecision) else new.received_on
        evidence = NewEvidence(file.filename, file.stream, dated_on)
    limit_requests.record_answer(
        g.actor, g.organisation.id, new, g.today, evidence=evidence, answers_request=bool(form.answers_request.data)
    )


def _enter(name: str, buyer: Any, form: FlaskForm, enter: Callable[[], None], done: str) -> ResponseReturnValue:
    """Show a form, take what was sent, and show it again with what is wrong."""
    status = 200
    if request.method == "POST":
        if form.validate_on_submit():
            try:
                enter()
            except Refusal as refusal:
                show_refusal(form, refusal)
            else:
                flash(done, "success")
                return redirect(url_for("buyers.limits", buyer_id=buyer.id))
        status = 422
    sends_file = "evidence" in form
    return render_template(
        "limits/form.html", form=form, buyer=buyer, heading=title_of(name, buyer.legal_name), sends_file=sends_file
    ), status


@blueprint.route("/record", methods=["GET", "POST"])
@requires(Permission.EDIT_LIMITS)
def record() -> ResponseReturnValue:
    """Enter what the insurer decided."""
    buyer = _chosen_buyer()
    if buyer is None:
        return _choose_buyer()
    form = DecisionForm(
        data={"layer": Layer.PRIMARY.value, "kind": LimitKind.NAMED.value, "decided_on": g.today, **_start(), **_asked(buyer)}
    )
    form.prepare(g.scope.policies)

    def enter() -> None:
        currency = form.currency.data
        new = NewDecision(
            buyer_id=buyer.id,
            policy_id=form.policy_id.data,
            decided_minor=read_minor(form.decided.data, currency, "decided") or 0,
            currency=currency,
            decided_on=form.decided_on.data,
            kind=LimitKind(form.kind.data),
            layer=Layer(form.layer.data),
            requested_minor=read_minor(form.requested.data, currency, "requested"),
            effective_on=form.effective_on.data,
            valid_to=form.valid_to.data,
            conditions=form.conditions(),
            insurer_reference=form.insurer_reference.data,
            reason=form.reason.data or "",
        )
        _answered(new, form)

    return _enter("record", buyer, form, enter, _("The decision on %(name)s is entered.", name=buyer.legal_name))


@blueprint.route("/withdraw", methods=["GET", "POST"])
@requires(Permission.EDIT_LIMITS)
def withdraw() -> ResponseReturnValue:
    """Enter the insurer's notice that a limit ends."""
    buyer = _chosen_buyer()
    if buyer is None:
        return _choose_buyer()
    form = WithdrawalForm(data={"layer": Layer.PRIMARY.value, "received_on": g.today, **_start()})
    form.prepare(g.scope.policies)

    def enter() -> None:
        new = NewWithdrawal(
            buyer_id=buyer.id,
            policy_id=form.policy_id.data,
            received_on=form.received_on.data,
            effective_on=form.effective_on.data,
            layer=Layer(form.layer.data),
            insurer_reference=form.insurer_reference.data,
            reason=form.reason.data or "",
        )
        _answered(new, form)

    return _enter("withdraw", buyer, form, enter, _("The withdrawal for %(name)s is entered.", name=buyer.legal_name))


@blueprint.route("/act", methods=["GET", "POST"])
@requires(Permission.EDIT_LIMITS)
def act() -> ResponseReturnValue:
    """Enter a stop of cover, a consent, an extension, a notification, a grade, a date of loss, and the like."""
    buyer = _chosen_buyer()
    if buyer is None:
        return _choose_buyer()
    form = ActForm(data={"happened_on": g.today, **_start()})
    form.prepare(g.scope.policies, [invoice for invoice, _position in buyer_queries.open_invoices_of(buyer.id, g.today)])

    def enter() -> None:
        new = NewAct(
            buyer_id=buyer.id,
            policy_id=form.policy_id.data,
            kind=AccountActKind(form.kind.data),
            happened_on=form.happened_on.data,
            invoice_ids=tuple(form.invoices.data or ()),
            new_due_on=form.new_due_on.data,
            has_consent=bool(form.has_consent.data),
            grade=form.grade.data,
            note=form.note.data or "",
        )
        limits.record_act(g.actor, g.organisation.id, new, g.today)

    return _enter("act", buyer, form, enter, _("The act for %(name)s is entered.", name=buyer.legal_name))


def _remove(heading: str, back: str, remove: Callable[[str], int]) -> ResponseReturnValue:
    """Ask why an entry was wrong, and take it back."""
    form = RemovalForm()
    if form.validate_on_submit():
        buyer_id = remove(form.reason.data or "")
        flash(_("The entry is taken back; the journal keeps it."), "success")
        return redirect(url_for("buyers.limits", buyer_id=buyer_id))
    status = 422 if request.method == "POST" else 200
    return render_template("limits/remove.html", form=form, heading=heading, back=back), status


@blueprint.route("/<int:decision_id>/remove", methods=["GET", "POST"])
@requires(Permission.REMOVE_LIMITS)
def remove(decision_id: int) -> ResponseReturnValue:
    """Take back a decision that was entered by mistake."""
    view = get_view_or_404(decision_id)
    return _remove(
        _("Take back the decision on %(name)s", name=view.buyer.legal_name),
        url_for("limits.show", decision_id=decision_id),
        lambda reason: limits.remove_decision(g.actor, g.organisation.id, decision_id, reason, g.today),
    )


@blueprint.route("/acts/<int:act_id>/remove", methods=["GET", "POST"])
@requires(Permission.REMOVE_LIMITS)
def remove_act(act_id: int) -> ResponseReturnValue:
    """Take back an act that was entered by mistake."""
    found = limit_queries.find_act(act_id)
    if found is None:
        abort(404)
    return _remove(
        _("Take back an act"),
        url_for("buyers.limits", buyer_id=found.buyer_id),
        lambda reason: limits.remove_act(g.actor, g.organisation.id, act_id, reason, g.today),
    )

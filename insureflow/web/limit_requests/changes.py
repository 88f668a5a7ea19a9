"""Writing a request, and the steps of its life that people take."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from insureflow.domain.access import Permission
from insureflow.domain.cover.events import Layer
from insureflow.domain.errors import Refusal
from insureflow.domain.limits import LimitKind, RequestState, RequestType
from insureflow.domain.money import from_minor
from insureflow.i18n import words
from insureflow.i18n.words import sentence_for
from insureflow.queries import buyers as buyer_queries
from insureflow.queries import limit_needs as need_queries
from insureflow.queries import limit_requests as request_queries
from insureflow.queries import limits as limit_queries
from insureflow.services import limit_requests
from insureflow.services.limit_requests import NewLimitRequest
from insureflow.web.access import requires
from insureflow.web.context import choose_locale
from insureflow.web.keys import read_key
from insureflow.web.limit_requests.forms import LimitRequestForm, RejectForm
from insureflow.web.limit_requests.pages import get_view_or_404, render
from insureflow.web.limit_requests.routes import blueprint
from insureflow.web.limits.forms import read_minor, show_refusal


def _new(form: LimitRequestForm, buyer_id: int) -> NewLimitRequest:
    """What was typed. Errors: ``InvalidValue``."""
    request_type = RequestType(form.request_type.data) if form.request_type.data else None
    amount = read_minor(form.amount.data, form.currency.data, "amount")
    return NewLimitRequest(
        buyer_id=buyer_id,
        policy_id=form.policy_id.data,
        amount_minor=amount,
        request_type=request_type,
        currency=form.currency.data,
        layer=Layer(form.layer.data),
        kind=LimitKind(form.kind.data),
        is_urgent=bool(form.is_urgent.data),
        comment=form.comment.data or "",
    )


def _form_page(form: LimitRequestForm, buyer: Any, back: str, heading: str, status: int = 200) -> ResponseReturnValue:
    """The form, beside how the buyer's accounts stand under the policies that can be chosen."""
    open_choices = [choice[0] for choice in form.policy_id.choices if len(choice) == 2]
    accounts = [need_queries.find_need(policy_id, buyer.id, g.today) for policy_id in open_choices]
    page = render_template("limit_requests/form.html", form=form, buyer=buyer, back=back, heading=heading, accounts=accounts)
    return page, status


@blueprint.route("/new", methods=["GET", "POST"])
@requires(Permission.REQUEST_LIMITS)
def new() -> ResponseReturnValue:
    """Write a request for one buyer."""
    text = request.args.get("buyer_id", "")
    if not text.isdecimal():
        search = request.args.get("search", "").strip()[:200]
        found = buyer_queries.search_buyers(search) if search else []
        return render_template("limits/choose_buyer.html", search=search, found=found)
    buyer = buyer_queries.find_buyer(read_key(text) or 0)
    if buyer is None:
        abort(404)
    policy_id = read_key(request.args.get("policy_id")) or g.scope.policy_id
    # A limit that is there all the same can be lowered and given up.
    held = {each.policy.id for each in limit_queries.limits_of_buyer(buyer.id, g.today) if each.limit.minor or each.top_up.minor}
    found_obstacles = request_queries.obstacles_of(buyer, g.today)
    obstacles = {key: words.word(why, choose_locale()) for key, why in found_obstacles.items() if key not in held}
    start = {} if policy_id is None or policy_id in obstacles else {"policy_id": policy_id}
    amount = request.args.get("amount", "")[:40]
    form = LimitRequestForm(data={"layer": Layer.PRIMARY.value, "kind": LimitKind.NAMED.value, "amount": amount, **start})
    form.prepare(g.scope.policies, obstacles)
    heading = _("Ask for a limit on %(name)s", name=buyer.legal_name)
    back = url_for("buyers.limits", buyer_id=buyer.id)
    if request.method == "GET":
        return _form_page(form, buyer, back, heading)
    if form.validate_on_submit():
        try:
            made = limit_requests.draft(g.actor, g.organisation.id, _new(form, buyer.id), g.today)
        except Refusal as refusal:
            show_refusal(form, refusal)
        else:
            flash(_("The request is written. It has not been sent yet."), "success")
            return redirect(url_for("limit_requests.show", request_id=made.id))
    return _form_page(form, buyer, back, heading, 422)


@blueprint.route("/<int:request_id>/edit", methods=["GET", "POST"])
@requires(Permission.REQUEST_LIMITS)
def edit(request_id: int) -> ResponseReturnValue:
    """Write a request anew that nobody has sent."""
    view = get_view_or_404(request_id)
    old = view.request
    if old.state not in (RequestState.DRAFT, RequestState.AWAITING_APPROVAL, RequestState.REJECTED):
        flash(_("This request has been sent and stays as it is."), "error")
        return redirect(url_for("limit_requests.show", request_id=request_id))
    amount = "" if old.requested_minor is None else format(from_minor(old.requested_minor, old.currency), "f")
    form = LimitRequestForm(
        data={
            "policy_id": old.policy_id,
            "layer": old.layer.value,
            "kind": old.kind.value,
            "request_type": RequestType.CANCEL.value if old.request_type is RequestType.CANCEL else "",
            "amount": amount,
            "currency": old.currency,
            "is_urgent": old.is_urgent,
            "comment": old.comment,
        }
    )
    form.prepare([policy for policy in g.scope.policies if policy.id == old.policy_id])
    heading = _("Change the request for %(name)s", name=view.buyer.legal_name)
    back = url_for("limit_requests.show", request_id=request_id)
    if request.method == "GET":
        return _form_page(form, view.buyer, back, heading)
    if form.validate_on_submit():
        try:
            limit_requests.revise(g.actor, g.organisation.id, request_id, _new(form, view.buyer.id), g.today)
        except Refusal as refusal:
            show_refusal(form, refusal)
        else:
            flash(_("The request is a draft again, as you wrote it."), "success")
            return redirect(back)
    return _form_page(form, view.buyer, back, heading, 422)


def _after(request_id: int, refusal: Refusal | None, done: str) -> ResponseReturnValue:
    if refusal is None:
        flash(done, "success")
    else:
        flash(sentence_for(refusal, choose_locale()), "error")
    return redirect(url_for("limit_requests.show", request_id=request_id))


@blueprint.post("/<int:request_id>/hand-in")
@requires(Permission.REQUEST_LIMITS)
def hand_in(request_id: int) -> ResponseReturnValue:
    """Send a draft, or put it before a second person where its amount needs one."""
    get_view_or_404(request_id)
    try:
        made = limit_requests.hand_in(g.actor, g.organisation.id, request_id, g.role, g.today)
    except Refusal as refusal:
        return _after(request_id, refusal, "")
    done = _("The request waits for a second person.") if made.state is RequestState.AWAITING_APPROVAL else _("The request is on its way.")
    return _after(request_id, None, done)


@blueprint.post("/<int:request_id>/ask-approval")
@requires(Permission.REQUEST_LIMITS)
def ask_approval(request_id: int) -> ResponseReturnValue:
    """Put a draft before a second person although it needs none."""
    get_view_or_404(request_id)
    try:
        limit_requests.ask_approval(g.actor, g.organisation.id, request_id, g.today)
    except Refusal as refusal:
        return _after(request_id, refusal, "")
    return _after(request_id, None, _("The request waits for a second person."))


@blueprint.post("/<int:request_id>/approve")
@requires(Permission.APPROVE_LIMITS)
def approve(request_id: int) -> ResponseReturnValue:
    """Agree to a request, which sends it."""
    get_view_or_404(request_id)
    try:
        limit_requests.approve(g.actor, g.organisation.id, request_id, g.role, g.today)
    except Refusal as refusal:
        return _after(request_id, refusal, "")
    return _after(request_id, None, _("Approved: the request is on its way."))


@blueprint.post("/<int:request_id>/reject")
@requires(Permission.APPROVE_LIMITS)
def reject(request_id: int) -> ResponseReturnValue:
    """Say no to a request, with a reason."""
    view = get_view_or_404(request_id)
    form = RejectForm()
    if not form.validate_on_submit():
        return render(view, form, 422)
    try:
        limit_requests.reject(g.actor, g.organisation.id, request_id, g.role, form.reason.data or "", g.today)
    except Refusal as refusal:
        return _after(request_id, refusal, "")
    return _after(request_id, None, _("Rejected: it can be written anew."))


@blueprint.post("/<int:request_id>/cancel")
@requires(Permission.REQUEST_LIMITS)
def cancel(request_id: int) -> ResponseReturnValue:
    """Give a request up."""
    get_view_or_404(request_id)
    try:
        limit_requests.cancel(g.actor, g.organisation.id, request_id, g.today)
    except Refusal as refusal:
        return _after(request_id, refusal, "")
    return _after(request_id, None, _("The request is given up."))

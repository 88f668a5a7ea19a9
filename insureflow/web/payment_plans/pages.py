"""The list of plans, the plans of a buyer, and a plan with what may be done about it."""

from __future__ import annotations

from typing import Any

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from insureflow.domain.access import Permission
from insureflow.domain.errors import Refusal
from insureflow.domain.notices import ReplyOutcome
from insureflow.domain.payment_plans import PlanAction, PlanState, possible_plan_actions
from insureflow.i18n import formats
from insureflow.i18n.words import sentence_for, word
from insureflow.queries.listing import Narrowing
from insureflow.queries.payment_plans import PlanView
from insureflow.queries.plan_listing import plan_listing
from insureflow.services import payment_plans
from insureflow.web.access import may, requires
from insureflow.web.buyers.pages import frame_of
from insureflow.web.context import choose_locale
from insureflow.web.payment_plans.designer import design_sentence
from insureflow.web.payment_plans.pictures import picture_of_plan
from insureflow.web.payment_plans.routes import FREEDOM_TONES, INSTALMENT_TONES, STATE_TONES, VERDICT_TONES, blueprint, get_plan_or_404
from insureflow.web.tables import Empty, TableView, build_table, wanted_export, word_options


def _decorate(row: dict[str, Any]) -> dict[str, Any]:
    state = PlanState(row["state"])
    row["url"] = url_for("payment_plans.show", plan_id=row["key"])
    row["state"] = {"value": state, "tone": STATE_TONES[state]}
    return row


def _list(empty: Empty, buyer_id: int | None = None) -> TableView:
    return TableView(
        plan_listing(g.on, buyer_id=buyer_id, entity_id=g.scope.entity_id, policy_id=g.scope.policy_id),
        _("Payment plans"),
        {
            "number": _("Plan"),
            "buyer": _("Buyer"),
            "state": _("State"),
            "policy": _("Policy"),
            "total": _("Put off"),
            "open": _("Still open"),
            "instalments": _("Instalments"),
            "next_on": _("Next instalment"),
            "last_on": _("Ends on"),
            "agreed_on": _("Agreed on"),
            "broken_on": _("Broken on"),
        },
        {"state": lambda: word_options(tuple(PlanState))},
        decorate=_decorate,
        empty=lambda: empty,
    )


@blueprint.get("/plans/")
@requires(Permission.VIEW_OBLIGATIONS)
def index() -> ResponseReturnValue:
    """Every plan."""
    view = _list(Empty(_("No payment plans"), _("A plan is drawn up on the page of a buyer: choose the invoices it puts off.")))
    if (export := wanted_export(view, "payment-plans")) is not None:
        return export
    broken = view.listing.page(Narrowing(choices={"state": [PlanState.BROKEN.value]}), None, 1, 1).total_rows
    if broken:
        sentence = ngettext("%(count)s plan is broken.", "%(count)s plans are broken.", broken, count=broken)
    elif view.listing.page(Narrowing(), None, 1, 1).total_rows:
        sentence = _("No plan is broken.")
    else:
        sentence = _("There are no plans.")
    return render_template("payment_plans/index.html", listing=build_table(view), sentence=sentence)


@blueprint.get("/buyers/<int:buyer_id>/plans")
@requires(Permission.VIEW_OBLIGATIONS)
def of_buyer(buyer_id: int) -> ResponseReturnValue:
    """The plans of a buyer."""
    frame = frame_of(buyer_id)
    action = url_for("payment_plans.new", buyer_id=buyer_id) if may(Permission.EDIT_OBLIGATIONS) else None
    empty = Empty(
        _("No payment plans"),
        _("A plan says by when the buyer pays which part. It shows what you may grant freely and what needs the insurer's consent."),
        action,
        _("Design a plan") if action else None,
    )
    view = _list(empty, buyer_id)
    if (export := wanted_export(view, "payment-plans")) is not None:
        return export
    return render_template("payment_plans/of_buyer.html", **frame, listing=build_table(view))


def _sentence(view: PlanView) -> str:
    """What matters about a plan today."""
    plan, standing = view.plan, view.standing
    locale = choose_locale()
    if standing is not None and plan.state in {PlanState.ACTIVE, PlanState.BROKEN} and standing.next is not None:
        following = standing.next
        amount, day = formats.money(following.open_minor, plan.currency, locale), formats.day(following.due_on, locale)
        if plan.state is PlanState.BROKEN:
            return str(
                _(
                    "Broken: %(amount)s of the instalment of %(day)s is missing. Nothing is shipped on credit, and reminders go on.",
                    amount=amount,
                    day=day,
                )
            )
        return str(_("%(amount)s is due on %(day)s.", amount=amount, day=day))
    if plan.state in {PlanState.DRAFT, PlanState.REFUSED}:
        return design_sentence(view.design)
    if plan.state is PlanState.AWAITING_CONSENT:
        return str(_("Nothing may be agreed with the buyer until the insurer consents."))
    return str(_("Paid in full.")) if plan.state is PlanState.KEPT else str(_("Given up."))


def _timeline(view: PlanView) -> list[dict[str, Any]]:
    plan, notice = view.plan, view.notice
    entries = [
        {"on": plan.proposed_on, "title": _("Drawn up"), "tone": "undecided"},
        {"on": plan.agreed_on, "title": _("Agreed"), "tone": "covered"},
        {"on": plan.broken_on, "title": _("Broken"), "tone": "stopped"},
    ]
    if notice is not None:
        url = url_for("notices.show", notice_id=notice.id)
        entries.append({"on": notice.sent_on, "title": _("The insurer was asked"), "tone": "undecided", "url": url})
        if notice.reply_outcome is not None:
            entries.append({"on": notice.replied_on, "title": word(notice.reply_outcome, choose_locale()), "tone": "undecided", "url": url})
    if view.document is not None:
        url = url_for("issued_documents.download", document_id=view.document.id)
        entries.append({"on": view.document.dated_on, "title": _("Confirmed to the buyer"), "tone": "covered", "url": url})
    for each in view.standing.instalments if view.standing else ():
        if each.paid_on is not None:
            title = _("Instalment %(number)s paid", number=each.number)
            entries.append({"on": each.paid_on, "title": title, "tone": INSTALMENT_TONES[each.state]})
    return sorted((entry for entry in entries if entry["on"] is not None), key=lambda entry: str(entry["on"]))


def _page(plan_id: int, *, problem: str = "", status: int = 200) -> ResponseReturnValue:
    view = get_plan_or_404(plan_id)
    possible, is_today = possible_plan_actions(view.plan.state), g.on == g.today
    needs_consent = view.design.needs_consent
    can_agree = is_today and may(Permission.APPROVE_NOTICES) and PlanAction.AGREE in possible
    page = render_template(
        "payment_plans/show.html",
        view=view,
        plan=view.plan,
        design=view.design,
        standing=view.standing,
        notice=view.notice,
        sentence=_sentence(view),
        picture=picture_of_plan(view.design, g.on, view.standing),
        timeline_entries=_timeline(view),
        problem=problem,
        tone=STATE_TONES[view.plan.state],
        verdict_tones=VERDICT_TONES,
        freedom_tones=FREEDOM_TONES,
        instalment_tones=INSTALMENT_TONES,
        invoice_ids={each.number: each.invoice_id for each in view.invoices},
        can_change=is_today and may(Permission.EDIT_OBLIGATIONS) and PlanAction.CHANGE in possible,
        can_cancel=is_today and may(Permission.EDIT_OBLIGATIONS) and PlanAction.CANCEL in possible,
        can_ask=is_today and may(Permission.APPROVE_NOTICES) and PlanAction.ASK_CONSENT in possible and needs_consent,
        can_agree=can_agree,
        can_confirm=is_today and may(Permission.APPROVE_NOTICES) and view.plan.state is PlanState.ACTIVE,
        consent_lost=notice_turned(view),
    )
    return page, status


def notice_turned(view: PlanView) -> bool:
    """Whether the insurer said something else after it had consented."""
    return (
        view.notice is not None
        and view.plan.state is PlanState.ACTIVE
        and view.design.needs_consent
        and view.notice.reply_outcome is not ReplyOutcome.CONSENTED
    )


@blueprint.get("/plans/<int:plan_id>")
@requires(Permission.VIEW_OBLIGATIONS)
def show(plan_id: int) -> ResponseReturnValue:
    """A plan, how it stands, and what may be done about it."""
    return _page(plan_id)


@blueprint.post("/plans/<int:plan_id>/ask")
@requires(Permission.APPROVE_NOTICES)
def ask(plan_id: int) -> ResponseReturnValue:
    """Draft the request for the insurer's consent."""
    get_plan_or_404(plan_id)
    try:
        notice = payment_plans.ask_consent(g.actor, g.organisation.id, plan_id, g.today)
    except Refusal as refusal:
        return _page(plan_id, problem=sentence_for(refusal, choose_locale()), status=422)
    flash(_("The request is drafted. Approve and send it."), "success")
    return redirect(url_for("notices.show", notice_id=notice.id))


@blueprint.post("/plans/<int:plan_id>/agree")
@requires(Permission.APPROVE_NOTICES)
def agree(plan_id: int) -> ResponseReturnValue:
    """Agree the plan with the buyer and write the confirmation."""
    get_plan_or_404(plan_id)
    try:
        payment_plans.agree(g.actor, g.organisation.id, plan_id, g.today, without_consent="without_consent" in request.form)
    except Refusal as refusal:
        return _page(plan_id, problem=sentence_for(refusal, choose_locale()), status=422)
    flash(_("The plan is agreed, and the confirmation for the buyer is written."), "success")
    return redirect(url_for("payment_plans.show", plan_id=plan_id))


@blueprint.post("/plans/<int:plan_id>/confirm")
@requires(Permission.APPROVE_NOTICES)
def confirm(plan_id: int) -> ResponseReturnValue:
    """Write the confirmation for the buyer."""
    get_plan_or_404(plan_id)
    try:
        payment_plans.confirm(g.actor, g.organisation.id, plan_id, g.today)
    except Refusal as refusal:
        return _page(plan_id, problem=sentence_for(refusal, choose_locale()), status=422)
    flash(_("The confirmation for the buyer is written."), "success")
    return redirect(url_for("payment_plans.show", plan_id=plan_id))


@blueprint.post("/plans/<int:plan_id>/cancel")
@requires(Permission.EDIT_OBLIGATIONS)
def cancel(plan_id: int) -> ResponseReturnValue:
    """Give the plan up."""
    get_plan_or_404(plan_id)
    try:
        payment_plans.cancel(
            g.actor, g.organisation.id, plan_id, request.form.get("reason", ""), g.today, never_told="never_told" in request.form
        )
    except Refusal as refusal:
        return _page(plan_id, problem=sentence_for(refusal, choose_locale()), status=422)
    flash(_("The plan is given up."), "success")
    return redirect(url_for("payment_plans.show", plan_id=plan_id))

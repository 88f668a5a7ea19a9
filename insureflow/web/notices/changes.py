"""What people do with papers for insurers: draft, edit, approve, send, record the answer, give up."""

from __future__ import annotations

from flask import abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from insureflow.domain.access import Permission
from insureflow.domain.errors import Refusal
from insureflow.domain.notices import Channel, NoticeAction, NoticeKind, ReasonForNonPayment, ReplyOutcome
from insureflow.queries import buyers as buyer_queries
from insureflow.queries.notices.standings import policies_owing
from insureflow.services import notices
from insureflow.services.notices import Answer, Changes, Lodging, NewNotice, Sending
from insureflow.web.access import may, requires
from insureflow.web.buyers.routes import get_buyer_or_404
from insureflow.web.keys import read_key
from insureflow.web.limits.forms import show_refusal
from insureflow.web.notices.forms import (
    FIELDS,
    CancelForm,
    DraftForm,
    LodgingForm,
    NewNoticeForm,
    ReplyForm,
    SendForm,
    currency_of,
    form_data,
    particulars_from,
    plan_rows,
    read_new_due_dates,
)
from insureflow.web.notices.pages import back_to, sent_file, show_page
from insureflow.web.notices.routes import blueprint, get_notice_or_404
from insureflow.web.under_way import take_step


@blueprint.route("/buyers/<int:buyer_id>/new", methods=["GET", "POST"])
@requires(Permission.EDIT_OBLIGATIONS)
def new(buyer_id: int) -> ResponseReturnValue:
    """Draft a paper about a buyer."""
    buyer = get_buyer_or_404(buyer_id)
    owing = [policy_id for _buyer, policy_id in policies_owing([buyer_id], g.today)]
    start = read_key(request.args.get("policy_id")) or (owing[0] if owing else g.scope.policy_id)
    kind = request.args.get("kind", NoticeKind.NON_PAYMENT.value)
    form = NewNoticeForm(data={"kind": kind, **({} if start is None else {"policy_id": start})})
    form.prepare()
    if form.validate_on_submit():
        asked = NewNotice(kind=NoticeKind(form.kind.data), buyer_id=buyer_id, policy_id=form.policy_id.data)
        try:
            made = notices.draft(g.actor, g.organisation.id, asked, g.today)
        except Refusal as refusal:
            show_refusal(form, refusal)
        else:
            return redirect(url_for("notices.edit", notice_id=made.id) if made.state.value == "draft" else back_to(made.id))
    status = 422 if request.method == "POST" else 200
    return render_template("notices/new.html", buyer=buyer, form=form), status


@blueprint.route("/<int:notice_id>/edit", methods=["GET", "POST"])
@requires(Permission.EDIT_OBLIGATIONS)
def edit(notice_id: int) -> ResponseReturnValue:
    """Write what a draft says."""
    view = get_notice_or_404(notice_id)
    form = DraftForm(data=form_data(view))
    kind = view.notice.kind
    form.prepare(buyer_queries.countries_of_buyers(), kind)
    status = 200
    if request.method == "POST":
        status = 422
        if form.validate_on_submit():
            try:
                changes = Changes(
                    reason=ReasonForNonPayment(form.reason.data) if "reason" in FIELDS[kind] else None,
                    comment=form.comment.data or "",
                    language=form.paper_language.data,
                    particulars=particulars_from(form, view),
                    new_due_dates=read_new_due_dates(view) if kind is NoticeKind.EXTENSION else None,
                )
                notices.change(g.actor, g.organisation.id, notice_id, changes)
            except Refusal as refusal:
                show_refusal(form, refusal)
            else:
                flash(_("The draft is kept."), "success")
                return redirect(back_to(notice_id))
    return render_template(
        "notices/edit.html",
        view=view,
        notice=view.notice,
        form=form,
        fields=[form[name] for name in FIELDS[kind]],
        plan=plan_rows(view),
        plan_currency=currency_of(view),
        planned=set(request.form.getlist("plan_invoice")) if request.method == "POST" else set(view.particulars.plan_invoices),
    ), status


def _done(notice_id: int, said: str) -> ResponseReturnValue:
    flash(said, "success")
    return redirect(back_to(notice_id))


@blueprint.post("/<int:notice_id>/renew")
@requires(Permission.EDIT_OBLIGATIONS)
def renew(notice_id: int) -> ResponseReturnValue:
    """Take the figures of today. What is approved is a draft again by that, so that only those who approve may do it."""
    view = get_notice_or_404(notice_id)
    if NoticeAction.CHANGE not in view.actions and not may(Permission.APPROVE_NOTICES):
        abort(403)
    return take_step(
        lambda: notices.renew(g.actor, g.organisation.id, notice_id, g.today),
        _("The draft states the figures of today."),
        back_to(notice_id),
    )


@blueprint.post("/<int:notice_id>/approve")
@requires(Permission.APPROVE_NOTICES)
def approve(notice_id: int) -> ResponseReturnValue:
    """Stand by a paper: it is issued as a document and can be sent."""
    get_notice_or_404(notice_id)
    return take_step(
        lambda: notices.approve(g.actor, g.organisation.id, notice_id, g.today),
        _("The notice is approved. Send it now; until then the insurer knows nothing."),
        back_to(notice_id),
    )


@blueprint.post("/<int:notice_id>/reopen")
@requires(Permission.APPROVE_NOTICES)
def reopen(notice_id: int) -> ResponseReturnValue:
    """Put an approved paper back to draft."""
    get_notice_or_404(notice_id)
    return take_step(lambda: notices.reopen(g.actor, g.organisation.id, notice_id), _("The notice is a draft again."), back_to(notice_id))


@blueprint.post("/<int:notice_id>/cancel")
@requires(Permission.APPROVE_NOTICES)
def cancel(notice_id: int) -> ResponseReturnValue:
    """Give a paper up."""
    view = get_notice_or_404(notice_id)
    form = CancelForm()
    if not form.validate_on_submit():
        return show_page(view, cancelling=form), 422
    return take_step(
        lambda: notices.cancel(g.actor, g.organisation.id, notice_id, form.reason.data), _("The notice is given up."), back_to(notice_id)
    )


@blueprint.post("/<int:notice_id>/send")
@requires(Permission.APPROVE_NOTICES)
def send(notice_id: int) -> ResponseReturnValue:
    """Send a paper, or record that it was sent."""
    view = get_notice_or_404(notice_id)
    form = SendForm()
    form.prepare()
    if not form.validate_on_submit():
        return show_page(view, sending=form), 422
    channel = Channel(form.channel.data)
    sending = Sending(
        channel=channel,
        on=form.sent_on.data,
        recipient=form.recipient.data or "",
        protocol_number=form.protocol_number.data or "",
        note=form.note.data or "",
        evidence=sent_file("evidence"),
        with_old_figures=form.with_old_figures.data,
    )
    try:
        notices.send(g.actor, g.organisation.id, notice_id, sending, g.today)
    except Refusal as refusal:
        show_refusal(form, refusal)
        return show_page(view, sending=form), 422
    if channel is Channel.EMAIL:
        return _done(notice_id, _("The e-mail is on its way. It counts once the mail server has taken it."))
    return _done(notice_id, _("It is recorded that the notice was sent."))


@blueprint.post("/<int:notice_id>/reply")
@requires(Permission.EDIT_OBLIGATIONS)
def reply(notice_id: int) -> ResponseReturnValue:
    """Record what the insurer answered."""
    view = get_notice_or_404(notice_id)
    form = ReplyForm()
    form.prepare()
    if not form.validate_on_submit():
        return show_page(view, reply=form), 422
    said = Answer(
        outcome=ReplyOutcome(form.outcome.data), on=form.replied_on.data, note=form.note.data or "", evidence=sent_file("evidence")
    )
    try:
        notices.answer(g.actor, g.organisation.id, notice_id, said, g.today)
    except Refusal as refusal:
        show_refusal(form, refusal)
        return show_page(view, reply=form), 422
    return _done(notice_id, _("The answer is recorded, and cover follows it."))


@blueprint.post("/<int:notice_id>/lodge")
@requires(Permission.APPROVE_NOTICES)
def lodge(notice_id: int) -> ResponseReturnValue:
    """Record that the proof of debt was lodged with the administrator."""
    view = get_notice_or_404(notice_id)
    form = LodgingForm()
    form.prepare()
    if not form.validate_on_submit():
        return show_page(view, lodging=form), 422
    said = Lodging(
        on=form.lodged_on.data,
        administrator=form.administrator.data,
        channel=Channel(form.channel.data),
        evidence=sent_file("evidence"),
        note=form.note.data or "",
    )
    try:
        notices.lodge(g.actor, g.organisation.id, notice_id, said, g.today)
    except Refusal as refusal:
        show_refusal(form, refusal)
        return show_page(view, lodging=form), 422
    return _done(notice_id, _("It is recorded that the debt was lodged. The duty is done."))

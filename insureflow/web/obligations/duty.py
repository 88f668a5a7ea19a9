"""One duty: why it falls due on its day, who looks after it, and what was done about it."""

from __future__ import annotations

from datetime import date

from flask import abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import DateField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from insureflow.domain.access import Permission
from insureflow.domain.errors import Refusal
from insureflow.domain.obligations import ObligationKind
from insureflow.i18n.words import sentence_for
from insureflow.queries import organisations as organisation_queries
from insureflow.queries.dashboard.duties import PressingDuty, list_duties
from insureflow.queries.exposure import Portfolio
from insureflow.queries.obligations.calendar import find_entry
from insureflow.queries.obligations.keeping import find_keeping
from insureflow.services import files, obligations
from insureflow.services.files import NewEvidence
from insureflow.services.obligations import Mark
from insureflow.web.access import may, requires
from insureflow.web.context import choose_locale
from insureflow.web.downloads import attachment
from insureflow.web.filters import day as shown_day
from insureflow.web.keys import read_key
from insureflow.web.links import buyer_url, link_to, policy_url
from insureflow.web.obligations.standing import blueprint, chosen_reporting, status_of, time_left, tone_of
from insureflow.web.tables import read_date


class DoneForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF comes without types
    """That a duty was done, and how that can be shown."""

    marked_on = DateField(_l("Done on"), [InputRequired(_l("Say when it was done."))])
    note = TextAreaField(
        _l("Evidence"), [InputRequired(_l("Say how it was done: a reference, a letter, a confirmation of the insurer.")), Length(max=1000)]
    )


class EvidenceForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF comes without types
    """A file that shows what was done."""

    file = FileField(_l("File"), [FileRequired(_l("Choose a file."))])
    dated_on = DateField(
        _l("Its content speaks of"), [Optional()], description=_l("The day of the letter or the confirmation, if it has one.")
    )


class WaiveForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF comes without types
    """Why a duty is not going to be done."""

    reason = TextAreaField(_l("Reason"), [InputRequired(_l("Say why it need not be done.")), Length(max=1000)])


def _show(duty: PressingDuty, done: DoneForm | None = None, waiving: WaiveForm | None = None, proving: EvidenceForm | None = None) -> str:
    key = duty.entry.key
    kept = find_keeping(key)
    names = {policy.id: policy.name for policy in g.scope.policies}
    return render_template(
        "obligations/show.html",
        duty=duty,
        entry=duty.entry,
        status=status_of(duty),
        policy=names.get(key.policy_id, duty.entry.policy),
        duty_currency=next((policy.limit_currency for policy in g.scope.policies if policy.id == key.policy_id), duty.entry.currency),
        tone=tone_of(duty, g.on),
        left=time_left(duty, g.on),
        done=done or DoneForm(formdata=None, marked_on=g.today),
        waiving=waiving or WaiveForm(formdata=None),
        can_mark=may(Permission.EDIT_OBLIGATIONS) and not duty.is_expected and g.on == g.today and duty.entry.obligation_id is not None,
        proving=proving or EvidenceForm(formdata=None),
        evidence=[] if kept.mark_id is None else files.linked_to(obligations.EVIDENCE_OF_MARK, kept.mark_id),
        owner=kept.owner,
        owner_id=kept.owner_id,
        members=[(user.id, user.name or user.email) for user, _membership in organisation_queries.list_members()],
        can_assign=may(Permission.EDIT_OBLIGATIONS) and not duty.is_expected and duty.entry.obligation_id is not None,
        blocked_url=link_to("blocks.of_buyer", buyer_id=key.buyer_id) if duty.entry.blocked_since and key.buyer_id else None,
        buyer_url=buyer_url(key.buyer_id) if key.buyer_id else None,
        policy_url=policy_url(key.policy_id),
        invoice_url=link_to("receivables.show", invoice_id=key.invoice_id) if key.invoice_id else None,
    )


def _page(obligation_id: int, done: DoneForm | None = None, waiving: WaiveForm | None = None, proving: EvidenceForm | None = None) -> str:
    entry = find_entry(obligation_id, g.on)
    if entry is None:
        abort(404)
    return _show(PressingDuty(entry, 0), done, waiving, proving)


@blueprint.get("/<int:obligation_id>")
@requires(Permission.VIEW_OBLIGATIONS)
def show(obligation_id: int) -> ResponseReturnValue:
    """One duty: why it falls due on its day, and what was done about it."""
    return _page(obligation_id)


@blueprint.get("/worked-out")
@requires(Permission.VIEW_OBLIGATIONS)
def worked_out() -> ResponseReturnValue:
    """A duty of another day than today, named by what it is about."""
    numbers = {name: read_key(request.args.get(name)) for name in ("policy_id", "buyer_id", "invoice_id")}
    kind, due_on = request.args.get("kind", ""), read_date(request.args.get("due_on", ""))
    if kind not in {each.value for each in ObligationKind} or due_on is None:
        abort(404)
    portfolio = Portfolio(g.on, None, numbers["policy_id"], None, numbers["buyer_id"])
    found = list_duties(portfolio, chosen_reporting(), g.today, first=due_on, last=due_on, kinds=[ObligationKind(kind)])
    duty = next((each for each in found if each.entry.key.invoice_id == numbers["invoice_id"]), None)
    if duty is None:
        abort(404)
    return _show(duty)


def _mark(obligation_id: int, mark: Mark, day: date, note: str) -> ResponseReturnValue:
    obligations.mark_obligation(g.actor, g.organisation.id, obligation_id, mark, on=day, note=note, today=g.today)
    said = (
        _("The duty is marked as done; this can be undone here.")
        if mark is Mark.DONE
        else _("The duty is waived; this can be undone here.")
    )
    flash(said, "success")
    return redirect(url_for("obligations.show", obligation_id=obligation_id))


@blueprint.post("/<int:obligation_id>/done")
@requires(Permission.EDIT_OBLIGATIONS)
def mark_done(obligation_id: int) -> ResponseReturnValue:
    """Record that a duty was done."""
    form = DoneForm()
    if not form.validate_on_submit():
        return _page(obligation_id, done=form), 422
    if form.marked_on.data > g.today:
        form.marked_on.errors = [_("This day is still to come; today is %(today)s.", today=shown_day(g.today))]
        return _page(obligation_id, done=form), 422
    return _mark(obligation_id, Mark.DONE, form.marked_on.data, form.note.data)


@blueprint.post("/<int:obligation_id>/waive")
@requires(Permission.EDIT_OBLIGATIONS)
def waive(obligation_id: int) -> ResponseReturnValue:
    """Record that a duty need not be done, and why."""
    form = WaiveForm()
    if not form.validate_on_submit():
        return _page(obligation_id, waiving=form), 422
    return _mark(obligation_id, Mark.WAIVED, g.today, form.reason.data)


@blueprint.post("/<int:obligation_id>/undo")
@requires(Permission.EDIT_OBLIGATIONS)
def undo(obligation_id: int) -> ResponseReturnValue:
    """Take back what was recorded about a duty."""
    obligations.undo_mark(g.actor, g.organisation.id, obligation_id, today=g.today)
    flash(_("The duty is open again."), "success")
    return redirect(url_for("obligations.show", obligation_id=obligation_id))


@blueprint.post("/<int:obligation_id>/owner")
@requires(Permission.EDIT_OBLIGATIONS)
def assign(obligation_id: int) -> ResponseReturnValue:
    """Give a duty to somebody, or to nobody."""
    obligations.assign_obligation(g.actor, g.organisation.id, obligation_id, read_key(request.form.get("owner")))
    flash(_("The duty has changed hands."), "success")
    return redirect(url_for("obligations.show", obligation_id=obligation_id))


@blueprint.post("/<int:obligation_id>/evidence")
@requires(Permission.EDIT_OBLIGATIONS)
def attach(obligation_id: int) -> ResponseReturnValue:
    """Keep a file that shows what was done."""
    form = EvidenceForm()
    if not form.validate_on_submit():
        return _page(obligation_id, proving=form), 422
    sent = form.file.data
    try:
        obligations.attach_evidence(g.actor, g.organisation.id, obligation_id, NewEvidence(sent.filename, sent.stream, form.dated_on.data))
    except Refusal as refusal:
        form.file.errors = [sentence_for(refusal, choose_locale())]
        return _page(obligation_id, proving=form), 422
    flash(_("The file is kept as evidence."), "success")
    return redirect(url_for("obligations.show", obligation_id=obligation_id))


@blueprint.get("/evidence/<int:evidence_file_id>")
@requires(Permission.VIEW_OBLIGATIONS)
def download(evidence_file_id: int) -> ResponseReturnValue:
    """A file that shows how a duty was done: given out as a download, never shown by the browser."""
    try:
        file = files.open_download(g.organisation.id, evidence_file_id)
    except Refusal as refusal:
        if refusal.code == "evidence_unknown":
            abort(404)
        raise
    return attachment(file)

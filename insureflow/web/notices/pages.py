"""One paper for an insurer: what it says, how it stands, its preview, and the proof that it was in time."""

from __future__ import annotations

import io
import json
from datetime import date
from typing import Any

from flask import abort, g, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from insureflow.domain.access import Permission
from insureflow.domain.notices import Channel, NoticeAction, NoticeKind, NoticeState
from insureflow.i18n import formats
from insureflow.i18n.words import word
from insureflow.models.database import db
from insureflow.queries.notices.showing import NoticeView, extension_needs_of, journal_of_notice, live_notices_of, proof_of
from insureflow.services import files, notices
from insureflow.services.clock import now
from insureflow.services.files import Download
from insureflow.services.journal import plain
from insureflow.web.access import may, requires
from insureflow.web.buyers.pages import frame_of
from insureflow.web.context import choose_locale
from insureflow.web.downloads import attachment
from insureflow.web.notices.forms import CancelForm, LodgingForm, ReplyForm, SendForm
from insureflow.web.notices.listing import notice_view, tone_of_notice
from insureflow.web.notices.routes import blueprint, get_notice_or_404
from insureflow.web.tables import build_table, wanted_export


def sentence_of(view: NoticeView) -> str:
    """How a paper stands, in a sentence."""
    notice, locale = view.notice, choose_locale()
    deadline = formats.day(notice.deadline_on, locale) if notice.deadline_on else ""
    if notice.state is NoticeState.CANCELLED:
        return str(_("It was given up."))
    if notice.state is NoticeState.FAILED:
        return str(_("It did not reach the insurer. The duty is open again: send it another way."))
    if view.is_with_insurer:
        sent = formats.day(notice.sent_on, locale)
        if view.is_in_time is None:
            return str(_("Sent on %(day)s.", day=sent))
        if view.is_in_time:
            return str(_("Sent on %(day)s, in time: the deadline was %(deadline)s.", day=sent, deadline=deadline))
        return str(_("Sent on %(day)s, after the deadline of %(deadline)s.", day=sent, deadline=deadline))
    if notice.deadline_on is None:
        return str(_("It is not with the insurer yet."))
    days = (notice.deadline_on - g.today).days
    if days < 0:
        return str(_("It is not with the insurer yet, and its deadline of %(deadline)s has passed. Send it today.", deadline=deadline))
    return str(_("It is not with the insurer yet. It has to be there by %(deadline)s.", deadline=deadline))


def _lines(view: NoticeView) -> list[dict[str, Any]]:
    needs = extension_needs_of(view) if view.notice.kind is NoticeKind.EXTENSION else {}
    return [{"line": line, "is_overdue": line.is_overdue(view.notice.as_of), "need": needs.get(line.number)} for line in view.lines]


def _timeline(view: NoticeView) -> list[dict[str, Any]]:
    locale = choose_locale()
    tones = {"notice.sent": "covered", "notice.failed": "stopped", "notice.answered": "covered", "notice.cancelled": "stopped"}
    entries = journal_of_notice(view.notice.id)
    happened = [
        {
            "at": entry.at,
            "title": word(f"Action.{entry.action}", locale).capitalize(),
            "text": entry.actor,
            "tone": tones.get(entry.action, "undecided"),
        }
        for entry in entries
    ]
    if not any(entry.action == "notice.drafted" for entry in entries):  # the journal names those drafted together in one entry
        drafted = word("Action.notice.drafted", locale).capitalize()
        by = view.people.get(view.notice.created_by_id or 0) or _("schedule")
        happened.append({"at": view.notice.created_at, "title": drafted, "text": by, "tone": "undecided"})
    return happened


def _lodged(view: NoticeView) -> dict[str, Any] | None:
    """When and how the proof of debt was lodged, None where it was not."""
    lodged = view.notice.facts.get(notices.LODGED)
    return None if lodged is None else {**lodged, "on": date.fromisoformat(lodged["on"]), "channel": Channel(lodged["channel"])}


def show_page(
    view: NoticeView,
    *,
    sending: SendForm | None = None,
    reply: ReplyForm | None = None,
    cancelling: CancelForm | None = None,
    lodging: LodgingForm | None = None,
) -> str:
    """The page of a paper, with forms as they were sent where one was wrong."""
    sending = sending or SendForm(formdata=None, sent_on=g.today, channel="email" if view.contact and view.contact.email else "portal")
    reply = reply or ReplyForm(formdata=None, replied_on=g.today)
    administrator = view.particulars.administrator
    lodging = lodging or LodgingForm(formdata=None, lodged_on=g.today, administrator=administrator.name if administrator else "")
    for form in (sending, reply, lodging):
        form.prepare()
    is_old = view.notice.as_of < g.today
    if not is_old:
        del sending.with_old_figures
    is_today = g.on == g.today
    actions = view.actions
    waits = view.notice.state in {NoticeState.DRAFT, NoticeState.APPROVED, NoticeState.FAILED}
    return render_template(
        "notices/show.html",
        view=view,
        notice=view.notice,
        sentence=sentence_of(view),
        tone=tone_of_notice(view.notice.state),
        lines=_lines(view),
        checks=notices.checks_of(db.session(), view.notice, g.today) if waits else (),
        blocking={check.value for check in notices.BLOCKING},
        happened=_timeline(view),
        sending=sending,
        is_old=is_old,
        reply=reply,
        lodging=lodging,
        lodged=_lodged(view),
        may_lodge=is_today and may(Permission.APPROVE_NOTICES) and view.proof_of_debt is not None,
        cancelling=cancelling or CancelForm(formdata=None),
        may_edit=is_today and may(Permission.EDIT_OBLIGATIONS) and NoticeAction.CHANGE in actions,
        may_approve=is_today and may(Permission.APPROVE_NOTICES) and NoticeAction.APPROVE in actions,
        may_reopen=is_today and may(Permission.APPROVE_NOTICES) and NoticeAction.REOPEN in actions,
        may_send=is_today and may(Permission.APPROVE_NOTICES) and NoticeAction.HAND_OVER in actions,
        may_answer=is_today and may(Permission.EDIT_OBLIGATIONS) and NoticeAction.ANSWER in actions,
        may_cancel=is_today and may(Permission.APPROVE_NOTICES) and NoticeAction.CANCEL in actions,
    )


@blueprint.get("/<int:notice_id>")
@requires(Permission.VIEW_OBLIGATIONS)
def show(notice_id: int) -> ResponseReturnValue:
    """A paper: what it says, what it lacks, its course, and what can be done with it."""
    return show_page(get_notice_or_404(notice_id))


@blueprint.get("/<int:notice_id>/preview")
@requires(Permission.VIEW_OBLIGATIONS)
def preview(notice_id: int) -> ResponseReturnValue:
    """The paper as it would be issued today."""
    view = get_notice_or_404(notice_id)
    content = notices.preview(g.organisation.id, view.notice.id, g.today)
    return attachment(Download(f"preview-{view.notice.id}.pdf", "application/pdf", content))


@blueprint.get("/<int:notice_id>/proof")
@requires(Permission.VIEW_OBLIGATIONS)
def proof(notice_id: int) -> ResponseReturnValue:
    """The proof of timeliness: what went to whom, when and how, with the fingerprint of what was sent."""
    view = get_notice_or_404(notice_id)
    return render_template(
        "notices/proof.html",
        view=view,
        notice=view.notice,
        sentence=sentence_of(view),
        entries=journal_of_notice(notice_id),
        lodged=_lodged(view),
    )


@blueprint.get("/<int:notice_id>/proof.json")
@requires(Permission.VIEW_OBLIGATIONS)
def proof_data(notice_id: int) -> ResponseReturnValue:
    """The proof of timeliness for programs."""
    view = get_notice_or_404(notice_id)
    text = json.dumps(plain(proof_of(view, now())), ensure_ascii=False, indent=2)
    return attachment(Download(f"proof-{notice_id}.json", "application/json", text.encode()))


@blueprint.get("/<int:notice_id>/proof.pdf")
@requires(Permission.VIEW_OBLIGATIONS)
def proof_paper(notice_id: int) -> ResponseReturnValue:
    """The proof of timeliness as a paper, in the language of the notice."""
    view = get_notice_or_404(notice_id)
    return attachment(Download(f"proof-{notice_id}.pdf", "application/pdf", notices.proof_paper(view, now())))


@blueprint.get("/<int:notice_id>/evidence/<int:evidence_file_id>")
@requires(Permission.VIEW_OBLIGATIONS)
def evidence(notice_id: int, evidence_file_id: int) -> ResponseReturnValue:
    """A file that belongs to a paper."""
    view = get_notice_or_404(notice_id)
    if evidence_file_id not in {file.id for file in view.evidence}:
        abort(404)
    return attachment(files.open_download(g.organisation.id, evidence_file_id))


@blueprint.get("/buyers/<int:buyer_id>")
@requires(Permission.VIEW_OBLIGATIONS)
def of_buyer(buyer_id: int) -> ResponseReturnValue:
    """The papers about one buyer."""
    frame = frame_of(buyer_id)
    view = notice_view(buyer_id=buyer_id)
    export = wanted_export(view, "notices") if may(Permission.EXPORT) else None
    if export is not None:
        return export
    return render_template("notices/of_buyer.html", **frame, listing=build_table(view), live=live_notices_of(buyer_id))


def back_to(notice_id: int) -> str:
    """The page of a paper."""
    return url_for("notices.show", notice_id=notice_id)


def sent_file(name: str) -> files.NewEvidence | None:
    """A file that was sent with a form, if any."""
    file = request.files.get(name)
    if file is None or not file.filename:
        return None
    with file.stream as stream:
        return files.NewEvidence(file.filename, io.BytesIO(stream.read(files.LARGEST + 1)))

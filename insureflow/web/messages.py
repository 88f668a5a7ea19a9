"""E-mail: what waits, what was sent, what came back, and what a person decides about it."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, abort, current_app, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from flask_wtf import FlaskForm
from wtforms import FileField

from insureflow.domain.access import Permission
from insureflow.domain.errors import Refusal
from insureflow.domain.messages import MessageState
from insureflow.i18n import words
from insureflow.i18n.words import sentence_for
from insureflow.models.messages import Message
from insureflow.queries import buyers as buyer_queries
from insureflow.queries import issued_documents as document_queries
from insureflow.queries import messages as queries
from insureflow.services import message_watch, messages
from insureflow.services.mail_test import queue_test
from insureflow.services.notices import MESSAGE_KIND as NOTICE_MESSAGE
from insureflow.web.access import may, requires
from insureflow.web.buyers.pages import language_name
from insureflow.web.context import choose_locale
from insureflow.web.limits.forms import show_refusal
from insureflow.web.links import buyer_url
from insureflow.web.tables import Empty, TableView, build_table, wanted_export, word_options
from insureflow.web.under_way import take_step

blueprint = Blueprint("messages", __name__, url_prefix="/messages")

#: Who is told of messages that fail registers at import; naming it here makes sure that every face does.
WATCHES = message_watch

TONES = {
    MessageState.QUEUED: "undecided",
    MessageState.SENDING: "undecided",
    MessageState.SENT: "covered",
    MessageState.UNCERTAIN: "uncovered",
    MessageState.FAILED: "stopped",
    MessageState.BOUNCED: "stopped",
    MessageState.CANCELLED: "undecided",
}


def why_not(error: dict[str, Any] | None) -> str | None:
    """What the mail server said last, in a sentence."""
    if not error:
        return None
    return words.sentence(str(error.get("code", "")), {"reply": error.get("reply", "")}, choose_locale())


def _decorate(row: dict[str, Any]) -> dict[str, Any]:
    row["url"] = url_for("messages.show", mail_id=row["key"])
    row["state"] = {"value": row["state"], "tone": TONES[row["state"]]}
    row["recipients"] = {"value": ", ".join(row["recipients"])}
    if row["buyer_id"] is not None:
        row["buyer"] = {"value": row["buyer"], "url": buyer_url(row["buyer_id"])}
    return row


def _view() -> TableView:
    return TableView(
        queries.message_listing(),
        _("E-mail"),
        {
            "subject": _("Subject"),
            "state": _("Stands"),
            "recipients": _("To"),
            "buyer": _("Buyer"),
            "attempts": _("Attempts"),
            "created_at": _("Written"),
            "sent_at": _("Sent"),
        },
        {"state": lambda: word_options(list(MessageState))},
        decorate=_decorate,
        empty=lambda: Empty(
            _("No e-mail was written yet"),
            _("Letters to buyers and notifications to insurers that go by e-mail appear here, with what became of each."),
        ),
    )


def _sentence() -> str:
    counts = queries.count_by_state()
    waiting = counts.get(MessageState.QUEUED, 0) + counts.get(MessageState.SENDING, 0)
    wrong = sum(counts.get(state, 0) for state in (MessageState.FAILED, MessageState.BOUNCED, MessageState.UNCERTAIN))
    first = ngettext("%(count)s message waits", "%(count)s messages wait", waiting, count=waiting) if waiting else _("No message waits")
    if not wrong:
        return str(_("%(waiting)s, and none needs a decision.", waiting=first))
    return str(
        ngettext(
            "%(waiting)s; %(count)s was not delivered and needs a decision.",
            "%(waiting)s; %(count)s were not delivered and need a decision.",
            wrong,
            waiting=first,
            count=wrong,
        )
    )


@blueprint.get("/")
@requires(Permission.VIEW_RECEIVABLES)
def index() -> ResponseReturnValue:
    """Every e-mail and how it stands."""
    view = _view()
    export = wanted_export(view, "e-mail") if may(Permission.EXPORT) else None
    if export is not None:
        return export
    return render_template(
        "messages/index.html", listing=build_table(view), sentence=_sentence(), is_configured=messages.is_mail_configured()
    )


def _message_or_404(mail_id: int) -> Message:
    message = queries.find_message(mail_id)
    if message is None:
        abort(404)
    return message


@blueprint.get("/<int:mail_id>")
@requires(Permission.VIEW_RECEIVABLES)
def show(mail_id: int) -> ResponseReturnValue:
    """One e-mail: text, papers, what the server said, and what can be decided."""
    message = _message_or_404(mail_id)
    papers = [paper for key in message.documents if (paper := document_queries.find_document(int(key))) is not None]
    return render_template(
        "messages/show.html",
        message=message,
        papers=papers,
        buyer=buyer_queries.find_buyer(message.buyer_id) if message.buyer_id else None,
        language=language_name(message.language),
        tone=TONES[message.state],
        error=why_not(message.last_error),
        is_configured=messages.is_mail_configured(),
        may_decide=_may_decide(message),
    )


def _decidable_or_abort(mail_id: int) -> Message:
    """A message that this person may decide about; which permission that takes is known only once the message is."""
    message = _message_or_404(mail_id)
    if not _may_decide(message):
        abort(403)
    return message


def _may_decide(message: Message) -> bool:
    """Who may send a paper may decide about the message that carries it: notices to insurers and all else are different people's."""
    return may(Permission.APPROVE_NOTICES if message.kind == NOTICE_MESSAGE else Permission.SEND_LETTERS)


@blueprint.post("/<int:mail_id>/repeat")
@requires(Permission.EDIT_OBLIGATIONS)
def repeat(mail_id: int) -> ResponseReturnValue:
    """Send it again, perhaps to another address."""
    _decidable_or_abort(mail_id)
    typed = [part for part in re.split(r"[\s,;]+", request.form.get("recipients", "")) if part]
    return take_step(
        lambda: messages.repeat(g.actor, g.organisation.id, mail_id, recipients=typed or None),
        _("The message waits to be sent again."),
        url_for("messages.show", mail_id=mail_id),
    )


@blueprint.post("/<int:mail_id>/cancel")
@requires(Permission.EDIT_OBLIGATIONS)
def cancel(mail_id: int) -> ResponseReturnValue:
    """Do not send it."""
    _decidable_or_abort(mail_id)
    return take_step(
        lambda: messages.cancel(g.actor, g.organisation.id, mail_id),
        _("The message will not be sent."),
        url_for("messages.show", mail_id=mail_id),
    )


@blueprint.post("/<int:mail_id>/arrived")
@requires(Permission.EDIT_OBLIGATIONS)
def arrived(mail_id: int) -> ResponseReturnValue:
    """It did arrive, as somebody made sure."""
    _decidable_or_abort(mail_id)
    return take_step(
        lambda: messages.confirm_arrival(g.actor, g.organisation.id, mail_id),
        _("The message counts as sent."),
        url_for("messages.show", mail_id=mail_id),
    )


class ReportForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF comes without types
    """A report of a mail server."""

    file = FileField(_l("Report"), description=_l("The whole message of the mail server, saved as a file (.eml)."))


@blueprint.route("/reports", methods=["GET", "POST"])
@requires(Permission.SEND_LETTERS)
def report() -> ResponseReturnValue:
    """Take in a report that mail was not delivered."""
    form, status = ReportForm(), 200
    if request.method == "POST":
        status = 422
        file = request.files.get("file")
        if form.validate_on_submit() and file is not None and file.filename:
            try:
                outcome = messages.record_bounce(g.actor, g.organisation.id, file.stream.read(current_app.config["MAX_CONTENT_LENGTH"] + 1))
            except Refusal as refusal:
                show_refusal(form, refusal)
            else:
                said = (
                    _("The message is recorded as come back.")
                    if outcome.is_bounced
                    else _("The message is only delayed; nothing was changed.")
                )
                flash(said, "success")
                return redirect(url_for("messages.show", mail_id=outcome.message_id))
        elif form.validate_on_submit():
            form.file.errors = [_("Choose a file.")]
    return render_template("messages/report.html", form=form), status


@blueprint.post("/test")
@requires(Permission.MANAGE_ORGANISATION)
def test() -> ResponseReturnValue:
    """Send a message to oneself, to see that mail works."""
    try:
        message = queue_test(g.actor, g.organisation.id, g.user.email, choose_locale())
    except Refusal as refusal:
        flash(sentence_for(refusal, choose_locale()), "error")
        return redirect(url_for("messages.index"))
    flash(_("A test message to %(email)s waits to be sent.", email=g.user.email), "success")
    return redirect(url_for("messages.show", mail_id=message.id))

"""The page for insurers that are reached by file: requests out, answers in."""

from __future__ import annotations

import io
from typing import Any

from flask import Blueprint, current_app, flash, g, redirect, render_template, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import BooleanField, SelectField, StringField
from wtforms.validators import Length, Optional

from insureflow.connectors.insurers.file_exchange import PROFILES, ExchangeFormat
from insureflow.domain.access import Permission
from insureflow.domain.errors import InvalidValues, Refusal
from insureflow.i18n.words import sentence, sentence_for, word
from insureflow.queries.limit_exchange import PolicyQueue, policy_queues
from insureflow.services import limit_exchange
from insureflow.services.limit_exchange import ImportedAnswers
from insureflow.web.access import requires
from insureflow.web.context import choose_locale

blueprint = Blueprint("limit_exchange", __name__, url_prefix="/limit-exchange")

#: So many bad rows are shown; the others are counted.
_SHOWN_PROBLEMS = 200


class _OfPolicy(FlaskForm):  # type: ignore[misc]  # the library comes without types
    """What both forms ask for."""

    policy = SelectField()

    def prepare(self, queues: list[PolicyQueue]) -> None:
        """Fill the choices in the reader's language."""
        self.policy.label.text = _("Policy")
        self.policy.choices = [(queue.number, f"{queue.number} – {queue.insurer}") for queue in queues]


class ExportForm(_OfPolicy):
    """Requests out."""

    form = SelectField(default=ExchangeFormat.CSV.value)
    again = BooleanField()
    sender = StringField(validators=[Optional(), Length(max=35)])
    recipient = StringField(validators=[Optional(), Length(max=35)])

    def prepare(self, queues: list[PolicyQueue]) -> None:
        """Fill labels and choices in the reader's language."""
        super().prepare(queues)
        self.form.label.text = _("Kind of file")
        self.form.choices = [(each.value, word(each, choose_locale())) for each in ExchangeFormat]
        self.again.label.text = _("Also requests sent before that nobody has answered")
        self.sender.label.text = _("Our name in an EDIFACT file")
        self.recipient.label.text = _("The insurer's name in an EDIFACT file")


class ImportForm(_OfPolicy):
    """Answers in."""

    file = FileField(validators=[FileRequired()])
    profile = SelectField(default="plain")
    dry_run = BooleanField()

    def prepare(self, queues: list[PolicyQueue]) -> None:
        """Fill labels and choices in the reader's language."""
        super().prepare(queues)
        self.file.label.text = _("File of the insurer")
        self.file.description = _("CSV, XLSX, XLS, ODS or EDIFACT (RECECO). Our own file of requests can come back filled in.")
        self.profile.label.text = _("How a list is read")
        titles = {"plain": _("Our layout"), "generic": _("Usual headings of insurers' lists")}
        self.profile.choices = [(name, titles[name]) for name in PROFILES]
        self.dry_run.label.text = _("Only try: say what would be entered and enter nothing")


def _page(*, export: ExportForm | None = None, take_in: ImportForm | None = None, result: ImportedAnswers | None = None) -> str:
    queues = list(policy_queues(g.scope.policy_id))
    first = next((queue.number for queue in queues if queue.waiting), queues[0].number if queues else None)
    forms: tuple[Any, Any] = (
        export or ExportForm(formdata=None, prefix="export", data={"policy": first}),
        take_in or ImportForm(formdata=None, prefix="import", data={"policy": first}),
    )
    for form in forms:
        form.prepare(queues)
    return render_template(
        "limit_exchange/index.html",
        queues=queues,
        waiting=sum(queue.waiting for queue in queues),
        unanswered=sum(queue.unanswered for queue in queues),
        export_form=forms[0],
        import_form=forms[1],
        result=result,
        problems=[(problem, _reason(problem)) for problem in result.problems[:_SHOWN_PROBLEMS]] if result else [],
        largest=int(current_app.config["MAX_CONTENT_LENGTH"]) // (1024 * 1024),
    )


def _reason(problem: Any) -> str:
    return sentence(problem.code, {"value": problem.value, "path": problem.column, **problem.parameters}, choose_locale())


def _sent(form: _OfPolicy) -> bool:
    form.prepare(list(policy_queues()))
    return bool(form.validate_on_submit())


@blueprint.get("/")
@requires(Permission.REQUEST_LIMITS)
def index() -> ResponseReturnValue:
    """What waits to be sent and to be answered, policy by policy."""
    return _page()


@blueprint.post("/export")
@requires(Permission.REQUEST_LIMITS)
def export_requests() -> ResponseReturnValue:
    """A file with all requests that wait; they then count as sent."""
    form = ExportForm(prefix="export")
    if not _sent(form):
        return _page(export=form), 422
    try:
        sent = limit_exchange.export_requests(
            g.actor,
            g.organisation.id,
            form.policy.data,
            ExchangeFormat(form.form.data),
            again=form.again.data,
            sender=(form.sender.data or "").strip(),
            recipient=(form.recipient.data or "").strip(),
        )
    except Refusal as refusal:
        form.policy.errors = [sentence_for(refusal, choose_locale())]
        return _page(export=form), 422
    for each in sent.left_out:
        flash(
            _(
                "Not sent: %(reference)s for %(buyer)s. %(reason)s",
                reference=each.own_reference,
                buyer=each.buyer_name,
                reason=sentence_for(each.reason, choose_locale()),
            ),
            "error",
        )
    if not sent.references:
        return redirect(url_for("limit_exchange.index"))
    flash(ngettext("%(num)s request was written to a file.", "%(num)s requests were written to a file.", len(sent.references)), "success")
    return send_file(io.BytesIO(sent.data), mimetype=sent.media_type, as_attachment=True, download_name=sent.file_name)


@blueprint.post("/import")
@requires(Permission.EDIT_LIMITS)
def import_decisions() -> ResponseReturnValue:
    """Enter the decisions of a file, or say everything that is wrong with it."""
    form = ImportForm(prefix="import")
    if not _sent(form):
        return _page(take_in=form), 422
    upload = form.file.data
    try:
        with upload.stream:
            result = limit_exchange.import_decisions(
                g.actor,
                g.organisation.id,
                upload.stream.read(),
                policy_number=form.policy.data,
                on=g.today,
                name=(upload.filename or "file")[-200:],
                profile=form.profile.data,
                dry_run=form.dry_run.data,
            )
    except Refusal as refusal:
        problems = refusal.problems if isinstance(refusal, InvalidValues) else (refusal,)
        form.file.errors = [sentence_for(problem, choose_locale()) for problem in problems]
        return _page(take_in=form), 422
    if result.problems or result.dry_run or result.undecided:
        return _page(take_in=form, result=result), 422 if result.problems else 200
    flash(
        _(
            "%(added)s decisions entered, %(unchanged)s known already, %(answered)s requests answered.",
            added=result.added,
            unchanged=result.unchanged,
            answered=result.requests_answered,
        ),
        "success",
    )
    return redirect(url_for("limit_exchange.index"))

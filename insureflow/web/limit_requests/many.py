"""Many requests at once: for the buyers that a list is narrowed to, or from a file; large ones go on in the background."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from insureflow.domain.access import Permission
from insureflow.domain.cover.events import Layer
from insureflow.domain.errors import Refusal
from insureflow.domain.limits import LimitKind
from insureflow.i18n import formats
from insureflow.i18n.row_problems import reason_of
from insureflow.queries import limit_requests as queries
from insureflow.services import limit_requests
from insureflow.services.limit_requests import AmountRule, BulkOutcome, Selection
from insureflow.web.access import requires
from insureflow.web.buyers.listing import buyer_view
from insureflow.web.context import choose_locale
from insureflow.web.keys import read_key
from insureflow.web.limit_requests.forms import SelectionForm, UploadForm
from insureflow.web.limit_requests.routes import blueprint
from insureflow.web.limits.forms import read_minor, show_refusal
from insureflow.web.limits.listing import register_view
from insureflow.web.tables import read_narrowing
from insureflow.web.under_way import TaskPages, failure_of

#: So many buyers fit on one page with a box each.
MOST_BUYERS = 2000

#: A file with more bytes than this is read in the background.
SMALL_FILE = 64 * 1024

_TASKS = TaskPages("limit_requests", ("request_limits",))

#: So many reasons are said where rows were left out.
_SAID_REASONS = 5


@dataclass(frozen=True, slots=True)
class Choice:
    """A buyer to be chosen."""

    id: int
    name: str
    owed: tuple[int, str] | None
    limit: tuple[int, str] | None


def _choices(origin: str) -> list[Choice]:
    """The buyers that the list behind the address is narrowed to, each once."""
    view = buyer_view() if origin == "buyers" else register_view()
    name = "name" if origin == "buyers" else "buyer"
    found: dict[int, Choice] = {}
    for row in view.listing.stream(read_narrowing(view.listing, request.args), None):
        if row["buyer_id"] not in found:
            found[row["buyer_id"]] = Choice(row["buyer_id"], row[name], row["open"], row["limit"])
        if len(found) > MOST_BUYERS:
            break
    return list(found.values())


@blueprint.route("/selection", methods=["GET", "POST"])
@requires(Permission.REQUEST_LIMITS)
def selection() -> ResponseReturnValue:
    """Ask for limits on the buyers of a list; the address carries the filters of that list."""
    origin = "buyers" if request.args.get("list") == "buyers" else "limits"
    choices = _choices(origin)
    start = {} if g.scope.policy_id is None else {"policy_id": g.scope.policy_id}
    form = SelectionForm(data={"layer": Layer.PRIMARY.value, "kind": LimitKind.NAMED.value, "rule": AmountRule.NEEDED.value, **start})
    form.prepare(g.scope.policies)
    keys = [key for text in request.form.getlist("buyer") if (key := read_key(text))] if request.method == "POST" else []
    outcome: BulkOutcome | None = None
    status = 200
    if request.method == "POST":
        status = 422
        if form.validate_on_submit():
            try:
                answer = _ask(form, keys)
            except Refusal as refusal:
                show_refusal(form, refusal)
            else:
                if not isinstance(answer, BulkOutcome):
                    return answer
                outcome = answer
    checked = set(keys) if request.method == "POST" else {choice.id for choice in choices[:MOST_BUYERS]}
    return render_template(
        "limit_requests/selection.html",
        form=form,
        choices=choices[:MOST_BUYERS],
        too_many=len(choices) > MOST_BUYERS,
        most=MOST_BUYERS,
        checked=checked,
        outcome=outcome,
        problems=_problems(outcome),
        back=url_for("buyers.index" if origin == "buyers" else "limits.index"),
        warnings=_warnings(),
    ), status


def _warnings() -> list[str]:
    """What to know before many are asked for: above which amount a second person must agree, and in what steps insurers take amounts."""
    locale, found = choose_locale(), []
    thresholds = limit_requests.thresholds_of()
    if thresholds and g.role is not None and g.role in thresholds:
        own = thresholds[g.role]
        amount = formats.money(own.minor, own.currency, locale)
        found.append(_("Requests above %(amount)s wait for a second person before they are sent.", amount=amount))
    for policy in g.scope.policies:
        carrier = queries.find_carrier(policy.id)
        if carrier is not None and carrier.step > 1:
            step = formats.number(carrier.step, locale)
            found.append(
                _(
                    "%(insurer)s takes amounts under policy %(policy)s in steps of %(step)s only; others may be rounded or refused.",
                    insurer=carrier.name,
                    policy=policy.number,
                    step=step,
                )
            )
    return found


def _ask(form: SelectionForm, keys: list[int]) -> ResponseReturnValue | BulkOutcome:
    """Ask now or in the background: the page to go to, or the outcome where nothing was written. Errors: those of asking."""
    policy = next(policy for policy in g.scope.policies if policy.id == form.policy_id.data)
    rule = AmountRule(form.rule.data)
    chosen = Selection(
        policy.id,
        tuple(keys),
        rule,
        read_minor(form.amount.data, policy.limit_currency, "amount") if rule is AmountRule.AMOUNT else None,
        Layer(form.layer.data),
        LimitKind(form.kind.data),
        bool(form.is_urgent.data),
        form.comment.data or "",
    )
    good_rows_only, hand_in = bool(form.good_rows_only.data), bool(form.hand_in.data)
    if len(keys) > limit_requests.SMALL:
        task_id = limit_requests.enqueue_selection(
            g.actor, g.organisation.id, chosen, g.role, g.today, good_rows_only=good_rows_only, hand_in=hand_in
        )
        return redirect(url_for("limit_requests.task", task_id=task_id))
    return _finished(
        limit_requests.request_selection(
            g.actor, g.organisation.id, chosen, g.role, g.today, good_rows_only=good_rows_only, hand_in=hand_in
        )
    )


def _finished(outcome: BulkOutcome) -> ResponseReturnValue | BulkOutcome:
    if not outcome.is_stored:
        return outcome
    flash(said(outcome), "success")
    if outcome.off_step:
        flash(
            ngettext(
                "%(count)s amount is not in a step that the insurer takes: change it before it is sent, or it may be refused.",
                "%(count)s amounts are not in steps that the insurer takes: change them before they are sent, or they may be refused.",
                outcome.off_step,
                count=outcome.off_step,
            ),
            "warning",
        )
    if outcome.problems:
        left = len(outcome.problems)
        reasons = "; ".join(f"{value or row}: {reason}" for row, _column, value, reason in _problems(outcome)[:_SAID_REASONS])
        flash(
            ngettext(
                "%(count)s thing was left out: %(reasons)s",
                "%(count)s things were left out: %(reasons)s",
                left,
                count=left,
                reasons=reasons,
            ),
            "warning",
        )
    return redirect(url_for("limit_requests.index", bulk=outcome.bulk))


def said(outcome: BulkOutcome) -> str:
    """What came of many requests, in a sentence."""
    return str(
        _(
            "%(drafted)s written and not sent, %(submitted)s sent, %(awaiting)s waiting for a second person.",
            drafted=outcome.drafted,
            submitted=outcome.submitted,
            awaiting=outcome.awaiting_approval,
        )
    )


def _problems(outcome: BulkOutcome | None) -> list[tuple[int, str, str, str]]:
    """Row, column, value and reason of everything that is wrong."""
    if outcome is None:
        return []
    locale = choose_locale()
    return [
        (
            problem.row,
            problem.column or "",
            problem.value or "",
            reason_of(problem.code, problem.parameters, locale, column=problem.column, value=problem.value),
        )
        for problem in outcome.problems
    ]


@blueprint.route("/upload", methods=["GET", "POST"])
@requires(Permission.REQUEST_LIMITS)
def upload() -> ResponseReturnValue:
    """Ask for limits with a file."""
    form = UploadForm(data={} if g.scope.policy_id is None else {"policy_id": g.scope.policy_id})
    form.prepare(g.scope.policies)
    outcome: BulkOutcome | None = None
    status = 200
    if request.method == "POST":
        status = 422
        file = request.files.get("file")
        if file is not None and file.filename and form.validate_on_submit():
            try:
                answer = _read(file, form)
            except Refusal as refusal:
                show_refusal(form, refusal)
            else:
                if not isinstance(answer, BulkOutcome):
                    return answer
                outcome = answer
        elif file is None or not file.filename:
            form.file.errors = [_("Choose a file.")]
    return render_template(
        "limit_requests/upload.html", form=form, outcome=outcome, problems=_problems(outcome), warnings=_warnings()
    ), status


def _read(file: Any, form: UploadForm) -> ResponseReturnValue | BulkOutcome:
    good_rows_only, hand_in = bool(form.good_rows_only.data), bool(form.hand_in.data)
    with file.stream as stream:
        size = stream.seek(0, 2)
        stream.seek(0)
        if size > SMALL_FILE:
            task_id = limit_requests.enqueue_file(
                g.actor,
                g.organisation.id,
                stream,
                file.filename,
                g.role,
                g.today,
                policy_id=form.policy_id.data,
                good_rows_only=good_rows_only,
                hand_in=hand_in,
            )
            return redirect(url_for("limit_requests.task", task_id=task_id))
        return _finished(
            limit_requests.request_file(
                g.actor,
                g.organisation.id,
                stream,
                file.filename,
                g.role,
                g.today,
                policy_id=form.policy_id.data,
                good_rows_only=good_rows_only,
                hand_in=hand_in,
            )
        )


@blueprint.get("/tasks/<int:task_id>")
@requires(Permission.REQUEST_LIMITS)
def task(task_id: int) -> ResponseReturnValue:
    """Many requests under way, or what came of them."""
    found = _TASKS.get_or_404(task_id)
    outcome = limit_requests.outcome_of_task(found)
    return render_template(
        "limit_requests/task.html",
        job=_TASKS.open_job(found),
        failure=failure_of(found),
        state=found.state,
        outcome=outcome,
        said=said(outcome) if outcome is not None and outcome.is_stored else "",
        problems=_problems(outcome),
    )


@blueprint.get("/tasks/<int:task_id>/progress")
@requires(Permission.REQUEST_LIMITS)
def progress(task_id: int) -> ResponseReturnValue:
    """How far the work is."""
    return _TASKS.progress(task_id)


@blueprint.post("/tasks/<int:task_id>/cancel")
@requires(Permission.REQUEST_LIMITS)
def cancel_task(task_id: int) -> ResponseReturnValue:
    """Ask the work to stop; nothing of it stays."""
    return _TASKS.cancel(task_id, _("The work is asked to stop. Nothing of it will stay."))

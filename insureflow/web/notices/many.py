"""Many papers at once: drafted for a list of buyers, approved or sent from the list of papers; large numbers go on in the background."""

from __future__ import annotations

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from insureflow.domain.access import Permission
from insureflow.domain.notices import NoticeState
from insureflow.i18n.words import sentence, word
from insureflow.queries.notices.listing import notices_listing
from insureflow.queries.notices.standings import policies_owing
from insureflow.services import notices
from insureflow.services.notices import Outcome
from insureflow.web.access import requires
from insureflow.web.buyers.listing import buyer_view
from insureflow.web.context import choose_locale
from insureflow.web.notices.listing import notice_view
from insureflow.web.notices.routes import blueprint
from insureflow.web.tables import read_narrowing
from insureflow.web.under_way import TaskPages, failure_of

#: So many fit on one page with a box each.
MOST = 2000

_TASKS = TaskPages("notices", notices.TASK_KINDS)

#: So many reasons are said where some could not be done.
_SAID_REASONS = 5

#: What can be done with many, and in which state a paper must be for it.
_STEPS = {
    "approve": ("approve_notices", (NoticeState.DRAFT,)),
    "send": ("send_notices", (NoticeState.APPROVED, NoticeState.FAILED)),
}


@blueprint.post("/draft-due")
@requires(Permission.EDIT_OBLIGATIONS)
def draft_due() -> ResponseReturnValue:
    """Draft every notification that falls due soon, without waiting for the night."""
    made = notices.draft_due(g.organisation.id, g.today, actor=g.actor)
    count = len(made.notice_ids)
    said = (
        ngettext("%(count)s notification was drafted.", "%(count)s notifications were drafted.", count, count=count)
        if count
        else _("Everything that is due soon was drafted already.")
    )
    flash(said, "success")
    return redirect(url_for("notices.index"))


@blueprint.route("/selection/<any(approve, send):step>", methods=["GET", "POST"])
@requires(Permission.APPROVE_NOTICES)
def selection(step: str) -> ResponseReturnValue:
    """Approve or send the papers that the list is narrowed to."""
    kind, states = _STEPS[step]
    view = notice_view()
    rows = [
        row
        for row in notices_listing(policy_id=g.scope.policy_id, entity_id=g.scope.entity_id).stream(
            read_narrowing(view.listing, request.args), None
        )
        if row["state"] in states
    ]
    if request.method == "POST":
        known = {row["number"] for row in rows}
        keys = [int(key) for key in request.form.getlist("notice") if key.isdecimal() and int(key) in known]
        if keys:
            return _answer(notices.do_many(g.actor, g.organisation.id, kind, keys, g.today))
        flash(_("Choose at least one notice."), "error")
    return render_template(
        "notices/selection.html", step=step, rows=rows[:MOST], too_many=len(rows) > MOST, most=MOST, back=url_for("notices.index")
    ), (422 if request.method == "POST" else 200)


@blueprint.route("/buyers", methods=["GET", "POST"])
@requires(Permission.EDIT_OBLIGATIONS)
def of_buyers() -> ResponseReturnValue:
    """Draft notifications for the buyers of a list that owe something; the address carries the filters of that list."""
    view = buyer_view()
    found = list(view.listing.stream(read_narrowing(view.listing, request.args), None))
    owing = {buyer_id for buyer_id, _policy in policies_owing([row["buyer_id"] for row in found], g.today)}
    rows = [row for row in found if row["buyer_id"] in owing]
    if request.method == "POST":
        known = {row["buyer_id"] for row in rows}
        keys = [int(key) for key in request.form.getlist("buyer") if key.isdecimal() and int(key) in known]
        if keys:
            return _answer(notices.do_many(g.actor, g.organisation.id, "draft_notices", keys, g.today))
        flash(_("Choose at least one buyer."), "error")
    return render_template("notices/buyers.html", rows=rows[:MOST], too_many=len(rows) > MOST, most=MOST, back=url_for("buyers.index")), (
        422 if request.method == "POST" else 200
    )


def said(outcome: Outcome) -> str:
    """What came of many, in a sentence."""
    return str(
        _(
            "%(done)s done, %(left)s left as they were, %(problems)s could not be done.",
            done=outcome.done,
            left=outcome.left,
            problems=len(outcome.problems),
        )
    )


def reasons(outcome: Outcome) -> list[tuple[int, str]]:
    """Why some could not be done: the key of each, and the sentence."""
    return [(problem.key, sentence(problem.code, dict(problem.parameters), choose_locale())) for problem in outcome.problems]


def _answer(outcome: Outcome | int) -> ResponseReturnValue:
    if isinstance(outcome, int):
        return redirect(url_for("notices.task", task_id=outcome))
    flash(said(outcome), "warning" if outcome.problems else "success")
    for key, reason in reasons(outcome)[:_SAID_REASONS]:
        flash(f"{key}: {reason}", "warning")
    return redirect(url_for("notices.index"))


@blueprint.get("/tasks/<int:task_id>")
@requires(Permission.EDIT_OBLIGATIONS)
def task(task_id: int) -> ResponseReturnValue:
    """Many papers under way, or what came of them."""
    found = _TASKS.get_or_404(task_id)
    outcome = notices.outcome_of_task(found)
    return render_template(
        "notices/task.html",
        job=_TASKS.open_job(found),
        failure=failure_of(found),
        state=found.state,
        title=word(found.kind, choose_locale()),
        said=said(outcome) if outcome is not None else "",
        problems=[] if outcome is None else reasons(outcome),
    )


@blueprint.get("/tasks/<int:task_id>/progress")
@requires(Permission.EDIT_OBLIGATIONS)
def progress(task_id: int) -> ResponseReturnValue:
    """How far the work is."""
    return _TASKS.progress(task_id)


@blueprint.post("/tasks/<int:task_id>/cancel")
@requires(Permission.EDIT_OBLIGATIONS)
def cancel_task(task_id: int) -> ResponseReturnValue:
    """Ask the work to stop; what is done stays done."""
    return _TASKS.cancel(task_id, _("The work is asked to stop. What is done stays done."))

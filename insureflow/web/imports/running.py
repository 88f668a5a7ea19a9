"""The last steps of the wizard: the check and its bad rows, the import in the background, its result, and the way back."""

from __future__ import annotations

from typing import Any

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from insureflow.domain.access import Permission
from insureflow.domain.errors import Refusal
from insureflow.domain.receivables import DocumentKind, ImportMode
from insureflow.domain.tasks import ImportState, TaskState
from insureflow.i18n.row_problems import reason_of
from insureflow.i18n.words import sentence_for, word
from insureflow.models.jobs import Task
from insureflow.models.receivables import ImportBatch
from insureflow.queries import imports as queries
from insureflow.services import imports, tasks
from insureflow.services.imports.outcomes import COUNTED
from insureflow.web.access import may, requires
from insureflow.web.context import choose_locale
from insureflow.web.imports.routes import blueprint
from insureflow.web.links import link_to
from insureflow.web.tables import Table, TableView, build_table, wanted_export, word_options
from insureflow.web.under_way import Job, failure_of, job_of

_ENDED_BADLY = frozenset({TaskState.FAILED, TaskState.CANCELLED, TaskState.INTERRUPTED})


def _job(batch: ImportBatch, task: Task) -> Job:
    return job_of(
        task,
        url=url_for("imports.progress", batch_id=batch.id),
        cancel_url=url_for("imports.cancel", batch_id=batch.id),
        result_url=url_for("imports.show", batch_id=batch.id),
    )


def begin_check(batch_id: int) -> ResponseReturnValue:
    """Check an upload: a small one now, a larger one in the background."""
    batch = imports.files.get_batch(batch_id)
    if imports.files.size_of_upload(batch) <= imports.files.SMALL:
        imports.tasks.check_upload(g.actor, g.organisation.id, batch_id, g.today)
    else:
        imports.tasks.enqueue_check(g.actor, g.organisation.id, batch_id, g.today)
    return redirect(url_for("imports.show", batch_id=batch_id))


@blueprint.get("/<int:batch_id>")
@requires(Permission.VIEW_RECEIVABLES)
def show(batch_id: int) -> ResponseReturnValue:
    """An import, whatever its state."""
    batch = imports.files.get_batch(batch_id)
    task = imports.tasks.find_task(g.organisation.id, batch)
    is_open = task is not None and task.state in (TaskState.QUEUED, TaskState.RUNNING)
    is_over = batch.state in (ImportState.DONE, ImportState.UNDONE)
    failed = task if task is not None and task.state in _ENDED_BADLY and not is_over else None
    if batch.state is ImportState.UPLOADED and not is_open and failed is None and may(Permission.IMPORT_RECEIVABLES):
        return redirect(url_for("imports.mapping", batch_id=batch_id))
    view = _problems_view(batch_id)
    if (export := wanted_export(view, f"bad-rows-{batch_id}")) is not None:
        return export
    counts: dict[str, Any] = batch.counts or {}
    return render_template(
        "imports/show.html",
        batch=batch,
        mode=ImportMode(batch.mode),
        entity=queries.entity_of(batch),
        job=_job(batch, task) if task is not None and is_open else None,
        failed=failed,
        failure=failure_of(failed),
        is_over=is_over,
        counts=[(name, word(f"count.{name}", choose_locale()), counts[name]) for name in COUNTED if counts.get(name)],
        bad_rows=counts.get("bad_rows", 0),
        numbers=counts,
        totals=[(DocumentKind(kind), amounts) for kind, amounts in (counts.get("totals") or {}).items()],
        new_buyers=counts.get("new_buyer_names") or [],
        joined=counts.get("joined_names") or [],
        others=queries.list_together(batch),
        problems=_problems(view, counts),
        can_undo=batch.state is ImportState.DONE and may(Permission.IMPORT_RECEIVABLES) and queries.is_last(batch),
        invoices=queries.count_invoices(batch_id) if is_over else 0,
        invoices_url=link_to("receivables.index", batch_id=batch_id),
    )


def _problems_view(batch_id: int) -> TableView:
    locale = choose_locale()

    def decorate(row: dict[str, Any]) -> dict[str, Any]:
        reason = reason_of(row["reason"], row["parameters"] or {}, locale, column=row["column"], value=row["value"])
        tone = "uncovered" if row["weight"] == "warning" else "stopped"
        return row | {"reason": reason, "weight": {"value": row["weight"], "tone": tone}}

    return TableView(
        queries.problems_listing(batch_id),
        _("Bad rows and warnings"),
        {
            "row": _("Row"),
            "column": _("Column"),
            "value": _("Value"),
            "reason": _("Reason"),
            "weight": _("Kind"),
        },
        options={
            "reason": lambda: [(code, reason_of(code, {}, locale)) for code in queries.reasons_of(batch_id)],
            "weight": lambda: word_options(("bad_row", "warning")),
        },
        decorate=decorate,
    )


def _problems(view: TableView, counts: dict[str, Any]) -> Table | None:
    return build_table(view) if counts.get("bad_rows") or counts.get("warnings") else None


@blueprint.get("/<int:batch_id>/progress")
@requires(Permission.VIEW_RECEIVABLES)
def progress(batch_id: int) -> ResponseReturnValue:
    """How far the work on an import is."""
    batch = imports.files.get_batch(batch_id)
    task = imports.tasks.find_task(g.organisation.id, batch)
    if task is None or not request.headers.get("HX-Request"):
        return redirect(url_for("imports.show", batch_id=batch_id))
    return render_template("imports/_progress.html", job=_job(batch, task))


@blueprint.post("/<int:batch_id>/check")
@requires(Permission.IMPORT_RECEIVABLES)
def check(batch_id: int) -> ResponseReturnValue:
    """Check an upload again, as it is mapped."""
    return begin_check(batch_id)


@blueprint.post("/<int:batch_id>/run")
@requires(Permission.IMPORT_RECEIVABLES)
def run(batch_id: int) -> ResponseReturnValue:
    """Import an upload in the background."""
    imports.tasks.enqueue_import(g.actor, g.organisation.id, batch_id, g.today, good_rows_only=request.form.get("good_rows") == "yes")
    return redirect(url_for("imports.show", batch_id=batch_id))


@blueprint.post("/<int:batch_id>/cancel")
@requires(Permission.IMPORT_RECEIVABLES)
def cancel(batch_id: int) -> ResponseReturnValue:
    """Ask the work on an import to stop; nothing of it stays."""
    task = imports.tasks.find_open_task(g.organisation.id, imports.files.get_batch(batch_id))
    if task is not None:
        tasks.cancel(g.organisation.id, task.id)
        flash(_("The work is asked to stop. Nothing of it will stay."), "info")
    return redirect(url_for("imports.show", batch_id=batch_id))


@blueprint.post("/<int:batch_id>/retry")
@requires(Permission.IMPORT_RECEIVABLES)
def retry(batch_id: int) -> ResponseReturnValue:
    """Take up work again that failed or lost its worker."""
    task = imports.tasks.find_task(g.organisation.id, imports.files.get_batch(batch_id))
    if task is not None:
        tasks.retry(g.organisation.id, task.id)
    return redirect(url_for("imports.show", batch_id=batch_id))


@blueprint.post("/<int:batch_id>/undo")
@requires(Permission.IMPORT_RECEIVABLES)
def undo(batch_id: int) -> ResponseReturnValue:
    """Take an import back."""
    try:
        gone = imports.undo_import(g.actor, g.organisation.id, batch_id, g.today)
    except Refusal as refusal:
        if refusal.code.endswith("_unknown"):
            raise
        parameters = {
            name: word(value, choose_locale()) if name in ("what", "state") else value for name, value in refusal.parameters.items()
        }
        flash(sentence_for(Refusal(refusal.code, **parameters), choose_locale()), "danger")
    else:
        flash(_("The import was taken back; %(count)s invoices went with it.", count=gone), "success")
    return redirect(url_for("imports.show", batch_id=batch_id))


@blueprint.post("/<int:batch_id>/discard")
@requires(Permission.IMPORT_RECEIVABLES)
def discard(batch_id: int) -> ResponseReturnValue:
    """Drop an upload that is not going to be imported."""
    imports.files.discard(g.organisation.id, batch_id)
    flash(_("The file was discarded."), "success")
    return redirect(url_for("imports.index"))

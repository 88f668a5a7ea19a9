"""Checks and imports of uploaded files as long work: queued, watched, cancelled, taken up again after a crash."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from insureflow.domain.errors import Refusal
from insureflow.domain.tasks import ImportState
from insureflow.models.database import db
from insureflow.models.jobs import Task
from insureflow.models.organisations import Entity
from insureflow.models.receivables import ImportBatch
from insureflow.services import tasks
from insureflow.services.imports import files
from insureflow.services.imports.booking import Progress, nobody_listens
from insureflow.services.imports.importing import import_ledger, keep_result
from insureflow.services.imports.outcomes import ImportOutcome
from insureflow.services.journal import Actor
from insureflow.services.scoping import within
from insureflow.services.tasks import Watch
from insureflow.services.transaction import transaction

CHECK, IMPORT = "check_ledger", "import_ledger"


def check_upload(actor: Actor, organisation_id: int, batch_id: int, on: date, progress: Progress = nobody_listens) -> ImportOutcome:
    """Check an upload as if it were imported, and keep what was found with the batch. Errors: those of ``import_ledger``."""
    batch, entity = _open(organisation_id, batch_id)
    outcome = import_ledger(
        actor, organisation_id, files.order_of(batch, entity, dry_run=True), files.read_upload(batch), on=on, progress=progress
    )
    _keep(organisation_id, batch_id, outcome, ImportState.CHECKED)
    return outcome


def import_upload(actor: Actor, organisation_id: int, batch_id: int, on: date, progress: Progress = nobody_listens) -> ImportOutcome | None:
    """Import an upload and drop its bytes; None if it was imported before. Errors: those of ``import_ledger``."""
    batch, entity = _open(organisation_id, batch_id)
    if batch.state is ImportState.DONE:  # the worker died after the import and before it could say so
        return None
    outcome = import_ledger(
        actor, organisation_id, files.order_of(batch, entity, dry_run=False), files.read_upload(batch), on=on, progress=progress
    )
    if outcome.state == "refused":
        _keep(organisation_id, batch_id, outcome, ImportState.REFUSED)
        return outcome
    with transaction(organisation_id) as session:
        files.drop_file(session, session.get_one(ImportBatch, batch_id))
    return outcome


def _open(organisation_id: int, batch_id: int) -> tuple[ImportBatch, str]:
    with within(organisation_id):
        batch = files.get_batch(batch_id)
        return batch, db.session.get_one(Entity, batch.entity_id).code


def _keep(organisation_id: int, batch_id: int, outcome: ImportOutcome, state: ImportState) -> None:
    with transaction(organisation_id) as session:
        batch = session.get_one(ImportBatch, batch_id)
        keep_result(session, batch, outcome)
        batch.state = state


def enqueue_check(actor: Actor, organisation_id: int, batch_id: int, on: date) -> int:
    """Queue a check of an upload; gives the key of the work."""
    return _enqueue(actor, organisation_id, CHECK, batch_id, on, good_rows_only=False)


def enqueue_import(actor: Actor, organisation_id: int, batch_id: int, on: date, *, good_rows_only: bool) -> int:
    """Queue the import of an upload; gives the key of the work. Errors: ``mapping_missing``, ``upload_gone``, ``work_under_way``."""
    return _enqueue(actor, organisation_id, IMPORT, batch_id, on, good_rows_only=good_rows_only)


def _enqueue(actor: Actor, organisation_id: int, kind: str, batch_id: int, on: date, *, good_rows_only: bool) -> int:
    with transaction(organisation_id):
        batch = files.get_batch(batch_id)
        if not batch.profile:
            raise Refusal("mapping_missing", file=batch.file_name)
        if find_open_task(organisation_id, batch) is not None:
            raise Refusal("work_under_way", file=batch.file_name)
        task_id = tasks.enqueue(actor, organisation_id, kind, {"batch_id": batch_id, "on": on.isoformat()})
        files.note_task(organisation_id, batch_id, task_id, good_rows_only=good_rows_only)
        return task_id


def find_task(organisation_id: int, batch: ImportBatch) -> Task | None:
    """The last work on a batch, or None."""
    task_id = batch.options.get("task_id")
    return None if task_id is None else tasks.get_task(organisation_id, task_id)


def find_open_task(organisation_id: int, batch: ImportBatch) -> Task | None:
    """The work on a batch that is not over, or None."""
    task = find_task(organisation_id, batch)
    return task if task is not None and task.state.value in {"queued", "running"} else None


def _result(outcome: ImportOutcome | None) -> dict[str, Any]:
    return {"state": "done"} if outcome is None else {"state": outcome.state, "counts": dict(outcome.counts)}


@tasks.work(CHECK)
def _check(organisation_id: int, actor: Actor, parameters: Mapping[str, Any], watch: Watch) -> Mapping[str, Any]:
    on = date.fromisoformat(parameters["on"])
    return _result(check_upload(actor, organisation_id, int(parameters["batch_id"]), on, watch.tell))


@tasks.work(IMPORT)
def _import(organisation_id: int, actor: Actor, parameters: Mapping[str, Any], watch: Watch) -> Mapping[str, Any]:
    on = date.fromisoformat(parameters["on"])
    return _result(import_upload(actor, organisation_id, int(parameters["batch_id"]), on, watch.tell))

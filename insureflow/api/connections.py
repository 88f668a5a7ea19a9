"""Insurers' pictures fetched, and long work watched."""

# flask-smorest comes without types, and its decorators with it.
# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import g, url_for
from flask_smorest import Blueprint
from marshmallow import Schema, fields

from insureflow.domain.access import Permission, for_every_member, requires
from insureflow.domain.errors import Refusal
from insureflow.models.jobs import Task
from insureflow.services import tasks
from insureflow.services.sync.tasks import enqueue_sync

blueprint = Blueprint("api_connections", __name__, description="Connections to insurers, and long work.")


class SyncSchema(Schema):
    """How to synchronise."""

    whole = fields.Boolean(load_default=False, metadata={"description": "Read everything even where the insurer offers what changed."})


class TaskSchema(Schema):
    """Long work as it stands."""

    id = fields.Integer()
    kind = fields.String()
    state = fields.String()
    stage = fields.String()
    done = fields.Integer()
    total = fields.Integer(allow_none=True)
    result = fields.Dict()
    error = fields.Dict(allow_none=True)
    created_at = fields.AwareDateTime()
    finished_at = fields.AwareDateTime(allow_none=True)


def _shown(task: Task) -> dict[str, Any]:
    progress = tasks.progress_of(task)
    return {
        "id": task.id,
        "kind": task.kind,
        "state": task.state.value,
        "stage": progress.stage,
        "done": progress.done,
        "total": progress.total,
        "result": task.result,
        "error": task.error,
        "created_at": task.created_at,
        "finished_at": task.finished_at,
    }


@blueprint.post("/connections/<int:connection_id>/sync")
@requires(Permission.MANAGE_CONNECTIONS)
@blueprint.arguments(SyncSchema)
@blueprint.response(202, TaskSchema)
def sync(said: Mapping[str, Any], connection_id: int) -> Any:
    """Queue a synchronisation with the insurer; watch the task that is given back."""
    task_id = enqueue_sync(g.actor, g.organisation.id, connection_id, g.today, whole=said["whole"])
    return _shown(tasks.get_task(g.organisation.id, task_id)), 202, {"Location": url_for("api_connections.task", task_id=task_id)}


@blueprint.get("/tasks/<int:task_id>")
@for_every_member
@blueprint.response(200, TaskSchema)
def task(task_id: int) -> dict[str, Any]:
    """Long work as it stands. Keys that do not manage the organisation find the work of their owner."""
    found = tasks.get_task(g.organisation.id, task_id)
    if found.created_by_id != g.user.id and Permission.MANAGE_ORGANISATION not in g.permissions:
        raise Refusal("task_unknown", task=task_id)
    return _shown(found)

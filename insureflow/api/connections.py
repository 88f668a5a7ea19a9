"""Connections to insurers: how they do, what differs, insurers' pictures fetched; and long work watched."""

# flask-smorest comes without types, and its decorators with it.
# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import g, url_for
from flask_smorest import Blueprint
from marshmallow import Schema, fields

from insureflow.api.errors import locale
from insureflow.api.fields import ListSchema, PageSchema, listed
from insureflow.domain.access import Permission, for_every_member, requires
from insureflow.domain.errors import Refusal
from insureflow.i18n.words import sentence_for
from insureflow.models.jobs import Task
from insureflow.queries import connections as queries
from insureflow.queries.connections import ConnectionHealth
from insureflow.queries.listing import Narrowing
from insureflow.services import tasks
from insureflow.services.clock import now
from insureflow.services.sync.tasks import enqueue_sync

blueprint = Blueprint("api_connections", __name__, description="Connections to insurers, and long work.")


class ConnectionSchema(Schema):
    """How a policy is reached at its insurer, and how that is doing."""

    id = fields.Integer()
    policy = fields.String()
    insurer = fields.String()
    connector = fields.String()
    environment = fields.String()
    health = fields.String()
    last_good_at = fields.AwareDateTime(allow_none=True)
    age_minutes = fields.Integer(allow_none=True, metadata={"description": "Minutes since the last good synchronisation."})
    failures_in_a_row = fields.Integer()
    waiting = fields.Integer(metadata={"description": "Requests that have not reached the insurer for sure."})
    failed = fields.Integer(metadata={"description": "Requests somebody has to look at."})
    incoming = fields.Integer(metadata={"description": "Messages of the insurer that are still to be followed."})
    differences = fields.Integer()
    covers = fields.Integer(metadata={"description": "Limits that the insurer shows."})
    error = fields.String(allow_none=True, metadata={"description": "Code of what stopped it or went wrong last."})


class ConnectionsSchema(Schema):
    """All connections."""

    items = fields.List(fields.Nested(ConnectionSchema))


class DifferenceSchema(Schema):
    """A difference between our limits and an insurer's that stands."""

    id = fields.Integer()
    kind = fields.String()
    why = fields.String(metadata={"description": "The explanation for people, in the language asked for by Accept-Language."})
    policy = fields.String()
    buyer = fields.String(allow_none=True)
    reference = fields.String()
    first_seen_at = fields.AwareDateTime()
    last_seen_at = fields.AwareDateTime()


class DifferencesSchema(ListSchema):
    """A page of differences."""

    items = fields.List(fields.Nested(DifferenceSchema))


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


def _connection(each: ConnectionHealth) -> dict[str, Any]:
    return {
        "id": each.connection_id,
        "policy": each.policy_number,
        "insurer": each.insurer,
        "connector": each.connector,
        "environment": each.environment,
        "health": each.health.value,
        "last_good_at": each.last_good_at,
        "age_minutes": each.age_minutes,
        "failures_in_a_row": each.failures_in_a_row,
        "waiting": each.waiting,
        "failed": each.failed,
        "incoming": each.incoming.get("received", 0),
        "differences": each.differences,
        "covers": each.covers,
        "error": (each.stopped_because or each.last_error or {}).get("code"),
    }


@blueprint.get("/connections")
@requires(Permission.VIEW_CONNECTIONS)
@blueprint.response(200, ConnectionsSchema)
def connections() -> dict[str, Any]:
    """Every connection and how it is doing."""
    return {"items": [_connection(each) for each in queries.list_health(now())]}


@blueprint.get("/connections/<int:connection_id>")
@requires(Permission.VIEW_CONNECTIONS)
@blueprint.response(200, ConnectionSchema)
def connection(connection_id: int) -> dict[str, Any]:
    """One connection and how it is doing."""
    return _connection(_health(connection_id))


def _health(connection_id: int) -> ConnectionHealth:
    found = queries.find_health(connection_id, now())
    if found is None:
        raise Refusal("connection_unknown", connection=str(connection_id))
    return found


@blueprint.get("/connections/<int:connection_id>/differences")
@requires(Permission.VIEW_CONNECTIONS)
@blueprint.arguments(PageSchema, location="query")
@blueprint.response(200, DifferencesSchema)
def differences(asked: Mapping[str, Any], connection_id: int) -> dict[str, Any]:
    """What differs between our limits and those of the insurer."""
    _health(connection_id)
    listing = queries.differences_listing(connection_id)
    found = listing.page(Narrowing(), listing.order, asked["page"], asked["page_size"])
    items = [
        {
            **row,
            "id": row["key"],
            "kind": row["kind"].value,
            "why": sentence_for(Refusal(f"difference.{row['kind'].value}"), locale()),
            "reference": row["subject"],
        }
        for row in found.rows
    ]
    return listed(asked, found, items)


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

"""A synchronisation as work that somebody waits for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import BigInteger, cast, select

from insureflow.domain.connections import SyncState
from insureflow.domain.tasks import TaskState
from insureflow.models.database import db
from insureflow.models.jobs import Task
from insureflow.models.scope import within
from insureflow.services import tasks
from insureflow.services.connections.reaching import error_data, get_connection, require_running
from insureflow.services.journal import Actor
from insureflow.services.sync.running import require_readable, synchronise
from insureflow.services.tasks import Watch
from insureflow.services.transaction import transaction

KIND = "synchronise_connection"

#: A task that is still to be done or being done.
OPEN = frozenset({TaskState.QUEUED, TaskState.RUNNING})


def enqueue_sync(actor: Actor, organisation_id: int, connection_id: int, on: date, *, whole: bool = False) -> int:
    """Queue a synchronisation, unless one is under way, and give the key of the task.

    Errors: ``Refusal`` ``connection_unknown``, ``connection_off``, ``connection_stopped``, ``limits_not_readable``.
    """
    under_way = find_sync_task(organisation_id, connection_id)
    if under_way is not None and under_way.state in OPEN:
        return under_way.id
    with transaction(organisation_id) as session:
        row = get_connection(session, connection_id)
        require_running(row)
        require_readable(row.capabilities, row.connector)
        return tasks.enqueue(actor, organisation_id, KIND, {"connection_id": connection_id, "on": on.isoformat(), "whole": whole})


def find_sync_task(organisation_id: int, connection_id: int) -> Task | None:
    """The synchronisation of a connection that somebody asked for last, as it stands."""
    with within(organisation_id):
        return db.session.scalar(
            select(Task)
            .where(Task.kind == KIND, cast(Task.parameters["connection_id"].as_string(), BigInteger) == connection_id)
            .order_by(Task.id.desc())
            .limit(1)
            .execution_options(populate_existing=True)
        )


@tasks.work(KIND)
def _run(organisation_id: int, actor: Actor, parameters: Mapping[str, Any], watch: Watch) -> Mapping[str, Any]:
    del actor
    cancelled: list[bool] = []

    def tell(done: int, total: int | None) -> None:
        try:
            watch.tell("synchronise", done, total)
        except tasks.Cancelled:
            cancelled.append(True)  # the part in hand is finished first

    result = synchronise(
        organisation_id,
        int(parameters["connection_id"]),
        date.fromisoformat(parameters["on"]),
        whole=bool(parameters["whole"]),
        progress=tell,
        wants_to_stop=lambda: bool(cancelled) or watch.wants_to_stop(),
    )
    if result.state is SyncState.INTERRUPTED:
        raise tasks.Cancelled if cancelled else tasks.LeftEarly
    error = None if result.error is None else error_data(result.error)
    return {"state": result.state.value, "is_whole": result.is_whole, "counts": result.counts, "error": error}

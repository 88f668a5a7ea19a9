"""A synchronisation as work that somebody waits for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from insureflow.domain.connections import SyncState
from insureflow.services import tasks
from insureflow.services.connections.reaching import get_connection, require_running
from insureflow.services.journal import Actor
from insureflow.services.sync.running import require_readable, synchronise
from insureflow.services.tasks import Watch
from insureflow.services.transaction import transaction

KIND = "synchronise_connection"


def enqueue_sync(actor: Actor, organisation_id: int, connection_id: int, on: date, *, whole: bool = False) -> int:
    """Queue a synchronisation and give the key of the task. Errors: ``connection_unknown``, ``connection_off``, ``connection_stopped``."""
    with transaction(organisation_id) as session:
        row = get_connection(session, connection_id)
        require_running(row)
        require_readable(row.capabilities, row.connector)
        return tasks.enqueue(actor, organisation_id, KIND, {"connection_id": connection_id, "on": on.isoformat(), "whole": whole})


@tasks.work(KIND)
def _run(organisation_id: int, actor: Actor, parameters: Mapping[str, Any], watch: Watch) -> Mapping[str, Any]:
    del actor
    result = synchronise(
        organisation_id,
        int(parameters["connection_id"]),
        date.fromisoformat(parameters["on"]),
        whole=bool(parameters["whole"]),
        progress=lambda done, total: watch.tell("synchronise", done, total),
        wants_to_stop=watch.wants_to_stop,
    )
    if result.state is SyncState.INTERRUPTED:
        raise tasks.LeftEarly
    error = None if result.error is None else type(result.error).__name__
    return {"state": result.state.value, "is_whole": result.is_whole, "counts": result.counts, "error": error}

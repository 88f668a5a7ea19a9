"""Limits kept true without anybody's hands: requests sent, lists fetched, pushes followed, pictures compared.

Each job of an organisation is a list of small pieces of work, one per connection, and a piece that fails does not keep the others from
being done. They are done here, or handed to the workers of a queue (``jobs.queue``) where the installation has one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta

import structlog
from flask import current_app

from insureflow.domain.connections import SyncState
from insureflow.domain.schedules import JOBS, EveryMinutes
from insureflow.jobs import queue
from insureflow.queries import connections as queries
from insureflow.services import connections as connection_service
from insureflow.services import inbox as inbox_service
from insureflow.services import jobs, outbox
from insureflow.services import sync as sync_service
from insureflow.services.clock import now
from insureflow.services.jobs import Served
from insureflow.services.scoping import within

log = structlog.get_logger("insureflow.jobs")

WantsToStop = Callable[[], bool]
Piece = Callable[[int, int, date, WantsToStop], Mapping[str, int]]


class PiecesFailed(RuntimeError):
    """Some pieces of a job failed, the others are done; the run is marked as failed, so that it is seen."""


def send_piece(organisation_id: int, connection_id: int, on: date, wants_to_stop: WantsToStop) -> Mapping[str, int]:
    """Send what waits for one connection."""
    return outbox.deliver_due(organisation_id, on, connection_id=connection_id, wants_to_stop=wants_to_stop).counts()


def inbox_piece(organisation_id: int, connection_id: int, on: date, wants_to_stop: WantsToStop) -> Mapping[str, int]:
    """Follow the pushes of one connection."""
    del wants_to_stop  # it is a matter of one call and one transaction
    return inbox_service.process_due(organisation_id, on, connection_id=connection_id)


def sync_piece(organisation_id: int, connection_id: int, on: date, wants_to_stop: WantsToStop) -> Mapping[str, int]:
    """Synchronise one connection. What goes wrong at the insurer is no failure of the job: the run of the connection says it."""
    result = sync_service.synchronise(organisation_id, connection_id, on, wants_to_stop=wants_to_stop)
    return {
        **result.counts,
        "connections": 1,
        "failures": int(result.error is not None),
        "interrupted": int(result.state is SyncState.INTERRUPTED),
        "network_milliseconds": result.network_milliseconds,
    }


def reconcile_piece(organisation_id: int, connection_id: int, on: date, wants_to_stop: WantsToStop) -> Mapping[str, int]:
    """Compare the pictures of one connection."""
    del wants_to_stop  # nothing leaves the house, and the next night compares again
    return sync_service.reconcile(organisation_id, connection_id, on)


#: The pieces by the name under which a queue knows them.
PIECES: Mapping[str, Piece] = {
    "limits.send_requests": send_piece,
    "limits.inbox": inbox_piece,
    "limits.sync": sync_piece,
    "limits.reconcile": reconcile_piece,
}


def _work(job: str, served: Served, connection_ids: Iterable[int]) -> Mapping[str, int]:
    """Do or hand over the pieces of a job of one organisation. Errors: ``PiecesFailed`` once all are done."""
    counts: dict[str, int] = {}
    failed: list[str] = []
    hands_over = current_app.config["INSUREFLOW"].queue == "procrastinate"
    for connection_id in connection_ids:
        if served.wants_to_stop():
            break
        try:
            if hands_over:
                done: Mapping[str, int] = {"handed_over": int(queue.defer(job, served.organisation_id, connection_id))}
            else:
                with within(served.organisation_id):
                    done = PIECES[job](served.organisation_id, connection_id, served.today, served.wants_to_stop)
        except Exception:
            log.exception("piece failed", job=job, organisation=served.slug, connection=connection_id)
            failed.append(str(connection_id))
            continue
        for name, number in done.items():
            counts[name] = counts.get(name, 0) + number
    if failed:
        raise PiecesFailed(", ".join(failed))
    return counts


def send_requests(served: Served) -> Mapping[str, int]:
    """Requests that wait are sent."""
    return _work("limits.send_requests", served, queries.connections_with_outgoing(served.organisation_id, now()))


def inbox(served: Served) -> Mapping[str, int]:
    """Pushes are followed."""
    return _work("limits.inbox", served, queries.connections_with_incoming(served.organisation_id))


def sync(served: Served) -> Mapping[str, int]:
    """Connections whose own interval is over are synchronised."""
    return _work("limits.sync", served, sync_service.due_connections(served.organisation_id, now()))


def reconcile(served: Served) -> Mapping[str, int]:
    """Every limit is held against what its insurer said last."""
    return _work("limits.reconcile", served, queries.enabled_connections(served.organisation_id))


def watch(served: Served) -> Mapping[str, int]:
    """Connections without news for too long become work for somebody, whether or not they are synchronised by themselves."""
    return {"stale": connection_service.note_stale(served.organisation_id, now())}


def trim(served: Served) -> Mapping[str, int]:
    """What is kept of exchanges with insurers stays bounded."""
    return {"exchanges": connection_service.trim(served.organisation_id)}


def trim_runs() -> Mapping[str, int]:
    """What is kept of runs of jobs stays bounded: those that come by the minute a short while, all others longer."""
    by_minute, others = jobs.KEPT_DAYS
    gone = 0
    for job in JOBS:
        days = by_minute if isinstance(job.due, EveryMinutes) else others
        gone += jobs.trim_runs(job.key, now() - timedelta(days=days))
    return {"runs": gone}

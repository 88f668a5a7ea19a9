"""Limits kept true without anybody's hands: requests sent, lists fetched, pushes followed, pictures compared.

Each job is a list of small pieces of work, one per connection, and a piece that fails does not keep the others from being done.
They are done here, or handed to the workers of a queue (``jobs.queue``) where the installation has one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta

import structlog
from flask import current_app

from insureflow.jobs import queue
from insureflow.queries import connections as queries
from insureflow.services import connections as connection_service
from insureflow.services import inbox as inbox_service
from insureflow.services import jobs, outbox
from insureflow.services import sync as sync_service
from insureflow.services.clock import now
from insureflow.services.scoping import within

log = structlog.get_logger("insureflow.jobs")

#: The shortest interval of synchronisations; each connection has its own on top.
SYNC_MINUTES = 5

#: Runs of jobs that ended well are kept so long.
RUN_DAYS = 14

Piece = Callable[[int, int, date], Mapping[str, int]]


class PiecesFailed(RuntimeError):
    """Some pieces of a job failed, the others are done; the run is marked as failed, so that it is seen."""


def send_piece(organisation_id: int, connection_id: int, on: date) -> Mapping[str, int]:
    """Send what waits for one connection."""
    return outbox.deliver_due(organisation_id, on, connection_id=connection_id).counts()


def inbox_piece(organisation_id: int, connection_id: int, on: date) -> Mapping[str, int]:
    """Follow the pushes of one connection."""
    return inbox_service.process_due(organisation_id, on, connection_id=connection_id)


def sync_piece(organisation_id: int, connection_id: int, on: date) -> Mapping[str, int]:
    """Synchronise one connection. What goes wrong at the insurer is no failure of the job: the run of the connection says it."""
    result = sync_service.synchronise(organisation_id, connection_id, on)
    return {
        **result.counts,
        "connections": 1,
        "failures": int(result.error is not None),
        "network_milliseconds": result.network_milliseconds,
    }


def reconcile_piece(organisation_id: int, connection_id: int, on: date) -> Mapping[str, int]:
    """Compare the pictures of one connection."""
    return sync_service.reconcile(organisation_id, connection_id, on)


#: The pieces by the name under which a queue knows them.
PIECES: Mapping[str, Piece] = {
    "limits.send_requests": send_piece,
    "limits.inbox": inbox_piece,
    "limits.sync": sync_piece,
    "limits.reconcile": reconcile_piece,
}


def _work(job: str, minutes: int, wanted: Callable[[jobs.Served], Iterable[int]]) -> Mapping[str, int]:
    """Do or hand over the pieces of a job for every organisation that wants it now. Errors: ``PiecesFailed`` once all are done."""
    counts: dict[str, int] = {}
    failed: list[str] = []
    hands_over = current_app.config["INSUREFLOW"].queue == "procrastinate"
    for served in jobs.served_by(job, now(), minutes):
        for connection_id in wanted(served):
            try:
                if hands_over:
                    done: Mapping[str, int] = {"handed_over": int(queue.defer(job, served.organisation_id, connection_id))}
                else:
                    with within(served.organisation_id):
                        done = PIECES[job](served.organisation_id, connection_id, served.today)
            except Exception:
                log.exception("piece failed", job=job, organisation=served.slug, connection=connection_id)
                failed.append(f"{served.slug}/{connection_id}")
                continue
            for name, number in done.items():
                counts[name] = counts.get(name, 0) + number
    if failed:
        raise PiecesFailed(", ".join(failed))
    return counts


def send_requests() -> Mapping[str, int]:
    """Requests that wait are sent."""
    return _work("limits.send_requests", 1, lambda served: queries.connections_with_outgoing(served.organisation_id, now()))


def inbox() -> Mapping[str, int]:
    """Pushes are followed."""
    return _work("limits.inbox", 1, lambda served: queries.connections_with_incoming(served.organisation_id))


def sync() -> Mapping[str, int]:
    """Connections whose interval is over are synchronised; those without news for too long become work for somebody."""
    try:
        return _work(
            "limits.sync",
            SYNC_MINUTES,
            lambda served: sync_service.due_connections(served.organisation_id, now(), every_minutes=served.every_minutes),
        )
    finally:
        for organisation_id, _slug in jobs.organisations_to_serve():
            connection_service.note_stale(organisation_id, now())


def reconcile() -> Mapping[str, int]:
    """Every limit is held against what its insurer said last."""
    return _work("limits.reconcile", 24 * 60, lambda served: queries.enabled_connections(served.organisation_id))


def trim() -> Mapping[str, int]:
    """What is kept of exchanges with insurers and of runs of jobs stays bounded."""
    gone = sum(connection_service.trim(organisation_id) for organisation_id, _slug in jobs.organisations_to_serve())
    return {"exchanges": gone, "runs": jobs.trim_runs(now() - timedelta(days=RUN_DAYS))}

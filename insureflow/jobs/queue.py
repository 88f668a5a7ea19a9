"""Pieces of work handed to workers on any number of hosts, over tables of the PostgreSQL database itself (extra ``queue``).

The scheduler puts a piece in once (a queueing lock keeps a second one out while the first waits), and a lock per connection keeps two
workers from the same connection. A piece that is lost with its worker comes again with the next period of its job.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING

import structlog
from flask import Flask, current_app

from insureflow.services import organisations
from insureflow.services.clock import business_date
from insureflow.services.scoping import within

if TYPE_CHECKING:
    import procrastinate

log = structlog.get_logger("insureflow.queue")

QUEUE = "insureflow"
_TASK = "insureflow.piece"
_opening = threading.Lock()


class QueueMissing(RuntimeError):
    """The queue is asked for and cannot be used; the text says what to do."""


def _conninfo(app: Flask) -> str:
    settings = app.config["INSUREFLOW"]
    url: str = settings.direct_database_url or settings.database_url
    if url.startswith("sqlite"):
        raise QueueMissing("A queue needs PostgreSQL: set INSUREFLOW_DATABASE_URL to one.")
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


@cache
def _sender(conninfo: str) -> procrastinate.App:
    """The application that only puts pieces in."""
    try:
        import procrastinate
    except ImportError as error:
        raise QueueMissing('The queue is not installed: add it with "insureflow[queue]".') from error
    app = procrastinate.App(connector=procrastinate.SyncPsycopgConnector(conninfo=conninfo, min_size=1, max_size=2))
    app.open()
    return app


def prepare(app: Flask) -> bool:
    """Lay the tables of the queue where they are missing; True if they were. Errors: ``QueueMissing``."""
    import psycopg

    conninfo = _conninfo(app)
    with psycopg.connect(conninfo) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(hashtext('insureflow queue'))")
        if connection.execute("SELECT to_regclass('procrastinate_jobs')").fetchone() != (None,):
            return False
        _sender(conninfo).schema_manager.apply_schema()
        return True


def defer(job: str, organisation_id: int, connection_id: int) -> bool:
    """Hand a piece over; False if the same one waits already. Errors: ``QueueMissing``."""
    from procrastinate import exceptions

    flask_app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 (Flask's documented way)
    with _opening:
        sender = _sender(_conninfo(flask_app))
    name = f"{job}/{organisation_id}/{connection_id}"
    try:
        sender.configure_task(_TASK, queue=QUEUE, lock=f"connection/{organisation_id}/{connection_id}", queueing_lock=name).defer(
            job=job, organisation_id=organisation_id, connection_id=connection_id
        )
    except exceptions.AlreadyEnqueued:
        return False
    return True


def make_worker(flask_app: Flask, pieces: Mapping[str, Callable[..., Mapping[str, int]]]) -> procrastinate.App:
    """The application of a worker process. Errors: ``QueueMissing``."""
    try:
        import procrastinate
    except ImportError as error:
        raise QueueMissing('The queue is not installed: add it with "insureflow[queue]".') from error
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=_conninfo(flask_app)))

    def piece(context: procrastinate.JobContext, job: str, organisation_id: int, connection_id: int) -> None:
        """One piece, in an application context of its own."""
        with flask_app.app_context():
            organisation = organisations.get_organisation(organisation_id)
            on = business_date(organisation.time_zone)
            with within(organisation_id):
                counts = pieces[job](organisation_id, connection_id, on, context.should_abort)
            log.info("piece done", job=job, organisation=organisation_id, connection=connection_id, **counts)

    app.task(name=_TASK, queue=QUEUE, pass_context=True)(piece)
    return app


def close(flask_app: Flask) -> None:
    """Give back the connections over which pieces are put in."""
    with _opening:
        _sender(_conninfo(flask_app)).close()
        _sender.cache_clear()


def waiting(flask_app: Flask) -> int:
    """How many pieces wait or are being done."""
    return sum(1 for job in _sender(_conninfo(flask_app)).job_manager.list_jobs(queue=QUEUE) if job.status in {"todo", "doing"})

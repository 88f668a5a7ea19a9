"""``insureflow scheduler``: the process of recurring and queued work."""

from __future__ import annotations

import logging
import threading

import click
from flask import Flask, current_app
from flask.cli import with_appcontext

from insureflow.cli.stopping import StopRequest, leave
from insureflow.jobs.scheduler import Scheduler


def register(app: Flask) -> None:
    """Add the command."""
    app.cli.add_command(run_scheduler)


@click.command("scheduler")
@with_appcontext
def run_scheduler() -> None:
    """Run recurring work until stopped. Of several such processes one works, the others stand by."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 (Flask's documented way to hand it to a thread)
    settings = app.extensions["insureflow"]
    if not settings.scheduler_enabled:
        raise click.ClickException("Recurring work is switched off: set INSUREFLOW_SCHEDULER_ENABLED to yes.")
    logging.getLogger("apscheduler").setLevel(logging.WARNING)  # our own lines say what runs
    request = StopRequest()
    stopping = threading.Event()
    scheduler = Scheduler(app, settings)
    thread = threading.Thread(target=scheduler.run, args=(stopping,), name="scheduler")
    thread.start()
    request.wait(thread.is_alive)
    ended_alone = not request.is_made()
    stopping.set()
    thread.join()
    if scheduler.has_left_work:
        leave(1 if ended_alone else 0)
    if ended_alone:
        raise click.ClickException("The scheduler has ended; the log above says why.")

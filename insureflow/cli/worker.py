"""``insureflow worker``: a process that does the pieces of work a queue holds."""

from __future__ import annotations

import threading

import click
from flask import Flask, current_app
from flask.cli import with_appcontext

from insureflow.jobs import limits, queue
from insureflow.jobs.scheduler import GOODBYE_SECONDS


def register(app: Flask) -> None:
    """Add the command."""
    app.cli.add_command(run_worker)


@click.command("worker")
@click.option("--concurrency", type=click.IntRange(1, 32), default=2, show_default=True, help="Pieces done at the same time.")
@click.option("--until-empty", is_flag=True, help="End when nothing waits any more.")
@with_appcontext
def run_worker(concurrency: int, until_empty: bool) -> None:
    """Do work out of the queue until stopped (INSUREFLOW_QUEUE=procrastinate). Any number of them may run, on many hosts."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 (Flask's documented way to hand it on)
    if app.config["INSUREFLOW"].queue != "procrastinate":
        raise click.ClickException("This installation has no queue: set INSUREFLOW_QUEUE to procrastinate.")
    try:
        queue.prepare(app)
        worker = queue.make_worker(app, limits.PIECES)
    except queue.QueueMissing as problem:
        raise click.ClickException(str(problem)) from problem
    worker.run_worker(
        queues=[queue.QUEUE],
        concurrency=concurrency,
        wait=not until_empty,
        delete_jobs="successful",
        shutdown_graceful_timeout=GOODBYE_SECONDS,  # then the pieces are told to leave after the part in hand
        install_signal_handlers=threading.current_thread() is threading.main_thread(),  # only there can they be
    )

"""``insureflow sandbox``: sandbox insurers on this machine, to try and test connections without any insurer."""

from __future__ import annotations

import logging
import signal
import sys
from pathlib import Path

import click
import waitress
from flask import Flask, current_app
from flask.cli import with_appcontext

import config
from insureflow.sandbox.application import create_sandbox
from insureflow.services.clock import now

#: The sandbox is for this machine alone: it believes everybody who asks.
HOST = "127.0.0.1"


def register(app: Flask) -> None:
    """Add the command."""
    app.cli.add_command(run_sandbox)


@click.command("sandbox")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on (INSUREFLOW_SANDBOX_PORT).")
@click.option("--state", type=click.Path(dir_okay=False, path_type=Path), help="File that keeps what the insurers know.")
@with_appcontext
def run_sandbox(port: int | None, state: Path | None) -> None:
    """Run sandbox insurers until stopped. They speak like Atradius, Allianz Trade and others, under a path of their own each.

    What they decide, when, and what goes wrong is set under /control; a GET of /control/state shows it.
    """
    settings: config.Config = current_app.extensions["insureflow"]
    sandbox = create_sandbox(state or settings.sandbox_path, now)
    chosen = port or settings.sandbox_port
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    try:
        server = waitress.create_server(sandbox.app, host=HOST, port=chosen, threads=settings.web_threads, ident=None)
    except OSError as error:
        raise click.ClickException(
            f"Cannot listen on port {chosen}: {error.strerror or error}. Choose another one with --port or INSUREFLOW_SANDBOX_PORT."
        ) from None
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(0))
    postman = sandbox.postman()
    postman.start()
    click.echo(f"Sandbox insurers are ready: http://{HOST}:{chosen}/control/state")
    try:
        server.run()  # ends on Ctrl-C or SIGTERM, after the requests at work
    finally:
        postman.stop()
        server.close()
        sandbox.state.close()

"""``insureflow run``: the whole product on one machine, with one command; ``insureflow serve``: the web server alone."""

from __future__ import annotations

import errno
import http.client
import logging
import signal
import socket
import sys
import time
from collections.abc import Mapping

import click
import waitress
from flask import Flask, current_app
from flask.cli import with_appcontext
from flask_migrate import upgrade

import config
from insureflow.cli import demo as demo_commands
from insureflow.cli.children import Child, Lifeline
from insureflow.cli.sandbox import HOST as SANDBOX_HOST
from insureflow.cli.sandbox import run_sandbox
from insureflow.cli.scheduler import run_scheduler
from insureflow.cli.stopping import StopRequest
from insureflow.services import demo
from insureflow.services.database import MIGRATIONS, find_problem
from insureflow.services.jobs import organisations_to_serve

_START_SECONDS = 60
_STOP_SECONDS = 20
_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 (recognised, not bound)


def register(app: Flask) -> None:
    """Add the commands."""
    app.cli.add_command(run)
    app.cli.add_command(serve)


@click.command("run")
@click.option("--host", help="Address to listen on (INSUREFLOW_HOST).")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on (INSUREFLOW_PORT).")
@click.option("--no-demo", is_flag=True, help="Leave an empty database empty.")
@click.pass_context
@with_appcontext
def run(context: click.Context, host: str | None, port: int | None, no_demo: bool) -> None:
    """Prepare the database, load the demo into an empty one, and start web server and scheduler until Ctrl-C."""
    request = StopRequest()
    settings: config.Config = current_app.extensions["insureflow"]
    address = (host or settings.host, port or settings.port)
    with_demo = settings.demo and not no_demo
    _require_free(address)
    lifeline = Lifeline()
    children = {"preparation": Child(lambda: _prepare(context, with_demo=with_demo), lifeline)}
    request.wait(lambda: _all_live(children))
    if not request.is_made() and children["preparation"].status() == 0:
        children = {"web server": Child(lambda: context.invoke(serve, host=address[0], port=address[1]), lifeline)}
        if with_demo and _is_sandbox_free(settings):
            children["sandbox insurers"] = Child(lambda: context.invoke(run_sandbox), lifeline)
        if settings.scheduler_enabled:
            children["scheduler"] = Child(lambda: context.invoke(run_scheduler), lifeline)
        if _wait_until_answering(request, children, address):
            _announce(address)
            if with_demo:
                Child(_tell_logins, lifeline).wait(_STOP_SECONDS)
            request.wait(lambda: _all_live(children))
    ended = [name for name, child in children.items() if child.status() is not None]
    _stop(children)
    if not request.is_made():
        raise click.ClickException(
            f"InsureFlow has stopped: the {' and the '.join(ended) or 'web server'} did not keep running; see above."
        )
    click.echo("InsureFlow has stopped.")


@click.command("serve")
@click.option("--host", help="Address to listen on (INSUREFLOW_HOST).")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on (INSUREFLOW_PORT).")
@with_appcontext
def serve(host: str | None, port: int | None) -> None:
    """Run the web server alone."""
    settings: config.Config = current_app.extensions["insureflow"]
    address = (host or settings.host, port or settings.port)
    _require_free(address)
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 (Flask's documented way to hand it on)
    server = waitress.create_server(
        app,
        host=address[0],
        port=address[1],
        threads=settings.web_threads,
        ident=None,
        clear_untrusted_proxy_headers=not settings.trusted_proxies,  # the application itself trusts as many as the settings say
    )
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(0))
    server.run()  # ends on Ctrl-C or SIGTERM, after the requests at work
    server.close()


def _require_free(address: tuple[str, int]) -> None:
    """Ends with a plain message when the address cannot be listened on."""
    host, port = address
    try:
        for family, kind, protocol, _name, place in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE):
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(place)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise click.ClickException(f"Port {port} is in use by another program. Choose another one: --port {port + 1}") from None
        raise click.ClickException(
            f"Cannot listen on {host}, port {port}: {error.strerror or error}. Choose others with --host and --port."
        ) from None


def _is_sandbox_free(settings: config.Config) -> bool:
    """Whether the sandbox insurers can listen; the product works without them, so a port in use is told and no more."""
    try:
        _require_free((SANDBOX_HOST, settings.sandbox_port))
    except click.ClickException:
        click.echo(
            f"Port {settings.sandbox_port} is in use by another program, so the sandbox insurers of the demo are not started. "
            "Choose another port with INSUREFLOW_SANDBOX_PORT.",
            err=True,
        )
        return False
    return True


def _prepare(context: click.Context, *, with_demo: bool) -> None:
    """Brings the database to the newest migration and loads the demo organisation into one that holds none."""
    if find_problem() is not None:
        click.echo("Preparing the database ...")
        logging.getLogger("alembic").setLevel(logging.WARNING)
        upgrade(directory=str(MIGRATIONS))
    if with_demo:
        context.invoke(demo_commands.load, if_empty=True)


def _all_live(children: Mapping[str, Child]) -> bool:
    return all(child.status() is None for child in children.values())


def _wait_until_answering(request: StopRequest, children: Mapping[str, Child], address: tuple[str, int]) -> bool:
    """True once the web server answers; False when it will not, because it ended, was told to, or takes too long."""
    end = time.monotonic() + _START_SECONDS
    answers = False

    def goes_on() -> bool:
        nonlocal answers
        answers = _answers(address)
        return not answers and _all_live(children) and time.monotonic() < end

    request.wait(goes_on)
    return answers and not request.is_made()


def _answers(address: tuple[str, int]) -> bool:
    connection = http.client.HTTPConnection(_ANY_ADDRESS.get(address[0], address[0]), address[1], timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _stop(children: Mapping[str, Child]) -> None:
    for child in children.values():
        child.terminate()
    for child in children.values():
        child.wait(_STOP_SECONDS)


def _tell_logins() -> None:
    """Prints how to log in to the demo, where it is loaded."""
    if not any(slug == demo.DEMO_SLUG for _key, slug in organisations_to_serve()):
        return
    click.echo("Log in to the demo with one of these, password: " + demo.DEMO_PASSWORD)
    for email, name, role in demo.DEMO_USERS:
        click.echo(f"  {email:<28} {role.value:<18} {name}")


def _announce(address: tuple[str, int]) -> None:
    host = _ANY_ADDRESS.get(address[0], address[0])
    shown = f"[{host}]" if ":" in host else host
    click.echo(f"InsureFlow is ready: http://{shown}:{address[1]}/  (Ctrl-C stops it)")

"""``insureflow run``: the whole product on one machine, with one command; ``insureflow serve``: the web server alone."""

from __future__ import annotations

import errno
import http.client
import logging
import signal
import socket
import subprocess
import sys
import time

import click
import waitress
from flask import Flask, current_app
from flask.cli import with_appcontext
from flask_migrate import upgrade

import config
from insureflow.cli.stopping import StopRequest, end_with_parent
from insureflow.services.database import MIGRATIONS, find_problem

_START_SECONDS = 60
_STOP_SECONDS = 20
_ENTRY = "from insureflow.app import main; main()"
_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 (recognised, not bound)

Children = dict[str, "subprocess.Popen[bytes]"]


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
    _require_free(address)
    if find_problem() is not None:
        click.echo("Preparing the database ...")
        logging.getLogger("alembic").setLevel(logging.WARNING)
        upgrade(directory=str(MIGRATIONS))
    if settings.demo and not no_demo:
        _load_demo(context)
    if request.is_made():
        return
    children: Children = {"web server": _start("serve", "--host", address[0], "--port", str(address[1]))}
    if settings.scheduler_enabled:
        children["scheduler"] = _start("scheduler")
    try:
        _wait_until_answering(request, children, address)
        if not request.is_made() and _all_live(children):
            _announce(address)
            request.wait(lambda: _all_live(children))
        ended = [name for name, child in children.items() if child.poll() is not None]
    finally:
        _stop(children)
    if not request.is_made():
        raise click.ClickException(
            f"InsureFlow has stopped: the {' and the '.join(ended) or 'web server'} did not keep running; see above."
        )
    click.echo("InsureFlow has stopped.")


@click.command("serve")
@click.option("--host", help="Address to listen on (INSUREFLOW_HOST).")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on (INSUREFLOW_PORT).")
@click.option("--with-parent", is_flag=True, hidden=True, help="End when standard input is closed.")
@with_appcontext
def serve(host: str | None, port: int | None, with_parent: bool) -> None:
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
    if with_parent:
        end_with_parent()
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


def _start(*arguments: str) -> subprocess.Popen[bytes]:
    """One child process, in a session of its own so that Ctrl-C reaches it only through us, and in order."""
    return subprocess.Popen([sys.executable, "-c", _ENTRY, *arguments, "--with-parent"], stdin=subprocess.PIPE, start_new_session=True)  # noqa: S603 (our own command)


def _all_live(children: Children) -> bool:
    return all(child.poll() is None for child in children.values())


def _wait_until_answering(request: StopRequest, children: Children, address: tuple[str, int]) -> None:
    end = time.monotonic() + _START_SECONDS
    request.wait(lambda: _all_live(children) and not _answers(address) and time.monotonic() < end)
    if not request.is_made() and _all_live(children) and not _answers(address):
        raise click.ClickException(f"The web server did not answer within {_START_SECONDS} seconds.")


def _answers(address: tuple[str, int]) -> bool:
    connection = http.client.HTTPConnection(_ANY_ADDRESS.get(address[0], address[0]), address[1], timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _stop(children: Children) -> None:
    for child in children.values():
        child.terminate()
    end = time.monotonic() + _STOP_SECONDS
    for child in children.values():
        try:
            child.wait(max(0, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        if child.stdin is not None:
            child.stdin.close()


def _load_demo(context: click.Context) -> None:
    """Loads the demo organisation into a database that holds none."""
    demo = current_app.cli.get_command(context, "demo")
    load = demo.get_command(context, "load") if isinstance(demo, click.Group) else None
    if load is not None:
        context.invoke(load)


def _announce(address: tuple[str, int]) -> None:
    host = _ANY_ADDRESS.get(address[0], address[0])
    shown = f"[{host}]" if ":" in host else host
    click.echo(f"InsureFlow is ready: http://{shown}:{address[1]}/  (Ctrl-C stops it)")

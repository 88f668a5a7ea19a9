"""The sandbox as one web application: each insurer under a prefix of its own, and the controls beside them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from flask import Flask, Response, jsonify, request

from insureflow import sandbox
from insureflow.sandbox import book, faults
from insureflow.sandbox.pushes import Postman
from insureflow.sandbox.state import State

_MOST_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The application and what stands behind it. Start the postman where pushes and delays shall happen by themselves."""

    app: Flask
    state: State

    def postman(self) -> Postman:
        """A new thread that carries pushes out."""
        return Postman(self.state, book.settle_due)


def create_sandbox(path: Path, clock: Callable[[], datetime]) -> Sandbox:
    """The sandbox insurers on the state of a file. Every module here with a ``make_blueprint(state)`` is served."""
    state = State(path, clock)
    app = Flask("insureflow.sandbox", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = _MOST_BYTES
    app.json.sort_keys = False  # type: ignore[attr-defined]  # Flask's default provider has it
    faults.install(app, state)
    app.before_request(lambda: _settle(state))
    for info in sorted(iter_modules(sandbox.__path__), key=lambda each: each.name):
        module = import_module(f"{sandbox.__name__}.{info.name}")
        if hasattr(module, "make_blueprint"):
            app.register_blueprint(module.make_blueprint(state))
    app.register_error_handler(404, lambda _error: _not_found())
    app.add_url_rule("/healthz", "health", lambda: jsonify({"status": "ok"}))
    return Sandbox(app, state)


def _settle(state: State) -> None:
    book.settle_due(state)


def _not_found() -> tuple[Response, int]:
    """An insurer with a gate in front answers a wrong path with 403, not 404."""
    if request.path.startswith("/atradius/"):
        return jsonify({"errors": [{"detail": "Forbidden"}]}), 403
    return jsonify({"message": "Not found"}), 404

"""Whether the process lives, and whether it can work."""

from __future__ import annotations

from flask import Blueprint, Flask
from flask.typing import ResponseReturnValue

from insureflow.services import database

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> ResponseReturnValue:
    """Answer while the process lives."""
    return {"status": "ok"}


@blueprint.get("/readyz")
def readyz() -> ResponseReturnValue:
    """Answer 200 once the database can be reached and is at the newest migration, else 503."""
    problem = database.find_problem()
    return ({"status": "ok"}, 200) if problem is None else ({"status": problem}, 503)


def register(app: Flask) -> None:
    """Add the two addresses."""
    app.register_blueprint(blueprint)

"""The door for messages that insurers send of their own accord: kept and answered at once, followed later."""

from __future__ import annotations

from flask import Blueprint, request
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue

from insureflow.domain.errors import Refusal
from insureflow.services import inbox

blueprint = Blueprint("pushes", __name__)


@blueprint.record_once
def _without_token(state: BlueprintSetupState) -> None:
    """No cookie opens this door, so a foreign page gains nothing by sending a form to it."""
    state.app.extensions["csrf"].exempt(blueprint)


@blueprint.post("/push/<slug>/<push_key>")
def receive(slug: str, push_key: str) -> ResponseReturnValue:
    """Keep a push. A wrong address is answered like one that does not exist; a repetition like the first."""
    if request.content_length is None or request.content_length > inbox.LARGEST_BODY_BYTES:
        return {}, 413
    body = request.get_data(cache=False)
    try:
        inbox.receive(slug, push_key, dict(request.headers), body)
    except Refusal as refusal:
        return {}, {"push_unknown": 404, "push_too_large": 413}.get(refusal.code, 400)
    return {}, 202

"""Errors as pages: what went wrong, where, and what to do."""

from __future__ import annotations

from decimal import Decimal

import structlog
from flask import current_app, g, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from insureflow.domain.errors import Refusal
from insureflow.i18n.words import sentence_for
from insureflow.web import filters
from insureflow.web.context import choose_locale

log = structlog.get_logger("insureflow.web")

WITH_TEMPLATE = frozenset({400, 403, 404, 409, 413, 422, 429, 500})


def answer(error: Exception) -> ResponseReturnValue:
    """The page of any error, in the reader's language."""
    if isinstance(error, CSRFError):
        return _form_expired(error)
    if isinstance(error, HTTPException):
        return _http_error(error)
    if isinstance(error, Refusal):
        return _refusal(error)
    return _unexpected(error)


def _page(status: int, message: str | None = None) -> ResponseReturnValue:
    template = f"errors/{status}.html" if status in WITH_TEMPLATE else "errors/500.html"
    largest = _largest_upload() if status == 413 else None
    return render_template(template, message=message, request_id=g.get("request_id"), status=status, largest=largest), status


def _largest_upload() -> str | None:
    """The largest file this installation takes, in words such as 50 MiB; None where nothing is set."""
    largest = current_app.config["MAX_CONTENT_LENGTH"]
    return None if largest is None else f"{filters.number(Decimal(largest) / 2**20)}\u00a0MiB"


def _form_expired(error: CSRFError) -> ResponseReturnValue:
    return _page(400, str(error.description))


def _http_error(error: HTTPException) -> ResponseReturnValue:
    if error.code is None or error.code < 400 or error.response is not None:
        return error.get_response()
    if error.code not in WITH_TEMPLATE:
        return error.get_response()
    return _page(error.code)


def _refusal(error: Refusal) -> ResponseReturnValue:
    status = 404 if error.code.endswith("_unknown") else 409
    return _page(status, sentence_for(error, choose_locale()))


def _unexpected(error: Exception) -> ResponseReturnValue:
    log.error("unexpected", id=g.get("request_id"), path=request.path, exc_info=error)
    return _page(500)

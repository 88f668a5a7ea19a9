"""Errors as ``application/problem+json``: a stable code, its parameters, and a sentence for people."""

from __future__ import annotations

from typing import Any

import structlog
from babel import negotiate_locale
from flask import current_app, g, jsonify, request
from flask.typing import ResponseReturnValue
from marshmallow import Schema
from marshmallow import fields as shapes
from werkzeug.exceptions import HTTPException

from insureflow.domain.errors import InvalidValues, Refusal
from insureflow.i18n.words import find_sentence, sentence, sentence_for
from insureflow.services.journal import plain

log = structlog.get_logger("insureflow.api")

MEDIA_TYPE = "application/problem+json"


class ProblemSchema(Schema):
    """What went wrong, for programs (``code``, ``parameters``) and for people (``detail``)."""

    type = shapes.String(metadata={"description": "Always about:blank; the code tells problems apart."})
    title = shapes.String(metadata={"description": "Name of the HTTP status."})
    status = shapes.Integer()
    code = shapes.String(metadata={"description": "Stable code of the refusal."})
    detail = shapes.String(metadata={"description": "What is wrong, where, and what to do."})
    parameters = shapes.Dict(metadata={"description": "The values the sentence speaks of."})
    problems = shapes.List(shapes.Dict(), metadata={"description": "All problems of the input at once."})
    request_id = shapes.String()


def locale() -> str:
    """The language the caller wants its sentences in."""
    supported = current_app.config["SUPPORTED_LOCALES"]
    return negotiate_locale([tag for tag, _quality in request.accept_languages], supported, sep="-") or "en"


def _problem(status: int, title: str, code: str, detail: str, **more: Any) -> ResponseReturnValue:
    body = {"type": "about:blank", "title": title, "status": status, "code": code, "detail": detail, "request_id": g.get("request_id", "")}
    reply = jsonify({**body, **more})
    reply.status_code = status
    reply.mimetype = MEDIA_TYPE
    return reply


def _of_refusal(refusal: Refusal) -> dict[str, Any]:
    return {"code": refusal.code, "detail": sentence_for(refusal, locale()), "parameters": plain(dict(refusal.parameters))}


def answer(error: Exception) -> ResponseReturnValue:
    """The problem of an error. Refusals of input are 422, of what is not there 404, of what cannot be now 409."""
    if isinstance(error, InvalidValues):
        problems = [_of_refusal(problem) for problem in error.problems]
        detail = " ".join(problem["detail"] for problem in problems)
        return _problem(422, "Unprocessable Content", error.code, detail, problems=problems)
    if isinstance(error, Refusal):
        whole = _of_refusal(error)
        status = 404 if error.code.endswith("_unknown") else 422 if hasattr(error, "path") else 409
        title = {404: "Not Found", 409: "Conflict", 422: "Unprocessable Content"}[status]
        return _problem(status, title, whole["code"], whole["detail"], parameters=whole["parameters"])
    if isinstance(error, HTTPException):
        return _of_http(error)
    log.error("unexpected", id=g.get("request_id"), path=request.path, exc_info=error)
    return _problem(500, "Internal Server Error", "unexpected", sentence("http.internal_server_error", {}, locale()))


def _of_http(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 500
    data = getattr(error, "data", None) or {}
    more = {"problems": _fields(data["messages"])} if "messages" in data else {}
    code = error.name.casefold().replace(" ", "_")
    detail = sentence(f"http.{code}", {}, locale()) if find_sentence(f"http.{code}") else error.name
    reply = current_app.make_response(_problem(status, error.name, code, detail, **more))
    for name, value in error.get_headers():
        if name not in ("Content-Type", "Content-Length"):
            reply.headers[name] = value
    if status == 401:
        reply.headers["WWW-Authenticate"] = 'Bearer realm="InsureFlow"'
    return reply


def _fields(messages: dict[str, Any]) -> list[dict[str, Any]]:
    """What marshmallow found, a line per field: where it stood and what is wrong."""
    return [
        {"place": place, "field": name, "messages": told if isinstance(told, list) else [str(told)]}
        for place, by_field in messages.items()
        for name, told in by_field.items()
    ]

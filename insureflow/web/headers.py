"""What every answer carries: a strict content policy, and logs without secrets."""

from __future__ import annotations

import time
import uuid
from collections.abc import MutableMapping
from typing import Any

import structlog
from flask import Flask, Response, g, request

log = structlog.get_logger("insureflow.web")

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; img-src 'self'; style-src 'self'; script-src 'self'; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

SECRET_WORDS = ("password", "secret", "token", "authorization", "cookie", "salt", "api_key")


def redact_secrets(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A log line without the value of anything whose name sounds like a secret."""
    for name in event:
        if any(word in name.lower() for word in SECRET_WORDS):
            event[name] = "[removed]"
    return event


def register(app: Flask, *, secure: bool) -> None:
    """Put the headers on every answer and write one line about it."""

    @app.before_request
    def _begin() -> None:
        g.request_id = uuid.uuid4().hex[:12]
        g.started = time.perf_counter()

    @app.after_request
    def _finish(response: Response) -> Response:
        response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["X-Frame-Options"] = "DENY"
        response.headers["Referrer-Policy"] = "same-origin"
        response.headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()"
        response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        if secure:
            response.headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
        if request.endpoint not in ("static", "health.healthz"):
            response.headers.setdefault("Cache-Control", "no-store")
            response.headers["X-Request-Id"] = g.get("request_id", "")
            log.info(
                "request",
                id=g.get("request_id"),
                method=request.method,
                path=request.path,
                status=response.status_code,
                milliseconds=round((time.perf_counter() - g.get("started", time.perf_counter())) * 1000),
            )
        return response

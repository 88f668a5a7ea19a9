"""Who comes in by the API: the owner of a key, or, for reading alone, somebody logged in to the pages."""

from __future__ import annotations

from contextvars import Token

from flask import Flask, current_app, g, request, session
from flask_security import current_user
from werkzeug.exceptions import Forbidden, Unauthorized

from insureflow.domain.access import MEMBER, PERMISSIONS, Permission
from insureflow.services import organisations, tokens
from insureflow.services.clock import business_date, now
from insureflow.services.journal import Actor
from insureflow.services.scoping import enter_scope, leave_scope

_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_SCHEME = "Bearer "


def register(app: Flask) -> None:
    """Check every request to the API before its view runs."""
    app.before_request(_admit)
    app.teardown_request(_leave)


def is_api(path: str) -> bool:
    """True for an address of the API."""
    return path.startswith("/api/")


def _admit() -> None:
    if request.endpoint is None or not is_api(request.path):
        return
    permission = getattr(current_app.view_functions[request.endpoint], "permission", None)
    if permission is None:  # the description of the API itself
        return
    granted = _by_key() if request.headers.get("Authorization", "").startswith(_SCHEME) else _by_session()
    g.on = g.today = business_date(g.organisation.time_zone)
    g.permissions = granted
    if permission != MEMBER and Permission(permission) not in granted:
        raise Forbidden


def _by_key() -> frozenset[Permission]:
    bearer = tokens.find_bearer(request.headers["Authorization"].removeprefix(_SCHEME).strip(), now())
    if bearer is None:
        raise Unauthorized(www_authenticate=None)
    g.user, g.organisation, g.role = bearer.user, bearer.organisation, bearer.role
    g.actor = Actor(bearer.user.id, bearer.user.email)
    g.api_scope_token = enter_scope(bearer.organisation.id)
    return bearer.permissions


def _by_session() -> frozenset[Permission]:
    """A session opens the API for reading only: it changes nothing there, so nobody can be tricked into a change."""
    if not current_user.is_authenticated or request.method not in _READING:
        raise Unauthorized(www_authenticate=None)
    memberships = organisations.memberships_of(current_user.id)
    if not memberships:
        raise Forbidden
    chosen = next((m for m in memberships if m.organisation_id == session.get("organisation_id")), memberships[0])
    g.user, g.organisation, g.role = current_user, chosen.organisation, chosen.role
    g.actor = Actor(current_user.id, current_user.email)
    g.api_scope_token = enter_scope(chosen.organisation_id)
    return PERMISSIONS[chosen.role]


def _leave(_error: BaseException | None) -> None:
    token: Token[int | None] | None = g.pop("api_scope_token", None)
    if token is not None:
        leave_scope(token)

"""Every route declares who may use it; a route that does not stops the start.

``@requires(Permission.VIEW_BUYERS)`` on a view is the declaration. Before any view runs, the person is known, an organisation
of theirs is chosen, its scope is entered and the permission is checked; so no view can forget it.
"""

from __future__ import annotations

from contextvars import Token

from flask import Flask, abort, current_app, g, request, session
from flask_security import current_user
from werkzeug.wrappers import Response

from insureflow.domain.access import MEMBER, Permission, for_every_member, is_allowed, requires
from insureflow.services import organisations
from insureflow.services.journal import Actor
from insureflow.services.scoping import enter_scope, leave_scope

__all__ = [
    "MEMBER",
    "PUBLIC_ENDPOINTS",
    "declared_permission",
    "for_every_member",
    "may",
    "register",
    "require_declared_permissions",
    "requires",
]

#: Endpoints open to everybody: files, health, the log-in pages that Flask-Security brings, the door for insurers' pushes and
#: the calendar feeds, whose addresses hold a secret.
PUBLIC_ENDPOINTS = frozenset(
    {
        "static",
        "security.static",
        "security.login",
        "security.logout",
        "security.verify",
        "health.healthz",
        "health.readyz",
        "api-docs.openapi_json",
        "pushes.receive",
        "telling.feed",
    }
)

#: The API has an entrance of its own.
API_PREFIX = "/api/"


def declared_permission(app: Flask, endpoint: str) -> Permission | str | None:
    """What an endpoint declares: a permission, ``"member"``, ``"public"`` or None."""
    if endpoint in PUBLIC_ENDPOINTS:
        return "public"
    if endpoint == "security.change_password":
        return MEMBER
    view = app.view_functions[endpoint]
    return getattr(view, "permission", None) or getattr(getattr(view, "view_class", None), "permission", None)


def require_declared_permissions(app: Flask) -> None:
    """Stop the start if any route forgot to say who may use it."""
    missing = sorted({rule.endpoint for rule in app.url_map.iter_rules() if declared_permission(app, rule.endpoint) is None})
    if missing:
        raise RuntimeError("routes without a declared permission: " + ", ".join(missing))


def register(app: Flask) -> None:
    """Check every request before its view runs."""
    app.before_request(_admit)
    app.teardown_request(_leave)


def _admit() -> Response | None:
    if request.endpoint is None or request.path.startswith(API_PREFIX):
        return None
    permission = declared_permission(current_app, request.endpoint)
    if permission == "public":
        return None
    if not current_user.is_authenticated:
        unauthorised: Response = current_app.login_manager.unauthorized()  # type: ignore[attr-defined]  # set by Flask-Security
        return unauthorised
    memberships = organisations.memberships_of(current_user.id)
    if not memberships:
        abort(403)
    chosen = next((m for m in memberships if m.organisation_id == session.get("organisation_id")), memberships[0])
    g.user = current_user
    g.memberships = memberships
    g.organisation = chosen.organisation
    g.role = chosen.role
    g.actor = Actor(current_user.id, current_user.email)
    g.scope_token = enter_scope(chosen.organisation_id)
    if permission is None or (permission != MEMBER and not is_allowed(g.role, Permission(permission))):
        abort(403)
    return None


def may(permission: Permission | str) -> bool:
    """True if the person of this request may do this in the chosen organisation."""
    return is_allowed(g.get("role"), Permission(permission))


def _leave(_error: BaseException | None) -> None:
    token: Token[int | None] | None = g.pop("scope_token", None)
    if token is not None:
        leave_scope(token)

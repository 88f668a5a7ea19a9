"""What every page knows: the day, the scope, the language and the way to the other pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from babel import Locale
from flask import Flask, current_app, g, has_request_context, request, session, url_for
from flask_babel import get_locale
from flask_security import current_user

from insureflow.domain.access import Permission, is_allowed
from insureflow.queries import organisations as organisation_queries
from insureflow.queries import telling as telling_queries
from insureflow.services.clock import business_date
from insureflow.services.scoping import enter_scope, leave_scope
from insureflow.web.access import may
from insureflow.web.keys import read_key
from insureflow.web.navigation import SECTIONS, section_of

CHOICES = ("organisation", "entity", "policy", "on", "language")


@dataclass(frozen=True, slots=True)
class Scope:
    """What the pages of this request are about: the organisation, and the entity and policy chosen within it."""

    organisation: Any
    organisations: Sequence[Any] = ()
    entities: Sequence[Any] = ()
    entity: Any = None
    policies: Sequence[Any] = ()
    policy: Any = None

    @property
    def entity_id(self) -> int | None:
        """Key of the chosen entity, or None for all."""
        return None if self.entity is None else int(self.entity.id)

    @property
    def policy_id(self) -> int | None:
        """Key of the chosen policy, or None for all."""
        return None if self.policy is None else int(self.policy.id)


@dataclass(slots=True)
class NavigationItem:
    """One entry of the navigation as the template draws it."""

    label: str
    url: str
    active: bool
    children: list[NavigationItem] = field(default_factory=list)


def choose_locale() -> str:
    """Language of this request: the choice made on a page, then the person's own, then the browser's."""
    supported = current_app.config["SUPPORTED_LOCALES"]
    if not has_request_context():
        return str(current_app.config["BABEL_DEFAULT_LOCALE"])
    chosen = session.get("language") or (current_user.locale if current_user and current_user.is_authenticated else None)
    if chosen in supported:
        return str(chosen)
    return request.accept_languages.best_match(supported) or str(current_app.config["BABEL_DEFAULT_LOCALE"])


def choose_time_zone() -> str:
    """Time zone of this request: the organisation's."""
    organisation = g.get("organisation")
    return organisation.time_zone if organisation is not None else str(current_app.config["BABEL_DEFAULT_TIMEZONE"])


def register(app: Flask) -> None:
    """Work out the context of every request, and give it to every template."""
    app.before_request(_remember_choices)
    app.context_processor(_for_templates)


def _remember_choices() -> None:
    language = request.args.get("language")
    if language in current_app.config["SUPPORTED_LOCALES"]:
        session["language"] = language
    if g.get("organisation") is None:
        return
    chosen = read_key(request.args.get("organisation"))
    if chosen is not None:
        _choose_organisation(chosen)
    for name in ("entity", "policy"):
        if name in request.args and request.endpoint and not request.endpoint.startswith("api"):
            session[name] = read_key(request.args[name])
    g.today = business_date(g.organisation.time_zone)
    if "on" in request.args:
        session["on"] = _read_day(request.args["on"])
    stored = _read_day(session.get("on") or "")
    g.on = date.fromisoformat(stored) if stored and stored != g.today.isoformat() else g.today
    entities = organisation_queries.list_entities()
    policies = organisation_queries.list_policies()
    g.scope = Scope(
        organisation=g.organisation,
        organisations=[membership.organisation for membership in g.memberships],
        entities=entities,
        entity=next((entity for entity in entities if entity.id == session.get("entity")), None),
        policies=policies,
        policy=next((policy for policy in policies if policy.id == session.get("policy")), None),
    )


def _choose_organisation(organisation_id: int) -> None:
    if organisation_id == g.organisation.id or all(m.organisation_id != organisation_id for m in g.memberships):
        return
    session["organisation_id"] = organisation_id
    session.pop("entity", None)
    session.pop("policy", None)
    chosen = next(m for m in g.memberships if m.organisation_id == organisation_id)
    leave_scope(g.scope_token)
    g.organisation, g.role = chosen.organisation, chosen.role
    g.scope_token = enter_scope(organisation_id)


def _read_day(value: str) -> str | None:
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError:
        return None


def _navigation() -> list[NavigationItem]:
    items: list[NavigationItem] = []
    current = section_of(request.endpoint or "", is_about_buyer="buyer_id" in (request.view_args or {}))
    for section in SECTIONS:
        pages = [
            page for page in section.pages if is_allowed(g.get("role"), page.permission) and page.endpoint in current_app.view_functions
        ]
        if not pages:
            continue
        children = [NavigationItem(str(page.label), url_for(page.endpoint), _is_current(page.endpoint)) for page in pages]
        items.append(NavigationItem(str(section.label), children[0].url, section is current, children if len(children) > 1 else []))
    return items


def _is_current(endpoint: str) -> bool:
    return request.endpoint == endpoint


def url_with(**changes: Any) -> str:
    """Address of this page with some query arguments changed; a value of None removes one."""
    arguments: dict[str, Any] = {name: values if len(values) > 1 else values[0] for name, values in request.args.lists()}
    arguments.update(changes)
    own = request.view_args or {}
    kept = {name: value for name, value in arguments.items() if value is not None and name not in CHOICES and name not in own}
    return url_for(request.endpoint or "dashboard.index", **own, **kept)


def _unread() -> int:
    """How much this person was told and has not read."""
    return telling_queries.count_unread(g.user.id) if may(Permission.VIEW_OBLIGATIONS) else 0


def _for_templates() -> dict[str, Any]:
    locale = get_locale() or Locale.parse("en")
    languages = [(tag, (Locale.parse(tag).get_display_name(tag) or tag).capitalize()) for tag in current_app.config["SUPPORTED_LOCALES"]]
    common: dict[str, Any] = {
        "locale": locale,
        "direction": locale.text_direction,
        "languages": languages,
        "url_with": url_with,
        "may": may,
    }
    if g.get("scope") is not None:
        common |= {"scope": g.scope, "nav": _navigation(), "unread": _unread}
    return common

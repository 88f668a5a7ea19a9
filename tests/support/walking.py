"""Every address of the product with its places filled: the tests that walk all of it find new routes by themselves.

The place ``buyer_id`` of an address takes a key of the table ``buyer``, and so on; what is not named after its table stands in
``TABLES``, and places that are no keys in ``PLAIN``. A place that cannot be filled raises ``Unfilled``, and so fails the test.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlsplit

from flask import Flask
from werkzeug.routing import AnyConverter, Rule

from insureflow.domain.access import Permission
from insureflow.web.access import MEMBER, declared_permission

#: Tables by the name of the place, where it is not the table's own name.
TABLES = {
    "act": "account_act",
    "assessment": "discretionary_assessment",
    "connection": "insurer_connection",
    "difference": "sync_difference",
    "document": "issued_document",
    "hold": "dunning_hold",
    "letter": "dunning_letter",
    "note": "contact_note",
    "plan": "payment_plan",
    "promise": "promise_to_pay",
    "endpoint": "webhook_endpoint",
    "exchange": "insurer_exchange",
    "message": "outbox_message",
    "item": "work_item",
    "request": "limit_request",
    "alias": "buyer_name",
    "batch": "import_batch",
    "block": "manual_block",
    "decision": "limit_decision",
    "duty": "obligation",
    "entry": "journal_entry",
    "exception": "block_exception",
    "feed": "calendar_feed",
    "file": "stored_file",
    "group": "limit_group",
    "import": "import_batch",
    "limit": "limit_decision",
    "mark": "obligation_mark",
    "mail": "message",
    "member": "membership",
    "name": "buyer_name",
    "person": "app_user",
    "problem": "import_problem",
    "profile": "import_profile",
    "rate": "manual_rate",
    "token": "api_token",
    "user": "app_user",
    "version": "policy_terms_version",
    "view": "saved_view",
}

#: Places that are no keys: by name, or by endpoint and name where the same name means two things.
PLAIN: dict[str, object] = {
    "contacts.desk purpose": "notices",
    "pushes.receive slug": "nobody",
    "pushes.receive push_key": "unknown",
    "telling.feed slug": "nobody",
    "telling.feed secret": "unknown",
    "connections.add connector_key": "atradius",
    "policies.preset key": "atradius-nl",
    "policies.new key": "atradius-nl",
    "exposure.country code": "DE",
    "exposure.divided name": "policy",
    "api_schedules.show job": "limits.sync",
    "api_schedules.change job": "limits.sync",
    "api_schedules.reset job": "limits.sync",
    "schedules.show job": "limits.sync",
    "schedules.change job": "limits.sync",
    "schedules.reset job": "limits.sync",
    "sequence": 1,
    "country": "DE",
    "currency": "EUR",
    "format": "csv",
    "kind": "overdue_notification",
    "day": "2026-11-20",
    "month": "2026-11",
    "year": 2026,
    "bucket": "not_yet_due",
    "layer": "primary",
    "token_id": 1,
}


#: Which row's key a place takes where the first one is of another kind.
LAST = frozenset(
    {
        "limit_cuts.show",
        "limit_cuts.plan",
        "api_limit_cuts.show",
        "api_limit_cuts.plan",
        "limit_requests.task",
        "limit_requests.progress",
        "limit_requests.cancel_task",
    }
)

#: And which take the second row's.
SECOND = frozenset({"notices.task", "notices.progress", "notices.cancel_task"})

#: Pages that answer only with arguments behind their address, and 404 without.
NEEDS_ARGUMENTS = frozenset(
    {
        "obligations.worked_out",
        "api_shipments.ask",
        "api_discretionary.audit",
        "api_declarations.premium",
        "api_statements.account",
        "api_interest_notices.interest",
        "telling.feed",
    }
)


class Unfilled(AssertionError):
    """A place of an address that the tests cannot fill: say in ``support.walking`` which table its key comes from."""


@dataclass(frozen=True, slots=True)
class Route:
    """One address pattern with one method."""

    rule: Rule
    method: str
    permission: Permission | str

    @property
    def endpoint(self) -> str:
        """The endpoint's name."""
        return self.rule.endpoint

    @property
    def has_keys(self) -> bool:
        """Whether the address names a row of the organisation."""
        return any(_table_of(self.rule, name) is not None for name in self.rule.arguments)

    def __str__(self) -> str:
        return f"{self.method} {self.rule.rule} ({self.rule.endpoint})"


def routes(app: Flask, *methods: str) -> list[Route]:
    """Every route of the product but files, in the order of their addresses; the log-out comes last, because it ends a walk."""
    found = [
        Route(rule, method, declared_permission(app, rule.endpoint) or "")
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
        if rule.endpoint not in {"static", "security.static"} and (not methods or method in methods)
    ]
    return sorted(found, key=lambda route: (route.endpoint == "security.logout", "delete" in route.endpoint, route.rule.rule, route.method))


def is_open(route: Route) -> bool:
    """Whether a route is for everybody who is a member, or for everybody at all."""
    return route.permission in {MEMBER, "public"}


def _table_of(rule: Rule, name: str) -> str | None:
    """The table whose key a place takes, or None for a plain value."""
    if f"{rule.endpoint} {name}" in PLAIN or name in PLAIN or not name.endswith("_id"):
        return None
    stem = name.removesuffix("_id")
    return TABLES.get(stem, stem)


def addresses(app: Flask, route: Route, keys: Mapping[str, Sequence[int]]) -> list[str]:
    """The addresses of a route with the first key of each table, and with every word where a place names its words.

    Errors: ``Unfilled``.
    """
    choices: dict[str, list[object]] = {}
    for name in sorted(route.rule.arguments):
        table, converter = _table_of(route.rule, name), route.rule._converters[name]
        if isinstance(converter, AnyConverter):
            choices[name] = sorted(converter.items)
        elif table is not None:
            known = list(keys.get(table, ()))
            choices[name] = known[-1:] if route.endpoint in LAST else known[1:2] if route.endpoint in SECOND else known[:1]
        else:
            value = PLAIN.get(f"{route.endpoint} {name}", PLAIN.get(name))
            choices[name] = [] if value is None else [value]
        if not choices[name]:
            raise Unfilled(f"{route}: nothing is known for <{name}>; add it to TABLES or PLAIN in tests/support/walking.py")
    with app.test_request_context():
        return [app.url_for(route.endpoint, **dict(zip(choices, values, strict=True))) for values in itertools.product(*choices.values())]


def filled(app: Flask, route: Route, keys: Mapping[str, Sequence[int]]) -> str:
    """One address of a route with the first key of each table. Errors: ``Unfilled``."""
    return addresses(app, route, keys)[0]


def mixtures(app: Flask, route: Route, own: Mapping[str, Sequence[int]], other: Mapping[str, Sequence[int]]) -> Iterator[str]:
    """The addresses of a route with one or all of its keys taken from another organisation."""
    tables = [table for name in sorted(route.rule.arguments) if (table := _table_of(route.rule, name)) is not None]
    yield filled(app, route, other)
    if len(tables) > 1:
        for table in tables:
            yield filled(app, route, {**own, table: other[table]})


@dataclass
class Form:
    """A form of a page, as it would be sent without typing anything."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)


class _Forms(HTMLParser):
    """Collects the forms of a page with what stands in their fields."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[Form] = []
        self._open: Form | None = None
        self._select: str | None = None
        self._area: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        own = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = Form(own.get("action", ""), own.get("method", "get").upper())
            self.forms.append(self._open)
        if self._open is None:
            return
        name = own.get("name", "")
        if tag == "input" and name and own.get("type", "text") not in {"submit", "button", "file", "image", "reset"}:
            if own.get("type") not in {"radio", "checkbox"} or "checked" in own:
                self._open.fields[name] = own.get("value", "on" if own.get("type") == "checkbox" else "")
        elif tag == "select" and name:
            self._select = name
        elif tag == "option" and self._select and ("selected" in own or self._select not in self._open.fields):
            self._open.fields[self._select] = own.get("value", "")
        elif tag == "textarea" and name:
            self._area = name
            self._open.fields[name] = ""

    def handle_data(self, data: str) -> None:
        if self._open is not None and self._area:
            self._open.fields[self._area] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        elif tag == "select":
            self._select = None
        elif tag == "textarea":
            self._area = None


def forms_of(html: str, address: str) -> list[Form]:
    """The forms of a page that change something, with whole addresses."""
    reader = _Forms()
    reader.feed(html)
    reader.close()
    for form in reader.forms:
        form.action = urlsplit(form.action or address).path or urlsplit(address).path
    return [form for form in reader.forms if form.method == "POST"]


def links_of(html: str) -> list[str]:
    """The addresses within the product that a page links to, without fragments."""
    found = re.findall(r'<a\b[^>]*?\bhref="(/[^"#]*)', html)
    return list(dict.fromkeys(link.replace("&amp;", "&") for link in found if not link.startswith("/static/")))

"""What every page must be, checked on each one a test fetches: readable by machines, usable by keyboard, free of inline code."""

from __future__ import annotations

import secrets
from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from werkzeug.datastructures import Headers
from werkzeug.test import TestResponse

_VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})
_CONTROLS = frozenset({"input", "select", "textarea"})
_UNLABELLED_INPUTS = frozenset({"hidden", "submit", "button", "reset", "image"})
_DATA_SCRIPTS = frozenset({"application/json", "application/ld+json"})
_HEADINGS = {f"h{level}": level for level in range(1, 7)}


@dataclass
class _Control:
    tag: str
    attributes: dict[str, str]
    inside_label: bool


@dataclass
class _Named:
    tag: str
    attributes: dict[str, str]
    text: list[str] = field(default_factory=list)


class _Reader(HTMLParser):
    """Collects from one page what the checks below look at."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.language: str | None = None
        self.title: list[str] = []
        self.ids: Counter[str] = Counter()
        self.label_targets: set[str] = set()
        self.references: list[tuple[str, str]] = []
        self.controls: list[_Control] = []
        self.headings: list[int] = []
        self.named: list[_Named] = []
        self.faults: list[str] = []
        self._open: list[str] = []
        self._naming: list[_Named] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        where = f"<{tag}> line {self.getpos()[0]}"
        if len(attributes) != len(attrs):
            self.faults.append(f"an attribute stands twice: {where}")
        if "id" in attributes:
            self.ids[attributes["id"]] += 1
            if not attributes["id"] or " " in attributes["id"]:
                self.faults.append(f"unusable id {attributes['id']!r}: {where}")
        self._check_inline(tag, attributes, where)
        if tag == "html":
            self.language = attributes.get("lang")
        if tag in _HEADINGS:
            self.headings.append(_HEADINGS[tag])
        if tag == "label" and "for" in attributes:
            self.label_targets.add(attributes["for"])
        self.references += [
            (name, target)
            for name in ("for", "aria-labelledby", "aria-describedby", "aria-controls")
            for target in attributes.get(name, "").split()
        ]
        if tag in _CONTROLS and not (tag == "input" and attributes.get("type", "text") in _UNLABELLED_INPUTS):
            self.controls.append(_Control(tag, attributes, "label" in self._open))
        if tag == "img":
            if "alt" not in attributes:
                self.faults.append(f"picture without alternative text: {where}")
            elif self._naming:
                self._naming[-1].text.append(attributes["alt"])
        if tag == "table" and attributes.get("role") == "presentation":
            self.faults.append(f"table used for layout: {where}")
        if tag == "button" or (tag == "a" and "href" in attributes):
            self._naming.append(_Named(tag, attributes))
        if tag not in _VOID:
            self._open.append(tag)

    def _check_inline(self, tag: str, attributes: dict[str, str], where: str) -> None:
        if tag == "style" or "style" in attributes:
            self.faults.append(f"inline style: {where}")
        if tag == "script" and "src" not in attributes and attributes.get("type") not in _DATA_SCRIPTS:
            self.faults.append(f"inline script: {where}")
        self.faults += [f"inline handler {name}: {where}" for name in attributes if name.startswith("on")]
        for name in ("href", "src", "action", "formaction"):
            value = attributes.get(name, "").strip().casefold()
            if value.startswith("javascript:"):
                self.faults.append(f"script in {name}: {where}")
            if name == "src" and value.startswith(("http:", "https:", "//")):
                self.faults.append(f"loaded from elsewhere: {where} {value}")
        if tag == "link" and attributes.get("href", "").startswith(("http:", "https:", "//")):
            self.faults.append(f"loaded from elsewhere: {where} {attributes['href']}")

    def handle_endtag(self, tag: str) -> None:
        if tag in {"a", "button"} and self._naming and self._naming[-1].tag == tag:
            self.named.append(self._naming.pop())
        if tag in self._open:
            while self._open.pop() != tag:
                continue

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "title" and "svg" not in self._open:
            self.title.append(data)
        for named in self._naming:
            named.text.append(data)


def faults_of(html: str, *, whole: bool = True) -> list[str]:
    """All that is wrong with a page, or with a part of one (``whole=False``: no title, language or first heading needed)."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    faults = list(reader.faults)
    faults += [f"id {name!r} stands {count} times" for name, count in reader.ids.items() if count > 1]
    for control in reader.controls:
        own = control.attributes
        named = control.inside_label or own.get("aria-label") or own.get("aria-labelledby") or own.get("title")
        if not named and own.get("id") not in reader.label_targets:
            faults.append(f"no label for <{control.tag} name={own.get('name')!r}>")
    for named_element in reader.named:
        own = named_element.attributes
        if not ("".join(named_element.text).strip() or own.get("aria-label") or own.get("aria-labelledby") or own.get("title")):
            faults.append(f"<{named_element.tag}> without words: {own}")
    faults += [
        f"heading h{after} follows h{before}"
        for before, after in zip(reader.headings, reader.headings[1:], strict=False)
        if after > before + 1
    ]
    if whole:
        faults += [f"{name} names {target!r}, which is not on the page" for name, target in reader.references if target not in reader.ids]
        if not html.lstrip().casefold().startswith("<!doctype html>"):
            faults.append("no doctype")
        if not reader.language:
            faults.append("no language")
        if not "".join(reader.title).strip():
            faults.append("no title")
        if reader.headings.count(1) != 1 or reader.headings[:1] != [1]:
            faults.append(f"the headings must begin with the only h1, not {reader.headings}")
    return faults


class PageClient(FlaskClient):
    """Flask's test client that looks at every HTML page it fetches; ``check_pages = False`` switches the look off.

    What it posts carries the token of its session, as every form of the product does; ``sends_token = False`` leaves it out.
    """

    check_pages = True
    sends_token = True

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        """The response, after its page was found in order."""
        if self.sends_token and str(kwargs.get("method", "GET")).upper() not in {"GET", "HEAD", "OPTIONS"}:
            kwargs["headers"] = Headers(kwargs.get("headers") or {})
            kwargs["headers"].setdefault("X-CSRFToken", self._token())
        response = super().open(*args, **kwargs)
        if self.check_pages and response.mimetype == "text/html" and not 300 <= response.status_code < 400:
            partial = response.request.headers.get("HX-Request") == "true" and response.request.headers.get("HX-Boosted") != "true"
            faults = faults_of(response.get_data(as_text=True), whole=not partial)
            assert not faults, f"{response.request.method} {response.request.path}: " + "; ".join(faults)
        return response

    def _token(self) -> str:
        """The token that the pages of this session carry."""
        with self.session_transaction() as session:
            raw = session.setdefault("csrf_token", secrets.token_hex(20))
        secret = self.application.config.get("WTF_CSRF_SECRET_KEY") or self.application.secret_key
        return str(URLSafeTimedSerializer(secret, salt="wtf-csrf-token").dumps(raw))

"""Two organisations in one database: whoever works in one can see, count, change or infer nothing of the other by any page."""

from __future__ import annotations

import difflib
import io
import re
import zipfile
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from flask import Flask
from support.databases import Database
from support.pages import PageClient
from support.tenants import log_in
from support.twins import Twin, amounts_of, rows_of
from support.walking import NEEDS_ARGUMENTS, Form, Route, addresses, filled, forms_of, is_open, mixtures, routes
from werkzeug.test import TestResponse

from insureflow.domain.access import PERMISSIONS, Role

#: Enough of the other's mark to find it by, and not enough to be taken for it where a page repeats what was searched.
BAIT = "BBBMAR"
#: Rows that not everybody sees who may see such rows: those who asked themselves do.
OF_ONE_PERSON = frozenset({"shipping.show", "api_shipments.show", "api_connections.task"})
_TOKEN = re.compile(r"I[\w-]{30,}\.[\w-]{5,8}\.[\w-]{20,}")
_SEPARATORS = ".,'\u2019\u00a0\u202f "
_NUMBER = re.compile(rf"\d(?:[{_SEPARATORS}]?\d)*")


def visitor(app: Flask, twin: Twin, role: Role) -> PageClient:
    """A client that is somebody of that role; the pages' form is looked at elsewhere."""
    client = app.test_client()
    assert isinstance(client, PageClient)
    client.check_pages = False
    log_in(client, twin.tenant, role)
    return client


def keys_with_people(twin: Twin, app: Flask) -> dict[str, list[int]]:
    rows = rows_of(app, twin.tenant.id)
    people = [login.user_id for login in twin.tenant.logins.values()]
    return {**twin.keys, "app_user": people, "membership": [row[0] for row in rows["membership"]]}


def readable(response: TestResponse) -> str:
    """All a browser gets: status lines, headers and content of an answer and of those before it, workbooks unpacked."""
    parts: list[str] = []
    for answer in (*response.history, response):
        parts += [f"{name}: {value}" for name, value in answer.headers.items() if name not in {"X-Request-Id", "Set-Cookie", "Date"}]
        data = answer.get_data()
        if data[:2] == b"PK":
            with zipfile.ZipFile(io.BytesIO(data)) as book:
                parts += [f"{name}\n{book.read(name).decode('utf-8', 'replace')}" for name in sorted(book.namelist())]
        else:
            parts.append(data.decode("utf-8", "replace"))
    text = _TOKEN.sub("token", "\n".join(parts))
    return re.sub(r"Content-Length: \d+|Etag: \S+|ETag: \S+|boundary=\S+|\b[0-9a-f]{12}\b", "", text)


def leaks(text: str, marks: set[str], amounts: set[str]) -> list[str]:
    """Marks and amounts of the other organisation in a text, however the amounts are punctuated."""
    folded = text.casefold()
    found = [mark for mark in marks if mark in folded]
    run_together = text
    for separator in _SEPARATORS:
        run_together = run_together.replace(separator, "")
    if not any(amount in run_together for amount in amounts):  # most answers: no need to look at each of their numbers
        return found
    numbers = {re.sub(r"\D", "", number) for number in _NUMBER.findall(text)}
    return found + sorted(numbers & amounts)


class Walk:
    """Every answer that somebody got, by what was asked."""

    def __init__(self, app: Flask, twin: Twin, role: Role, *, collects_forms: bool = False) -> None:
        self.client = visitor(app, twin, role)
        self.collects_forms = collects_forms
        self.seen: dict[str, str] = {}
        #: What it said in the end, and what it said before it led on.
        self.status: dict[str, int] = {}
        self.first: dict[str, int] = {}
        self.forms: dict[tuple[str, str], Form] = {}

    def get(self, address: str, note: str = "", **options: Any) -> str:
        response = self.client.get(address, follow_redirects=True, buffered=True, **options)
        self.seen[note + address] = readable(response)
        self.status[note + address] = response.status_code
        self.first[note + address] = (response.history or (response,))[0].status_code
        if self.collects_forms and response.mimetype == "text/html" and response.status_code == 200:
            for form in forms_of(response.get_data(as_text=True), address):
                self.forms.setdefault((form.action, ",".join(sorted(form.fields))), form)
        return self.seen[note + address]


def get_routes(app: Flask) -> list[Route]:
    return [route for route in routes(app, "GET") if route.endpoint not in {"security.login", "security.verify"}]


def ask_everything(app: Flask, walk: Walk, keys: dict[str, list[int]]) -> None:
    """Every page as it is, as a file and searched where it offers that, as a part, and on another day."""
    for route in get_routes(app):
        for address in addresses(app, route, keys):
            page = walk.get(address)
            if "format=csv" in page:
                walk.get(f"{address}?format=csv")
                walk.get(f"{address}?format=xlsx")
            if "data-table-search" in page or 'id="search-again"' in page:  # a search of its own, beside that of the header
                walk.get(f"{address}?q={BAIT}")
            if "why" in address:
                walk.get(address, "part ", headers={"HX-Request": "true"})
    for route in get_routes(app):
        for address in addresses(app, route, keys):
            walk.get(f"{address}?on=2026-09-30")


def foreign_arguments(keys: dict[str, list[int]], organisation_id: int) -> dict[str, Any]:
    """Arguments that ask for the other organisation and what is its own, by every name a page may read."""
    arguments: dict[str, Any] = {"organisation": organisation_id, "organisation_id": organisation_id}
    for name in ("buyer", "entity", "policy", "invoice", "import_batch", "app_user", "import_profile", "stored_file", "task"):
        first = keys[name][0]
        short = {"import_batch": "batch", "app_user": "user", "import_profile": "profile", "stored_file": "file"}.get(name, name)
        arguments |= {short: first, f"{short}_id": first}
    return arguments


def _difference(alone: str, beside: str, addresses_of_others: list[str]) -> str:
    """What one of the answers says otherwise, for the message."""
    lines = list(difflib.unified_diff(alone.splitlines(), beside.splitlines(), "alone", "beside", n=0, lineterm=""))
    return "\n".join([f"{len(addresses_of_others)} answers differ: {', '.join(addresses_of_others[:12])}", *lines[:20]])


def test_the_other_organisation_changes_no_byte_of_any_answer(
    app: Flask, frozen: None, make_own: Callable[[], Twin], make_other: Callable[[Twin], Twin]
) -> None:
    """Every answer is the same with and without the other in the database: no total, count or choice knows of it."""
    own = make_own()
    keys = keys_with_people(own, app)
    role = Role.ADMINISTRATOR
    alone = Walk(app, own, role)
    ask_everything(app, alone, keys)
    other = make_other(own)
    beside = Walk(app, own, role)
    ask_everything(app, beside, keys)
    assert len(beside.seen) > 100
    different = [address for address, text in beside.seen.items() if text != alone.seen[address]]
    assert not different, _difference(alone.seen[different[0]], beside.seen[different[0]], different)
    bare = {filled(app, route, keys) for route in get_routes(app) if route.endpoint in NEEDS_ARGUMENTS}
    broken = [
        f"{address}: {status}"
        for address, status in beside.status.items()
        if status >= 500 or (status == 404 and "?" not in address and address not in bare)
    ]
    assert broken == [], "the walk did not see its own pages"
    marks, amounts = {other.mark.casefold()}, amounts_of(app, other) - amounts_of(app, own)
    assert len(amounts) > 20
    foreign = urlencode(foreign_arguments(keys_with_people(other, app), other.tenant.id))
    for route in get_routes(app):
        for address in addresses(app, route, keys):
            beside.get(f"{address}?{foreign}", "asking for the other ")
    leaked = {address: found for address, text in beside.seen.items() if (found := leaks(text, marks, amounts))}
    assert leaked == {}
    assert any(leaks(text, {own.mark.casefold()}, set()) for text in beside.seen.values()), "the walk sees marks where there are some"
    assert any(leaks(text, set(), amounts_of(app, own)) for text in beside.seen.values()), "the walk sees amounts where there are some"


def test_nobody_of_any_role_reads_the_other(app: Flask, database: Database, own: Twin, other: Twin) -> None:
    """Every page by every role that may see it, which it does, with keys of its own and with keys of the other organisation.

    A role that may not see a page is told so before its keys are looked at, and that is tried with the table of permissions.
    """
    mine, theirs = keys_with_people(own, app), keys_with_people(other, app)
    marks, amounts = {other.mark.casefold()}, amounts_of(app, other) - amounts_of(app, own)
    before = rows_of(app, other.tenant.id)
    leaked: dict[str, list[str]] = {}
    answered: list[str] = []
    denied: list[str] = []
    for role in Role if database.kind == "sqlite" else (Role.ADMINISTRATOR, Role.SALES):
        walk = Walk(app, own, role)
        for route in get_routes(app):
            if route.permission not in PERMISSIONS[role] and not is_open(route):
                continue
            for address in addresses(app, route, mine):
                found = leaks(walk.get(address), marks, amounts)
                if found:
                    leaked[f"{role} {address}"] = found
                may_be_missing = route.endpoint in NEEDS_ARGUMENTS | OF_ONE_PERSON
                if walk.first[address] not in {200, 302, 304} and not (walk.first[address] in {404, 422} and may_be_missing):
                    denied.append(f"{role} GET {address}: {walk.first[address]}, but {route.permission} is given")
            if route.has_keys:
                for address in mixtures(app, route, mine, theirs):
                    found = leaks(walk.get(address), marks, amounts)
                    if found:
                        leaked[f"{role} {address}"] = found
                    if walk.status[address] not in {403, 404} and route.endpoint not in NEEDS_ARGUMENTS:
                        answered.append(f"{role} GET {address}: {walk.status[address]}")
    assert (leaked, answered, denied) == ({}, [], [])
    assert rows_of(app, other.tenant.id) == before


def _pretended(form: Form, theirs: dict[str, list[int]]) -> dict[str, str]:
    """The fields of a form with every key in it replaced by one of the other organisation."""
    fields = dict(form.fields)
    for name in fields:
        stem = re.sub(r"(_ids?|s)$", "", name.rpartition("-")[2])
        table = {"batch": "import_batch", "user": "app_user", "profile": "import_profile", "file": "stored_file", "parent": "buyer"}.get(
            stem, stem
        )
        if theirs.get(table):
            fields[name] = str(theirs[table][0])
    return fields


def test_nobody_changes_the_other(app: Flask, own: Twin, other: Twin) -> None:
    """Every form and every changing address, with keys of the other organisation in the address and in the fields."""
    mine, theirs = keys_with_people(own, app), keys_with_people(other, app)
    marks, amounts = {other.mark.casefold()}, amounts_of(app, other) - amounts_of(app, own)
    walk = Walk(app, own, Role.ADMINISTRATOR, collects_forms=True)
    for route in get_routes(app):
        for address in addresses(app, route, mine):
            walk.get(address)
    by_action: dict[str, list[Form]] = {}
    for form in walk.forms.values():
        by_action.setdefault(form.action, []).append(form)
    before = rows_of(app, other.tenant.id)
    faults: list[str] = []

    def send(address: str, fields: dict[str, str]) -> TestResponse:
        response = walk.client.post(address, data=fields, follow_redirects=True, buffered=True)
        faults.extend(f"POST {address} shows {found}" for found in leaks(readable(response), marks, amounts))
        if response.status_code >= 500:
            faults.append(f"POST {address} {fields}: {response.status_code}")
        return response

    changing = [route for route in routes(app, "POST", "PUT", "PATCH", "DELETE") if not route.endpoint.startswith("security.")]
    for route in changing:
        if not route.has_keys or route.rule.rule.startswith("/api/"):  # the API is tried with its own keys
            continue
        forms = by_action.get(filled(app, route, mine)) or [Form("", "POST", {"reason": "trying", "note": "trying"})]
        for address in mixtures(app, route, mine, theirs):
            for form in forms:
                response = send(address, form.fields)
                if response.status_code not in {403, 404}:
                    faults.append(f"POST {address}: {response.status_code}, not 404")
    assert rows_of(app, other.tenant.id) == before
    for form in sorted(walk.forms.values(), key=lambda form: ("delete" in form.action, form.action)):
        if form.action not in {"/logout", "/account/password"}:
            send(form.action, _pretended(form, theirs))
    assert faults == []
    assert rows_of(app, other.tenant.id) == before


def test_a_log_in_of_one_cannot_choose_the_other(app: Flask, own: Twin, other: Twin) -> None:
    client = visitor(app, own, Role.ADMINISTRATOR)
    with client.session_transaction() as cookie:
        cookie["organisation_id"] = other.tenant.id
        cookie["entity"] = other.keys["entity"][0]
        cookie["policy"] = other.keys["policy"][0]
    for route in get_routes(app):
        if not route.rule.arguments and route.endpoint not in {"health.healthz", "health.readyz"}:
            text = readable(client.get(filled(app, route, {}), follow_redirects=True, buffered=True))
            assert leaks(text, {other.mark.casefold()}, set()) == [], str(route)

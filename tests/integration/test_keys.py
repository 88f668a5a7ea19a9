"""Numbers that no row can have, in every address and every query: nothing is found or taken there, and nothing breaks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from support.api import Caller
from support.pages import PageClient
from support.tenants import Tenant, log_in, make_tenant
from support.walking import PLAIN, Route, routes
from werkzeug.exceptions import NotFound
from werkzeug.routing import AnyConverter, IntegerConverter

from insureflow.domain.access import Role

BEYOND, BELOW, LARGEST = 10**30, -1, 2**63 - 1
#: What pages read of their query as numbers: the rows that lead to "not found", and all else.
PLACES = ("buyer_id", "head_id", "invoice_id", "request_id")
NUMBERS = (
    "page", "size", "policy_id", "connection", "organisation", "entity", "policy", "on", "month", "year", "report_days", "days",
    "owner", "buyer", "invoices", "check", "version",
)  # fmt: skip


@pytest.fixture
def tenant(app: Flask) -> Tenant:
    """An organisation without anything."""
    return make_tenant(app, "Empty Group", roles=(Role.ADMINISTRATOR,))


def numbered(app: Flask, route: Route, number: int) -> Iterator[str]:
    """The addresses of a route with a number in each of its number places, and for a page with two in one after the other."""
    places = {name: converter for name, converter in route.rule._converters.items() if isinstance(converter, IntegerConverter)}
    for changed in ({name: number} for name in places):
        values: dict[str, object] = {}
        for name, converter in route.rule._converters.items():
            words = sorted(converter.items) if isinstance(converter, AnyConverter) else []
            plain = PLAIN.get(f"{route.endpoint} {name}", PLAIN.get(name))
            values[name] = changed.get(name, words[0] if words else 1 if plain is None else plain)
        with app.test_request_context():
            yield app.url_for(route.endpoint, **values)


def test_no_address_and_no_query_breaks_by_a_number(app: Flask, tenant: Tenant) -> None:
    pages = app.test_client()
    assert isinstance(pages, PageClient)
    pages.check_pages = False
    log_in(pages, tenant, Role.ADMINISTRATOR)
    call = Caller(app, tenant)
    wrong: list[str] = []

    def ask(route: Route, address: str) -> int:
        if address.startswith("/api/v1"):
            return call(route.method, address.removeprefix("/api/v1"))[0]
        return pages.open(address, method=route.method, data={} if route.method == "POST" else None, buffered=True).status_code

    addresses = app.url_map.bind("localhost")
    asked = 0
    for route in routes(app):
        for number in (BEYOND, BELOW):  # found to be no address before anything else is looked at
            for address in numbered(app, route, number):
                asked += 1
                with pytest.raises(NotFound):
                    addresses.match(address, method=route.method)
        for address in numbered(app, route, LARGEST):  # what a row could have reaches the database
            status = ask(route, address)
            if status >= 500:
                wrong.append(f"{route.method} {address}: {status}")
    assert asked > 300
    assert {ask(route, address) for route in routes(app)[:40] for address in numbered(app, route, BEYOND)} == {404}
    for route in routes(app, "GET"):
        if not route.rule.arguments and not route.rule.rule.startswith("/api/"):
            for names in (NUMBERS, PLACES):
                address = f"{route.rule.rule}?{'&'.join(f'{name}={BEYOND}' for name in names)}"
                status = ask(route, address)
                if status >= 500:
                    wrong.append(f"GET {address}: {status}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_api_refuses_such_numbers_by_their_description(app: Flask, tenant: Tenant) -> None:
    """Every number that the description lets a caller write has its bounds there, and beyond them it is refused."""
    call = Caller(app, tenant)
    described = app.test_client().get("/api/v1/openapi.json").json
    unbounded, taken = [], []
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            if method == "parameters":
                continue
            for each in [*operation.get("parameters", ()), *methods.get("parameters", ())]:
                schema = each.get("schema", {})
                if schema.get("type") != "integer":
                    continue
                if "maximum" not in schema or "minimum" not in schema:
                    unbounded.append(f"{method} {path}: {each['name']}")
                if each["in"] == "query" and method == "get" and "{" not in path:
                    for number in (BEYOND, BELOW):
                        status = call("GET", f"{path.removeprefix('/api/v1')}?{each['name']}={number}")[0]
                        if status != 422:
                            taken.append(f"{path}?{each['name']}={number}: {status}")
    for name, schema in described["components"]["schemas"].items():
        if name.startswith(("New", "Draft")) or name.endswith(("Question", "Assignment", "Owner", "Change")):
            for place, shape in schema.get("properties", {}).items():
                if "integer" in str(shape.get("type")) and "maximum" not in shape:
                    unbounded.append(f"{name}.{place}")
    assert (unbounded, taken) == ([], [])

"""The API for shops and order systems: may I ship, limits, requests, and long work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
import time_machine
from flask import Flask
from jsonschema import Draft202012Validator
from support.accounts import TODAY, Account, add_buyer, add_invoice, make_account, within

from insureflow.domain.access import Role
from insureflow.domain.work import WorkKind
from insureflow.services import limit_requests, limits, tasks, tokens, work_items
from insureflow.services.limits import NewDecision
from insureflow.services.sync.tasks import KIND
from insureflow.services.transaction import transaction

ROLES = (Role.ADMINISTRATOR, Role.CREDIT_MANAGER, Role.CREDIT_ANALYST, Role.SALES)
Call = Callable[..., Any]


@pytest.fixture
def account(app: Flask) -> Iterator[Account]:
    account = make_account(app, roles=ROLES)
    with app.app_context(), within(account.organisation_id):
        new = NewDecision(account.buyer_id, account.policy_id, 10_000_00, "EUR", date(2026, 1, 15), insurer_reference="CL-1")
        limits.record_decision(account.tenant.actor(), account.organisation_id, new, TODAY)
        add_invoice(account, "A1", 4_000_00, terms_days=60)
    with time_machine.travel(datetime(2026, 6, 30, 9, tzinfo=UTC), tick=True):
        yield account


@pytest.fixture
def call(app: Flask, account: Account) -> Call:
    """``call(role, method, address, **json)`` gives the status and the body."""
    secrets = {}
    with app.app_context():
        for role in ROLES:
            login = account.tenant.logins[role]
            secrets[role] = tokens.add_token(account.tenant.actor(), account.organisation_id, login.user_id, role.value)[1]
    client = app.test_client()

    def ask(role: Role, method: str, address: str, **json: Any) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {secrets[role]}"}
        answer = client.open(f"/api/v1{address}", method=method, headers=headers, **({"json": json} if method == "POST" else {}))
        return answer.status_code, answer.json

    return ask


ASKED = "/ship-check?customer_number=1001&currency=EUR&terms=60&amount="


def test_sales_asks_and_sees_the_answer_alone(call: Call, account: Account) -> None:
    status, whole = call(Role.SALES, "GET", f"{ASKED}6000.00")
    assert (status, whole["verdict"], whole["covered"]) == (200, "covered", {"amount": "6000.00", "currency": "EUR"})
    _status, partly = call(Role.SALES, "GET", f"{ASKED}7000&explain=true&entity=SE01")
    assert (partly["verdict"], partly["uncovered"]["amount"], partly["why"]) == ("partly", "1000.00", "over_limit")
    assert partly["sentence"].startswith("Partly: ")
    assert {"ship_less", "increase_limit"} <= {each["kind"] for each in partly["remedies"]}
    assert not {"headroom_before", "headroom_after", "trace", "reasons", "insured_percentage"} & partly.keys()
    _status, staff = call(Role.CREDIT_ANALYST, "GET", f"{ASKED}7000&explain=true")
    assert staff["headroom_before"]["amount"] == "6000.00"
    assert any(step["name"] == "ship_verdict" for step in staff["trace"])
    for address, status, code in (
        ("/ship-check?amount=1&currency=EUR&terms=1", 422, "shipment_buyer_needed"),
        ("/ship-check?customer_number=9&amount=1&currency=EUR&terms=1", 404, "buyer_unknown"),
        (f"/ship-check?buyer_id={account.buyer_id}&amount=1&currency=EUR&terms=1&entity=XX", 404, "entity_unknown"),
        (f"{ASKED}1.234", 422, "too_many_decimals"),
        (f"{ASKED}1&date=2026-01-01", 409, "shipment_in_the_past"),
        (f"{ASKED}x", 422, "unprocessable_entity"),
    ):
        found = call(Role.SALES, "GET", address)
        assert (found[0], found[1]["code"]) == (status, code), address
    for address in ("/limits", f"/buyers/{account.buyer_id}/limits", "/limit-requests"):
        assert call(Role.SALES, "GET", address)[0] == 403


def test_an_answer_is_kept_reserved_and_released(call: Call, account: Account) -> None:
    order = {
        "buyer_id": account.buyer_id,
        "amount": "5000.00",
        "currency": "EUR",
        "terms": 60,
        "order": "4711",
        "reserve_until": "2026-07-31",
    }
    status, kept = call(Role.SALES, "POST", "/ship-checks", **order)
    assert (status, kept["is_reserved"], kept["reserved_until"], kept["order"]) == (201, True, "2026-07-31", "4711")
    assert kept["shipment"] == {"amount": "5000.00", "currency": "EUR"}
    assert call(Role.SALES, "GET", f"{ASKED}5000")[1]["covered"]["amount"] == "1000.00"
    address = f"/ship-checks/{kept['id']}"
    assert call(Role.SALES, "GET", address)[1] == kept
    assert "trace" in call(Role.CREDIT_ANALYST, "GET", address)[1]
    assert call(Role.SALES, "POST", f"{address}/invoiced", invoice="none")[0] == 404
    assert call(Role.SALES, "POST", f"{address}/release")[1]["is_reserved"] is False
    assert call(Role.SALES, "POST", f"{address}/release")[1]["code"] == "nothing_reserved"
    assert call(Role.SALES, "GET", f"{ASKED}5000")[1]["covered"]["amount"] == "5000.00"
    _status, other = call(Role.CREDIT_MANAGER, "POST", "/ship-checks", **{**order, "order": "4712", "explain": False})
    assert "trace" not in other
    assert call(Role.SALES, "GET", f"/ship-checks/{other['id']}")[0] == 404
    assert call(Role.SALES, "POST", f"/ship-checks/{other['id']}/release")[0] == 404
    assert call(Role.CREDIT_MANAGER, "POST", f"/ship-checks/{other['id']}/invoiced", invoice="A1")[1]["is_invoiced"] is True
    assert call(Role.SALES, "POST", "/ship-checks", **{**order, "order": ""})[1]["problems"][0]["code"] == "reservation_needs_order"
    assert call(Role.SALES, "GET", "/ship-checks/999999")[0] == 404


def test_limits_are_read_and_asked_for(app: Flask, call: Call, account: Account) -> None:
    status, register = call(Role.CREDIT_ANALYST, "GET", "/limits?page_size=1")
    assert (status, register["total"]) == (200, 1)
    (row,) = register["items"]
    assert (row["buyer_id"], row["limit"]["amount"], row["used"]["amount"]) == (account.buyer_id, "10000.00", "4000.00")
    assert call(Role.CREDIT_ANALYST, "GET", "/limits?policy=none")[1]["code"] == "policy_number_unknown"
    assert call(Role.CREDIT_ANALYST, "GET", "/limits?page_size=9999")[0] == 422
    _status, history = call(Role.CREDIT_ANALYST, "GET", f"/buyers/{account.buyer_id}/limits")
    assert history["items"][0]["decided"] == {"amount": "10000.00", "currency": "EUR"}
    assert call(Role.CREDIT_ANALYST, "GET", "/buyers/987654/limits")[0] == 404
    with app.app_context():
        limit_requests.set_thresholds(account.tenant.actor(), account.organisation_id, {Role.CREDIT_ANALYST: 100})
        policy, unasked = row["policy"], add_buyer(account.tenant, "Unasked SA", "FR")
    wanted = {"buyer_id": unasked, "policy": policy, "limit": {"amount": "20000.00", "currency": "EUR"}}
    status, drafted = call(Role.CREDIT_ANALYST, "POST", "/limit-requests", **wanted)
    assert (status, drafted["state"], drafted["request_type"]) == (201, "draft", "new")
    address = f"/limit-requests/{drafted['id']}"
    assert call(Role.CREDIT_ANALYST, "POST", f"{address}/submit")[1]["state"] == "awaiting_approval"
    assert call(Role.CREDIT_ANALYST, "POST", f"{address}/approve")[0] == 403
    assert call(Role.CREDIT_MANAGER, "POST", f"{address}/reject", reason="")[0] == 422
    assert call(Role.CREDIT_MANAGER, "POST", f"{address}/approve")[1]["state"] == "submitted"
    assert call(Role.CREDIT_ANALYST, "GET", "/limit-requests?state=submitted")[1]["items"][0]["id"] == drafted["id"]
    assert call(Role.CREDIT_ANALYST, "GET", "/limit-requests?state=draft")[1]["total"] == 0
    assert call(Role.CREDIT_ANALYST, "POST", f"{address}/cancel")[1]["state"] == "cancelled"
    _status, second = call(Role.CREDIT_ANALYST, "POST", "/limit-requests", **wanted)
    call(Role.CREDIT_ANALYST, "POST", f"/limit-requests/{second['id']}/submit")
    assert call(Role.CREDIT_MANAGER, "POST", f"/limit-requests/{second['id']}/reject", reason="too much")[1]["state"] == "rejected"
    assert call(Role.CREDIT_ANALYST, "GET", f"/limit-requests/{second['id']}")[1]["author"] == "Credit Analyst"


def test_work_is_listed_given_and_done(app: Flask, call: Call, account: Account) -> None:
    with app.app_context(), transaction(account.organisation_id) as session:
        facts = {"policy": "P"}
        keys = [
            work_items.open_item(
                session, WorkKind.MATCH_COMPANY, f"match/{day}", buyer_id=account.buyer_id, due_on=date(2026, 1, day), facts=facts
            ).id
            for day in (2, 1)
        ]
    status, page = call(Role.CREDIT_ANALYST, "GET", "/work-items?kind=match_company&page_size=1")
    assert (status, page["total"], page["items"][0]["id"], page["items"][0]["state"]) == (200, 2, keys[1], "late")
    address = f"/work-items/{keys[0]}"
    assert call(Role.SALES, "GET", address)[0] == 403
    assert call(Role.CREDIT_ANALYST, "GET", "/work-items/999999")[1]["code"] == "work_unknown"
    assert call(Role.CREDIT_ANALYST, "POST", f"{address}/assign", owner_id=999999)[1]["code"] == "work_owner_unknown"
    owner_id = account.tenant.actor(Role.CREDIT_ANALYST).user_id
    assert call(Role.CREDIT_ANALYST, "POST", f"{address}/assign", owner_id=owner_id)[1]["owner_id"] == owner_id
    assert call(Role.CREDIT_ANALYST, "POST", f"{address}/complete", outcome="not_needed")[1]["code"] == "work_reason_needed"
    done = call(Role.CREDIT_ANALYST, "POST", f"{address}/complete", note="found it")[1]
    assert (done["state"], done["outcome"], done["note"]) == ("done", "done", "found it")
    assert call(Role.CREDIT_ANALYST, "POST", f"{address}/complete")[1]["code"] == "work_done_already"
    assert call(Role.CREDIT_ANALYST, "GET", "/work-items?mine=true")[1]["total"] == 1
    assert call(Role.CREDIT_ANALYST, "POST", f"{address}/reopen")[1]["state"] == "late"


def test_long_work_is_watched_by_its_owner(app: Flask, call: Call, account: Account) -> None:
    assert call(Role.CREDIT_MANAGER, "POST", "/connections/12345/sync")[1]["code"] == "connection_unknown"
    with app.app_context():
        task_id = tasks.enqueue(account.tenant.actor(Role.CREDIT_MANAGER), account.organisation_id, KIND, {})
    status, task = call(Role.CREDIT_MANAGER, "GET", f"/tasks/{task_id}")
    assert (status, task["kind"], task["state"]) == (200, KIND, "queued")
    assert call(Role.ADMINISTRATOR, "GET", f"/tasks/{task_id}")[0] == 200
    assert call(Role.SALES, "GET", f"/tasks/{task_id}")[0] == 404


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for inner in part.values():
            yield from _references(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _references(inner)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_description_holds_together(app: Flask) -> None:
    """Every shape is a JSON Schema of its version, every reference leads somewhere, every operation says what it answers."""
    document = app.test_client().get("/api/v1/openapi.json").json
    assert document is not None
    for name, shape in document["components"]["schemas"].items():
        Draft202012Validator.check_schema(shape)
        assert shape.get("properties"), name
    for reference in _references(document):
        found: Any = document
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]
    assert {"/api/v1/ship-check", "/api/v1/ship-checks/{shipment_check_id}/release", "/api/v1/limit-requests"} <= document["paths"].keys()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if method in {"get", "post"}:
                assert operation["summary"], path
                assert {"200", "201", "202"} & operation["responses"].keys(), path
                named = {
                    each["name"]
                    for each in (*operation.get("parameters", ()), *operations.get("parameters", ()))
                    if each.get("in") == "path"
                }
                assert all(f"{{{name}}}" in path for name in named)
                assert path.count("{") == len(named), path

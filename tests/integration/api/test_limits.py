"""The API of limits beside requests: cuts, shared limits, limits needed, discretionary limits, each from its beginning to its end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from types import SimpleNamespace

import pytest
import time_machine
from flask import Flask
from support.accounts import TERMS, TODAY, add_buyer, add_invoice, make_account, within
from support.api import Caller

from insureflow.domain.access import Role
from insureflow.domain.limits import LimitKind
from insureflow.domain.money import Money
from insureflow.services import limits
from insureflow.services.limit_fees import set_fee
from insureflow.services.limits import NewDecision

CLAUSE = {"maximum": 30000, "methods": [{"method": "credit_report", "valid_for": {"months": 12}}], "insurer_decision": "ends"}


@pytest.fixture
def ground(app: Flask) -> Iterator[SimpleNamespace]:
    """An account with a limit that was cut below what is owed, a buyer without a limit, and their callers."""
    account = make_account(
        app, terms={**TERMS, "discretionary_limit": CLAUSE}, roles=(Role.ADMINISTRATOR, Role.CREDIT_ANALYST, Role.AUDITOR)
    )
    actor, organisation_id = account.tenant.actor(), account.organisation_id
    with app.app_context(), within(organisation_id):
        other, third = add_buyer(account.tenant, "Quiet Oy", "FI"), add_buyer(account.tenant, "Müller Polska", "PL")
        for amount, day in ((100_000_00, date(2026, 1, 2)), (40_000_00, date(2026, 5, 1))):
            decision = limits.record_decision(
                actor, organisation_id, NewDecision(account.buyer_id, account.policy_id, amount, "EUR", day), TODAY
            )
        add_invoice(account, "A1", 70_000_00, shipped_on=date(2026, 4, 1))
        add_invoice(account, "Q1", 20_000_00, buyer_id=other, shipped_on=date(2026, 6, 29))
        set_fee(actor, organisation_id, account.policy_id, LimitKind.NAMED, Money(30_00, "EUR"))
        key = decision.id
    with time_machine.travel(datetime(2026, 6, 30, 9, tzinfo=UTC), tick=True):
        yield SimpleNamespace(account=account, other=other, third=third, cut=key, call=Caller(app, account.tenant))


def test_a_cut_becomes_work(ground: SimpleNamespace) -> None:
    call, one = ground.call, f"/limit-cuts/{ground.cut}"
    cut = call.get(one, Role.AUDITOR)
    assert (cut["kind"], cut["told_on"], cut["limit_before"]["amount"], cut["limit_after"]["amount"]) == (
        "reduction",
        "2026-05-01",
        "100000.00",
        "40000.00",
    )
    assert [(item["invoice"], item["open"]["amount"]) for item in cut["items"]] == [("A1", "70000.00")]
    assert cut["missing"]["amount"] == "30000.00"
    actions = {action["action"] for action in cut["actions"]}
    assert "letter_to_buyer" in actions
    assert call("POST", f"{one}/plan", Role.AUDITOR)[0] == 403
    planned = call.post(f"{one}/plan", Role.CREDIT_ANALYST, report_days=5)
    assert len(planned["work"]) == len(actions)
    finished = call.post(f"/work-items/{planned['work'][0]}/complete", note="letter sent")
    assert (finished["kind"], finished["state"]) == ("cut_action", "done")
    assert call.post(f"{one}/plan")["work"] == planned["work"]
    assert call("GET", "/limit-cuts/999")[0] == 404


def test_a_shared_limit_from_its_entry_to_the_end_of_a_share(ground: SimpleNamespace) -> None:
    call, account = ground.call, ground.account
    new = {
        "policy": "POL-N1",
        "name": "Müller group",
        "buyer_ids": [account.buyer_id, ground.other],
        "limit": {"amount": "90000.00", "currency": "EUR"},
        "decided_on": "2026-06-02",
    }
    assert call("POST", "/limit-groups", Role.AUDITOR, **new)[0] == 403
    assert call("POST", "/limit-groups", **{**new, "buyer_ids": [account.buyer_id]})[0] == 422
    assert call("POST", "/limit-groups", **{**new, "policy": "none"})[0] == 404
    made = call.post("/limit-groups", Role.CREDIT_ANALYST, status=201, **new)
    one = f"/limit-groups/{made['id']}"
    assert {sharer["buyer"] for sharer in made["sharers"]} == {"Müller GmbH", "Quiet Oy"}
    assert call("POST", f"{one}/join", buyer_ids=[ground.other])[0] == 422
    assert len(call.post(f"{one}/join", buyer_ids=[ground.third], joined_on="2026-06-15")["sharers"]) == 3
    more = call.post(f"{one}/decisions", status=201, limit={"amount": "120000.00", "currency": "EUR"}, reason="grown")
    assert [word["limit"]["amount"] for word in more["decisions"]] == ["120000.00", "90000.00"]
    listed = call.get("/limit-groups?policy=POL-N1", Role.AUDITOR)["items"]
    assert [(group["name"], group["buyers"], group["limit"]["amount"]) for group in listed] == [("Müller group", 3, "120000.00")]
    left = call.post(f"{one}/leave/{ground.other}", left_on="2026-07-01")
    assert left["left_on"] >= "2026-07-01"
    assert call("POST", f"{one}/leave/999", left_on="2026-07-01")[0] == 404
    ended = call.post(f"{one}/decisions", status=201, reason="notice of the insurer")
    assert ended["decisions"][0]["limit"] is None
    assert call("GET", "/limit-groups/999")[0] == 404


def test_what_is_needed_is_listed_and_explained(ground: SimpleNamespace) -> None:
    call = ground.call
    found = call.get("/limit-needs?policy=POL-N1", Role.AUDITOR)["items"]
    rows = {row["buyer"]: row for row in found}
    assert rows["Müller GmbH"]["limit"] == {"amount": "40000.00", "currency": "EUR"}
    assert rows["Müller GmbH"]["fee"] == {"amount": "30.00", "currency": "EUR"}
    assert rows["Müller GmbH"]["standing"] == "under_asked"
    assert call.get("/limit-needs?standing=unused")["total"] == 0
    need = call.get(f"/limit-needs/{ground.account.policy_id}/{ground.account.buyer_id}")
    assert (need["need"], need["limit"]["amount"]) == (rows["Müller GmbH"]["need"], "40000.00")
    assert need["steps"]
    assert call("GET", f"/limit-needs/{ground.account.policy_id}/999")[0] == 404
    fees = call.get("/limit-fees")["items"]
    assert fees == [{"policy": "POL-N1", "kind": "named", "fee": {"amount": "30.00", "currency": "EUR"}, "source": "set"}]
    assert call("GET", "/limit-fees", Role.AUDITOR)[0] == 403


def test_a_discretionary_limit_from_the_report_to_the_audit(ground: SimpleNamespace) -> None:
    call, buyer = ground.call, ground.other
    reports, limit = f"/buyers/{buyer}/credit-reports", f"/buyers/{buyer}/discretionary-limits"
    assert call("POST", limit, Role.AUDITOR, policy="POL-N1")[0] == 403
    assert call.post(limit, status=201, policy="POL-N1")["reason"] == "no_valid_evidence"
    report = {"agency": "Bureau", "reported_on": "2026-06-01", "recommended": {"amount": "25000.00", "currency": "EUR"}}
    assert call("POST", reports, **{**report, "reported_on": "2027-01-01"})[0] == 422
    (kept,) = call.post(reports, Role.CREDIT_ANALYST, status=201, **report)["items"]
    assert (kept["recommended"]["amount"], kept["file"]) == ("25000.00", None)
    assert call.get(reports)["items"] == [kept]
    made = call.post(limit, Role.CREDIT_ANALYST, status=201, policy="POL-N1")
    assert (made["limit"]["amount"], made["method"], made["valid_to"]) == ("25000.00", "credit_report", "2027-05-31")
    assert made["is_unaltered"]
    assert made["steps"]
    one = f"/discretionary-limits/{made['id']}"
    assert call.post(f"{one}/apply")["decision_id"]
    assert call.get(one)["decision_id"]
    assert call.get("/discretionary-limits?policy=POL-N1")["items"][0]["id"] == made["id"]
    audit = call.get(f"{limit}/audit?policy=POL-N1", Role.AUDITOR)
    assert (audit["survives"], audit["shipments"][0]["verdict"], audit["shipments"][0]["amount"]["amount"]) == (
        False,
        "proof_stored_late",
        "20000.00",
    )
    assert call("GET", "/buyers/999/discretionary-limits/audit?policy=POL-N1")[0] == 404
    assert call("POST", "/discretionary-limits/999/apply")[0] == 404

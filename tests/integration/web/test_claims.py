"""The forecast of claims: overdue buyers in a list, one with its waterfall, the same over the API and as a command, on any day."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import time_machine
from flask import Flask
from support.accounts import TERMS, TODAY, add_buyer, add_invoice, make_account, within
from support.api import Caller
from support.pages import PageClient
from support.tenants import log_in

from insureflow.domain.access import Role
from insureflow.domain.limits import AccountActKind
from insureflow.queries.claims import forecast_claims
from insureflow.services import limits
from insureflow.services.limits import NewAct, NewDecision

CLAUSES: dict[str, object] = {
    **TERMS,
    "insured_percentage": {"default": 90, "by_cause": {"insolvency": 95}},
    "claims_threshold": {"amount": 1000},
    "aggregate_first_loss": {"amount": 5000},
    "maximum_liability": {"amount": 70000},
    "waiting_period": {"protracted_default": {"months": 6, "from": "due_date"}},
    "claim_filing": {"months": 6, "from": "date_of_loss"},
    "examination": {"days": 30, "from": "documents_complete"},
}


def test_overdue_buyers_are_forecast_on_every_face(app: Flask, client: PageClient, invoke: Callable[..., Any]) -> None:
    account = make_account(app, terms=CLAUSES, roles=(Role.ADMINISTRATOR, Role.CLAIMS_HANDLER, Role.SALES))
    actor, organisation_id = account.tenant.actor(), account.organisation_id
    with app.app_context(), within(organisation_id):
        broken, small, paying = (add_buyer(account.tenant, name, "FI") for name in ("Broken Oy", "Small Oy", "Paying Oy"))
        for buyer, amount in ((account.buyer_id, 80_000_00), (broken, 50_000_00), (small, 50_000_00), (paying, 50_000_00)):
            limits.record_decision(actor, organisation_id, NewDecision(buyer, account.policy_id, amount, "EUR", date(2026, 1, 1)), TODAY)
        # 60 000 overdue and 40 000 not yet due under a limit of 80 000; the two Finns owe 10 000 and 900
        add_invoice(account, "M1", 60_000_00, shipped_on=date(2026, 4, 1))
        add_invoice(account, "M2", 40_000_00, shipped_on=date(2026, 6, 1), terms_days=60)
        add_invoice(account, "B1", 10_000_00, buyer_id=broken, shipped_on=date(2026, 4, 20))
        add_invoice(account, "S1", 900_00, buyer_id=small, shipped_on=date(2026, 5, 1))
        add_invoice(account, "P1", 9_000_00, buyer_id=paying, shipped_on=date(2026, 6, 20), terms_days=60)
        act = NewAct(broken, account.policy_id, AccountActKind.INSOLVENCY, date(2026, 6, 15))
        limits.record_act(actor, organisation_id, act, TODAY)
        found = {each.account.buyer: each for each in forecast_claims(TODAY)}
        expected = {name: None if each.forecast is None else each.forecast.loss.indemnity for name, each in found.items()}
        # Broken: 9 500 - 5 000 first loss; Müller: 72 000, at most 65 500 left; Small: below the threshold
        assert expected == {"Broken Oy": 4_500_00, "Müller GmbH": 65_500_00, "Small Oy": 0}
        assert (found["Broken Oy"].dates.date_of_loss, found["Broken Oy"].dates.payment_on) == (date(2026, 6, 15), date(2026, 7, 30))
        # Three weeks before, the insolvency had not happened and only two were overdue
        before = forecast_claims(date(2026, 5, 25))
        assert {each.account.buyer for each in before} == {"Müller GmbH", "Broken Oy"}
        assert {each.dates.cause.value for each in before} == {"protracted_default"}
        assert [each.account.buyer for each in forecast_claims(TODAY, entity_id=account.tenant.entity_id, buyer_id=small)] == ["Small Oy"]
        assert forecast_claims(TODAY, policy_id=account.policy_id + 1) == []

    log_in(client, account.tenant, Role.CLAIMS_HANDLER)
    page = client.get(f"/claims/forecast?on={TODAY.isoformat()}").text
    assert all(text in page for text in ("Müller GmbH", "Broken Oy", "65,500.00", "70,000.00", "Money expected, EUR"))
    assert "Paying Oy" not in page
    assert "Müller" not in client.get("/claims/forecast?cause=insolvency").text
    with client.get("/claims/forecast?format=csv") as file:
        assert "aggregate first loss" in file.text
    one = client.get(f"/claims/forecast/buyers/{account.buyer_id}").text
    assert "Of 100,000.00 EUR that is owed, 65,500.00 EUR is expected" in one.replace("\xa0", " ").replace("\u202f", " ")
    assert all(text in one for text in ("Over the limit", "Maximum liability used up", "smaller of before and what is left"))
    assert "Nothing that is insured is overdue" in client.get(f"/claims/forecast/buyers/{paying}").text
    assert client.get("/claims/forecast/buyers/987654").status_code == 404

    with time_machine.travel(datetime(2026, 6, 30, 9, tzinfo=UTC), tick=True):
        call = Caller(app, account.tenant)
        answer = call.get(f"/claims/forecast?policy=POL-N1&buyer_id={account.buyer_id}", Role.CLAIMS_HANDLER)
        assert call("GET", "/claims/forecast", Role.SALES)[0] == 403
    [item] = answer["items"]
    assert (item["indemnity"]["amount"], item["own_retention"]["amount"]) == ("65500.00", "34500.00")
    assert {part["reason"]: part["amount"]["amount"] for part in item["uncovered"] + item["effects"]} == {
        "over_limit": "20000.00",
        "insured_percentage": "8000.00",
        "maximum_liability": "6500.00",
    }
    assert {"covered_debt", "after_maximum_liability", "expected_payment"} <= {step["name"] for step in item["steps"]}
    assert sum(Decimal(month["amount"]["amount"]) for month in answer["calendar"]) == 65_500

    command = ("claims", "forecast", "-o", account.tenant.slug, "--on", TODAY.isoformat())
    said = json.loads(invoke(*command, "--format", "json").output)
    assert {row["buyer"] for row in said["accounts"]} == {"Broken Oy", "Small Oy", "Müller GmbH"}
    assert "4500.00 EUR" in invoke(*command, "--buyer", "Broken Oy").output
    assert "No insured buyer is overdue" in invoke(*command[:-1], "2026-01-01", "--policy", "POL-N1").output

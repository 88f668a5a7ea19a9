"""Rules of dunning and statements of account over the API."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import time_machine
from flask import Flask
from support.api import Caller
from support.dunning import make_debtors

from insureflow.domain.access import Role

RULE = {
    "levels": [{"level": "reminder_1", "days": 5, "automatic": True}, {"level": "final_demand", "days": 30}],
    "minimum": {"EUR": "50.00"},
    "interest": {"annual_rate": "11.27", "basis": "§ 288 BGB", "day_count": 360},
    "compensation": {"amounts": {"EUR": "40.00"}, "from_level": "final_demand"},
}


def test_rules_are_set_by_scope_and_day_listed_and_taken_out(app: Flask) -> None:
    debtors = make_debtors(app, roles=(Role.ADMINISTRATOR, Role.CLAIMS_HANDLER))
    with time_machine.travel(datetime(2026, 6, 9, 9, tzinfo=UTC), tick=True):
        call = Caller(app, debtors.account.tenant)
        before = len(call.get("/dunning-rules", Role.CLAIMS_HANDLER)["items"])
        assert call("PUT", "/dunning-rules", Role.CLAIMS_HANDLER, rule=RULE)[0] == 403
        status, made = call("PUT", "/dunning-rules", country="DE", rule=RULE, note="firmer")
        assert (status, made["effective_on"], made["country"], made["buyer_id"]) == (200, "2026-06-09", "DE", None), made
        assert made["rule"]["levels"] == [
            {"level": "reminder_1", "days": 5, "automatic": True},
            {"level": "final_demand", "days": 30, "automatic": False},
        ]
        assert made["rule"]["minimum"] == {"EUR": "50.00"}
        assert made["rule"]["interest"]["annual_rate"] == "11.27"
        assert made["rule"]["compensation"] == {"amounts": {"EUR": "40.00"}, "from_level": "final_demand"}
        assert made["rule"]["may_skip_levels"] is False
        assert made["rule"]["holds"] == {"disputes": True, "promises": True, "plans": True}
        again = call("PUT", "/dunning-rules", country="DE", rule={**RULE, "grace_days": 3})[1]
        assert (again["id"], again["rule"]["grace_days"]) == (made["id"], 3), "one rule for a scope and a day"
        listed = call.get("/dunning-rules")
        assert len(listed["items"]) == before + 1
        assert again in listed["items"]
        assert call.get(f"/dunning-rules/{made['id']}") == again
        own = call("PUT", "/dunning-rules", buyer_id=debtors.buyers["SE"], effective_on="2026-07-01", rule=listed["fallback"])[1]
        assert (own["rule"], own["effective_on"]) == (listed["fallback"], "2026-07-01")
        wrong = (
            {},
            {"levels": []},
            {"levels": [{"level": "reminder_1", "days": -4}]},
            {"levels": [{"level": "reminder_2", "days": 4}, {"level": "reminder_1", "days": 9}]},
            {"levels": [{"level": "shout", "days": 4}]},
            {**RULE, "holds": [1]},
            {**RULE, "minimum": {"EUR": "-1"}},
            {**RULE, "minimum": {"XXX1": "1"}},
            {**RULE, "interest": {"annual_rate": "101", "basis": "none"}},
            {**RULE, "grace_days": 10**30},
        )
        assert {call("PUT", "/dunning-rules", rule=rule)[0] for rule in wrong} == {422}
        assert call("PUT", "/dunning-rules", rule=RULE, country="DE", buyer_id=debtors.buyers["SE"])[1]["code"] == "dunning_scope_twice"
        assert call("PUT", "/dunning-rules", rule=RULE, buyer_id=999)[0] == 404
        assert call("DELETE", f"/dunning-rules/{made['id']}", Role.CLAIMS_HANDLER)[0] == 403
        assert [call("DELETE", f"/dunning-rules/{made['id']}")[0] for _ in range(2)] == [204, 404]

        german = debtors.buyers["DE"]
        account = call.get(f"/buyers/{german}/account?entity=SE01", Role.CLAIMS_HANDLER)
        assert ([each["number"] for each in account["items"]], account["closing"]) == (
            ["DE-1"],
            [{"amount": "10000.00", "currency": "EUR"}],
        )
        assert account["items"][0]["days_late"] > 0
        assert call("GET", f"/buyers/{german}/account?entity=NONE")[0] == 404
        assert call("GET", "/buyers/999/account?entity=SE01")[0] == 404
        assert call("POST", f"/buyers/{german}/statements", Role.CLAIMS_HANDLER, entity="SE01")[0] == 403
        issued = call.post(f"/buyers/{german}/statements", status=201, entity="SE01", by_mail=True)
        assert call.get(f"/messages/{issued['message_id']}")["documents"] == [issued["document_id"]]
        content = call.get(f"/documents/{issued['document_id']}")
        assert hashlib.sha256(content).hexdigest() == issued["sha256"]
        listed = call.get(f"/buyers/{german}/statements")
        assert [(each["id"], each["number"], each["kind"]) for each in listed["items"]] == [
            (issued["document_id"], issued["number"], "statement")
        ]
        alone = call.post(f"/buyers/{german}/statements", status=201, entity="SE01")
        assert (alone["message_id"], alone["number"] != issued["number"]) == (None, True)

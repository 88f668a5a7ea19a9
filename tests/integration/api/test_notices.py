"""The API of notices to insurers: from the draft to the proof."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from flask import Flask
from support.notices import make_overdue_account

from insureflow.domain.access import Role
from insureflow.services import tokens

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def test_from_the_draft_to_the_proof(app: Flask) -> None:
    account = make_overdue_account(app)
    secrets = {}
    with app.app_context():
        for role in (Role.CLAIMS_HANDLER, Role.RECEIVABLES_CLERK):
            login = account.tenant.logins[role]
            secrets[role] = tokens.add_token(account.tenant.actor(), account.organisation_id, login.user_id, role.value)[1]
    client = app.test_client()

    def call(role: Role, method: str, address: str, **json: Any) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {secrets[role]}"}
        body = {"json": json} if method == "POST" else {}
        answer = client.open(f"/api/v1/notices{address}", method=method, headers=headers, **body)
        return answer.status_code, answer.json

    with time_machine.travel(datetime(2026, 6, 30, 9, tzinfo=UTC), tick=True):
        status, made = call(Role.RECEIVABLES_CLERK, "POST", "", buyer_id=account.buyer_id, reason="cash_flow")
        assert (status, made["state"], made["deadline_on"]) == (201, "draft", "2026-07-03")
        assert made["lines"][0]["insured"] == {"amount": "9000.00", "currency": "EUR"}
        key = made["id"]
        assert call(Role.RECEIVABLES_CLERK, "POST", f"/{key}/approve")[0] == 403
        status, approved = call(Role.CLAIMS_HANDLER, "POST", f"/{key}/approve")
        assert (status, approved["state"]) == (200, "approved")
        assert call(Role.CLAIMS_HANDLER, "POST", f"/{key}/approve")[1]["code"] == "notice_cannot"
        status, problem = call(Role.CLAIMS_HANDLER, "POST", f"/{key}/send", channel="portal")
        assert (status, problem["code"]) == (422, "notice_protocol_needed")
        status, sent = call(Role.CLAIMS_HANDLER, "POST", f"/{key}/send", channel="portal", protocol_number="AT-9")
        assert (status, sent["state"], sent["is_in_time"]) == (200, "sent", True)
        status, answered = call(Role.RECEIVABLES_CLERK, "POST", f"/{key}/reply", outcome="received", note="ok")
        assert (status, answered["reply"], answered["replied_on"]) == (200, "received", "2026-06-30")
        status, listed = call(Role.RECEIVABLES_CLERK, "GET", "?state=answered")
        assert (status, listed["total"], listed["items"][0]["open"]["amount"]) == (200, 1, "12000.00")
        status, proof = call(Role.RECEIVABLES_CLERK, "GET", f"/{key}/proof")
        assert (status, proof["dispatches"][0]["protocol_number"], proof["notice"]["in_time"]) == (200, "AT-9", True)
        assert call(Role.RECEIVABLES_CLERK, "GET", "/999")[0] == 404

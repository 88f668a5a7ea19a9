"""``insureflow ship-check``: one line for people, JSON for programs, a status for scripts."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
import time_machine
from flask import Flask
from support.accounts import TODAY, Account, make_account, within

from insureflow.services import limits
from insureflow.services.limits import NewDecision


@pytest.fixture
def account(app: Flask) -> Account:
    account = make_account(app)
    with app.app_context(), within(account.organisation_id):
        new = NewDecision(account.buyer_id, account.policy_id, 10_000_00, "EUR", date(2026, 1, 15))
        limits.record_decision(account.tenant.actor(), account.organisation_id, new, TODAY)
    return account


def test_a_question_is_answered_kept_and_released(account: Account, invoke: Callable[..., Any]) -> None:
    def ask(amount: str, *more: str) -> Any:
        asked = ("ship-check", "-o", account.tenant.slug, "-b", "1001", "--amount", amount, "--currency", "EUR", "--terms", "60")
        return invoke(*asked, *more)

    with time_machine.travel(datetime(2026, 6, 30, 9, tzinfo=UTC), tick=True):
        yes = ask("10000")
        assert (yes.exit_code, yes.output.startswith("Yes: ")) == (0, True)
        partly = ask("12000", "--explain", "--format", "json")
        facts = json.loads(partly.output)
        assert (partly.exit_code, facts["verdict"], facts["uncovered"]) == (2, "partly", {"amount": "2000.00", "currency": "EUR"})
        assert facts["trace"]
        assert any(each["sentence"].startswith("Ship goods for") for each in facts["remedies"])
        assert "- Ship goods for" in ask("12000", "--explain").output
        kept = ask("10000", "--order", "A-1", "--reserve-until", "2026-07-05", "--format", "json")
        number = json.loads(kept.output)["id"]
        assert ask("1", "--on", "2026-07-01").exit_code == 3
        assert "nothing is reserved" in ask("1", "--keep", "--entity", "SE01").output
        assert invoke("ship-check", "invoiced", str(number), "none", "-o", account.tenant.slug).exit_code == 1
        released = invoke("ship-check", "release", str(number), "-o", account.tenant.slug)
        assert (released.exit_code, "keeps nothing" in released.output) == (0, True)
        assert ask("10000").exit_code == 0
        assert "Reserved until 2026-07-05" in ask("10000", "--order", "A-1", "--reserve-until", "2026-07-05").output
        assert ask("x").exit_code == 1
        assert "There is no entity" in ask("1", "--entity", "XX").output
        assert "Missing option '--buyer'" in invoke("ship-check", "-o", account.tenant.slug).output

"""Duties on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from support.insight import Insight, make_insight

from insureflow.domain.access import Role
from insureflow.models.database import db
from insureflow.models.policies import Policy
from insureflow.services.scoping import within

Invoke = Callable[..., Any]


@pytest.fixture
def insight(app: Flask, organisation: Any) -> Insight:
    return make_insight(app, organisation)


def test_duties_are_listed_marked_handed_over_and_asked_about(app: Flask, organisation: Any, insight: Insight, invoke: Invoke) -> None:
    of = ("--organisation", organisation.slug)
    listed = json.loads(invoke("obligations", "list", *of, "--format", "json").output)
    reminder = next(row for row in listed if row["kind"] == "send_reminder" and row["status"] == "late")
    assert reminder["buyer"] == "Alpha Werke GmbH"
    number = str(reminder["id"])
    assert "send a reminder" in invoke("obligations", "list", *of, "--kind", "send_reminder", "--status", "late").output
    email = organisation.logins[Role.CREDIT_MANAGER].email
    assert email in invoke("obligations", "assign", number, *of, "--to", email).output
    assert invoke("obligations", "assign", number, *of, "--to", "nobody@example.org").exit_code == 1
    assert "nobody" in invoke("obligations", "assign", number, *of).output
    assert "done" in invoke("obligations", "done", number, *of, "--evidence", "letter 4711").output
    found = json.loads(invoke("obligations", "list", *of, "--kind", "send_reminder", "--days", "400", "--format", "json").output)
    assert number not in {str(row["id"]) for row in found if row["status"] == "late"}
    assert invoke("obligations", "done", "999999", *of, "--evidence", "x").exit_code == 1
    with app.app_context(), within(organisation.id):
        policy = db.session.get_one(Policy, insight.policy_id).number
    asked = invoke("obligations", "what-if", *of, "-p", policy, "--set", "overdue_notification.days=45", "--format", "json")
    kinds = {each["kind"]: each for each in json.loads(asked.output)["kinds"]}
    assert kinds["notify_overdue"]["moved"] > 0
    assert kinds["stop_shipments"]["moved"] == 0
    assert "notify the overdue" in invoke("obligations", "what-if", *of, "-p", policy, "--set", "overdue_notification.days=45").output
    assert invoke("obligations", "what-if", *of, "-p", policy, "--set", "overdue_notification=soon").exit_code == 2
    assert invoke("obligations", "what-if", *of, "-p", policy, "--set", "overdue_notification.weeks=4").exit_code == 1


def test_a_duty_is_waived_and_opened_again(organisation: Any, insight: Insight, invoke: Invoke) -> None:
    of = ("--organisation", organisation.slug)
    assert insight.policy_id
    listed = json.loads(invoke("obligations", "list", *of, "--days", "60", "--kind", "notify_overdue", "--format", "json").output)
    number = str(listed[0]["id"])
    assert "waived" in invoke("obligations", "waive", number, *of, "--reason", "below the threshold").output
    assert json.loads(invoke("obligations", "list", *of, "--days", "60", "--status", "waived", "--format", "json").output)
    assert "open again" in invoke("obligations", "reopen", number, *of).output
    assert invoke("obligations", "reopen", number, *of).exit_code == 1

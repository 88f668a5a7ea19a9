"""The pages of dunning: worklist, approval, letter, a buyer's overdues, rules tried out and saved; and the commands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from support.accounts import within
from support.dunning import DAY, RULE, Debtors, make_debtors
from support.pages import PageClient
from support.tenants import log_in

from insureflow.domain.access import Role
from insureflow.models.database import db
from insureflow.models.dunning import ContactNote, DunningHold, DunningLetter, DunningRule, PromiseToPay


@pytest.fixture
def debtors(app: Flask) -> Debtors:
    return make_debtors(app, roles=(Role.ADMINISTRATOR, Role.RECEIVABLES_CLERK, Role.AUDITOR))


def keys(app: Flask, debtors: Debtors, model: type[DunningLetter | DunningHold | PromiseToPay | ContactNote | DunningRule]) -> list[int]:
    with app.app_context(), within(debtors.organisation_id):
        return list(db.session.scalars(select(model.id).order_by(model.id)))


def test_from_the_worklist_to_the_post(app: Flask, client: PageClient, debtors: Debtors) -> None:
    with time_machine.travel(f"{DAY.isoformat()}T09:00:00Z", tick=False):
        log_in(client, debtors.account.tenant, Role.RECEIVABLES_CLERK)
        assert "No letter was proposed yet" in client.get("/dunning/").get_data(as_text=True)
        assert client.post("/dunning/propose").status_code == 302
        page = client.get("/dunning/").get_data(as_text=True)
        assert "4 letters wait for approval." in page
        assert "Nothing is sent." in page  # no mail server
        first, second, third, fourth = keys(app, debtors, DunningLetter)
        assert "4 letters wait" in client.get("/dunning/approvals").get_data(as_text=True)
        shown = client.get(f"/dunning/letters/{first}").get_data(as_text=True)
        assert "DE-1" in shown
        assert "The rule of the organisation of" in shown
        assert "original due date + days of the level" in shown
        letter = client.get(f"/dunning/letters/{first}/preview").get_data(as_text=True)
        assert 'lang="de"' in letter
        assert "Mahnung" in letter
        client.post("/dunning/approve", data={"action": "skip", "letter": [str(second)], "reason": ""})
        assert "Say why the letter is not sent." in client.get("/dunning/approvals").get_data(as_text=True)
        client.post("/dunning/approve", data={"action": "skip", "letter": [str(second)], "reason": "they called"})
        client.post("/dunning/approve", data={"action": "chosen", "letter": [str(first), str(third)]})
        client.post(f"/dunning/letters/{fourth}/approve")
        page = client.get("/dunning/").get_data(as_text=True)
        assert "No letter waits for approval" in page
        assert "they called" in client.get(f"/dunning/letters/{second}").get_data(as_text=True)
        assert "D-2026-000001" in client.get(f"/dunning/letters/{first}").get_data(as_text=True)
        assert client.post("/dunning/print").status_code == 302
        assert "No letter waits to be printed." in client.get("/dunning/").get_data(as_text=True)
        assert client.get("/messages/?state=queued").get_data(as_text=True).count("ap@") == 3
        log_in(client, debtors.account.tenant, Role.AUDITOR)
        assert client.get("/dunning/").status_code == 200
        assert client.post("/dunning/propose").status_code == 403
        assert client.get("/dunning/approvals").status_code == 403


def test_the_overdues_of_a_buyer(app: Flask, client: PageClient, debtors: Debtors) -> None:
    buyer, entity = debtors.buyers["DE"], debtors.account.tenant.entity_id
    with time_machine.travel(f"{DAY.isoformat()}T09:00:00Z", tick=False):
        log_in(client, debtors.account.tenant, Role.RECEIVABLES_CLERK)
        page = client.get(f"/dunning/buyers/{buyer}").get_data(as_text=True)
        assert "1 invoice is overdue." in page
        promise = {"amount": "1,000.00", "currency": "EUR", "promised_for": "2026-06-15", "by_whom": "Frau Maier", "invoices": "DE-9"}
        refused = client.post(f"/dunning/buyers/{buyer}/promises", data=promise)
        assert refused.status_code == 422
        assert "is no invoice of this buyer" in refused.get_data(as_text=True)
        assert client.post(f"/dunning/buyers/{buyer}/promises", data={**promise, "invoices": "DE-1"}).status_code == 302
        assert client.post(f"/dunning/buyers/{buyer}/holds", data={"reason": "", "until_on": ""}).status_code == 422
        assert client.post(f"/dunning/buyers/{buyer}/holds", data={"reason": "audit", "until_on": "2026-07-01"}).status_code == 302
        note = {"kind": "call", "happened_on": "2026-06-09", "with_whom": "Frau Maier", "text": "pays soon", "follow_up_on": "2026-06-09"}
        assert client.post(f"/dunning/buyers/{buyer}/notes", data=note).status_code == 302
        assert "pays soon" in client.get("/dunning/").get_data(as_text=True)
        page = client.get(f"/dunning/buyers/{buyer}").get_data(as_text=True)
        for said in ("Promise of", "audit", "call with Frau Maier", "To come back to"):
            assert said in page
        assert client.post(f"/dunning/notes/{keys(app, debtors, ContactNote)[0]}/done").status_code == 302
        assert client.post(f"/dunning/holds/{keys(app, debtors, DunningHold)[0]}/end").status_code == 302
        assert client.post(f"/dunning/promises/{keys(app, debtors, PromiseToPay)[0]}/cancel").status_code == 302
        assert "taken back" in client.get(f"/dunning/buyers/{buyer}").get_data(as_text=True)
        assert "Kontoauszug" in client.get(f"/dunning/buyers/{buyer}/statements/{entity}").get_data(as_text=True)
        assert client.post(f"/dunning/buyers/{buyer}/statements/{entity}", data={"by_mail": "yes"}).status_code == 302
        assert "statement of account" in client.get(f"/documents/buyers/{buyer}").get_data(as_text=True)
        assert client.get("/dunning/buyers/999999").status_code == 404


def test_rules_are_tried_out_before_they_hold(app: Flask, client: PageClient, debtors: Debtors) -> None:
    with time_machine.travel(f"{DAY.isoformat()}T09:00:00Z", tick=False):
        log_in(client, debtors.account.tenant)
        assert "By these rules 4 new letters would be proposed today" in client.get("/dunning/rules").get_data(as_text=True)
        typed = {
            "country": "DE", "effective_on": "2026-06-09", "reminder_1": "20", "final_demand": "40", "automatic": "reminder_1", "grace_days": "0",
            "days_between": "7", "pay_within_days": "10", "minimum": "EUR 50, JPY 5000", "channel": "post", "disputes": "y", "interest_rate": "8,15",
            "interest_year": "365", "interest_from": "reminder_1", "interest_basis": "contract", "compensation": "EUR 40", "compensation_from": "final_demand",
            "may_skip_levels": "y",
        }  # fmt: skip
        tried = client.post("/dunning/rules/new", data={**typed, "action": "simulate"}).get_data(as_text=True)
        assert "By these rules 3 new letters would be proposed today" in tried
        assert keys(app, debtors, DunningRule) == [1]
        for wrong in ({"final_demand": "10"}, {"minimum": "fifty"}, {"interest_rate": "x"}, {"grace_days": "-3"}, {"effective_on": ""}):
            assert client.post("/dunning/rules/new", data={**typed, **wrong, "action": "save"}).status_code == 422
        assert client.post("/dunning/rules/new", data={**typed, "action": "save"}).status_code == 302
        new = keys(app, debtors, DunningRule)[1]
        page = client.get("/dunning/rules").get_data(as_text=True)
        assert "Germany" in page
        assert "goes without approval" in page
        assert "a letter may skip milder levels" in page
        assert "40.00" in client.get(f"/dunning/rules/{new}").get_data(as_text=True)
        assert client.get(f"/dunning/rules/new?buyer_id={debtors.buyers['SE']}").status_code == 200
        assert client.post(f"/dunning/rules/{new}/remove").status_code == 302
        log_in(client, debtors.account.tenant, Role.RECEIVABLES_CLERK)
        assert client.get("/dunning/rules/new").status_code == 403
        assert "Change it or try it out" not in client.get("/dunning/rules").get_data(as_text=True)


def test_dunning_by_command(app: Flask, debtors: Debtors, tmp_path: Path) -> None:
    runner, slug = app.test_cli_runner(), debtors.account.tenant.slug
    with time_machine.travel(f"{DAY.isoformat()}T09:00:00Z", tick=False):
        dry = runner.invoke(args=["dunning", "propose", "-o", slug, "--dry-run", "--format", "json"])
        assert len(json.loads(dry.stdout)) == 4
        assert "letters proposed" in runner.invoke(args=["dunning", "propose", "-o", slug]).output
        listed = json.loads(runner.invoke(args=["dunning", "list", "-o", slug, "--state", "proposed", "--format", "json"]).stdout)
        assert {row["level"] for row in listed} == {"reminder_1"}
        assert "4 letters approved, 4 written" in runner.invoke(args=["dunning", "approve", "-o", slug, "--all"]).output
        assert runner.invoke(args=["dunning", "approve", "-o", slug]).exit_code == 2
        file = tmp_path / "rule.json"
        file.write_text(json.dumps(RULE))
        assert "holds from 2026-07-01" in runner.invoke(
            args=["dunning", "set-rule", str(file), "-o", slug, "--country", "SE", "--from", "2026-07-01"]
        ).output  # fmt: skip
        file.write_text("[]")
        assert runner.invoke(args=["dunning", "set-rule", str(file), "-o", slug]).exit_code == 1
        assert "SE" in runner.invoke(args=["dunning", "rules", "-o", slug]).output

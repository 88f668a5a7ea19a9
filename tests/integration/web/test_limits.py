"""The pages of limits: the register, its history, the forms, and who may take an entry back."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from support.accounts import TERMS, TODAY, Account, add_buyer, add_invoice, make_account, within
from support.pages import PageClient
from support.tenants import log_in

from insureflow.domain.access import Role
from insureflow.domain.limits import AccountActKind, LimitKind
from insureflow.models.database import db
from insureflow.models.limits import AccountAct, LimitDecision
from insureflow.services import limits
from insureflow.services.limits import NewAct, NewDecision, NewWithdrawal

ROLES = (Role.ADMINISTRATOR, Role.CREDIT_MANAGER, Role.CREDIT_ANALYST, Role.AUDITOR, Role.SALES)


@pytest.fixture
def account(app: Flask, keeping: Callable[..., Any]) -> Account:
    made = keeping("limits_on_pages", partial(_account, app))
    assert isinstance(made, Account)
    return made


def _account(app: Flask) -> Account:
    account = make_account(app, roles=ROLES)
    with app.app_context(), within(account.organisation_id):
        actor = account.tenant.actor()
        new = NewDecision(account.buyer_id, account.policy_id, 100_000_00, "EUR", date(2026, 1, 15), insurer_reference="CL-1")
        limits.record_decision(actor, account.organisation_id, new, TODAY)
        add_invoice(account, "A1", 120_000_00)
        never = add_buyer(account.tenant, "Nobody Asked SARL", "FR")
        add_invoice(account, "N1", 10_000_00, buyer_id=never)
        refused = add_buyer(account.tenant, "Refused SpA", "IT")
        limits.record_decision(
            actor,
            account.organisation_id,
            NewDecision(refused, account.policy_id, 0, "EUR", date(2026, 2, 1), requested_minor=5_000_00),
            TODAY,
        )
        zero = add_buyer(account.tenant, "Zero Oy", "FI")
        for amount, day in ((40_000_00, date(2026, 1, 1)), (0, date(2026, 3, 1))):
            limits.record_decision(actor, account.organisation_id, NewDecision(zero, account.policy_id, amount, "EUR", day), TODAY)
    return account


@pytest.fixture
def manager(client: PageClient, account: Account) -> PageClient:
    log_in(client, account.tenant, Role.CREDIT_MANAGER)
    client.get(f"/limits/?on={TODAY.isoformat()}")
    return client


def exported(client: PageClient, address: str) -> tuple[str, bytes]:
    """Kind and content of a file; closing the answer removes what it was written to."""
    with client.get(address) as response:
        return response.mimetype, response.get_data()


def decisions(app: Flask, account: Account) -> list[LimitDecision]:
    with app.app_context(), within(account.organisation_id):
        return list(db.session.scalars(select(LimitDecision).order_by(LimitDecision.id)))


def test_the_register_tells_never_asked_refused_and_zero_apart(manager: PageClient) -> None:
    text = manager.get("/limits/").get_data(as_text=True)
    assert "1 buyer owes you money although nobody asked for a limit." in text
    for words, tone in (("never asked", "undecided"), ("refused", "stopped"), ("reduced to zero", "uncovered"), ("in force", "covered")):
        assert f'<span class="tag tag-{tone}">{words}</span>' in text, words
    only = manager.get("/limits/?situation=never_asked").get_data(as_text=True)
    assert "Nobody Asked SARL" in only
    assert "Refused SpA" not in only
    assert "Müller" in manager.get("/limits/?use=above_limit").get_data(as_text=True)
    assert "Zero Oy" not in manager.get("/limits/?kind=named&country=DE&policy=POL-N1").get_data(as_text=True)
    assert "Müller" in manager.get("/limits/?q=muller+gmbh&sort=utilisation&direction=desc").get_data(as_text=True)


def test_the_register_is_exported_with_its_words(manager: PageClient) -> None:
    text = exported(manager, "/limits/?format=csv&sort=insured_percentage")[1].decode()
    assert "reduced to zero" in text
    assert "100000.00,EUR" in text
    assert exported(manager, "/limits/?format=xlsx")[0].endswith("sheet")


def test_history_and_cuts(manager: PageClient, app: Flask, account: Account) -> None:
    history = manager.get("/limits/history").get_data(as_text=True)
    assert "CL-1" in history
    assert history.count("data-url") == 4
    assert "No limit was cut in the last 30 days." in manager.get("/limits/cut").get_data(as_text=True)
    cut = manager.get("/limits/cut?on=2026-03-10").get_data(as_text=True)
    assert "1 limit was cut" in cut
    assert "40,000.00" in cut
    assert "Zero Oy" in exported(manager, "/limits/cut?format=csv")[1].decode()
    assert "CL-1" in exported(manager, "/limits/history?format=csv&on=2026-06-30")[1].decode()


def test_a_decision_shows_how_its_amount_came_to_count(manager: PageClient, app: Flask, account: Account) -> None:
    key = decisions(app, account)[0].id
    page = manager.get(f"/limits/{key}").get_data(as_text=True)
    assert "100,000.00\u00a0EUR was allowed on 15 Jan 2026" in page
    assert "amount decided × rate of that day" in page
    panel = manager.get(f"/limits/{key}/why", headers={"HX-Request": "true"}).get_data(as_text=True)
    assert "Takes effect" in panel
    assert "<html" not in panel
    assert manager.get(f"/limits/{key}/why").status_code == 200
    assert manager.get("/limits/999999").status_code == 404
    refused = decisions(app, account)[1].id
    assert "The insurer allowed nothing" in manager.get(f"/limits/{refused}").get_data(as_text=True)


def test_a_withdrawal_has_a_page_as_well(manager: PageClient, app: Flask, account: Account) -> None:
    with app.app_context(), within(account.organisation_id):
        notice = NewWithdrawal(account.buyer_id, account.policy_id, date(2026, 6, 1))
        made = limits.withdraw(account.tenant.actor(), account.organisation_id, notice, TODAY).id
    text = manager.get(f"/limits/{made}").get_data(as_text=True)
    assert "notice came on 1 Jun 2026 and takes effect on 1 Jul 2026" in text


def decision_form(account: Account, **changes: str) -> dict[str, str]:
    return {
        "policy_id": str(account.policy_id),
        "layer": "primary",
        "kind": "named",
        "currency": "EUR",
        "requested": "200 000",
        "decided": "150.000,50".replace(".", " "),
        "decided_on": "2026-06-01",
    } | changes


def test_a_decision_is_entered_by_hand(manager: PageClient, app: Flask, account: Account) -> None:
    address = f"/limits/record?buyer_id={account.buyer_id}&policy_id={account.policy_id}"
    assert manager.get(address).status_code == 200
    sent = manager.post(
        address,
        data=decision_form(
            account, insured_percentage="85 %", maximum_credit_terms_days="90", valid_to="2027-06-01", reason="good accounts"
        ),
    )
    assert sent.status_code == 302
    made = decisions(app, account)[-1]
    assert (made.decided_minor, made.requested_minor, made.valid_to) == (150_000_50, 200_000_00, date(2027, 6, 1))
    assert made.conditions == {"insured_percentage": "85", "maximum_credit_terms": {"days": 90, "from": "invoice_date"}}
    page = manager.get(f"/buyers/{account.buyer_id}/limits").get_data(as_text=True)
    assert "is entered." in page
    assert "superseded" in page


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"decided": "much"}, "is not an amount"),
        ({"decided": "1.234"}, "decimals"),
        ({"insured_percentage": "many"}, "is not a percentage"),
        ({"kind": "temporary"}, "needs its last day"),
        ({"decided_on": "2099-01-01"}, "is after today"),
        ({"insurer_reference": "CL-1"}, "is entered already"),
        ({"decided": ""}, "Nothing was saved yet"),
    ],
)
def test_a_wrong_decision_is_shown_again_with_what_is_wrong(
    manager: PageClient, app: Flask, account: Account, changes: dict[str, str], sentence: str
) -> None:
    count = len(decisions(app, account))
    sent = manager.post(f"/limits/record?buyer_id={account.buyer_id}", data=decision_form(account, **changes))
    assert sent.status_code == 422
    text = sent.get_data(as_text=True)
    assert sentence in text
    assert 'value="200 000"' in text
    assert len(decisions(app, account)) == count


def test_withdrawals_and_acts_have_forms(manager: PageClient, app: Flask, account: Account) -> None:
    who = f"?buyer_id={account.buyer_id}"
    common = {"policy_id": str(account.policy_id), "layer": "primary"}
    for address in ("/limits/withdraw", "/limits/act"):
        assert manager.get(address).status_code == 200
        assert manager.get(address + who).status_code == 200
    assert manager.post("/limits/withdraw" + who, data={**common, "received_on": "2026-06-03"}).status_code == 302
    stop = {"policy_id": common["policy_id"], "kind": "stop_cover", "happened_on": "2026-06-04", "note": "bad news"}
    assert manager.post("/limits/act" + who, data=stop).status_code == 302
    assert manager.post("/limits/act" + who, data={**stop, "kind": "buyer_grade"}).status_code == 422
    assert [each.status.value for each in decisions(app, account)][-1:] == ["withdrawn"]
    text = manager.get(f"/buyers/{account.buyer_id}/limits").get_data(as_text=True)
    assert "bad news" in text
    assert "cover stopped" in manager.get("/limits/?on=2026-06-30").get_data(as_text=True)


def test_the_buyer_of_a_form_is_searched_for(manager: PageClient, account: Account) -> None:
    assert f"/limits/record?buyer_id={account.buyer_id}" in manager.get("/limits/record?search=MULLER").get_data(as_text=True)
    assert "No buyer found" in manager.get("/limits/record?search=xyz").get_data(as_text=True)
    assert manager.get("/limits/record?buyer_id=999999").status_code == 404


def test_only_a_manager_takes_an_entry_back(client: PageClient, app: Flask, account: Account) -> None:
    key = decisions(app, account)[0].id
    log_in(client, account.tenant, Role.CREDIT_ANALYST)
    assert client.get(f"/limits/{key}/remove").status_code == 403
    assert "Take back" not in client.get(f"/limits/{key}").get_data(as_text=True)
    log_in(client, account.tenant, Role.CREDIT_MANAGER)
    assert client.get(f"/limits/{key}/remove").status_code == 200
    assert client.post(f"/limits/{key}/remove", data={"reason": ""}).status_code == 422
    assert client.post(f"/limits/{key}/remove", data={"reason": "typed twice"}).status_code == 302
    assert key not in {each.id for each in decisions(app, account)}


def test_an_act_is_taken_back(manager: PageClient, app: Flask, account: Account) -> None:
    data = {"policy_id": str(account.policy_id), "kind": "stop_cover", "happened_on": "2026-06-04"}
    manager.post(f"/limits/act?buyer_id={account.buyer_id}", data=data)
    with app.app_context(), within(account.organisation_id):
        key = db.session.scalars(select(AccountAct.id)).one()
    assert manager.get(f"/limits/acts/{key}/remove").status_code == 200
    assert manager.post(f"/limits/acts/{key}/remove", data={"reason": "wrong buyer"}).status_code == 302
    assert manager.get(f"/limits/acts/{key}/remove").status_code == 404


def test_who_may_not_change_sees_no_way_to(client: PageClient, account: Account) -> None:
    log_in(client, account.tenant, Role.AUDITOR)
    assert "Enter a decision" not in client.get("/limits/").get_data(as_text=True)
    assert client.get(f"/limits/record?buyer_id={account.buyer_id}").status_code == 403
    log_in(client, account.tenant, Role.SALES)
    assert client.get("/limits/").status_code == 403


def test_an_empty_register_teaches(client: PageClient, app: Flask) -> None:
    account = make_account(app, "Baltic Valves")
    log_in(client, account.tenant)
    assert "No limits yet" in client.get("/limits/").get_data(as_text=True)
    assert "No limits yet" in client.get("/limits/history").get_data(as_text=True)


def test_the_insured_percentage_follows_the_grade_of_the_buyer(client: PageClient, app: Flask) -> None:
    """*Source:* the worked-example format, 4.1: the condition of the limit, then the grade, then country and policy."""
    rows = [
        {"grades": [1, 2, "good"], "insured_percentage": 95},
        {"grades": ["ungraded"], "insured_percentage": 70},
    ]
    terms = {**TERMS, "grade_cover": rows, "insured_percentage_by_limit_kind": {"simple_check": 60}}
    account = make_account(app, terms=terms, country="IT", roles=ROLES)
    with app.app_context(), within(account.organisation_id):
        actor, key = account.tenant.actor(), account.organisation_id
        decided = date(2026, 1, 15)
        made = limits.record_decision(actor, key, NewDecision(account.buyer_id, account.policy_id, 100_000_00, "EUR", decided), TODAY).id
        checked = add_buyer(account.tenant, "Checked Srl", "IT")
        kind = LimitKind.CREDIT_CHECK
        limits.record_decision(actor, key, NewDecision(checked, account.policy_id, 5_000_00, "EUR", decided, kind=kind), TODAY)
        own = add_buyer(account.tenant, "Own Srl", "IT")
        conditions = {"insured_percentage": "55"}
        limits.record_decision(actor, key, NewDecision(own, account.policy_id, 5_000_00, "EUR", decided, conditions=conditions), TODAY)
        for grade, day in (("1", date(2026, 3, 1)), ("good", date(2026, 3, 1)), ("9", date(2026, 5, 1))):
            act = NewAct(account.buyer_id, account.policy_id, AccountActKind.BUYER_GRADE, day, grade=grade)
            limits.record_act(actor, key, act, TODAY)
    log_in(client, account.tenant, Role.CREDIT_MANAGER)
    for day, percentage, grade in (("2026-02-28", "70", "ungraded"), ("2026-03-01", "95", "good"), ("2026-05-01", "0", "9")):
        lines = exported(client, f"/limits/?format=csv&on={day}")[1].decode("utf-8-sig").splitlines()
        found = {row["Buyer"]: row["Insured"] for row in csv.DictReader(lines)}
        assert {name: Decimal(said) for name, said in found.items()} == {
            "Müller GmbH": Decimal(percentage),
            "Checked Srl": Decimal(60),
            "Own Srl": Decimal(55),
        }, day
        page = client.get(f"/limits/{made}?on={day}").get_data(as_text=True)
        assert f"<dd>{percentage}%</dd>" in page
        assert "grade of the buyer that day" in page
        assert f">{grade}</strong>" in page
        assert "the buyer&#39;s grade" in page

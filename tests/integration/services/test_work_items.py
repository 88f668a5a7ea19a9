"""Work for people: made once, handed over, done, opened again; and its pages."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask
from support.accounts import TODAY, Account, make_account, within
from support.pages import PageClient
from support.tenants import log_in

from insureflow.domain.access import Role
from insureflow.domain.errors import Refusal
from insureflow.domain.money import Money
from insureflow.domain.work import WorkKind, WorkOutcome
from insureflow.queries import work_items as queries
from insureflow.services import work_items
from insureflow.services.transaction import transaction


@pytest.fixture
def account(app: Flask) -> Account:
    return make_account(app, roles=(Role.ADMINISTRATOR, Role.CREDIT_ANALYST, Role.AUDITOR))


def make(account: Account, cause: str = "decision:1", due_on: date | None = date(2026, 6, 20)) -> int:
    facts = {"before": Money(100_000_00, "EUR"), "after": Money(40_000_00, "EUR"), "effective_on": date(2026, 7, 1), "decision_id": 1}
    with transaction(account.organisation_id) as session:
        item = work_items.open_item(
            session, "limit_cut", cause, buyer_id=account.buyer_id, policy_id=account.policy_id, due_on=due_on, facts=facts
        )
        return item.id


def test_the_same_cause_makes_work_once_even_when_it_is_done(app: Flask, account: Account) -> None:
    with app.app_context(), within(account.organisation_id):
        actor = account.tenant.actor()
        first = make(account)
        assert make(account) == first
        assert make(account, "decision:2") != first
        assert queries.count_open(TODAY) == (2, 2)
        work_items.finish_item(actor, account.organisation_id, first, note="seen")
        assert make(account) == first
        assert queries.count_open(TODAY) == (1, 1)
        with pytest.raises(Refusal, match="work_done_already"):
            work_items.finish_item(actor, account.organisation_id, first)
        work_items.reopen_item(actor, account.organisation_id, first)
        with pytest.raises(Refusal, match="work_open_already"):
            work_items.reopen_item(actor, account.organisation_id, first)
        with pytest.raises(Refusal, match="work_reason_needed"):
            work_items.finish_item(actor, account.organisation_id, first, outcome=WorkOutcome.NOT_NEEDED)
        with pytest.raises(Refusal, match="work_owner_unknown"):
            work_items.assign_item(actor, account.organisation_id, first, 999_999)
        with pytest.raises(Refusal, match="work_unknown"):
            work_items.assign_item(actor, account.organisation_id, 999_999, None)
        with transaction(account.organisation_id) as session:
            work_items.close_items(session, WorkKind.LIMIT_CUT, "decision:1", WorkOutcome.DONE, by=actor.user_id)
        found = queries.find_item(first)
        assert found is not None
        assert found.outcome == "done"
        assert [item.id for item in queries.items_of(account.buyer_id)] != [first]


def test_the_pages_of_work(app: Flask, client: PageClient, account: Account) -> None:
    with app.app_context():
        key = make(account)
    log_in(client, account.tenant, Role.CREDIT_ANALYST)
    listed = client.get("/work-items/").get_data(as_text=True)
    assert "1 piece of work is open, 1 of it is late." in listed
    assert "The limit went from 100,000.00\u00a0EUR to 40,000.00\u00a0EUR with effect from 1 Jul 2026." in listed
    assert "Müller" in listed
    mine = account.tenant.logins[Role.CREDIT_ANALYST]
    assert client.post(f"/work-items/{key}/assign", data={"owner": str(mine.user_id)}).status_code == 302
    assert mine.email in client.get(f"/work-items/{key}").get_data(as_text=True)
    refused = client.post(f"/work-items/{key}/done", data={"outcome": "not_needed", "note": ""})
    assert refused.status_code == 422
    assert "why this need not be done" in refused.get_data(as_text=True)
    assert client.post(f"/work-items/{key}/done", data={"outcome": "done", "note": "called"}).status_code == 302
    assert "Nothing waits for you" in client.get("/work-items/").get_data(as_text=True)
    assert "Müller" in client.get("/work-items/?whose=all&state=done").get_data(as_text=True)
    with client.get("/work-items/?whose=all&state=done&format=csv") as answer:
        assert "a limit was cut" in answer.get_data(as_text=True)
    assert client.post(f"/work-items/{key}/reopen").status_code == 302
    assert client.get("/work-items/999999").status_code == 404
    log_in(client, account.tenant, Role.AUDITOR)
    assert client.get("/work-items/").status_code == 200
    assert client.post(f"/work-items/{key}/reopen").status_code == 403

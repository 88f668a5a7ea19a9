"""Shared limits, limits needed, many requests at once, and own limits with their evidence, in a real browser at two widths."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from flask import Flask
from support.accounts import TERMS, TODAY, Account, add_buyer, add_invoice, make_account, within
from support.browsing import Visitor

from insureflow.domain.access import Role
from insureflow.services import limit_requests

Visit = Callable[..., Visitor]

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

CLAUSE = {"maximum": 30000, "methods": [{"method": "credit_report", "valid_for": {"months": 12}}], "insurer_decision": "ends"}


@pytest.fixture
def account(app: Flask) -> Account:
    terms = {**TERMS, "discretionary_limit": CLAUSE, "limit_fee": {"group": 120}}
    account = make_account(app, terms=terms, roles=(Role.ADMINISTRATOR, Role.CREDIT_MANAGER, Role.CREDIT_ANALYST))
    with app.app_context(), within(account.organisation_id):
        limit_requests.set_thresholds(account.tenant.actor(), account.organisation_id, {Role.CREDIT_ANALYST: 20_000_00})
        second = add_buyer(account.tenant, "Müller Polska", "PL", number="1002")
        third = add_buyer(account.tenant, "Nowak Sp. z o.o.", "PL", number="1003")
        for number, buyer_id, amount in (("A1", account.buyer_id, 60_000_00), ("B1", second, 70_000_00), ("C1", third, 15_000_00)):
            add_invoice(account, number, amount, buyer_id=buyer_id, shipped_on=date(2026, 6, 1), on=TODAY)
    return account


def sent(visitor: Visitor, selector: str) -> None:
    """Presses what leads on, and waits for the page that follows."""
    with visitor.page.expect_navigation(wait_until="load"):
        visitor.page.locator(selector).first.click()


def fine(visitor: Visitor) -> str:
    """The text of the page, which reads well for everybody and fits the window."""
    assert visitor.violations() == []
    assert not visitor.is_too_wide()
    return str(visitor.page.locator("main").inner_text())


def test_one_limit_over_several_buyers_and_what_they_need(visit: Visit, account: Account) -> None:
    manager = visit(account.tenant, Role.CREDIT_MANAGER, width=360)
    manager.expect(422)
    page = manager.open("/limit-groups/")
    assert "No shared limit yet" in fine(manager)
    sent(manager, "a:text-is('Enter a shared limit')")
    fine(manager)
    page.locator("#name").fill("Müller group")
    page.locator("#buyers").fill("1001\nNobody Ltd")
    page.locator("#amount").fill("100,000.00")
    page.locator("#decided_on").fill("2026-05-01")
    sent(manager, "main button[type=submit]")
    assert "No buyer has the customer number or the name “Nobody Ltd”" in fine(manager)
    page.locator("#buyers").fill("1001\nMüller Polska")
    sent(manager, "main button[type=submit]")
    text = fine(manager)
    assert "2 buyers share 100,000.00\xa0EUR and use 100,000.00\xa0EUR of it together; 0.00\xa0EUR is left" in text
    sent(manager, "a:text-is('Add buyers')")
    page.locator("#buyers").fill("1003")
    sent(manager, "main button[type=submit]")
    assert "3 buyers share" in fine(manager)
    sent(manager, "a:text-is('End the share of Nowak Sp. z o.o.')")
    fine(manager)
    sent(manager, "main button[type=submit]")
    assert "shares no longer from" in fine(manager)

    desk = visit(account.tenant, Role.CREDIT_MANAGER)
    desk.open(f"/buyers/{account.buyer_id}/limits")
    assert "Used by others who share it" in fine(desk)
    desk.open("/limits/")
    assert "group limit" in fine(desk)
    page = desk.open("/limits/needs")
    assert "120.00" in fine(desk)
    sent(desk, "tbody a[href*='/limits/needs/']")
    assert page.locator("main svg").count() > 0
    fine(desk)


def test_many_are_asked_for_at_once_and_an_own_limit_rests_on_evidence(visit: Visit, account: Account) -> None:
    analyst = visit(account.tenant, Role.CREDIT_ANALYST)
    page = analyst.open("/limits/")
    sent(analyst, "a:text-is('Ask for limits on these buyers')")
    assert "Requests above 20,000.00\xa0EUR wait for a second person" in fine(analyst)
    page.locator("input[name=rule][value=needed]").check()
    page.locator("#hand_in").check()
    sent(analyst, "main button[type=submit]")
    text = fine(analyst)
    assert "0 written and not sent, 1 sent, 2 waiting for a second person." in text
    assert "15,000.00" in text

    narrow = visit(account.tenant, Role.CREDIT_ANALYST, width=360)
    page = narrow.open(f"/discretionary/buyers/{account.buyer_id}/reports/new")
    fine(narrow)
    page.locator("#agency").fill("Bureau")
    page.locator("#reported_on").fill("2026-06-01")
    page.locator("#amount").fill("25,000.00")
    page.locator("#file").set_input_files({"name": "report.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4 fine"})
    sent(narrow, "main button[type=submit]")
    assert "25,000.00" in fine(narrow)
    sent(narrow, f"form[action$='/policies/{account.policy_id}/assess'] button")
    assert "may be set without asking" in fine(narrow)
    narrow.open(f"/discretionary/buyers/{account.buyer_id}/policies/{account.policy_id}/audit?all=yes")
    fine(narrow)

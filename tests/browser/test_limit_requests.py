"""A limit asked for and approved by a second person, and a limit that was cut, in a real browser at two widths."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from flask import Flask
from support.accounts import Account, add_invoice, make_account, within
from support.browsing import Visitor

from insureflow.domain.access import Role
from insureflow.services import limit_requests, limits
from insureflow.services.limits import NewDecision

Visit = Callable[..., Visitor]

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def account(app: Flask) -> Account:
    account = make_account(app, roles=(Role.ADMINISTRATOR, Role.CREDIT_MANAGER, Role.CREDIT_ANALYST))
    with app.app_context(), within(account.organisation_id):
        actor, key = account.tenant.actor(), account.organisation_id
        limit_requests.set_thresholds(actor, key, {Role.CREDIT_ANALYST: 20_000_00})
        limits.record_decision(
            actor, key, NewDecision(account.buyer_id, account.policy_id, 100_000_00, "EUR", date(2026, 1, 2)), date(2026, 6, 1)
        )
        add_invoice(account, "A1", 130_000_00, shipped_on=date(2026, 4, 1))
    return account


def sent(visitor: Visitor, selector: str) -> None:
    """Presses what leads on, and waits for the page that follows."""
    with visitor.page.expect_navigation(wait_until="load"):
        visitor.page.locator(selector).first.click()


def confirmed(visitor: Visitor, selector: str) -> None:
    """Presses what cannot be undone, and says yes where the page asks once more."""
    visitor.page.locator(selector).first.click()
    sent(visitor, ".confirm-question button")


def test_asked_by_one_and_approved_by_another(visit: Visit, account: Account) -> None:
    analyst = visit(account.tenant, Role.CREDIT_ANALYST, width=360)
    page = analyst.open(f"/buyers/{account.buyer_id}/limits")
    assert analyst.violations() == []
    sent(analyst, "a:text-is('Ask for a limit')")
    page.locator("#amount").fill("150,000.00")
    assert not analyst.is_too_wide()
    assert analyst.violations() == []
    sent(analyst, "main button[type=submit]")
    assert "This amount needs a second person." in page.locator("main").inner_text()
    address = page.url.replace(analyst.site.url, "")
    assert analyst.violations() == []
    assert not analyst.is_too_wide()
    sent(analyst, "button:text-is('Ask for approval')")
    assert page.locator("button:text-is('Approve and send')").count() == 0
    manager = visit(account.tenant, Role.CREDIT_MANAGER)
    inbox = manager.open("/limit-requests/approvals")
    assert "Müller GmbH" in inbox.locator("tbody").inner_text()
    assert manager.violations() == []
    manager.open(address)
    confirmed(manager, "button:text-is('Approve and send')")
    text = manager.page.locator("main").inner_text()
    assert "send it to the insurer by hand" in text
    assert manager.violations() == []
    manager.open("/limit-requests/selection")
    assert manager.violations() == []
    manager.open("/limit-requests/upload")
    assert manager.violations() == []


def test_the_kit_of_a_cut(visit: Visit, account: Account) -> None:
    manager = visit(account.tenant, Role.CREDIT_MANAGER, width=360)
    page = manager.open(f"/limits/record?buyer_id={account.buyer_id}&policy_id={account.policy_id}")
    page.locator("#decided").fill("40000")
    page.locator("#decided_on").fill("2026-06-01")
    sent(manager, "main button[type=submit]")
    sent(manager, "a:text-is('what it asks for')")
    text = page.locator("main").inner_text()
    assert "The limit goes from" in text
    assert "60,000.00" in text
    assert manager.violations() == []
    assert not manager.is_too_wide()
    sent(manager, "button:text-is('Make work of all actions')")
    assert "Work that was made" in page.locator("main").inner_text()
    page = manager.open("/work-items/")
    assert "After the cut to" in page.locator("main").inner_text()
    assert manager.violations() == []
    assert not manager.is_too_wide()
    sent(manager, "tbody a")
    assert manager.violations() == []
    manager.open(f"/discretionary/buyers/{account.buyer_id}")
    assert manager.violations() == []

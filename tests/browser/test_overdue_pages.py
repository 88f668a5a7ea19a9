"""What a person does about overdues, in a real browser: told, blocked, reminded, and what other systems hear. On a desk and a phone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from support.browsing import Visitor
from support.dunning import make_debtors
from support.insight import make_insight
from support.tenants import make_tenant

from insureflow.domain.access import Role
from insureflow.models.receivables import Invoice
from insureflow.services import cover, dunning
from insureflow.services.clock import business_date
from insureflow.services.transaction import transaction

Visit = Callable[..., Visitor]

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def sent(visitor: Visitor, button: str) -> str:
    """Presses a button that leads on, and gives what the page that follows says, which is fine as well."""
    with visitor.page.expect_navigation(wait_until="load"):
        visitor.page.locator("main").get_by_role("button", name=button, exact=True).first.click()
    return fine(visitor)


def fine(visitor: Visitor) -> str:
    """The text of the page, which reads well for everybody and fits the window."""
    assert visitor.violations() == []
    assert not visitor.is_too_wide(), visitor.page.url
    return str(visitor.page.locator("main").inner_text())


def looked_at(visitor: Visitor, address: str) -> str:
    """The text of the page at an address, which is fine."""
    visitor.open(address)
    return fine(visitor)


def test_a_block_is_eased_set_and_lifted(visit: Visit, app: Flask) -> None:
    tenant = make_tenant(app, "Nordic Pumps")
    insight = make_insight(app, tenant)
    with app.app_context(), transaction(tenant.id) as session:  # thirty days more, and the policy has stopped shipments
        invoice = session.get_one(Invoice, insight.overdue)
        invoice.due_on, invoice.original_due_on = (day - timedelta(days=30) for day in (invoice.due_on, invoice.original_due_on))
        cover.refresh_buyers(session, None, insight.today)
    phone, desk = visit(tenant, Role.ADMINISTRATOR, width=360), visit(tenant, Role.ADMINISTRATOR, width=1440)
    page, address = phone.page, f"/buyers/{insight.alpha}/block"
    for visitor in (phone, desk):
        assert "Alpha Werke GmbH" in looked_at(visitor, "/blocks/")
        assert "Invoices that cause it" in looked_at(visitor, address)
        looked_at(visitor, "/obligations/what-if")
        visitor.page.locator("#what-if-overdue_notification").fill("10")
        assert "would fall due on another day" in sent(visitor, "Work it out")
    phone.open(address)
    page.locator("summary", has_text="Set it aside").click()
    page.get_by_label("What happened").fill("Paid to the wrong account")
    assert "Invoices set aside" in sent(phone, "Do not count it")
    assert "Let it count again" in looked_at(desk, address)
    page.locator("#reason").fill("A cheque bounced")
    assert "A cheque bounced" in sent(phone, "Block")
    page.get_by_label("Why it ends").fill("It was made good")
    assert "lifted: It was made good" in sent(phone, "Lift")


def test_told_reminded_and_other_systems(visit: Visit, app: Flask) -> None:
    debtors, today = make_debtors(app, roles=(Role.ADMINISTRATOR, Role.CREDIT_MANAGER)), business_date("Europe/Stockholm")
    tenant, german = debtors.account.tenant, debtors.buyers["DE"]
    with app.app_context():
        dunning.propose(tenant.actor(), tenant.id, today)
    phone, desk = visit(tenant, Role.ADMINISTRATOR, width=360), visit(tenant, Role.ADMINISTRATOR, width=1440)
    phone.expect(422)
    page = phone.page

    assert "letters to buyers wait for approval" in looked_at(phone, "/inbox/")
    looked_at(phone, "/inbox/settings")
    assert "It is shown this once" in sent(phone, "New feed of all duties")
    page.get_by_label("Only of duties that I look after").check()
    sent(phone, "Save")

    for visitor in (phone, desk):
        assert "letters wait" in looked_at(visitor, "/dunning/approvals")
        looked_at(visitor, "/dunning/")
        looked_at(visitor, f"/dunning/buyers/{german}")
        looked_at(visitor, "/dunning/rules/new")
        assert "Tried out, not saved" in sent(visitor, "Try it out")
        looked_at(visitor, "/dunning/rules")
        looked_at(visitor, "/messages/")
    looked_at(phone, "/dunning/approvals")
    with page.expect_navigation(wait_until="load"):
        page.locator("main a[href*='/dunning/letters/']").first.click()
    assert "Why this level" in fine(phone)
    letter = page.url.removeprefix(phone.site.url)
    looked_at(desk, letter)
    for visitor in (phone, desk):
        looked_at(visitor, f"{letter}/preview")
    phone.open(letter)
    sent(phone, "Approve it")

    looked_at(phone, "/webhooks/")
    page.locator("#url").fill("https://erp.example/events")
    assert "shown this once" in sent(phone, "Add it")
    for visitor in (phone, desk):
        looked_at(visitor, "/webhooks/")
        with visitor.page.expect_navigation(wait_until="load"):
            visitor.page.get_by_role("link", name="https://erp.example/events").click()
        fine(visitor)

"""Connections and jobs in a real browser: set up on a phone, followed on a desk, always for everybody."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from support.browsing import Visitor
from support.connections import TERMS, use_sandbox
from support.ledgers import Books
from support.sandbox import CREDENTIALS, RunningSandbox, running_sandbox
from support.tenants import Tenant, make_tenant

from insureflow.domain.access import Role
from insureflow.domain.buyers import IdentifierScheme
from insureflow.models.buyers import BuyerIdentifier
from insureflow.models.organisations import Entity
from insureflow.services import tasks
from insureflow.services.clock import now
from insureflow.services.transaction import transaction

Visit = Callable[..., Visitor]

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

COMPANY = {"company_id": "7000009", "country": "DE", "name": "Alpha Metallbau GmbH", "city": "Bonn", "numbers": {"VAT": "DE136695976"}}


@pytest.fixture
def sandbox(app: Flask, tmp_path: Path) -> Iterator[RunningSandbox]:
    with running_sandbox(tmp_path / "sandbox.db") as running:
        use_sandbox(app, running)
        month = (now().date() - timedelta(days=30)).isoformat()
        covers = [{"company_id": company, "amount": 50_000, "decided_on": month} for company in ("7000009", "7000010")]
        running.control("seed", {"insurer": "atradius", "policy": "P-1", "currency": "EUR", "companies": [COMPANY], "covers": covers})
        yield running


@pytest.fixture
def tenant(app: Flask) -> Tenant:
    tenant = make_tenant(app, roles=(Role.ADMINISTRATOR, Role.CREDIT_MANAGER))
    with app.app_context(), transaction(tenant.id) as session:
        books = Books(session, tenant.id)
        books.policy([session.get_one(Entity, tenant.entity_id)], TERMS).insurer = "atradius"
        buyer = books.buyer("Alpha Metallbau")
        session.add(BuyerIdentifier(buyer_id=buyer.id, scheme=IdentifierScheme.VAT, country="DE", value="DE136695976", checked=True))
    return tenant


def sent(visitor: Visitor, selector: str) -> str:
    """Presses what leads on, waits for the page that follows, and gives what it says."""
    with visitor.page.expect_navigation(wait_until="load"):
        visitor.page.locator(selector).first.click()
    return visitor.page.locator("main").inner_text() + visitor.page.locator("body").inner_text()


def sound(visitor: Visitor) -> None:
    """Nothing that axe finds wrong, and nothing to push sideways."""
    assert visitor.violations() == []
    assert not visitor.is_too_wide()


def work(app: Flask) -> None:
    """What the scheduler does with what was asked for."""
    with app.app_context():
        while tasks.run_next() is not None:
            pass


def test_a_connection_from_its_form_to_its_differences_and_look_ups(
    app: Flask, visit: Visit, tenant: Tenant, sandbox: RunningSandbox
) -> None:
    phone = visit(tenant, Role.CREDIT_MANAGER, width=360)
    phone.expect(422)
    page = phone.open("/connections/")
    assert "No connections" in page.locator("main").inner_text()
    sound(phone)
    sent(phone, "main a:has-text('Connect a policy')")
    sound(phone)
    sent(phone, "main a:has-text('Atradius')")
    sound(phone)
    page.locator("#environment").select_option("sandbox")
    assert "Nothing was saved yet" in sent(phone, "main button[type=submit]")
    sound(phone)
    for name, value in (("policy_key__customer_id", "4711"), ("policy_key__policy_id", "P-1"), ("look_up_budget", "1")):
        page.locator(f"#{name}").fill(value)
    for name, value in CREDENTIALS["atradius"].items():
        page.locator(f"#credentials__{name}").fill(value)
    page.locator("#environment").select_option("sandbox")
    assert "The policy is connected." in sent(phone, "main button[type=submit]")
    address = page.url.removeprefix(phone.site.url)
    sound(phone)
    assert "The connection works. It offers:" in sent(phone, "button:text-is('Try it')")
    assert "The synchronisation has been asked for." in sent(phone, "button:text-is('Synchronise now')")
    assert page.locator("#job-progress progress").count() == 1
    sound(phone)
    work(app)
    page.locator("#job-progress a:has-text('Show the connection as it is now')").click(timeout=15_000)

    desk = visit(tenant, Role.CREDIT_MANAGER, width=1440, color_scheme="dark")
    page = desk.open("/connections/")
    assert "good" in page.locator("main").inner_text()
    sound(desk)
    for path, what in (("", "Synchronisations"), ("/exchanges", "list applications"), ("/messages", "No request left")):
        page = desk.open(address + path)
        assert what in page.locator("main").inner_text()
        sound(desk)
    desk.open(address + "/exchanges")
    sent(desk, "tbody a")
    assert not any(secret in page.locator("main").inner_text() for secret in CREDENTIALS["atradius"].values())
    sound(desk)

    page = desk.open("/connections/differences")
    assert page.locator("tbody tr").count() == 2
    sound(desk)
    sent(desk, "tbody a")
    assert "number" in page.locator("main").inner_text()
    sound(desk)

    phone.open(f"{address}/look-up/1")
    page = phone.page
    assert "This look-up may cost money. 0 of 1 of this month are used." in page.locator("main").inner_text()
    sound(phone)
    assert "Alpha Metallbau GmbH" in sent(phone, "main button:has-text('Look up, even if it costs money')")
    sound(phone)
    assert "The number is entered at Alpha Metallbau." in sent(phone, "main button:has-text('7000009 is this buyer')")
    phone.open(f"{address}/look-up/1")
    assert "1 of 1 look-ups of this month are used" in sent(phone, "main button:has-text('Look up, even if it costs money')")
    phone.open(f"{address}/look-ups")
    sound(phone)


def test_the_times_of_a_job(visit: Visit, tenant: Tenant, sandbox: RunningSandbox) -> None:
    phone = visit(tenant, Role.ADMINISTRATOR, width=360)
    phone.expect(422)
    page = phone.open("/settings/jobs/")
    assert "Synchronise limits" in page.locator("main").inner_text()
    sound(phone)
    sent(phone, "main a:has-text('Compare limits with insurers')")
    page.locator("#at").fill("25:70")
    assert "is no time of day" in sent(phone, "button:text-is('Save the times')")
    sound(phone)
    page.locator("#at").fill("4:30")
    assert "every day at 04:30" in sent(phone, "button:text-is('Save the times')")
    assert "as declared" in sent(phone, "button:text-is('As declared again')")
    sound(phone)

"""A notification written, approved, sent and answered in a real browser at two widths."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from support.browsing import Visitor
from support.notices import make_overdue_account

from insureflow.domain.access import Role

Visit = Callable[..., Visitor]

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def sent(visitor: Visitor, selector: str) -> None:
    """Presses what leads on, and waits for the page that follows."""
    with visitor.page.expect_navigation(wait_until="load"):
        visitor.page.locator(selector).first.click()


@pytest.mark.parametrize("width", [360, 1280])
def test_written_approved_sent_and_answered(visit: Visit, app: Flask, width: int) -> None:
    account = make_overdue_account(app, buyers=2)
    handler = visit(account.tenant, Role.CLAIMS_HANDLER, width=width)
    handler.open("/notices/")
    assert handler.violations() == []
    sent(handler, "button:text-is('Draft what is due soon')")
    assert "2 notifications were drafted." in handler.page.locator("body").inner_text()
    assert not handler.is_too_wide()
    handler.open(f"/notices/buyers/{account.buyer_id}/new")
    assert handler.violations() == []
    sent(handler, "main button[type=submit]")
    handler.page.locator("#reason").select_option("cash_flow")
    handler.page.locator("#comment").fill("They wait for a customer.")
    assert handler.violations() == []
    assert not handler.is_too_wide()
    sent(handler, "button:text-is('Keep the draft')")
    assert handler.violations() == []
    assert not handler.is_too_wide()
    sent(handler, "button:text-is('Approve')")
    handler.page.locator("#channel").select_option("portal")
    handler.page.locator("#protocol_number").fill("AT-2026-1")
    assert handler.violations() == []
    handler.page.locator("button:text-is('Send, or record that it was sent')").click()
    sent(handler, ".confirm-question button")
    assert "It is recorded that the notice was sent." in handler.page.locator("body").inner_text()
    handler.page.locator("#outcome").select_option("consented")
    assert handler.violations() == []
    sent(handler, "button:text-is('Record the answer')")
    assert "consented" in handler.page.locator("main").inner_text()
    sent(handler, "a:text-is('Proof of timeliness')")
    assert "AT-2026-1" in handler.page.locator("main").inner_text()
    assert handler.violations() == []
    assert not handler.is_too_wide()
    handler.open("/notices/selection/approve")
    assert handler.violations() == []

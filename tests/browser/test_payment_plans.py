"""A payment plan designed and agreed in a real browser at two widths."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from support.accounts import add_invoice, within
from support.browsing import Visitor
from support.notices import make_overdue_account

from insureflow.domain.access import Role
from insureflow.services.clock import business_date

Visit = Callable[..., Visitor]

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.mark.parametrize("width", [360, 1280])
def test_designed_with_a_preview_and_agreed(visit: Visit, app: Flask, width: int) -> None:
    account, today = make_overdue_account(app), business_date("Europe/Stockholm")
    with app.app_context(), within(account.organisation_id):
        add_invoice(account, "FRESH", 300_001, shipped_on=today - timedelta(days=20), on=today)
    handler = visit(account.tenant, Role.CLAIMS_HANDLER, width=width)
    handler.open(f"/buyers/{account.buyer_id}/plans/new")
    page = handler.page
    page.get_by_label("Number of instalments").fill("2")
    page.get_by_label("FRESH").check()
    page.get_by_text("You may agree this freely").wait_for()  # the preview follows the choice by itself
    page.get_by_label("OLD-0").check()
    page.get_by_text("OLD-0 would be paid after the last free day").wait_for()
    assert handler.violations() == []
    assert not handler.is_too_wide()
    page.get_by_label("OLD-0").uncheck()
    page.get_by_text("You may agree this freely").wait_for()
    for button in ("Keep as a draft", "Agreed with the buyer"):
        with page.expect_navigation(wait_until="load"):
            page.get_by_role("button", name=button).click()
        assert handler.violations() == []
        assert not handler.is_too_wide()
    assert "is due on" in page.locator(".page-sentence").inner_text()
    for address in ("/plans/", f"/buyers/{account.buyer_id}/plans"):
        handler.open(address)
        assert handler.violations() == []
        assert not handler.is_too_wide()

"""The import wizard from the file to the ledger and back, as a clerk does it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from support.accounts import make_account
from support.browsing import Visitor

from insureflow.domain.access import Role
from insureflow.models.database import db
from insureflow.services import tasks

Visit = Callable[..., Visitor]

LEDGER = """kind,number,customer_number,customer_name,country,currency,gross,document_date,due_date
invoice,A-1,1001,Müller GmbH,DE,EUR,1200.50,2026-10-01,2026-10-31
invoice,A-2,1001,Müller GmbH,DE,EUR,800.00,2026-10-13,2026-11-12
invoice,A-3,1002,Öresund Handel AB,SE,EUR,99.95,2026-10-14,2026-11-13
"""
BAD = LEDGER + "invoice,A-4,1001,Müller GmbH,DE,EUR,many,2026-10-15,2026-11-14\n"


def work(app: Flask) -> None:
    """Does what waits in the queue, as the worker process would."""
    with app.app_context():
        while tasks.run_next() is not None:
            continue
        db.session.remove()


def upload(visitor: Visitor, text: str) -> None:
    page = visitor.open("/imports/new")
    assert visitor.violations() == []
    page.locator("input[type=file]").set_input_files([{"name": "ledger.csv", "mimeType": "text/csv", "buffer": text.encode()}])
    with page.expect_navigation(wait_until="load"):
        page.get_by_role("button", name="Upload and look at it").click()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_file_goes_into_the_ledger_and_out_again(visit: Visit, app: Flask) -> None:
    account = make_account(app, roles=(Role.RECEIVABLES_CLERK, Role.ADMINISTRATOR))
    visitor = visit(account.tenant, Role.RECEIVABLES_CLERK, width=1280)
    page = visitor.page
    upload(visitor, LEDGER)
    assert "A-1" in page.locator("main").inner_text(), "the first rows are shown"
    assert visitor.violations() == []
    with page.expect_navigation(wait_until="load"):
        page.locator("main form[method=post] button[type=submit]").first.click()
    assert "Every row can be booked" in page.locator("main").inner_text()
    assert visitor.violations() == []
    address = page.url
    with page.expect_navigation(wait_until="domcontentloaded"):
        page.get_by_role("button", name="Import the file").click()
    assert page.locator("progress").count() == 1
    assert visitor.violations() == []
    work(app)
    page.goto(address, wait_until="load")
    assert "in the ledger of" in page.locator("main").inner_text()
    assert visitor.violations() == []
    page.goto(visitor.site.url + "/receivables/", wait_until="load")
    assert {"A-1", "A-2", "A-3"} <= set(page.locator("table.data-table tbody").inner_text().split())
    page.goto(address, wait_until="load")
    page.get_by_role("button", name="Undo this import").click()
    page.locator(".confirm-question").wait_for()
    with page.expect_navigation(wait_until="load"):
        page.locator(".confirm-question .btn-danger").click()
    work(app)
    page.goto(address, wait_until="load")
    assert "taken back" in page.locator("main").inner_text()
    page.goto(visitor.site.url + "/receivables/", wait_until="load")
    assert "A-1" not in page.locator("main").inner_text()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_bad_row_is_named_and_nothing_is_imported_unasked(visit: Visit, app: Flask) -> None:
    account = make_account(app, roles=(Role.RECEIVABLES_CLERK, Role.ADMINISTRATOR))
    visitor = visit(account.tenant, Role.RECEIVABLES_CLERK, width=360)
    visitor.expect(422)
    page = visitor.page
    upload(visitor, BAD)
    assert not visitor.is_too_wide()
    with page.expect_navigation(wait_until="load"):
        page.locator("main form[method=post] button[type=submit]").first.click()
    shown = page.locator("main").inner_text()
    assert "many" in shown
    assert "5" in shown, "the row is numbered as in the file"
    assert not visitor.is_too_wide()
    assert visitor.violations() == []
    page.goto(visitor.site.url + "/receivables/", wait_until="load")
    assert "A-1" not in page.locator("main").inner_text()

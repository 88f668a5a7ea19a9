"""The product by keyboard: search, rows, the reasons of a figure; and the reasons without any script."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from support.browsing import Visitor
from support.tenants import PASSWORD

from insureflow.domain.access import Role

Visit = Callable[..., Visitor]
BUYER = "Prado Alimentos"
#: The name of the element that has the focus.
FOCUSED = "document.activeElement && (document.activeElement.id || document.activeElement.tagName)"


@pytest.fixture
def manager(visit_demo: Visit, demo_organisation: Any) -> Visitor:
    return visit_demo(demo_organisation, Role.CREDIT_MANAGER, width=1280)


def test_the_search_of_a_table_and_of_everything_is_one_key_away(manager: Visitor) -> None:
    page = manager.open("/buyers/")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.matches('[data-table-search]')")
    page.keyboard.type("prado alimentos")
    with page.expect_navigation(wait_until="load"):
        page.keyboard.press("Enter")
    assert BUYER in page.locator("table.data-table tbody").inner_text()
    assert page.locator("table.data-table tbody tr").count() == 1
    page.locator("body").click(position={"x": 5, "y": 600})
    page.keyboard.press("Control+k")
    assert page.evaluate("document.activeElement.matches('[data-search-box]')")
    page.keyboard.type("prado alimentos")
    with page.expect_navigation(wait_until="load"):
        page.keyboard.press("Enter")
    assert page.url.startswith(f"{manager.site.url}/search")
    assert BUYER in page.locator("main").inner_text()


def test_rows_are_walked_and_opened_by_keyboard(manager: Visitor) -> None:
    page = manager.open("/buyers/")
    rows = page.locator("table.data-table tbody tr[data-url]")
    assert rows.count() > 10
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("j")
    current = page.locator("tr.is-current")
    assert current.count() == 1
    assert current.get_attribute("data-url") == rows.nth(1).get_attribute("data-url")
    wanted = str(current.get_attribute("data-url"))
    with page.expect_navigation(wait_until="load"):
        page.keyboard.press("Enter")
    assert page.url.removeprefix(manager.site.url).startswith(wanted)


def test_the_reasons_of_a_covered_amount_open_beside_it_and_close_again(manager: Visitor) -> None:
    page = manager.open("/receivables/?q=Alimentos&sort=due_on&direction=desc")
    with page.expect_navigation(wait_until="load"):
        page.locator("table.data-table tbody tr").first.locator("a").first.click()
    why = page.locator("main a[hx-get*='/why']").first
    why.focus()
    page.keyboard.press("Enter")
    panel = page.locator("#why-panel")
    panel.wait_for(state="visible")
    assert panel.locator("table.trace-table tbody tr").count() > 2
    assert "Europe" in panel.inner_text() or "EUR" in panel.inner_text()
    assert manager.violations() == []
    assert page.evaluate(FOCUSED) == "why-panel"
    page.keyboard.press("Escape")
    assert panel.is_hidden()
    assert why.evaluate("link => link === document.activeElement")


def test_the_first_key_leads_past_the_navigation(manager: Visitor) -> None:
    page = manager.open("/limits/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#main"
    page.keyboard.press("Enter")
    assert page.evaluate(FOCUSED) == "main"


def test_everything_is_there_without_scripts(visit_demo: Visit, demo_organisation: Any) -> None:
    """Narrow a list, open an invoice, read a reason as a page of its own and choose a policy, with JavaScript switched off."""
    visitor = visit_demo(demo_organisation, Role.CREDIT_MANAGER, width=1280, java_script_enabled=False)
    page = visitor.page
    page.goto(visitor.site.url + "/receivables/", wait_until="load")
    page.locator("input[data-table-search]").fill("Alimentos")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.locator("table.data-table tbody tr").count() >= 1
    assert BUYER in page.locator("table.data-table tbody").inner_text()
    with page.expect_navigation():
        page.locator("table.data-table tbody tr").first.locator("a").first.click()
    with page.expect_navigation():
        page.locator("main a[href*='/why']").first.click()
    assert "/why" in page.url
    assert page.locator("table.trace-table tbody tr").count() > 2
    assert page.locator("h1").count() == 1
    select = page.locator("#scope-policy")
    if not select.is_visible():
        page.locator("details.scope-bar summary").click()
    select.select_option(index=1)
    with page.expect_navigation():
        select.locator("xpath=ancestor::form").locator("button[type=submit]").click()
    assert page.locator("#scope-policy option[selected]").first.get_attribute("value")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("scripts", [True, False])
def test_a_person_logs_in_and_out(visit: Visit, organisation: Any, scripts: bool) -> None:
    visitor = visit(width=1280, java_script_enabled=scripts)
    page = visitor.page
    page.goto(visitor.site.url + "/buyers/", wait_until="load")
    assert "/login" in page.url
    page.locator("input[name=email]").fill(organisation.logins[Role.CREDIT_MANAGER].email)
    page.locator("input[type=password]").fill(PASSWORD)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.url.removeprefix(visitor.site.url).startswith("/buyers/"), "the way leads on to where it began"
    page.locator("details.user-menu summary").click()
    with page.expect_navigation():
        page.locator("form[action='/logout'] button").click()
    page.goto(visitor.site.url + "/buyers/", wait_until="load")
    assert "/login" in page.url

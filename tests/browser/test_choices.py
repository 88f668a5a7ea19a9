"""What is chosen in the frame holds on every page: the day, the scope, the language; and lists go out as files."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support.browsing import Visitor
from support.databases import DEMO_DAY

from insureflow.domain.access import Role

Visit = Callable[..., Visitor]


@pytest.fixture
def manager(visit_demo: Visit, demo_organisation: Any) -> Visitor:
    return visit_demo(demo_organisation, Role.CREDIT_MANAGER, width=1280, accept_downloads=True)


def test_another_day_shows_other_figures_and_says_so(manager: Visitor) -> None:
    page = manager.open("/exposure/")
    today = page.locator("main h1 + p, main .lead, main header p").first.inner_text()
    assert page.locator(".as-of-banner").count() == 0
    day = DEMO_DAY - timedelta(days=200)
    page.locator("#as-of").fill(day.isoformat())
    with page.expect_navigation(wait_until="load"):
        page.locator("form.as-of-form button[type=submit]").click()
    banner = page.locator(".as-of-banner")
    assert banner.is_visible()
    assert str(day.year) in banner.inner_text()
    then = page.locator("main h1 + p, main .lead, main header p").first.inner_text()
    assert then != today
    assert manager.violations() == []
    page = manager.open("/buyers/")
    assert page.locator(".as-of-banner").is_visible(), "the day stays while one moves"
    with page.expect_navigation(wait_until="load"):
        page.locator(".as-of-banner button").click()
    assert page.locator(".as-of-banner").count() == 0


def test_a_policy_narrows_every_page_until_it_is_let_go(manager: Visitor) -> None:
    page = manager.open("/receivables/")
    whole = page.locator(".table-foot p").first.inner_text()
    with page.expect_navigation(wait_until="load"):
        page.locator("#scope-policy").select_option(index=2)
    chosen = page.locator("#scope-policy").input_value()
    narrowed = page.locator(".table-foot p").first.inner_text()
    assert narrowed != whole
    page = manager.open("/buyers/")
    assert page.locator("#scope-policy").input_value() == chosen
    with page.expect_navigation(wait_until="load"):
        page.locator("#scope-policy").select_option(index=0)
    page = manager.open("/receivables/")
    assert page.locator(".table-foot p").first.inner_text() == whole


def test_the_language_changes_and_stays(manager: Visitor) -> None:
    page = manager.open("/buyers/")
    assert page.locator("html").get_attribute("lang") == "en"
    with page.expect_navigation(wait_until="load"):
        page.locator("#language").select_option("sv")
    assert page.locator("html").get_attribute("lang") == "sv"
    page = manager.open("/limits/")
    assert page.locator("html").get_attribute("lang") == "sv"
    with page.expect_navigation(wait_until="load"):
        page.locator("#language").select_option("en")
    assert page.locator("html").get_attribute("lang") == "en"


@pytest.mark.parametrize("address", ["/buyers/?q=gmbh", "/receivables/?q=Prado"])
def test_a_list_goes_out_as_a_file_with_every_row(manager: Visitor, address: str) -> None:
    page = manager.open(address)
    total = int("".join(filter(str.isdigit, page.locator(".table-foot p").first.inner_text().rpartition("of")[2])))
    assert total > 0
    with page.expect_download() as waiting:
        page.locator("a[download][href*='format=csv']").click()
    rows = list(csv.reader(io.StringIO(Path(waiting.value.path()).read_text(encoding="utf-8-sig"))))
    assert len(rows) == total + 1
    with page.expect_download() as waiting:
        page.locator("a[download][href*='format=xlsx']").click()
    assert waiting.value.suggested_filename.endswith(".xlsx")
    with zipfile.ZipFile(waiting.value.path()) as book:
        assert book.read("xl/worksheets/sheet1.xml").decode().count("<row ") == total + 1

"""May I ship? Asked on a telephone and at a desk, by typing a part of the buyer's name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from support.browsing import Visitor

from insureflow.domain.access import Role

Visit = Callable[..., Visitor]


@pytest.mark.parametrize(("role", "width"), [(Role.SALES, 360), (Role.CREDIT_MANAGER, 1440)])
def test_a_question_is_asked_by_typing_and_answered_in_a_sentence(
    visit_demo: Visit, demo_organisation: Any, role: Role, width: int
) -> None:
    visitor = visit_demo(demo_organisation, role, width=width)
    page = visitor.open("/ship/")
    assert visitor.violations() == []
    box = page.locator("#buyer")
    box.press_sequentially("stahl", delay=30)
    first = page.locator("#ship-buyers option").first
    first.wait_for(state="attached")
    box.fill(str(first.get_attribute("value")))
    page.locator("#amount").fill("900000000")
    page.locator("#terms").fill("60")
    with page.expect_navigation(wait_until="load"):
        page.locator("form.ship-form button[type=submit]").click()
    answer = page.locator("main .notice[role=status]")
    assert answer.inner_text().strip()
    assert "of 900,000,000.00" in answer.inner_text()
    assert page.locator("h2", has_text="What would help").is_visible()
    assert page.locator("#keep-order").is_visible()
    assert visitor.violations() == []
    assert not visitor.is_too_wide()
    assert (page.locator("text=How it was worked out").count() > 0) == (role is Role.CREDIT_MANAGER)
    if role is Role.CREDIT_MANAGER:
        page = visitor.open("/limits/needs/")
        assert page.locator("table.data-table tbody tr").count() > 10
        assert visitor.violations() == []
        page = visitor.open(str(page.locator("table.data-table tbody tr[data-url]").first.get_attribute("data-url")))
        assert page.locator("#chart-capacity svg").first.is_visible()
    visitor.open("/settings/keys/")
    assert visitor.violations() == []
    assert not visitor.is_too_wide()

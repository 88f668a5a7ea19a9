from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from support.browsing import Visitor

Visit = Callable[..., Visitor]


@pytest.mark.parametrize("width", [360, 1280])
def test_the_log_in_page_can_be_used_by_everybody(visit: Visit, organisation: Any, width: int) -> None:
    visitor = visit(width=width)
    visitor.open("/login")
    assert visitor.violations() == []
    assert not visitor.is_too_wide()


def test_a_wrong_password_is_refused_in_words(visit: Visit, organisation: Any) -> None:
    visitor = visit()
    visitor.expect(401, 422)
    page = visitor.open("/login")
    page.get_by_label("Email").fill("nobody@nordic-pumps.example")
    page.locator("input[type=password]").fill("certainly not this one")
    with page.expect_navigation(wait_until="load"):
        page.keyboard.press("Enter")
    assert page.url.startswith(f"{visitor.site.url}/login")
    assert visitor.violations() == []
    assert page.get_by_role("alert").count() + page.locator(".invalid-feedback, .field-error, [aria-invalid=true]").count() > 0

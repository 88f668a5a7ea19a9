"""Which section of the navigation a page lights up."""

from __future__ import annotations

import pytest

from insureflow.web.navigation import SECTIONS, section_of


@pytest.mark.parametrize(
    ("endpoint", "is_about_buyer", "section"),
    [
        ("notices.index", False, "Overdues"),
        ("notices.show", False, "Overdues"),
        ("notices.of_buyer", True, "Buyers"),
        ("dunning.buyer", True, "Buyers"),
        ("payment_plans.new", True, "Buyers"),
        ("contacts.change", False, "Buyers"),
        ("contacts.letterheads", False, "Settings"),
        ("contacts.letterhead", False, "Settings"),
        ("contacts.of_policy", False, "Policies"),
        ("contacts.desk", False, "Policies"),
        ("limits.new", True, "Limits"),
        ("webhooks.show", False, "Settings"),
    ],
)
def test_a_page_stands_in_the_section_that_leads_to_it(endpoint: str, is_about_buyer: bool, section: str) -> None:
    found = section_of(endpoint, is_about_buyer=is_about_buyer)
    assert found is not None
    assert str(found.label) == section


def test_every_page_of_the_map_stands_in_its_own_section_alone() -> None:
    for section in SECTIONS:
        for page in section.pages:
            assert section_of(page.endpoint, is_about_buyer=False) is section


def test_a_page_that_nobody_leads_to_lights_nothing_up() -> None:
    assert section_of("security.login", is_about_buyer=False) is None

"""Sectors: codes as people write them, and words for every one."""

from __future__ import annotations

import pytest

from insureflow.domain.sectors import DIVISIONS, SECTION_OF, SECTIONS, find_sector, sector_code
from insureflow.i18n.words import find_word


@pytest.mark.parametrize(
    ("text", "sector"),
    [
        ("46", "46"),
        ("46.69", "46"),
        ("4669", "46"),
        ("G46", "46"),
        ("g", "G"),
        ("NACE 62.01", "62"),
        ("01", "01"),
        ("04", None),
        ("", None),
        ("46x", None),
        ("Z", None),
        ("100", "10"),
    ],
)
def test_a_sector_is_found_by_its_code(text: str, sector: str | None) -> None:
    assert find_sector(text) == sector


def test_the_classification_is_whole() -> None:
    assert len(SECTIONS) == 21
    assert len(DIVISIONS) == 88
    assert set(SECTION_OF.values()) == set(SECTIONS)
    assert all(find_word(sector_code(code)) for code in (*SECTIONS, *DIVISIONS))

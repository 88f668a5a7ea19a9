"""Countries as files write them: codes and names of several languages, nothing guessed."""

from __future__ import annotations

import pytest

from insureflow.connectors.countries import find_country


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("DE", "DE"),
        (" de ", "DE"),
        ("DEU", "DE"),
        ("UK", "GB"),
        ("EL", "GR"),
        ("XKX", "XK"),
        ("Germany", "DE"),
        ("TYSKLAND", "DE"),
        ("österrike", "AT"),
        ("The Netherlands", "NL"),
        ("Côte d'Ivoire", "CI"),
        ("Cote d’Ivoire", "CI"),
        ("Ivory Coast", "CI"),
        ("Trinidad and Tobago", "TT"),
        ("Trinidad & Tobago", "TT"),
        ("Saint Lucia", "LC"),
        ("St. Lucia", "LC"),
        ("Turkey", "TR"),
        ("Türkiye", "TR"),
        ("Korea, Republic of", "KR"),
        ("Czech  Republic", "CZ"),
        ("Taiwan (Province of China)", "TW"),
        ("Niger", "NE"),
    ],
)
def test_codes_and_names_are_understood(text: str, code: str) -> None:
    assert find_country(text) == code


@pytest.mark.parametrize("text", ["", "ZZ", "ZZZ", "Korea", "Congo", "Virgin Islands", "Germny", "Deutschlnd", "276", "Europe", "Z"])
def test_nothing_is_guessed(text: str) -> None:
    assert find_country(text) is None


def test_numbers_count_only_where_they_are_expected() -> None:
    assert [find_country(text, numeric=True) for text in ("276", "36", "999", "DE", "Sweden")] == ["DE", "AU", None, "DE", "SE"]

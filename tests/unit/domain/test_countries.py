"""Country codes and the tables between their three forms."""

from typing import Any

import pytest

from insureflow.domain.countries import ALPHA_2_BY_ALPHA_3, ALPHA_2_BY_NUMERIC, COUNTRIES, is_country


def test_all_249_countries_of_the_standard_and_kosovo():
    assert len(COUNTRIES) == 250
    assert len(ALPHA_2_BY_NUMERIC) == 249
    assert len(ALPHA_2_BY_ALPHA_3) == 250
    assert set(ALPHA_2_BY_NUMERIC.values()) | {"XK"} == COUNTRIES == set(ALPHA_2_BY_ALPHA_3.values())


def test_codes_have_the_form_of_their_kind():
    assert all(len(code) == 2 and code.isalpha() and code.isupper() for code in COUNTRIES)
    assert all(len(code) == 3 and code.isalpha() and code.isupper() for code in ALPHA_2_BY_ALPHA_3)
    assert all(len(code) == 3 and code.isdigit() for code in ALPHA_2_BY_NUMERIC)


@pytest.mark.parametrize(
    ("numeric", "alpha_3", "alpha_2"),
    [
        ("276", "DEU", "DE"),
        ("752", "SWE", "SE"),
        ("578", "NOR", "NO"),
        ("826", "GBR", "GB"),
        ("840", "USA", "US"),
        ("004", "AFG", "AF"),
        ("756", "CHE", "CH"),
        ("703", "SVK", "SK"),
        ("705", "SVN", "SI"),
        ("036", "AUS", "AU"),
        ("040", "AUT", "AT"),
        ("728", "SSD", "SS"),
        ("716", "ZWE", "ZW"),
    ],
)
def test_the_three_forms_of_one_country(numeric: str, alpha_3: str, alpha_2: str):
    assert ALPHA_2_BY_NUMERIC[numeric] == ALPHA_2_BY_ALPHA_3[alpha_3] == alpha_2


@pytest.mark.parametrize(
    ("code", "expected"), [("SE", True), ("XK", True), ("UK", False), ("EU", False), ("se", False), (False, False), (None, False)]
)
def test_what_is_a_country(code: str, expected: Any):
    assert is_country(code) is expected

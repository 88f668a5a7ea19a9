"""Numbers of companies: checked by the rules of their register and brought into one form."""

from __future__ import annotations

import pytest

from insureflow.connectors.identifiers import CheckedNumber, check_number, country_of_vat
from insureflow.domain.buyers import IdentifierScheme

REGISTRATION, VAT, LEI = IdentifierScheme.REGISTRATION, IdentifierScheme.VAT, IdentifierScheme.LEI


@pytest.mark.parametrize(
    ("scheme", "country", "text", "value"),
    [
        (VAT, "SE", "SE 556703-7485 01", "SE556703748501"),
        (VAT, "SE", "556703748501", "SE556703748501"),
        (VAT, "DE", "DE 136,695 976", "DE136695976"),
        (VAT, "GR", "094014201", "EL094014201"),
        (VAT, "GR", "GR 094014201", "EL094014201"),
        (VAT, "GB", "980 7806 84", "GB980780684"),
        (VAT, "NO", "NO 995 525 828 MVA", "995525828MVA"),
        (VAT, "AU", "51 824 753 556", "51824753556"),
        (REGISTRATION, "SE", "556703-7485", "5567037485"),
        (REGISTRATION, "DE", "hrb 11223 aachen", "AACHEN HRB 11223"),
        (REGISTRATION, "NL", "KvK 17014545", "17014545"),
        (REGISTRATION, "NL", "1234567", "01234567"),
        (REGISTRATION, "NL", "17014545 000012345678", "17014545"),
        (REGISTRATION, "GB", "445790", "00445790"),
        (REGISTRATION, "GB", "sc 123456", "SC123456"),
        (REGISTRATION, "PH", "123 456 789", "123-456-789"),
        (REGISTRATION, "PH", "TIN: 123-456-789-00001", "123-456-789-00001"),
        (VAT, "PH", "123456789000", "123-456-789-000"),
        (REGISTRATION, "AU", "004 085 616", "004085616"),
        (LEI, "DE", "529900t8bm49aursdo55", "529900T8BM49AURSDO55"),
    ],
)
def test_a_good_number_has_one_form(scheme: IdentifierScheme, country: str, text: str, value: str) -> None:
    assert check_number(scheme, country, text) == CheckedNumber(value, checked=True)
    assert check_number(scheme, country, value) == CheckedNumber(value, checked=True)


@pytest.mark.parametrize(
    ("scheme", "country", "text", "problem"),
    [
        (VAT, "DE", "DE136695977", "number_check_digit"),
        (VAT, "DE", "DE13669597", "number_length"),
        (VAT, "DE", "DEABCDEFGHI", "number_format"),
        (LEI, "DE", "529900T8BM49AURSDO56", "number_check_digit"),
        (REGISTRATION, "NL", "123456", "number_length"),
        (REGISTRATION, "NL", "00000000", "number_component"),
        (REGISTRATION, "NL", "12AB5678", "number_format"),
        (REGISTRATION, "PH", "12345", "number_length"),
        (REGISTRATION, "PH", "12A456789", "number_format"),
        (REGISTRATION, "GB", "ABC", "number_format"),
        (REGISTRATION, "ZW", "!!", "number_format"),
        (REGISTRATION, "FR", "FR", "number_format"),
        (REGISTRATION, "SG", "S99XX0001A", "number_component"),
        (VAT, "SE", "   ", "number_empty"),
    ],
)
def test_a_wrong_number_says_what_is_wrong(scheme: IdentifierScheme, country: str, text: str, problem: str) -> None:
    assert check_number(scheme, country, text).problem == problem


def test_a_country_without_rules_is_taken_as_it_came() -> None:
    assert check_number(REGISTRATION, "ZW", " cr 123/2020 ") == CheckedNumber("CR 123/2020")
    assert check_number(VAT, "ZW", "10001234") == CheckedNumber("10001234")


@pytest.mark.parametrize(
    ("text", "country"), [("DE136695976", "DE"), ("el094014201", "GR"), ("XI980780684", "GB"), ("12345", None), ("", None)]
)
def test_the_prefix_names_the_country(text: str, country: str | None) -> None:
    assert country_of_vat(text) == country

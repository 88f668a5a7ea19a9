"""Currency codes."""

from typing import Any

import pytest

from insureflow.domain.currencies import CURRENCIES, WITHDRAWN_CURRENCIES, is_currency
from insureflow.domain.money import EXPONENTS


def test_codes_have_three_capital_letters_and_stand_in_one_list_only():
    assert all(len(code) == 3 and code.isalpha() and code.isupper() for code in CURRENCIES | WITHDRAWN_CURRENCIES)
    assert not CURRENCIES & WITHDRAWN_CURRENCIES


def test_every_currency_with_its_own_number_of_decimals_is_known():
    assert set(EXPONENTS) <= CURRENCIES


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("EUR", True),
        ("SEK", True),
        ("ZWG", True),
        ("XCG", True),
        ("HRK", True),
        ("BGN", True),
        ("XAU", False),
        ("XXX", False),
        ("eur", False),
        (1, False),
    ],
)
def test_what_is_a_currency(code: str, expected: Any):
    assert is_currency(code) is expected

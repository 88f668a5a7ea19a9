"""Money: minor units, half-up rounding, splits that sum to the whole."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insureflow.domain.errors import InvalidValue, Refusal
from insureflow.domain.money import Money, convert_minor, from_minor, minor_digits, round_half_up, split_minor, to_minor

CURRENCIES = st.sampled_from(["JPY", "EUR", "KWD"])
MINORS = st.integers(-(10**15), 10**15)


@pytest.mark.parametrize(("currency", "digits"), [("JPY", 0), ("EUR", 2), ("KWD", 3), ("VND", 0)])
def test_decimals_of_a_currency(currency: str, digits: int):
    assert minor_digits(currency) == digits


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Fraction(1, 2), 1),
        (Fraction(-1, 2), -1),
        (Decimal("2.5"), 3),
        (Decimal("-2.5"), -3),
        (Decimal("2.4999"), 2),
        (Fraction(-1, 3), 0),
        (Fraction(2, 3), 1),
        (4, 4),
        (0, 0),
    ],
)
def test_a_half_goes_away_from_zero(value: Any, expected: Any):
    assert round_half_up(value) == expected


@given(st.fractions())
def test_rounding_is_the_nearest_and_mirrors_the_sign(value: Any):
    rounded = round_half_up(value)
    assert abs(rounded - value) <= Fraction(1, 2)
    assert round_half_up(-value) == -rounded
    if abs(rounded - value) == Fraction(1, 2):
        assert abs(rounded) > abs(value)


@given(MINORS, CURRENCIES)
def test_minor_units_go_to_major_units_and_back(minor: int, currency: str):
    money = Money(minor, currency)
    assert Money.of(money.amount, currency) == money
    assert to_minor(str(from_minor(minor, currency)), currency) == minor


@pytest.mark.parametrize("amount", [True, 1.5, None, "abc", "NaN", "Infinity", ""])
def test_what_is_no_amount(amount: Any):
    with pytest.raises(InvalidValue) as invalid:
        to_minor(amount, "EUR", path="invoice.net")
    assert (invalid.value.code, invalid.value.path) == ("not_an_amount", "invoice.net")


@pytest.mark.parametrize(("amount", "currency"), [("0.001", "EUR"), ("1.5", "JPY"), ("0.0001", "KWD")])
def test_more_decimals_than_the_currency_has_are_refused(amount: Any, currency: str):
    with pytest.raises(InvalidValue) as invalid:
        to_minor(amount, currency)
    assert invalid.value.code == "too_many_decimals"
    assert invalid.value.parameters["decimals"] == minor_digits(currency)


def test_trailing_zeros_are_no_decimals():
    assert to_minor("12.5000", "EUR") == 1250


@given(MINORS, MINORS, CURRENCIES)
def test_money_adds_and_compares_like_its_minor_units(left: int, right: int, currency: str):
    one, other = Money(left, currency), Money(right, currency)
    assert (one + other).minor == left + right
    assert (one - other).minor == left - right
    assert (-one).minor == -left
    assert ((one < other), (one <= other), (one > other), (one >= other)) == (left < right, left <= right, left > right, left >= right)
    assert bool(one) is (left != 0)


@pytest.mark.parametrize(
    "operate", [lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a < b, lambda a, b: a <= b, lambda a, b: a > b, lambda a, b: a >= b]
)
def test_two_currencies_do_not_mix(operate: Any):
    with pytest.raises(Refusal) as refused:
        operate(Money(1, "EUR"), Money(1, "USD"))
    assert refused.value.code == "currencies_differ"


def test_money_in_words():
    assert str(Money.of("12.5", "EUR")) == "12.50 EUR"
    assert str(Money.zero("KWD")) == "0.000 KWD"


@pytest.mark.parametrize(
    ("minor", "source", "target", "rate", "expected"),
    [
        (100, "USD", "EUR", Decimal("0.92"), 92),
        (1, "USD", "EUR", Decimal("0.5"), 1),
        (-1, "USD", "EUR", Decimal("0.5"), -1),
        (100, "JPY", "EUR", Fraction(1, 160), 63),
        (1, "EUR", "KWD", Decimal("0.33"), 3),
        (1_000, "KWD", "JPY", Decimal(500), 500),
    ],
)
def test_conversion_rounds_once_to_the_minor_unit(minor: int, source: str, target: str, rate: Any, expected: Any):
    assert convert_minor(minor, source, target, rate) == expected


@given(MINORS, st.lists(st.integers(0, 10**6), min_size=1, max_size=12).filter(sum))
def test_shares_sum_to_the_whole(minor: int, weights: list[int]):
    shares = split_minor(minor, tuple(weights))
    assert sum(shares) == minor
    total = sum(weights)
    for share, weight in zip(shares, weights, strict=True):
        assert abs(share - Fraction(minor * weight, total)) <= 1


@pytest.mark.parametrize("weights", [(), (0, 0), (1, -1, 2)])
def test_a_split_needs_weights(weights: list[int]):
    with pytest.raises(Refusal, match="weights_not_positive"):
        split_minor(100, weights)

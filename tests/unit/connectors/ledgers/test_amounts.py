from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insureflow.connectors.ledgers.amounts import convert_amount, convert_clean_amounts, detect_amounts, parse_amount
from insureflow.connectors.ledgers.cells import CellProblem, NoValue
from insureflow.connectors.ledgers.detection import Certainty
from insureflow.domain.money import from_minor, minor_digits


def grouped(whole: str, separator: str, *, indian: bool) -> str:
    if len(whole) <= 3 or not separator:
        return whole
    head, tail = whole[:-3], whole[-3:]
    size = 2 if indian else 3
    parts: list[str] = []
    while head:
        parts.insert(0, head[-size:])
        head = head[:-size]
    return separator.join([*parts, tail])


def written(minor: int, digits: int, decimal: str, separator: str, sign: str, *, indian: bool = False) -> str:
    text = str(abs(minor)).rjust(digits + 1, "0")
    whole, fraction = (text[:-digits], text[-digits:]) if digits else (text, "")
    body = grouped(whole, separator, indian=indian) + (decimal + fraction if digits else "")
    if minor >= 0:
        return body
    return {"before": f"-{body}", "after": f"{body}-", "brackets": f"({body})", "typographic": f"\u2212{body}"}[sign]


CONVENTIONS = [
    (decimal, separator)
    for decimal, others in ((".", ["", ",", " ", "\u00a0", "\u202f", "'", "\u2019"]), (",", ["", ".", " ", "\u00a0", "\u202f", "'"]))
    for separator in others
]
SIGNS = ["before", "after", "brackets", "typographic"]


@settings(deadline=None)
@given(
    st.integers(-(10**14), 10**14),
    st.sampled_from(["EUR", "JPY", "KWD"]),
    st.sampled_from(CONVENTIONS),
    st.sampled_from(SIGNS),
    st.booleans(),
)
def test_every_convention_reads_back_exactly(minor: int, currency: str, convention: tuple[str, str], sign: str, indian: bool):
    decimal, separator = convention
    text = written(minor, minor_digits(currency), decimal, separator, sign, indian=indian and separator == ",")
    assert convert_amount(currency, text, decimal) == minor


@settings(deadline=None)
@given(st.lists(st.integers(-(10**12), 10**12), min_size=1), st.sampled_from(CONVENTIONS), st.sampled_from(SIGNS))
def test_a_column_is_never_read_wrongly(minors: list[int], convention: tuple[str, str], sign: str):
    decimal, separator = convention
    cells = [written(minor, 2, decimal, separator, sign) for minor in minors]
    found = detect_amounts(cells, 2)
    assert found.certainty is Certainty.CERTAIN
    assert [convert_amount("EUR", cell, found.decimal) for cell in cells] == minors


@settings(deadline=None)
@given(st.lists(st.integers(-(10**12), 10**12), min_size=1), st.sampled_from([".", ","]), st.sampled_from([0, 2, 3]))
def test_a_clean_column_at_once_gives_what_its_cells_give(minors: list[int], decimal: str, digits: int):
    currency = {0: "JPY", 2: "EUR", 3: "KWD"}[digits]
    cells = [written(minor, digits, decimal, "", "before") for minor in minors]
    assert convert_clean_amounts(digits, cells, decimal) == minors == [convert_amount(currency, cell, decimal) for cell in cells]


@pytest.mark.parametrize("cell", ["", "1.5", "1.500", "1,50", "x", " 1.50", "1.50\n2.50", "١.٥٠"])
def test_a_column_with_anything_else_is_read_cell_by_cell(cell: Any):
    assert convert_clean_amounts(2, ["1.50", cell, "2.50"], ".") is None


@settings(deadline=None)
@given(st.floats(-1e12, 1e12).map(lambda number: round(number, 2)))
def test_numbers_of_workbooks_carry_no_binary_noise(number: float):
    exact = Decimal(format(number, ".15g"))
    assert from_minor(convert_amount("EUR", exact, ".") or 0, "EUR") == exact


@pytest.mark.parametrize(
    ("text", "decimal", "expected"),
    [
        ("€ 1.234,50", ",", "1234.50"),
        ("1 234,50 kr", ",", "1234.50"),
        ("$-12.00", ".", "-12.00"),
        ("-$12.00", ".", "-12.00"),
        ("Rp1.500.000", ",", "1500000"),
        ("12,34,567.89", ".", "1234567.89"),
        (".50", ".", "0.50"),
        ("12.", ".", "12"),
        ("+7", ".", "7"),
    ],
)
def test_currency_signs_and_short_forms(text: str, decimal: str, expected: Any):
    assert parse_amount(text, decimal) == Decimal(expected)


def test_the_code_of_the_currency_may_stand_beside_the_amount():
    assert convert_amount("EUR", "EUR 1,234.50", ".") == 123450
    assert convert_amount("EUR", "1,234.50 EUR", ".") == 123450
    with pytest.raises(CellProblem):
        convert_amount("USD", "EUR 1.00", ".")


@pytest.mark.parametrize(
    "text", ["abc", "1,2,3", "1.2.3", "12,34", "1,23,45", "--1", "(-1)", "1e5", "1/2", "-", "(", "12-34", "1 2", "1_000", "NaN", "∞", "."]
)
def test_what_is_no_amount(text: str):
    with pytest.raises(CellProblem) as caught:
        parse_amount(text, ".")
    assert caught.value.code == "not_an_amount"


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("1.005", "too_many_decimals"),
        ("1" * 16, "amount_too_large"),
        (NoValue.FORMULA, "formula_without_value"),
        ("1,005.001", "too_many_decimals"),
        ("123456789012345.00" + "0" * 20 + "1", "too_many_decimals"),
        ("1." + "0" * 100_000 + "1", "not_an_amount"),
    ],
)
def test_what_a_currency_does_not_take(cell: Any, code: Any):
    with pytest.raises(CellProblem) as caught:
        convert_amount("EUR", cell, ".")
    assert caught.value.code == code


def test_decimals_that_are_only_zeros_do_no_harm():
    assert convert_amount("EUR", "1.5000", ".") == 150
    assert convert_amount("JPY", "1500.00", ".") == 1500


def test_empty_is_no_amount_and_not_zero():
    assert convert_amount("EUR", "  ", ".") is None
    assert convert_amount("EUR", "0", ".") == 0


@pytest.mark.parametrize(
    ("cells", "decimal", "certainty", "reason"),
    [
        (["1.234,50", "7"], ",", Certainty.CERTAIN, "separators_seen"),
        (["1.234.567", "7"], ",", Certainty.CERTAIN, "separators_seen"),
        (["12,5"], ",", Certainty.CERTAIN, "separators_seen"),
        (["0.123"], ".", Certainty.CERTAIN, "separators_seen"),
        (["7", "1234"], None, Certainty.CERTAIN, "no_separator_seen"),
        (["1.234", "5.678"], ",", Certainty.LIKELY, "too_many_decimals_otherwise"),
        (["1,234"], ".", Certainty.LIKELY, "too_many_decimals_otherwise"),
        (["1.000", "2.500"], None, Certainty.AMBIGUOUS, "thousands_or_decimals"),
        (["1.5", "2.5", "3,5"], ".", Certainty.UNSURE, "separators_mixed"),
    ],
)
def test_how_a_column_writes_amounts(cells: list[Any], decimal: str, certainty: Certainty, reason: str):
    found = detect_amounts(cells, 2)
    assert (found.decimal, found.certainty, found.reason) == (decimal, certainty, reason)


def test_three_decimals_are_possible_where_the_currency_has_them():
    assert detect_amounts(["1.234"], 3).certainty is Certainty.AMBIGUOUS

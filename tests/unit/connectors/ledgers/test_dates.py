from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insureflow.connectors.ledgers.cells import CellProblem, NoValue
from insureflow.connectors.ledgers.dates import DateOrder, convert_date, detect_dates, parse_date
from insureflow.connectors.ledgers.detection import Certainty

DAYS = st.dates(date(1970, 1, 1), date(2199, 12, 31))
FORMS = {
    DateOrder.YMD: [
        "{0:%Y}-{0:%m}-{0:%d}",
        "{0:%Y}/{0:%m}/{0:%d}",
        "{0:%Y}.{0:%m}.{0:%d}",
        "{0:%Y}{0:%m}{0:%d}",
        "{0.year}-{0.month}-{0.day}",
    ],
    DateOrder.DMY: ["{0:%d}.{0:%m}.{0:%Y}", "{0.day}/{0.month}/{0.year}", "{0:%d}-{0:%m}-{0:%Y}", "{0.day}. {0.month}. {0.year}"],
    DateOrder.MDY: ["{0:%m}/{0:%d}/{0:%Y}", "{0.month}/{0.day}/{0.year}", "{0:%m}-{0:%d}-{0:%Y}"],
}
ORDERED_FORMS = [(order, form) for order, forms in FORMS.items() for form in forms]


@settings(deadline=None)
@given(DAYS, st.sampled_from(ORDERED_FORMS), st.sampled_from(["", " 00:00:00", "T00:00:00", " 12:30", "T23:59:59.999Z", " 12:00 AM"]))
def test_every_form_reads_back(day: date, ordered_form: tuple[DateOrder, str], time: str):
    order, form = ordered_form
    assert parse_date(form.format(day) + time, order) == day


@settings(deadline=None)
@given(st.lists(DAYS, min_size=1), st.sampled_from(ORDERED_FORMS))
def test_a_column_is_read_rightly_or_asked_about(days: Any, ordered_form: tuple[DateOrder, str]):
    order, form = ordered_form
    cells = [form.format(day) for day in days]
    found = detect_dates(cells)
    if found.certainty is Certainty.AMBIGUOUS:
        assert order is not DateOrder.YMD
        assert all(day.day <= 12 for day in days)
    else:
        assert [parse_date(cell, found.order) for cell in cells] == days


@pytest.mark.parametrize(
    ("cells", "order", "certainty", "reason"),
    [
        (["01/02/2024", "13/02/2024"], DateOrder.DMY, Certainty.CERTAIN, "number_above_twelve"),
        (["01/02/2024", "02/13/2024"], DateOrder.MDY, Certainty.CERTAIN, "number_above_twelve"),
        (["01/02/2024", "03/04/2024"], None, Certainty.AMBIGUOUS, "no_number_above_twelve"),
        (["13/02/2024", "02/13/2024"], None, Certainty.AMBIGUOUS, "orders_mixed"),
        (["2024-02-13", ""], DateOrder.YMD, Certainty.CERTAIN, "year_first"),
        (["05/05/2024", "1 Feb 2024"], None, Certainty.CERTAIN, "order_does_not_matter"),
        ([date(2024, 1, 2)], None, Certainty.CERTAIN, "order_does_not_matter"),
    ],
)
def test_order_is_proved_or_asked(cells: list[Any], order: Any, certainty: Certainty, reason: str):
    found = detect_dates(cells)
    assert (found.order, found.certainty, found.reason) == (order, certainty, reason)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12 Mar 2020", date(2020, 3, 12)),
        ("12-MAR-2020", date(2020, 3, 12)),
        ("March 12, 2020", date(2020, 3, 12)),
        ("12. März 2020", date(2020, 3, 12)),
        ("12 mars 2020", date(2020, 3, 12)),
        ("1er août 2020", date(2020, 8, 1)),
        ("3 de mayo de 2020", date(2020, 5, 3)),
        ("17 Agustus 2020", date(2020, 8, 17)),
        ("1 okt. 2020", date(2020, 10, 1)),
    ],
)
def test_months_with_names_need_no_order(text: str, expected: Any):
    assert parse_date(text, None) == expected


@pytest.mark.parametrize(
    ("text", "order", "code"),
    [
        ("31.02.2024", DateOrder.DMY, "no_such_date"),
        ("2024-13-01", DateOrder.YMD, "no_such_date"),
        ("13/13/2024", DateOrder.DMY, "no_such_date"),
        ("01.02.24", DateOrder.DMY, "two_digit_year"),
        ("1 Feb 24", None, "two_digit_year"),
        ("01/02/2024", None, "order_unknown"),
        ("1899-12-30", DateOrder.YMD, "date_out_of_range"),
        ("yesterday", None, "not_a_date"),
        ("12 Foo 2020", None, "not_a_date"),
        ("43890", None, "not_a_date"),
        ("01/02/2024", DateOrder.YMD, "not_a_date"),
        ("1/2-2024", DateOrder.DMY, "not_a_date"),
    ],
)
def test_what_is_no_date(text: str, order: Any, code: Any):
    with pytest.raises(CellProblem) as caught:
        parse_date(text, order)
    assert caught.value.code == code


def test_two_digit_years_are_read_where_the_century_is_stated():
    assert parse_date("01.02.24", DateOrder.DMY, century=2000) == date(2024, 2, 1)
    assert parse_date("24-02-01", DateOrder.YMD, century=2000) == date(2024, 2, 1)


def test_cells_of_workbooks_are_dates_already():
    assert convert_date(date(2024, 2, 1), None) == date(2024, 2, 1)
    assert convert_date(datetime(2024, 2, 1, 12, 30), None) == date(2024, 2, 1)
    assert convert_date("  ", None) is None
    with pytest.raises(CellProblem) as caught:
        convert_date(NoValue.FORMULA, None)
    assert caught.value.code == "formula_without_value"
    with pytest.raises(CellProblem) as caught:
        convert_date(date(1900, 1, 1), None)
    assert caught.value.code == "date_out_of_range"

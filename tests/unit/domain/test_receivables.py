from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insureflow.domain.errors import InvalidValue
from insureflow.domain.receivables import (
    LINE_FIELDS,
    DocumentKind,
    LedgerLine,
    LedgerLines,
    PaymentTerms,
    TermsStart,
    calculate_due_on,
    calculate_fingerprints,
    complete_amounts,
)


def a_line(**changes: object) -> LedgerLine:
    values: dict[str, object] = dict.fromkeys(LINE_FIELDS)
    values |= {
        "row": 2,
        "kind": DocumentKind.INVOICE,
        "number": "1001",
        "customer_number": "C1",
        "customer_name": "Kund AB",
        "currency": "SEK",
        "gross_minor": 12500,
        "invoice_on": date(2026, 1, 15),
        "due_on": date(2026, 2, 14),
        "disputed": False,
        "was_disputed": False,
        "fingerprint": "",
    }
    return LedgerLine(**(values | changes))


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        (PaymentTerms(days=30), date(2024, 3, 1)),
        (PaymentTerms(), date(2024, 1, 31)),
        (PaymentTerms(months=1), date(2024, 2, 29)),
        (PaymentTerms(months=1, start=TermsStart.MONTH_END), date(2024, 2, 29)),
        (PaymentTerms(days=10, start=TermsStart.MONTH_END), date(2024, 2, 10)),
        (PaymentTerms(months=12, start=TermsStart.MONTH_END), date(2025, 1, 31)),
    ],
)
def test_due_date_follows_the_terms(terms: PaymentTerms, expected: Any):
    assert calculate_due_on(date(2024, 1, 31), terms) == expected


def test_end_of_month_terms_are_month_ends_and_not_thirty_days():
    assert calculate_due_on(date(2025, 6, 10), PaymentTerms(months=1, start=TermsStart.MONTH_END)) == date(2025, 7, 31)


def test_negative_terms_are_refused():
    with pytest.raises(InvalidValue) as caught:
        PaymentTerms(days=-1)
    assert caught.value.code == "negative_terms"


@settings(deadline=None)
@given(st.integers(-(10**12), 10**12), st.integers(-(10**12), 10**12))
def test_any_two_amounts_give_the_third(net: int | None, vat: int | None):
    whole = (net, vat, net + vat)
    assert complete_amounts(net, vat, None) == whole
    assert complete_amounts(net, None, net + vat) == whole
    assert complete_amounts(None, vat, net + vat) == whole
    assert complete_amounts(*whole) == whole
    assert complete_amounts(None, None, net + vat) == (None, None, net + vat)
    with pytest.raises(InvalidValue) as caught:
        complete_amounts(net, vat, net + vat + 1)
    assert caught.value.code == "amounts_do_not_add_up"
    assert caught.value.parameters["difference_minor"] == 1


@pytest.mark.parametrize(("net", "vat"), [(100, None), (None, 100), (None, None)])
def test_one_part_alone_is_not_enough(net: int | None, vat: int | None):
    with pytest.raises(InvalidValue) as caught:
        complete_amounts(net, vat, None)
    assert caught.value.code == "gross_missing"


def test_columns_and_lines_hold_the_same():
    lines = [a_line(), a_line(row=3, number="1002", currency="EUR"), a_line(row=4, kind=DocumentKind.CREDIT_NOTE, gross_minor=500)]
    columns = LedgerLines.from_lines(lines)
    assert list(columns) == lines
    assert len(columns) == 3
    assert columns.line(1) == lines[1]
    assert list(columns.select([2, 0])) == [lines[2], lines[0]]
    assert columns.total_minor() == {"SEK": 12500, "EUR": 12500}
    assert columns.total_minor(DocumentKind.CREDIT_NOTE) == {"SEK": 500}
    assert len(columns.select([])) == 0


def test_fingerprint_follows_the_content_and_not_the_place():
    first = calculate_fingerprints(LedgerLines.from_lines([a_line(), a_line(row=3, number="1002")]))
    moved = calculate_fingerprints(LedgerLines.from_lines([a_line(row=77, number="1002"), a_line(row=99, customer_name="KUND A.B.")]))
    assert sorted(first) == sorted(moved)
    assert len(set(first)) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"number": "1002"},
        {"gross_minor": 12501},
        {"currency": "NOK"},
        {"due_on": date(2026, 2, 15)},
        {"kind": DocumentKind.CREDIT_NOTE},
        {"open_minor": 0},
        {"disputed": True},
        {"customer_number": "C2"},
        {"settled_on": date(2026, 2, 14)},
    ],
)
def test_fingerprint_changes_with_every_figure(change: Any):
    before, after = (calculate_fingerprints(LedgerLines.from_lines([line])) for line in (a_line(), replace(a_line(), **change)))
    assert before != after


def test_equal_lines_are_told_apart_in_the_same_way_each_time():
    payment = a_line(kind=DocumentKind.PAYMENT, number=None, invoice_on=None, due_on=None, paid_on=date(2026, 3, 1))
    once = calculate_fingerprints(LedgerLines.from_lines([payment, payment, payment]))
    assert len(set(once)) == 3
    assert once == calculate_fingerprints(LedgerLines.from_lines([payment, payment, payment]))
    assert once[0] == calculate_fingerprints(LedgerLines.from_lines([payment]))[0]


def test_values_in_neighbouring_fields_are_not_mixed_up():
    left = a_line(number="A", reference=None, applies_to="B")
    right = a_line(number="A", reference="B", applies_to=None)
    assert calculate_fingerprints(LedgerLines.from_lines([left])) != calculate_fingerprints(LedgerLines.from_lines([right]))


def test_no_lines_have_no_fingerprints():
    assert calculate_fingerprints(LedgerLines.from_lines([])) == []

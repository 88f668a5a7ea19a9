"""Traces: steps in order, as plain data."""

import json
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from insureflow.domain.money import Money
from insureflow.domain.trace import Step, Trace, plain

STEP = Step(
    "due_date", "start_plus_days", (("start", date(2026, 1, 1)), ("days", 30)), date(2026, 1, 31), "invoice.terms", date(2026, 1, 1)
)
OTHER = Step("covered", "lower_of", (("open", Money(1250, "EUR")),), Money(1000, "EUR"), "limit")


def test_traces_join_in_order():
    trace = Trace((STEP,)) + Trace((OTHER,))
    assert list(trace) == [STEP, OTHER]
    assert len(trace) == 2
    assert len(Trace()) == 0


def test_a_trace_is_json():
    assert json.loads(json.dumps((Trace((STEP, OTHER))).to_list())) == [
        {
            "name": "due_date",
            "formula": "start_plus_days",
            "inputs": {"start": "2026-01-01", "days": 30},
            "result": "2026-01-31",
            "basis": "invoice.terms",
            "on": "2026-01-01",
        },
        {
            "name": "covered",
            "formula": "lower_of",
            "inputs": {"open": {"amount": "12.50", "currency": "EUR"}},
            "result": {"amount": "10.00", "currency": "EUR"},
            "basis": "limit",
            "on": None,
        },
    ]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Money(1, "JPY"), {"amount": "1", "currency": "JPY"}),
        (Fraction(1, 3), "1/3"),
        (Decimal("1E+2"), "100"),
        (True, True),
        (7, 7),
        ("word", "word"),
        (None, None),
    ],
)
def test_values_become_plain(value: Any, expected: Any):
    assert plain(value) == expected

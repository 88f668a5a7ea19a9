"""Accounts and events as plain data: every kind is read, and every problem is reported with its place."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from insureflow.domain.cover import (
    run_cover_case,
)
from insureflow.domain.errors import InvalidValues

POLICY = {"currency": "EUR"}
INVOICE = {"type": "invoice", "date": "2025-01-02", "id": "A", "net": 100, "due_date": "2025-02-01"}


@pytest.mark.parametrize(
    ("given_data", "problems"),
    [
        ({}, {("required", "given.policy"), ("required", "given.events")}),
        ({"policy": {}, "events": []}, {("required", "given.policy.currency")}),
        ({"policy": POLICY, "events": [], "buyers": {}}, {("unknown_field", "given.buyers")}),
        (
            {"policy": {**POLICY, "business_day_calendar": "Oslo"}, "events": []},
            {("calendar_unknown", "given.policy.business_day_calendar")},
        ),
        ({"policy": POLICY, "buyer": {"country": "XX1", "size": 1}, "events": []}, None),
        ({"policy": POLICY, "events": [{"date": "2025-01-01"}]}, {("required", "given.events[0].type")}),
        ({"policy": POLICY, "events": [{"type": "gift", "date": "2025-01-01"}]}, {("not_a_choice", "given.events[0].type")}),
        ({"policy": POLICY, "events": [{**INVOICE, "colour": "red"}]}, {("unknown_field", "given.events[0].colour")}),
        ({"policy": POLICY, "events": [{**INVOICE, "terms": {"days": 30}}]}, {("exactly_one_of", "given.events[0].due_date")}),
        (
            {"policy": POLICY, "events": [{k: v for k, v in INVOICE.items() if k != "due_date"}]},
            {("exactly_one_of", "given.events[0].due_date")},
        ),
        ({"policy": POLICY, "events": [{**INVOICE, "net": "0.001"}]}, {("too_many_decimals", "given.events[0].net")}),
        ({"policy": POLICY, "events": [{**INVOICE, "currency": "USD"}]}, {("required", "given.events[0].rate")}),
        ({"policy": POLICY, "events": [{**INVOICE, "currency": "USD", "rate": "0"}]}, {("not_a_rate", "given.events[0].rate")}),
        ({"policy": POLICY, "events": [{**INVOICE, "rate": "1.1"}]}, {("rate_in_limit_currency", "given.events[0].rate")}),
        (
            {"policy": POLICY, "events": [{"type": "consent", "date": "2025-01-01", "invoices": ["A", 7]}]},
            {("not_a_text", "given.events[0].invoices[1]")},
        ),
        (
            {"policy": POLICY, "events": [{"type": "buyer_grade", "date": "2025-01-01", "grade": True}]},
            {("not_a_grade", "given.events[0].grade")},
        ),
        ({"policy": POLICY, "events": [{"type": "buyer_grade", "date": "2025-01-01"}]}, {("required", "given.events[0].grade")}),
        (
            {
                "policy": POLICY,
                "events": [
                    {
                        "type": "limit_decision",
                        "date": "2025-01-01",
                        "amount": 1,
                        "layer": "top_up",
                        "conditions": {"insured_percentage": 80},
                    }
                ],
            },
            {("conditions_need_primary_layer", "given.events[0].conditions")},
        ),
        ({"policy": POLICY, "events": [{"type": "date_of_loss", "date": "1 May"}]}, None),
    ],
)
def test_every_problem_of_plain_data_is_reported_with_its_place(given_data: dict[str, Any], problems: set[tuple[str, str]] | None) -> None:
    with pytest.raises(InvalidValues) as refused:
        run_cover_case(given_data, [])
    found = {(problem.code, problem.path) for problem in refused.value.problems}
    assert found
    assert problems is None or found == problems


def test_all_kinds_of_events_can_be_written_as_plain_data() -> None:
    events = [
        {"type": "buyer_grade", "date": "2025-01-01", "grade": "good"},
        {"type": "limit_decision", "date": "2025-01-01", "amount": 1000, "rate": 1},
        {"type": "temporary_limit", "date": "2025-01-01", "amount": 2000, "valid_to": "2025-01-31"},
        {**INVOICE, "vat": 20},
        {**INVOICE, "id": "B", "currency": "USD", "rate": "0.5"},
        {"type": "stop_cover", "date": "2025-01-03"},
        {"type": "stop_cover_lifted", "date": "2025-01-04"},
        {"type": "consent", "date": "2025-01-05"},
        {"type": "extension", "date": "2025-01-05", "invoice": "A", "new_due_date": "2025-03-01", "consent": True},
        {"type": "overdue_notification", "date": "2025-01-05", "invoices": ["A"]},
        {"type": "credit_note", "date": "2025-01-06", "invoice": "B", "net": 20},
        {"type": "credit_note", "date": "2025-01-06", "net": 10, "vat": 2, "currency": "USD", "rate": "0.5"},
        {"type": "payment", "date": "2025-01-07", "amount": 4, "designated": ["B"], "purpose": "cash_or_prepaid_supply"},
        {"type": "dispute", "date": "2025-01-08", "invoice": "B", "amount": 40},
        {"type": "dispute_resolved", "date": "2025-01-09", "invoice": "B", "found_owed": 30},
        {"type": "limit_withdrawal", "date": "2025-01-10"},
        {"type": "date_of_loss", "date": "2025-01-11"},
    ]
    given_data = {"policy": POLICY, "buyer": {"country": "DE"}, "calendars": {"Oslo": {}}, "events": events}
    before, after = run_cover_case(given_data, [date(2025, 1, 1), date(2025, 1, 12)])
    assert before["invoices"] == {"A": None, "B": None}
    assert after["date"] == date(2025, 1, 12)
    assert after["invoices"] == {
        "A": {
            "open": 110,  # 120 less the credit note of 12 dollars, 6 euro, and the payment of 4
            "covered": 90,
            "uncovered": 20,
            "reasons": {"vat_not_covered": 20},
            "insured_percentage": 100,
            "layers": {"primary": 90, "top_up": 0},
        },
        "B": {
            "open": 35,  # 100 less 20, less 10 found not owed
            "covered": 35,
            "uncovered": 0,
            "reasons": {},
            "insured_percentage": 100,
            "layers": {"primary": 35, "top_up": 0},
        },
    }

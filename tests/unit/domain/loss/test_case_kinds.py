"""Worked examples of losses and recoveries that are written wrongly: every problem is named with its place."""

from typing import Any

import pytest

from insureflow.domain.cases import run_case
from insureflow.domain.errors import InvalidValues

POLICY = {"currency": "EUR", "insured_percentage": 90}
EVENTS = [
    {"type": "limit_decision", "date": "2025-01-01", "amount": 1000},
    {"type": "invoice", "date": "2025-01-10", "id": "A", "net": 500, "terms": {"days": 30}},
]


def run(kind: str, given: dict[str, Any]) -> Any:
    case = {"id": "X", "title": "x", "kind": kind, "source": "constructed (rule: none)", "given": given, "expect": {}}
    return run_case(case)


def problems(kind: str, given: dict[str, Any]) -> set[tuple[str, str]]:
    problem = run(kind, given).problem
    assert isinstance(problem, InvalidValues)
    return {(each.code, each.path) for each in problem.problems}


@pytest.mark.parametrize(
    ("loss", "wrong"),
    [
        ({"debt": 1, "covered_debt": 1}, {("exactly_one_of", "debt")}),
        ({}, {("exactly_one_of", "debt")}),
        ({"covered_debt": 1, "limit": 1}, {("unknown_field", "limit")}),
        ({"debt": 1, "limit": 1, "limits": {}}, {("exactly_one_of", "limit")}),
        ({"debt": 1, "buyer_grade": True}, {("not_a_grade", "buyer_grade")}),
        ({"debt": 1, "currency": "USD"}, {("required", "rates")}),
        ({"debt": 1, "rates": {"date_of_loss": "1"}}, {("rate_in_policy_currency", "rates")}),
        ({"debt": 1, "currency": "USD", "rates": {"date_of_loss": 0}}, {("not_a_rate", "rates.date_of_loss")}),
        ({"events": EVENTS}, {("required", "date_of_loss")}),
        ({"debt": 1, "claim": {"invoices": []}}, {("exactly_one_of", "debt"), ("too_few", "claim.invoices")}),
        ({"claim": {"invoices": [{"id": "A", "net": 1, "not_covered": "disputed"}]}}, {("not_a_choice", "claim.invoices[0].not_covered")}),
    ],
)
def test_a_loss_that_cannot_be_read(loss: dict[str, Any], wrong: set[tuple[str, str]]):
    found = problems("indemnity", {"policy": POLICY, "losses": [{"id": "L1", **loss}]})
    assert {(code, path.removeprefix("given.losses[0].")) for code, path in found} == wrong


def test_a_year_that_cannot_be_read():
    multiple = {"insured_percentage": 90, "maximum_liability": {"premium_multiple": 20}}
    found = problems("indemnity", {"policy": multiple, "losses": [{"id": "L1", "debt": 1}, {"id": "L1", "debt": 1}]})
    assert found == {
        ("required", "given.policy.currency"),
        ("required", "given.policy.maximum_liability.premium"),
        ("duplicate", "given.losses[1].id"),
    }
    in_dollars = {**POLICY, "limit_currency": "USD"}
    loss = {"id": "L1", "events": EVENTS, "date_of_loss": "2025-06-30"}
    assert problems("indemnity", {"policy": in_dollars, "losses": [loss]}) == {("required", "given.losses[0].rate")}
    calendar = {**POLICY, "business_day_calendar": "Mars"}
    assert problems("indemnity", {"policy": calendar, "losses": [loss]}) == {
        ("calendar_unknown", "given.losses[0].policy.business_day_calendar")
    }


def test_a_policy_that_is_no_map_is_a_problem_of_both_kinds():
    assert ("not_a_map", "given.policy") in problems("indemnity", {"policy": "EUR", "losses": [{"id": "L1", "debt": 1}]})
    assert ("not_a_map", "given.policy") in problems("recovery", {"policy": "EUR", "loss": "none", "receipts": []})


@pytest.mark.parametrize(
    ("policy", "loss", "wrong"),
    [
        ({}, {}, {("exactly_one_of", "debt")}),
        ({}, {"debt": 1}, {("exactly_one_of", "limit")}),
        ({}, {"debt": 1, "limit": 1, "covered_debt": 1}, {("exactly_one_of", "limit")}),
        ({"recovery": {"split": "first_in_first_out"}}, {"debt": 1, "limit": 1}, {("required", "invoices")}),
        ({"maximum_liability": {"premium_multiple": 2}}, {"debt": 1, "limit": 1}, {("required", "indemnity")}),
        ({}, {"invoices": [{"id": "A", "due_date": "2025-01-01", "open": 1, "covered": 2}]}, {("out_of_range", "invoices[0].covered")}),
        ({}, {"invoices": [{"due_date": "2025-01-01", "open": 1, "covered": 1}]}, {("required", "invoices[0].id")}),
    ],
)
def test_a_recovery_that_cannot_be_read(policy: dict[str, Any], loss: dict[str, Any], wrong: set[tuple[str, str]]):
    found = problems("recovery", {"policy": {**POLICY, **policy}, "loss": loss, "receipts": []})
    assert {(code, path.removeprefix("given.loss.")) for code, path in found} == wrong


def test_receipts_that_cannot_be_read():
    receipts = [
        {"gross": 1, "rate": "0.5"},
        {"gross": 1, "currency": "USD"},
        {"gross": 1, "currency": "USD", "rate": 0},
    ]
    found = problems("recovery", {"policy": {}, "loss": {"debt": 1, "limit": 1}, "receipts": receipts})
    assert found == {
        ("required", "given.policy.currency"),
        ("rate_in_policy_currency", "given.receipts[0].rate"),
        ("required", "given.receipts[1].rate"),
        ("not_a_rate", "given.receipts[2].rate"),
    }

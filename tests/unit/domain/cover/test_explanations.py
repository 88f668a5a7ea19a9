"""Explanations of what is covered of an invoice: tests, interval, changes, split and liability."""

from __future__ import annotations

from decimal import Decimal

import pytest
from support.small_accounts import D, account, day, invoice, limit

from insureflow.domain.cover import (
    DateOfLoss,
    Dispute,
    Event,
    Extension,
    Layer,
    Payment,
    StopCover,
    explain,
)
from insureflow.domain.errors import Refusal
from insureflow.domain.money import Money
from insureflow.domain.policies import (
    InsuredPercentage,
    Layers,
    LimitConditions,
    MaximumCreditTerms,
    PolicyPeriod,
    PolicyTerms,
    TopUp,
)
from insureflow.domain.trace import Step


def step(steps: tuple[Step, ...], name: str) -> Step:
    return next(found for found in steps if found.name == name)


def test_an_explanation_shows_tests_interval_changes_split_and_liability() -> None:
    terms = PolicyTerms(
        currency="EUR",
        limit_currency="EUR",
        period=PolicyPeriod(D, day(364)),
        insured_percentage=InsuredPercentage(Decimal(90), by_country={"PL": Decimal(85)}),
        maximum_credit_terms=MaximumCreditTerms(60),
        layers=Layers(TopUp(Decimal(70))),
    )
    conditions = LimitConditions(maximum_credit_terms=MaximumCreditTerms(45))
    events: list[Event] = [
        limit(0, 1000, conditions=conditions),
        limit(0, 300, layer=Layer.TOP_UP),
        invoice("A", 1, 800, due=10),
        invoice("B", 2, 700, vat=100),
        Payment(day(12), 500, "EUR"),
        Dispute(day(13), "B", 50),
    ]
    steps = explain(account(terms, country="PL"), events, "B", day(20)).steps
    terms_step = step(steps, "terms_exceed_maximum")
    assert (terms_step.result, terms_step.basis) == (True, "limit.maximum_credit_terms")
    assert terms_step.inputs == (("due_on", day(32)), ("latest_due_on", day(47)))
    assert step(steps, "outside_policy_period").inputs[1:3] == (("first_day", D), ("last_day", day(364)))
    assert [dict(found.inputs)["layer"] for found in steps if found.name == "limit_interval"] == ["primary", "top_up"]
    covered = [
        (found.name, found.on, found.result) for found in steps if found.formula in {"cover.entry", "cover.roll_in", "cover.dispute"}
    ]
    assert covered == [
        ("entry", day(2), Money(500, "EUR")),
        ("roll_in", day(12), Money(800 - 100, "EUR")),
        ("dispute", day(13), Money(650, "EUR")),
    ]
    assert dict(step(steps, "split").inputs) == {
        "open": Money(800, "EUR"),
        "vat_not_covered": Money(100, "EUR"),
        "disputed": Money(50, "EUR"),
    }
    assert (step(steps, "insured_percentage").result, step(steps, "insured_percentage").basis) == (
        Decimal(85),
        "policy.insured_percentage.by_country",
    )
    assert step(steps, "insurer_liability").result == Money(553, "EUR")  # 85 % of 650 = 552.5


def test_an_explanation_stops_at_the_first_test_that_fails() -> None:
    steps = explain(account(), [invoice("A", 1, 800), StopCover(day(3))], "A", day(9)).steps
    tests = [found for found in steps if found.formula.startswith("cover.test.")]
    assert [found.result for found in tests] == [True] * 6 + [False]
    assert tests[-1].name == "no_limit"
    assert steps[-1].name == "split"


def test_an_explanation_leaves_out_what_came_later() -> None:
    events: list[Event] = [limit(0, 100, valid_to=day(9)), invoice("A", 1, 80), Payment(day(15), 30, "EUR"), DateOfLoss(day(40))]
    steps = explain(account(), events, "A", day(4)).steps
    assert [found.name for found in steps if found.on != day(1)] == ["split", "insured_percentage", "insurer_liability"]
    with pytest.raises(Refusal) as refused:
        explain(account(), events, "A", D)
    assert refused.value.code == "invoice_not_in_account"


def test_an_explanation_names_the_clause_that_forbids_new_terms_after_shipment() -> None:
    terms = PolicyTerms(currency="EUR", limit_currency="EUR", no_new_terms_after_shipment=True)
    events: list[Event] = [limit(0, 1000), invoice("A", 1, 800, due=10), Extension(day(4), "A", day(20))]
    found = step(explain(account(terms), events, "A", day(5)).steps, "extended_without_consent")
    assert (found.result, found.basis, found.inputs) == (False, "policy.no_new_terms_after_shipment", (("original_due_on", day(11)),))

"""The premium of a policy year: what holds for every year, the steps that are shown, and what cannot be read."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insureflow.domain.cases import run_case
from insureflow.domain.cases.premium import is_number
from insureflow.domain.errors import InvalidValues
from insureflow.domain.money import Money, round_half_up
from insureflow.domain.policies.terms import BonusMalusRow, MaximumLiability, MinimumPremium, Premium
from insureflow.domain.policies.vocabulary import LimitMeasure, PremiumBasis, PremiumMeasure
from insureflow.domain.premium import (
    DeclaredBalance,
    DeclaredTurnover,
    LimitFrom,
    MonthlyLimit,
    PremiumFacts,
    calculate_premium,
    limits_of_months,
)

AMOUNTS = st.integers(0, 10**13)
RATES = st.decimals(0, 5, places=4)
PERCENTAGES = st.decimals(0, 100, places=2)


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


def turnover_terms(**changes: Any) -> Premium:
    return Premium(**{"basis": PremiumBasis.TURNOVER, "rate": Decimal("0.2"), **changes})


def test_every_figure_has_its_step_with_formula_inputs_and_clause() -> None:
    terms = turnover_terms(
        minimum=MinimumPremium(percentage_of_estimated=Decimal(80)),
        advance_instalments=4,
        excluded_turnover=("cash",),
        bonus_malus=(BonusMalusRow(Decimal(20), Decimal(-10)), BonusMalusRow(None, Decimal(0))),
    )
    facts = PremiumFacts(
        estimated_turnover=1_000_000_00,
        declarations=(DeclaredTurnover("2026-01", 1_500_000_00), DeclaredTurnover("2026-01", 5_00, "cash")),
        indemnities=100_00,
    )
    account = calculate_premium(terms, facts, "EUR", maximum_liability=MaximumLiability(premium_multiple=Decimal(30)))
    assert [(step.name, step.result) for step in account.trace] == [
        ("estimated_premium", eur(2_000_00)),
        ("minimum_premium", eur(1_600_00)),
        ("advance_per_instalment", eur(400_00)),
        ("insurable_turnover", eur(1_500_000_00)),
        ("earned_premium", eur(3_000_00)),
        ("loss_ratio", Decimal("3.33")),
        ("bonus_malus_adjustment", eur(-300_00)),
        ("final_premium", eur(2_700_00)),
        ("balance_due", eur(1_100_00)),
        ("maximum_liability", eur(81_000_00)),
    ]
    assert dict(account.trace.steps[3].inputs) == {
        "declared_turnover": eur(1_500_005_00),
        "excluded_turnover": eur(5_00),
        "declarations_counted": 2,
    }
    assert {step.basis.partition(".")[0] for step in account.trace} == {"policy"}


def test_balances_and_limits_show_what_was_charged() -> None:
    balances = (DeclaredBalance(date(2026, 1, 31), 900, 500), DeclaredBalance(date(2026, 2, 28), 300))
    capped = Premium(PremiumBasis.OUTSTANDING_BALANCE, rate=Decimal(1), balances_capped_at_limit=True)
    account = calculate_premium(capped, PremiumFacts(balances=balances), "EUR")
    assert account.trace.steps[0].inputs == (("declared_balances", eur(1200)), ("above_limits", eur(400)), ("months_counted", 2))
    assert account.earned_premium == eur(8)
    by_limit = Premium(PremiumBasis.LIMIT, rate=Decimal(1))
    limits = (MonthlyLimit(date(2026, 1, 1), 700), MonthlyLimit(date(2026, 2, 1), 300))
    account = calculate_premium(by_limit, PremiumFacts(limits=limits), "EUR")
    assert account.trace.steps[0].inputs == (("highest_monthly_limit", eur(700)), ("lowest_monthly_limit", eur(300)), ("months_counted", 2))
    assert calculate_premium(by_limit, PremiumFacts(), "EUR").earned_premium is None


@pytest.mark.parametrize(
    "terms",
    [
        Premium(PremiumBasis.FIXED),
        Premium(PremiumBasis.TURNOVER),
        Premium(PremiumBasis.TURNOVER, minimum=MinimumPremium()),
        Premium(PremiumBasis.OUTSTANDING_BALANCE, rate=Decimal(1)),
    ],
)
def test_what_no_data_were_given_for_is_not_there(terms: Premium) -> None:
    facts = PremiumFacts(estimated_turnover=100, declarations=(DeclaredTurnover("2026", 100),), indemnities=5)
    account = calculate_premium(terms, facts, "EUR", maximum_liability=MaximumLiability())
    assert (account.earned_premium, account.final_premium, account.balance_due, account.loss_ratio) == (None, None, None, None)
    assert account.maximum_liability is None
    assert account.bonus_malus_adjustment == eur(0)


def test_a_loss_ratio_without_rows_changes_nothing() -> None:
    facts = PremiumFacts(declarations=(DeclaredTurnover("2026", 100_000),), indemnities=50)
    account = calculate_premium(turnover_terms(), facts, "EUR")
    assert (account.loss_ratio, account.bonus_malus_adjustment, account.final_premium) == (Decimal("25.00"), eur(0), eur(200))


@given(turnover=AMOUNTS, estimated=AMOUNTS, rate=RATES, minimum=PERCENTAGES, instalments=st.integers(1, 12))
def test_the_premium_is_never_below_the_least_nor_below_what_was_earned(
    turnover: int, estimated: int, rate: Decimal, minimum: Decimal, instalments: int
) -> None:
    terms = turnover_terms(rate=rate, minimum=MinimumPremium(percentage_of_estimated=minimum), advance_instalments=instalments)
    facts = PremiumFacts(estimated_turnover=estimated, declarations=(DeclaredTurnover("2026", turnover),))
    account = calculate_premium(terms, facts, "EUR", maximum_liability=MaximumLiability(premium_multiple=Decimal(2)))
    assert account.final_premium is not None and account.minimum_premium is not None and account.earned_premium is not None  # noqa: PT018
    assert account.final_premium == max(account.minimum_premium, account.earned_premium)
    assert account.balance_due == account.final_premium - account.advances_total >= eur(0)
    assert account.advance_per_instalment is not None
    assert abs(account.advance_per_instalment.minor * instalments - account.advances_total.minor) <= instalments
    assert account.maximum_liability is not None
    exact = max(Fraction(turnover) * Fraction(rate) / 100, Fraction(estimated) * Fraction(rate) * Fraction(minimum) / 10_000)
    assert account.maximum_liability.minor == round_half_up(2 * exact)


@given(st.lists(st.tuples(AMOUNTS, st.sampled_from([None, "cash", "affiliates"])), min_size=1, max_size=8), RATES)
def test_how_declarations_are_divided_does_not_matter_and_what_is_left_out_costs_nothing(
    rows: list[tuple[int, str | None]], rate: Decimal
) -> None:
    terms = turnover_terms(rate=rate, excluded_turnover=("cash",))
    account = calculate_premium(terms, PremiumFacts(declarations=[DeclaredTurnover("p", *row) for row in rows]), "EUR")
    insurable = sum(amount for amount, category in rows if category != "cash")
    whole = calculate_premium(terms, PremiumFacts(declarations=(DeclaredTurnover("year", insurable),)), "EUR")
    assert account.insurable_turnover == eur(insurable)
    assert account.earned_premium == whole.earned_premium


@given(st.lists(st.tuples(AMOUNTS, st.none() | AMOUNTS), min_size=1, max_size=8))
def test_a_cap_never_makes_premium_dearer(rows: list[tuple[int, int | None]]) -> None:
    facts = PremiumFacts(balances=[DeclaredBalance(date(2026, 1, 31), *row) for row in rows])
    free, capped = (
        calculate_premium(
            Premium(PremiumBasis.OUTSTANDING_BALANCE, rate=Decimal("0.05"), balances_capped_at_limit=is_capped), facts, "EUR"
        ).earned_premium
        for is_capped in (False, True)
    )
    assert free is not None
    assert capped is not None
    assert capped <= free
    assert (capped == free) or any(limit is not None and balance > limit for balance, limit in rows)


DAYS = st.dates(date(2025, 11, 1), date(2026, 6, 30))


@given(st.lists(st.builds(LimitFrom, DAYS, AMOUNTS), max_size=10))
def test_the_limit_of_a_month_is_the_one_found_day_by_day(limits: list[LimitFrom]) -> None:
    months = [date(2026, month, 1) for month in (1, 2, 3)]

    def on(day: date) -> int:
        known = sorted((entry for entry in limits if entry.on <= day), key=lambda entry: entry.on)
        return known[-1].minor if known else 0

    lengths = {1: 31, 2: 28, 3: 31}
    by_day = [[on(month.replace(day=day)) for day in range(1, lengths[month.month] + 1)] for month in months]
    highest = limits_of_months(limits, months, LimitMeasure.HIGHEST_IN_MONTH)
    at_end = limits_of_months(limits, months, LimitMeasure.MONTH_END)
    assert [each.minor for each in highest] == [max(days) for days in by_day]
    assert [each.minor for each in at_end] == [days[-1] for days in by_day]
    assert [each.month for each in highest] == months


@pytest.mark.parametrize(("of", "liability"), [(measure, measure) for measure in PremiumMeasure])
def test_the_measure_of_the_maximum_liability(of: PremiumMeasure, liability: PremiumMeasure) -> None:
    terms = turnover_terms(minimum=MinimumPremium(percentage_of_estimated=Decimal(50)))
    facts = PremiumFacts(estimated_premium=1000, declarations=(DeclaredTurnover("2026", 1_000_000),))
    account = calculate_premium(terms, facts, "EUR", maximum_liability=MaximumLiability(premium_multiple=Decimal(10), of=of))
    assert account.maximum_liability == Money(10 * getattr(account, liability).minor, "EUR")


@pytest.mark.parametrize(
    ("changes", "path", "code"),
    [
        ({"policy": {"premium": {"basis": "turnover"}}}, "given.policy.currency", "required"),
        ({"policy": {"currency": "EUR"}}, "given.policy.premium", "required"),
        ({"policy": []}, "given.policy", "not_a_map"),
        ({"policy": {"currency": "EUR", "premium": {"basis": "fixed", "cycle": "yearly"}}}, "given.policy.premium.cycle", "unknown_field"),
        ({"declarations": [{"period": "2026"}]}, "given.declarations[0].amount", "required"),
        ({"declarations": [{"amount": 5, "extra": 1}]}, "given.declarations[0].extra", "unknown_field"),
        ({"balances": [{"month_end": "soon", "balance": 5}]}, "given.balances[0].month_end", "not_a_date"),
        ({"limits": [{"date": "2026-01-01"}], "months": []}, "given.limits[0].amount", "required"),
        ({"limits": [{"date": "2026-01-01", "amount": 5}]}, "given.months", "required"),
        ({"limits": [], "months": ["2026-13"]}, "given.months[0]", "not_a_month"),
        ({"months": ["0000-01"]}, "given.months[0]", "not_a_month"),
        ({"months": [5]}, "given.months[0]", "not_a_month"),
        ({"indemnities": -1}, "given.indemnities", "not_an_amount"),
        ({"weather": 1}, "given.weather", "unknown_field"),
    ],
)
def test_an_example_that_cannot_be_read_says_where(changes: dict[str, Any], path: str, code: str) -> None:
    facts = {"policy": {"currency": "EUR", "premium": {"basis": "turnover", "rate": "0.1"}}, **changes}
    case = {"id": "T", "title": "t", "kind": "premium", "source": "constructed (t)", "given": facts, "expect": {}}
    result = run_case(case)
    assert isinstance(result.problem, InvalidValues)
    assert (path, code) in [(problem.path, problem.code) for problem in result.problem.problems]


@pytest.mark.parametrize(("value", "is_right"), [(-5, True), ("-5.10", True), ("5", True), (True, False), ("x", False), (None, False)])
def test_a_result_may_be_below_zero(value: object, is_right: bool) -> None:
    assert is_number(value) is is_right

"""Declarations: which periods, what counts, who may approve, and the payments in advance."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insureflow.domain.buyers import NotInsurable
from insureflow.domain.declarations import (
    DeclarationStatus,
    PeriodToDeclare,
    SalesCategory,
    advances,
    category_of,
    check_approval,
    check_period_over,
    check_status,
    declared_part,
    periods_to_declare,
    policy_years,
)
from insureflow.domain.errors import Refusal
from insureflow.domain.money import Money
from insureflow.domain.policies import parse_terms
from insureflow.domain.policies.terms import PolicyPeriod, PolicyTerms

YEAR = {"from": "2026-01-01", "to": "2026-12-31"}


def terms(**changes: Any) -> PolicyTerms:
    return parse_terms({"currency": "EUR", "period": YEAR, **changes})


def test_the_periods_of_a_year_follow_the_cycle() -> None:
    monthly = periods_to_declare(terms(turnover_declaration={"cycle": "monthly", "days": 15}))
    assert len(monthly) == 12
    assert monthly[1] == PeriodToDeclare(date(2026, 2, 1), date(2026, 2, 28), date(2026, 3, 15))
    quarterly = periods_to_declare(terms(turnover_declaration={"cycle": "quarterly", "days": 30}, notice_of_non_renewal={"months": 2}))
    assert [period.last_day for period in quarterly] == [date(2026, 3, 31), date(2026, 6, 30), date(2026, 9, 30), date(2026, 12, 31)]
    assert quarterly[0].months == (date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1))
    (yearly,) = periods_to_declare(terms(turnover_declaration={"cycle": "yearly", "days": 30}))
    assert (yearly.first_day, yearly.due_on, len(yearly.months)) == (date(2026, 1, 1), date(2027, 1, 30), 12)
    assert periods_to_declare(terms()) == ()
    assert periods_to_declare(parse_terms({"turnover_declaration": {"cycle": "yearly", "days": 30}})) == ()


@given(
    st.dates(date(2020, 1, 1), date(2030, 12, 31)), st.integers(0, 800), st.sampled_from(["monthly", "quarterly", "half_yearly", "yearly"])
)
def test_the_periods_cover_every_day_of_the_policy_once(first: date, length: int, cycle: str) -> None:
    last = date.fromordinal(first.toordinal() + length)
    periods = periods_to_declare(terms(period={"from": str(first), "to": str(last)}, turnover_declaration={"cycle": cycle, "days": 15}))
    days = [day for period in periods for day in range(period.first_day.toordinal(), period.last_day.toordinal() + 1)]
    assert days == list(range(first.toordinal(), last.toordinal() + 1))


@pytest.mark.parametrize(
    ("buyer", "country", "facts", "category"),
    [
        (None, "DE", {}, None),
        (NotInsurable.AFFILIATE, "XK", {"is_cash": True}, SalesCategory.AFFILIATES),
        (NotInsurable.PRIVATE_PERSON, "DE", {}, SalesCategory.PRIVATE_PERSONS),
        (NotInsurable.PUBLIC_BUYER, "DE", {}, SalesCategory.PUBLIC_BUYERS),
        (NotInsurable.OTHER, "DE", {}, SalesCategory.NOT_INSURABLE),
        (None, "BR", {"is_natural_person": True}, SalesCategory.PRIVATE_PERSONS),
        (None, "BR", {"is_prepaid": True}, SalesCategory.UNCOVERED_COUNTRIES),
        (None, "DE", {"is_prepaid": True, "is_cash": True}, SalesCategory.PREPAID),
        (None, "DE", {"is_cash": True}, SalesCategory.CASH),
    ],
)
def test_what_kind_of_sale_it_is(buyer: NotInsurable | None, country: str, facts: dict[str, bool], category: SalesCategory | None) -> None:
    assert category_of(buyer, country, {"DE"}, **facts) is category


def test_without_a_list_of_countries_all_are_covered() -> None:
    assert category_of(None, "BR", None) is None


@given(st.integers(-(10**9), 10**9), st.sampled_from([None, "cash", "affiliates"]), st.none() | st.integers(-(10**6), 10**9))
def test_what_is_declared_is_never_more_than_there_is_nor_more_than_the_limit(full: int, category: str | None, limit: int | None) -> None:
    part = declared_part(full, category, ("cash",), limit)
    if category == "cash":
        assert part == 0
    else:
        assert part <= full
        assert (part == full) is (limit is None or full <= max(0, limit))


def test_who_may_do_what_and_when() -> None:
    period = PeriodToDeclare(date(2026, 1, 1), date(2026, 1, 31), date(2026, 2, 15))
    check_period_over(period, date(2026, 2, 1))
    check_approval(None, 7)
    check_approval(3, 7)
    check_status(DeclarationStatus.DRAFT, DeclarationStatus.DRAFT)
    for refused, code in (
        (lambda: check_period_over(period, date(2026, 1, 31)), "declaration_period_runs"),
        (lambda: check_approval(3, None), "declaration_needs_a_person"),
        (lambda: check_approval(3, 3), "declaration_of_own"),
        (lambda: check_status(DeclarationStatus.DRAFT, DeclarationStatus.APPROVED), "declaration_not_so_far"),
    ):
        with pytest.raises(Refusal, match=code):
            refused()


@given(st.integers(0, 10**12), st.integers(1, 12))
def test_advances_are_the_minimum_premium_in_nearly_equal_parts(minimum: int, instalments: int) -> None:
    year = PolicyPeriod(date(2026, 1, 1), date(2026, 12, 31))
    parts = advances(Money(minimum, "EUR"), instalments, year)
    assert sum(part.amount.minor for part in parts) == minimum
    assert max(part.amount.minor for part in parts) - min(part.amount.minor for part in parts) <= 1
    days = [part.due_on for part in parts]
    assert days == sorted(set(days))
    assert year.holds(days[-1])


def test_four_advances_fall_due_quarter_by_quarter() -> None:
    year = PolicyPeriod(date(2026, 4, 1), date(2027, 3, 31))
    assert [part.due_on for part in advances(Money(4000, "EUR"), 4, year)] == [
        date(2026, 4, 1),
        date(2026, 7, 1),
        date(2026, 10, 1),
        date(2027, 1, 1),
    ]


def test_premium_is_settled_year_by_year() -> None:
    years = policy_years(PolicyPeriod(date(2024, 7, 1), date(2026, 12, 31)))
    assert years == (
        PolicyPeriod(date(2024, 7, 1), date(2025, 6, 30)),
        PolicyPeriod(date(2025, 7, 1), date(2026, 6, 30)),
        PolicyPeriod(date(2026, 7, 1), date(2026, 12, 31)),
    )
    one = PolicyPeriod(date(2026, 1, 1), date(2026, 12, 31))
    assert policy_years(one) == (one,)

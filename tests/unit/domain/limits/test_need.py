"""Need of a buyer, what was asked for, what lies unused, and what carries the need."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insureflow.domain.errors import Refusal
from insureflow.domain.limits import (
    LimitFit,
    LimitUse,
    NeedSource,
    calculate_need,
    calculate_seasonality,
    calculate_waterfall,
    find_unused,
    higher_need,
    judge_fit,
    observed_need,
)
from insureflow.domain.money import Money

ON = date(2026, 6, 30)


def eur(amount: int) -> Money:
    return Money(amount, "EUR")


def test_need_from_turnover() -> None:
    assert calculate_need(eur(365_000), 60).amount == eur(60_000)
    assert calculate_need(eur(365_000), 60, vat_percentage=Decimal(25)).amount == eur(60_000)
    need = calculate_need(
        eur(365_000),
        60,
        vat_percentage=Decimal(25),
        is_vat_covered=True,
        seasonality=Decimal("1.5"),
        tolerance_days=15,
        open_orders=eur(500),
    )
    # 365 000 x 1.25 x 75 / 365 x 1.5 + 500
    assert (need.amount, need.source) == (eur(141_125), NeedSource.TURNOVER)
    assert need.trace.steps[0].result == eur(141_125)


@pytest.mark.parametrize(("days", "tolerance", "factor"), [(-1, 0, 1), (0, -1, 1), (0, 0, -1)])
def test_a_need_from_nothing_sensible_is_refused(days: int, tolerance: int, factor: int) -> None:
    with pytest.raises(Refusal, match="need_not_positive"):
        calculate_need(eur(1), days, tolerance_days=tolerance, seasonality=Fraction(factor))


@pytest.mark.parametrize(
    ("months", "days", "factor"),
    [
        ([], 30, Fraction(1)),
        ([0] * 12, 30, Fraction(1)),
        ([100] * 12, 45, Fraction(1)),
        ([0] * 11 + [120], 30, Fraction(12)),
        ([0] * 11 + [120], 31, Fraction(6)),
        ([60, *[0] * 10, 60], 60, Fraction(6)),
        ([60, *[0] * 10, 60], 0, Fraction(6)),
        ([10, 30], 900, Fraction(1)),
    ],
)
def test_seasonality(months: list[int], days: int, factor: Fraction) -> None:
    assert calculate_seasonality(months, days) == factor


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=12), st.integers(0, 400))
def test_a_peak_is_never_below_the_average(months: list[int], days: int) -> None:
    assert 1 <= calculate_seasonality(months, days) <= len(months)


def test_need_from_balances() -> None:
    balances = [(date(2025, 6, 29), 999), (date(2025, 6, 30), 70), (ON, 60), (date(2026, 7, 1), 999)]
    need = observed_need(balances, "EUR", ON)
    assert need is not None
    assert (need.amount, need.source) == (eur(70), NeedSource.HIGHEST_BALANCE)
    assert observed_need(balances, "EUR", date(2024, 1, 1)) is None
    credit = observed_need([(ON, -5)], "EUR", ON)
    assert credit is not None
    assert credit.amount == eur(0)


def test_the_higher_of_several_needs() -> None:
    first, second = observed_need([(ON, 50)], "EUR", ON), calculate_need(eur(365), 40)
    highest = higher_need(second, None, first)
    assert highest is not None
    assert (highest.amount, highest.source, len(highest.trace)) == (eur(50), NeedSource.HIGHEST_BALANCE, 2)
    assert higher_need(None) is None


@pytest.mark.parametrize(
    ("asked", "fit", "difference"),
    [(99, LimitFit.UNDER_ASKED, -1), (100, LimitFit.FITTING, 0), (110, LimitFit.FITTING, 10), (111, LimitFit.OVER_ASKED, 11)],
)
def test_whether_the_right_amount_was_asked_for(asked: int, fit: LimitFit, difference: int) -> None:
    judgement = judge_fit(eur(asked), eur(100))
    assert (judgement.fit, judgement.difference, judgement.trace.steps[0].result) == (fit, eur(difference), fit)


def test_limits_nobody_uses() -> None:
    uses = [
        LimitUse("used", eur(100), eur(11), date(2020, 1, 1)),
        LimitUse("hardly", eur(100), eur(10), date(2025, 6, 30)),
        LimitUse("never", eur(500), eur(0), date(2020, 1, 1)),
        LimitUse("young", eur(500), eur(0), date(2025, 7, 1)),
        LimitUse("none", eur(0), eur(0), date(2020, 1, 1)),
    ]
    found = find_unused(uses, ON, use_percentage=Decimal(10), fee=eur(3))
    assert [(each.id, each.could_give_back, each.fee) for each in found] == [("never", eur(500), eur(3)), ("hardly", eur(90), eur(3))]
    assert [each.id for each in find_unused(uses, ON)] == ["never"]


@pytest.mark.parametrize(
    ("own", "parts"),
    [
        (None, (60, 20, 0, 20, 0)),
        (90, (60, 20, 10, 10, 0)),
        (200, (60, 20, 20, 0, 0)),
        (70, (60, 10, 0, 30, 10)),
        (50, (50, 0, 0, 50, 30)),
    ],
)
def test_what_carries_the_need(own: int | None, parts: tuple[int, ...]) -> None:
    water = calculate_waterfall(eur(100), primary=eur(60), top_up=eur(20), own_limit=None if own is None else eur(own))
    assert (water.primary, water.top_up, water.own_risk, water.gap, water.blocked) == tuple(eur(part) for part in parts)
    assert [step.result for step in water.trace] == [water.primary, water.top_up, water.own_risk, water.gap]


whole = st.integers(0, 1000)


@given(need=whole, primary=whole, top_up=whole, own=st.one_of(st.none(), whole))
def test_the_parts_make_up_the_need(need: int, primary: int, top_up: int, own: int | None) -> None:
    water = calculate_waterfall(eur(need), primary=eur(primary), top_up=eur(top_up), own_limit=None if own is None else eur(own))
    parts = (water.primary, water.top_up, water.own_risk, water.gap)
    assert all(part >= eur(0) for part in (*parts, water.blocked))
    assert sum(part.minor for part in parts) == need

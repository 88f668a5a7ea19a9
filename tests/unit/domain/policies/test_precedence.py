"""Which clause decides, which version is in force, and which policy a shipment falls under."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.policy_terms import FULL

from insureflow.domain.errors import Refusal
from insureflow.domain.periods import Period, PeriodUnit, StartingDay
from insureflow.domain.policies import (
    Allocation,
    Cause,
    Cycle,
    DatedTerms,
    LimitConditions,
    LimitKind,
    MaximumCreditTerms,
    MaximumExtensionPeriod,
    PolicyCandidate,
    PolicyPeriod,
    PolicyTerms,
    basis_of,
    choose_policy,
    conditions_for_limit_kind,
    grade_percentage_for,
    grade_row_for,
    insured_percentage_for,
    is_country_covered,
    is_within_period,
    maximum_credit_terms_for,
    maximum_extension_period_for,
    overdue_notification_for,
    parse_terms,
    terms_on,
    vat_covered_for,
    waiting_period_for,
)

TERMS_OF_PRECEDENCE = parse_terms({**FULL, "grade_cover": FULL["grade_cover"]})
UNGRADED_TERMS = replace(TERMS_OF_PRECEDENCE, grade_cover=None)
LIMIT = LimitConditions(Decimal(70), MaximumCreditTerms(15), MaximumExtensionPeriod(days=7))


@pytest.mark.parametrize(
    ("terms", "country", "grade", "conditions", "cause", "expected"),
    [
        (TERMS_OF_PRECEDENCE, "BR", 1, LIMIT, Cause.POLITICAL, (Decimal(70), "limit")),
        (TERMS_OF_PRECEDENCE, "BR", 1, LimitConditions(), Cause.POLITICAL, (Decimal(90), "grade")),
        (TERMS_OF_PRECEDENCE, "BR", None, None, Cause.POLITICAL, (Decimal(60), "grade")),
        (TERMS_OF_PRECEDENCE, "BR", 9, None, Cause.POLITICAL, (Decimal(0), "grade")),
        (UNGRADED_TERMS, "BR", 1, None, Cause.POLITICAL, (Decimal(80), "country")),
        (UNGRADED_TERMS, "SE", 1, None, Cause.POLITICAL, (Decimal(95), "cause")),
        (UNGRADED_TERMS, None, 1, None, Cause.REPUDIATION, (Decimal(90), "policy")),
        (UNGRADED_TERMS, "SE", 1, None, None, (Decimal(90), "policy")),
        (PolicyTerms(), None, None, None, None, (Decimal(100), "policy")),
    ],
)
def test_the_most_specific_percentage_wins(terms: PolicyTerms, country: Any, grade: Any, conditions: Any, cause: Any, expected: Any):
    assert insured_percentage_for(terms, country, grade, conditions, cause) == expected


def test_grades():
    assert grade_percentage_for(UNGRADED_TERMS, 1) is None
    row = grade_row_for(TERMS_OF_PRECEDENCE, "A")
    assert row is not None
    assert row.maximum_indemnity_per_buyer == 25_000_000
    assert grade_row_for(TERMS_OF_PRECEDENCE, "Z") is None


def test_limit_before_country_before_policy():
    terms = TERMS_OF_PRECEDENCE
    assert maximum_credit_terms_for(terms, "BR", LIMIT) == MaximumCreditTerms(15)
    assert maximum_credit_terms_for(terms, "BR") == MaximumCreditTerms(30)
    assert maximum_credit_terms_for(terms, "SE") == terms.maximum_credit_terms
    assert maximum_extension_period_for(terms, "BR", LIMIT) == MaximumExtensionPeriod(days=7)
    assert maximum_extension_period_for(terms, "BR", LimitConditions()) == MaximumExtensionPeriod(days=30)
    assert maximum_extension_period_for(terms, None) == terms.maximum_extension_period
    of_brazil = overdue_notification_for(terms, "BR")
    assert of_brazil is not None
    assert of_brazil.period == Period(PeriodUnit.DAYS, 10, StartingDay.MAXIMUM_EXTENSION_PERIOD_END)
    assert overdue_notification_for(terms, "SE") == terms.overdue_notification
    assert waiting_period_for(terms, "BR", Cause.POLITICAL) == Period(PeriodUnit.MONTHS, 8, StartingDay.EVENT)
    assert waiting_period_for(terms, "BR", Cause.PROTRACTED_DEFAULT) == Period(PeriodUnit.MONTHS, 6, StartingDay.DUE_DATE)
    assert waiting_period_for(terms, "SE", Cause.POLITICAL) is None
    assert vat_covered_for(terms, "BR") is True
    assert vat_covered_for(terms, "SE") is False


@pytest.mark.parametrize(
    ("country", "clause", "conditions", "expected"),
    [
        ("BR", "maximum_extension_period", LIMIT, "limit.maximum_extension_period"),
        ("BR", "maximum_extension_period", None, "country_schedule.BR.maximum_extension_period"),
        ("SE", "maximum_extension_period", LimitConditions(), "policy.maximum_extension_period"),
        ("BR", "overdue_notification", LIMIT, "country_schedule.BR.overdue_notification"),
        ("BR", "waiting_period.political", None, "country_schedule.BR.waiting_period.political"),
        ("BR", "waiting_period.insolvency", None, "policy.waiting_period.insolvency"),
        (None, "waiting_period.political", None, "policy.waiting_period.political"),
    ],
)
def test_the_clause_that_decides_is_named(country: Any, clause: str, conditions: Any, expected: str):
    assert basis_of(TERMS_OF_PRECEDENCE, country, clause, conditions) == expected


def test_the_kind_of_a_limit_completes_its_conditions():
    terms = TERMS_OF_PRECEDENCE
    assert conditions_for_limit_kind(terms, LimitKind.DISCRETIONARY).insured_percentage == Decimal(80)
    assert conditions_for_limit_kind(terms, LimitKind.DISCRETIONARY, LIMIT) == LIMIT
    assert conditions_for_limit_kind(terms, LimitKind.NAMED) == LimitConditions()


FIRST, SECOND, THIRD = (
    PolicyTerms(vat_covered=False),
    PolicyTerms(vat_covered=True),
    PolicyTerms(allocation=Allocation(respect_designation=True)),
)
HISTORY = (DatedTerms(date(2026, 7, 1), SECOND), DatedTerms(date(2025, 1, 1), FIRST), DatedTerms(date(2026, 7, 1), THIRD))


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        (date(2020, 1, 1), FIRST),
        (date(2025, 1, 1), FIRST),
        (date(2026, 6, 30), FIRST),
        (date(2026, 7, 1), THIRD),
        (date(2030, 1, 1), THIRD),
    ],
)
def test_the_version_in_force(on: date, expected: PolicyTerms):
    assert terms_on(HISTORY, on) == expected


def test_a_policy_has_terms():
    with pytest.raises(Refusal, match="no_terms"):
        terms_on((), date(2026, 1, 1))


YEAR = PolicyPeriod(date(2026, 1, 1), date(2026, 12, 31))


def candidate(key: int, priority: int, *countries: str, period: PolicyPeriod | None = YEAR) -> PolicyCandidate:
    terms = PolicyTerms(period=period, countries_covered=frozenset(countries) if countries else None)
    return PolicyCandidate(key, priority, (DatedTerms(date(2026, 1, 1), terms),))


OLD = candidate(1, 1, "SE", period=PolicyPeriod(date(2025, 1, 1), date(2025, 12, 31)))
NORDIC, WORLD, OPEN = candidate(5, 2, "SE", "NO"), candidate(4, 3), candidate(3, 3, "US", period=None)


@pytest.mark.parametrize(
    ("candidates", "country", "on", "expected"),
    [
        ((), "SE", date(2026, 5, 1), None),
        ((WORLD, NORDIC, OLD), "SE", date(2026, 5, 1), NORDIC),
        ((WORLD, NORDIC, OLD), "DE", date(2026, 5, 1), WORLD),
        ((WORLD, NORDIC, OLD), "SE", date(2025, 5, 1), OLD),
        ((NORDIC, OLD), "DE", date(2026, 12, 31), NORDIC),
        ((NORDIC, OLD), None, date(2027, 1, 1), OLD),
        ((WORLD, OPEN), "US", date(2026, 5, 1), OPEN),
        ((WORLD, OPEN), "DE", date(2030, 5, 1), OPEN),
    ],
)
def test_the_policy_a_shipment_falls_under(candidates: Any, country: Any, on: date, expected: Any):
    assert choose_policy(candidates, country, on) == expected


@given(st.permutations([OLD, NORDIC, WORLD, OPEN]), st.sampled_from(["SE", "DE", "US", None]), st.dates(date(2024, 6, 1), date(2027, 6, 1)))
def test_the_choice_does_not_depend_on_the_order_of_the_list(candidates: list[PolicyCandidate], country: str | None, on: date):
    chosen = choose_policy(candidates, country, on)
    assert chosen == choose_policy([OLD, NORDIC, WORLD, OPEN], country, on)
    assert chosen is not None
    if any(is_within_period(terms_on(each.history, on), on) for each in candidates):
        assert is_within_period(terms_on(chosen.history, on), on)


def test_a_policy_without_countries_covers_all():
    assert is_country_covered(PolicyTerms(), None)
    assert not is_country_covered(PolicyTerms(countries_covered=frozenset({"SE"})), None)


@pytest.mark.parametrize(("cycle", "months"), [(Cycle.MONTHLY, 1), (Cycle.QUARTERLY, 3), (Cycle.HALF_YEARLY, 6), (Cycle.YEARLY, 12)])
def test_cycles_in_months(cycle: Cycle, months: int):
    assert cycle.months == months

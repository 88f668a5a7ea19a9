"""Which condition applies: the limit's, then the grade's, then the country's, then the cause's, then the policy's.

And which policy and which version of its terms a shipment falls under.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Literal

from insureflow.domain.errors import Refusal
from insureflow.domain.periods import PeriodRule
from insureflow.domain.policies.terms import (
    NO_CONDITIONS,
    UNGRADED,
    CountryConditions,
    Grade,
    GradeRow,
    LimitConditions,
    MaximumCreditTerms,
    MaximumExtensionPeriod,
    OverdueNotification,
    PolicyTerms,
)
from insureflow.domain.policies.vocabulary import Cause, LimitKind

#: Where an insured percentage comes from.
PercentageSource = Literal["limit", "grade", "country", "cause", "policy"]

_NO_SCHEDULE = CountryConditions()


def conditions_for_country(terms: PolicyTerms, country: str | None) -> CountryConditions:
    """What the country schedule says about buyers in this country; nothing for one it does not list."""
    return terms.country_schedule.get(country, _NO_SCHEDULE) if country is not None else _NO_SCHEDULE


def maximum_credit_terms_for(
    terms: PolicyTerms, country: str | None, conditions: LimitConditions | None = None
) -> MaximumCreditTerms | None:
    """The maximum credit terms that hold: of the limit, else of the country, else of the policy."""
    limit = conditions or NO_CONDITIONS
    return limit.maximum_credit_terms or conditions_for_country(terms, country).maximum_credit_terms or terms.maximum_credit_terms


def maximum_extension_period_for(
    terms: PolicyTerms, country: str | None, conditions: LimitConditions | None = None
) -> MaximumExtensionPeriod | None:
    """The maximum extension period that holds: of the limit, else of the country, else of the policy."""
    limit = conditions or NO_CONDITIONS
    return (
        limit.maximum_extension_period or conditions_for_country(terms, country).maximum_extension_period or terms.maximum_extension_period
    )


def overdue_notification_for(terms: PolicyTerms, country: str | None) -> OverdueNotification | None:
    """The time for notification that holds: of the country, else of the policy."""
    return conditions_for_country(terms, country).overdue_notification or terms.overdue_notification


def waiting_period_for(terms: PolicyTerms, country: str | None, cause: Cause) -> PeriodRule | None:
    """The waiting period of a cause of loss: of the country, else of the policy."""
    return conditions_for_country(terms, country).waiting_period.get(cause) or terms.waiting_period.get(cause)


def vat_covered_for(terms: PolicyTerms, country: str | None) -> bool:
    """Whether tax on the price is covered: as the country says, else as the policy says."""
    of_country = conditions_for_country(terms, country).vat_covered
    return terms.vat_covered if of_country is None else of_country


def grade_row_for(terms: PolicyTerms, grade: Grade | None) -> GradeRow | None:
    """The row of the grade cover for a buyer's grade; a buyer without grade is ``ungraded``."""
    wanted = UNGRADED if grade is None else grade
    return next((row for row in terms.grade_cover or () if wanted in row.grades), None)


def grade_percentage_for(terms: PolicyTerms, grade: Grade | None) -> Decimal | None:
    """The insured percentage for a grade: 0 for a grade in no row, None where the policy has no grade cover."""
    if terms.grade_cover is None:
        return None
    row = grade_row_for(terms, grade)
    return row.insured_percentage if row else Decimal(0)


def insured_percentage_for(
    terms: PolicyTerms,
    country: str | None,
    grade: Grade | None,
    conditions: LimitConditions | None = None,
    cause: Cause | None = None,
) -> tuple[Decimal, PercentageSource]:
    """The insured percentage that holds and where it comes from: limit, grade, country, cause or policy."""
    if conditions is not None and conditions.insured_percentage is not None:
        return conditions.insured_percentage, "limit"
    of_grade = grade_percentage_for(terms, grade)
    if of_grade is not None:
        return of_grade, "grade"
    percentage = terms.insured_percentage
    if country is not None and country in percentage.by_country:
        return percentage.by_country[country], "country"
    if cause is not None and cause in percentage.by_cause:
        return percentage.by_cause[cause], "cause"
    return percentage.default, "policy"


def conditions_for_limit_kind(terms: PolicyTerms, kind: LimitKind, conditions: LimitConditions | None = None) -> LimitConditions:
    """The conditions of a limit of this kind: its own, completed by the percentage the policy has for the kind."""
    own = conditions or NO_CONDITIONS
    if own.insured_percentage is None and kind in terms.insured_percentage_by_limit_kind:
        return replace(own, insured_percentage=terms.insured_percentage_by_limit_kind[kind])
    return own


def basis_of(terms: PolicyTerms, country: str | None, clause: str, conditions: LimitConditions | None = None) -> str:
    """The dotted name of the clause that decides: ``limit.…``, ``country_schedule.BR.…`` or ``policy.…``.

    ``clause`` is one of the four a country schedule can replace; a cause follows ``waiting_period`` after a dot.
    """
    name, _, cause = clause.partition(".")
    if conditions is not None and getattr(conditions, name, None) is not None:
        return f"limit.{clause}"
    of_country = getattr(conditions_for_country(terms, country), name, None)
    if (of_country is not None and not cause) or (cause and of_country and Cause(cause) in of_country):
        return f"country_schedule.{country}.{clause}"
    return f"policy.{clause}"


@dataclass(frozen=True, slots=True)
class DatedTerms:
    """One version of the terms of a policy and the day from which it holds."""

    effective_on: date
    terms: PolicyTerms


def terms_on(history: Sequence[DatedTerms], on: date) -> PolicyTerms:
    """The terms in force on a day; before the first version, the first. Errors: ``no_terms`` without any version.

    Of two versions from one day, the later in the list holds.
    """
    if not history:
        raise Refusal("no_terms")
    versions = sorted(history, key=lambda version: version.effective_on)
    current = versions[0]
    for version in versions:
        if version.effective_on <= on:
            current = version
    return current.terms


def with_all_reliefs(history: Sequence[DatedTerms]) -> tuple[DatedTerms, ...]:
    """The same versions, each with the dated reliefs of all: a relief holds by the last day it puts off, whichever version is in force."""
    reliefs = tuple({relief: None for version in history for relief in version.terms.reliefs})
    return tuple(replace(version, terms=replace(version.terms, reliefs=reliefs)) for version in history)


@dataclass(frozen=True, slots=True)
class PolicyCandidate:
    """A policy under which a sale might be insured; a lower priority comes first, then a lower key."""

    key: int
    priority: int
    history: tuple[DatedTerms, ...]


def is_country_covered(terms: PolicyTerms, country: str | None) -> bool:
    """True if buyers in this country can be insured; a policy without list covers all."""
    return terms.countries_covered is None or country in terms.countries_covered


def is_within_period(terms: PolicyTerms, on: date) -> bool:
    """True if the policy runs on this day; one without period always does."""
    return terms.period is None or terms.period.holds(on)


def choose_policy(candidates: Sequence[PolicyCandidate], country: str | None, shipment_on: date) -> PolicyCandidate | None:
    """The policy a shipment falls under.

    *Formula:* by priority, then key: the first whose period holds the day and which covers the country; else the first
    whose period holds the day; else the first.
    """
    ordered = sorted(candidates, key=lambda candidate: (candidate.priority, candidate.key))
    running = [candidate for candidate in ordered if is_within_period(terms_on(candidate.history, shipment_on), shipment_on)]
    covering = [candidate for candidate in running if is_country_covered(terms_on(candidate.history, shipment_on), country)]
    return next(iter(covering + running + ordered), None)

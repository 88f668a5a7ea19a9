"""Declarations to the insurer of what premium is charged on: for which periods, what counts, and how far each has come."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from insureflow.domain.buyers import NotInsurable
from insureflow.domain.errors import Refusal
from insureflow.domain.money import Money, split_minor
from insureflow.domain.obligations import ObligationKind, calculate_policy_obligations
from insureflow.domain.periods import add_days, add_months, last_day_of_month
from insureflow.domain.policies.terms import PolicyPeriod, PolicyTerms


class DeclarationStatus(StrEnum):
    """How far a declaration has come. What was declared stays as it is: a correction is a new version that takes its place."""

    DRAFT = "draft"
    APPROVED = "approved"
    DECLARED = "declared"
    SUPERSEDED = "superseded"


class DeclarationWay(StrEnum):
    """How a declaration reached the insurer."""

    PORTAL = "portal"
    EMAIL = "email"
    LETTER = "letter"


class DeclaredItem(StrEnum):
    """What one line of a declaration is about."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
    BALANCE = "balance"
    LIMIT = "limit"


class SalesCategory(StrEnum):
    """Sales that insurers leave out of insurable turnover. A policy names those it leaves out in ``premium.excluded_turnover``."""

    AFFILIATES = "affiliates"
    PRIVATE_PERSONS = "private_persons"
    PUBLIC_BUYERS = "public_buyers"
    NOT_INSURABLE = "not_insurable"
    UNCOVERED_COUNTRIES = "uncovered_countries"
    PREPAID = "prepaid"
    CASH = "cash"


_BY_BUYER = {
    NotInsurable.AFFILIATE: SalesCategory.AFFILIATES,
    NotInsurable.PRIVATE_PERSON: SalesCategory.PRIVATE_PERSONS,
    NotInsurable.PUBLIC_BUYER: SalesCategory.PUBLIC_BUYERS,
    NotInsurable.OTHER: SalesCategory.NOT_INSURABLE,
}


@dataclass(frozen=True, slots=True)
class PeriodToDeclare:
    """A period that the policy wants declared, by when. Both its days are within."""

    first_day: date
    last_day: date
    due_on: date

    @property
    def months(self) -> tuple[date, ...]:
        """The first days of the months in which it has a last day of a month, or its own last day."""
        found = [self.first_day.replace(day=1)]
        while last_day_of_month(found[-1]) < self.last_day:
            found.append(add_months(found[-1], 1))
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Advance:
    """One payment of the minimum premium in advance."""

    due_on: date
    amount: Money


def policy_years(period: PolicyPeriod) -> tuple[PolicyPeriod, ...]:
    """The years that premium is settled by: twelve months each from the first day of the policy; the last may be shorter."""
    found: list[PolicyPeriod] = []
    while not found or found[-1].last_day < period.last_day:
        start = add_months(period.first_day, 12 * len(found))
        found.append(PolicyPeriod(start, min(add_days(add_months(period.first_day, 12 * (len(found) + 1)), -1), period.last_day)))
    return tuple(found)


def periods_to_declare(terms: PolicyTerms) -> tuple[PeriodToDeclare, ...]:
    """The periods of a policy year that have to be declared, in order; none where the policy wants no declarations.

    *Formula:* cycles counted from the first day of the policy; due so many days after the last day of each. *Source:* duties calendar:
    declarations monthly (by the 15th), quarterly, yearly.
    """
    if terms.period is None:
        return ()
    found: list[PeriodToDeclare] = []
    start = terms.period.first_day
    for duty in calculate_policy_obligations(terms):
        if duty.kind is ObligationKind.DECLARE_TURNOVER and duty.subject is not None:
            end = date.fromisoformat(duty.subject)
            found.append(PeriodToDeclare(start, end, duty.due_on))
            start = add_days(end, 1)
    return tuple(found)


def category_of(
    buyer: NotInsurable | None,
    country: str,
    countries_covered: Collection[str] | None,
    *,
    is_natural_person: bool = False,
    is_prepaid: bool = False,
    is_cash: bool = False,
) -> SalesCategory | None:
    """What kind of sale this is, None for ordinary credit. Who the buyer is comes before where it is, and that before how it pays.

    *Source:* insurable turnover leaves out affiliates, private persons, public buyers, countries without cover, cash and prepaid sales.
    """
    if buyer is not None:
        return _BY_BUYER[buyer]
    if is_natural_person:
        return SalesCategory.PRIVATE_PERSONS
    if countries_covered is not None and country not in countries_covered:
        return SalesCategory.UNCOVERED_COUNTRIES
    if is_prepaid:
        return SalesCategory.PREPAID
    return SalesCategory.CASH if is_cash else None


def declared_part(full_minor: int, category: str | None, excluded: Collection[str], limit_minor: int | None = None) -> int:
    """What of an amount is declared: nothing of a category the policy leaves out; else all of it, or at most the limit where one caps it."""
    if category is not None and category in excluded:
        return 0
    return full_minor if limit_minor is None else min(full_minor, max(0, limit_minor))


def check_period_over(period: PeriodToDeclare, today: date) -> None:
    """Nothing, if the period is over. Errors: ``declaration_period_runs``."""
    if today <= period.last_day:
        raise Refusal("declaration_period_runs", last=period.last_day)


def check_approval(drafted_by: int | None, approver: int | None) -> None:
    """Nothing, if this person may approve. Errors: ``declaration_needs_a_person``, ``declaration_of_own``."""
    if approver is None:
        raise Refusal("declaration_needs_a_person")
    if approver == drafted_by:
        raise Refusal("declaration_of_own")


def check_status(status: DeclarationStatus, needed: DeclarationStatus) -> None:
    """Nothing, if a declaration has come as far as an act needs. Errors: ``declaration_not_so_far``."""
    if status is not needed:
        raise Refusal("declaration_not_so_far", status=status, needed=needed)


def advances(minimum: Money, instalments: int, period: PolicyPeriod) -> tuple[Advance, ...]:
    """The payments in advance over a policy year: equal parts at equal steps from its first day, together the minimum premium.

    *Formula:* minimum ÷ instalments, rounded so that nothing is lost; every 12 ÷ instalments months.
    """
    parts: Sequence[int] = split_minor(minimum.minor, (1,) * instalments)
    return tuple(
        Advance(add_months(period.first_day, 12 * number // instalments), Money(part, minimum.currency))
        for number, part in enumerate(parts)
    )

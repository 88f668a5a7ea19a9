"""The premium account of a policy year: estimated, least, in advance, declared, earned, and what is left to pay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, select

from insureflow.domain.declarations import Advance, DeclarationStatus, DeclaredItem, advances, periods_to_declare, policy_years
from insureflow.domain.errors import Refusal
from insureflow.domain.money import Money
from insureflow.domain.policies.terms import PolicyPeriod, PolicyTerms, Premium
from insureflow.domain.policies.vocabulary import PremiumBasis
from insureflow.domain.premium import (
    DeclaredBalance,
    DeclaredTurnover,
    MonthlyLimit,
    PremiumAccount,
    PremiumFacts,
    calculate_premium,
)
from insureflow.models.database import db
from insureflow.models.declarations import Declaration, DeclarationLine
from insureflow.models.policies import Policy
from insureflow.queries.cover.policies import InsurancePolicy, PolicyBook

#: The figures of an account in the order in which they follow from each other.
FIGURES = (
    "estimated_premium",
    "minimum_premium",
    "advance_per_instalment",
    "advances_total",
    "insurable_turnover",
    "earned_premium",
    "loss_ratio",
    "bonus_malus_adjustment",
    "final_premium",
    "balance_due",
    "maximum_liability",
)


@dataclass(frozen=True, slots=True)
class DueAdvance:
    """A payment in advance, and whether its day has come."""

    advance: Advance
    is_due: bool


@dataclass(frozen=True, slots=True)
class PremiumView:
    """The premium of a policy year as it stands on a day. ``account`` is None where the terms have no premium clause.

    ``declared`` are the declarations that count, by period; ``periods`` is how many the year has.
    """

    policy: InsurancePolicy
    year: PolicyPeriod
    years: tuple[PolicyPeriod, ...]
    terms: PolicyTerms
    account: PremiumAccount | None
    advances: tuple[DueAdvance, ...]
    declared: tuple[Declaration, ...]
    periods: int

    @property
    def advances_due(self) -> Money:
        """What of the minimum premium has fallen due."""
        return Money(sum(each.advance.amount.minor for each in self.advances if each.is_due), self.policy.currency)

    @property
    def is_minimum_unknown(self) -> bool:
        """Whether the minimum premium hangs on an estimate that the terms do not state."""
        premium = self.terms.premium
        return premium is not None and premium.minimum is not None and (self.account is None or self.account.minimum_premium is None)


def find_premium(policy_id: int, on: date, first_year: int | None = None) -> PremiumView | None:
    """The premium account of the policy year that begins in a calendar year, by default the one of a day; None without such a year.

    What was declared after the day does not count. Errors: ``InvalidValues`` for terms that cannot be read.
    """
    policy = PolicyBook.load().policies.get(policy_id)
    if policy is None or not policy.history:
        return None
    found = {
        year.first_day: year for dated in policy.history if dated.terms.period is not None for year in policy_years(dated.terms.period)
    }
    years = tuple(found[first_day] for first_day in sorted(found))
    year = _year(years, on, first_year)
    if year is None:
        return None
    own = policy.terms_on(max(min(on, year.last_day), policy.history[0].effective_on))
    periods = sum(1 for each in periods_to_declare(own) if year.holds(each.last_day))
    declared = _declared(policy_id, year, on)
    if own.premium is None:
        return PremiumView(policy, year, years, own, None, (), declared, periods)
    account = calculate_premium(own.premium, _facts(own.premium, declared), policy.currency, maximum_liability=own.maximum_liability)
    return PremiumView(policy, year, years, own, account, _advances(own.premium, account, year, on), declared, periods)


def premium_facts(view: PremiumView) -> dict[str, Any]:
    """The figures of a premium account by name, for faces that list them. Without a premium clause only the year and what is declared."""
    found: dict[str, Any] = {
        "policy_year_from": view.year.first_day,
        "policy_year_to": view.year.last_day,
        "declared_periods": len(view.declared),
        "periods_of_year": view.periods,
    }
    if view.account is not None:
        found |= {name: getattr(view.account, name) for name in FIGURES}
        found["advances_due"] = view.advances_due
    return found


def has_policy(policy_id: int) -> bool:
    """Whether there is such a policy, with or without a year of its own."""
    return db.session.scalar(select(Policy.id).where(Policy.id == policy_id)) is not None


def get_premium(policy_id: int, on: date, first_year: int | None = None) -> PremiumView:
    """The premium account of a policy year. Errors: ``premium_year_unknown``."""
    view = find_premium(policy_id, on, first_year)
    if view is None:
        raise Refusal("premium_year_unknown", year=on.year if first_year is None else first_year)
    return view


def _year(years: Sequence[PolicyPeriod], on: date, first_year: int | None) -> PolicyPeriod | None:
    if first_year is not None:
        return next((year for year in reversed(years) if year.first_day.year == first_year), None)
    return next((year for year in reversed(years) if year.holds(on)), years[-1] if years else None)


def _declared(policy_id: int, year: PolicyPeriod, on: date) -> tuple[Declaration, ...]:
    """The declarations of a year that count on a day: of each period the last version that was declared by then."""
    rows = db.session.scalars(
        select(Declaration)
        .where(
            Declaration.policy_id == policy_id,
            Declaration.period_from >= year.first_day,
            Declaration.period_to <= year.last_day,
            Declaration.status.in_((DeclarationStatus.DECLARED, DeclarationStatus.SUPERSEDED)),
            Declaration.declared_on <= on,
        )
        .order_by(Declaration.period_to, Declaration.version)
    )
    return tuple({row.period_to: row for row in rows}.values())


def _facts(premium: Premium, declared: Sequence[Declaration]) -> PremiumFacts:
    line = DeclarationLine
    rows = db.session.execute(
        select(
            line.declaration_id,
            line.item,
            line.category,
            line.dated_on,
            func.sum(line.full_minor).label("full_minor"),
            func.sum(line.declared_minor).label("declared_minor"),
        )
        .where(line.declaration_id.in_([each.id for each in declared]))
        .group_by(line.declaration_id, line.item, line.category, line.dated_on)
        .order_by(line.dated_on)
    ).all()
    turnover: dict[tuple[int, str | None], int] = {}
    balances: dict[date, list[int]] = {}
    limits: dict[date, int] = {}
    for row in rows:
        if row.item in {DeclaredItem.INVOICE, DeclaredItem.CREDIT_NOTE}:
            key = (row.declaration_id, None if row.category is None else row.category.value)
            turnover[key] = turnover.get(key, 0) + int(row.full_minor)
        elif row.item is DeclaredItem.BALANCE:
            if row.category is None or row.category.value not in premium.excluded_turnover:
                sums = balances.setdefault(row.dated_on, [0, 0])
                sums[0] += int(row.full_minor)
                sums[1] += int(row.declared_minor)
        else:
            month = row.dated_on.replace(day=1)
            limits[month] = limits.get(month, 0) + int(row.declared_minor)
    periods = {each.id: each.period_to.isoformat() for each in declared}
    empty = [] if turnover or premium.basis is not PremiumBasis.TURNOVER else [DeclaredTurnover(period, 0) for period in periods.values()]
    return PremiumFacts(
        estimated_turnover=premium.estimated_turnover,
        estimated_premium=premium.estimated_premium,
        declarations=[*(DeclaredTurnover(periods[key], minor, category) for (key, category), minor in turnover.items()), *empty],
        balances=[DeclaredBalance(on, full, part) for on, (full, part) in balances.items()],
        limits=[MonthlyLimit(month, minor) for month, minor in limits.items()],
    )


def _advances(premium: Premium, account: PremiumAccount, year: PolicyPeriod, on: date) -> tuple[DueAdvance, ...]:
    if account.minimum_premium is None or premium.advance_instalments is None:
        return ()
    found = advances(account.minimum_premium, premium.advance_instalments, year)
    return tuple(DueAdvance(each, each.due_on <= on) for each in found)

"""Exposure of a portfolio as of any day, divided by whatever a page asks, added up by the database.

Everything rests on the positions of invoices, so past and future days are answered like today. Amounts are kept in limit
currency (without a policy: the invoice's currency). The database turns each account's receivables of one currency, entity and age
into the reporting currency by itself and rounds them there, as ``Reporting`` says; so all divisions agree to the cent, and what
comes back is as small as the division, however many invoices there are.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Subquery,
    case,
    cast,
    func,
    select,
)

from insureflow.models.buyers import Buyer
from insureflow.models.cover import AccountState, Exposure, InvoicePosition
from insureflow.models.database import db
from insureflow.models.limits import SharedUse
from insureflow.queries.cover.sharing import is_counted_elsewhere
from insureflow.queries.exposure.reporting import Amounts, Reporting


@dataclass(frozen=True, slots=True)
class Portfolio:
    """What a page looks at: the day, and the entity, policy, country or buyer it is narrowed to.

    With ``today``, the business date, sums by account of that day and later ones come from the summaries, which are the same.
    """

    on: date
    entity_id: int | None = None
    policy_id: int | None = None
    country: str | None = None
    buyer_id: int | None = None
    today: date | None = None

    @property
    def is_summarised(self) -> bool:
        """True if the summaries can answer for accounts as a whole."""
        return self.today is not None and self.on >= self.today and self.entity_id is None


class Division(StrEnum):
    """What a portfolio can be divided by."""

    WHOLE = "whole"
    COUNTRY = "country"
    POLICY = "policy"
    ENTITY = "entity"
    CURRENCY = "currency"
    BUYER = "buyer"
    AGE = "age"


@dataclass(frozen=True, slots=True)
class AgeBand:
    """Days past due from ``first`` to ``last``, both included; None is without end."""

    key: str
    first: int | None
    last: int | None

    def due_days(self, on: date) -> tuple[date | None, date | None]:
        """The first and the last due day of the invoices in the band on a day."""
        return (
            None if self.last is None else on - timedelta(days=self.last),
            None if self.first is None else on - timedelta(days=self.first),
        )


#: *Formula:* days past due = day − due date; due today is not yet late.
AGE_BANDS = (
    AgeBand("not_due", None, 0),
    AgeBand("late_1_30", 1, 30),
    AgeBand("late_31_60", 31, 60),
    AgeBand("late_61_90", 61, 90),
    AgeBand("late_91_180", 91, 180),
    AgeBand("late_over_180", 181, None),
)


@dataclass(slots=True)
class PortfolioPart:
    """Sums of one part of a portfolio.

    ``ledger`` is by the ledger's own allocation in invoice currencies; everything else by the policies' allocation in limit
    currencies. ``stopped`` is what lost its cover by a stop, an extension or a late notification. ``liability`` is the insurer's:
    covered × insured percentage ÷ 100, rounded once for each buyer, policy and invoice currency.
    """

    key: Any
    label: str | None = None
    invoices: int = 0
    ledger: Amounts = field(default_factory=Amounts)
    open: Amounts = field(default_factory=Amounts)
    covered: Amounts = field(default_factory=Amounts)
    stopped: Amounts = field(default_factory=Amounts)
    liability: Amounts = field(default_factory=Amounts)


def narrowed(statement: Any, portfolio: Portfolio) -> Any:
    """Positions as they stand at the end of the portfolio's day; with their buyers where a country is asked for."""
    statement = statement.select_from(InvoicePosition).where(
        InvoicePosition.valid_from <= portfolio.on, InvoicePosition.valid_to > portfolio.on
    )
    if portfolio.entity_id is not None:
        statement = statement.where(InvoicePosition.entity_id == portfolio.entity_id)
    if portfolio.policy_id is not None:
        statement = statement.where(InvoicePosition.policy_id == portfolio.policy_id)
    if portfolio.country is not None:
        statement = statement.join(Buyer, Buyer.id == InvoicePosition.buyer_id).where(Buyer.country == portfolio.country)
    if portfolio.buyer_id is not None:
        statement = statement.where(InvoicePosition.buyer_id == portfolio.buyer_id)
    return statement


def added(expression: Any) -> ColumnElement[int]:
    """The sum of an amount, as a whole number on both databases."""
    return cast(func.sum(expression), BigInteger)


def account_sums(portfolio: Portfolio) -> Subquery:
    """What is ``open``, ``covered`` and ``over_limit`` of each account."""
    position = InvoicePosition
    model: Any = Exposure if portfolio.is_summarised else position
    covered = Exposure.covered_minor if portfolio.is_summarised else position.primary_minor + position.top_up_minor
    keys, amounts = (model.buyer_id, model.policy_id), (model.open_minor, covered, model.over_limit_minor)
    columns = [added(amount).label(name) for name, amount in zip(("open", "covered", "over_limit"), amounts, strict=True)]
    statement = select(keys[0].label("buyer_id"), keys[1].label("policy_id"), *columns)
    if portfolio.is_summarised:
        statement = statement.where(Exposure.valid_from <= portfolio.on, Exposure.valid_to > portfolio.on)
        if portfolio.policy_id is not None:
            statement = statement.where(Exposure.policy_id == portfolio.policy_id)
        if portfolio.buyer_id is not None:
            statement = statement.where(Exposure.buyer_id == portfolio.buyer_id)
        if portfolio.country is not None:
            statement = statement.join(Buyer, Buyer.id == Exposure.buyer_id).where(Buyer.country == portfolio.country)
    else:
        statement = narrowed(statement, portfolio)
    return statement.group_by(*keys).subquery()


def age_band(on: date) -> ColumnElement[str]:
    """The band of the age of a position's invoice on a day."""
    arms = []
    for band in AGE_BANDS[:-1]:
        first, _last = band.due_days(on)
        arms.append((InvoicePosition.due_on >= first, band.key))
    return case(*arms, else_=AGE_BANDS[-1].key)


def headroom(portfolio: Portfolio, report: Reporting) -> Amounts:
    """What could still be shipped under the limits in force, by limit currency.

    *Formula:* Σ over accounts and layers of max(0, limit − reserved by disputes − covered − what others use of a shared limit); nothing
    where cover is stopped. What is left of a shared limit counts once, with the first of its buyers. Limits belong to a buyer under a
    policy, so the entity a page is narrowed to does not change them.
    """
    whole = replace(portfolio, entity_id=None)
    used = account_sums(whole)
    keys = (InvoicePosition.buyer_id.label("buyer_id"), InvoicePosition.policy_id.label("policy_id"))
    in_top_up = narrowed(select(*keys, added(InvoicePosition.top_up_minor).label("minor")), whole).where(InvoicePosition.top_up_minor > 0)
    top_up = in_top_up.group_by(*keys).subquery()
    state, taken = AccountState, SharedUse
    used_top_up = func.coalesce(top_up.c.minor, 0)
    free_primary = state.limit_primary_minor - state.reserved_primary_minor - (func.coalesce(used.c.covered, 0) - used_top_up)
    free_primary -= func.coalesce(taken.taken_minor, 0)
    if portfolio.buyer_id is None:
        free_primary = case((is_counted_elsewhere(state.buyer_id, state.policy_id, portfolio.on), 0), else_=free_primary)
    free_top_up = state.limit_top_up_minor - state.reserved_top_up_minor - used_top_up
    free = case((free_primary > 0, free_primary), else_=0) + case((free_top_up > 0, free_top_up), else_=0)
    statement = (
        select(state.limit_currency, func.sum(free).label("free_"))
        .select_from(state)
        .join(Buyer, Buyer.id == state.buyer_id)
        .outerjoin(used, (used.c.buyer_id == state.buyer_id) & (used.c.policy_id == state.policy_id))
        .outerjoin(top_up, (top_up.c.buyer_id == state.buyer_id) & (top_up.c.policy_id == state.policy_id))
        .outerjoin(
            taken,
            (taken.buyer_id == state.buyer_id)
            & (taken.policy_id == state.policy_id)
            & (taken.valid_from <= portfolio.on)
            & (taken.valid_to > portfolio.on),
        )
        .where(state.valid_from <= portfolio.on, state.valid_to > portfolio.on, state.stopped.is_(False))
        .group_by(state.limit_currency)
    )
    if portfolio.policy_id is not None:
        statement = statement.where(state.policy_id == portfolio.policy_id)
    if portfolio.country is not None:
        statement = statement.where(Buyer.country == portfolio.country)
    if portfolio.buyer_id is not None:
        statement = statement.where(state.buyer_id == portfolio.buyer_id)
    free_there = Amounts()
    for row in db.session.execute(statement):
        minor = int(row.free_ or 0)
        free_there.add(row.limit_currency, minor, report.converted(minor, row.limit_currency))
    return free_there

"""Exposure of a portfolio as of any day, divided by whatever a page asks, added up by the database.

Everything rests on the positions of invoices, so past and future days are answered like today. Amounts are kept in limit
currency (without a policy: the invoice's currency), in small parts, until ``Reporting`` turns each part into the reporting currency.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Any

from sqlalchemy import ColumnElement, case, func, select

from insureflow.domain.money import round_half_up
from insureflow.models.buyers import Buyer
from insureflow.models.cover import AccountState, InvoicePosition
from insureflow.models.database import db
from insureflow.models.receivables import Invoice
from insureflow.queries.cover.policies import PolicyBook

#: The smallest part that is turned into another currency: an account's receivables of one currency, entity and age.
#: Its first member is the currency of the amounts.
Atom = tuple[Any, ...]

#: Minor units by atom. Every division of a portfolio adds up the same atoms, so their sums agree to the cent.
Amounts = dict[Atom, int]

#: Reasons for which cover was stopped or lost: they stand apart from what never was covered.
STOPPED_REASONS = frozenset({"shipped_while_stopped", "extended_without_consent", "notified_late"})


@dataclass(frozen=True, slots=True)
class Portfolio:
    """What a page looks at: the day, and the entity, policy, country or buyer it is narrowed to."""

    on: date
    entity_id: int | None = None
    policy_id: int | None = None
    country: str | None = None
    buyer_id: int | None = None


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
    """Sums of one part of a portfolio, by atom.

    ``ledger`` is by the ledger's own allocation in invoice currencies; everything else by the policies' allocation in limit
    currencies. ``liability`` is exact and by limit currency, buyer, policy and invoice currency, as it is rounded:
    covered × insured percentage ÷ 100.
    """

    key: Any
    label: str | None = None
    invoices: int = 0
    ledger: Amounts = field(default_factory=dict)
    open: Amounts = field(default_factory=dict)
    covered: Amounts = field(default_factory=dict)
    reasons: dict[str, Amounts] = field(default_factory=dict)
    liability: dict[Atom, Fraction] = field(default_factory=dict)

    @property
    def uncovered(self) -> Amounts:
        """What is open and not covered."""
        return {atom: minor - self.covered.get(atom, 0) for atom, minor in self.open.items()}

    @property
    def stopped(self) -> Amounts:
        """What lost its cover by a stop, an extension or a late notification."""
        lost: Amounts = {}
        for reason in STOPPED_REASONS & self.reasons.keys():
            _add(lost, self.reasons[reason])
        return lost

    @property
    def rounded_liability(self) -> Amounts:
        """The insurer's liability, rounded once for each buyer, policy and invoice currency."""
        return {atom: round_half_up(exact) for atom, exact in self.liability.items()}


def by_currency(amounts: Mapping[Atom, int]) -> dict[str, int]:
    """The same amounts added up by their currency."""
    sums: dict[str, int] = {}
    for atom, minor in amounts.items():
        sums[atom[0]] = sums.get(atom[0], 0) + minor
    return sums


def _add(sums: Amounts, more: Mapping[Atom, int]) -> None:
    for atom, minor in more.items():
        sums[atom] = sums.get(atom, 0) + minor


def narrowed(statement: Any, portfolio: Portfolio) -> Any:
    """Positions with their invoices and buyers, as they stand at the end of the portfolio's day."""
    statement = (
        statement.select_from(InvoicePosition)
        .join(Invoice, Invoice.id == InvoicePosition.invoice_id)
        .join(Buyer, Buyer.id == InvoicePosition.buyer_id)
        .where(InvoicePosition.valid_from <= portfolio.on, InvoicePosition.valid_to > portfolio.on)
    )
    if portfolio.entity_id is not None:
        statement = statement.where(Invoice.entity_id == portfolio.entity_id)
    if portfolio.policy_id is not None:
        statement = statement.where(InvoicePosition.policy_id == portfolio.policy_id)
    if portfolio.country is not None:
        statement = statement.where(Buyer.country == portfolio.country)
    if portfolio.buyer_id is not None:
        statement = statement.where(InvoicePosition.buyer_id == portfolio.buyer_id)
    return statement


def age_band(on: date) -> ColumnElement[str]:
    """The band of an invoice's age on a day."""
    arms = []
    for band in AGE_BANDS[:-1]:
        first, _last = band.due_days(on)
        arms.append((Invoice.due_on >= first, band.key))
    return case(*arms, else_=AGE_BANDS[-1].key)


def _dimension(division: Division, on: date) -> tuple[ColumnElement[Any], ColumnElement[Any] | None]:
    """What is grouped by, and what names a group."""
    match division:
        case Division.WHOLE:
            return InvoicePosition.organisation_id.expression, None
        case Division.COUNTRY:
            return Buyer.country.expression, None
        case Division.POLICY:
            return InvoicePosition.policy_id.expression, None
        case Division.ENTITY:
            return Invoice.entity_id.expression, None
        case Division.CURRENCY:
            return InvoicePosition.currency.expression, None
        case Division.BUYER:
            return Buyer.id.expression, Buyer.legal_name.expression
        case Division.AGE:
            return age_band(on), None


def divide(portfolio: Portfolio, division: Division, book: PolicyBook | None = None) -> list[PortfolioPart]:
    """The portfolio divided, in no particular order; parts with nothing open are absent."""
    dimension, name = _dimension(division, portfolio.on)
    columns: list[ColumnElement[Any]] = [
        InvoicePosition.buyer_id.expression,
        InvoicePosition.policy_id.expression,
        InvoicePosition.currency.expression,
        InvoicePosition.limit_currency.expression,
        InvoicePosition.excluded_reason.expression,
        InvoicePosition.insured_percentage.expression,
        Invoice.entity_id.expression,
        age_band(portfolio.on),
    ]
    grouped = [dimension, *([] if name is None else [name]), *columns]
    sums = [
        func.count(InvoicePosition.id).label("invoices_"),
        *(
            func.sum(column).label(label)
            for label, column in (
                ("ledger_", InvoicePosition.ledger_open_minor),
                ("open_", InvoicePosition.open_minor),
                ("primary_", InvoicePosition.primary_minor),
                ("top_up_", InvoicePosition.top_up_minor),
                ("excluded_", InvoicePosition.excluded_minor),
                ("vat_", InvoicePosition.vat_minor),
                ("disputed_", InvoicePosition.disputed_minor),
                ("over_limit_", InvoicePosition.over_limit_minor),
            )
        ),
    ]
    statement = narrowed(
        select(
            dimension.label("key_"),
            *([] if name is None else [name.label("name_")]),
            *(
                column.label(label)
                for column, label in zip(
                    columns, ("buyer_", "policy_", "currency_", "limit_", "reason_", "percentage_", "entity_", "age_"), strict=True
                )
            ),
            *sums,
        ),
        portfolio,
    ).group_by(*grouped)
    found: dict[Any, PortfolioPart] = {}
    for row in db.session.execute(statement).mappings():
        part = found.setdefault(row["key_"], PortfolioPart(row["key_"], row["name_"] if name is not None else None))
        _take(part, row)
    _add_top_up(found, portfolio, dimension, book)
    return list(found.values())


def _take(part: PortfolioPart, row: Any) -> None:
    limit, percentage = row["limit_"], row["percentage_"]
    account = (limit, row["buyer_"], row["policy_"], row["currency_"])
    atom = (*account, row["entity_"], row["age_"])
    covered = int(row["primary_"]) + int(row["top_up_"])
    part.invoices += int(row["invoices_"])
    _add(part.ledger, {(row["currency_"], *atom): int(row["ledger_"])})
    _add(part.open, {atom: int(row["open_"])})
    _add(part.covered, {atom: covered})
    if covered and percentage is not None:
        part.liability[account] = part.liability.get(account, Fraction(0)) + Fraction(percentage) * covered / 100
    for reason, label in (
        (row["reason_"], "excluded_"),
        ("vat_not_covered", "vat_"),
        ("disputed", "disputed_"),
        ("over_limit", "over_limit_"),
    ):
        if reason is not None and int(row[label]):
            _add(part.reasons.setdefault(reason, {}), {atom: int(row[label])})


def _add_top_up(found: Mapping[Any, PortfolioPart], portfolio: Portfolio, dimension: ColumnElement[Any], book: PolicyBook | None) -> None:
    """Correct the liability where a policy gives its top-up layer an insured percentage of its own."""
    book = book or PolicyBook.load()
    own = {policy.id for policy in book.policies.values() if policy.has_top_up_percentage}
    if not own:
        return
    columns = (
        InvoicePosition.buyer_id,
        InvoicePosition.policy_id,
        InvoicePosition.currency,
        InvoicePosition.limit_currency,
        InvoicePosition.insured_percentage,
        Invoice.shipment_on,
    )
    statement = (
        narrowed(select(dimension.label("key_"), *columns, func.sum(InvoicePosition.top_up_minor).label("top_up_")), portfolio)
        .where(InvoicePosition.policy_id.in_(own), InvoicePosition.top_up_minor > 0)
        .group_by(dimension, *columns)
    )
    for row in db.session.execute(statement):
        percentage = book.policies[row.policy_id].top_up_percentage_on(row.shipment_on)
        if percentage is not None:
            difference = Fraction(percentage) - Fraction(row.insured_percentage or Decimal(0))
            liability = found[row.key_].liability
            account = (row.limit_currency, row.buyer_id, row.policy_id, row.currency)
            liability[account] = liability.get(account, Fraction(0)) + difference * int(row.top_up_) / 100


def headroom(portfolio: Portfolio) -> Amounts:
    """What could still be shipped under the limits in force, by limit currency.

    *Formula:* Σ over accounts and layers of max(0, limit − reserved by disputes − covered); nothing where cover is stopped. Limits
    belong to a buyer under a policy, so the entity a page is narrowed to does not change them.
    """
    whole = Portfolio(portfolio.on, None, portfolio.policy_id, portfolio.country, portfolio.buyer_id)
    used = (
        narrowed(
            select(
                InvoicePosition.buyer_id.label("buyer_id"),
                InvoicePosition.policy_id.label("policy_id"),
                func.sum(InvoicePosition.primary_minor).label("in_primary"),
                func.sum(InvoicePosition.top_up_minor).label("in_top_up"),
            ),
            whole,
        )
        .group_by(InvoicePosition.buyer_id, InvoicePosition.policy_id)
        .subquery()
    )
    state = AccountState
    free_primary = state.limit_primary_minor - state.reserved_primary_minor - func.coalesce(used.c.in_primary, 0)
    free_top_up = state.limit_top_up_minor - state.reserved_top_up_minor - func.coalesce(used.c.in_top_up, 0)
    free = case((free_primary > 0, free_primary), else_=0) + case((free_top_up > 0, free_top_up), else_=0)
    statement = (
        select(state.limit_currency, func.sum(free).label("free_"))
        .select_from(state)
        .join(Buyer, Buyer.id == state.buyer_id)
        .outerjoin(used, (used.c.buyer_id == state.buyer_id) & (used.c.policy_id == state.policy_id))
        .where(state.valid_from <= portfolio.on, state.valid_to > portfolio.on, state.stopped.is_(False))
        .group_by(state.limit_currency)
    )
    if portfolio.policy_id is not None:
        statement = statement.where(state.policy_id == portfolio.policy_id)
    if portfolio.country is not None:
        statement = statement.where(Buyer.country == portfolio.country)
    if portfolio.buyer_id is not None:
        statement = statement.where(state.buyer_id == portfolio.buyer_id)
    return {(row.limit_currency,): int(row.free_ or 0) for row in db.session.execute(statement)}

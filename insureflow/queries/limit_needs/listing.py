"""How much limit buyers need, against what was asked for, granted and used: worked out by the database for all of them at once.

*Formula:* need = the higher of turnover × terms ÷ 365 × seasonality and the highest month-end balance, both of the twelve months
up to the day. Turnover counts invoices with what of their tax is covered, in limit currency at their own rate.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Numeric,
    Select,
    String,
    Subquery,
    and_,
    case,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    type_coerce,
    union_all,
)
from sqlalchemy.orm import aliased

from insureflow.domain.buyers import search_name
from insureflow.domain.cover.events import Layer
from insureflow.domain.limits import (
    DAYS_IN_MONTH,
    DAYS_IN_YEAR,
    KIND_IN_TERMS,
)
from insureflow.domain.money import EXPONENTS
from insureflow.domain.periods import add_months
from insureflow.models.base import vocabulary
from insureflow.models.buyers import Buyer
from insureflow.models.connections import LimitFee
from insureflow.models.cover import AccountState, InvoicePosition
from insureflow.models.database import db
from insureflow.models.limits import LimitDecision
from insureflow.models.policies import Policy
from insureflow.models.receivables import Invoice
from insureflow.queries.cover.policies import PolicyBook
from insureflow.queries.limits.situations import newest_key, ordinary_key, words_on
from insureflow.queries.listing import Field, FilterKind, Kind, Listing, Narrowing, Order, Page

#: Months that are looked back.
MONTHS = 12

#: By how much a limit may exceed the need before it is too much, in percent.
TOLERANCE = 10


class NeedStanding(StrEnum):
    """How a limit in force compares with the need."""

    UNDER_ASKED = "under_asked"
    FITTING = "fitting"
    OVER_ASKED = "over_asked"
    UNUSED = "unused"


_STANDING = vocabulary(NeedStanding, "need_standing")


def _greatest(*amounts: Any) -> ColumnElement[int]:
    """The greatest of several amounts, by the name each database has for it."""
    of_database = func.greatest if db.engine.dialect.name == "postgresql" else func.max
    return type_coerce(of_database(*amounts), BigInteger)


def _days_between(earlier: Any, later: Any) -> ColumnElement[int]:
    if db.engine.dialect.name == "postgresql":
        return type_coerce(later - earlier, BigInteger)
    return cast(func.julianday(later) - func.julianday(earlier), BigInteger)


def _digits(currency: Any) -> ColumnElement[int]:
    """Ten to the power of a currency's decimals."""
    arms = [
        (currency.in_([code for code, digits in EXPONENTS.items() if digits == wanted]), 10**wanted)
        for wanted in sorted(set(EXPONENTS.values()))
    ]
    return case(*arms, else_=100)


def _value(taxed: Collection[int]) -> ColumnElement[int]:
    """What an invoice adds to turnover, in limit currency; with its tax under policies that cover tax."""
    amount = Invoice.net_minor + case((Invoice.policy_id.in_(sorted(taxed)), Invoice.vat_minor), else_=0) if taxed else Invoice.net_minor
    converted = amount * cast(Invoice.rate, Numeric(30, 15)) * _digits(Policy.limit_currency) / _digits(Invoice.currency)
    return case((Invoice.currency == Policy.limit_currency, amount), else_=cast(func.round(converted), BigInteger))


def turnover_of(on: date, taxed: Collection[int], account: tuple[int, int] | None = None) -> Subquery:
    """Turnover by buyer and policy, with the average terms in days and what of it is of the newest months, added up.

    ``since_0`` is the newest month alone, ``since_1`` the newest two; all twelve are ``turnover``.
    """
    value = _value(taxed)
    bounds = [add_months(on, -month) for month in range(MONTHS + 1)]
    # the offset keeps the value of an invoice in one place: else a database works it out anew for each of the sums over it
    each = (
        select(
            Invoice.policy_id.label("policy_id"),
            Invoice.buyer_id.label("buyer_id"),
            Invoice.invoice_on.label("invoice_on"),
            value.label("value"),
            _days_between(Invoice.invoice_on, Invoice.original_due_on).label("days"),
        )
        .join(Policy, Policy.id == Invoice.policy_id)
        .where(Invoice.invoice_on > bounds[-1], Invoice.invoice_on <= on)
    )
    if account is not None:
        each = each.where(Invoice.policy_id == account[0], Invoice.buyer_id == account[1])
    rows = each.offset(0).subquery("invoiced").c
    since = [
        cast(func.sum(case((rows.invoice_on > bounds[month + 1], rows.value), else_=0)), BigInteger).label(f"since_{month}")
        for month in range(MONTHS - 1)
    ]
    total = cast(func.sum(rows.value), BigInteger)
    days = cast(func.sum(rows.value * case((rows.days > 0, rows.days), else_=0)), BigInteger)
    terms = case((total > 0, (days + total // 2) // func.nullif(total, 0)), else_=0)
    return (
        select(rows.policy_id, rows.buyer_id, total.label("turnover"), cast(terms, BigInteger).label("terms"), *since)
        .group_by(rows.policy_id, rows.buyer_id)
        .subquery("turnover")
    )


def _highest_in_a_row(turnover: Any, length: int) -> ColumnElement[int]:
    """The highest turnover of so many months in a row; the year goes round."""
    if length >= MONTHS:
        whole: ColumnElement[int] = turnover.turnover
        return whole
    # a sum of months is the difference of two sums from the newest month on: two terms, however many months
    since = [literal(0, BigInteger), *(turnover[f"since_{month}"] for month in range(MONTHS - 1)), turnover.turnover]
    sums = []
    for start in range(MONTHS):
        end = start + length
        sums.append(since[end] - since[start] if end <= MONTHS else since[MONTHS] - since[start] + since[end - MONTHS])
    return _greatest(*sums)


def _from_turnover(turnover: Any) -> ColumnElement[int]:
    """*Formula:* turnover × terms ÷ 365 × seasonality = highest months in a row × 12 × terms ÷ (365 × those months)."""
    arms = []
    for length in range(1, MONTHS + 1):
        divisor = DAYS_IN_YEAR * length
        exact = _highest_in_a_row(turnover, length) * MONTHS * turnover.terms
        rounded = (exact * 2 + divisor) // (divisor * 2)
        arms.append((turnover.terms <= length * DAYS_IN_MONTH, rounded) if length < MONTHS else (turnover.terms > 0, rounded))
    return cast(case(*arms, else_=0), BigInteger)


def _peaks(on: date) -> Subquery:
    """The highest balance of each account on the day and on the same day of the months before, and the most that was used of limits."""
    position = InvoicePosition
    days = [add_months(on, -month) for month in range(MONTHS + 1)]

    def on_day(day: date, amount: Any) -> ColumnElement[int]:
        alive = and_(position.valid_from <= day, position.valid_to > day)
        return func.coalesce(func.sum(amount).filter(alive), 0)

    covered = position.primary_minor + position.top_up_minor
    return (
        select(
            position.policy_id,
            position.buyer_id,
            cast(_greatest(*(on_day(day, position.open_minor) for day in days)), BigInteger).label("balance"),
            cast(_greatest(*(on_day(day, covered) for day in days)), BigInteger).label("used"),
            cast(on_day(on, position.open_minor), BigInteger).label("owed"),
        )
        .where(position.policy_id.is_not(None), position.valid_to > days[-1], position.valid_from <= on)
        .group_by(position.policy_id, position.buyer_id)
        .subquery("peaks")
    )


#: What is known of an account, with its type, by the readings that know it.
_ACCOUNT: dict[str, Any] = {
    "limit": BigInteger(),
    "ordinary": BigInteger(),
    "newest": BigInteger(),
    "turnover": BigInteger(),
    "terms": BigInteger(),
    "need": BigInteger(),
    "balance": BigInteger(),
    "used": BigInteger(),
    "owed": BigInteger(),
    "said": BigInteger(),
}


def _reading(source: Any, **known: Any) -> Select[Any]:
    """What one reading knows about accounts; it says nothing about the other columns."""
    columns = [known.get(name, cast(null(), kind)).label(name) for name, kind in _ACCOUNT.items()]
    return select(source.policy_id, source.buyer_id, *columns)


def _accounts(on: date) -> CTE:
    """Every account that anything was said about, or that owes, with its limit, its turnover and its highest balances; one row each.

    The readings are added up, not joined: a database that takes a sum for small compares each row of one with each of the other.
    """
    words, turnover, peaks, state = words_on(on).c, turnover_of(on, policies_with_tax(on)).c, _peaks(on).c, AccountState
    readings = union_all(
        _reading(words, ordinary=words.ordinary, newest=words.newest, said=words.said).where(words.layer == Layer.PRIMARY),
        _reading(state, limit=state.limit_primary_minor).where(state.valid_from <= on, state.valid_to > on),
        _reading(turnover, turnover=turnover.turnover, terms=turnover.terms, need=_from_turnover(turnover)),
        _reading(peaks, balance=peaks.balance, used=peaks.used, owed=peaks.owed),
    ).subquery("readings")
    reading = readings.c
    columns = [func.max(reading[name]).label(name) for name in _ACCOUNT if name not in ("said", "owed")]
    return (
        select(reading.policy_id, reading.buyer_id, *columns)
        .group_by(reading.policy_id, reading.buyer_id)
        .having(or_(func.max(reading.said) == 1, func.max(reading.owed) > 0))
        .cte("accounts")
        # PostgreSQL takes what is left after a filter for next to nothing and would work the whole out again and again
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )


def policies_with_tax(on: date) -> list[int]:
    """The policies that cover tax on a day."""
    return [policy.id for policy in PolicyBook.load().policies.values() if policy.history and policy.terms_on(on).vat_covered]


class _CountedListing(Listing):
    """A list that is worked out once for a page and for its count: nothing is added up."""

    def page(self, narrowing: Narrowing, order: Order | None, number: int, size: int) -> Page:
        """A page of the list, see ``Listing``; the count comes with its rows."""
        statement = self._ordered(self._narrow(self.source(select(*self._columns(), func.count().over().label("rows_"))), narrowing), order)
        rows = db.session.execute(statement.limit(size).offset((number - 1) * size)).mappings().all()
        if not rows and number > 1:
            return super().page(narrowing, order, number, size)
        return Page([self._row(row) for row in rows], int(rows[0]["rows_"]) if rows else 0, {})


def _fee_by_terms(decision: Any, limit: ColumnElement[int], on: date) -> ColumnElement[int | None]:
    """What the terms of the policies say one limit of a kind costs a year, in policy currency."""
    arms = []
    for policy in PolicyBook.load().policies.values():
        fees = policy.terms_on(on).limit_fees if policy.history else {}
        for kind, word in KIND_IN_TERMS.items():
            if word in fees:
                arms.append((and_(limit > 0, Policy.id == policy.id, decision.kind == kind), literal(fees[word], BigInteger)))
    return case(*arms, else_=null()) if arms else cast(null(), BigInteger)


def needs_listing(on: date, *, policy_id: int | None = None, entity_policies: frozenset[int] | None = None) -> Listing:
    """The need of every account against what was asked for, granted and used, the largest gap first."""
    accounts = _accounts(on)
    known = accounts.c
    ordinary, newest = aliased(LimitDecision, name="ordinary"), aliased(LimitDecision, name="newest")
    currency = Policy.limit_currency.expression
    balance, used = func.coalesce(known.balance, 0), func.coalesce(known.used, 0)
    need = _greatest(func.coalesce(known.need, 0), balance)
    limit = func.coalesce(known.limit, 0)
    fee = _fee_by_terms(ordinary, limit, on)
    is_old = ordinary.decided_on <= add_months(on, -MONTHS)
    standing = type_coerce(
        case(
            (and_(limit > 0, used == 0, balance == 0, is_old), NeedStanding.UNUSED.value),
            (limit < need, NeedStanding.UNDER_ASKED.value),
            (limit * 100 > need * (100 + TOLERANCE), NeedStanding.OVER_ASKED.value),
            else_=NeedStanding.FITTING.value,
        ),
        _STANDING,
    )
    fields = (
        Field("buyer", Buyer.legal_name.expression, search=Buyer.search_name + " " + Buyer.legal_name, sort=Buyer.search_name.expression),
        Field("country", Buyer.country.expression, Kind.COUNTRY, filter=FilterKind.SELECT),
        Field("policy", Policy.number.expression, search=Policy.number.expression, filter=FilterKind.SELECT),
        Field("standing", standing, Kind.BADGE, filter=FilterKind.SELECT),
        Field("currency", currency, filter=FilterKind.SELECT),
        Field("need", need, Kind.MONEY, currency=currency, filter=FilterKind.AMOUNT_RANGE),
        Field("requested", newest.requested_minor, Kind.MONEY, currency=newest.currency),
        Field("limit", limit, Kind.MONEY, currency=currency),
        Field("gap", need - limit, Kind.MONEY, currency=currency),
        Field("used", used, Kind.MONEY, currency=currency),
        Field("balance", balance, Kind.MONEY, currency=currency),
        Field("turnover", func.coalesce(known.turnover, 0), Kind.MONEY, currency=currency),
        Field("terms", known.terms, Kind.NUMBER),
        Field(
            "fee",
            func.coalesce(fee, LimitFee.fee_minor),
            Kind.MONEY,
            currency=case((fee.is_not(None), Policy.currency), else_=LimitFee.currency),
        ),
        Field("buyer_id", Buyer.id.expression, Kind.NUMBER, hidden=True),
        Field("policy_id", known.policy_id, Kind.NUMBER, hidden=True),
    )

    def source(statement: Select[Any]) -> Select[Any]:
        statement = (
            statement.select_from(Buyer)
            .join(accounts, known.buyer_id == Buyer.id)
            .join(Policy, Policy.id == known.policy_id)
            .outerjoin(ordinary, ordinary.id == ordinary_key(known))
            .outerjoin(newest, newest.id == newest_key(known))
            .outerjoin(LimitFee, and_(LimitFee.policy_id == known.policy_id, LimitFee.kind == cast(ordinary.kind, String), limit > 0))
        )
        if policy_id is not None:
            statement = statement.where(known.policy_id == policy_id)
        if entity_policies is not None:
            statement = statement.where(known.policy_id.in_(sorted(entity_policies)))
        return statement

    row_key = cast(Buyer.id, String) + literal("-") + cast(known.policy_id, String)
    return _CountedListing("limit-needs", fields, source, key=row_key, order=Order("gap", descending=True), normalise=search_name)

"""Exposure of a portfolio as of any day, divided by whatever a page asks, added up by the database.

Everything rests on the positions of invoices, so past and future days are answered like today. Amounts are kept in limit
currency (without a policy: the invoice's currency). The database turns each account's receivables of one currency, entity and age
into the reporting currency by itself and rounds them there, as ``Reporting`` says; so all divisions agree to the cent, and what
comes back is as small as the division, however many invoices there are.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import CTE, BigInteger, ColumnElement, Select, Subquery, case, cast, func, literal, null, select, union_all

from insureflow.models.buyers import Buyer
from insureflow.models.cover import AccountState, Exposure, InvoicePosition
from insureflow.models.database import db
from insureflow.models.receivables import Invoice
from insureflow.queries.cover.policies import InsurancePolicy, PolicyBook
from insureflow.queries.exposure.reporting import Amounts, Reporting

#: Reasons for which cover was stopped or lost: they stand apart from what never was covered.
STOPPED_REASONS = frozenset({"shipped_while_stopped", "extended_without_consent", "notified_late"})


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


def narrowed(statement: Any, portfolio: Portfolio, *, with_invoice: bool = False) -> Any:
    """Positions as they stand at the end of the portfolio's day; with their invoices and buyers where those are asked for."""
    statement = statement.select_from(InvoicePosition).where(
        InvoicePosition.valid_from <= portfolio.on, InvoicePosition.valid_to > portfolio.on
    )
    if with_invoice or portfolio.entity_id is not None:
        statement = statement.join(Invoice, Invoice.id == InvoicePosition.invoice_id)
    if portfolio.entity_id is not None:
        statement = statement.where(Invoice.entity_id == portfolio.entity_id)
    if portfolio.policy_id is not None:
        statement = statement.where(InvoicePosition.policy_id == portfolio.policy_id)
    if portfolio.country is not None:
        statement = statement.join(Buyer, Buyer.id == InvoicePosition.buyer_id).where(Buyer.country == portfolio.country)
    if portfolio.buyer_id is not None:
        statement = statement.where(InvoicePosition.buyer_id == portfolio.buyer_id)
    return statement


def account_sums(portfolio: Portfolio) -> Subquery:
    """What is ``open``, ``covered`` and ``over_limit`` of each account."""
    position = InvoicePosition
    model: Any = Exposure if portfolio.is_summarised else position
    covered = Exposure.covered_minor if portfolio.is_summarised else position.primary_minor + position.top_up_minor
    keys, amounts = (model.buyer_id, model.policy_id), (model.open_minor, covered, model.over_limit_minor)
    columns = [_sum(amount).label(name) for name, amount in zip(("open", "covered", "over_limit"), amounts, strict=True)]
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
    """The band of an invoice's age on a day."""
    arms = []
    for band in AGE_BANDS[:-1]:
        first, _last = band.due_days(on)
        arms.append((Invoice.due_on >= first, band.key))
    return case(*arms, else_=AGE_BANDS[-1].key)


#: The smallest part that is turned into another currency: an account's receivables of one currency, entity and age.
_ATOM = ("buyer_id", "policy_id", "currency", "limit_currency", "entity_id", "age")

#: What the liability is rounded for.
_ACCOUNT = ("buyer_id", "policy_id", "currency", "limit_currency")

#: Divisions that cut through accounts.
_THROUGH_ACCOUNTS = frozenset({Division.AGE, Division.ENTITY})

_DIMENSION = {
    Division.POLICY: "policy_id",
    Division.ENTITY: "entity_id",
    Division.CURRENCY: "currency",
    Division.BUYER: "buyer_id",
    Division.AGE: "age",
}


def divide(portfolio: Portfolio, division: Division, report: Reporting) -> list[PortfolioPart]:
    """The portfolio divided, in no particular order; parts with nothing open are absent."""
    return divide_many(portfolio, (division,), report)[division]


def divide_many(portfolio: Portfolio, divisions: Collection[Division], report: Reporting) -> dict[Division, list[PortfolioPart]]:
    """The portfolio divided in several ways by one reading of it.

    Where several are asked for, those that cut through accounts carry no liability: it is rounded by account.
    """
    asked = [division for division in Division if division in divisions and division is not Division.WHOLE]
    whole = [division for division in asked if len(divisions) == 1 or division not in _THROUGH_ACCOUNTS]
    currencies, percentages = _occurring(portfolio)
    if not currencies:
        return {division: [] for division in divisions}
    own = [policy for policy in PolicyBook.load().policies.values() if policy.has_top_up_percentage]
    scale = _scale(percentages | _own_percentages(own))
    atoms = _atoms(portfolio, percentages, own, scale)
    statement = union_all(_parts(atoms, asked, report, currencies), _liabilities(atoms, asked, whole, report, currencies, scale))
    found: dict[Division, dict[Any, PortfolioPart]] = {division: {} for division in divisions}
    for row in db.session.execute(statement).mappings():
        for division, parts in found.items():
            if row["is_liability"] and division is not Division.WHOLE and division not in whole:
                continue
            key = None if division is Division.WHOLE else row[division.value]
            label = row["label"] if division is Division.BUYER else None
            _take(parts.setdefault(key, PortfolioPart(key, label)), row)
    return {division: list(parts.values()) for division, parts in found.items()}


def _take(part: PortfolioPart, row: Any) -> None:
    limit = row["limit_currency"]
    if row["is_liability"]:
        part.liability.add(limit, row["liability"], row["liability_there"])
        return
    part.invoices += int(row["invoices"])
    part.ledger.add(row["ledger_currency"], row["ledger"], row["ledger_there"])
    for name in ("open", "covered", "stopped"):
        getattr(part, name).add(limit, row[name], row[f"{name}_there"])


def _occurring(portfolio: Portfolio) -> tuple[set[str], set[Decimal]]:
    """The currencies and the insured percentages that occur."""
    position = InvoicePosition
    statement = narrowed(select(position.currency, position.limit_currency, position.insured_percentage), portfolio).distinct()
    rows = db.session.execute(statement).all()
    return {code for row in rows for code in row[:2]}, {row[2] for row in rows if row[2] is not None}


def _scale(percentages: Collection[Decimal]) -> int:
    """What makes all these percentages whole."""
    return int(10 ** max([0, *(-int(each.normalize().as_tuple().exponent) for each in percentages)]))


def _own_percentages(policies: Collection[InsurancePolicy]) -> set[Decimal]:
    """The insured percentages that terms give to top-up layers."""
    layers = (dated.terms.layers.top_up for policy in policies for dated in policy.history)
    return {top_up.insured_percentage for top_up in layers if top_up is not None and top_up.insured_percentage is not None}


def _whole_percentage(percentages: Collection[Decimal], scale: int) -> ColumnElement[int]:
    arms = [(InvoicePosition.insured_percentage == each, literal(int(each * scale), BigInteger)) for each in sorted(percentages)]
    return case(*arms, else_=literal(0, BigInteger)) if arms else literal(0, BigInteger)


def _own_percentage(policies: Sequence[InsurancePolicy], general: ColumnElement[int], scale: int) -> ColumnElement[int]:
    """The percentage of the top-up layer: its own by the terms in force on the day of shipment, else the general one."""
    arms: list[tuple[ColumnElement[bool], ColumnElement[int]]] = []
    for policy in policies:
        versions = sorted(policy.history, key=lambda version: version.effective_on)
        for number, dated in reversed(list(enumerate(versions))):
            top_up = dated.terms.layers.top_up
            own = None if top_up is None else top_up.insured_percentage
            is_then = InvoicePosition.policy_id == policy.id
            if number:
                is_then = is_then & (Invoice.shipment_on >= dated.effective_on)
            arms.append((is_then, general if own is None else literal(int(own * scale), BigInteger)))
    return case(*arms, else_=general)


def _atom_keys(portfolio: Portfolio) -> list[Any]:
    """What makes an atom, in the order of ``_ATOM``."""
    position = InvoicePosition
    columns = (position.buyer_id, position.policy_id, position.currency, position.limit_currency, Invoice.entity_id, age_band(portfolio.on))
    return [column.label(name) for name, column in zip(_ATOM, columns, strict=True)]


def _atoms(portfolio: Portfolio, percentages: Collection[Decimal], own: Sequence[InsurancePolicy], scale: int) -> CTE:
    """The sums of every atom; ``share`` is what the insurer answers for, still to be divided by a hundred times the scale."""
    position = InvoicePosition
    general = _whole_percentage(percentages, scale)
    share = (position.primary_minor + position.top_up_minor) * general
    if own:
        share = position.primary_minor * general + position.top_up_minor * _own_percentage(own, general, scale)
    keys = _atom_keys(portfolio)
    sums = {
        "ledger": position.ledger_open_minor,
        "open": position.open_minor,
        "covered": position.primary_minor + position.top_up_minor,
        "stopped": case((position.excluded_reason.in_(sorted(STOPPED_REASONS)), position.excluded_minor), else_=0),
        "share": share,
    }
    statement = narrowed(
        select(*keys, func.count(position.id).label("invoices"), *(_sum(each).label(name) for name, each in sums.items())),
        portfolio,
        with_invoice=True,
    )
    atoms: CTE = statement.group_by(*keys).cte("atoms")
    return atoms


def _sum(expression: Any) -> ColumnElement[int]:
    return cast(func.sum(expression), BigInteger)


def _dimensions(source: Any, asked: Collection[Division]) -> dict[str, ColumnElement[Any]]:
    """What is grouped by, over atoms or accounts joined with their buyers."""
    dimensions: dict[str, ColumnElement[Any]] = {}
    for division in asked:
        dimensions[division.value] = Buyer.country.expression if division is Division.COUNTRY else source.c[_DIMENSION[division]]
        if division is Division.BUYER:
            dimensions["label"] = Buyer.legal_name.expression
    return dimensions


def _joined(statement: Any, source: Any, asked: Collection[Division]) -> Select[Any]:
    joined: Select[Any] = statement.select_from(source)
    is_named = Division.COUNTRY in asked or Division.BUYER in asked
    return joined.join(Buyer, Buyer.id == source.c.buyer_id) if is_named else joined


def _parts(atoms: CTE, asked: Collection[Division], report: Reporting, currencies: Collection[str]) -> Select[Any]:
    """The sums of each part, as they are and in the reporting currency."""
    dimensions = _dimensions(atoms, asked)
    columns: list[ColumnElement[Any]] = [_sum(atoms.c.invoices).label("invoices")]
    for name in ("ledger", "open", "covered", "stopped"):
        amount, currency = atoms.c[name], atoms.c.currency if name == "ledger" else atoms.c.limit_currency
        columns += [_sum(amount).label(name), _sum(report.expression(amount, currency, currencies)).label(f"{name}_there")]
    zero = literal(0, BigInteger)
    statement = select(
        literal(0, BigInteger).label("is_liability"),
        *(column.label(name) for name, column in dimensions.items()),
        atoms.c.currency.label("ledger_currency"),
        atoms.c.limit_currency.label("limit_currency"),
        *columns,
        zero.label("liability"),
        zero.label("liability_there"),
    )
    return _joined(statement, atoms, asked).group_by(*dimensions.values(), atoms.c.currency, atoms.c.limit_currency)


def _liabilities(
    atoms: CTE, asked: Collection[Division], kept: Collection[Division], report: Reporting, currencies: Collection[str], scale: int
) -> Select[Any]:
    """The insurer's liability of each part, rounded once for each account; in the columns of ``_parts``."""
    keys = dict.fromkeys([*_ACCOUNT, *(_DIMENSION[division] for division in kept if division in _THROUGH_ACCOUNTS)])
    whole = 100 * scale
    rounded = ((2 * _sum(atoms.c.share) + whole) // (2 * whole)).label("liability")
    accounts = select(*(atoms.c[key] for key in keys), rounded).group_by(*(atoms.c[key] for key in keys)).subquery("accounts")
    dimensions = _dimensions(accounts, kept)
    types = {name: column.type for name, column in _dimensions(atoms, asked).items()}
    zero = literal(0, BigInteger)
    measures = [f"{name}{of}" for name in ("ledger", "open", "covered", "stopped") for of in ("", "_there")]
    nothing = [zero.label(name) for name in ("invoices", *measures)]
    statement = select(
        literal(1, BigInteger).label("is_liability"),
        *((dimensions[name] if name in dimensions else cast(null(), kind)).label(name) for name, kind in types.items()),
        accounts.c.limit_currency.label("ledger_currency"),
        accounts.c.limit_currency.label("limit_currency"),
        *nothing,
        _sum(accounts.c.liability).label("liability"),
        _sum(report.expression(accounts.c.liability, accounts.c.limit_currency, currencies)).label("liability_there"),
    )
    return _joined(statement, accounts, kept).group_by(*dimensions.values(), accounts.c.limit_currency)


def uncovered_by_reason(portfolio: Portfolio, report: Reporting) -> dict[str, Amounts]:
    """What is open and not covered, by reason."""
    position = InvoicePosition
    keys = _atom_keys(portfolio)
    excluded, names = position.excluded_reason.label("excluded_reason"), ("excluded", "vat", "disputed", "over_limit")
    sums = [_sum(getattr(position, f"{name}_minor")).label(name) for name in names]
    found = narrowed(select(*keys, excluded, *sums), portfolio, with_invoice=True).group_by(*keys, excluded).cte("found")
    reasons = {
        "excluded": found.c.excluded_reason,
        "vat": literal("vat_not_covered"),
        "disputed": literal("disputed"),
        "over_limit": literal("over_limit"),
    }
    single = union_all(
        *(
            select(*(found.c[key] for key in _ATOM), reason.label("reason"), found.c[name].label("minor")).where(found.c[name] != 0)
            for name, reason in reasons.items()
        )
    ).subquery("single")
    atom = [single.c[key] for key in _ATOM]
    atoms = select(*atom, single.c.reason, _sum(single.c.minor).label("minor")).group_by(*atom, single.c.reason).subquery("atoms")
    currencies, _percentages = _occurring(portfolio)
    there = report.expression(atoms.c.minor, atoms.c.limit_currency, currencies)
    statement = (
        select(atoms.c.reason, atoms.c.limit_currency, _sum(atoms.c.minor).label("minor"), _sum(there).label("there"))
        .where(atoms.c.reason.is_not(None))
        .group_by(atoms.c.reason, atoms.c.limit_currency)
    )
    by_reason: dict[str, Amounts] = {}
    for row in db.session.execute(statement):
        by_reason.setdefault(row.reason, Amounts()).add(row.limit_currency, row.minor, row.there)
    return by_reason


def headroom(portfolio: Portfolio, report: Reporting) -> Amounts:
    """What could still be shipped under the limits in force, by limit currency.

    *Formula:* Σ over accounts and layers of max(0, limit − reserved by disputes − covered); nothing where cover is stopped. Limits
    belong to a buyer under a policy, so the entity a page is narrowed to does not change them.
    """
    whole = replace(portfolio, entity_id=None)
    used = account_sums(whole)
    keys = (InvoicePosition.buyer_id.label("buyer_id"), InvoicePosition.policy_id.label("policy_id"))
    in_top_up = narrowed(select(*keys, _sum(InvoicePosition.top_up_minor).label("minor")), whole).where(InvoicePosition.top_up_minor > 0)
    top_up = in_top_up.group_by(*keys).subquery()
    state = AccountState
    used_top_up = func.coalesce(top_up.c.minor, 0)
    free_primary = state.limit_primary_minor - state.reserved_primary_minor - (func.coalesce(used.c.covered, 0) - used_top_up)
    free_top_up = state.limit_top_up_minor - state.reserved_top_up_minor - used_top_up
    free = case((free_primary > 0, free_primary), else_=0) + case((free_top_up > 0, free_top_up), else_=0)
    statement = (
        select(state.limit_currency, func.sum(free).label("free_"))
        .select_from(state)
        .join(Buyer, Buyer.id == state.buyer_id)
        .outerjoin(used, (used.c.buyer_id == state.buyer_id) & (used.c.policy_id == state.policy_id))
        .outerjoin(top_up, (top_up.c.buyer_id == state.buyer_id) & (top_up.c.policy_id == state.policy_id))
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

"""A portfolio divided in several ways at once, and what of it is not covered for which reason.

Amounts in the reporting currency are added up as they are. All others are turned into it by the database in their smallest parts, an
account's receivables of one currency, entity and age, and rounded there: so all divisions agree to the cent.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Float,
    Select,
    and_,
    case,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)

from insureflow.domain.policies import PolicyTerms
from insureflow.models.buyers import Buyer
from insureflow.models.cover import Exposure, InvoicePosition
from insureflow.models.database import db
from insureflow.models.limits import LimitDecision
from insureflow.models.receivables import Invoice
from insureflow.queries.cover.policies import InsurancePolicy, PolicyBook
from insureflow.queries.exposure.portfolio import AGE_BANDS, Division, Portfolio, PortfolioPart, added, age_band, narrowed
from insureflow.queries.exposure.reporting import Amounts, Reporting

#: Reasons for which cover was stopped or lost: they stand apart from what never was covered.
STOPPED_REASONS = frozenset({"shipped_while_stopped", "extended_without_consent", "notified_late"})

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

#: What is added up in limit currency beside the ledger's own amount.
_MEASURES = ("ledger", "open", "covered", "stopped")


def divide(portfolio: Portfolio, division: Division, report: Reporting, *, with_liability: bool = True) -> list[PortfolioPart]:
    """The portfolio divided, in no particular order; parts with nothing open are absent."""
    return divide_many(portfolio, (division,), report, with_liability=with_liability)[division]


def divide_many(
    portfolio: Portfolio, divisions: Collection[Division], report: Reporting, *, with_liability: bool = True
) -> dict[Division, list[PortfolioPart]]:
    """The portfolio divided in several ways at once.

    Where several are asked for, those that cut through accounts carry no liability: it is rounded by account. What stands in the reporting currency already is never rounded, so it is added up by account and by age in the order of the
    indexes; all else is turned into the reporting currency in its smallest parts first.
    """
    found: dict[Division, dict[Any, PortfolioPart]] = {division: {} for division in divisions}
    currencies = _occurring_currencies(portfolio)
    asked = [division for division in Division if division in divisions and division is not Division.WHOLE]
    kept = [division for division in divisions if with_liability and (len(divisions) == 1 or division not in _THROUGH_ACCOUNTS)]
    by_account = [division for division in asked if division is not Division.AGE]
    # Liability is rounded by account, or by part of an account: with parts nothing can be added up for accounts beforehand.
    is_apart = (Division.ENTITY not in divisions or len(divisions) == 1) and Division.AGE not in kept
    shares = _Shares.load()
    if currencies - {report.currency} or not is_apart:
        which = [_is_foreign(report)] if is_apart else []
        for row in db.session.execute(_by_atom(portfolio, which, asked, kept, report, currencies, shares)).mappings():
            _take(found, kept if row["is_liability"] else divisions, row)
    if is_apart and report.currency in currencies:
        if by_account or Division.WHOLE in divisions:
            for row in db.session.execute(_by_account(portfolio, by_account, report, shares)).mappings():
                _take(found, [division for division in divisions if division is not Division.AGE], row)
        if Division.AGE in divisions:
            for row in db.session.execute(_by_age(portfolio, report)).mappings():
                _take(found, [Division.AGE], row)
    return {division: list(parts.values()) for division, parts in found.items()}


def _take(found: Mapping[Division, dict[Any, PortfolioPart]], divisions: Collection[Division], row: Any) -> None:
    """Add a row to the part of each division that it belongs to."""
    if row["ledger"] is None:
        return
    limit = row["limit_currency"]
    for division in divisions:
        key = None if division is Division.WHOLE else row[division.value]
        part = found[division].get(key)
        if part is None:
            part = found[division][key] = PortfolioPart(key, row["label"] if division is Division.BUYER else None)
        part.invoices += int(row["invoices"])
        part.ledger.add(row["ledger_currency"], row["ledger"], row["ledger_there"])
        for name in ("open", "covered", "stopped", "liability"):
            getattr(part, name).add(limit, row[name], row[f"{name}_there"])


def _occurring_currencies(portfolio: Portfolio) -> set[str]:
    """The currencies that occur, at least."""
    model: Any = Exposure if portfolio.today is not None and portfolio.on >= portfolio.today else InvoicePosition
    pairs = select(model.currency, model.limit_currency).where(model.valid_from <= portfolio.on, model.valid_to > portfolio.on).distinct()
    return {code for row in db.session.execute(pairs) for code in row}


@dataclass(frozen=True, slots=True)
class _Shares:
    """How the insured percentage of a position becomes a whole number: times ``scale``, which is the same for all of them."""

    percentages: Sequence[Decimal]
    own: Sequence[InsurancePolicy]
    scale: int

    @classmethod
    def load(cls) -> _Shares:
        """The percentages that policies and decisions can give."""
        policies = PolicyBook.load().policies.values()
        named = db.session.scalars(select(LimitDecision.conditions["insured_percentage"].as_string()).distinct())
        found = {Decimal(each) for each in named if each is not None}
        for policy in policies:
            for dated in policy.history:
                found |= _percentages_of(dated.terms)
        scale = int(10 ** max([0, *(-int(each.normalize().as_tuple().exponent) for each in found)]))
        return cls(sorted(found), [policy for policy in policies if policy.has_top_up_percentage], scale)

    def share(self) -> ColumnElement[int]:
        """What the insurer answers for of a position, still to be divided by a hundred times the scale."""
        position = InvoicePosition
        arms = [(position.insured_percentage == each, literal(int(each * self.scale), BigInteger)) for each in self.percentages]
        other = func.coalesce(cast(func.round(cast(position.insured_percentage, Float) * self.scale), BigInteger), 0)
        general: ColumnElement[int] = case(*arms, else_=other) if arms else other
        covered = position.primary_minor + position.top_up_minor
        if not self.own:
            return covered * general
        of_top_up = case((position.top_up_minor > 0, self._own(general)), else_=general)
        return position.primary_minor * general + position.top_up_minor * of_top_up

    def _own(self, general: ColumnElement[int]) -> ColumnElement[int]:
        """The percentage of the top-up layer: its own by the terms in force on the day of shipment, else the general one."""
        position = InvoicePosition
        shipment_on = select(Invoice.shipment_on).where(Invoice.id == position.invoice_id).correlate(position).scalar_subquery()
        arms: list[tuple[ColumnElement[bool], ColumnElement[int]]] = []
        for policy in self.own:
            versions = sorted(policy.history, key=lambda version: version.effective_on)
            for number, dated in reversed(list(enumerate(versions))):
                top_up = dated.terms.layers.top_up
                own = None if top_up is None else top_up.insured_percentage
                is_then = position.policy_id == policy.id
                if number:
                    is_then = is_then & (shipment_on >= dated.effective_on)
                arms.append((is_then, general if own is None else literal(int(own * self.scale), BigInteger)))
        return case(*arms, else_=general)

    def rounded(self, share: Any) -> ColumnElement[int]:
        """The insurer's liability of an account, from the sum of its shares."""
        whole = 100 * self.scale
        return (2 * added(share) + whole) // (2 * whole)


def _percentages_of(terms: PolicyTerms) -> set[Decimal]:
    """All insured percentages that terms can give."""
    top_up = terms.layers.top_up
    found = {terms.insured_percentage.default, *terms.insured_percentage.by_country.values()}
    found |= set(terms.insured_percentage_by_limit_kind.values())
    found |= {row.insured_percentage for row in terms.grade_cover or ()}
    return found | ({top_up.insured_percentage} if top_up is not None and top_up.insured_percentage is not None else set())


def _is_home(report: Reporting) -> ColumnElement[bool]:
    """True for what stands in the reporting currency, in the ledger and under the limit."""
    return and_(InvoicePosition.currency == report.currency, InvoicePosition.limit_currency == report.currency)


def _is_foreign(report: Reporting) -> ColumnElement[bool]:
    return or_(InvoicePosition.currency != report.currency, InvoicePosition.limit_currency != report.currency)


def _keys(portfolio: Portfolio, names: Collection[str]) -> list[Any]:
    """What positions are grouped by, in the order of ``_ATOM``, which is that of their index."""
    position = InvoicePosition
    columns = (position.buyer_id, position.policy_id, position.currency, position.limit_currency, position.entity_id)
    found = dict(zip(_ATOM, (*columns, age_band(portfolio.on)), strict=True))
    return [found[name].label(name) for name in _ATOM if name in names]


def _amounts() -> dict[str, Any]:
    """What is added up, by its name in ``_MEASURES``."""
    position = InvoicePosition
    return {
        "ledger": position.ledger_open_minor,
        "open": position.open_minor,
        "covered": position.primary_minor + position.top_up_minor,
        "stopped": case((position.excluded_reason.in_(sorted(STOPPED_REASONS)), position.excluded_minor), else_=0),
    }


def _dimensions(source: Any, asked: Collection[Division]) -> dict[str, ColumnElement[Any]]:
    """What is grouped by, over atoms or accounts joined with their buyers."""
    dimensions: dict[str, ColumnElement[Any]] = {}
    for division in asked:
        if division is Division.WHOLE:
            continue
        dimensions[division.value] = Buyer.country.expression if division is Division.COUNTRY else source.c[_DIMENSION[division]]
        if division is Division.BUYER:
            dimensions["label"] = Buyer.legal_name.expression
    return dimensions


def _joined(statement: Any, source: Any, asked: Collection[Division]) -> Select[Any]:
    joined: Select[Any] = statement.select_from(source)
    is_named = Division.COUNTRY in asked or Division.BUYER in asked
    return joined.join(Buyer, Buyer.id == source.c.buyer_id) if is_named else joined


def _by_atom(
    portfolio: Portfolio,
    which: Sequence[ColumnElement[bool]],
    asked: Collection[Division],
    kept: Collection[Division],
    report: Reporting,
    currencies: Collection[str],
    shares: _Shares,
) -> Select[Any] | CompoundSelect[Any]:
    """The parts from their atoms; those that are kept with their liability."""
    keys = _keys(portfolio, _ATOM)
    sums = [added(each).label(name) for name, each in {**_amounts(), "share": shares.share()}.items()]
    statement = narrowed(select(*keys, func.count().label("invoices"), *sums), portfolio).where(*which)
    atoms: CTE = statement.group_by(*keys).cte("atoms")
    parts = _parts(atoms, asked, report, currencies)
    return union_all(parts, _liabilities(atoms, asked, kept, report, currencies, shares)) if kept else parts


def _by_account(portfolio: Portfolio, asked: Collection[Division], report: Reporting, shares: _Shares) -> Select[Any]:
    """The parts of what stands in the reporting currency, from accounts as the index gives them one after the other."""
    keys = _keys(portfolio, [*_ACCOUNT, "entity_id"] if Division.ENTITY in asked else _ACCOUNT)
    sums = [added(each).label(name) for name, each in _amounts().items()]
    liability = shares.rounded(shares.share()).label("liability")
    statement = narrowed(select(*keys, func.count().label("invoices"), *sums, liability), portfolio).where(_is_home(report))
    accounts = statement.group_by(*keys).subquery("accounts")
    dimensions = _dimensions(accounts, asked)
    columns: list[ColumnElement[Any]] = [added(accounts.c.invoices).label("invoices")]
    for name in (*_MEASURES, "liability"):
        columns += [added(accounts.c[name]).label(name), added(accounts.c[name]).label(f"{name}_there")]
    found = select(*(column.label(name) for name, column in dimensions.items()), *_in_currency(report), *columns)
    return _joined(found, accounts, asked).group_by(*dimensions.values())


def account_parts(portfolio: Portfolio, report: Reporting, buyer_ids: Sequence[int] | None) -> list[Select[Any]]:
    """What makes up the sums of buyers, in the reporting currency: ``buyer_id``, ``invoices``, ``exposure``, ``covered``, ``liability``.

    *Formula:* as of ``divide``, to the cent: each atom is turned into the reporting currency by itself, each account's liability as a
    whole. Amounts without a rate are NULL.
    """
    shares, currencies, zero = _Shares.load(), _occurring_currencies(portfolio), literal(0, BigInteger)
    which = [] if buyer_ids is None else [InvoicePosition.buyer_id.in_(buyer_ids)]
    position = InvoicePosition
    covered = position.primary_minor + position.top_up_minor

    def part(buyer_id: Any, invoices: Any, exposure: Any, covered: Any, liability: Any) -> Select[Any]:
        names = ("buyer_id", "invoices", "exposure", "covered", "liability")
        return select(*(each.label(name) for name, each in zip(names, (buyer_id, invoices, exposure, covered, liability), strict=True)))

    home = part(position.buyer_id, func.count(), added(position.open_minor), added(covered), shares.rounded(shares.share()))
    home = narrowed(home, portfolio).where(_is_home(report), *which)
    parts = [home.group_by(*_of(portfolio, _ACCOUNT))]
    if currencies - {report.currency}:
        keys = _keys(portfolio, _ATOM)
        sums = {"open": position.open_minor, "covered": covered, "share": shares.share()}
        columns = [added(each).label(name) for name, each in sums.items()]
        statement = narrowed(select(*keys, func.count().label("invoices"), *columns), portfolio).where(_is_foreign(report), *which)
        atoms = statement.group_by(*keys).cte("atoms")
        atom = atoms.c
        exposure, there = (report.expression(atom[name], atom.limit_currency, currencies) for name in ("open", "covered"))
        accounts = select(*(atom[key] for key in _ACCOUNT), shares.rounded(atom.share).label("liability"))
        account = accounts.group_by(*(atom[key] for key in _ACCOUNT)).subquery("accounts").c
        liability = report.expression(account.liability, account.limit_currency, currencies)
        parts += [part(atom.buyer_id, atom.invoices, exposure, there, zero), part(account.buyer_id, zero, zero, zero, liability)]
    return parts


def _of(portfolio: Portfolio, names: Collection[str]) -> list[Any]:
    return [label.element for label in _keys(portfolio, names)]


def _by_age(portfolio: Portfolio, report: Reporting) -> CompoundSelect[Any]:
    """What stands in the reporting currency by age: each band is one stretch of the index of due days."""
    bands = []
    zero = literal(0, BigInteger)
    for band in AGE_BANDS:
        first, last = band.due_days(portfolio.on)
        within = [] if first is None else [InvoicePosition.due_on >= first]
        within += [] if last is None else [InvoicePosition.due_on <= last]
        columns: list[ColumnElement[Any]] = [func.count(InvoicePosition.due_on).label("invoices")]
        for name, amount in _amounts().items():
            columns += [added(amount).label(name), added(amount).label(f"{name}_there")]
        named = [literal(band.key).label(Division.AGE.value), *_in_currency(report)]
        statement = select(*named, *columns, zero.label("liability"), zero.label("liability_there"))
        bands.append(narrowed(statement, portfolio).where(_is_home(report), *within))
    return union_all(*bands)


def _in_currency(report: Reporting) -> list[ColumnElement[Any]]:
    return [literal(report.currency).label("ledger_currency"), literal(report.currency).label("limit_currency")]


def _parts(atoms: CTE, asked: Collection[Division], report: Reporting, currencies: Collection[str]) -> Select[Any]:
    """The sums of each part, as they are and in the reporting currency."""
    dimensions = _dimensions(atoms, asked)
    columns: list[ColumnElement[Any]] = [added(atoms.c.invoices).label("invoices")]
    for name in _MEASURES:
        amount, currency = atoms.c[name], atoms.c.currency if name == "ledger" else atoms.c.limit_currency
        columns += [added(amount).label(name), added(report.expression(amount, currency, currencies)).label(f"{name}_there")]
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
    atoms: CTE, asked: Collection[Division], kept: Collection[Division], report: Reporting, currencies: Collection[str], shares: _Shares
) -> Select[Any]:
    """The insurer's liability of each part, rounded once for each account; in the columns of ``_parts``."""
    keys = dict.fromkeys([*_ACCOUNT, *(_DIMENSION[division] for division in kept if division in _THROUGH_ACCOUNTS)])
    rounded = shares.rounded(atoms.c.share).label("liability")
    accounts = select(*(atoms.c[key] for key in keys), rounded).group_by(*(atoms.c[key] for key in keys)).subquery("accounts")
    dimensions = _dimensions(accounts, kept)
    types = {name: column.type for name, column in _dimensions(atoms, asked).items()}
    zero = literal(0, BigInteger)
    measures = [f"{name}{of}" for name in _MEASURES for of in ("", "_there")]
    nothing = [zero.label(name) for name in ("invoices", *measures)]
    statement = select(
        literal(1, BigInteger).label("is_liability"),
        *((dimensions[name] if name in dimensions else cast(null(), kind)).label(name) for name, kind in types.items()),
        accounts.c.limit_currency.label("ledger_currency"),
        accounts.c.limit_currency.label("limit_currency"),
        *nothing,
        added(accounts.c.liability).label("liability"),
        added(report.expression(accounts.c.liability, accounts.c.limit_currency, currencies)).label("liability_there"),
    )
    return _joined(statement, accounts, kept).group_by(*dimensions.values(), accounts.c.limit_currency)


def uncovered_by_reason(portfolio: Portfolio, report: Reporting) -> dict[str, Amounts]:
    """What is open and not covered, by reason."""
    position = InvoicePosition
    keys = _keys(portfolio, _ATOM)
    excluded, names = position.excluded_reason.label("excluded_reason"), ("excluded", "vat", "disputed", "over_limit")
    sums = [added(getattr(position, f"{name}_minor")).label(name) for name in names]
    found = narrowed(select(*keys, excluded, *sums), portfolio).group_by(*keys, excluded).cte("found")
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
    atoms = select(*atom, single.c.reason, added(single.c.minor).label("minor")).group_by(*atom, single.c.reason).subquery("atoms")
    currencies = _occurring_currencies(portfolio)
    there = report.expression(atoms.c.minor, atoms.c.limit_currency, currencies)
    statement = (
        select(atoms.c.reason, atoms.c.limit_currency, added(atoms.c.minor).label("minor"), added(there).label("there"))
        .where(atoms.c.reason.is_not(None))
        .group_by(atoms.c.reason, atoms.c.limit_currency)
    )
    by_reason: dict[str, Amounts] = {}
    for row in db.session.execute(statement):
        by_reason.setdefault(row.reason, Amounts()).add(row.limit_currency, row.minor, row.there)
    return by_reason

"""Lists as pages of a table: searched, filtered, sorted, counted and added up by the database.

A feature describes its list once, as fields over a FROM clause; the page, its totals and its exports come from that one description.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import partial
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    RowMapping,
    Select,
    SQLColumnExpression,
    String,
    Text,
    and_,
    case,
    cast,
    func,
    literal,
    null,
    nulls_last,
    or_,
    select,
    union_all,
)

from insureflow.domain.money import EXPONENTS
from insureflow.models.database import db


class Kind(StrEnum):
    """What a field holds, and so how it is shown, filtered and exported."""

    TEXT = "text"
    MONEY = "money"
    NUMBER = "number"
    PERCENT = "percent"
    DATE = "date"
    INSTANT = "instant"
    COUNTRY = "country"
    BADGE = "badge"


class FilterKind(StrEnum):
    """How a field can be narrowed."""

    SELECT = "select"
    TEXT = "text"
    DATE_RANGE = "date_range"
    AMOUNT_RANGE = "amount_range"


@dataclass(frozen=True, slots=True)
class Field:
    """A column of a list. ``currency`` gives the currency of a money column row by row; ``total`` adds it up by currency.

    ``search`` is the expression that the search box looks at (default: none), ``finds`` a condition for a word instead, where the
    words stand in another table; ``sort`` what the column is sorted by (default: its expression). ``hidden`` fields are read and exported to views but not shown.
    ``added`` is what a row adds to the total, where that is not its value.
    """

    key: str
    expression: SQLColumnExpression[Any]
    kind: Kind = Kind.TEXT
    currency: SQLColumnExpression[str] | None = None
    sortable: bool = True
    sort: SQLColumnExpression[Any] | None = None
    search: SQLColumnExpression[str] | None = None
    finds: Callable[[str], ColumnElement[bool]] | None = None
    filter: FilterKind | None = None
    total: bool = False
    added: SQLColumnExpression[Any] | None = None
    hidden: bool = False

    @property
    def summand(self) -> SQLColumnExpression[Any]:
        """What a row adds to the total."""
        return self.expression if self.added is None else self.added


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What a list is narrowed to. ``choices`` by key: exact values; ``texts``: contained words; ranges are inclusive at both ends."""

    search: str = ""
    choices: Mapping[str, Sequence[str]] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    dates: Mapping[str, tuple[date | None, date | None]] = field(default_factory=dict)
    amounts: Mapping[str, tuple[Decimal | None, Decimal | None]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Order:
    """What a list is sorted by."""

    key: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list: rows by field key (money as ``(minor, currency)``), the count and the totals of the whole narrowing."""

    rows: list[dict[str, Any]]
    total_rows: int
    totals: dict[str, list[tuple[int, str]]]


def _first(expression: Any, *, is_descending: bool) -> ColumnElement[Any]:
    """The order by an expression; rows that have nothing there come last both ways."""
    ordered: ColumnElement[Any] = expression.desc() if is_descending else expression.asc()
    placed: ColumnElement[Any] = nulls_last(ordered)
    return placed


def contains(expression: SQLColumnExpression[Any], text: str) -> ColumnElement[bool]:
    """True where a text holds another, whatever the case."""
    escaped = text.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return func.lower(cast(expression, Text)).like(f"%{escaped}%", escape="\\")


def minor_units(amount: Decimal, currency: SQLColumnExpression[str]) -> ColumnElement[int]:
    """Minor units of a typed amount, in whatever currency the row has."""
    by_digits = {digits: [code for code, exponent in EXPONENTS.items() if exponent == digits] for digits in sorted(set(EXPONENTS.values()))}
    arms = [(currency.in_(codes), int(amount * 10**digits)) for digits, codes in by_digits.items()]
    return case(*arms, else_=int(amount * 100))


class Listing:
    """A list described once. ``source`` gives the FROM clause and what always holds; ``key`` breaks ties and names the row.

    ``of_rows`` gives the same list of the rows with these keys alone, or of few more. With it a page is read in two steps: which
    rows it shows, with the count and the totals, from what these need alone; then all columns, of its own rows only.
    """

    def __init__(
        self,
        name: str,
        fields: Sequence[Field],
        source: Callable[[Select[Any]], Select[Any]],
        *,
        key: SQLColumnExpression[Any],
        order: Order,
        normalise: Callable[[str], str] | None = None,
        of_rows: Callable[[Sequence[Any]], Listing] | None = None,
    ) -> None:
        self.name = name
        self.fields = tuple(fields)
        self.by_key = {each.key: each for each in self.fields}
        self.source = source
        self.key = key
        self.order = order
        self.normalise = normalise
        self.of_rows = of_rows

    def _narrow(self, statement: Select[Any], narrowing: Narrowing) -> Select[Any]:
        conditions: list[ColumnElement[bool]] = []
        for word in narrowing.search.split():
            searched: list[Callable[[str], ColumnElement[bool]]] = [
                partial(contains, each.search) for each in self.fields if each.search is not None
            ]
            searched += [each.finds for each in self.fields if each.finds is not None]
            forms = {word, self.normalise(word)} if self.normalise else {word}
            if searched:
                conditions.append(or_(*(finds(form) for finds in searched for form in sorted(forms) if form)))
        for name, values in narrowing.choices.items():
            conditions.append(cast(self.by_key[name].expression, Text).in_(list(values)))
        for name, text in narrowing.texts.items():
            conditions.append(contains(self.by_key[name].expression, text))
        for name, (first, last) in narrowing.dates.items():
            expression = self.by_key[name].expression
            conditions.extend([expression >= first] if first else [])
            conditions.extend([expression <= last] if last else [])
        for name, (low, high) in narrowing.amounts.items():
            money = self.by_key[name]
            assert money.currency is not None
            conditions.extend([money.expression >= minor_units(low, money.currency)] if low is not None else [])
            conditions.extend([money.expression <= minor_units(high, money.currency)] if high is not None else [])
        return statement.where(and_(*conditions)) if conditions else statement

    def _columns(self) -> list[SQLColumnExpression[Any]]:
        columns: list[SQLColumnExpression[Any]] = [self.key.label("key_")]
        for each in self.fields:
            columns.append(each.expression.label(each.key))
            if each.currency is not None:
                columns.append(each.currency.label(f"{each.key}_currency"))
        return columns

    def _sorted_by(self, order: Order | None) -> tuple[SQLColumnExpression[Any], bool]:
        """What the list is sorted by, and whether from the end."""
        chosen = order if order and order.key in self.by_key and self.by_key[order.key].sortable else self.order
        by = self.by_key[chosen.key]
        return by.sort if by.sort is not None else by.expression, chosen.descending

    def _ordered(self, statement: Select[Any], order: Order | None) -> Select[Any]:
        expression, is_descending = self._sorted_by(order)
        return statement.order_by(_first(expression, is_descending=is_descending), self.key.asc())

    def _row(self, row: RowMapping) -> dict[str, Any]:
        values: dict[str, Any] = {"key": row["key_"]}
        for each in self.fields:
            value = row[each.key]
            if each.kind is Kind.MONEY:
                values[each.key] = (
                    None if value is None else (int(value), row[f"{each.key}_currency"] if each.currency is not None else None)
                )
            else:
                values[each.key] = value
        return values

    def page(self, narrowing: Narrowing, order: Order | None, number: int, size: int) -> Page:
        """Page ``number`` (from 1) of ``size`` rows, with the count and totals of all rows that fit."""
        if self.of_rows is not None:
            keys, total_rows, totals = self.keys_of_page(narrowing, order, number, size)
            shown = {row["key"]: row for row in self.of_rows(keys).stream(Narrowing(), None)} if keys else {}
            return Page([shown[key] for key in keys], total_rows, totals)
        total_rows, totals = self._count_and_add(narrowing)
        statement = self._ordered(self._narrow(self.source(select(*self._columns())), narrowing), order)
        rows = db.session.execute(statement.limit(size).offset((number - 1) * size)).mappings()
        return Page([self._row(row) for row in rows], total_rows, totals)

    def stream(self, narrowing: Narrowing, order: Order | None) -> Iterator[dict[str, Any]]:
        """All rows that fit, read in portions: for exports of any length."""
        statement = self._ordered(self._narrow(self.source(select(*self._columns())), narrowing), order)
        for row in db.session.execute(statement.execution_options(yield_per=2000)).mappings():
            yield self._row(row)

    def _added(self) -> list[tuple[SQLColumnExpression[str], list[Field]]]:
        """The fields that are added up, for each way in which currencies are given."""
        groups: dict[str, tuple[SQLColumnExpression[str], list[Field]]] = {}
        for each in self.fields:
            if each.total and each.currency is not None:
                groups.setdefault(str(each.currency), (each.currency, []))[1].append(each)
        return list(groups.values())

    def keys_of_page(
        self, narrowing: Narrowing, order: Order | None, number: int, size: int
    ) -> tuple[list[Any], int, dict[str, list[tuple[int, str]]]]:
        """The keys of a page in order, with the count and totals of all rows that fit: the database finds the rows once for all of it.

        What is read of each row is its key, what it is sorted by, and what is added up.
        """
        groups = self._added()
        sorted_by, is_descending = self._sorted_by(order)
        columns: list[SQLColumnExpression[Any]] = [self.key.label("key_"), sorted_by.label("sorted_by_")]
        columns += [currency.label(f"currency_{place}_") for place, (currency, _fields) in enumerate(groups)]
        columns += [each.summand.label(each.key) for _currency, added in groups for each in added]
        rows = self._narrow(self.source(select(*columns)), narrowing).cte("rows_")
        first = _first(rows.c.sorted_by_, is_descending=is_descending)
        chosen = select(rows.c.key_, rows.c.sorted_by_).order_by(first, rows.c.key_.asc())
        page = chosen.limit(size).offset((number - 1) * size).subquery("page_")
        first = _first(page.c.sorted_by_, is_descending=is_descending)
        place_in_page = func.row_number().over(order_by=(first, page.c.key_.asc()))
        sums = [each for _currency, added in groups for each in added]
        nothing = literal(0, BigInteger)

        def part(group: int, currency: Any, count: Any, key_: Any, found: Mapping[str, Any]) -> Select[Any]:
            amounts = [found.get(each.key, nothing).label(each.key) for each in sums]
            return select(literal(group).label("group_"), currency.label("currency_"), count.label("rows_"), key_.label("key_"), *amounts)

        no_key, no_currency = cast(null(), rows.c.key_.type), cast(null(), String)
        parts = [part(-1, no_currency, place_in_page, page.c.key_, {}).select_from(page)]
        if not groups:
            parts.append(part(0, no_currency, func.count(), no_key, {}).select_from(rows))
        for group, (_currency, added) in enumerate(groups):
            currency = rows.c[f"currency_{group}_"]
            amounts = {each.key: func.coalesce(cast(func.sum(rows.c[each.key]), BigInteger), 0) for each in added}
            parts.append(part(group, currency, func.count(), no_key, amounts).select_from(rows).group_by(currency))
        keys: list[tuple[int, Any]] = []
        count = 0
        totals: dict[str, list[tuple[int, str]]] = {}
        for row in db.session.execute(union_all(*parts)).mappings():
            if row["group_"] < 0:
                keys.append((row["rows_"], row["key_"]))
                continue
            if row["group_"] == 0:
                count += int(row["rows_"])
            if row["currency_"] is not None:
                for each in groups[row["group_"]][1]:
                    totals.setdefault(each.key, []).append((int(row[each.key]), row["currency_"]))
        for amounts_of in totals.values():
            amounts_of.sort(key=lambda entry: entry[1])
        return [key for _place, key in sorted(keys)], count, totals

    def _count_and_add(self, narrowing: Narrowing) -> tuple[int, dict[str, list[tuple[int, str]]]]:
        """How many rows fit, and their totals: both are found in one reading for each way in which currencies are given."""
        groups = self._added()
        rows_ = func.count().label("rows_")
        if not groups:
            return int(db.session.scalar(self._narrow(self.source(select(rows_)), narrowing)) or 0), {}
        totals: dict[str, list[tuple[int, str]]] = {}
        count = 0
        for currency, added in groups:
            sums = [func.coalesce(func.sum(each.summand), 0).label(each.key) for each in added]
            statement = self._narrow(self.source(select(currency.label("currency_"), rows_, *sums)), narrowing)
            found = db.session.execute(statement.group_by(currency).order_by(currency)).mappings().all()
            count = sum(int(row["rows_"]) for row in found)
            for row in found:
                if row["currency_"] is not None:
                    for each in added:
                        totals.setdefault(each.key, []).append((int(row[each.key]), row["currency_"]))
        return count, totals

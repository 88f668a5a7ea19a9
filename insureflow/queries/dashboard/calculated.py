"""A list whose rows were worked out beforehand, with the manners of every other list: searched, sorted, paged, added up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import literal

from insureflow.queries.listing import Field, FilterKind, Kind, Listing, Narrowing, Order, Page


def calculated_field(
    key: str,
    kind: Kind = Kind.TEXT,
    *,
    total: bool = False,
    hidden: bool = False,
    searched: bool = False,
    filtered: FilterKind | None = None,
) -> Field:
    """A column of a calculated list; it can be filtered by choice or by a range of days."""
    nothing = literal("")
    return Field(key, nothing, kind, total=total, hidden=hidden, search=nothing if searched else None, filter=filtered)


class CalculatedListing(Listing):
    """A list over rows that are there already: few enough to be held at once, such as countries or policies.

    ``sort_by`` gives what a text column is sorted by where that is not its value (a country's name for its code).
    """

    def __init__(
        self,
        name: str,
        fields: Sequence[Field],
        rows: Iterable[Mapping[str, Any]],
        *,
        order: Order,
        sort_by: Mapping[str, Mapping[Any, str]] | None = None,
    ) -> None:
        super().__init__(name, fields, lambda statement: statement, key=literal(0), order=order)
        self._rows = [dict(row) for row in rows]
        self._sort_by = sort_by or {}

    def _shown(self, row: Mapping[str, Any], key: str) -> str:
        value = row[key]
        return str(self._sort_by.get(key, {}).get(value, value))

    def _fits(self, row: Mapping[str, Any], narrowing: Narrowing) -> bool:
        for key, values in narrowing.choices.items():
            if str(row[key]) not in values:
                return False
        for key, (first, last) in narrowing.dates.items():
            if row[key] is None or (first is not None and row[key] < first) or (last is not None and row[key] > last):
                return False
        return True

    def _found(self, narrowing: Narrowing, order: Order | None) -> list[dict[str, Any]]:
        searched = [each.key for each in self.fields if each.search is not None]
        rows = [
            row
            for row in self._rows
            if self._fits(row, narrowing)
            and all(any(word.casefold() in self._shown(row, key).casefold() for key in searched) for word in narrowing.search.split())
        ]
        chosen = order if order and order.key in self.by_key else self.order
        kind = self.by_key[chosen.key].kind

        def value_of(row: Mapping[str, Any]) -> Any:
            value = row[chosen.key]
            if kind is Kind.MONEY:
                return value[0]
            return value if kind in (Kind.NUMBER, Kind.PERCENT, Kind.DATE) else self._shown(row, chosen.key).casefold()

        known = [row for row in rows if row[chosen.key] is not None]
        known.sort(key=lambda row: str(row["key"]))
        known.sort(key=value_of, reverse=chosen.descending)
        return known + [row for row in rows if row[chosen.key] is None]

    def page(self, narrowing: Narrowing, order: Order | None, number: int, size: int) -> Page:
        """Page ``number`` (from 1) of ``size`` rows, with the count and totals of all rows that fit."""
        rows = self._found(narrowing, order)
        totals: dict[str, dict[str, int]] = {}
        for each in self.fields:
            if each.total:
                sums = totals.setdefault(each.key, {})
                for row in rows:
                    if row[each.key] is not None:
                        minor, currency = row[each.key]
                        sums[currency] = sums.get(currency, 0) + minor
        return Page(
            [dict(row) for row in rows[(number - 1) * size : number * size]],
            len(rows),
            {key: [(minor, currency) for currency, minor in sorted(sums.items())] for key, sums in totals.items()} if rows else {},
        )

    def stream(self, narrowing: Narrowing, order: Order | None) -> Iterator[dict[str, Any]]:
        """All rows that fit."""
        yield from (dict(row) for row in self._found(narrowing, order))

"""Exposure in one currency, with the rates it took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from insureflow.domain.money import convert_minor
from insureflow.queries.exposure.figures import AMOUNTS, Figures
from insureflow.queries.rates import DatedRate, RateBook


@dataclass(frozen=True, slots=True)
class Unconvertible:
    """An amount without a rate into the reporting currency."""

    currency: str
    minor: int


@dataclass(slots=True)
class Reported:
    """The amounts of one group in the reporting currency, the rates used, and what could not be converted."""

    group: Any
    currency: str
    amounts: dict[str, int] = field(default_factory=dict)
    rates: tuple[DatedRate, ...] = ()
    unconvertible: tuple[Unconvertible, ...] = ()

    @property
    def uncovered(self) -> int:
        """What is open and not covered."""
        return self.amounts["open"] - self.amounts["covered"]


def report(rows: Sequence[Figures], currency: str, on: date, book: RateBook | None = None) -> list[Reported]:
    """The groups in one currency at the rates of a day, in the order in which they come.

    *Formula:* amount × rate, rounded half-up, row by row. Amounts without rate are listed, by currency, and not in the sums:
    ``ledger_open`` and ``unapplied`` by ledger currency, all others (of which ``open`` is listed) by limit currency.
    """
    rates = book or RateBook.load()
    reported: dict[Any, Reported] = {}
    used: dict[Any, dict[str, DatedRate]] = {}
    missing: dict[Any, dict[str, int]] = {}
    for row in rows:
        group = reported.setdefault(row.group, Reported(row.group, currency, dict.fromkeys(AMOUNTS, 0)))
        for name in AMOUNTS:
            amount = getattr(row, name)
            if not amount:
                continue
            source = row.currency if name in _IN_LEDGER_CURRENCY else row.limit_currency
            rate = rates.find(source, currency, on)
            if rate is None:
                if name in {"ledger_open", "open"} and not (name == "open" and source == row.currency):
                    lost = missing.setdefault(row.group, {})
                    lost[source] = lost.get(source, 0) + amount
                continue
            used.setdefault(row.group, {})[source] = rate
            group.amounts[name] += convert_minor(amount, source, currency, rate.rate)
    for key, group in reported.items():
        group.rates = tuple(rate for source, rate in sorted(used.get(key, {}).items()) if source != currency)
        group.unconvertible = tuple(Unconvertible(source, minor) for source, minor in sorted(missing.get(key, {}).items()))
    return list(reported.values())


_IN_LEDGER_CURRENCY = frozenset({"ledger_open", "unapplied"})

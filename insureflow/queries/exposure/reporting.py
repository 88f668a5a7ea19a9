"""Sums of exposure in one currency, with the rates they took: the only way in which pages and commands add up currencies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction

from insureflow.domain.money import minor_digits
from insureflow.queries.exposure.portfolio import Atom
from insureflow.queries.rates import DatedRate, RateBook


class Reporting:
    """Sums in the reporting currency, and the rates that were used for them.

    *Formula:* Σ over atoms of (amount × rate of the day), each rounded half-up. A currency without a rate is left out of the sum
    and named in ``missing``.
    """

    def __init__(self, currency: str, on: date, rates: RateBook | None = None) -> None:
        self.currency = currency
        self.on = on
        self._rates = rates or RateBook.load()
        self._factors: dict[str, Fraction | None] = {}
        self.used: dict[str, DatedRate] = {}
        self.missing: set[str] = set()

    def sum(self, amounts: Mapping[Atom, int]) -> int:
        """Minor units of the reporting currency."""
        return sum(self.converted(minor, atom[0]) or 0 for atom, minor in amounts.items())

    def converted(self, minor: int, currency: str) -> int | None:
        """One amount; None without a rate."""
        if currency == self.currency or not minor:
            return minor
        if currency not in self._factors:
            self._factors[currency] = self._factor(currency)
        factor = self._factors[currency]
        if factor is None:
            return None
        # Half-up, away from zero, in whole numbers: portfolios have many atoms.
        size = (2 * abs(minor) * factor.numerator + factor.denominator) // (2 * factor.denominator)
        return size if minor > 0 else -size

    def _factor(self, currency: str) -> Fraction | None:
        """Minor units of the reporting currency for one minor unit of another."""
        rate = self._rates.find(currency, self.currency, self.on)
        if rate is None:
            self.missing.add(currency)
            return None
        self.used[currency] = rate
        return Fraction(rate.rate) * Fraction(10) ** (minor_digits(self.currency) - minor_digits(currency))

    @property
    def rates(self) -> Sequence[DatedRate]:
        """The rates used so far, by currency."""
        return [self.used[currency] for currency in sorted(self.used)]

"""Sums of exposure in one currency, with the rates they took: the only way in which pages and commands add up currencies."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Context
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, SQLColumnExpression, case, cast, literal, null

from insureflow.domain.money import minor_digits
from insureflow.queries.rates import DatedRate, RateBook

#: Rates are used with so many digits: more than any published rate has, and few enough to be multiplied in whole numbers.
_DIGITS = Context(prec=16, rounding=ROUND_HALF_UP)

#: Half of the digits that an amount or a rate has at most: products of two halves fit the whole numbers of both databases.
_HALF = 10**8


class Amounts(dict[str, int]):
    """Minor units by currency; ``converted`` holds the same in the reporting currency, each of its parts rounded by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.converted: dict[str, int] = {}

    def add(self, currency: str, minor: Any, converted: Any) -> None:
        """Add an amount; ``converted`` is None without a rate."""
        self[currency] = self.get(currency, 0) + int(minor or 0)
        if converted is not None:
            self.converted[currency] = self.converted.get(currency, 0) + int(converted)


class Reporting:
    """Sums in the reporting currency, and the rates that were used for them.

    *Formula:* Σ over parts of (amount × rate of the day), each rounded half-up. A part is an account's receivables of one currency,
    entity and age. A currency without a rate is left out of the sum and named in ``missing``.
    """

    def __init__(self, currency: str, on: date, rates: RateBook | None = None) -> None:
        self.currency = currency
        self.on = on
        self._rates = rates or RateBook.load()
        self._factors: dict[str, tuple[int, int] | None] = {}
        self.used: dict[str, DatedRate] = {}
        self.missing: set[str] = set()

    def sum(self, amounts: Amounts) -> int:
        """Minor units of the reporting currency."""
        for currency, minor in amounts.items():
            self._note(currency, minor)
        return sum(amounts.converted.values())

    def converted(self, minor: int, currency: str) -> int | None:
        """One amount; None without a rate."""
        if currency == self.currency or not minor:
            return minor
        self._note(currency, minor)
        factor = self._factor(currency)
        if factor is None:
            return None
        # Half-up, away from zero, in whole numbers.
        numerator, denominator = factor[0], 10 ** factor[1]
        size: int = (2 * abs(minor) * numerator + denominator) // (2 * denominator)
        return size if minor > 0 else -size

    def expression(self, minor: ColumnElement[int], currency: SQLColumnExpression[str], currencies: Collection[str]) -> ColumnElement[Any]:
        """What ``converted`` gives, in SQL; ``currencies`` are those that can occur. NULL without a rate."""
        arms: list[tuple[ColumnElement[bool], Any]] = [(currency == self.currency, minor)]
        for code in sorted(set(currencies) - {self.currency}):
            factor = self._factor(code)
            if factor is not None:
                arms.append((currency == code, _product(minor, *factor)))
        return case(*arms, (minor == 0, literal(0, BigInteger)), else_=cast(null(), BigInteger()))

    def _note(self, currency: str, minor: int) -> None:
        """Remember that a currency took part."""
        if currency == self.currency or not minor:
            return
        rate = self._rates.find(currency, self.currency, self.on)
        if rate is None:
            self.missing.add(currency)
        else:
            self.used[currency] = rate

    def _factor(self, currency: str) -> tuple[int, int] | None:
        """Minor units of the reporting currency for one minor unit of another: a whole number and the digits to cut off."""
        if currency not in self._factors:
            rate = self._rates.find(currency, self.currency, self.on)
            self._factors[currency] = None if rate is None else self._whole(rate, minor_digits(self.currency) - minor_digits(currency))
        return self._factors[currency]

    @staticmethod
    def _whole(rate: DatedRate, digits: int) -> tuple[int, int]:
        factor = _DIGITS.create_decimal(rate.rate).normalize(_DIGITS).scaleb(digits)
        _sign, figures, exponent = factor.as_tuple()
        number = int("".join(map(str, figures)))
        return (number, -int(exponent)) if int(exponent) < 0 else (number * 10 ** int(exponent), 0)

    @property
    def rates(self) -> Sequence[DatedRate]:
        """The rates used so far, by currency."""
        return [self.used[currency] for currency in sorted(self.used)]


def _product(minor: ColumnElement[int], numerator: int, cut: int) -> ColumnElement[int]:
    """The amount × numerator ÷ 10^cut, rounded half away from zero, without leaving the whole numbers of 64 bits.

    Both factors are multiplied in two halves, like on paper. Amounts have at most 18 digits, rates 16.
    """
    above, below = divmod(numerator, _HALF)
    high, low = minor // literal(_HALF, BigInteger), minor % literal(_HALF, BigInteger)
    last = low * literal(below, BigInteger)
    middle = high * literal(below, BigInteger) + low * literal(above, BigInteger) + last // literal(_HALF, BigInteger)
    top = high * literal(above, BigInteger) + middle // literal(_HALF, BigInteger)
    if not cut:
        return minor * literal(numerator, BigInteger)
    digits = 16
    if cut <= digits:
        rest = (middle % literal(_HALF, BigInteger)) * literal(_HALF, BigInteger) + last % literal(_HALF, BigInteger)
        rounded = (rest + _half(minor, cut)) // literal(10**cut, BigInteger)
        return top * literal(10 ** (digits - cut), BigInteger) + rounded
    return (top + _half(minor, cut - digits)) // literal(10 ** (cut - digits), BigInteger)


def _half(minor: ColumnElement[int], digits: int) -> ColumnElement[int]:
    half = 5 * 10 ** (digits - 1)
    return case((minor < 0, literal(-half, BigInteger)), else_=literal(half, BigInteger))

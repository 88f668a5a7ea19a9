"""Money: integer minor units and a currency. There is no float anywhere near it.

Rounding is half-up, a half goes away from zero, and it happens only where an amount is booked or reported.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from insureflow.domain.errors import InvalidValue, Refusal

#: Currencies whose minor unit is not a hundredth (ISO 4217).
EXPONENTS: dict[str, int] = {
    **dict.fromkeys(
        ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"),
        0,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}


def minor_digits(currency: str) -> int:
    """Number of decimals of a currency: 0 for JPY, 3 for KWD, 2 for EUR."""
    return EXPONENTS.get(currency, 2)


def round_half_up(value: Fraction | Decimal | int) -> int:
    """Nearest integer; a half goes away from zero (0.5 → 1, −0.5 → −1)."""
    if isinstance(value, int):
        return value
    exact = Fraction(value)
    doubled = 2 * abs(exact.numerator) + exact.denominator
    magnitude = doubled // (2 * exact.denominator)
    return magnitude if exact >= 0 else -magnitude


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An amount of one currency. ``minor`` counts its smallest unit (cents for EUR, whole yen for JPY)."""

    minor: int
    currency: str

    @classmethod
    def of(cls, amount: str | int | Decimal, currency: str, *, path: str = "amount") -> Money:
        """Money from major units. More decimals than the currency has are refused, never rounded away."""
        return cls(to_minor(amount, currency, path=path), currency)

    @classmethod
    def zero(cls, currency: str) -> Money:
        """Nothing, in this currency."""
        return cls(0, currency)

    @property
    def amount(self) -> Decimal:
        """The amount in major units, with all decimals of the currency."""
        return Decimal(self.minor).scaleb(-minor_digits(self.currency))

    def _same(self, other: Money) -> None:
        if other.currency != self.currency:
            raise Refusal("currencies_differ", left=self.currency, right=other.currency)

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.minor - other.minor, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __lt__(self, other: Money) -> bool:
        self._same(other)
        return self.minor < other.minor

    def __le__(self, other: Money) -> bool:
        self._same(other)
        return self.minor <= other.minor

    def __gt__(self, other: Money) -> bool:
        return other < self

    def __ge__(self, other: Money) -> bool:
        return other <= self

    def __bool__(self) -> bool:
        return self.minor != 0

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"


def to_minor(amount: str | int | Decimal, currency: str, *, path: str = "amount") -> int:
    """Minor units of an amount in major units.

    Errors: ``InvalidValue`` with code ``not_an_amount`` or ``too_many_decimals``.
    """
    if isinstance(amount, bool) or not isinstance(amount, str | int | Decimal):
        raise InvalidValue("not_an_amount", path, amount)
    try:
        exact = Decimal(amount)
    except InvalidOperation:
        raise InvalidValue("not_an_amount", path, amount) from None
    if not exact.is_finite():
        raise InvalidValue("not_an_amount", path, amount)
    scaled = Fraction(exact) * 10 ** minor_digits(currency)
    if scaled.denominator != 1:
        raise InvalidValue("too_many_decimals", path, amount, currency=currency, decimals=minor_digits(currency))
    return int(scaled)


def from_minor(minor: int, currency: str) -> Decimal:
    """Amount in major units of a number of minor units."""
    return Decimal(minor).scaleb(-minor_digits(currency))


def convert_minor(minor: int, from_currency: str, to_currency: str, rate: Decimal | Fraction) -> int:
    """Minor units of ``to_currency`` for ``minor`` units of ``from_currency``, rounded half-up.

    ``rate`` is the number of units of ``to_currency`` for one unit of ``from_currency``.
    """
    exact = Fraction(minor) * Fraction(rate) * Fraction(10) ** (minor_digits(to_currency) - minor_digits(from_currency))
    return round_half_up(exact)


def split_minor(minor: int, weights: tuple[int, ...]) -> tuple[int, ...]:
    """Shares of ``minor`` in proportion to ``weights``; the shares always sum to the whole.

    Each share but the last is the rounded running total less what was given before, so no cent is lost or invented.
    """
    total = sum(weights)
    if total <= 0 or any(weight < 0 for weight in weights):
        raise Refusal("weights_not_positive", weights=str(weights))
    shares: list[int] = []
    running = given = 0
    for weight in weights:
        running += weight
        upto = round_half_up(Fraction(minor * running, total))
        shares.append(upto - given)
        given = upto
    return tuple(shares)

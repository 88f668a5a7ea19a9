"""Which invoice a payment pays, at what price in another currency, and what stays as a credit balance."""

from __future__ import annotations

from fractions import Fraction

from insureflow.domain.cover.events import Rate
from insureflow.domain.cover.receivable import Factor, Receivable, convert
from insureflow.domain.money import minor_digits


def factor_for(currency: str, rate: Rate, limit_currency: str) -> Factor:
    """How many minor units of the limit currency one minor unit of another currency makes at a rate."""
    exact = Fraction(rate) * Fraction(10) ** (minor_digits(limit_currency) - minor_digits(currency))
    return exact.numerator, exact.denominator


class Credit:
    """Money or a credit note that waits for invoices.

    ``amount`` is in minor units of its own currency. ``reserved_for`` names the only invoices it may be used for; None
    means any.
    """

    __slots__ = ("amount", "currency", "factor", "reserved_for")

    def __init__(self, amount: int, currency: str, factor: Factor, reserved_for: tuple[str, ...] | None = None) -> None:
        self.amount = amount
        self.currency = currency
        self.factor = factor
        self.reserved_for = reserved_for

    @property
    def value(self) -> int:
        """What is left of it, in limit currency at its own rate."""
        return convert(self.amount, self.factor)

    def is_usable_for(self, invoice: str) -> bool:
        """True if something is left that may be used for this invoice."""
        return self.amount > 0 and (self.reserved_for is None or invoice in self.reserved_for)

    def take_for(self, receivable: Receivable) -> int:
        """Use it on an invoice; gives what comes off the invoice, in the invoice's currency.

        *Formula:* in the same currency one to one. Otherwise the price of the whole invoice is open × invoice rate ÷ own rate,
        rounded; if that is there, the invoice is paid. If not: what is left × own rate ÷ invoice rate, rounded, at most what
        is open, and nothing is left.
        """
        open_gross = receivable.net + receivable.vat
        if receivable.invoice.currency == self.currency:
            taken = min(self.amount, open_gross)
            self.amount -= taken
            return taken
        numerator = receivable.factor[0] * self.factor[1]
        denominator = receivable.factor[1] * self.factor[0]
        price = convert(open_gross, (numerator, denominator))
        if self.amount >= price:
            self.amount -= price
            return open_gross
        left, self.amount = self.amount, 0
        return min(open_gross, convert(left, (denominator, numerator)))

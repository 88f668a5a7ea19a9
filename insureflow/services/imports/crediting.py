"""Credit notes and payments on account in lists of open items: what a list no longer names, or names with less, has been used.

A list says what is open of every document. A credit note that is gone, or smaller, has therefore settled something: first the
invoices of the same buyer and currency that the list shows as reduced, where it takes the place of the payment that would be
inferred otherwise. What is left has settled nothing that the ledger knows of (it was paid out, or set against an invoice that
came and went between two lists): the document shrinks by it, so that no credit is kept that nobody has.
"""

from __future__ import annotations

from datetime import date

from insureflow.domain.money import split_minor
from insureflow.services.imports.booking import Booking, HeldCredit, NewMoney


def take_listed(booking: Booking, credit: HeldCredit, stated_minor: int) -> bool:
    """Follow what a list says is open of a credit; False if the ledger's document cannot be open for so much."""
    rise = stated_minor - credit.unapplied_minor
    if rise <= 0:
        credit.is_named, credit.used_minor = True, -rise
        return True
    uses = [use for use in credit.uses if use.number in booking.held]
    grows = max(rise - sum(use.amount_minor for use in uses), 0)
    if grows and credit.unapplied_minor:
        return False
    credit.is_named = True
    credit.net_minor += grows  # it had shrunk because nobody knew what it was used for: it was not used
    credit.unapplied_minor += grows
    rise -= grows
    for use in uses:
        part = min(use.amount_minor, rise)
        if part:
            booking.held[use.number].open_minor += part
            credit.unapplied_minor += part
            credit.dropped.append((use, part))
            rise -= part
    return True


def settle_credits(booking: Booking, as_of: date) -> None:
    """Use the credits that a list no longer names, and those it names with less, for what was reduced in the meantime."""
    for credit in booking.credits.values():
        if not credit.is_named and credit.unapplied_minor > 0 and credit.on <= as_of:
            credit.used_minor = credit.unapplied_minor
            booking.missing += 1
    used = [credit for credit in booking.credits.values() if credit.used_minor]
    if not used:
        return
    reductions: dict[tuple[int, str], list[NewMoney]] = {}
    for money in booking.payments:
        if money.inferred:
            reductions.setdefault((money.buyer_id, money.currency), []).append(money)
    for credit in sorted(used, key=lambda each: (each.on, each.number)):
        _use(booking, credit, reductions.get((credit.buyer_id, credit.currency), []))
    booking.payments = [money for money in booking.payments if money.amount_minor]


def _use(booking: Booking, credit: HeldCredit, reductions: list[NewMoney]) -> None:
    left = credit.used_minor
    for money in sorted(reductions, key=lambda each: _fitness(booking, credit, each)):
        ((number, _),) = money.settles
        part = min(left, money.amount_minor)
        if part:
            credit.new_uses.append((number, part))
            money.amount_minor -= part
            money.net_minor -= part
            money.settles = [(number, money.amount_minor)]
            left -= part
    credit.unapplied_minor -= credit.used_minor
    if left:
        kept = credit.gross_minor - left
        credit.net_minor, credit.vat_minor = split_minor(kept, (credit.net_minor, credit.vat_minor))


def _fitness(booking: Booking, credit: HeldCredit, money: NewMoney) -> tuple[bool, bool, date, str]:
    """Its own invoice first, then a reduction of just its amount, then the oldest invoice."""
    ((number, _),) = money.settles
    held, new = booking.held.get(number), booking.new.get(number)
    on = held.invoice_on if held is not None else booking.lines.invoice_on[new.position] if new is not None else None
    return number != credit.invoice, money.amount_minor != credit.used_minor, on or date.max, number

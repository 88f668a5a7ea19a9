"""From the lines of a file to a booking: what is new, what is the same, what changed, and what cannot be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from insureflow.domain.receivables import DocumentKind, ImportMode, LedgerLines
from insureflow.services.imports.booking import Booking, NewDispute, NewInvoice, NewMoney


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger knows besides its invoices: numbers of payments and credit notes with their amounts, and open disputes."""

    payments: Mapping[str, int]
    credit_notes: Mapping[str, int]
    disputed: frozenset[str]
    inferred: Mapping[str, int]


def plan(booking: Booking, buyers: Sequence[int | None], known: Known, mode: ImportMode, as_of: date) -> None:
    """Take all lines of the file into the booking. ``buyers`` gives the buyer of each line, None where the line names none.

    Invoices come first, whatever their place in the file, because credit notes and payments refer to them.
    """
    kinds = booking.lines.kind
    reductions: list[int] = []
    if kinds.count(DocumentKind.INVOICE) == len(kinds):
        positions: Sequence[int] = range(len(kinds))
    else:
        positions = [position for position, kind in enumerate(kinds) if kind is DocumentKind.INVOICE]
        reductions = [position for position, kind in enumerate(kinds) if kind is not DocumentKind.INVOICE]
    _take_invoices(booking, positions, buyers)
    _take_reductions(booking, reductions, buyers, known)
    _take_open_amounts(booking, positions, known, as_of)
    _take_settlements(booking, positions)
    _take_disputes(booking, positions, known, as_of)
    if mode is ImportMode.OPEN_ITEMS:
        _settle_missing(booking, as_of)


def _take_invoices(booking: Booking, positions: Sequence[int], buyers: Sequence[int | None]) -> None:
    lines, held, new = booking.lines, booking.held, booking.new
    number_of, marks, gross_of, currency_of = lines.number, lines.fingerprint, lines.gross_minor, lines.currency
    seen: set[str] = set()
    for position in positions:
        number = number_of[position]
        if number is None:
            booking.refuse(position, "number", "missing")
            continue
        if number in seen:
            booking.refuse(position, "number", "number_repeated")
            continue
        seen.add(number)
        known = held.get(number)
        buyer_id = buyers[position]
        if known is None:
            if buyer_id is None:
                booking.refuse(position, "customer_number", "customer_missing")
                continue
            gross = gross_of[position]
            new[number] = NewInvoice(position, buyer_id, currency_of[position], gross, gross)
        elif known.fingerprint == marks[position]:
            booking.unchanged += 1
        else:
            _compare(booking, position, number, buyer_id)


def net_and_vat(lines: LedgerLines, position: int) -> tuple[int, int]:
    """Net and tax of a line; where the file gives the gross amount alone, all of it is net."""
    net, vat = lines.net_minor[position], lines.vat_minor[position]
    return (lines.gross_minor[position], 0) if net is None or vat is None else (net, vat)


def _compare(booking: Booking, position: int, number: str, buyer_id: int | None) -> None:
    """An invoice that the ledger holds with other content: what may change changes, what may not is refused."""
    lines, held = booking.lines, booking.held[number]
    if buyer_id is not None and buyer_id != held.buyer_id:
        booking.refuse(position, "customer_number", "invoice_of_other_buyer", number=number)
        return
    for name, before, after in (
        ("currency", held.currency, lines.currency[position]),
        ("gross_minor", held.gross_minor, lines.gross_minor[position]),
        ("invoice_on", held.invoice_on, lines.invoice_on[position]),
    ):
        if after is not None and before != after:
            booking.refuse(position, name, "invoice_differs", number=number, held=str(before))
            return
    due_on = lines.due_on[position]
    if due_on is not None and due_on != held.due_on:
        held.new_due_on = due_on
    held.new_fingerprint = lines.fingerprint[position]


def _take_reductions(booking: Booking, positions: Sequence[int], buyers: Sequence[int | None], known: Known) -> None:
    """Credit notes and payments in the order of their days; rows of one payment number are one payment."""
    lines = booking.lines
    by_number: dict[tuple[DocumentKind, str], NewMoney] = {}
    rows_of: dict[tuple[DocumentKind, str], list[tuple[int, str | None, int]]] = {}
    for position in positions:
        kind = lines.kind[position]
        applies_to = lines.applies_to[position]
        invoice = booking.find(applies_to) if applies_to is not None else None
        if applies_to is not None and invoice is None:
            booking.refuse(position, "applies_to", "applies_to_unknown", number=applies_to)
            continue
        if invoice is not None and invoice.currency != lines.currency[position]:
            booking.refuse(position, "currency", "currency_of_invoice_differs", number=applies_to, invoiced=invoice.currency)
            continue
        buyer_id = buyers[position] if buyers[position] is not None else (invoice.buyer_id if invoice else None)
        on = lines.paid_on[position] if kind is DocumentKind.PAYMENT else lines.invoice_on[position]
        if buyer_id is None or on is None:
            booking.refuse(
                position, "customer_number" if buyer_id is None else "paid_on", "customer_missing" if buyer_id is None else "missing"
            )
            continue
        number = lines.number[position] or f"{kind.value}-{lines.fingerprint[position]}"
        net, vat = net_and_vat(lines, position)
        key = (kind, number)
        money = by_number.get(key)
        if money is None:
            by_number[key] = NewMoney(number, buyer_id, lines.currency[position], net + vat, net, vat, on, applies_to=applies_to)
        elif kind is DocumentKind.CREDIT_NOTE or (money.buyer_id, money.currency, money.on) != (buyer_id, lines.currency[position], on):
            booking.refuse(position, "number", "number_repeated")
            continue
        else:
            money.amount_minor += net + vat
            money.net_minor += net
            money.vat_minor += vat
        rows_of.setdefault(key, []).append((position, applies_to, net + vat))
    for key, money in sorted(by_number.items(), key=lambda entry: entry[1].on):
        _book_money(booking, key, money, rows_of[key], known)


def _book_money(
    booking: Booking, key: tuple[DocumentKind, str], money: NewMoney, rows: Sequence[tuple[int, str | None, int]], known: Known
) -> None:
    kind, number = key
    before = (known.payments if kind is DocumentKind.PAYMENT else known.credit_notes).get(number)
    if before is not None:
        if before == money.amount_minor:
            booking.unchanged += len(rows)
        else:
            booking.refuse(rows[0][0], "gross_minor", "document_differs", number=number)
        return
    for _position, applies_to, amount in rows:
        if applies_to is not None:
            booking.settle(money, applies_to, amount)
    (booking.payments if kind is DocumentKind.PAYMENT else booking.credit_notes).append(money)


def _take_open_amounts(booking: Booking, positions: Sequence[int], known: Known, as_of: date) -> None:
    """Where the file says what is open, the ledger follows: less is open than booked, so money came; more, so it had not."""
    open_of = booking.lines.open_minor
    if open_of.count(None) == len(open_of):
        return
    for position in positions:
        stated, number = open_of[position], booking.lines.number[position]
        if stated is None or number is None:
            continue
        invoice = booking.find(number)
        if invoice is None or invoice.open_minor == stated:
            continue
        if invoice.open_minor > stated:
            booking.infer_payment(number, invoice.open_minor - stated, as_of, "part")
        elif number in booking.held and known.inferred.get(number, 0) >= stated - invoice.open_minor:
            booking.take_back(number, stated - invoice.open_minor)
        elif stated <= booking.lines.gross_minor[position]:
            booking.refuse(position, "open_minor", "open_amount_rose", number=number)


def _take_settlements(booking: Booking, positions: Sequence[int]) -> None:
    """Invoices that the file says were paid in full on a day."""
    settled = booking.lines.settled_on
    if settled.count(None) == len(settled):
        return
    numbers = booking.lines.number
    for position in positions:
        on, number = settled[position], numbers[position]
        invoice = booking.find(number) if on is not None and number is not None else None
        if invoice is None or on is None or number is None or invoice.open_minor == 0:
            continue
        amount = invoice.open_minor
        money = NewMoney(f"{number}/settled", invoice.buyer_id, invoice.currency, amount, amount, 0, on)
        booking.settle(money, number, amount)
        booking.payments.append(money)


def _take_disputes(booking: Booking, positions: Sequence[int], known: Known, as_of: date) -> None:
    disputed = booking.lines.disputed
    if True not in disputed and not known.disputed:
        return
    for position in positions:
        number = booking.lines.number[position]
        invoice = booking.find(number) if number is not None else None
        if number is None or invoice is None:
            continue
        if disputed[position] and number not in known.disputed and invoice.open_minor > 0:
            amount = min(booking.lines.disputed_minor[position] or invoice.open_minor, invoice.open_minor)
            opened = max(as_of, booking.lines.invoice_on[position] or as_of)
            booking.disputes.append(NewDispute(number, amount, opened, booking.lines.dispute_reason[position] or ""))
        elif not disputed[position] and number in known.disputed:
            booking.settled_disputes.append(number)


def _settle_missing(booking: Booking, as_of: date) -> None:
    """What an open-items list no longer names has been settled by its day; the payment is inferred and marked so."""
    named = {number for number, kind in zip(booking.lines.number, booking.lines.kind, strict=True) if kind is DocumentKind.INVOICE}
    for number, held in booking.held.items():
        if number not in named and held.open_minor > 0 and held.invoice_on <= as_of:
            booking.infer_payment(number, held.open_minor, as_of, "missing")

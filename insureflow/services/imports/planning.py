"""From the lines of a file to a booking: what is new, what is the same, what changed, and what cannot be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from insureflow.connectors.ledgers.profile import Profile
from insureflow.domain.money import from_minor
from insureflow.domain.receivables import DocumentKind, ImportMode, LedgerLines
from insureflow.services.imports.booking import Booking, Held, NewDispute, NewInvoice, NewMoney
from insureflow.services.imports.crediting import settle_credits, take_listed

#: The longest numbers that the ledger keeps.
LONGEST_NUMBER = {DocumentKind.INVOICE: 80, DocumentKind.CREDIT_NOTE: 80, DocumentKind.PAYMENT: 120}


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger knows besides its invoices: numbers of payments and credit notes with their amounts, and open disputes."""

    payments: Mapping[str, int]
    credit_notes: Mapping[str, int]
    disputed: frozenset[str]
    inferred: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Reading:
    """How the lines are to be understood: the mode, the day of a list, and the fields that the file has columns for.

    ``is_gross_open``: the file gives no other amount than what is open, so a smaller one is no other invoice.
    """

    mode: ImportMode
    as_of: date
    fields: frozenset[str]
    is_gross_open: bool

    @classmethod
    def under(cls, profile: Profile, mode: ImportMode, as_of: date) -> Reading:
        """How a profile's lines are to be understood."""
        gross, stated = profile.columns.get("gross"), profile.columns.get("open")
        has_own_gross = gross is not None and stated is not None and (gross.columns, gross.combine) != (stated.columns, stated.combine)
        has_parts = "net" in profile.columns and "vat" in profile.columns
        only_open = mode is ImportMode.OPEN_ITEMS and not has_own_gross and not (has_parts and stated is not None)
        return cls(mode, as_of, frozenset(profile.columns), only_open)

    def stated_open(self, lines: LedgerLines, position: int) -> int | None:
        """What a line says is open: in a list of open items everything that stands in it, unless it says less."""
        stated = lines.open_minor[position]
        return lines.gross_minor[position] if stated is None and self.mode is ImportMode.OPEN_ITEMS else stated


def plan(booking: Booking, buyers: Sequence[int | None], known: Known, reading: Reading) -> None:
    """Take all lines of the file into the booking. ``buyers`` gives the buyer of each line, None where the line names none.

    Invoices come first, whatever their place in the file, because credit notes and payments refer to them. Lines that are
    refused already are left out.
    """
    kinds = booking.lines.kind
    reductions: list[int] = []
    if kinds.count(DocumentKind.INVOICE) == len(kinds):
        positions: Sequence[int] = range(len(kinds))
    else:
        positions = [position for position, kind in enumerate(kinds) if kind is DocumentKind.INVOICE]
        reductions = [position for position, kind in enumerate(kinds) if kind is not DocumentKind.INVOICE]
    _take_invoices(booking, positions, buyers, reading)
    if booking.refused:
        positions = [position for position in positions if position not in booking.refused]
    _take_reductions(booking, reductions, buyers, known, reading)
    _take_open_amounts(booking, positions, known, reading)
    _take_settlements(booking, positions)
    if reading.fields & {"disputed", "disputed_amount", "dispute_reason"}:
        _take_disputes(booking, positions, known, reading.as_of)
    if reading.mode is ImportMode.OPEN_ITEMS:
        _settle_missing(booking, reading.as_of)
        settle_credits(booking, reading.as_of)


# ---------------------------------------------------------------------- invoices


def _take_invoices(booking: Booking, positions: Sequence[int], buyers: Sequence[int | None], reading: Reading) -> None:
    lines, held, new, refused = booking.lines, booking.held, booking.new, booking.refused
    number_of, marks, gross_of, currency_of = lines.number, lines.fingerprint, lines.gross_minor, lines.currency
    longest = LONGEST_NUMBER[DocumentKind.INVOICE]
    seen: set[str] = set()
    for position in positions:
        number = number_of[position]
        if position in refused:
            continue
        if number is None:
            booking.refuse(position, "number", "missing")
            continue
        if len(number) > longest:
            booking.refuse(position, "number", "too_long", length=len(number), maximum=longest)
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
            _compare(booking, position, known, buyer_id, reading)


def net_and_vat(lines: LedgerLines, position: int) -> tuple[int, int]:
    """Net and tax of a line; where the file gives the gross amount alone, all of it is net."""
    net, vat = lines.net_minor[position], lines.vat_minor[position]
    return (lines.gross_minor[position], 0) if net is None or vat is None else (net, vat)


def _compare(booking: Booking, position: int, held: Held, buyer_id: int | None, reading: Reading) -> None:
    """An invoice that the ledger holds with other content: what may change changes, what may not is refused."""
    lines = booking.lines
    number = lines.number[position]
    if buyer_id is not None and buyer_id != held.buyer_id:
        booking.refuse(position, "customer_number", "invoice_of_other_buyer", number=number)
        return
    currency, gross = lines.currency[position], lines.gross_minor[position]
    if currency != held.currency:
        booking.refuse(position, "currency", "invoice_differs", number=number, held=held.currency)
        return
    if gross != held.gross_minor and not (reading.is_gross_open and gross < held.gross_minor):
        held_gross = f"{from_minor(held.gross_minor, currency)} {currency}"
        booking.refuse(position, "gross_minor", "invoice_differs", number=number, held=held_gross)
        return
    invoice_on = lines.invoice_on[position]
    if invoice_on is not None and invoice_on != held.invoice_on:
        booking.refuse(position, "invoice_on", "invoice_differs", number=number, held=held.invoice_on.isoformat())
        return
    _note_changes(lines, position, held, reading)


def _note_changes(lines: LedgerLines, position: int, held: Held, reading: Reading) -> None:
    """What the file says otherwise than the ledger. A field that the file has no column for stays as it is."""
    # a line without an original due date carries its due date there, which an extension must not push into the ledger
    told: dict[str, object] = {"due_on": lines.due_on[position]}
    optional: dict[str, object] = {
        "shipment_on": lines.shipment_on[position],
        "original_due_on": lines.original_due_on[position] if lines.original_due_on[position] != lines.due_on[position] else None,
        "terms": (lines.terms_code[position] or "")[:60] or None,
        "reference": (lines.reference[position] or "")[:200] or None,
    }
    told |= {name: value for name, value in optional.items() if name in reading.fields}
    if lines.was_disputed[position] or lines.disputed[position]:
        told["was_disputed"] = True
    if lines.gross_minor[position] == held.gross_minor and lines.net_minor[position] is not None:
        told["net_minor"], told["vat_minor"] = net_and_vat(lines, position)
    held.changes = {name: value for name, value in told.items() if value is not None and value != getattr(held, name)}
    held.changes["fingerprint"] = lines.fingerprint[position]


# ---------------------------------------------------------------------- credit notes and payments


def _take_reductions(booking: Booking, positions: Sequence[int], buyers: Sequence[int | None], known: Known, reading: Reading) -> None:
    """Credit notes and payments in the order of their days; rows of one payment number are one payment."""
    lines = booking.lines
    groups: dict[tuple[DocumentKind, str], list[int]] = {}
    for position in positions:
        kind = lines.kind[position]
        groups.setdefault((kind, lines.number[position] or f"{kind.value}-{lines.fingerprint[position]}"), []).append(position)
    planned: list[tuple[DocumentKind, NewMoney, list[int]]] = []
    for (kind, number), rows in groups.items():
        money = _money_of(booking, kind, number, rows, buyers)
        bad = [position for position in rows if position in booking.refused]
        if money is None or bad:
            for position in rows:
                if position not in booking.refused:
                    booking.refuse(position, "number", "document_incomplete", number=number)
            continue
        planned.append((kind, money, rows))
    for kind, money, rows in sorted(planned, key=lambda entry: entry[1].on):
        _book_money(booking, kind, money, rows, known, reading)


def _money_of(booking: Booking, kind: DocumentKind, number: str, rows: Sequence[int], buyers: Sequence[int | None]) -> NewMoney | None:
    """The payment or credit note that these rows make up; None where not one of them can be booked."""
    lines = booking.lines
    money: NewMoney | None = None
    for position in rows:
        if position in booking.refused:
            continue
        if len(number) > LONGEST_NUMBER[kind]:
            booking.refuse(position, "number", "too_long", length=len(number), maximum=LONGEST_NUMBER[kind])
            continue
        applies_to = lines.applies_to[position]
        invoice = booking.find(applies_to) if applies_to is not None else None
        if applies_to is not None and invoice is None:
            booking.refuse(position, "applies_to", "applies_to_unknown", number=applies_to)
            continue
        if invoice is not None and invoice.currency != lines.currency[position]:
            booking.refuse(position, "currency", "currency_of_invoice_differs", number=applies_to, invoiced=invoice.currency)
            continue
        buyer_id = buyers[position]
        if invoice is not None and buyer_id is not None and buyer_id != invoice.buyer_id:
            booking.refuse(position, "applies_to", "invoice_of_other_buyer", number=applies_to)
            continue
        if buyer_id is None and invoice is not None:
            buyer_id = invoice.buyer_id
        on = lines.paid_on[position] if kind is DocumentKind.PAYMENT else lines.invoice_on[position]
        if buyer_id is None:
            booking.refuse(position, "customer_number", "customer_missing")
            continue
        if on is None:
            booking.refuse(position, "paid_on", "missing")
            continue
        net, vat = net_and_vat(lines, position)
        if money is None:
            money = NewMoney(number, buyer_id, lines.currency[position], net + vat, net, vat, on, applies_to=applies_to)
        elif kind is DocumentKind.CREDIT_NOTE or (money.buyer_id, money.currency, money.on) != (buyer_id, lines.currency[position], on):
            booking.refuse(position, "number", "number_repeated")
        else:
            money.amount_minor += net + vat
            money.net_minor += net
            money.vat_minor += vat
    return money


def _book_money(booking: Booking, kind: DocumentKind, money: NewMoney, rows: Sequence[int], known: Known, reading: Reading) -> None:
    lines = booking.lines
    credit = booking.credits.get((kind, money.number))
    if credit is not None and (credit.buyer_id, credit.currency) == (money.buyer_id, money.currency):
        stated = sum(reading.stated_open(lines, position) or 0 for position in rows)
        if not take_listed(booking, credit, stated):
            held = f"{from_minor(credit.unapplied_minor, credit.currency)} {credit.currency}"
            booking.refuse(rows[0], "gross_minor", "credit_rose", number=money.number, held=held)
        elif not credit.is_changed and not credit.used_minor:
            booking.unchanged += len(rows)
        return
    before = (known.payments if kind is DocumentKind.PAYMENT else known.credit_notes).get(money.number)
    if before is not None:
        if before == money.amount_minor:
            booking.unchanged += len(rows)
        else:
            held = f"{from_minor(before, money.currency)} {money.currency}"
            booking.refuse(rows[0], "gross_minor", "document_differs", number=money.number, held=held)
        return
    if kind is DocumentKind.PAYMENT and not money.amount_minor:
        return  # nothing was paid; reading has warned about it
    for position in rows:
        applies_to = lines.applies_to[position]
        if applies_to is not None:
            # a list of open items names what is not used yet, whatever it is meant for
            still_open = reading.stated_open(lines, position) if reading.mode is ImportMode.OPEN_ITEMS else None
            booking.settle(money, applies_to, lines.gross_minor[position] - (still_open or 0))
    (booking.payments if kind is DocumentKind.PAYMENT else booking.credit_notes).append(money)


# ---------------------------------------------------------------------- what is open


def _take_open_amounts(booking: Booking, positions: Sequence[int], known: Known, reading: Reading) -> None:
    """Where the file says what is open, the ledger follows: less is open than booked, so money came; more, so it had not."""
    lines = booking.lines
    open_of = lines.open_minor
    if reading.mode is not ImportMode.OPEN_ITEMS and open_of.count(None) == len(open_of):
        return
    for position in positions:
        stated, number = reading.stated_open(lines, position), lines.number[position]
        invoice = booking.find(number) if stated is not None and number is not None else None
        if stated is None or number is None or invoice is None:
            continue
        stated = min(stated, invoice.gross_minor)
        if invoice.open_minor > stated:
            booking.infer_payment(number, invoice.open_minor - stated, reading.as_of, "part")
        elif invoice.open_minor < stated:
            if number in booking.held and known.inferred.get(number, 0) >= stated - invoice.open_minor:
                booking.take_back(number, stated - invoice.open_minor)
            else:
                held = f"{from_minor(invoice.open_minor, invoice.currency)} {invoice.currency}"
                name = "open_minor" if open_of[position] is not None else "gross_minor"
                booking.refuse(position, name, "open_amount_rose", number=number, held=held)


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
            booking.missing += 1

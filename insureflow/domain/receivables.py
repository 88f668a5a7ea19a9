"""The receivables ledger as values: documents, payment terms, what must add up, and what a file's row may say.

A ledger line is one document of the seller's ledger: an invoice, a credit note or a payment. Amounts of a line are never
negative: the kind of the document gives the direction. ``LedgerLines`` holds many lines column by column, because a ledger
of a hundred thousand rows is checked and stored faster that way.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, timedelta
from enum import StrEnum
from hashlib import blake2b
from types import MappingProxyType

from insureflow.domain.errors import InvalidValue


class DocumentKind(StrEnum):
    """What a line of the ledger is."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
    PAYMENT = "payment"


class ImportMode(StrEnum):
    """How a ledger file is to be understood.

    *movements*: what happened (invoices, credit notes, payments). *open_items*: everything that is open on a day; what is
    missing from the list has been settled.
    """

    MOVEMENTS = "movements"
    OPEN_ITEMS = "open_items"


class TermsStart(StrEnum):
    """The day from which payment terms are counted."""

    INVOICE_DATE = "invoice_date"
    MONTH_END = "month_end"


@dataclass(frozen=True, slots=True)
class PaymentTerms:
    """The time a buyer has to pay: months and days from the invoice date, or from the end of the invoice's month."""

    days: int = 0
    months: int = 0
    start: TermsStart = TermsStart.INVOICE_DATE

    def __post_init__(self) -> None:
        for name, value in (("days", self.days), ("months", self.months)):
            if value < 0:
                raise InvalidValue("negative_terms", f"terms.{name}", value)


def calculate_due_on(invoice_on: date, terms: PaymentTerms) -> date:
    """Due date of an invoice under its payment terms.

    *Formula:* from the invoice date, months are added first (a day the month does not have becomes its last day), then days.
    From the end of the month: the end of the month that lies ``months`` after the invoice's month, plus ``days``.
    *Source:* end-of-month terms run to the end of the month n months after the invoice month, not month end plus n × 30 days.
    """
    if terms.start is TermsStart.MONTH_END:
        return _month_later(invoice_on.replace(day=1), terms.months, last_day=True) + timedelta(days=terms.days)
    return _month_later(invoice_on, terms.months, last_day=False) + timedelta(days=terms.days)


def _month_later(on: date, months: int, *, last_day: bool) -> date:
    year, month = divmod(on.year * 12 + on.month - 1 + months, 12)
    length = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, length if last_day else min(on.day, length))


def complete_amounts(net_minor: int | None, vat_minor: int | None, gross_minor: int | None) -> tuple[int | None, int | None, int]:
    """Net, tax and gross of a document; any two give the third, and gross alone is enough.

    *Formula:* gross = net + tax.
    Errors: ``InvalidValue`` with code ``amounts_do_not_add_up`` or ``gross_missing``.
    """
    if gross_minor is None:
        if net_minor is None or vat_minor is None:
            raise InvalidValue("gross_missing", "gross")
        return net_minor, vat_minor, net_minor + vat_minor
    if net_minor is None:
        if vat_minor is None:
            return None, None, gross_minor
        return gross_minor - vat_minor, vat_minor, gross_minor
    if vat_minor is None:
        return net_minor, gross_minor - net_minor, gross_minor
    if net_minor + vat_minor != gross_minor:
        raise InvalidValue("amounts_do_not_add_up", "gross", gross_minor, difference_minor=gross_minor - net_minor - vat_minor)
    return net_minor, vat_minor, gross_minor


@dataclass(frozen=True, slots=True)
class RowProblem:
    """What is wrong, or noteworthy, in one row of a ledger file.

    ``row`` counts from 1 with the heading included, as a spreadsheet shows it; ``column`` is the heading in the file (or
    None when the whole row is meant), ``value`` the text as it stands there, ``code`` and ``parameters`` the reason.
    """

    row: int
    column: str | None
    value: str | None
    code: str
    parameters: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One document of the seller's ledger, as a file states it.

    ``invoice_on`` is the date of the invoice or credit note; a payment has ``paid_on`` instead. ``settled_on`` says that an
    invoice was paid in full on that day. ``open_minor`` is what the file says is still open (None: not said).
    ``applies_to`` is the number of the invoice that a credit note or payment reduces. ``disputed`` is a dispute that
    stands, ``was_disputed`` a mark of a closed invoice. A payment may lack a number, and a customer when ``applies_to``
    names the invoice. ``due_on`` of an invoice is always known.
    """

    row: int
    kind: DocumentKind
    number: str | None
    customer_number: str | None
    customer_name: str | None
    country: str | None
    currency: str
    net_minor: int | None
    vat_minor: int | None
    gross_minor: int
    invoice_on: date | None
    shipment_on: date | None
    due_on: date | None
    original_due_on: date | None
    terms_code: str | None
    terms_days: int | None
    paid_on: date | None
    settled_on: date | None
    open_minor: int | None
    applies_to: str | None
    disputed: bool
    disputed_minor: int | None
    dispute_reason: str | None
    was_disputed: bool
    reference: str | None
    vat_number: str | None
    registration_number: str | None
    lei: str | None
    trading_name: str | None
    electronic_address: str | None
    entity_code: str | None
    fingerprint: str = ""


#: Names of the columns of ``LedgerLines``, in the order of the fields of ``LedgerLine``.
LINE_FIELDS: tuple[str, ...] = tuple(entry.name for entry in fields(LedgerLine))

#: What makes a line what it is: everything but its place in the file. Names of the customer are left out on purpose, since a
#: respelled name does not make another document.
_IDENTIFYING = (
    "kind",
    "entity_code",
    "customer_number",
    "number",
    "currency",
    "net_minor",
    "vat_minor",
    "gross_minor",
    "invoice_on",
    "shipment_on",
    "due_on",
    "original_due_on",
    "terms_code",
    "paid_on",
    "settled_on",
    "open_minor",
    "applies_to",
    "disputed",
    "disputed_minor",
    "dispute_reason",
    "was_disputed",
    "reference",
)

#: Stands between the values of a mark; it cannot occur in a text.
_APART = "\x1f"


@dataclass(slots=True)
class LedgerLines:
    """Many ledger lines, column by column; position i of every column belongs to the same line."""

    row: list[int]
    kind: list[DocumentKind]
    number: list[str | None]
    customer_number: list[str | None]
    customer_name: list[str | None]
    country: list[str | None]
    currency: list[str]
    net_minor: list[int | None]
    vat_minor: list[int | None]
    gross_minor: list[int]
    invoice_on: list[date | None]
    shipment_on: list[date | None]
    due_on: list[date | None]
    original_due_on: list[date | None]
    terms_code: list[str | None]
    terms_days: list[int | None]
    paid_on: list[date | None]
    settled_on: list[date | None]
    open_minor: list[int | None]
    applies_to: list[str | None]
    disputed: list[bool]
    disputed_minor: list[int | None]
    dispute_reason: list[str | None]
    was_disputed: list[bool]
    reference: list[str | None]
    vat_number: list[str | None]
    registration_number: list[str | None]
    lei: list[str | None]
    trading_name: list[str | None]
    electronic_address: list[str | None]
    entity_code: list[str | None]
    fingerprint: list[str]

    @classmethod
    def from_lines(cls, lines: Iterable[LedgerLine]) -> LedgerLines:
        """The same lines in columns."""
        rows = list(lines)
        return cls(**{name: [getattr(line, name) for line in rows] for name in LINE_FIELDS})

    def __len__(self) -> int:
        return len(self.row)

    def __iter__(self) -> Iterator[LedgerLine]:
        return map(LedgerLine, *(getattr(self, name) for name in LINE_FIELDS))

    def line(self, position: int) -> LedgerLine:
        """The line at a position."""
        return LedgerLine(**{name: getattr(self, name)[position] for name in LINE_FIELDS})

    def select(self, positions: Sequence[int]) -> LedgerLines:
        """Only the lines at these positions, in this order."""
        return LedgerLines(**{name: list(map(getattr(self, name).__getitem__, positions)) for name in LINE_FIELDS})

    def total_minor(self, kind: DocumentKind = DocumentKind.INVOICE) -> dict[str, int]:
        """Gross total of one kind of document per currency, in minor units."""
        totals: dict[str, int] = {}
        for of_kind, currency, gross in zip(self.kind, self.currency, self.gross_minor, strict=True):
            if of_kind is kind:
                totals[currency] = totals.get(currency, 0) + gross
        return totals


def calculate_fingerprints(lines: LedgerLines) -> list[str]:
    """A mark of each line's content, the same whenever the same document is read again, from whatever kind of file.

    Lines with the same content (two equal payments of one day) are told apart by counting them, so each mark is unique.
    """
    columns: list[Iterable[object]] = []
    template = ""
    for name in _IDENTIFYING:
        column = getattr(lines, name)
        has_gaps = None in column
        if has_gaps and column.count(None) == len(column):
            template += _APART
            continue
        template += "%s" + _APART
        if has_gaps:
            columns.append(["" if value is None else value for value in column])
        else:
            columns.append(column)
    marks = [template % values for values in zip(*columns, strict=True)] if len(lines) else []
    digests = [blake2b(mark.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest() for mark in marks]
    if len(set(digests)) == len(digests):
        return digests
    seen: dict[str, int] = {}
    for position, digest in enumerate(digests):
        times = seen[digest] = seen.get(digest, 0) + 1
        if times > 1:
            digests[position] = blake2b(f"{marks[position]}{times}".encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    return digests

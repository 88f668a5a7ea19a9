"""What an import is going to write, put together before anything is written.

A ``Booking`` starts from what the ledger holds and takes line after line: it knows what is open of each invoice, old or new, and
which rows cannot be booked and why. Amounts are minor units of the document's own currency.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Any

from insureflow.domain.receivables import LedgerLines, RowProblem

#: Columns of ``invoice`` in the order of a new invoice's row.
INVOICE_COLUMNS = (
    "id",
    "organisation_id",
    "entity_id",
    "buyer_id",
    "batch_id",
    "number",
    "reference",
    "currency",
    "net_minor",
    "vat_minor",
    "open_minor",
    "rate_source",
    "invoice_on",
    "shipment_on",
    "due_on",
    "original_due_on",
    "terms",
    "was_disputed",
    "fingerprint",
)


@dataclass(slots=True)
class Held:
    """An invoice that the ledger holds already, and what is open of it as the booking goes on."""

    id: int
    buyer_id: int
    currency: str
    net_minor: int
    vat_minor: int
    open_minor: int
    invoice_on: date
    due_on: date
    fingerprint: str
    batch_id: int | None
    first_open_minor: int = 0
    new_due_on: date | None = None
    new_fingerprint: str | None = None

    @property
    def gross_minor(self) -> int:
        """What was invoiced."""
        return self.net_minor + self.vat_minor


@dataclass(slots=True)
class NewInvoice:
    """An invoice of the file that the ledger does not hold; ``position`` is that of its line."""

    position: int
    buyer_id: int
    currency: str
    gross_minor: int
    open_minor: int


@dataclass(slots=True)
class NewMoney:
    """A payment or credit note to be booked, with what it settles: pairs of invoice number and amount."""

    number: str
    buyer_id: int
    currency: str
    amount_minor: int
    net_minor: int
    vat_minor: int
    on: date
    inferred: bool = False
    applies_to: str | None = None
    settles: list[tuple[str, int]] = field(default_factory=list)

    @property
    def unapplied_minor(self) -> int:
        """What settles no invoice."""
        return self.amount_minor - sum(amount for _number, amount in self.settles)


@dataclass(slots=True)
class NewDispute:
    """A dispute that the file reports for an invoice."""

    number: str
    amount_minor: int
    opened_on: date
    reason: str


@dataclass(slots=True)
class Booking:
    """Everything an import will write, and every row it cannot book."""

    lines: LedgerLines
    headings: Mapping[str, str | None]
    held: dict[str, Held]
    new: dict[str, NewInvoice] = field(default_factory=dict)
    payments: list[NewMoney] = field(default_factory=list)
    credit_notes: list[NewMoney] = field(default_factory=list)
    disputes: list[NewDispute] = field(default_factory=list)
    settled_disputes: list[str] = field(default_factory=list)
    taken_back: list[tuple[str, int]] = field(default_factory=list)
    problems: list[RowProblem] = field(default_factory=list)
    unchanged: int = 0
    settled_on: date = date.min
    closed_dispute_ids: list[int] = field(default_factory=list)

    def refuse(self, position: int, name: str, code: str, value: object = None, **parameters: object) -> None:
        """Note that a row cannot be booked."""
        shown = getattr(self.lines, name, None)
        text = value if value is not None else (shown[position] if shown is not None else None)
        self.problems.append(
            RowProblem(
                self.lines.row[position],
                self.headings.get(name) or name,
                None if text is None else str(text),
                code,
                MappingProxyType(parameters),
            )
        )

    def find(self, number: str) -> Held | NewInvoice | None:
        """The invoice with this number, held or new."""
        return self.held.get(number) or self.new.get(number)

    def settle(self, money: NewMoney, number: str, wanted_minor: int) -> None:
        """Let money settle an invoice as far as it is open."""
        invoice = self.find(number)
        if invoice is None:
            raise LookupError(number)
        amount = min(wanted_minor, invoice.open_minor)
        if amount > 0:
            invoice.open_minor -= amount
            money.settles.append((number, amount))

    def infer_payment(self, number: str, amount_minor: int, on: date, why: str) -> None:
        """Book a payment that nobody wrote down but that must have been: the item is open for less, or no longer at all."""
        invoice = self.find(number)
        if invoice is None:
            raise LookupError(number)
        money = NewMoney(
            f"{number}/{why}/{on.isoformat()}", invoice.buyer_id, invoice.currency, amount_minor, amount_minor, 0, on, inferred=True
        )
        self.settle(money, number, amount_minor)
        self.payments.append(money)

    def take_back(self, number: str, amount_minor: int) -> None:
        """Take back inferred payments of an invoice that turns out to be open for more."""
        held = self.held[number]
        held.open_minor += amount_minor
        self.taken_back.append((number, amount_minor))

    @property
    def changed(self) -> list[str]:
        """Numbers of held invoices that will change."""
        return [
            number
            for number, held in self.held.items()
            if held.open_minor != held.first_open_minor or held.new_due_on is not None or held.new_fingerprint is not None
        ]

    @property
    def is_empty(self) -> bool:
        """True if nothing at all would change."""
        touched = self.new or self.payments or self.credit_notes or self.disputes or self.settled_disputes or self.taken_back
        return not touched and not any(self.held[number].new_due_on is not None for number in self.changed)


Progress = Callable[[str, int, int | None], None]


def nobody_listens(_stage: str, _done: int, _total: int | None) -> Any:
    """What progress is told to where nobody waits."""

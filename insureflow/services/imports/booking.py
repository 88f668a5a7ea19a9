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

from insureflow.domain.money import from_minor
from insureflow.domain.receivables import DocumentKind, LedgerLines, RowProblem


@dataclass(slots=True)
class Held:
    """An invoice that the ledger holds already, what is open of it as the booking goes on, and what will change of it.

    ``changes`` maps columns to their new values; what is open is not among them.
    """

    id: int
    buyer_id: int
    currency: str
    net_minor: int
    vat_minor: int
    open_minor: int
    invoice_on: date
    shipment_on: date
    due_on: date
    original_due_on: date
    terms: str
    reference: str
    was_disputed: bool
    fingerprint: str
    first_open_minor: int = 0
    changes: dict[str, Any] = field(default_factory=dict)

    @property
    def gross_minor(self) -> int:
        """What was invoiced."""
        return self.net_minor + self.vat_minor

    @property
    def is_changed(self) -> bool:
        """True if the receivable itself changes; another mark of the same content is no change."""
        return self.open_minor != self.first_open_minor or bool(self.changes.keys() - {"fingerprint"})

    def before_and_after(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """What the changed columns hold now, and what they will hold."""
        after = dict(self.changes)
        before = {name: getattr(self, name) for name in after}
        if self.open_minor != self.first_open_minor:
            before["open_minor"], after["open_minor"] = self.first_open_minor, self.open_minor
        return before, after


@dataclass(slots=True)
class Use:
    """What a held credit settles of an invoice: key, invoice and amount of the allocation."""

    id: int
    number: str
    amount_minor: int


@dataclass(slots=True)
class HeldCredit:
    """A credit note, or a payment on account that a list brought, as the ledger holds it and as the booking goes on.

    ``before``: net, tax and what is not applied, as the ledger has them. ``used_minor`` is what the list says has been used.
    """

    kind: DocumentKind
    id: int
    number: str
    buyer_id: int
    currency: str
    net_minor: int
    vat_minor: int
    unapplied_minor: int
    on: date
    before: tuple[int, int, int]
    invoice: str | None = None
    uses: list[Use] = field(default_factory=list)
    is_named: bool = False
    used_minor: int = 0
    new_uses: list[tuple[str, int]] = field(default_factory=list)
    dropped: list[tuple[Use, int]] = field(default_factory=list)

    @property
    def gross_minor(self) -> int:
        """The whole of it."""
        return self.net_minor + self.vat_minor

    @property
    def is_changed(self) -> bool:
        """True if anything of it changes."""
        return self.before != (self.net_minor, self.vat_minor, self.unapplied_minor) or bool(self.new_uses or self.dropped)


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
    """Everything an import will write, and every row it cannot book.

    Buyers that are still to be made have negative keys until ``take_keys`` gives them their own.
    """

    lines: LedgerLines
    headings: Mapping[str, str | None]
    held: dict[str, Held]
    settled_on: date
    used_numbers: set[str] = field(default_factory=set)
    new: dict[str, NewInvoice] = field(default_factory=dict)
    payments: list[NewMoney] = field(default_factory=list)
    credit_notes: list[NewMoney] = field(default_factory=list)
    disputes: list[NewDispute] = field(default_factory=list)
    settled_disputes: list[str] = field(default_factory=list)
    taken_back: list[tuple[str, int]] = field(default_factory=list)
    credits: dict[tuple[DocumentKind, str], HeldCredit] = field(default_factory=dict)
    problems: list[RowProblem] = field(default_factory=list)
    refused: set[int] = field(default_factory=set)
    unchanged: int = 0
    missing: int = 0

    def refuse(self, position: int, name: str, code: str, value: object = None, **parameters: object) -> None:
        """Note that a row cannot be booked."""
        shown = getattr(self.lines, name, None)
        cell = value if value is not None else (shown[position] if shown is not None else None)
        if isinstance(cell, int) and name.endswith("_minor"):
            cell = from_minor(cell, self.lines.currency[position])
        self.refused.add(position)
        self.problems.append(
            RowProblem(
                self.lines.row[position],
                self.headings.get(name) or name,
                None if cell is None else str(cell),
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
        name = free = f"{number}/{why}/{on.isoformat()}"
        again = 1
        while free in self.used_numbers:
            again += 1
            free = f"{name}/{again}"
        self.used_numbers.add(free)
        money = NewMoney(free, invoice.buyer_id, invoice.currency, amount_minor, amount_minor, 0, on, inferred=True)
        self.settle(money, number, amount_minor)
        self.payments.append(money)

    def take_back(self, number: str, amount_minor: int) -> None:
        """Take back inferred payments of an invoice that turns out to be open for more."""
        held = self.held[number]
        held.open_minor += amount_minor
        self.taken_back.append((number, amount_minor))

    def take_keys(self, key_of: Mapping[int, int]) -> None:
        """Put the keys of buyers that have been made in the place of those they were planned under."""
        for entry in self.documents:
            if entry.buyer_id < 0:
                entry.buyer_id = key_of[entry.buyer_id]

    @property
    def documents(self) -> list[NewInvoice | NewMoney]:
        """Every invoice, payment and credit note that is new."""
        return [*self.new.values(), *self.payments, *self.credit_notes]

    @property
    def buyers(self) -> set[int]:
        """Keys of the buyers whose accounts will change."""
        touched = {entry.buyer_id for entry in self.documents}
        touched |= {held.buyer_id for held in self.held.values() if held.is_changed}
        touched |= {credit.buyer_id for credit in self.changed_credits}
        return touched | self.disputing_buyers

    @property
    def disputing_buyers(self) -> set[int]:
        """Keys of the buyers whose disputes begin or end."""
        disputed = [*self.settled_disputes, *(dispute.number for dispute in self.disputes)]
        return {found.buyer_id for found in map(self.find, disputed) if found is not None}

    @property
    def marked(self) -> list[Held]:
        """The held invoices of which anything is written, if only the mark of their content."""
        return [held for held in self.held.values() if held.changes or held.open_minor != held.first_open_minor]

    @property
    def changed_credits(self) -> list[HeldCredit]:
        """The held credit notes and payments on account that change."""
        return [credit for credit in self.credits.values() if credit.is_changed]

    @property
    def changed(self) -> int:
        """How many held invoices change."""
        return sum(held.is_changed for held in self.held.values())

    @property
    def is_empty(self) -> bool:
        """True if nothing at all would change."""
        if self.new or self.payments or self.credit_notes or self.disputes or self.settled_disputes or self.taken_back:
            return False
        if self.changed_credits:
            return False
        return not any(held.is_changed for held in self.held.values())


Progress = Callable[[str, int, int | None], None]


def nobody_listens(_stage: str, _done: int, _total: int | None) -> Any:
    """What progress is told to where nobody waits."""

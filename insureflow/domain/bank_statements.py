"""Bank statements as values: accounts, balances, bookings, and whether a statement adds up.

A statement has bookings; a booking that the bank made for several payments at once has parts. Amounts are never negative: a
booking says whether the account gained or lost.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from hashlib import blake2b

from insureflow.domain.money import Money
from insureflow.domain.receivables import RowProblem


class StatementKind(StrEnum):
    """What the bank sent: a statement with balances, or a notice about single bookings."""

    STATEMENT = "statement"
    NOTIFICATION = "notification"


class EntryStatus(StrEnum):
    """Whether the bank has booked an entry, will book it, or only tells of it."""

    BOOKED = "booked"
    PENDING = "pending"
    INFORMATION = "information"


@dataclass(frozen=True, slots=True)
class BankEntry:
    """One payment of a bank statement: a booking, or a part of one.

    ``references`` are structured references of the creditor, ``text`` everything else that the payer or the bank wrote.
    ``counterparty`` is who paid (or was paid). ``instructed`` is the amount that was ordered, where it was in another currency or
    another amount than the one booked; ``charges_minor`` what the bank says it kept, in the currency of the booking.
    """

    row: int
    amount_minor: int
    currency: str
    is_credit: bool
    status: EntryStatus = EntryStatus.BOOKED
    is_reversal: bool = False
    booked_on: date | None = None
    value_on: date | None = None
    bank_reference: str = ""
    end_to_end_id: str = ""
    references: tuple[str, ...] = ()
    text: str = ""
    counterparty_name: str = ""
    counterparty_account: str = ""
    instructed: Money | None = None
    charges_minor: int = 0
    code: str = ""

    @property
    def on(self) -> date | None:
        """The day of the entry: that of the booking, or of the value where the bank names no other."""
        return self.booked_on or self.value_on

    @property
    def signed_minor(self) -> int:
        """What the account gained, negative where it lost."""
        return self.amount_minor if self.is_credit else -self.amount_minor


@dataclass(frozen=True, slots=True)
class Booking:
    """One line of an account: its reference at the bank, and the payments it consists of."""

    reference: str
    parts: tuple[BankEntry, ...]

    @property
    def amount_minor(self) -> int:
        """The whole of it."""
        return sum(part.amount_minor for part in self.parts)


@dataclass(frozen=True, slots=True)
class Balance:
    """What stood on an account on a day; negative where it was overdrawn."""

    amount: Money
    on: date | None


@dataclass(frozen=True, slots=True)
class BankStatement:
    """One statement of one account. ``source`` names the kind of message (``camt.053.001.08``, ``mt940``)."""

    kind: StatementKind
    source: str
    identification: str
    sequence: str
    account: str
    currency: str
    from_on: date | None
    to_on: date | None
    opening: Balance | None
    closing: Balance | None
    bookings: tuple[Booking, ...]

    @property
    def entries(self) -> tuple[BankEntry, ...]:
        """Every payment of the statement."""
        return tuple(part for booking in self.bookings for part in booking.parts)


@dataclass(frozen=True, slots=True)
class StatementFile:
    """Everything a file of the bank held: statements, entries that could not be read, and what is noteworthy."""

    statements: tuple[BankStatement, ...]
    problems: tuple[RowProblem, ...] = ()
    warnings: tuple[RowProblem, ...] = ()


class BalanceCheck(StrEnum):
    """Whether the bookings of a statement lead from its opening to its closing balance."""

    ADDS_UP = "adds_up"
    DIFFERS = "differs"
    NOT_STATED = "not_stated"
    CURRENCIES_DIFFER = "currencies_differ"


@dataclass(frozen=True, slots=True)
class BalanceResult:
    """What came of the check. ``difference`` is the closing balance less what the bookings lead to."""

    check: BalanceCheck
    difference: Money | None = None


def check_balances(statement: BankStatement) -> BalanceResult:
    """Whether a statement adds up.

    *Formula:* difference = closing − (opening + credits − debits), of what is booked; pending entries and notices do not count.
    """
    opening, closing = statement.opening, statement.closing
    if opening is None or closing is None:
        return BalanceResult(BalanceCheck.NOT_STATED)
    booked = [entry for entry in statement.entries if entry.status is EntryStatus.BOOKED]
    currency = opening.amount.currency
    if {closing.amount.currency, *(entry.currency for entry in booked)} - {currency}:
        return BalanceResult(BalanceCheck.CURRENCIES_DIFFER)
    moved = sum(entry.signed_minor for entry in booked)
    difference = closing.amount.minor - opening.amount.minor - moved
    if difference:
        return BalanceResult(BalanceCheck.DIFFERS, Money(difference, currency))
    return BalanceResult(BalanceCheck.ADDS_UP, Money(0, currency))


_NO_REFERENCE = frozenset({"", "NOTPROVIDED", "NONREF", "NOTAVAILABLE", "NOTGIVEN"})
_PLAIN = re.compile(r"[\W_]+")


def is_reference(text: str) -> bool:
    """True if a reference says something, and is not one of the words that banks write for none."""
    return _PLAIN.sub("", text).upper() not in _NO_REFERENCE


def plain_account(number: str) -> str:
    """An account number as it is compared: capitals and digits, without spaces."""
    return "".join(number.split()).upper()


@dataclass(frozen=True, slots=True)
class BookingMarks:
    """What a booking is known by.

    ``reference`` rests on the bank's own reference and is None where it gave none; ``content`` rests on everything that two
    messages about the same booking have in common.
    """

    reference: str | None
    content: str


def mark_bookings(account: str, bookings: Sequence[Booking]) -> list[BookingMarks]:
    """The marks of the bookings of one account, the same whichever kind of message tells of them.

    Bookings with the same content (two equal payments of one day) are told apart by counting them.
    """
    seen: Counter[str] = Counter()
    marks: list[BookingMarks] = []
    for booking in bookings:
        first = booking.parts[0]
        day = first.on.isoformat() if first.on else ""
        common = (account, first.currency, str(booking.amount_minor), str(first.is_credit), str(first.is_reversal), day)
        reference = _digest((*common, "ref", _squeezed(booking.reference))) if is_reference(booking.reference) else None
        content = _digest((*common, *sorted(_content(part) for part in booking.parts)))
        seen[content] += 1
        marks.append(BookingMarks(reference, _digest((content, str(seen[content])))))
    return marks


def _content(part: BankEntry) -> str:
    identification = part.end_to_end_id if is_reference(part.end_to_end_id) else ""
    said = _squeezed(" ".join((identification, *sorted(part.references), part.text)))
    return "\x1f".join((str(part.amount_minor), plain_account(part.counterparty_account), said))


def _squeezed(text: str) -> str:
    return _PLAIN.sub("", text).upper()


def _digest(values: Iterable[str]) -> str:
    return blake2b("\x1f".join(values).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def mark_statement(statement: BankStatement) -> str:
    """A mark of a statement's content, the same whenever it is sent again."""
    marks = [mark.content for mark in mark_bookings(statement.account, statement.bookings)]
    balances = [f"{each.amount}|{each.on}" if each else "" for each in (statement.opening, statement.closing)]
    states = [entry.status.value for entry in statement.entries]
    return _digest((statement.kind.value, statement.identification, statement.account, statement.currency, *balances, *states, *marks))

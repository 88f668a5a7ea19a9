"""Letters that ask a buyer for money: reminders of every level, and the notice of interest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from insureflow.documents.items import OpenItem, check_totals
from insureflow.documents.parties import BankAccount, Party
from insureflow.domain.errors import Refusal
from insureflow.domain.money import Money


class ReminderLevel(StrEnum):
    """How firmly a letter asks."""

    BEFORE_DUE = "before_due"
    FRIENDLY = "friendly"
    FIRST = "first"
    SECOND = "second"
    THIRD = "third"
    FINAL = "final"


@dataclass(frozen=True, slots=True, kw_only=True)
class InterestTerms:
    """The rate of interest on late payment, per year and hundred, and what it rests on (a law, a contract)."""

    annual_rate: Decimal
    basis: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReminderLetter:
    """A reminder or demand to a buyer.

    ``pay_by`` is the day by which payment is asked for; before the due date the due dates themselves count. ``fees`` are charges for
    reminding, ``earlier_on`` the days of earlier letters, ``stated_totals`` what the ledger says is open: where given, the items must
    add up to it.
    """

    number: str
    issued_on: date
    level: ReminderLevel
    sender: Party
    buyer: Party
    items: tuple[OpenItem, ...]
    pay_by: date
    accounts: tuple[BankAccount, ...] = ()
    payment_reference: str = ""
    interest: InterestTerms | None = None
    fees: tuple[Money, ...] = ()
    earlier_on: tuple[date, ...] = ()
    suspends_deliveries: bool = False
    note: str = ""
    stated_totals: tuple[Money, ...] = ()

    def __post_init__(self) -> None:
        if not self.items:
            raise Refusal("document_without_items", number=self.number)
        if self.stated_totals:
            check_totals(self.number, self.stated_totals, [item.open for item in self.items])


@dataclass(frozen=True, slots=True, kw_only=True)
class InterestLine:
    """Interest on one invoice from the day after ``from_on`` to ``until_on``."""

    number: str
    due_on: date
    principal: Money
    from_on: date
    until_on: date
    annual_rate: Decimal
    interest: Money

    @property
    def days(self) -> int:
        """Days for which interest runs."""
        return (self.until_on - self.from_on).days


@dataclass(frozen=True, slots=True, kw_only=True)
class InterestNotice:
    """A notice of interest on late payment, with how each amount was worked out; ``totals`` must be the sum of the lines."""

    number: str
    issued_on: date
    sender: Party
    buyer: Party
    lines: tuple[InterestLine, ...]
    totals: tuple[Money, ...]
    pay_by: date
    accounts: tuple[BankAccount, ...] = ()
    payment_reference: str = ""
    basis: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        if not self.lines:
            raise Refusal("document_without_items", number=self.number)
        check_totals(self.number, self.totals, [line.interest for line in self.lines])

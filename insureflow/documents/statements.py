"""The statement of account: what moved, what is open, and how old it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from insureflow.documents.items import ItemKind, OpenItem, check_totals
from insureflow.documents.parties import BankAccount, Party
from insureflow.domain.errors import Refusal
from insureflow.domain.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """An entry of the account: positive amounts raise the debt, negative ones lower it."""

    on: date
    kind: ItemKind
    number: str
    amount: Money
    due_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementOfAccount:
    """The account of a buyer on ``as_of``, with its history since ``since``.

    Opening balances and movements must add up to ``closing``, and so must the open items. ``confirm_by`` asks the buyer to confirm the
    balance by that day.
    """

    number: str
    issued_on: date
    as_of: date
    sender: Party
    buyer: Party
    items: tuple[OpenItem, ...]
    closing: tuple[Money, ...]
    since: date | None = None
    opening: tuple[Money, ...] = ()
    movements: tuple[Movement, ...] = ()
    accounts: tuple[BankAccount, ...] = ()
    payment_reference: str = ""
    confirm_by: date | None = None
    note: str = ""

    def __post_init__(self) -> None:
        check_totals(self.number, self.closing, [item.open for item in self.items])
        if self.since is not None:
            check_totals(self.number, self.closing, [*self.opening, *(movement.amount for movement in self.movements)])
        elif self.movements or self.opening:
            raise Refusal("document_history_without_start", number=self.number)

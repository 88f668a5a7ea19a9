"""The confirmation of a payment plan to the buyer who asked for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from insureflow.documents.items import OpenItem, check_totals
from insureflow.documents.parties import BankAccount, Party
from insureflow.domain.errors import Refusal
from insureflow.domain.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Instalment:
    """A part of the debt and the day it is to be paid."""

    due_on: date
    amount: Money
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentPlanConfirmation:
    """A plan agreed with a buyer: instalments must add up to the open items, the interest and the costs."""

    number: str
    issued_on: date
    agreed_on: date
    sender: Party
    buyer: Party
    items: tuple[OpenItem, ...]
    instalments: tuple[Instalment, ...]
    interest: tuple[Money, ...] = ()
    costs: tuple[Money, ...] = ()
    accounts: tuple[BankAccount, ...] = ()
    payment_reference: str = ""
    acknowledges_debt: bool = True
    note: str = ""

    def __post_init__(self) -> None:
        if not self.items or not self.instalments:
            raise Refusal("document_without_items", number=self.number)
        owed = [*(item.open for item in self.items), *self.interest, *self.costs]
        check_totals(self.number, [instalment.amount for instalment in self.instalments], owed)

"""The proof of debt, lodged with the administrator in an insolvency; it never mentions insurance."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from insureflow.documents.items import check_totals
from insureflow.documents.notices import Annex, ProceedingKind
from insureflow.documents.parties import BankAccount, Party, Signatory
from insureflow.domain.errors import Refusal
from insureflow.domain.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class DebtItem:
    """An invoice lodged: principal, and interest up to the opening of the proceedings."""

    number: str
    issued_on: date
    due_on: date
    amount: Money
    principal: Money
    interest: Money | None = None
    delivered_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofOfDebt:
    """A claim lodged against an insolvent buyer; ``totals`` must be principal, interest and costs together."""

    number: str
    issued_on: date
    creditor: Party
    debtor: Party
    addressee: Party
    proceeding: ProceedingKind
    opened_on: date
    items: tuple[DebtItem, ...]
    totals: tuple[Money, ...]
    costs: tuple[Money, ...] = ()
    court: str = ""
    case_number: str = ""
    basis: str = ""
    retention_of_title: bool = False
    securities: tuple[str, ...] = ()
    accounts: tuple[BankAccount, ...] = ()
    annexes: tuple[Annex, ...] = ()
    signatory: Signatory | None = None

    def __post_init__(self) -> None:
        if not self.items:
            raise Refusal("document_without_items", number=self.number)
        parts = [*(item.principal for item in self.items), *(item.interest for item in self.items), *self.costs]
        check_totals(self.number, self.totals, parts)

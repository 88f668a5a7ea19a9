"""Buyers of whom the ledger held nothing before an import: their accounts are worked out from what the import writes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from insureflow.models.cover import AccountState, Exposure, InvoicePosition, Obligation
from insureflow.models.receivables import CreditNote, Invoice, Payment
from insureflow.queries.cover.ledgers import BuyerLedger, load_ledgers, one_of
from insureflow.queries.cover.policies import PolicyBook
from insureflow.queries.cover.sharing import SharingBook
from insureflow.queries.rates import RateBook

#: Buyers asked about in one statement.
_PORTION = 5000


@dataclass(frozen=True, slots=True)
class Newcomers:
    """Buyers whose ledger an import begins, with all that was known of them before it wrote anything.

    The import adds its documents to ``ledgers`` as it writes them, in the order of their keys. So nothing is read back, and the
    accounts are worked out while the database still takes the documents. Of those ``with_figures`` something had been worked
    out already: their limits came first. Buyers that share a limit with others are never among them.
    """

    book: PolicyBook
    rates: RateBook
    sharing: SharingBook
    ledgers: dict[int, BuyerLedger]
    with_figures: frozenset[int]

    def insured(self) -> list[int]:
        """Those with an account under a policy, by key, as far as all their invoices belong to entities with a policy."""
        insured = self.book.insured
        return [
            key
            for key, ledger in sorted(self.ledgers.items())
            if (ledger.invoices or ledger.decisions or ledger.acts or key in self.with_figures)
            and all(invoice.entity_id in insured for invoice in ledger.invoices)
        ]

    def take(self, buyer_ids: Iterable[int]) -> list[BuyerLedger]:
        """The ledgers of some of them, which are then forgotten here."""
        return [self.ledgers.pop(key) for key in buyer_ids]


def find_newcomers(session: Session, buyer_ids: Collection[int]) -> Newcomers:
    """The buyers among these of whom the ledger holds no invoice, payment or credit note yet; none where nothing is insured."""
    book, rates, sharing = PolicyBook.load(), RateBook.load(), SharingBook.load()
    ledgers: dict[int, BuyerLedger] = {}
    with_figures: set[int] = set()
    wanted = sorted(key for key in buyer_ids if not sharing.has(key)) if book.insured else []
    for start in range(0, len(wanted), _PORTION):
        portion = wanted[start : start + _PORTION]
        old = _named(session, (Invoice, Payment, CreditNote), portion)
        new = [key for key in portion if key not in old] if old else portion
        ledgers.update((ledger.buyer_id, ledger) for ledger in load_ledgers(new))
        with_figures |= _named(session, (AccountState, InvoicePosition, Exposure, Obligation), new)
    return Newcomers(book, rates, sharing, ledgers, frozenset(with_figures))


def _named(session: Session, models: Iterable[Any], buyer_ids: Sequence[int]) -> set[int]:
    """Those of the buyers that a row of any of these tables names."""
    return {key for model in models for key in session.scalars(select(model.buyer_id).where(one_of(model.buyer_id, buyer_ids)).distinct())}

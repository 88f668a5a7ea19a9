"""The ends of maximum extension periods of invoices, found for many buyers at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date

from sqlalchemy import select

from insureflow.domain.cover.events import Layer
from insureflow.domain.limits import LimitKind
from insureflow.domain.notices import NoticeLine, find_oldest_overdue
from insureflow.domain.obligations import UnpaidInvoice, calculate_maximum_extension_end
from insureflow.domain.policies import NO_CONDITIONS
from insureflow.models.buyers import Buyer
from insureflow.models.database import db
from insureflow.queries.cover.insurer_acts import conditions_of
from insureflow.queries.cover.ledgers import Decision, load_decisions
from insureflow.queries.cover.policies import PolicyBook

#: A statement takes only so many parameters.
_PORTION = 2000

#: A buyer under a policy: their keys.
AccountKey = tuple[int, int]


class ExtensionEnds:
    """The ends of maximum extension periods of invoices, by the terms of a day and the conditions of the limits they were sold under."""

    def __init__(
        self, book: PolicyBook, decisions: Mapping[AccountKey, Sequence[Decision]], countries: Mapping[int, str], on: date
    ) -> None:
        self._book = book
        self._decisions = decisions
        self._countries = countries
        self._on = on

    @classmethod
    def load(cls, buyer_ids: Collection[int], on: date, book: PolicyBook | None = None) -> ExtensionEnds:
        """What is needed for these buyers, read once."""
        decisions: dict[AccountKey, list[Decision]] = {}
        countries: dict[int, str] = {}
        wanted = sorted(set(buyer_ids))
        for start in range(0, len(wanted), _PORTION):
            portion = wanted[start : start + _PORTION]
            for decision in load_decisions(portion):
                if decision.decided_on <= on:
                    decisions.setdefault((decision.buyer_id, decision.policy_id), []).append(decision)
            rows = db.session.execute(select(Buyer.id, Buyer.country).where(Buyer.id.in_(portion)))
            countries |= {row.id: row.country for row in rows}
        return cls(book or PolicyBook.load(), decisions, countries, on)

    def end_of(self, account: AccountKey, line: NoticeLine) -> date | None:
        """Last day of the maximum extension period of an invoice; None where the policy has no such period."""
        buyer_id, policy_id = account
        policy = self._book.policies[policy_id]
        if not policy.history:
            return None
        applying = [
            (decision.effective_on, decision.id, decision)
            for decision in self._decisions.get(account, ())
            if decision.decided_minor
            and decision.layer is Layer.PRIMARY
            and decision.kind is not LimitKind.TEMPORARY
            and decision.effective_on <= line.shipment_on
        ]
        conditions = conditions_of(policy, max(applying, key=lambda entry: entry[:2])[2]) if applying else None
        unpaid = UnpaidInvoice(line.number, line.invoice_on, line.shipment_on, line.original_due_on, conditions or NO_CONDITIONS)
        return calculate_maximum_extension_end(policy.terms_on(self._on), self._countries.get(buyer_id), unpaid)

    def forbids_new_terms(self, policy_id: int, shipment_on: date) -> bool:
        """Whether goods of a day have left under terms that forbid new ones after shipment: those in force on the day of shipment."""
        policy = self._book.policies[policy_id]
        return bool(policy.history) and shipment_on <= self._on and policy.terms_on(shipment_on).no_new_terms_after_shipment

    def of_oldest(self, account: AccountKey, lines: Sequence[NoticeLine]) -> tuple[date | None, date | None]:
        """The oldest original due date that is over, and the end of the maximum extension period of that invoice."""
        oldest = find_oldest_overdue(lines, self._on)
        return (None, None) if oldest is None else (oldest.original_due_on, self.end_of(account, oldest))

"""How the invoices of accounts stand on a day, read in one pass for as many buyers as are asked for."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, or_, select

from insureflow.domain.cover.events import Layer
from insureflow.domain.limits import LimitKind
from insureflow.domain.notices import InvoiceStanding, NoticeLine, find_oldest_overdue
from insureflow.domain.obligations import ObligationKind, UnpaidInvoice, calculate_maximum_extension_end
from insureflow.domain.policies import NO_CONDITIONS
from insureflow.models.buyers import Buyer
from insureflow.models.cover import InvoicePosition, Obligation
from insureflow.models.database import db
from insureflow.models.organisations import Entity
from insureflow.models.receivables import CreditNote, Dispute, Invoice, Payment
from insureflow.queries.cover.insurer_acts import conditions_of
from insureflow.queries.cover.ledgers import Decision, load_decisions
from insureflow.queries.cover.policies import PolicyBook
from insureflow.queries.obligations.calendar import SETTLED, DutySelection
from insureflow.queries.obligations.standing import Standing

#: A statement takes only so many parameters.
_PORTION = 2000

#: A buyer under a policy: their keys.
AccountKey = tuple[int, int]


@dataclass(frozen=True, slots=True)
class DueNotification:
    """An account with a notification to send: the deadline that comes first, and the invoice it is of."""

    policy_id: int
    buyer_id: int
    invoice_id: int
    deadline_on: date
    invoices: int


def _portions(keys: Collection[int]) -> list[list[int]]:
    ordered = sorted(set(keys))
    return [ordered[start : start + _PORTION] for start in range(0, len(ordered), _PORTION)]


def load_standings(accounts: Collection[AccountKey], on: date) -> dict[AccountKey, list[InvoiceStanding]]:
    """What stands open of these accounts at the end of a day, by buyer and policy."""
    wanted = set(accounts)
    found: dict[AccountKey, list[InvoiceStanding]] = {key: [] for key in wanted}
    for portion in _portions({buyer_id for buyer_id, _ in wanted}):
        disputed = _disputed(portion, on)
        for row in db.session.execute(_positions(portion, on)):
            key = (row.buyer_id, row.policy_id)
            if key in wanted:
                found[key].append(_standing(row, disputed.get(row.id, 0)))
    return found


def _positions(buyer_ids: Collection[int], on: date) -> Any:
    position = InvoicePosition
    return (
        select(
            position.buyer_id,
            position.policy_id,
            Invoice.id,
            Entity.code,
            Invoice.number,
            Invoice.currency,
            Invoice.invoice_on,
            Invoice.shipment_on,
            Invoice.original_due_on,
            Invoice.due_on,
            (Invoice.net_minor + Invoice.vat_minor).label("gross"),
            position.ledger_open_minor,
            position.open_minor,
            (position.primary_minor + position.top_up_minor).label("covered"),
            position.excluded_minor,
            position.excluded_reason,
            position.vat_minor,
            position.disputed_minor,
            position.over_limit_minor,
        )
        .join(Invoice, Invoice.id == position.invoice_id)
        .join(Entity, Entity.id == Invoice.entity_id)
        .where(position.buyer_id.in_(buyer_ids), position.policy_id.is_not(None), position.valid_from <= on, position.valid_to > on)
        .order_by(Invoice.original_due_on, Invoice.id)
    )


def _standing(row: Any, disputed: int) -> InvoiceStanding:
    return InvoiceStanding(
        invoice_id=row.id,
        entity_code=row.code,
        number=row.number,
        currency=row.currency,
        invoice_on=row.invoice_on,
        shipment_on=row.shipment_on,
        original_due_on=row.original_due_on,
        due_on=row.due_on,
        gross=row.gross,
        ledger_open=row.ledger_open_minor,
        disputed=disputed,
        open_minor=row.open_minor,
        covered_minor=row.covered,
        excluded_minor=row.excluded_minor,
        excluded_reason=row.excluded_reason,
        vat_minor=row.vat_minor,
        disputed_minor=row.disputed_minor,
        over_limit_minor=row.over_limit_minor,
    )


def _disputed(buyer_ids: Collection[int], on: date) -> dict[int, int]:
    """What is disputed of invoices on a day, in their own currency."""
    statement = (
        select(Dispute.invoice_id, func.sum(Dispute.amount_minor))
        .join(Invoice, Invoice.id == Dispute.invoice_id)
        .where(Invoice.buyer_id.in_(buyer_ids), Dispute.opened_on <= on, or_(Dispute.resolved_on.is_(None), Dispute.resolved_on > on))
        .group_by(Dispute.invoice_id)
    )
    return {invoice_id: int(amount) for invoice_id, amount in db.session.execute(statement)}


def policies_owing(buyer_ids: Collection[int], on: date) -> list[AccountKey]:
    """The accounts of these buyers that owe something on a day."""
    accounts: set[AccountKey] = set()
    position = InvoicePosition
    for portion in _portions(buyer_ids):
        statement = (
            select(position.buyer_id, position.policy_id)
            .where(
                position.buyer_id.in_(portion),
                position.policy_id.is_not(None),
                position.valid_from <= on,
                position.valid_to > on,
                position.ledger_open_minor > 0,
            )
            .distinct()
        )
        accounts |= {(row.buyer_id, row.policy_id) for row in db.session.execute(statement)}
    return sorted(accounts)


def buyers_with_unmatched_money(buyer_ids: Collection[int]) -> set[int]:
    """The buyers that paid, or were credited, something that is not matched to invoices yet."""
    found: set[int] = set()
    for portion in _portions(buyer_ids):
        for model in (Payment, CreditNote):
            statement = select(model.buyer_id).where(model.buyer_id.in_(portion), model.unapplied_minor > 0).distinct()
            found |= set(db.session.scalars(statement))
    return found


def due_notifications(on: date, until: date, *, buyer_ids: Collection[int] | None = None) -> list[DueNotification]:
    """The accounts whose overdue is to be notified by a day, late ones included, by the deadline that comes first.

    The duties are those of ``on``, the business date; what was done or waived is left out.
    """
    standing = Standing(DutySelection(on, on, [ObligationKind.NOTIFY_OVERDUE]))
    statement = (
        standing.source(select(Obligation.policy_id, Obligation.buyer_id, Obligation.invoice_id, Obligation.due_on))
        .where(Obligation.due_on <= until, standing.status.not_in(sorted(status.value for status in SETTLED)))
        .where(Obligation.buyer_id.is_not(None), Obligation.invoice_id.is_not(None))
        .order_by(Obligation.due_on, Obligation.invoice_id)
    )
    statements = [statement] if buyer_ids is None else [statement.where(Obligation.buyer_id.in_(part)) for part in _portions(buyer_ids)]
    firsts: dict[AccountKey, list[Any]] = {}
    for row in (row for each in statements for row in db.session.execute(each)):
        firsts.setdefault((row.buyer_id, row.policy_id), []).append(row)
    due = [DueNotification(rows[0].policy_id, rows[0].buyer_id, rows[0].invoice_id, rows[0].due_on, len(rows)) for rows in firsts.values()]
    return sorted(due, key=lambda each: (each.deadline_on, each.invoice_id))


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
        for portion in _portions(buyer_ids):
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

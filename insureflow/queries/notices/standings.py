"""How the invoices of accounts stand on a day, read in one pass for as many buyers as are asked for."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, or_, select

from insureflow.domain.notices import InvoiceStanding
from insureflow.domain.obligations import ObligationKind
from insureflow.models.cover import InvoicePosition, Obligation
from insureflow.models.database import db
from insureflow.models.organisations import Entity
from insureflow.models.receivables import CreditNote, Dispute, Invoice, Payment
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

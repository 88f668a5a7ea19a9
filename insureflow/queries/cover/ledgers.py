"""What the ledger and the insurer have said about buyers, read for many buyers at once: one statement per table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, select

from insureflow.domain.cover import Layer
from insureflow.domain.limits import AccountActKind, LimitKind, LimitStatus
from insureflow.domain.obligations import ObligationKind
from insureflow.models.buyers import Buyer
from insureflow.models.cover import ObligationMark
from insureflow.models.database import db
from insureflow.models.limits import AccountAct, LimitDecision
from insureflow.models.receivables import Allocation, CreditNote, Dispute, Invoice, Payment
from insureflow.queries.among import among


class LedgerInvoice(NamedTuple):
    """An invoice of the ledger; amounts in minor units of its currency.

    ``due_on`` is the day agreed first, by which cover goes; ``ledger_due_on`` the day the ledger has now.
    """

    id: int
    buyer_id: int
    entity_id: int
    policy_id: int | None
    currency: str
    net_minor: int
    vat_minor: int
    rate: Decimal | None
    invoice_on: date
    shipment_on: date
    due_on: date
    ledger_due_on: date


class LedgerPayment(NamedTuple):
    """A payment of the ledger."""

    id: int
    buyer_id: int
    entity_id: int
    currency: str
    amount_minor: int
    unapplied_minor: int
    rate: Decimal | None
    received_on: date
    purpose: str


class LedgerCreditNote(NamedTuple):
    """A credit note of the ledger."""

    id: int
    buyer_id: int
    entity_id: int
    invoice_id: int | None
    currency: str
    net_minor: int
    vat_minor: int
    unapplied_minor: int
    rate: Decimal | None
    issued_on: date


class LedgerAllocation(NamedTuple):
    """What a payment or credit note settles of an invoice, in the invoice's currency."""

    id: int
    buyer_id: int
    invoice_id: int
    payment_id: int | None
    credit_note_id: int | None
    amount_minor: int
    allocated_on: date


class LedgerDispute(NamedTuple):
    """What is or was disputed of an invoice."""

    id: int
    buyer_id: int
    invoice_id: int
    amount_minor: int
    opened_on: date
    resolved_on: date | None
    found_owed_minor: int | None


class Decision(NamedTuple):
    """A decision on a limit, a request for one, or its withdrawal."""

    id: int
    buyer_id: int
    policy_id: int
    layer: Layer
    kind: LimitKind
    status: LimitStatus
    decided_minor: int | None
    currency: str
    rate: Decimal
    decided_on: date
    effective_on: date
    valid_to: date | None
    conditions: dict[str, Any]


class Act(NamedTuple):
    """Another act that shapes cover."""

    id: int
    buyer_id: int
    policy_id: int
    invoice_id: int | None
    kind: AccountActKind
    happened_on: date
    data: dict[str, Any]


class Reminder(NamedTuple):
    """What somebody has recorded about reminding a buyer of an invoice; ``is_waived``: no reminder is wanted for it."""

    buyer_id: int
    policy_id: int
    invoice_id: int
    marked_on: date
    is_waived: bool


@dataclass(slots=True)
class BuyerLedger:
    """Everything about one buyer, in the order in which it was entered."""

    buyer_id: int
    country: str
    insurable: bool
    invoices: list[LedgerInvoice] = field(default_factory=list)
    payments: list[LedgerPayment] = field(default_factory=list)
    credit_notes: list[LedgerCreditNote] = field(default_factory=list)
    allocations: list[LedgerAllocation] = field(default_factory=list)
    disputes: list[LedgerDispute] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    acts: list[Act] = field(default_factory=list)
    reminders: list[Reminder] = field(default_factory=list)


def one_of(column: Any, keys: Sequence[int]) -> ColumnElement[bool]:
    """True for rows with one of these keys; of an unbroken run of keys only the first and the last are named."""
    if len(keys) > 1 and keys[-1] - keys[0] + 1 == len(keys) == len(set(keys)) and keys[0] == min(keys) and keys[-1] == max(keys):
        found: ColumnElement[bool] = column.between(keys[0], keys[-1])
        return found
    return among(column, list(keys))


def load_ledgers(buyer_ids: Sequence[int]) -> list[BuyerLedger]:
    """The ledgers of these buyers of the organisation in scope, by key; buyers that do not exist are left out."""
    wanted = list(buyer_ids)
    ledgers: dict[int, BuyerLedger] = {}
    buyers = select(Buyer.id, Buyer.country, Buyer.not_insurable, Buyer.natural_person).where(one_of(Buyer.id, wanted)).order_by(Buyer.id)
    for buyer_id, country, not_insurable, natural_person in db.session.execute(buyers):
        ledgers[buyer_id] = BuyerLedger(buyer_id, country, not_insurable is None and not natural_person)
    session = db.session
    row: Any
    invoices = (
        select(
            Invoice.id,
            Invoice.buyer_id,
            Invoice.entity_id,
            Invoice.policy_id,
            Invoice.currency,
            Invoice.net_minor,
            Invoice.vat_minor,
            Invoice.rate,
            Invoice.invoice_on,
            Invoice.shipment_on,
            Invoice.original_due_on,
            Invoice.due_on,
        )
        .where(one_of(Invoice.buyer_id, wanted))
        .order_by(Invoice.id)
    )
    for row in session.execute(invoices):
        ledgers[row[1]].invoices.append(LedgerInvoice._make(row))
    payments = (
        select(
            Payment.id,
            Payment.buyer_id,
            Payment.entity_id,
            Payment.currency,
            Payment.amount_minor,
            Payment.unapplied_minor,
            Payment.rate,
            Payment.received_on,
            Payment.purpose,
        )
        .where(one_of(Payment.buyer_id, wanted))
        .order_by(Payment.id)
    )
    for row in session.execute(payments):
        ledgers[row[1]].payments.append(LedgerPayment._make(row))
    credit_notes = (
        select(
            CreditNote.id,
            CreditNote.buyer_id,
            CreditNote.entity_id,
            CreditNote.invoice_id,
            CreditNote.currency,
            CreditNote.net_minor,
            CreditNote.vat_minor,
            CreditNote.unapplied_minor,
            CreditNote.rate,
            CreditNote.issued_on,
        )
        .where(one_of(CreditNote.buyer_id, wanted))
        .order_by(CreditNote.id)
    )
    for row in session.execute(credit_notes):
        ledgers[row[1]].credit_notes.append(LedgerCreditNote._make(row))
    allocations = (
        select(
            Allocation.id,
            Invoice.buyer_id,
            Allocation.invoice_id,
            Allocation.payment_id,
            Allocation.credit_note_id,
            Allocation.amount_minor,
            Allocation.allocated_on,
        )
        .join(Invoice, Invoice.id == Allocation.invoice_id)
        .where(one_of(Invoice.buyer_id, wanted))
        .order_by(Allocation.id)
    )
    for row in session.execute(allocations):
        ledgers[row[1]].allocations.append(LedgerAllocation._make(row))
    disputes = (
        select(
            Dispute.id,
            Invoice.buyer_id,
            Dispute.invoice_id,
            Dispute.amount_minor,
            Dispute.opened_on,
            Dispute.resolved_on,
            Dispute.found_owed_minor,
        )
        .join(Invoice, Invoice.id == Dispute.invoice_id)
        .where(one_of(Invoice.buyer_id, wanted))
        .order_by(Dispute.id)
    )
    for row in session.execute(disputes):
        ledgers[row[1]].disputes.append(LedgerDispute._make(row))
    for decision in load_decisions(wanted):
        ledgers[decision.buyer_id].decisions.append(decision)
    for act in load_acts(wanted):
        ledgers[act.buyer_id].acts.append(act)
    for reminder in load_reminders(wanted):
        ledgers[reminder.buyer_id].reminders.append(reminder)
    return list(ledgers.values())


def load_decisions(buyer_ids: Sequence[int]) -> list[Decision]:
    """The history of limits of these buyers, in the order in which it was entered."""
    statement = (
        select(
            LimitDecision.id,
            LimitDecision.buyer_id,
            LimitDecision.policy_id,
            LimitDecision.layer,
            LimitDecision.kind,
            LimitDecision.status,
            LimitDecision.decided_minor,
            LimitDecision.currency,
            LimitDecision.rate,
            LimitDecision.decided_on,
            LimitDecision.effective_on,
            LimitDecision.valid_to,
            LimitDecision.conditions,
        )
        .where(one_of(LimitDecision.buyer_id, buyer_ids))
        .order_by(LimitDecision.id)
    )
    return [Decision._make(row) for row in db.session.execute(statement)]


def load_acts(buyer_ids: Sequence[int]) -> list[Act]:
    """The other acts on the accounts of these buyers, in the order in which they were entered."""
    statement = (
        select(
            AccountAct.id,
            AccountAct.buyer_id,
            AccountAct.policy_id,
            AccountAct.invoice_id,
            AccountAct.kind,
            AccountAct.happened_on,
            AccountAct.data,
        )
        .where(one_of(AccountAct.buyer_id, buyer_ids))
        .order_by(AccountAct.id)
    )
    return [Act._make(row) for row in db.session.execute(statement)]


def load_reminders(buyer_ids: Sequence[int]) -> list[Reminder]:
    """What has been recorded about reminding these buyers."""
    mark = ObligationMark
    statement = select(mark.buyer_id, mark.policy_id, mark.invoice_id, mark.marked_on, mark.mark == "waived").where(
        one_of(mark.buyer_id, buyer_ids), mark.kind == ObligationKind.SEND_REMINDER.value, mark.invoice_id.is_not(None)
    )
    return [Reminder._make(row) for row in db.session.execute(statement)]

"""What notices of interest are made of: invoices that are or were overdue, and what was claimed of them before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import date

from sqlalchemy import exists, or_, select

from insureflow.domain.dunning import LateInvoice, SetApart
from insureflow.domain.issued_documents import DocumentKind
from insureflow.domain.payment_plans import PlanState
from insureflow.models.database import db
from insureflow.models.documents import IssuedDocument
from insureflow.models.payment_plans import PaymentPlan, PlanInvoice
from insureflow.models.receivables import Allocation, Dispute, Invoice, Payment

#: While a plan stands so, and after it was kept, what it says about interest holds.
_PLANNED = (PlanState.AWAITING_CONSENT, PlanState.ACTIVE, PlanState.KEPT)
_PORTION = 500


def claimed_until(buyer_id: int, entity_id: int) -> dict[str, date]:
    """For each invoice number the last day for which an issued notice claimed interest, as the notices themselves have it."""
    facts = db.session.scalars(
        select(IssuedDocument.facts).where(
            IssuedDocument.kind == DocumentKind.INTEREST_NOTICE.value,
            IssuedDocument.buyer_id == buyer_id,
            IssuedDocument.entity_id == entity_id,
        )
    )
    found: dict[str, date] = {}
    for claim in (line for each in facts for line in each["claimed"]):
        last_on = date.fromisoformat(claim["until_on"])
        found[claim["invoice"]] = max(last_on, found.get(claim["invoice"], last_on))
    return found


def late_invoices(buyer_id: int, entity_id: int, on: date) -> list[LateInvoice]:
    """The invoices of an entity's account that are overdue on a day or were paid late, by currency and original due date.

    Only what is open and what was paid on a known day counts: a credit note lowers what was ever owed, and a payment that was
    gathered from a list of open items has no day of its own.
    """
    paid_late = exists().where(
        Allocation.invoice_id == Invoice.id,
        Payment.id == Allocation.payment_id,
        Payment.inferred.is_(False),
        Payment.received_on > Invoice.original_due_on,
    )
    planned = exists().where(PlanInvoice.invoice_id == Invoice.id, PaymentPlan.id == PlanInvoice.plan_id, PaymentPlan.state.in_(_PLANNED))
    rows = db.session.execute(
        select(Invoice.id, Invoice.number, Invoice.currency, Invoice.original_due_on, Invoice.open_minor)
        .where(
            Invoice.buyer_id == buyer_id,
            Invoice.entity_id == entity_id,
            Invoice.original_due_on < on,
            or_(Invoice.open_minor > 0, paid_late),
            ~planned,
        )
        .order_by(Invoice.currency, Invoice.original_due_on, Invoice.number)
    ).all()
    found: list[LateInvoice] = []
    for start in range(0, len(rows), _PORTION):
        portion = rows[start : start + _PORTION]
        keys = [row.id for row in portion]
        payments, credits_ = _settled(keys)
        apart, not_owed = _disputed(keys, on)
        found += [
            LateInvoice(
                number=row.number,
                currency=row.currency,
                due_on=row.original_due_on,
                # what was found not to be owed is often credited as well: it is taken off once
                owed_minor=int(row.open_minor)
                + sum(minor for _on, minor in payments[row.id])
                - max(0, not_owed[row.id] - credits_[row.id]),
                payments=tuple(payments[row.id]),
                set_apart=tuple(apart[row.id]),
            )
            for row in portion
        ]
    return found


def _settled(keys: Collection[int]) -> tuple[defaultdict[int, list[tuple[date, int]]], defaultdict[int, int]]:
    """Payments with the days on which they came, and the sum of credit notes, by invoice."""
    payments: defaultdict[int, list[tuple[date, int]]] = defaultdict(list)
    credits_: defaultdict[int, int] = defaultdict(int)
    rows = db.session.execute(
        select(Allocation.invoice_id, Allocation.amount_minor, Allocation.payment_id, Payment.received_on, Payment.inferred)
        .outerjoin(Payment, Payment.id == Allocation.payment_id)
        .where(Allocation.invoice_id.in_(keys))
        .order_by(Payment.received_on, Allocation.id)
    )
    for invoice_id, minor, payment_id, received_on, inferred in rows:
        if payment_id is None:
            credits_[invoice_id] += int(minor)
        elif not inferred:
            payments[invoice_id].append((received_on, int(minor)))
    return payments, credits_


def _disputed(keys: Collection[int], on: date) -> tuple[defaultdict[int, list[SetApart]], defaultdict[int, int]]:
    """What is or was disputed and when, and what was found not to be owed, by invoice."""
    apart: defaultdict[int, list[SetApart]] = defaultdict(list)
    not_owed: defaultdict[int, int] = defaultdict(int)
    for dispute in db.session.scalars(select(Dispute).where(Dispute.invoice_id.in_(keys), Dispute.opened_on <= on).order_by(Dispute.id)):
        owed = int(dispute.amount_minor if dispute.found_owed_minor is None else dispute.found_owed_minor)
        apart[dispute.invoice_id].append(SetApart(owed, dispute.opened_on, dispute.resolved_on))
        not_owed[dispute.invoice_id] += int(dispute.amount_minor) - owed
    return apart, not_owed

"""Disputes about invoices: opened with what the buyer disputes, ended with what was found to be owed, each with its papers."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from insureflow.domain.disputes import DisputeOutcome
from insureflow.domain.errors import InvalidValue, InvalidValues, Refusal
from insureflow.domain.money import Money
from insureflow.models.buyers import Buyer
from insureflow.models.limit_requests import EvidenceFile
from insureflow.models.receivables import Dispute, Invoice
from insureflow.services import cover, files, journal
from insureflow.services.clock import now
from insureflow.services.files import NewEvidence
from insureflow.services.journal import Actor, Subject
from insureflow.services.transaction import transaction

#: What a file of evidence is linked to that belongs to a dispute.
EVIDENCE_OF_DISPUTE = "dispute"


def _invoice(session: Session, invoice_id: int) -> tuple[Invoice, str]:
    row = session.execute(
        select(Invoice, Buyer.legal_name)
        .join(Buyer, Buyer.id == Invoice.buyer_id)
        .where(Invoice.id == invoice_id)
        .with_for_update(of=Invoice)
    ).one_or_none()
    if row is None:
        raise Refusal("receivable_unknown", invoice=str(invoice_id))
    return row[0], row[1]


def _subject(dispute: Dispute, invoice: Invoice, buyer: str) -> Subject:
    return Subject("dispute", dispute.id, f"{invoice.number} / {buyer}")


def _picture(dispute: Dispute, currency: str) -> dict[str, Any]:
    owed = dispute.found_owed_minor
    return {
        "invoice_id": dispute.invoice_id,
        "amount": Money(dispute.amount_minor, currency),
        "opened_on": dispute.opened_on,
        "resolved_on": dispute.resolved_on,
        "found_owed": None if owed is None else Money(owed, currency),
        "reason": dispute.reason,
        "outcome": dispute.outcome,
        "reference": dispute.reference,
        "is_ring_fenced": dispute.is_ring_fenced,
    }


def _going_on(session: Session, dispute_id: int) -> tuple[Dispute, Invoice, str]:
    dispute = session.scalar(select(Dispute).where(Dispute.id == dispute_id).with_for_update())
    if dispute is None:
        raise Refusal("dispute_unknown", dispute=str(dispute_id))
    invoice, buyer = _invoice(session, dispute.invoice_id)
    if dispute.resolved_on is not None:
        raise Refusal("dispute_over_already", invoice=invoice.number, on=dispute.resolved_on)
    return dispute, invoice, buyer


def _keep(session: Session, actor: Actor, dispute: Dispute, invoice: Invoice, evidence: NewEvidence | None) -> None:
    if evidence is not None:
        files.attach(session, actor, evidence, EVIDENCE_OF_DISPUTE, dispute.id, buyer_id=invoice.buyer_id)


def open_dispute(
    actor: Actor,
    organisation_id: int,
    invoice_id: int,
    *,
    amount_minor: int,
    opened_on: date,
    reason: str,
    on: date,
    is_ring_fenced: bool = True,
    evidence: NewEvidence | None = None,
) -> Dispute:
    """Record that a buyer disputes a part of an invoice, in the invoice's currency; cover is worked out anew.

    ``is_ring_fenced``: the disputed part is set apart and the rest of the invoice is collected as if nothing had happened; otherwise
    the whole invoice waits. ``evidence`` is the complaint.

    Errors: ``Refusal`` ``receivable_unknown``; ``InvalidValues`` with ``dispute_amount_not_positive``, ``dispute_above_open``,
    ``dispute_before_shipment``, ``dispute_in_the_future``, ``dispute_reason_missing``.
    """
    with transaction(organisation_id) as session:
        invoice, buyer = _invoice(session, invoice_id)
        problems: list[InvalidValue] = []
        going_on = session.scalars(
            select(Dispute.amount_minor).where(Dispute.invoice_id == invoice.id, Dispute.resolved_on.is_(None))
        ).all()
        left = Money(max(0, invoice.open_minor - sum(going_on)), invoice.currency)
        if amount_minor <= 0:
            problems.append(InvalidValue("dispute_amount_not_positive", "amount"))
        elif amount_minor > left.minor:
            problems.append(InvalidValue("dispute_above_open", "amount", None, left=left))
        first = max(invoice.shipment_on, invoice.invoice_on)
        if opened_on < first:
            problems.append(InvalidValue("dispute_before_shipment", "opened_on", None, first=first))
        if opened_on > on:
            problems.append(InvalidValue("dispute_in_the_future", "opened_on", None, today=on))
        if not reason.strip():
            problems.append(InvalidValue("dispute_reason_missing", "reason"))
        if problems:
            raise InvalidValues(tuple(problems))
        dispute = Dispute(
            invoice_id=invoice.id,
            amount_minor=amount_minor,
            opened_on=opened_on,
            reason=reason.strip()[:1000],
            is_ring_fenced=is_ring_fenced,
            created_at=now(),
        )
        session.add(dispute)
        session.flush()
        _keep(session, actor, dispute, invoice, evidence)
        journal.record(session, actor, "dispute.opened", _subject(dispute, invoice, buyer), after=_picture(dispute, invoice.currency))
        cover.refresh_buyers(session, [invoice.buyer_id], on)
        return dispute


def ring_fence(actor: Actor, organisation_id: int, dispute_id: int, *, is_ring_fenced: bool) -> Dispute:
    """Set the disputed part of an invoice apart so that the rest is collected, or let the whole invoice wait.

    Errors: ``Refusal`` ``dispute_unknown``, ``dispute_over_already``.
    """
    with transaction(organisation_id) as session:
        dispute, invoice, buyer = _going_on(session, dispute_id)
        before = {"is_ring_fenced": dispute.is_ring_fenced}
        if dispute.is_ring_fenced != is_ring_fenced:
            dispute.is_ring_fenced = is_ring_fenced
            session.flush()
            subject = _subject(dispute, invoice, buyer)
            journal.record(session, actor, "dispute.ring_fenced", subject, before=before, after={"is_ring_fenced": is_ring_fenced})
        return dispute


def add_evidence(actor: Actor, organisation_id: int, dispute_id: int, evidence: NewEvidence) -> EvidenceFile:
    """Keep a paper of a dispute: a complaint, an answer, an expert's report, a settlement, a judgment. The same one is kept once.

    Errors: ``Refusal`` ``dispute_unknown``, those of ``files.keep``.
    """
    with transaction(organisation_id) as session:
        dispute = session.scalar(select(Dispute).where(Dispute.id == dispute_id))
        if dispute is None:
            raise Refusal("dispute_unknown", dispute=str(dispute_id))
        invoice, buyer = _invoice(session, dispute.invoice_id)
        kept, is_new = files.attach(session, actor, evidence, EVIDENCE_OF_DISPUTE, dispute.id, buyer_id=invoice.buyer_id)
        if is_new:
            after = {"name": kept.name, "sha256": kept.sha256}
            journal.record(session, actor, "dispute.evidence_added", _subject(dispute, invoice, buyer), after=after)
        return kept


def resolve_dispute(
    actor: Actor,
    organisation_id: int,
    dispute_id: int,
    *,
    found_owed_minor: int,
    resolved_on: date,
    on: date,
    outcome: DisputeOutcome | None = None,
    reference: str = "",
    evidence: NewEvidence | None = None,
) -> Dispute:
    """Record how a dispute ended: what of the disputed amount was found to be owed; cover is worked out anew.

    ``outcome`` is how it came to that, ``reference`` the file number of a court or of a settlement, ``evidence`` the paper.

    Errors: ``Refusal`` ``dispute_unknown``, ``dispute_over_already``; ``InvalidValues`` with ``dispute_owed_out_of_range``,
    ``dispute_ends_before_it_began``, ``dispute_in_the_future``.
    """
    with transaction(organisation_id) as session:
        dispute, invoice, buyer = _going_on(session, dispute_id)
        problems: list[InvalidValue] = []
        if not 0 <= found_owed_minor <= dispute.amount_minor:
            problems.append(
                InvalidValue("dispute_owed_out_of_range", "found_owed", None, disputed=Money(dispute.amount_minor, invoice.currency))
            )
        if resolved_on < dispute.opened_on:
            problems.append(InvalidValue("dispute_ends_before_it_began", "resolved_on", None, opened=dispute.opened_on))
        if resolved_on > on:
            problems.append(InvalidValue("dispute_in_the_future", "resolved_on", None, today=on))
        if problems:
            raise InvalidValues(tuple(problems))
        before = _picture(dispute, invoice.currency)
        dispute.resolved_on, dispute.found_owed_minor = resolved_on, found_owed_minor
        dispute.outcome, dispute.reference = outcome, reference.strip()[:200]
        session.flush()
        _keep(session, actor, dispute, invoice, evidence)
        changed = journal.changes(before, _picture(dispute, invoice.currency))
        journal.record(session, actor, "dispute.resolved", _subject(dispute, invoice, buyer), before=changed[0], after=changed[1])
        cover.refresh_buyers(session, [invoice.buyer_id], on)
        return dispute

"""Would this discretionary limit survive a claim? Every shipment held against the evidence there was on its day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum

from insureflow.domain.limits.discretionary import (
    CreditReport,
    DiscretionaryFacts,
    DiscretionaryResult,
    Evidence,
    OverdueItem,
    calculate_discretionary_limit,
)
from insureflow.domain.money import Money
from insureflow.domain.policies.terms import DiscretionaryLimit
from insureflow.domain.trace import Step, Trace


class AuditVerdict(StrEnum):
    """Whether the insurer could refuse a claim on one shipment."""

    PROVEN = "proven"
    PROOF_STORED_LATE = "proof_stored_late"
    NOT_USABLE = "not_usable"


@dataclass(frozen=True, slots=True)
class AuditedShipment:
    """A shipment to the buyer in the currency of the clause.

    ``owed_before`` is what the buyer owed on that day before it, ``overdue_items`` what was overdue then.
    """

    id: str
    on: date
    amount: int
    owed_before: int
    overdue_items: tuple[OverdueItem, ...] = ()


@dataclass(frozen=True, slots=True)
class ShipmentAudit:
    """How one shipment stands: the limit of its day, what of it the limit holds, and evidence put on file only later."""

    shipment: AuditedShipment
    verdict: AuditVerdict
    limit: DiscretionaryResult
    covered: int
    uncovered: int
    stored_late: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class ClaimAudit:
    """How all shipments stand. ``survives``: every one is proven and wholly within the limit of its day."""

    shipments: tuple[ShipmentAudit, ...]
    covered: int
    uncovered: int
    survives: bool
    trace: Trace = field(default_factory=Trace, compare=False)


def would_survive_claim(clause: DiscretionaryLimit, facts: DiscretionaryFacts, shipments: Iterable[AuditedShipment]) -> ClaimAudit:
    """Whether the discretionary limit would hold when the insurer asks for proof, shipment by shipment.

    *Formula:* the limit of the shipment date, from evidence dated on or before it; covered = smaller of the shipment and what
    the limit leaves above what was owed before. Evidence on file only after the shipment proves nothing of that day: where
    the limit would be less without it, the shipment is marked. *Source:* proof of compliance at shipment is asked for at claim.
    """
    audits = tuple(_audit(clause, facts, shipment) for shipment in sorted(shipments, key=lambda each: (each.on, each.id)))
    covered, uncovered = sum(audit.covered for audit in audits), sum(audit.uncovered for audit in audits)
    survives = all(audit.verdict is AuditVerdict.PROVEN and not audit.uncovered for audit in audits)
    return ClaimAudit(audits, covered, uncovered, survives, Trace(tuple(_step(clause, audit) for audit in audits)))


def _audit(clause: DiscretionaryLimit, facts: DiscretionaryFacts, shipment: AuditedShipment) -> ShipmentAudit:
    of_day = replace(facts, overdue_items=shipment.overdue_items)
    limit = calculate_discretionary_limit(clause, of_day, shipment.on)
    on_file = calculate_discretionary_limit(clause, _on_file(of_day, shipment.on), shipment.on)
    covered = min(shipment.amount, max(0, limit.amount - shipment.owed_before))
    held_by_file = min(shipment.amount, max(0, on_file.amount - shipment.owed_before))
    late: tuple[Evidence, ...] = ()
    if not limit.usable:
        verdict = AuditVerdict.NOT_USABLE
    elif not on_file.usable or held_by_file < covered:
        verdict = AuditVerdict.PROOF_STORED_LATE
        late = _late(limit.evidence, shipment.on)
    else:
        verdict = AuditVerdict.PROVEN
    return ShipmentAudit(shipment, verdict, limit, covered, shipment.amount - covered, late)


def _on_file(facts: DiscretionaryFacts, on: date) -> DiscretionaryFacts:
    """The same facts with the evidence alone that was on file by a day.

    Reports that speak against the buyer are no evidence for a limit and are left out either way.
    """
    return replace(
        facts,
        credit_reports=tuple(each for each in facts.credit_reports if _is_on_file(each, on)),
        month_end_balances=tuple(each for each in facts.month_end_balances if _is_on_file(each, on)),
        purchases=tuple(each for each in facts.purchases if _is_on_file(each, on)),
    )


def _is_on_file(evidence: Evidence, on: date) -> bool:
    """The own ledger is a file of its day; a report is on file from the day it was stored, and never if that is not known."""
    if evidence.stored_on is None:
        return not isinstance(evidence, CreditReport)
    return evidence.stored_on <= on


def _late(evidence: Sequence[Evidence], on: date) -> tuple[Evidence, ...]:
    return tuple(each for each in evidence if not _is_on_file(each, on))


def _step(clause: DiscretionaryLimit, audit: ShipmentAudit) -> Step:
    shipment, currency = audit.shipment, clause.currency
    return Step(
        name="discretionary_audit",
        formula="discretionary.audit",
        inputs=(
            ("shipment", shipment.id),
            ("shipment_on", shipment.on),
            ("shipment_amount", Money(shipment.amount, currency)),
            ("owed_before", Money(shipment.owed_before, currency)),
            ("discretionary_amount", Money(audit.limit.amount, currency)),
            ("discretionary_reason", audit.limit.reason),
            ("audit_verdict", audit.verdict),
        ),
        result=Money(audit.covered, currency),
        basis="policy.discretionary_limit",
        on=shipment.on,
    )

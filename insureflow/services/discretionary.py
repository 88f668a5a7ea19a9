"""Discretionary limits: worked out from the own files and ledger, frozen with their facts, applied, and held against a claim."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from insureflow.domain import trace as traces
from insureflow.domain.currencies import is_currency
from insureflow.domain.errors import InvalidValue, InvalidValues, Refusal
from insureflow.domain.limits import (
    ClaimAudit,
    DiscretionaryFacts,
    DiscretionaryResult,
    LimitKind,
    LimitStatus,
    MonthEndBalance,
    Purchase,
    calculate_discretionary_limit,
    would_survive_claim,
)
from insureflow.domain.money import Money
from insureflow.domain.periods import add_months
from insureflow.domain.policies.terms import DiscretionaryLimit
from insureflow.domain.policies.vocabulary import DiscretionaryMethod
from insureflow.domain.work import WorkKind, WorkOutcome
from insureflow.models.buyers import Buyer
from insureflow.models.database import db
from insureflow.models.limit_requests import CreditReport, DiscretionaryAssessment
from insureflow.models.limits import LimitDecision
from insureflow.models.policies import Policy
from insureflow.models.work_items import WorkItem
from insureflow.queries.cover.policies import InsurancePolicy, PolicyBook
from insureflow.queries.discretionary import BuyerEvidence, ending_assessments, load_evidence
from insureflow.services import journal, limits, work_items
from insureflow.services.clock import now
from insureflow.services.files import NewEvidence, keep
from insureflow.services.journal import Actor, Subject
from insureflow.services.limits import NewDecision
from insureflow.services.transaction import transaction

#: So many days before the evidence ends somebody is asked to renew it.
RENEW_DAYS = 30


@dataclass(frozen=True, slots=True)
class NewCreditReport:
    """What a credit report says; without an amount it supports the maximum of the policy."""

    buyer_id: int
    agency: str
    reported_on: date
    amount_minor: int | None = None
    currency: str | None = None
    is_approved_agency: bool = True
    is_unfavourable: bool = False


@dataclass(frozen=True, slots=True)
class Audit:
    """Whether the discretionary limit of a buyer would hold at a claim."""

    buyer: Buyer
    policy: InsurancePolicy
    currency: str
    on: date
    result: DiscretionaryResult
    claim: ClaimAudit


def add_report(actor: Actor, organisation_id: int, new: NewCreditReport, on: date, *, evidence: NewEvidence | None = None) -> CreditReport:
    """Put a credit report on record, with its file as proof.

    Errors: ``InvalidValues`` (``agency_needed``, ``in_the_future``, ``currency_unknown``, ``amount_negative``), ``buyer_unknown``,
    those of keeping a file.
    """
    problems: list[InvalidValue] = []
    if not new.agency.strip():
        problems.append(InvalidValue("agency_needed", "agency"))
    if new.reported_on > on:
        problems.append(InvalidValue("in_the_future", "reported_on", new.reported_on, today=on))
    if new.amount_minor is not None and (new.currency is None or not is_currency(new.currency)):
        problems.append(InvalidValue("currency_unknown", "currency", new.currency))
    if new.amount_minor is not None and new.amount_minor < 0:
        problems.append(InvalidValue("amount_negative", "amount", str(new.amount_minor)))
    if problems:
        raise InvalidValues(tuple(problems))
    with transaction(organisation_id) as session:
        buyer = session.scalar(select(Buyer).where(Buyer.id == new.buyer_id))
        if buyer is None:
            raise Refusal("buyer_unknown", buyer=str(new.buyer_id))
        file = None if evidence is None else keep(session, actor, evidence, buyer_id=buyer.id)
        report = CreditReport(
            buyer_id=buyer.id,
            agency=new.agency.strip()[:120],
            reported_on=new.reported_on,
            amount_minor=new.amount_minor,
            currency=new.currency if new.amount_minor is not None else None,
            is_approved_agency=new.is_approved_agency,
            is_unfavourable=new.is_unfavourable,
            evidence_file_id=None if file is None else file.id,
            created_at=now(),
            created_by_id=actor.user_id,
        )
        session.add(report)
        session.flush()
        after = {
            "agency": report.agency,
            "reported_on": report.reported_on,
            "amount": None if report.amount_minor is None else Money(report.amount_minor, report.currency or ""),
            "is_approved_agency": report.is_approved_agency,
            "is_unfavourable": report.is_unfavourable,
            "sha256": None if file is None else file.sha256,
        }
        journal.record(session, actor, "credit_report.added", Subject("buyer", buyer.id, buyer.legal_name), after=after)
        return report


def find_clause(policy: InsurancePolicy, on: date) -> DiscretionaryLimit | None:
    """The clause on discretionary limits in the terms of a day, or None."""
    if not policy.history or policy.history[0].effective_on > on:
        return None
    return policy.terms_on(on).discretionary_limit


def _policy(policy_id: int) -> InsurancePolicy:
    policy = PolicyBook.load().policies.get(policy_id)
    if policy is None:
        raise Refusal("policy_unknown", policy=str(policy_id))
    return policy


def _clause(policy: InsurancePolicy, on: date) -> DiscretionaryLimit:
    clause = find_clause(policy, on)
    if clause is None:
        raise Refusal("no_discretionary_clause", policy=policy.number)
    return clause


def work_out(policy_id: int, buyer_ids: Collection[int], on: date) -> dict[int, tuple[DiscretionaryResult, BuyerEvidence]]:
    """The discretionary limits of buyers on a day with all they rest on; nothing is stored.

    Errors: ``policy_unknown``, ``no_discretionary_clause``, ``rate_missing``.
    """
    policy = _policy(policy_id)
    clause = _clause(policy, on)
    evidence = load_evidence(policy, clause, buyer_ids, on)
    return {buyer_id: (calculate_discretionary_limit(clause, each.facts, on), each) for buyer_id, each in evidence.items()}


def evidence_ends_on(clause: DiscretionaryLimit, result: DiscretionaryResult) -> date | None:
    """The last day on which a limit can rest on the evidence it rests on; None where there is no limit.

    *Formula:* a report by its own time; a balance until its month leaves the time looked back; purchases until the one that makes up
    the minimum leaves it.
    """
    if not result.usable or result.valid_to is not None:
        return result.valid_to
    terms = next(each for each in clause.methods if each.method is result.method)
    months = terms.look_back_months or 0
    days = sorted((each.on for each in result.evidence if isinstance(each, MonthEndBalance | Purchase)), reverse=True)
    if not days:
        return None
    position = 0 if result.method is DiscretionaryMethod.PAYMENT_EXPERIENCE else max(0, (terms.minimum_purchases or 1) - 1)
    return add_months(days[min(position, len(days) - 1)], months)


def facts_as_data(facts: DiscretionaryFacts) -> dict[str, Any]:
    """Facts as they are frozen: plain values, in an order that never changes."""
    data: dict[str, Any] = journal.plain(asdict(facts))
    return data


def facts_sha256(data: Mapping[str, Any]) -> str:
    """The hash of frozen facts. *Formula:* SHA-256 over canonical JSON."""
    return hashlib.sha256(json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest()


def is_unaltered(assessment: DiscretionaryAssessment) -> bool:
    """True if the facts of an assessment are those it was worked out from."""
    return facts_sha256(assessment.facts) == assessment.facts_sha256


def assess(actor: Actor, organisation_id: int, policy_id: int, buyer_id: int, on: date) -> DiscretionaryAssessment:
    """Work out a discretionary limit and freeze it with its facts, their hash and the steps.

    Errors: ``buyer_unknown``, ``policy_unknown``, ``no_discretionary_clause``, ``rate_missing``.
    """
    with transaction(organisation_id) as session:
        buyer = session.scalar(select(Buyer).where(Buyer.id == buyer_id))
        if buyer is None:
            raise Refusal("buyer_unknown", buyer=str(buyer_id))
        policy = _policy(policy_id)
        result, evidence = work_out(policy_id, [buyer_id], on)[buyer_id]
        data = facts_as_data(evidence.facts)
        assessment = DiscretionaryAssessment(
            policy_id=policy_id,
            buyer_id=buyer_id,
            assessed_on=on,
            is_usable=result.usable,
            amount_minor=result.amount,
            currency=result.currency,
            method=None if result.method is None else result.method.value,
            reason=None if result.reason is None else result.reason.value,
            valid_to=evidence_ends_on(_clause(policy, on), result),
            facts=data,
            facts_sha256=facts_sha256(data),
            trace=[_step_as_data(step) for step in result.trace],
            created_at=now(),
            created_by_id=actor.user_id,
        )
        session.add(assessment)
        session.flush()
        journal.record(session, actor, "discretionary.assessed", _subject(assessment, buyer, policy), after=_picture(assessment))
        return assessment


def _step_as_data(step: traces.Step) -> dict[str, Any]:
    return {
        "name": step.name,
        "formula": step.formula,
        "inputs": [[name, traces.plain(value)] for name, value in step.inputs],
        "result": traces.plain(step.result),
        "basis": step.basis,
        "on": None if step.on is None else step.on.isoformat(),
    }


def _subject(assessment: DiscretionaryAssessment, buyer: Buyer, policy: Policy | InsurancePolicy) -> Subject:
    return Subject("discretionary_assessment", assessment.id, f"{buyer.legal_name} / {policy.number}")


def _picture(assessment: DiscretionaryAssessment) -> dict[str, Any]:
    return {
        "assessed_on": assessment.assessed_on,
        "amount": Money(assessment.amount_minor, assessment.currency),
        "method": assessment.method,
        "reason": assessment.reason,
        "valid_to": assessment.valid_to,
        "sha256": assessment.facts_sha256,
    }


def apply(actor: Actor, organisation_id: int, assessment_id: int, on: date) -> LimitDecision:
    """Set the limit that an assessment of today allows; cover is worked out anew.

    Errors: ``assessment_unknown``, ``assessment_not_usable``, ``assessment_outdated``, ``insurer_limit_in_force``, those of entering a
    decision.
    """
    with transaction(organisation_id) as session:
        assessment = session.scalar(select(DiscretionaryAssessment).where(DiscretionaryAssessment.id == assessment_id).with_for_update())
        if assessment is None:
            raise Refusal("assessment_unknown", assessment=str(assessment_id))
        buyer, policy = session.get_one(Buyer, assessment.buyer_id), session.get_one(Policy, assessment.policy_id)
        if assessment.decision_id is not None:
            return session.get_one(LimitDecision, assessment.decision_id)
        if not assessment.is_usable or not assessment.amount_minor:
            raise Refusal("assessment_not_usable", buyer=buyer.legal_name)
        result, evidence = work_out(policy.id, [buyer.id], on)[buyer.id]
        if assessment.assessed_on != on or facts_sha256(facts_as_data(evidence.facts)) != assessment.facts_sha256:
            raise Refusal("assessment_outdated", assessed_on=assessment.assessed_on)
        if evidence.is_under_insurer(on):
            raise Refusal("insurer_limit_in_force", buyer=buyer.legal_name, policy=policy.number)
        decision = limits.record_decision(
            actor,
            organisation_id,
            NewDecision(
                buyer_id=buyer.id,
                policy_id=policy.id,
                decided_minor=result.amount,
                currency=assessment.currency,
                decided_on=on,
                kind=LimitKind.DISCRETIONARY,
                valid_to=assessment.valid_to,
                status=LimitStatus.APPROVED,
                source="discretionary",
            ),
            on,
        )
        assessment.decision_id = decision.id
        session.flush()
        work_items.close_items(session, WorkKind.RENEW_EVIDENCE, f"account/{policy.id}/{buyer.id}/", WorkOutcome.DONE, by=actor.user_id)
        return decision


def audit(policy_id: int, buyer_id: int, on: date, *, only_open: bool = True) -> Audit:
    """Whether the shipments that no limit of the insurer held would survive a claim, each with the limit of its own day.

    With ``only_open`` those that are not paid; without it all of the last 24 months. Errors: as for ``work_out``, ``buyer_unknown``.
    """
    policy = _policy(policy_id)
    clause = _clause(policy, on)
    found = work_out(policy_id, [buyer_id], on).get(buyer_id)
    if found is None:
        raise Refusal("buyer_unknown", buyer=str(buyer_id))
    result, evidence = found
    claim = would_survive_claim(clause, evidence.facts, evidence.shipments(on, only_open=only_open))
    return Audit(db.session.get_one(Buyer, buyer_id), policy, clause.currency, on, result, claim)


def policies_with_clause(on: date) -> frozenset[int]:
    """The policies whose terms of a day let the policyholder set limits."""
    return frozenset(policy.id for policy in PolicyBook.load().policies.values() if find_clause(policy, on) is not None)


def ending_soon(on: date) -> list[DiscretionaryAssessment]:
    """The discretionary limits in use whose evidence ends within 30 days, the first first."""
    return list(ending_assessments(on, on + timedelta(days=RENEW_DAYS)))


def remind(organisation_id: int, on: date) -> int:
    """Make work of evidence that ends within 30 days, once for each account and end; gives how much was made."""
    with transaction(organisation_id) as session:
        before = _count(session)
        for assessment in ending_soon(on):
            assert assessment.valid_to is not None
            work_items.open_item(
                session,
                WorkKind.RENEW_EVIDENCE,
                f"account/{assessment.policy_id}/{assessment.buyer_id}/{assessment.valid_to.isoformat()}",
                buyer_id=assessment.buyer_id,
                policy_id=assessment.policy_id,
                due_on=assessment.valid_to,
                facts={
                    "amount": Money(assessment.amount_minor, assessment.currency),
                    "valid_to": assessment.valid_to,
                    "assessment_id": assessment.id,
                },
            )
        return _count(session) - before


def _count(session: Session) -> int:
    statement = select(func.count(WorkItem.id)).where(WorkItem.kind == WorkKind.RENEW_EVIDENCE.value)
    return int(session.scalar(statement) or 0)

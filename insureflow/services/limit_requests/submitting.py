"""Requests on their way: handed to the insurer by a connection or by hand, answered, taken back."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from insureflow.connectors.insurers.manual import Manual
from insureflow.connectors.insurers.registry import CONNECTORS
from insureflow.domain.connections import Operation, OutboxAction, OutboxState, next_outbox_state
from insureflow.domain.cover.events import Layer
from insureflow.domain.errors import InvalidValue, Refusal
from insureflow.domain.limits import (
    CODE_OF_REQUEST,
    WAITING_FOR_INSURER,
    LimitKind,
    LimitStatus,
    RequestAction,
    RequestOutcome,
    RequestState,
    RequestType,
    next_state,
    outcome_of,
)
from insureflow.domain.money import Money, convert_minor
from insureflow.domain.work import WorkKind, WorkOutcome
from insureflow.models.buyers import Buyer, InsurerIdentity
from insureflow.models.connections import InsurerConnection, OutboxMessage
from insureflow.models.limit_requests import LimitRequest
from insureflow.models.limits import LimitDecision
from insureflow.models.policies import Policy
from insureflow.services import journal, limit_cuts, limits, work_items
from insureflow.services.clock import now
from insureflow.services.files import NewEvidence, keep
from insureflow.services.journal import Actor
from insureflow.services.limit_requests.accounts import NEVER_ASKED_FOR, AccountBook
from insureflow.services.limit_requests.drafting import get_request, picture, subject_of
from insureflow.services.limits import NewDecision, NewRequest, NewWithdrawal
from insureflow.services.limits.decisions import PolicyBook, build_request, find_same
from insureflow.services.transaction import transaction

#: Which operation of a connection a request needs.
OPERATIONS = {
    RequestType.NEW: Operation.REQUEST_NEW,
    RequestType.INCREASE: Operation.REQUEST_INCREASE,
    RequestType.REDUCE: Operation.REQUEST_REDUCTION,
    RequestType.CANCEL: Operation.REQUEST_CANCELLATION,
}

#: Messages that have not left the house, and can be held back.
_STILL_HERE = frozenset({OutboxState.WAITING, OutboxState.FAILED})


def find_connection(session: Session, policy_id: int, request_type: RequestType, layer: Layer, kind: LimitKind) -> InsurerConnection | None:
    """The connection that can carry such a request; None where it goes by hand or file."""
    connection = session.scalar(
        select(InsurerConnection).where(InsurerConnection.policy_id == policy_id, InsurerConnection.is_enabled.is_(True))
    )
    if connection is None or OPERATIONS[request_type].value not in connection.capabilities:
        return None
    connector = CONNECTORS.get(connection.connector)
    return connection if connector is not None and (layer, kind) in connector.carries else None


def find_message(session: Session, request: LimitRequest) -> OutboxMessage | None:
    """The message that carries a request, or None."""
    return session.scalar(select(OutboxMessage).where(OutboxMessage.own_reference == request.own_reference))


def hand_over(session: Session, request: LimitRequest, on: date, *, by: int | None, book: PolicyBook | None = None) -> None:
    """What leaves the house for a request that has just become submitted: the entry among the decisions, and the message or the work.

    ``book`` is that of the policy, where many requests share it. Errors: ``request_under_way``, ``company_not_matched``, those of a request among the limits.
    """
    policy, buyer = session.get_one(Policy, request.policy_id), session.get_one(Buyer, request.buyer_id)
    _refuse_second(session, request, buyer, policy)
    request.submitted_at, request.asked_on = now(), on
    _note_among_decisions(session, request, policy, on, by, book or PolicyBook.load(session, policy.id))
    connection = find_connection(session, policy.id, request.request_type, request.layer, request.kind)
    if connection is None:
        work_items.open_item(
            session,
            WorkKind.SEND_REQUEST,
            f"request:{request.own_reference}:",
            buyer_id=buyer.id,
            policy_id=policy.id,
            due_on=on,
            facts={"amount": Money(request.requested_minor or 0, request.currency), "request_id": request.id},
        )
        return
    company_id = session.scalar(
        select(InsurerIdentity.number).where(InsurerIdentity.buyer_id == buyer.id, InsurerIdentity.insurer == policy.insurer).limit(1)
    )
    if company_id is None:
        raise Refusal("company_not_matched", buyer=buyer.legal_name, insurer=policy.insurer)
    session.add(
        OutboxMessage(
            connection_id=connection.id,
            limit_request_id=request.id,
            operation=OPERATIONS[request.request_type].value,
            own_reference=request.own_reference,
            payload=_payload(session, request, connection, company_id),
            state=OutboxState.WAITING,
            next_attempt_at=now(),
            created_at=now(),
        )
    )
    session.flush()


def _payload(session: Session, request: LimitRequest, connection: InsurerConnection, company_id: str) -> dict[str, Any]:
    """The message as plain data, field by field as the connectors' interface names them."""
    return {
        "own_reference": request.own_reference,
        "code": int(CODE_OF_REQUEST[request.request_type]),
        "company_id": company_id,
        "kind": request.kind.value,
        "layer": request.layer.value,
        "amount_minor": request.requested_minor,
        "currency": request.currency,
        "asked_on": request.asked_on.isoformat(),
        "cover_id": _cover_id(session, request, connection),
        "is_urgent": request.is_urgent,
        "comment": request.comment,
    }


def _cover_id(session: Session, request: LimitRequest, connection: InsurerConnection) -> str | None:
    """The insurer's reference of the cover that a request changes; a decision's reference is the cover's and its version's."""
    if request.request_type is RequestType.NEW:
        return None
    reference = session.scalar(
        select(LimitDecision.insurer_reference)
        .where(
            LimitDecision.policy_id == request.policy_id,
            LimitDecision.buyer_id == request.buyer_id,
            LimitDecision.layer == request.layer,
            LimitDecision.source == connection.connector,
            LimitDecision.insurer_reference.is_not(None),
        )
        .order_by(LimitDecision.decided_on.desc(), LimitDecision.id.desc())
        .limit(1)
    )
    return None if reference is None else reference.rpartition("/")[0] or reference


def _refuse_second(session: Session, request: LimitRequest, buyer: Buyer, policy: Policy) -> None:
    """The insurer is never asked twice at once for the same layer of the same buyer."""
    session.execute(select(Buyer.id).where(Buyer.id == buyer.id).with_for_update(key_share=True))
    session.flush()
    other = find_pending(session, policy.id, buyer.id, request.layer, without=request.id)
    if other is not None:
        raise Refusal(
            "request_under_way",
            buyer=buyer.legal_name,
            policy=policy.number,
            asked_on=other.asked_on,
            state=other.state,
            reference=other.own_reference,
        )


def find_pending(session: Session, policy_id: int, buyer_id: int, layer: Layer, *, without: int | None = None) -> LimitRequest | None:
    """The request that waits for the insurer's answer on this layer, locked as it stands now, or None."""
    statement = select(LimitRequest).where(
        LimitRequest.policy_id == policy_id,
        LimitRequest.buyer_id == buyer_id,
        LimitRequest.layer == layer,
        LimitRequest.state.in_(WAITING_FOR_INSURER),
    )
    if without is not None:
        statement = statement.where(LimitRequest.id != without)
    locked = statement.order_by(LimitRequest.id).limit(1).with_for_update().execution_options(populate_existing=True)
    return session.scalar(locked)


def find_answered(
    session: Session, policy_id: int, *, own_reference: str | None = None, insurer_reference: str | None = None
) -> LimitRequest | None:
    """The request that an answer with one of these references belongs to, locked; None if it belongs to none."""
    references = []
    if own_reference:
        references.append(LimitRequest.own_reference == own_reference)
    if insurer_reference:
        references.append(LimitRequest.insurer_reference == insurer_reference)
    if not references:
        return None
    return session.scalar(
        select(LimitRequest)
        .where(LimitRequest.policy_id == policy_id, or_(*references))
        .order_by(LimitRequest.id)
        .limit(1)
        .with_for_update()
    )


def _note_among_decisions(session: Session, request: LimitRequest, policy: Policy, on: date, by: int | None, book: PolicyBook) -> None:
    """The entry "asked for" in the history of limits; giving a limit up asks for no amount and has none."""
    if request.requested_minor is None:
        return
    new = NewRequest(
        buyer_id=request.buyer_id,
        policy_id=policy.id,
        requested_minor=request.requested_minor,
        currency=request.currency,
        requested_on=on,
        kind=request.kind,
        layer=request.layer,
        reason=request.comment,
        source="request",
    )
    entry = build_request(new, policy, book, on)
    known = find_same(session, entry)
    if known is None:
        entry.created_by_id = by
        session.add(entry)
        session.flush()
    request.request_decision_id = (known or entry).id


def mark_referred(session: Session, request: LimitRequest, *, insurer_reference: str | None = None) -> LimitRequest:
    """Note that the insurer has a request and studies it; part of the use case that heard so. Errors: ``request_not_possible``."""
    request.state = next_state(request.state, RequestAction.REFER)
    request.insurer_reference = insurer_reference or request.insurer_reference
    work_items.close_items(session, WorkKind.SEND_REQUEST, f"request:{request.own_reference}:", WorkOutcome.DONE)
    session.flush()
    return request


def apply_decision(
    session: Session,
    request: LimitRequest,
    decision: LimitDecision,
    *,
    outcome: RequestOutcome | None = None,
    on: date,
    insurer_reference: str | None = None,
) -> LimitRequest:
    """Close a request with the insurer's answer; a preliminary one leaves it open for the final one.

    Part of the use case that recorded the answer, which writes the journal. Without ``outcome`` it follows from the amounts. Errors: ``request_not_possible``.
    """
    request.state = next_state(request.state, RequestAction.DECIDE)
    request.decision_id = decision.id
    request.outcome = outcome or _outcome(session, request, decision, on)
    request.insurer_reference = insurer_reference or request.insurer_reference
    request.pending_action, request.pending_on = None, None
    request.closed_at = None if request.outcome is RequestOutcome.PRELIMINARY else now()
    work_items.close_items(session, WorkKind.SEND_REQUEST, f"request:{request.own_reference}:", WorkOutcome.DONE)
    _hold_back(session, request)
    session.flush()
    return request


def _outcome(session: Session, request: LimitRequest, decision: LimitDecision, on: date) -> RequestOutcome:
    """What the insurer made of a request, compared in the currency of the answer."""
    if decision.status is LimitStatus.WITHDRAWN:
        return RequestOutcome.FULL if request.request_type is RequestType.CANCEL else RequestOutcome.REFUSED
    requested = 0 if request.requested_minor is None else request.requested_minor
    if requested and request.currency != decision.currency:
        rate = PolicyBook.load(session, request.policy_id).rates.get(request.currency, decision.currency, on).rate
        requested = convert_minor(requested, request.currency, decision.currency, rate)
    return outcome_of(requested, decision.decided_minor or 0, has_conditions=bool(decision.conditions))


def _hold_back(session: Session, request: LimitRequest) -> None:
    """A message that has not left is not sent any more."""
    message = find_message(session, request)
    if message is not None and message.state in _STILL_HERE:
        message.state = next_outbox_state(message.state, OutboxAction.WITHDRAW)


def record_answer(
    actor: Actor,
    organisation_id: int,
    answer: NewDecision | NewWithdrawal,
    on: date,
    *,
    evidence: NewEvidence | None = None,
    outcome: RequestOutcome | None = None,
    answers_request: bool = True,
) -> LimitDecision:
    """Enter what the insurer decided by hand, with the file that shows it, and close the request that waited for it.

    A cut becomes work for somebody.

    ``answers_request`` is False where the insurer decided of its own accord and the request still waits.

    Errors: those of entering a decision or withdrawal, those of keeping a file; ``evidence_needed`` where the insurer is reached by
    portal or e-mail, whose answer nobody can fetch again.
    """
    with transaction(organisation_id) as session:
        if evidence is None and _needs_evidence(session, answer.policy_id):
            raise InvalidValue("evidence_needed", "evidence")
        before = AccountBook.load(session, answer.policy_id, [answer.buyer_id], on).granted.get((answer.buyer_id, answer.layer))
        request = find_pending(session, answer.policy_id, answer.buyer_id, answer.layer)
        if isinstance(answer, NewDecision):
            decision = limits.record_decision(actor, organisation_id, answer, on)
        else:
            decision = limits.withdraw(actor, organisation_id, answer, on)
        if evidence is not None:
            keep(session, actor, evidence, buyer_id=decision.buyer_id, decision_id=decision.id)
        if request is not None and answers_request and _answers(request, decision):
            apply_decision(session, request, decision, outcome=outcome, on=on)
        if before is not None and decision.status in (LimitStatus.REDUCED, LimitStatus.WITHDRAWN):
            limit_cuts.note_cut(session, decision, before, on)
        return decision


def _needs_evidence(session: Session, policy_id: int) -> bool:
    connector = session.scalar(
        select(InsurerConnection.connector).where(InsurerConnection.policy_id == policy_id, InsurerConnection.is_enabled.is_(True))
    )
    return connector == Manual.key and Manual.needs_evidence


def _answers(request: LimitRequest, decision: LimitDecision) -> bool:
    """Whether a decision can answer a request: a temporary limit may answer the wish for a lasting one, an own limit answers nothing."""
    if decision.status is LimitStatus.WITHDRAWN:
        return request.request_type is RequestType.CANCEL
    if decision.kind in NEVER_ASKED_FOR:
        return False
    return (decision.kind is LimitKind.PRE_SHIPMENT) == (request.kind is LimitKind.PRE_SHIPMENT)


def cancel(actor: Actor, organisation_id: int, request_id: int, on: date) -> LimitRequest:
    """Give a request up. One that has left by a connection cannot be called back: the insurer answers it.

    Errors: ``limit_request_unknown``, ``request_not_possible``, ``request_has_left``.
    """
    del on
    with transaction(organisation_id) as session:
        request = get_request(session, request_id)
        state = next_state(request.state, RequestAction.CANCEL)
        if request.state not in WAITING_FOR_INSURER and request.state not in _NOT_SENT:
            raise Refusal("request_not_possible", state=request.state, action=RequestAction.CANCEL)
        message = find_message(session, request)
        if message is not None and message.state not in _STILL_HERE:
            raise Refusal("request_has_left", reference=request.own_reference)
        before = {"state": request.state}
        _hold_back(session, request)
        request.state, request.closed_at = state, now()
        for kind in (WorkKind.APPROVE_REQUEST, WorkKind.SEND_REQUEST):
            work_items.close_items(session, kind, f"request:{request.own_reference}:", WorkOutcome.NOT_NEEDED, by=actor.user_id)
        if request.request_decision_id is not None:
            entry = session.get(LimitDecision, request.request_decision_id)
            request.request_decision_id = None
            if entry is not None and entry.source == "request":
                session.delete(entry)
        session.flush()
        journal.record(session, actor, "limit_request.cancelled", subject_of(session, request), before=before, after=picture(request))
        return request


_NOT_SENT = frozenset({RequestState.DRAFT, RequestState.AWAITING_APPROVAL, RequestState.REJECTED})

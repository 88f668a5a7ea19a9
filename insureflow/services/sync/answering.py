"""What an insurer's covers answer: the requests of ours that wait for them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from insureflow.connectors.insurers.interface import InsurerCover
from insureflow.domain.connections import OutboxState
from insureflow.domain.limits import LimitKind
from insureflow.domain.limits.codes import OUTCOME_OF_CODE, CoverResponseCode
from insureflow.domain.limits.life import WAITING_FOR_INSURER, RequestAction, RequestOutcome, RequestState, RequestType, next_state
from insureflow.domain.money import Money
from insureflow.models.connections import OutboxMessage
from insureflow.models.limit_requests import LimitRequest
from insureflow.models.limits import LimitDecision
from insureflow.queries.among import among
from insureflow.services.clock import now
from insureflow.services.limit_requests.submitting import apply_decision, mark_referred

#: Kinds of limits of which one never stands for another.
_KINDS_APART = (LimitKind.CREDIT_CHECK, LimitKind.PRE_SHIPMENT)
_ENDING = frozenset({CoverResponseCode.CANCELLED, CoverResponseCode.CLOSE_ACCOUNT})


def open_requests(session: Session, policy_id: int) -> list[LimitRequest]:
    """The requests under a policy that an insurer may answer: those that wait, and those with a preliminary answer."""
    return list(
        session.scalars(
            select(LimitRequest)
            .where(
                LimitRequest.policy_id == policy_id,
                or_(
                    LimitRequest.state.in_(WAITING_FOR_INSURER),
                    (LimitRequest.state == RequestState.DECIDED) & (LimitRequest.outcome == RequestOutcome.PRELIMINARY),
                ),
            )
            .order_by(LimitRequest.id)
        )
    )


def buyers_by_reference(session: Session, policy_id: int, covers: Collection[InsurerCover]) -> dict[str, int]:
    """The buyers of covers that name a request of ours."""
    references = {each for cover in covers for each in (cover.own_reference, cover.request_reference, cover.cover_id) if each}
    if not references:
        return {}
    rows = session.execute(
        select(LimitRequest.own_reference, LimitRequest.insurer_reference, LimitRequest.buyer_id).where(
            LimitRequest.policy_id == policy_id,
            or_(among(LimitRequest.own_reference, references), among(LimitRequest.insurer_reference, references)),
        )
    )
    owners: dict[str, int] = {}
    for row in rows:
        owners[f"own:{row.own_reference}"] = row.buyer_id
        if row.insurer_reference:
            owners[f"theirs:{row.insurer_reference}"] = row.buyer_id
    found: dict[str, int] = {}
    for cover in covers:
        names = (f"own:{cover.own_reference}", f"theirs:{cover.request_reference}", f"theirs:{cover.cover_id}")
        owner = next((owners[name] for name in names if name in owners), None)
        if owner is not None:
            found[cover.cover_id] = owner
    return found


def answer(
    session: Session,
    requests: Collection[LimitRequest],
    covers: Iterable[InsurerCover],
    decisions: Mapping[str, int | None],
    on: date,
    *,
    buyers: Mapping[str, int | None] | None = None,
) -> int:
    """Bring requests to where the insurer's covers say they are; gives how many were closed. ``decisions`` by cover id.

    With the ``buyers`` of the covers, one without any reference of ours answers the request that reached the insurer without a receipt, by its portal or by file,
    where it is about the same buyer and amount and was decided since.
    """
    by_own = {request.own_reference: request for request in requests}
    by_theirs = {request.insurer_reference: request for request in requests if request.insurer_reference}
    without_receipt = {} if buyers is None else _without_receipt(session, requests)
    closed = 0
    for cover in covers:
        request = by_own.get(cover.own_reference) or by_theirs.get(cover.request_reference) or by_theirs.get(cover.cover_id)
        if request is None and buyers is not None:
            request = next((each for each in without_receipt.get(buyers.get(cover.cover_id), ()) if _fits(each, cover)), None)
        if request is not None:
            closed += _answer(session, request, cover, decisions.get(cover.cover_id), on)
    return closed


def _without_receipt(session: Session, requests: Collection[LimitRequest]) -> dict[int | None, list[LimitRequest]]:
    """The requests no receipt of the insurer is known of, by buyer. One that a connection is still to send is not among them."""
    found = [request for request in requests if not request.insurer_reference]
    if not found:
        return {}
    on_their_way = set(
        session.scalars(
            select(OutboxMessage.limit_request_id).where(
                among(OutboxMessage.limit_request_id, [request.id for request in found]),
                OutboxMessage.state.not_in([OutboxState.SENT, OutboxState.WITHDRAWN]),
            )
        )
    )
    by_buyer: dict[int | None, list[LimitRequest]] = {}
    for request in found:
        if request.id not in on_their_way:
            by_buyer.setdefault(request.buyer_id, []).append(request)
    return by_buyer


def _fits(request: LimitRequest, cover: InsurerCover) -> bool:
    """Whether a cover that names no request says what became of this one."""
    if cover.own_reference or cover.request_reference or request.state not in WAITING_FOR_INSURER:
        return False
    if cover.layer is not request.layer or any((cover.kind is kind) != (request.kind is kind) for kind in _KINDS_APART):
        return False
    is_studied = cover.response is CoverResponseCode.STILL_INVESTIGATING
    if not is_studied and (cover.decided_on is None or cover.decided_on < request.asked_on):
        return False
    if request.request_type is RequestType.CANCEL or request.requested_minor is None:
        return request.request_type is RequestType.CANCEL and cover.response in _ENDING
    asked = cover.requested or (None if is_studied else cover.decided)
    return asked == Money(request.requested_minor, request.currency)


def _answer(session: Session, request: LimitRequest, cover: InsurerCover, decision_id: int | None, on: date) -> bool:
    if cover.response is CoverResponseCode.STILL_INVESTIGATING:
        if request.state is RequestState.SUBMITTED or (request.state is RequestState.REFERRED and request.insurer_reference is None):
            mark_referred(session, request, insurer_reference=cover.request_reference or cover.cover_id)
        request.pending_action, request.pending_on = cover.pending, cover.pending_on
        return False
    if request.state is RequestState.DECIDED and (cover.response is CoverResponseCode.PRELIMINARY or decision_id == request.decision_id):
        return False
    if cover.response is CoverResponseCode.NAME_OR_ADDRESS_CHANGE or (cover.response in _ENDING and cover.decided is None):
        if cover.response in _ENDING:  # the application was ended and nothing was decided
            request.state, request.closed_at = next_state(request.state, RequestAction.CANCEL), now()
            request.insurer_reference = request.insurer_reference or cover.cover_id
            return True
        return False
    decision = None if decision_id is None else session.get(LimitDecision, decision_id)
    outcome = _outcome(request, cover)
    if decision is None:
        decision = _in_force(session, request, on)
    if decision is None:
        return False
    apply_decision(session, request, decision, outcome=outcome, on=on, insurer_reference=request.insurer_reference or cover.cover_id)
    return True


def _outcome(request: LimitRequest, cover: InsurerCover) -> RequestOutcome | None:
    """The word for an answer where the insurer's response gives it; None where it follows from the amounts."""
    if request.request_type is RequestType.CANCEL and cover.response in _ENDING:
        return RequestOutcome.FULL
    return OUTCOME_OF_CODE.get(cover.response)


def _in_force(session: Session, request: LimitRequest, on: date) -> LimitDecision | None:
    """The last decision on what a request is about: it stays as it is where the insurer refuses to change it."""
    return session.scalar(
        select(LimitDecision)
        .where(
            LimitDecision.policy_id == request.policy_id,
            LimitDecision.buyer_id == request.buyer_id,
            LimitDecision.layer == request.layer,
            LimitDecision.id != (request.request_decision_id or 0),
            LimitDecision.decided_on <= on,
        )
        .order_by(LimitDecision.decided_on.desc(), LimitDecision.id.desc())
        .limit(1)
    )

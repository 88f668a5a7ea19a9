"""Limit requests read: how each stands on a day, who must act on it, and what happened to it so far."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import func, select

from insureflow.connectors.insurers.registry import CONNECTORS
from insureflow.domain.connections import Operation, OutboxState
from insureflow.domain.limits import (
    LimitRecord,
    LimitStatus,
    Pending,
    PendingAction,
    RequestAction,
    RequestState,
    RequestType,
    life_on,
    pending_on,
    possible_actions,
)
from insureflow.domain.money import Money, minor_digits
from insureflow.domain.policies import is_country_covered
from insureflow.models.buyers import Buyer, CustomerNumber
from insureflow.models.connections import InsurerConnection, OutboxMessage
from insureflow.models.database import db
from insureflow.models.journal import JournalEntry
from insureflow.models.limit_requests import LimitRequest
from insureflow.models.limits import LimitDecision
from insureflow.models.organisations import User
from insureflow.models.policies import Policy
from insureflow.queries.cover.policies import PolicyBook
from insureflow.queries.dashboard.calculated import CalculatedListing, calculated_field
from insureflow.queries.limits.decisions import record_of
from insureflow.queries.listing import FilterKind, Kind, Listing, Order


class MustAct(StrEnum):
    """Whose turn it is."""

    AUTHOR = "author"
    APPROVER = "approver"
    SENDER = "sender"
    INSURER = "insurer"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Carrier:
    """The connection of a policy: its connector, whether it can carry a request, and the step of amounts the insurer takes."""

    name: str
    operations: frozenset[str]
    step: int

    def can_carry(self, request_type: RequestType) -> bool:
        """True if such a request can leave by it."""
        return _OPERATIONS[request_type].value in self.operations

    def is_off_step(self, amount: Money | None) -> bool:
        """True for an amount that the insurer would round or refuse."""
        return amount is not None and amount.minor % (self.step * 10 ** minor_digits(amount.currency)) != 0


_OPERATIONS = {
    RequestType.NEW: Operation.REQUEST_NEW,
    RequestType.INCREASE: Operation.REQUEST_INCREASE,
    RequestType.REDUCE: Operation.REQUEST_REDUCTION,
    RequestType.CANCEL: Operation.REQUEST_CANCELLATION,
}


def find_carrier(policy_id: int) -> Carrier | None:
    """The connection of a policy that is switched on; None where its requests go by hand or file."""
    connection = db.session.scalar(
        select(InsurerConnection).where(InsurerConnection.policy_id == policy_id, InsurerConnection.is_enabled.is_(True))
    )
    if connection is None:
        return None
    connector = CONNECTORS.get(connection.connector)
    name, step = (connection.connector, 1) if connector is None else (connector.name, connector.amount_step)
    return Carrier(name, frozenset(connection.capabilities), step)


@dataclass(frozen=True, slots=True)
class RequestView:
    """A request with all that its page shows. ``life`` is how it stands on the day; ``actions`` follow from what is stored."""

    request: LimitRequest
    buyer: Buyer
    policy: Policy
    author: str | None
    life: RequestState
    must_act: MustAct
    pending: tuple[Pending, ...]
    actions: tuple[RequestAction, ...]
    decision: LimitDecision | None
    message: OutboxMessage | None
    carrier: Carrier | None
    history: tuple[JournalEntry, ...]


_NOT_LEFT = frozenset({OutboxState.FAILED})


def _must_act(life: RequestState, message: OutboxMessage | None) -> MustAct:
    """Whose turn it is, from how a request stands and how its message does."""
    if life in (RequestState.DRAFT, RequestState.REJECTED):
        return MustAct.AUTHOR
    if life is RequestState.AWAITING_APPROVAL:
        return MustAct.APPROVER
    if life is RequestState.SUBMITTED and (message is None or message.state in _NOT_LEFT):
        return MustAct.SENDER
    return MustAct.INSURER if life in (RequestState.SUBMITTED, RequestState.REFERRED) else MustAct.NOBODY


class _Lives:
    """The decisions that tell how requests stand, read once for all of them."""

    def __init__(self, requests: Sequence[LimitRequest]) -> None:
        accounts = {(each.policy_id, each.buyer_id) for each in requests if each.decision_id is not None}
        self._records: dict[tuple[int, int, Any], list[LimitRecord]] = {}
        self._decisions: dict[int, LimitDecision] = {}
        for portion in _portions(sorted({buyer_id for _policy, buyer_id in accounts})):
            for decision in db.session.scalars(select(LimitDecision).where(LimitDecision.buyer_id.in_(portion))):
                self._decisions[decision.id] = decision
                key = decision.policy_id, decision.buyer_id, decision.layer
                self._records.setdefault(key, []).append(record_of(decision))
        self._own_ends: set[int] = set()
        for portion in _portions(sorted({buyer_id for _policy, buyer_id in accounts})):
            ends = select(LimitRequest.decision_id).where(
                LimitRequest.buyer_id.in_(portion), LimitRequest.request_type == RequestType.CANCEL, LimitRequest.decision_id.is_not(None)
            )
            self._own_ends.update(each for each in db.session.scalars(ends) if each is not None)

    def decision_of(self, request: LimitRequest) -> LimitDecision | None:
        """The insurer's answer to a request."""
        return None if request.decision_id is None else self._decisions.get(request.decision_id)

    def life_of(self, request: LimitRequest, on: date) -> RequestState:
        """How a request stands on a day."""
        decision = self.decision_of(request)
        record = None if decision is None else record_of(decision)
        return life_on(request.state, record, self._of(request), on, own_cancellations=self._own_ends)

    def pending_of(self, request: LimitRequest, on: date) -> tuple[Pending, ...]:
        """What the decisions say is still to come for a request that was answered."""
        decision = self.decision_of(request)
        if decision is None or decision.status is LimitStatus.REQUESTED or decision.decided_on > on:
            return ()
        return pending_on(record_of(decision), self._of(request), on)

    def _of(self, request: LimitRequest) -> list[LimitRecord]:
        return self._records.get((request.policy_id, request.buyer_id, request.layer), [])


def _portions(keys: Sequence[int], size: int = 500) -> Iterable[Sequence[int]]:
    return (keys[start : start + size] for start in range(0, len(keys), size))


def find_request(request_id: int, on: date) -> RequestView | None:
    """A request as it stands on a day, or None."""
    row = db.session.execute(
        select(LimitRequest, Buyer, Policy, User.email)
        .join(Buyer, Buyer.id == LimitRequest.buyer_id)
        .join(Policy, Policy.id == LimitRequest.policy_id)
        .outerjoin(User, User.id == LimitRequest.created_by_id)
        .where(LimitRequest.id == request_id)
    ).one_or_none()
    if row is None:
        return None
    request, buyer, policy, author = row
    lives = _Lives([request])
    message = db.session.scalar(select(OutboxMessage).where(OutboxMessage.own_reference == request.own_reference))
    life = lives.life_of(request, on)
    entries = db.session.scalars(
        select(JournalEntry)
        .where(JournalEntry.subject_type == "limit_request", JournalEntry.subject_id == request.id)
        .order_by(JournalEntry.sequence.desc())
    )
    return RequestView(
        request=request,
        buyer=buyer,
        policy=policy,
        author=author,
        life=life,
        must_act=_must_act(life, message),
        pending=(*_of_message(request, message), *lives.pending_of(request, on)),
        actions=possible_actions(request.state),
        decision=lives.decision_of(request),
        message=message,
        carrier=find_carrier(policy.id),
        history=tuple(entries),
    )


def _of_message(request: LimitRequest, message: OutboxMessage | None) -> tuple[Pending, ...]:
    """What the way to the insurer says is still to come, and what was noted with the request itself."""
    found = [] if request.pending_action is None else [Pending(request.pending_action, request.pending_on)]
    if message is not None and message.state in (OutboxState.WAITING, OutboxState.SENDING, OutboxState.UNCERTAIN):
        found.append(Pending(PendingAction.WAITING_TO_BE_SENT))
    if message is not None and message.state is OutboxState.FAILED:
        found.append(Pending(PendingAction.SENDING_FAILED))
    return tuple(found)


class OfferObstacle(StrEnum):
    """Why a limit on a buyer is not to be asked for under a policy."""

    COUNTRY = "country"
    ENTITY = "entity"


def obstacles_of(buyer: Buyer, on: date) -> dict[int, OfferObstacle]:
    """The policies under which nothing is to be asked for a buyer, and why: its country is not covered, or no insured entity sells to it.

    A buyer whose number no entity knows may be sold to by any of them.
    """
    book = PolicyBook.load()
    selling = set(db.session.scalars(select(CustomerNumber.entity_id).where(CustomerNumber.buyer_id == buyer.id)))
    insuring = {policy.id for entity_id in selling for policy in book.insured.get(entity_id, ())}
    obstacles: dict[int, OfferObstacle] = {}
    for policy in book.policies.values():
        if policy.history and not is_country_covered(policy.terms_on(on), buyer.country):
            obstacles[policy.id] = OfferObstacle.COUNTRY
        elif selling and policy.history and policy.id not in insuring:
            obstacles[policy.id] = OfferObstacle.ENTITY
    return obstacles


def requests_of_buyer(buyer_id: int, on: date) -> list[tuple[LimitRequest, RequestState]]:
    """A buyer's requests, newest first, each with how it stands on a day."""
    requests = db.session.scalars(
        select(LimitRequest).where(LimitRequest.buyer_id == buyer_id, LimitRequest.asked_on <= on).order_by(LimitRequest.id.desc())
    ).all()
    lives = _Lives(requests)
    return [(request, lives.life_of(request, on)) for request in requests]


def count_awaiting_approval() -> int:
    """How many requests wait for a second person."""
    waiting = select(func.count(LimitRequest.id)).where(LimitRequest.state == RequestState.AWAITING_APPROVAL)
    return int(db.session.scalar(waiting) or 0)


_FIELDS = (
    calculated_field("buyer", searched=True),
    calculated_field("policy", searched=True, filtered=FilterKind.SELECT),
    calculated_field("type", Kind.BADGE, filtered=FilterKind.SELECT),
    calculated_field("amount", Kind.MONEY),
    calculated_field("state", Kind.BADGE, filtered=FilterKind.SELECT),
    calculated_field("must_act", Kind.BADGE, filtered=FilterKind.SELECT),
    calculated_field("decided", Kind.MONEY),
    calculated_field("asked_on", Kind.DATE, filtered=FilterKind.DATE_RANGE),
    calculated_field("author", searched=True, filtered=FilterKind.SELECT),
    calculated_field("reference", searched=True),
    calculated_field("bulk", searched=True, filtered=FilterKind.SELECT, hidden=True),
    calculated_field("layer", Kind.BADGE, filtered=FilterKind.SELECT, hidden=True),
    calculated_field("outcome", Kind.BADGE, hidden=True),
    calculated_field("pending", hidden=True),
    calculated_field("buyer_id", Kind.NUMBER, hidden=True),
    calculated_field("number", Kind.NUMBER, hidden=True),
)


def request_listing(
    on: date,
    *,
    policy_id: int | None = None,
    policies: Collection[int] | None = None,
    states: Collection[RequestState] | None = None,
) -> Listing:
    """The requests written by a day, newest first, each as it stands on that day; ``states`` narrows to what is stored."""
    rows = _rows(on, policy_id, policies, states)
    return CalculatedListing("limit-requests", _FIELDS, rows, order=Order("asked_on", descending=True))


def _rows(
    on: date, policy_id: int | None, policies: Collection[int] | None, states: Collection[RequestState] | None
) -> list[Mapping[str, Any]]:
    statement = (
        select(LimitRequest, Buyer.legal_name, Policy.number, User.email, OutboxMessage)
        .join(Buyer, Buyer.id == LimitRequest.buyer_id)
        .join(Policy, Policy.id == LimitRequest.policy_id)
        .outerjoin(User, User.id == LimitRequest.created_by_id)
        .outerjoin(OutboxMessage, OutboxMessage.own_reference == LimitRequest.own_reference)
        .where(LimitRequest.asked_on <= on)
        .order_by(LimitRequest.id)
    )
    if policy_id is not None:
        statement = statement.where(LimitRequest.policy_id == policy_id)
    if policies is not None:
        statement = statement.where(LimitRequest.policy_id.in_(sorted(policies)))
    if states is not None:
        statement = statement.where(LimitRequest.state.in_(states))
    found = db.session.execute(statement).all()
    lives = _Lives([row[0] for row in found])
    rows: list[Mapping[str, Any]] = []
    for request, buyer, policy, author, message in found:
        life, decision = lives.life_of(request, on), lives.decision_of(request)
        is_decided = decision is not None and decision.decided_on <= on
        pending = (*_of_message(request, message), *lives.pending_of(request, on))
        rows.append(
            {
                "key": f"{request.id:012}",
                "buyer": buyer,
                "policy": policy,
                "type": request.request_type,
                "amount": None if request.requested_minor is None else (request.requested_minor, request.currency),
                "state": life,
                "must_act": _must_act(life, message),
                "decided": (decision.decided_minor, decision.currency)
                if is_decided and decision is not None and decision.decided_minor is not None
                else None,
                "asked_on": request.asked_on,
                "author": author,
                "reference": request.own_reference,
                "bulk": request.bulk or None,
                "layer": request.layer,
                "outcome": request.outcome if is_decided else None,
                "pending": pending[0] if pending else None,
                "buyer_id": request.buyer_id,
                "number": request.id,
            }
        )
    return rows

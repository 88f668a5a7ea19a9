"""Limit requests read: how each stands on a day, who must act on it, and what happened to it so far."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Select, String, and_, case, cast, func, or_, select, type_coerce
from sqlalchemy.orm import aliased

from insureflow.connectors.insurers.registry import CONNECTORS
from insureflow.domain.buyers import search_name
from insureflow.domain.connections import Operation, OutboxState
from insureflow.domain.cover.events import Layer
from insureflow.domain.limits import (
    FROM_DECISIONS,
    LimitKind,
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
from insureflow.models.base import vocabulary
from insureflow.models.buyers import Buyer, CustomerNumber
from insureflow.models.connections import InsurerConnection, OutboxMessage
from insureflow.models.database import db
from insureflow.models.journal import JournalEntry
from insureflow.models.limit_requests import LimitRequest
from insureflow.models.limits import LimitDecision
from insureflow.models.organisations import User
from insureflow.models.policies import Policy
from insureflow.queries.cover.policies import PolicyBook
from insureflow.queries.limits.decisions import record_of
from insureflow.queries.listing import Field, FilterKind, Kind, Listing, Narrowing, Order, Page
from insureflow.queries.organisations import person


class MustAct(StrEnum):
    """Whose turn it is."""

    AUTHOR = "author"
    APPROVER = "approver"
    SENDER = "sender"
    INSURER = "insurer"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Carrier:
    """The connection of a policy: its connector, what requests it can carry, and the step of amounts the insurer takes."""

    name: str
    operations: frozenset[str]
    step: int
    carries: frozenset[tuple[Layer, LimitKind]]

    def can_carry(self, request: LimitRequest) -> bool:
        """True if such a request can leave by it."""
        return _OPERATIONS[request.request_type].value in self.operations and (request.layer, request.kind) in self.carries

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
    if connector is None:
        return None
    return Carrier(connector.name, frozenset(connection.capabilities), connector.amount_step, connector.carries)


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
_ON_ITS_WAY = frozenset({OutboxState.WAITING, OutboxState.SENDING, OutboxState.UNCERTAIN})

_MUST_ACT = vocabulary(MustAct, "must_act")


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
        select(LimitRequest, Buyer, Policy, person(User))
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
    if message is not None and message.state in _ON_ITS_WAY and request.pending_action is not PendingAction.WAITING_TO_BE_SENT:
        found.append(Pending(PendingAction.WAITING_TO_BE_SENT))
    if message is not None and message.state is OutboxState.FAILED and request.pending_action is not PendingAction.SENDING_FAILED:
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


def count_awaiting_approval() -> int:
    """How many requests wait for a second person."""
    waiting = select(func.count(LimitRequest.id)).where(LimitRequest.state == RequestState.AWAITING_APPROVAL)
    return int(db.session.scalar(waiting) or 0)


def _follows(later: Any, decision: Any, on: date) -> ColumnElement[bool]:
    """Later words that count on a day and take the place of a decision. *Formula:* as ``state_of`` of the rules."""
    is_later = or_(later.decided_on > decision.decided_on, and_(later.decided_on == decision.decided_on, later.id > decision.id))
    apart = (LimitKind.TEMPORARY, LimitKind.PRE_SHIPMENT)
    is_apart = and_(decision.status != LimitStatus.WITHDRAWN, or_(later.kind.in_(apart), decision.kind.in_(apart)))
    return and_(
        later.policy_id == decision.policy_id,
        later.buyer_id == decision.buyer_id,
        later.layer == decision.layer,
        later.decided_on <= on,
        later.effective_on <= on,
        later.status != LimitStatus.REQUESTED,
        is_later,
        or_(
            later.status == LimitStatus.WITHDRAWN,
            case((is_apart, later.kind == decision.kind), else_=later.kind.not_in(apart)),
        ),
    )


class _Parts:
    """The FROM clause of the list and what is worked out over it."""

    def __init__(self, on: date) -> None:
        self.decision = aliased(LimitDecision, name="answer")
        self.ending = aliased(LimitDecision, name="ending")
        self.cutting = aliased(LimitDecision, name="cutting")
        self.author = aliased(User, name="author")
        self._on = on
        self.is_decided = and_(self.decision.id.is_not(None), self.decision.decided_on <= on)
        self.life = self._life()
        waits = case(
            (or_(OutboxMessage.id.is_(None), OutboxMessage.state.in_(_NOT_LEFT)), MustAct.SENDER.value), else_=MustAct.INSURER.value
        )
        turns = {
            RequestState.DRAFT.value: MustAct.AUTHOR.value,
            RequestState.REJECTED.value: MustAct.AUTHOR.value,
            RequestState.AWAITING_APPROVAL.value: MustAct.APPROVER.value,
            RequestState.SUBMITTED.value: waits,
            RequestState.REFERRED.value: MustAct.INSURER.value,
        }
        self.must_act = case(turns, value=self.life, else_=MustAct.NOBODY.value)

    def _life(self) -> ColumnElement[Any]:
        """How a request stands on the day. *Formula:* as ``life_on`` of the rules, test by test."""
        on, decision, ending, cutting = self._on, self.decision, self.ending, self.cutting
        stored = cast(LimitRequest.state, String)
        lapsed = case((cutting.valid_to < on, RequestState.EXPIRED.value), else_=RequestState.REDUCED.value)
        own = case((decision.valid_to < on, RequestState.EXPIRED.value), else_=RequestState.IN_FORCE.value)
        return case(
            (
                or_(
                    decision.id.is_(None),
                    decision.status == LimitStatus.REQUESTED,
                    LimitRequest.state.not_in(FROM_DECISIONS),
                ),
                stored,
            ),
            (decision.decided_on > on, RequestState.SUBMITTED.value),
            (and_(ending.id.is_not(None), ending.status != LimitStatus.WITHDRAWN), RequestState.SUPERSEDED.value),
            (ending.id.is_not(None), self._ended_by(ending)),
            (cutting.id.is_not(None), lapsed),
            (decision.effective_on > on, RequestState.DECIDED.value),
            (decision.status == LimitStatus.WITHDRAWN, self._ended_by(decision)),
            (decision.status == LimitStatus.REFUSED, RequestState.DECIDED.value),
            else_=own,
        )

    def _ended_by(self, decision: Any) -> ColumnElement[str]:
        own = aliased(LimitRequest)
        is_own = select(own.id).where(own.decision_id == decision.id, own.request_type == RequestType.CANCEL).correlate(decision).exists()
        return case((is_own, RequestState.CANCELLED.value), else_=RequestState.WITHDRAWN.value)

    def source(self, statement: Select[Any]) -> Select[Any]:
        """The FROM clause: one row per request, with the word that ended its limit and the last that cut it."""
        later = aliased(LimitDecision)
        words = select(later.id).where(_follows(later, self.decision, self._on)).correlate(self.decision)
        ending = words.where(later.status != LimitStatus.REDUCED).order_by(later.decided_on, later.id).limit(1).scalar_subquery()
        cutting = words.where(later.status == LimitStatus.REDUCED).order_by(later.decided_on.desc(), later.id.desc()).limit(1)
        return (
            statement.select_from(LimitRequest)
            .join(Buyer, Buyer.id == LimitRequest.buyer_id)
            .join(Policy, Policy.id == LimitRequest.policy_id)
            .outerjoin(self.author, self.author.id == LimitRequest.created_by_id)
            .outerjoin(OutboxMessage, OutboxMessage.own_reference == LimitRequest.own_reference)
            .outerjoin(self.decision, self.decision.id == LimitRequest.decision_id)
            .outerjoin(self.ending, self.ending.id == ending)
            .outerjoin(self.cutting, self.cutting.id == cutting.scalar_subquery())
            .where(LimitRequest.asked_on <= self._on)
        )


class RequestListing(Listing):
    """The list of requests; what is still to come for each is read for the rows shown alone."""

    def __init__(self, on: date, fields: Sequence[Field], source: Callable[[Select[Any]], Select[Any]]) -> None:
        super().__init__(
            "limit-requests",
            fields,
            source,
            key=LimitRequest.id.expression,
            order=Order("asked_on", descending=True),
            normalise=search_name,
        )
        self._on = on

    def page(self, narrowing: Narrowing, order: Order | None, number: int, size: int) -> Page:
        """A page of the list, see ``Listing``."""
        found = super().page(narrowing, order, number, size)
        self._add_pending(found.rows)
        return found

    def stream(self, narrowing: Narrowing, order: Order | None) -> Iterator[dict[str, Any]]:
        """All rows of the list, see ``Listing``."""
        rows = super().stream(narrowing, order)
        while portion := list(islice(rows, _PORTION)):
            self._add_pending(portion)
            yield from portion

    def _add_pending(self, rows: Sequence[dict[str, Any]]) -> None:
        """What is still to come for each request: on its way to the insurer, or announced by it."""
        keys = [row["number"] for row in rows]
        requests = {each.id: each for each in db.session.scalars(select(LimitRequest).where(LimitRequest.id.in_(keys)))}
        references = [each.own_reference for each in requests.values()]
        messages = {
            each.own_reference: each
            for each in db.session.scalars(select(OutboxMessage).where(OutboxMessage.own_reference.in_(references)))
        }
        lives = _Lives(list(requests.values()))
        for row in rows:
            request = requests[row["number"]]
            pending = (*_of_message(request, messages.get(request.own_reference)), *lives.pending_of(request, self._on))
            row["pending"] = pending[0] if pending else None


#: Rows of an export that are looked up together.
_PORTION = 500


def request_listing(
    on: date,
    *,
    policy_id: int | None = None,
    policies: Collection[int] | None = None,
    states: Collection[RequestState] | None = None,
) -> Listing:
    """The requests written by a day, newest first, each as it stands on that day; ``states`` narrows to what is stored."""
    parts = _Parts(on)
    decision, request, author = parts.decision, LimitRequest, person(parts.author)
    fields = (
        Field("buyer", Buyer.legal_name.expression, search=Buyer.search_name + " " + Buyer.legal_name, sort=Buyer.search_name.expression),
        Field("policy", Policy.number.expression, search=Policy.number.expression, filter=FilterKind.SELECT),
        Field("type", request.request_type.expression, Kind.BADGE, filter=FilterKind.SELECT),
        Field("amount", request.requested_minor.expression, Kind.MONEY, currency=request.currency.expression),
        Field("state", type_coerce(parts.life, LimitRequest.state.type), Kind.BADGE, filter=FilterKind.SELECT),
        Field("must_act", type_coerce(parts.must_act, _MUST_ACT), Kind.BADGE, filter=FilterKind.SELECT),
        Field("decided", case((parts.is_decided, decision.decided_minor)), Kind.MONEY, currency=decision.currency),
        Field("asked_on", request.asked_on.expression, Kind.DATE, filter=FilterKind.DATE_RANGE),
        Field("author", author, search=func.coalesce(author, ""), filter=FilterKind.SELECT),
        Field("reference", request.own_reference.expression, search=request.own_reference.expression),
        Field("bulk", func.nullif(request.bulk, ""), search=request.bulk.expression, filter=FilterKind.SELECT, hidden=True),
        Field("layer", request.layer.expression, Kind.BADGE, filter=FilterKind.SELECT, hidden=True),
        Field("outcome", case((parts.is_decided, request.outcome)), Kind.BADGE, hidden=True),
        Field("buyer_id", request.buyer_id.expression, Kind.NUMBER, hidden=True),
        Field("number", request.id.expression, Kind.NUMBER, hidden=True),
    )

    def source(statement: Select[Any]) -> Select[Any]:
        statement = parts.source(statement)
        if policy_id is not None:
            statement = statement.where(LimitRequest.policy_id == policy_id)
        if policies is not None:
            statement = statement.where(LimitRequest.policy_id.in_(sorted(policies)))
        return statement if states is None else statement.where(LimitRequest.state.in_(states))

    return RequestListing(on, fields, source)

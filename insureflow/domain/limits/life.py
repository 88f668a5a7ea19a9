"""The life of a limit request: from the draft to the limit in force and to its end, as one table.

What is done about a request (it waits to be sent, the insurer asks back, an end is announced) is kept apart from how it stands.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from types import MappingProxyType

from insureflow.domain.errors import Refusal
from insureflow.domain.limits.history import LimitKind, LimitRecord, LimitState, LimitStatus, in_order, state_of
from insureflow.domain.periods import add_days


class RequestType(StrEnum):
    """What a request asks for."""

    NEW = "new"
    INCREASE = "increase"
    REDUCE = "reduce"
    CANCEL = "cancel"


class RequestState(StrEnum):
    """How a request stands. Whether it has reached the insurer yet is no state: that is the outbox's matter."""

    DRAFT = "draft"
    AWAITING_APPROVAL = "awaiting_approval"
    REJECTED = "rejected"
    SUBMITTED = "submitted"
    REFERRED = "referred"
    DECIDED = "decided"
    IN_FORCE = "in_force"
    REDUCED = "reduced"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"


class RequestAction(StrEnum):
    """What happens to a request. ``reject`` is said by the own second pair of eyes, a refusal by the insurer is a decision."""

    ASK_APPROVAL = "ask_approval"
    APPROVE = "approve"
    REJECT = "reject"
    REVISE = "revise"
    SUBMIT = "submit"
    REFER = "refer"
    DECIDE = "decide"
    TAKE_EFFECT = "take_effect"
    REDUCE = "reduce"
    WITHDRAW = "withdraw"
    EXPIRE = "expire"
    CANCEL = "cancel"
    SUPERSEDE = "supersede"


class RequestOutcome(StrEnum):
    """What the insurer made of a request."""

    FULL = "full"
    PARTIAL = "partial"
    REFUSED = "refused"
    CONDITIONAL = "conditional"
    PRELIMINARY = "preliminary"


class PendingAction(StrEnum):
    """What is still to come or to be done about a request or limit, whatever its state."""

    WAITING_TO_BE_SENT = "waiting_to_be_sent"
    SENDING_FAILED = "sending_failed"
    INSURER_ASKS_INFORMATION = "insurer_asks_information"
    CANCELLATION_PENDING = "cancellation_pending"
    WITHDRAWAL_ANNOUNCED = "withdrawal_announced"
    REDUCTION_ANNOUNCED = "reduction_announced"
    EXPIRY_NEAR = "expiry_near"


_S, _A = RequestState, RequestAction

_ANSWERED_BY = {_A.DECIDE: _S.DECIDED, _A.SUPERSEDE: _S.SUPERSEDED, _A.CANCEL: _S.CANCELLED}
_ENDED_BY = {_A.REDUCE: _S.REDUCED, _A.WITHDRAW: _S.WITHDRAWN, _A.EXPIRE: _S.EXPIRED}

#: The life of a request. What is not in the table is not possible.
#: An answer may come twice and a preliminary one is followed by the final one, so ``refer`` and ``decide`` may be repeated.
TRANSITIONS: Mapping[tuple[RequestState, RequestAction], RequestState] = MappingProxyType(
    {
        (_S.DRAFT, _A.ASK_APPROVAL): _S.AWAITING_APPROVAL,
        (_S.DRAFT, _A.SUBMIT): _S.SUBMITTED,
        (_S.DRAFT, _A.CANCEL): _S.CANCELLED,
        (_S.AWAITING_APPROVAL, _A.APPROVE): _S.SUBMITTED,
        (_S.AWAITING_APPROVAL, _A.REJECT): _S.REJECTED,
        (_S.AWAITING_APPROVAL, _A.REVISE): _S.DRAFT,
        (_S.AWAITING_APPROVAL, _A.CANCEL): _S.CANCELLED,
        (_S.REJECTED, _A.REVISE): _S.DRAFT,
        (_S.REJECTED, _A.CANCEL): _S.CANCELLED,
        **{(_S.SUBMITTED, action): state for action, state in _ANSWERED_BY.items()},
        (_S.SUBMITTED, _A.REFER): _S.REFERRED,
        **{(_S.REFERRED, action): state for action, state in _ANSWERED_BY.items()},
        (_S.REFERRED, _A.REFER): _S.REFERRED,
        **{(_S.DECIDED, action): state for action, state in (_ANSWERED_BY | _ENDED_BY).items()},
        (_S.DECIDED, _A.REFER): _S.REFERRED,
        (_S.DECIDED, _A.TAKE_EFFECT): _S.IN_FORCE,
        **{(_S.IN_FORCE, action): state for action, state in (_ANSWERED_BY | _ENDED_BY).items()},
        **{(_S.REDUCED, action): state for action, state in (_ANSWERED_BY | _ENDED_BY).items()},
    }
)

#: States nothing leads out of.
ENDED = frozenset({_S.WITHDRAWN, _S.EXPIRED, _S.CANCELLED, _S.SUPERSEDED})

#: The insurer has been asked and has not decided.
WAITING_FOR_INSURER = frozenset({_S.SUBMITTED, _S.REFERRED})

#: Nothing has been asked of the insurer yet.
NOT_ASKED = frozenset({_S.DRAFT, _S.AWAITING_APPROVAL, _S.REJECTED})

#: States that follow from the decisions on record and are read from them, not from what was last written down.
FROM_DECISIONS = frozenset({_S.DECIDED, _S.IN_FORCE, _S.REDUCED, _S.WITHDRAWN, _S.EXPIRED, _S.SUPERSEDED})


def next_state(state: RequestState, action: RequestAction) -> RequestState:
    """How a request stands after something happened to it. Errors: ``request_not_possible``."""
    following = TRANSITIONS.get((state, action))
    if following is None:
        raise Refusal("request_not_possible", state=state, action=action)
    return following


def is_possible(state: RequestState, action: RequestAction) -> bool:
    """True if this can happen to a request that stands so."""
    return (state, action) in TRANSITIONS


def possible_actions(state: RequestState) -> tuple[RequestAction, ...]:
    """All that can happen to a request that stands so, in the order of life."""
    return tuple(action for action in RequestAction if is_possible(state, action))


def request_type_for(current: int | None, wanted: int) -> RequestType:
    """What has to be asked to come from the limit in force (0 or None: none) to the one wanted, both in one unit.

    Errors: ``request_changes_nothing`` where both are the same.
    """
    before = current or 0
    if before == wanted:
        raise Refusal("request_changes_nothing")
    if not before:
        return RequestType.NEW
    if not wanted:
        return RequestType.CANCEL
    return RequestType.INCREASE if wanted > before else RequestType.REDUCE


def outcome_of(
    requested: int | None,
    decided: int,
    *,
    previous: int | None = None,
    has_conditions: bool = False,
    is_preliminary: bool = False,
) -> RequestOutcome:
    """What the insurer made of a request; all amounts in one unit, ``previous`` the limit before, None for "not known" or "none".

    *Formula:* preliminary first; then nothing, or no more than before although more was asked, is refused; less than asked is
    partial; all that was asked is conditional or full.
    """
    if is_preliminary:
        return RequestOutcome.PRELIMINARY
    was_more_asked = requested is not None and previous is not None and requested > previous
    if (decided == 0 and requested != 0) or (was_more_asked and decided <= (previous or 0)):
        return RequestOutcome.REFUSED
    if requested is not None and decided < requested:
        return RequestOutcome.PARTIAL
    return RequestOutcome.CONDITIONAL if has_conditions else RequestOutcome.FULL


def life_on(
    state: RequestState,
    decision: LimitRecord | None,
    records: Iterable[LimitRecord],
    on: date,
    *,
    own_cancellations: Collection[int] = (),
) -> RequestState:
    """How a request stands on a day, read from the decisions on record, so that it is true although no job has run.

    ``state`` is what was last written down; ``decision`` the insurer's answer, None while there is none; ``records`` all
    decisions of its layer under its policy; ``own_cancellations`` the sequences of the ends that answer own requests to cancel.
    Before the day of the decision a request stands as submitted.
    """
    if decision is None or decision.status is LimitStatus.REQUESTED or state not in FROM_DECISIONS:
        return state
    if decision.decided_on > on:
        return RequestState.SUBMITTED
    known = in_order(records, on)
    stands = state_of(decision, known, on)
    if stands is LimitState.SUPERSEDED:
        replacing = [other for other in known if state_of(decision, (decision, other), on) is LimitState.SUPERSEDED]
        return _after(replacing, on, own_cancellations)
    if stands is LimitState.WITHDRAWN:
        return _ended_by(decision, own_cancellations)
    return {LimitState.IN_FORCE: RequestState.IN_FORCE, LimitState.EXPIRED: RequestState.EXPIRED}.get(stands, RequestState.DECIDED)


def _after(replacing: Iterable[LimitRecord], on: date, own_cancellations: Collection[int]) -> RequestState:
    """How a request stands after later decisions: it lives on through reductions, and ends with anything else."""
    state = RequestState.SUPERSEDED
    for record in replacing:
        if record.status is LimitStatus.WITHDRAWN:
            return _ended_by(record, own_cancellations)
        if record.status is not LimitStatus.REDUCED:
            return RequestState.SUPERSEDED
        state = RequestState.EXPIRED if record.has_lapsed(on) else RequestState.REDUCED
    return state


def _ended_by(record: LimitRecord, own_cancellations: Collection[int]) -> RequestState:
    return RequestState.CANCELLED if record.sequence in own_cancellations else RequestState.WITHDRAWN


@dataclass(frozen=True, slots=True)
class Pending:
    """Something that is still to come, and the day of it where one is known."""

    action: PendingAction
    on: date | None = None


#: So many days before its last day the end of a limit is near, where nobody says otherwise.
EXPIRY_NEAR_DAYS = 30


def pending_on(
    decision: LimitRecord, records: Iterable[LimitRecord], on: date, *, expiry_near_days: int = EXPIRY_NEAR_DAYS
) -> tuple[Pending, ...]:
    """What the decisions on record say is still to come for a limit: an announced end or reduction, a last day that is near.

    *Source:* a later decision or withdrawal replaces every announced change that has not taken effect, so only the last counts.
    """
    known = [record for record in in_order(records, on) if record.status is not LimitStatus.REQUESTED]
    found = []
    ordinary = [record for record in known if record.kind not in _APART or record.status is LimitStatus.WITHDRAWN]
    last = ordinary[-1] if ordinary else None
    if last is not None and not last.is_in_effect(on):
        if last.status is LimitStatus.WITHDRAWN or last.amount == 0:
            found.append(Pending(PendingAction.WITHDRAWAL_ANNOUNCED, last.effective_on))
        elif last.status is LimitStatus.REDUCED:
            found.append(Pending(PendingAction.REDUCTION_ANNOUNCED, last.effective_on))
    is_in_force = state_of(decision, known, on) is LimitState.IN_FORCE
    if is_in_force and decision.valid_to is not None and decision.valid_to <= add_days(on, expiry_near_days):
        found.append(Pending(PendingAction.EXPIRY_NEAR, decision.valid_to))
    return tuple(found)


_APART = frozenset({LimitKind.TEMPORARY, LimitKind.PRE_SHIPMENT})

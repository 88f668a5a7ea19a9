"""The life of a payment plan."""

from __future__ import annotations

from enum import StrEnum

from insureflow.domain.errors import Refusal


class PlanState(StrEnum):
    """How a payment plan stands."""

    DRAFT = "draft"
    AWAITING_CONSENT = "awaiting_consent"
    ACTIVE = "active"
    KEPT = "kept"
    BROKEN = "broken"
    REFUSED = "refused"
    CANCELLED = "cancelled"


class PlanAction(StrEnum):
    """What can be done with a payment plan, or happen to it."""

    CHANGE = "change"
    ASK_CONSENT = "ask_consent"
    GRANT = "grant"
    REFUSE = "refuse"
    AGREE = "agree"
    FULFIL = "fulfil"
    BREAK = "break"
    CANCEL = "cancel"


_STEPS: dict[tuple[PlanState, PlanAction], PlanState] = {
    (PlanState.DRAFT, PlanAction.CHANGE): PlanState.DRAFT,
    (PlanState.DRAFT, PlanAction.ASK_CONSENT): PlanState.AWAITING_CONSENT,
    (PlanState.DRAFT, PlanAction.AGREE): PlanState.ACTIVE,
    (PlanState.DRAFT, PlanAction.CANCEL): PlanState.CANCELLED,
    (PlanState.AWAITING_CONSENT, PlanAction.CHANGE): PlanState.DRAFT,
    (PlanState.AWAITING_CONSENT, PlanAction.GRANT): PlanState.ACTIVE,
    (PlanState.AWAITING_CONSENT, PlanAction.REFUSE): PlanState.REFUSED,
    (PlanState.AWAITING_CONSENT, PlanAction.CANCEL): PlanState.CANCELLED,
    (PlanState.REFUSED, PlanAction.CHANGE): PlanState.DRAFT,
    (PlanState.REFUSED, PlanAction.CANCEL): PlanState.CANCELLED,
    (PlanState.ACTIVE, PlanAction.FULFIL): PlanState.KEPT,
    (PlanState.ACTIVE, PlanAction.BREAK): PlanState.BROKEN,
    (PlanState.ACTIVE, PlanAction.CANCEL): PlanState.CANCELLED,
    (PlanState.BROKEN, PlanAction.FULFIL): PlanState.KEPT,
}


def next_plan_state(state: PlanState, action: PlanAction) -> PlanState:
    """The state of a payment plan after an action. Errors: ``plan_cannot``."""
    if (state, action) not in _STEPS:
        raise Refusal("plan_cannot", state=state, action=action)
    return _STEPS[state, action]


def possible_plan_actions(state: PlanState) -> frozenset[PlanAction]:
    """What can be done with a payment plan in a state."""
    return frozenset(action for known, action in _STEPS if known == state)

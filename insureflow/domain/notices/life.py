"""The life of a paper for the insurer: drafted, approved by a person, sent, answered."""

from __future__ import annotations

from enum import StrEnum

from insureflow.domain.errors import Refusal


class NoticeKind(StrEnum):
    """What is said to the insurer."""

    NON_PAYMENT = "non_payment"
    EXTENSION = "extension"
    RESCHEDULING = "rescheduling"
    ADVERSE_INFORMATION = "adverse_information"
    INSOLVENCY = "insolvency"


class NoticeState(StrEnum):
    """How such a paper stands."""

    DRAFT = "draft"
    APPROVED = "approved"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    ANSWERED = "answered"
    CANCELLED = "cancelled"


class NoticeAction(StrEnum):
    """What can be done with it, or happen to it."""

    CHANGE = "change"
    APPROVE = "approve"
    REOPEN = "reopen"
    HAND_OVER = "hand_over"
    DELIVER = "deliver"
    FAIL = "fail"
    ANSWER = "answer"
    CANCEL = "cancel"


class Channel(StrEnum):
    """How it reaches the insurer."""

    CONNECTION = "connection"
    EMAIL = "email"
    PORTAL = "portal"
    POST = "post"


class ReasonForNonPayment(StrEnum):
    """Why the buyer does not pay, as the insurers' forms ask."""

    UNKNOWN = "unknown"
    CASH_FLOW = "cash_flow"
    DISPUTE = "dispute"
    INSOLVENCY = "insolvency"
    BUSINESS_CLOSED = "business_closed"
    UNWILLING = "unwilling"
    NON_ACCEPTANCE = "non_acceptance"
    DIVERSION = "diversion"
    ECONOMY = "economy"
    TRADE_RESTRICTIONS = "trade_restrictions"
    TRANSFER = "transfer"
    POLITICAL_EVENT = "political_event"
    ADMINISTRATIVE = "administrative"


class ReplyOutcome(StrEnum):
    """What the insurer answered."""

    RECEIVED = "received"
    CONSENTED = "consented"
    REFUSED = "refused"
    MORE_WANTED = "more_wanted"


_STEPS: dict[tuple[NoticeState, NoticeAction], NoticeState] = {
    (NoticeState.DRAFT, NoticeAction.CHANGE): NoticeState.DRAFT,
    (NoticeState.DRAFT, NoticeAction.APPROVE): NoticeState.APPROVED,
    (NoticeState.DRAFT, NoticeAction.CANCEL): NoticeState.CANCELLED,
    (NoticeState.APPROVED, NoticeAction.REOPEN): NoticeState.DRAFT,
    (NoticeState.APPROVED, NoticeAction.HAND_OVER): NoticeState.SENDING,
    (NoticeState.APPROVED, NoticeAction.DELIVER): NoticeState.SENT,
    (NoticeState.APPROVED, NoticeAction.CANCEL): NoticeState.CANCELLED,
    (NoticeState.SENDING, NoticeAction.DELIVER): NoticeState.SENT,
    (NoticeState.SENDING, NoticeAction.FAIL): NoticeState.FAILED,
    (NoticeState.FAILED, NoticeAction.HAND_OVER): NoticeState.SENDING,
    (NoticeState.FAILED, NoticeAction.DELIVER): NoticeState.SENT,
    (NoticeState.FAILED, NoticeAction.REOPEN): NoticeState.DRAFT,
    (NoticeState.FAILED, NoticeAction.CANCEL): NoticeState.CANCELLED,
    (NoticeState.SENT, NoticeAction.FAIL): NoticeState.FAILED,
    (NoticeState.SENT, NoticeAction.ANSWER): NoticeState.ANSWERED,
    (NoticeState.ANSWERED, NoticeAction.ANSWER): NoticeState.ANSWERED,
}


def next_notice_state(state: NoticeState, action: NoticeAction) -> NoticeState:
    """The state of a paper for the insurer after an action. Errors: ``notice_cannot``."""
    if (state, action) not in _STEPS:
        raise Refusal("notice_cannot", state=state, action=action)
    return _STEPS[state, action]


def possible_actions(state: NoticeState) -> frozenset[NoticeAction]:
    """What can be done with a paper in a state."""
    return frozenset(action for known, action in _STEPS if known == state)

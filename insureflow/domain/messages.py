"""What leaves the house by itself: letters by mail, events to other systems, word to a person. How each stands, and what may follow."""

from __future__ import annotations

from enum import StrEnum

from insureflow.domain.errors import Refusal


class MessageState(StrEnum):
    """How an e-mail stands. ``sending`` is written before the server is spoken to: what is found in it later is uncertain."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    UNCERTAIN = "uncertain"
    FAILED = "failed"
    BOUNCED = "bounced"
    CANCELLED = "cancelled"


class MessageAction(StrEnum):
    """What can happen to an e-mail."""

    START = "start"
    ACCEPT = "accept"
    PUT_OFF = "put_off"
    REFUSE = "refuse"
    LOSE = "lose"
    BOUNCE = "bounce"
    REPEAT = "repeat"
    CANCEL = "cancel"


#: State × action → state. *Source:* a mail server's answer counts only once it has been written down.
_MESSAGE_STEPS: dict[tuple[MessageState, MessageAction], MessageState] = {
    (MessageState.QUEUED, MessageAction.START): MessageState.SENDING,
    (MessageState.QUEUED, MessageAction.CANCEL): MessageState.CANCELLED,
    (MessageState.SENDING, MessageAction.ACCEPT): MessageState.SENT,
    (MessageState.SENDING, MessageAction.PUT_OFF): MessageState.QUEUED,
    (MessageState.SENDING, MessageAction.REFUSE): MessageState.FAILED,
    (MessageState.SENDING, MessageAction.LOSE): MessageState.UNCERTAIN,
    (MessageState.SENT, MessageAction.BOUNCE): MessageState.BOUNCED,
    (MessageState.UNCERTAIN, MessageAction.ACCEPT): MessageState.SENT,
    (MessageState.UNCERTAIN, MessageAction.BOUNCE): MessageState.BOUNCED,
    (MessageState.UNCERTAIN, MessageAction.REPEAT): MessageState.QUEUED,
    (MessageState.UNCERTAIN, MessageAction.CANCEL): MessageState.CANCELLED,
    (MessageState.FAILED, MessageAction.REPEAT): MessageState.QUEUED,
    (MessageState.FAILED, MessageAction.CANCEL): MessageState.CANCELLED,
    (MessageState.BOUNCED, MessageAction.REPEAT): MessageState.QUEUED,
}


def next_message_state(state: MessageState, action: MessageAction) -> MessageState:
    """The state of an e-mail after an action. Errors: ``message_cannot``."""
    if (state, action) not in _MESSAGE_STEPS:
        raise Refusal("message_cannot", state=state, action=action)
    return _MESSAGE_STEPS[state, action]


class DeliveryState(StrEnum):
    """How an event for another system stands."""

    QUEUED = "queued"
    DELIVERED = "delivered"
    FAILED = "failed"


class NoticeToPerson(StrEnum):
    """What a person is told inside the product; each has a sentence under ``told.<kind>`` that its facts fill."""

    DUTY_COMES = "duty_comes"
    DUTY_TODAY = "duty_today"
    DUTY_LATE = "duty_late"
    NOTIFICATION_TO_APPROVE = "notification_to_approve"
    NOTIFICATION_ANSWERED = "notification_answered"
    LETTERS_TO_APPROVE = "letters_to_approve"
    MESSAGE_FAILED = "message_failed"
    PROMISE_BROKEN = "promise_broken"
    INSTALMENT_BROKEN = "instalment_broken"
    BUYER_BLOCKED = "buyer_blocked"
    WEBHOOK_STOPPED = "webhook_stopped"


class Digest(StrEnum):
    """How often a person gets a summary by e-mail."""

    OFF = "off"
    DAILY = "daily"
    WEEKLY = "weekly"

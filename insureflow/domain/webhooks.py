"""Events that other systems can be told of."""

from __future__ import annotations

from enum import StrEnum


class WebhookEvent(StrEnum):
    """What happened."""

    TEST = "test"
    LETTER_SENT = "letter.sent"
    LETTER_FAILED = "letter.failed"
    MESSAGE_FAILED = "message.failed"
    MESSAGE_BOUNCED = "message.bounced"
    MESSAGE_UNCERTAIN = "message.uncertain"
    PROMISE_BROKEN = "promise.broken"
    NOTICE_SENT = "notice.sent"
    NOTICE_ANSWERED = "notice.answered"
    PLAN_BROKEN = "plan.broken"
    BUYER_BLOCKED = "buyer.blocked"
    BUYER_RELEASED = "buyer.released"
    LIMIT_CUT = "limit.cut"


#: After so many minutes an event that was not taken is sent again; after the last of them it has failed.
WAITS = (1, 5, 15, 60, 180, 360, 720, 1440)
#: After so many attempts in a row that failed an endpoint is stopped.
MOST_FAILURES = 20

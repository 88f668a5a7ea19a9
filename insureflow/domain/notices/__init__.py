"""Papers for the insurer: notification of non-payment and what belongs to it."""

from __future__ import annotations

from insureflow.domain.notices.life import (
    Channel,
    NoticeAction,
    NoticeKind,
    NoticeState,
    ReasonForNonPayment,
    ReplyOutcome,
    next_notice_state,
    possible_actions,
)

__all__ = [
    "Channel",
    "NoticeAction",
    "NoticeKind",
    "NoticeState",
    "ReasonForNonPayment",
    "ReplyOutcome",
    "next_notice_state",
    "possible_actions",
]

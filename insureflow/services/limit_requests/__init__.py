"""Limit requests: written, approved by a second person, handed to the insurer, answered; one by one or many at once."""

from __future__ import annotations

from insureflow.services.limit_requests.approving import (
    ASKING_ROLES,
    amount_of,
    approve,
    ask_approval,
    find_need,
    hand_in,
    need_of,
    reject,
    set_thresholds,
    submit,
    thresholds_of,
)
from insureflow.services.limit_requests.bulk import SMALL, AmountRule, BulkOutcome, Selection, request_file, request_selection
from insureflow.services.limit_requests.drafting import NewLimitRequest, draft, revise
from insureflow.services.limit_requests.queueing import enqueue_file, enqueue_selection, outcome_as_data, outcome_of_task
from insureflow.services.limit_requests.submitting import (
    OPERATIONS,
    apply_decision,
    cancel,
    find_answered,
    find_connection,
    find_message,
    find_pending,
    mark_referred,
    record_answer,
)

__all__ = [
    "ASKING_ROLES",
    "OPERATIONS",
    "SMALL",
    "AmountRule",
    "BulkOutcome",
    "NewLimitRequest",
    "Selection",
    "amount_of",
    "apply_decision",
    "approve",
    "ask_approval",
    "cancel",
    "draft",
    "enqueue_file",
    "enqueue_selection",
    "find_answered",
    "find_connection",
    "find_message",
    "find_need",
    "find_pending",
    "hand_in",
    "mark_referred",
    "need_of",
    "outcome_as_data",
    "outcome_of_task",
    "record_answer",
    "reject",
    "request_file",
    "request_selection",
    "revise",
    "set_thresholds",
    "submit",
    "thresholds_of",
]

"""Papers for the insurer: drafted by a job or a person, approved, sent with proof, answered, with their effects on cover."""

from __future__ import annotations

from insureflow.domain.notices import BLOCKING
from insureflow.services.notices.answering import EVIDENCE_KIND, ON_ANSWER, Answer, answer
from insureflow.services.notices.approving import Changes, approve, cancel, change, checks_of, preview, renew, reopen
from insureflow.services.notices.consent import request_consent
from insureflow.services.notices.drafting import DRAFT_DAYS, Drafted, NewNotice, draft, draft_due, draft_notifications
from insureflow.services.notices.lodging import LODGED, LODGING_CHANNELS, Lodging, lodge
from insureflow.services.notices.many import (
    SMALL,
    TASK_KINDS,
    Outcome,
    Problem,
    do_many,
    outcome_of_task,
)
from insureflow.services.notices.papers import proof_paper
from insureflow.services.notices.sending import MESSAGE_KIND, Sending, send

__all__ = [
    "BLOCKING",
    "DRAFT_DAYS",
    "EVIDENCE_KIND",
    "LODGED",
    "LODGING_CHANNELS",
    "MESSAGE_KIND",
    "ON_ANSWER",
    "SMALL",
    "TASK_KINDS",
    "Answer",
    "Changes",
    "Drafted",
    "Lodging",
    "NewNotice",
    "Outcome",
    "Problem",
    "Sending",
    "answer",
    "approve",
    "cancel",
    "change",
    "checks_of",
    "do_many",
    "draft",
    "draft_due",
    "draft_notifications",
    "lodge",
    "outcome_of_task",
    "preview",
    "proof_paper",
    "renew",
    "reopen",
    "request_consent",
    "send",
]

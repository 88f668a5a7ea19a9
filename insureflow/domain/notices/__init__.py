"""Papers for the insurer: notification of non-payment and what belongs to it."""

from __future__ import annotations

from insureflow.domain.notices.checks import BLOCKING, NoticeCheck, PaperToCheck, check_paper, planned_lines
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
from insureflow.domain.notices.lines import (
    CurrencyTotal,
    InvoiceStanding,
    NoticeLine,
    calculate_totals,
    find_highest_overdue,
    find_oldest_overdue,
    state_line,
    state_lines,
)
from insureflow.domain.notices.particulars import (
    Administrator,
    AdverseKind,
    ConsentNeed,
    Intervention,
    Particulars,
    PlanLine,
    ProceedingKind,
    judge_new_due_date,
    judge_plan,
    parse_particulars,
    particulars_to_mapping,
)

__all__ = [
    "BLOCKING",
    "Administrator",
    "AdverseKind",
    "Channel",
    "ConsentNeed",
    "CurrencyTotal",
    "Intervention",
    "InvoiceStanding",
    "NoticeAction",
    "NoticeCheck",
    "NoticeKind",
    "NoticeLine",
    "NoticeState",
    "PaperToCheck",
    "Particulars",
    "PlanLine",
    "ProceedingKind",
    "ReasonForNonPayment",
    "ReplyOutcome",
    "calculate_totals",
    "check_paper",
    "find_highest_overdue",
    "find_oldest_overdue",
    "judge_new_due_date",
    "judge_plan",
    "next_notice_state",
    "parse_particulars",
    "particulars_to_mapping",
    "planned_lines",
    "possible_actions",
    "state_line",
    "state_lines",
]

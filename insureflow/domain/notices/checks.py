"""What to look at before a paper for the insurer is approved: what keeps it back, and what a reader will stumble over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from insureflow.domain.notices.life import NoticeKind, ReasonForNonPayment
from insureflow.domain.notices.lines import NoticeLine, find_oldest_overdue
from insureflow.domain.notices.particulars import Particulars


class NoticeCheck(StrEnum):
    """What is wrong with a paper, or may be; each has a sentence under ``NoticeCheck.<check>``."""

    NO_INVOICES = "no_invoices"
    NEW_DUE_DATE_MISSING = "new_due_date_missing"
    NEW_DUE_DATE_NOT_LATER = "new_due_date_not_later"
    PLAN_MISSING = "plan_missing"
    PLAN_DIFFERS = "plan_differs"
    ADVERSE_KIND_MISSING = "adverse_kind_missing"
    KNOWN_ON_MISSING = "known_on_missing"
    INSOLVENCY_DAY_MISSING = "insolvency_day_missing"
    PROCEEDING_MISSING = "proceeding_missing"
    DEADLINE_PASSED = "deadline_passed"
    NOTHING_OVERDUE = "nothing_overdue"
    REASON_MISSING = "reason_missing"
    DISPUTE_UNDECLARED = "dispute_undeclared"
    INSURER_NUMBER_MISSING = "insurer_number_missing"
    CONTACT_MISSING = "contact_missing"
    LEDGER_MOVED = "ledger_moved"
    MONEY_UNMATCHED = "money_unmatched"
    ADMINISTRATOR_MISSING = "administrator_missing"
    NEW_TERMS_FORBIDDEN = "new_terms_forbidden"


#: What keeps a paper from being approved; everything else is only said.
BLOCKING = frozenset(
    {
        NoticeCheck.NO_INVOICES,
        NoticeCheck.NEW_DUE_DATE_MISSING,
        NoticeCheck.NEW_DUE_DATE_NOT_LATER,
        NoticeCheck.PLAN_MISSING,
        NoticeCheck.PLAN_DIFFERS,
        NoticeCheck.ADVERSE_KIND_MISSING,
        NoticeCheck.KNOWN_ON_MISSING,
        NoticeCheck.INSOLVENCY_DAY_MISSING,
        NoticeCheck.PROCEEDING_MISSING,
    }
)

#: Papers that may name no invoice: bad news may come while nothing is owed.
_WITHOUT_INVOICES = frozenset({NoticeKind.ADVERSE_INFORMATION, NoticeKind.INSOLVENCY})


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperToCheck:
    """A paper as it is to be approved on a day.

    ``has_moved``: the ledger says something else by now. ``new_terms_forbidden``: it asks for new terms of goods that have left, which
    the policy forbids without consent.
    """

    kind: NoticeKind
    lines: Sequence[NoticeLine]
    particulars: Particulars
    reason: ReasonForNonPayment
    comment: str
    deadline_on: date | None
    has_insurer_number: bool
    has_contact: bool
    has_moved: bool = False
    has_unmatched_money: bool = False
    new_terms_forbidden: bool = False


def check_paper(paper: PaperToCheck, on: date) -> tuple[NoticeCheck, ...]:
    """What is to be said about a paper on a day, what keeps it back first."""
    found = [*_of_kind(paper), *_of_all(paper, on)]
    return tuple(sorted(set(found), key=lambda check: (check not in BLOCKING, list(NoticeCheck).index(check))))


def _of_kind(paper: PaperToCheck) -> list[NoticeCheck]:
    found = []
    if not paper.lines and paper.kind not in _WITHOUT_INVOICES:
        found.append(NoticeCheck.NO_INVOICES)
    match paper.kind:
        case NoticeKind.EXTENSION:
            moved = [line for line in paper.lines if line.new_due_on is not None]
            if not moved:
                found.append(NoticeCheck.NEW_DUE_DATE_MISSING)
            if any(line.new_due_on is not None and line.new_due_on <= line.original_due_on for line in moved):
                found.append(NoticeCheck.NEW_DUE_DATE_NOT_LATER)
        case NoticeKind.RESCHEDULING:
            found += _of_plan(paper)
        case NoticeKind.ADVERSE_INFORMATION:
            if not paper.particulars.adverse:
                found.append(NoticeCheck.ADVERSE_KIND_MISSING)
            if paper.particulars.known_on is None:
                found.append(NoticeCheck.KNOWN_ON_MISSING)
        case NoticeKind.INSOLVENCY:
            if paper.particulars.opened_on is None:
                found.append(NoticeCheck.INSOLVENCY_DAY_MISSING)
            if paper.particulars.proceeding is None:
                found.append(NoticeCheck.PROCEEDING_MISSING)
            if paper.particulars.administrator is None:
                found.append(NoticeCheck.ADMINISTRATOR_MISSING)
        case _:
            return found
    return found


def _of_plan(paper: PaperToCheck) -> list[NoticeCheck]:
    """Whether there are instalments, and whether they add up to the invoices they are for."""
    if not paper.particulars.plan:
        return [NoticeCheck.PLAN_MISSING]
    left: dict[str, int] = {}
    for line in planned_lines(paper.lines, paper.particulars):
        left[line.currency] = left.get(line.currency, 0) + line.open
    for instalment in paper.particulars.plan:
        left[instalment.amount.currency] = left.get(instalment.amount.currency, 0) - instalment.amount.minor
    return [NoticeCheck.PLAN_DIFFERS] if any(left.values()) else []


def planned_lines(lines: Sequence[NoticeLine], particulars: Particulars) -> tuple[NoticeLine, ...]:
    """The invoices that a plan is for: those it names, or all."""
    return tuple(line for line in lines if not particulars.plan_invoices or line.number in particulars.plan_invoices)


def _of_all(paper: PaperToCheck, on: date) -> list[NoticeCheck]:
    found = []
    is_notification = paper.kind is NoticeKind.NON_PAYMENT
    if paper.deadline_on is not None and on > paper.deadline_on:
        found.append(NoticeCheck.DEADLINE_PASSED)
    if is_notification and paper.lines and find_oldest_overdue(paper.lines, on) is None:
        found.append(NoticeCheck.NOTHING_OVERDUE)
    if is_notification and paper.reason is ReasonForNonPayment.UNKNOWN and not paper.comment.strip():
        found.append(NoticeCheck.REASON_MISSING)
    is_disputed = any(line.disputed > 0 for line in paper.lines)
    if is_disputed and paper.reason is not ReasonForNonPayment.DISPUTE and not paper.particulars.dispute:
        found.append(NoticeCheck.DISPUTE_UNDECLARED)
    if not paper.has_insurer_number:
        found.append(NoticeCheck.INSURER_NUMBER_MISSING)
    if not paper.has_contact:
        found.append(NoticeCheck.CONTACT_MISSING)
    if paper.has_moved:
        found.append(NoticeCheck.LEDGER_MOVED)
    if paper.new_terms_forbidden:
        found.append(NoticeCheck.NEW_TERMS_FORBIDDEN)
    if paper.has_unmatched_money:
        found.append(NoticeCheck.MONEY_UNMATCHED)
    return found

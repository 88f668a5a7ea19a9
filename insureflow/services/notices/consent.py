"""Requests for the insurer's consent that another feature asks for: a later due date, a payment plan."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from sqlalchemy.orm import Session

from insureflow.domain.notices import NoticeKind, Particulars, PlanLine
from insureflow.models.notices import Notice
from insureflow.services.journal import Actor
from insureflow.services.notices.drafting import NewNotice, draft_within


def request_consent(
    session: Session,
    actor: Actor,
    kind: NoticeKind,
    buyer_id: int,
    policy_id: int,
    *,
    on: date,
    new_due_dates: Mapping[str, date] | None = None,
    plan: tuple[PlanLine, ...] = (),
    plan_invoices: tuple[str, ...] = (),
    plan_id: int | None = None,
    comment: str = "",
) -> Notice:
    """Draft a request for extension or rescheduling in the running unit of work; that of a plan is made once while it waits.

    Who wants to know of the answer puts a function into ``ON_ANSWER``; ``particulars["plan_id"]`` of the paper names the plan.
    Errors: those of ``draft``.
    """
    particulars = Particulars(requested_on=on, plan=plan, plan_invoices=plan_invoices, plan_id=plan_id)
    new = NewNotice(
        kind=kind,
        buyer_id=buyer_id,
        policy_id=policy_id,
        comment=comment,
        particulars=particulars,
        new_due_dates=new_due_dates or {},
    )
    stem = "" if plan_id is None else f"plan/{plan_id}/{kind.value}"
    return draft_within(session, actor, new, on, stem=stem)

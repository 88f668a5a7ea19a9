"""Plans given up, and what becomes of the new due dates that were entered in the account for them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from insureflow.domain.errors import InvalidValue, Refusal
from insureflow.domain.limits import AccountActKind
from insureflow.domain.messages import MessageState
from insureflow.domain.notices import NoticeAction, NoticeState
from insureflow.domain.notices.life import next_notice_state
from insureflow.domain.payment_plans import PlanAction, PlanState
from insureflow.models.limits import AccountAct
from insureflow.models.messages import Message
from insureflow.models.notices import Notice
from insureflow.models.payment_plans import PaymentPlan
from insureflow.services import journal, messages
from insureflow.services.journal import Actor
from insureflow.services.limits.acts import withdraw_extension
from insureflow.services.notices.keeping import subject_of as notice_subject
from insureflow.services.payment_plans.drafting import get_plan, message_cause, move, note_of_act, subject_of
from insureflow.services.transaction import transaction

#: What of a confirmation may have reached the buyer.
_REACHED = frozenset({MessageState.SENDING, MessageState.SENT, MessageState.UNCERTAIN, MessageState.BOUNCED})


def cancel(actor: Actor, organisation_id: int, plan_id: int, reason: str, on: date, *, never_told: bool = False) -> PaymentPlan:
    """Give a plan up: from today on none of its new dates holds, and its confirmation does not go out any more.

    What the insurer had agreed to ends today: the stop of supplies is not put off any longer. What was granted to the buyer without
    consent has cost its cover and cannot be made good by taking it back. Where the buyer was ``never_told``, nothing was granted: then the
    dates never held at all, and cover is what it would have been. Errors: ``plan_unknown``, ``plan_cannot``, ``plan_reason_needed``,
    ``plan_told_already``.
    """
    if not reason.strip():
        raise InvalidValue("plan_reason_needed", "reason")
    with transaction(organisation_id) as session:
        plan = get_plan(session, plan_id)
        before, was = {"state": plan.state}, plan.state
        move(plan, PlanAction.CANCEL)
        if was is PlanState.AWAITING_CONSENT:
            _take_back_request(session, actor, plan, reason)
        mail = _confirmations(session, plan)
        if never_told and any(message.state in _REACHED for message in mail):
            raise Refusal("plan_told_already")
        for message in mail:
            if message.state in {MessageState.QUEUED, MessageState.FAILED}:
                messages.cancel(actor, organisation_id, message.id)
        session.flush()
        after = {"state": plan.state, "reason": reason.strip()[:1000], "never_told": never_told}
        journal.record(session, actor, "plan.cancelled", subject_of(session, plan), before=before, after=after)
        withdraw(session, actor, organisation_id, plan, reason, on, never_held=never_told)
        return plan


def _take_back_request(session: Session, actor: Actor, plan: PaymentPlan, reason: str) -> None:
    """The request for consent is given up with the plan, unless the insurer has it."""
    notice = None if plan.notice_id is None else session.get(Notice, plan.notice_id)
    if notice is not None and notice.state in {NoticeState.DRAFT, NoticeState.APPROVED}:
        before = {"state": notice.state}
        notice.state = next_notice_state(notice.state, NoticeAction.CANCEL)
        after = {"state": notice.state, "reason": reason.strip()[:1000]}
        journal.record(session, actor, "notice.cancelled", notice_subject(session, notice), before=before, after=after)


def _confirmations(session: Session, plan: PaymentPlan) -> Sequence[Message]:
    statement = select(Message).where(Message.cause.startswith(message_cause(plan, ""), autoescape=True))
    return session.scalars(statement.order_by(Message.id)).all()


def withdraw(
    session: Session, actor: Actor, organisation_id: int, plan: PaymentPlan, reason: str, on: date, *, never_held: bool = False
) -> None:
    """Let the new due dates of a plan hold no more from a day on, or say that they never held; the acts stay, with that day."""
    if plan.policy_id is None:
        return
    notice = None if plan.notice_id is None else session.get(Notice, plan.notice_id)
    by_consent = [] if notice is None else list((notice.reply or {}).get("act_ids", ()))
    acts = session.scalars(
        select(AccountAct)
        .where(AccountAct.buyer_id == plan.buyer_id, AccountAct.policy_id == plan.policy_id, AccountAct.kind == AccountActKind.EXTENSION)
        .where(or_(AccountAct.note == note_of_act(plan), AccountAct.id.in_(by_consent)))
        .order_by(AccountAct.id)
    ).all()
    for act in acts:
        if "withdrawn_on" not in act.data:
            day = act.happened_on if never_held else max(on, act.happened_on)
            withdraw_extension(actor, organisation_id, act.id, day, reason, on)

"""The insurer asked to consent to a plan, and what follows from its answer."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from insureflow.domain.errors import Refusal
from insureflow.domain.money import Money
from insureflow.domain.notices import NoticeKind, PlanLine, ReplyOutcome
from insureflow.domain.payment_plans import PlanAction, PlanState
from insureflow.models.notices import Notice
from insureflow.models.payment_plans import PaymentPlan
from insureflow.models.scope import current_organisation_id
from insureflow.queries import payment_plans as queries
from insureflow.services import journal, notices
from insureflow.services.journal import Actor
from insureflow.services.payment_plans.drafting import get_plan, move, subject_of
from insureflow.services.payment_plans.giving_up import withdraw
from insureflow.services.transaction import transaction


def ask_consent(actor: Actor, organisation_id: int, plan_id: int, on: date) -> Notice:
    """Draft the request to the insurer: an extension for one instalment, a rescheduling for several. A person approves and sends it.

    Errors: ``plan_unknown``, ``plan_cannot``, ``plan_without_policy``, and those of a paper to the insurer.
    """
    with transaction(organisation_id) as session:
        plan = get_plan(session, plan_id)
        move(plan, PlanAction.ASK_CONSENT)
        if plan.policy_id is None:
            raise Refusal("plan_without_policy")
        instalments = queries.instalments_of(plan.id)
        numbers = tuple(each.number for each in queries.invoices_of(plan.id))
        kind = NoticeKind.EXTENSION if len(instalments) == 1 else NoticeKind.RESCHEDULING
        is_extension = kind is NoticeKind.EXTENSION
        notice = notices.request_consent(
            session,
            actor,
            kind,
            plan.buyer_id,
            plan.policy_id,
            on=on,
            new_due_dates=dict.fromkeys(numbers, instalments[0].due_on) if is_extension else None,
            plan=() if is_extension else tuple(PlanLine(due_on=each.due_on, amount=Money(each.amount_minor, plan.currency)) for each in instalments),
            plan_invoices=() if is_extension else numbers,
            plan_id=plan.id,
        )  # fmt: skip
        plan.notice_id = notice.id
        session.flush()
        journal.record(
            session, actor, "plan.consent_asked", subject_of(session, plan), after={"notice": notice.id, "kind": notice.kind}
        )  # fmt: skip
        return notice


def follow_answer(session: Session, actor: Actor, notice: Notice, today: date) -> None:
    """A plan is agreed, or refused, as the insurer answers. What was agreed with the buyer is not undone by a later answer.

    Consent to a plan that was given up meanwhile puts nothing off: its dates never held.
    """
    plan = session.scalar(select(PaymentPlan).where(PaymentPlan.notice_id == notice.id).with_for_update())
    if plan is not None and plan.state is PlanState.CANCELLED:
        withdraw(session, actor, current_organisation_id(), plan, "the plan was given up before the answer", today, never_held=True)
    if plan is None or plan.state is not PlanState.AWAITING_CONSENT:
        return
    if notice.reply_outcome is ReplyOutcome.CONSENTED:
        move(plan, PlanAction.GRANT)
        plan.agreed_on = notice.replied_on
        action = "plan.granted"
    elif notice.reply_outcome is ReplyOutcome.REFUSED:
        move(plan, PlanAction.REFUSE)
        action = "plan.refused"
    else:
        return
    session.flush()
    journal.record(session, actor, action, subject_of(session, plan), after={"state": plan.state, "replied_on": notice.replied_on})


notices.ON_ANSWER.append(follow_answer)

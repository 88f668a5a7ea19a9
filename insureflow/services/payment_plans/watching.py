"""Plans watched: an instalment that is missing beyond its grace breaks a plan once; one that is paid in full is kept.

How a plan stands follows from the money alone, on any day. This says so to people and systems, and a day it missed is caught up.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from insureflow.domain.access import Permission
from insureflow.domain.limits import AccountActKind
from insureflow.domain.messages import NoticeToPerson
from insureflow.domain.money import Money
from insureflow.domain.notices import ReplyOutcome
from insureflow.domain.payment_plans import PlanAction, PlanStanding, PlanState
from insureflow.domain.webhooks import WebhookEvent
from insureflow.models.buyers import Buyer
from insureflow.models.notices import Notice
from insureflow.models.payment_plans import PaymentPlan
from insureflow.queries import payment_plans as queries
from insureflow.services import journal, telling, webhooks
from insureflow.services.journal import Actor
from insureflow.services.limits.acts import NewAct, record_act
from insureflow.services.payment_plans.drafting import get_plan, move, subject_of
from insureflow.services.transaction import transaction

ACTOR = Actor(None, "payment plans")


def watch(organisation_id: int, on: date) -> dict[str, int]:
    """Look at every agreed plan on a day: how many broke, and how many were fulfilled."""
    counts = {"plans_broken": 0, "plans_kept": 0}
    with transaction(organisation_id) as session:
        keys = session.scalars(
            select(PaymentPlan.id).where(PaymentPlan.state.in_([PlanState.ACTIVE, PlanState.BROKEN])).order_by(PaymentPlan.id)
        ).all()
    for key in keys:
        with transaction(organisation_id) as session:
            plan = get_plan(session, key)
            if plan.state not in {PlanState.ACTIVE, PlanState.BROKEN}:
                continue  # somebody was faster
            standing = queries.standings_of([plan], on)[plan.id]
            if not standing.open_minor:
                _keep(session, plan, standing)
                counts["plans_kept"] += 1
            elif plan.state is PlanState.ACTIVE and standing.broken_on is not None:
                _break(session, organisation_id, plan, standing, on)
                counts["plans_broken"] += 1
    return counts


def _keep(session: Session, plan: PaymentPlan, standing: PlanStanding) -> None:
    move(plan, PlanAction.FULFIL)
    session.flush()
    journal.record(session, ACTOR, "plan.kept", subject_of(session, plan), after={"state": plan.state, "outcome": standing.outcome})


def _break(session: Session, organisation_id: int, plan: PaymentPlan, standing: PlanStanding, on: date) -> None:
    missed = standing.missed
    assert missed is not None
    move(plan, PlanAction.BREAK)
    plan.broken_on = standing.broken_on
    session.flush()
    buyer, amount = session.get_one(Buyer, plan.buyer_id), Money(missed.open_minor or missed.amount_minor, plan.currency)
    after = {"state": plan.state, "broken_on": plan.broken_on, "instalment": missed.number, "amount": amount}
    journal.record(session, ACTOR, "plan.broken", subject_of(session, plan), after=after)
    cause = f"plan:{plan.id}:broken"
    telling.tell(
        session,
        telling.who_may(session, Permission.EDIT_OBLIGATIONS),
        NoticeToPerson.INSTALMENT_BROKEN,
        cause,
        facts={"buyer": buyer.legal_name, "amount": amount, "due_on": missed.due_on},
        address=f"/plans/{plan.id}",
        buyer_id=buyer.id,
    )
    webhooks.announce(
        session,
        WebhookEvent.PLAN_BROKEN,
        cause,
        {
            "plan": plan.id,
            "buyer": buyer.id,
            "amount": amount,
            "due_on": missed.due_on,
            "broken_on": plan.broken_on,
            "open": Money(standing.open_minor, plan.currency),
        },
    )
    _make_duty(session, organisation_id, plan, on)


def _make_duty(session: Session, organisation_id: int, plan: PaymentPlan, on: date) -> None:
    """That a plan which the insurer agreed to is broken must be reported: it is bad news of the account from the day it broke."""
    notice = None if plan.notice_id is None else session.get(Notice, plan.notice_id)
    if notice is None or plan.policy_id is None or plan.broken_on is None or notice.reply_outcome is not ReplyOutcome.CONSENTED:
        return
    act = NewAct(plan.buyer_id, plan.policy_id, AccountActKind.ADVERSE_INFORMATION, plan.broken_on, note=f"plan {plan.id} broken")
    record_act(ACTOR, organisation_id, act, on)

"""Plans watched: an instalment that is missing beyond its grace breaks a plan once; one that is paid in full is kept.

How a plan stands follows from the money alone, on any day. This says so to people and systems, and a day it missed is caught up.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from insureflow.domain.access import Permission
from insureflow.domain.limits import AccountActKind
from insureflow.domain.messages import NoticeToPerson
from insureflow.domain.money import Money
from insureflow.domain.notices import AdverseKind, NoticeKind, Particulars
from insureflow.domain.obligations import ObligationKind
from insureflow.domain.payment_plans import PlanAction, PlanStanding, PlanState
from insureflow.domain.webhooks import WebhookEvent
from insureflow.domain.work import WorkKind, WorkOutcome
from insureflow.models.buyers import Buyer
from insureflow.models.cover import Obligation
from insureflow.models.organisations import Membership
from insureflow.models.payment_plans import PaymentPlan
from insureflow.queries import payment_plans as queries
from insureflow.services import journal, telling, webhooks, work_items
from insureflow.services.journal import Actor
from insureflow.services.limits.acts import NewAct, record_act
from insureflow.services.notices.drafting import NewNotice, draft_within
from insureflow.services.payment_plans.drafting import get_plan, move, subject_of
from insureflow.services.transaction import transaction

ACTOR = Actor(None, "payment plans")


def watch(organisation_id: int, on: date) -> dict[str, int]:
    """Look at every agreed plan on a day: how many broke, and how many were fulfilled.

    Whether goods are kept back follows from the money on any day and waits for nothing; this makes the work that follows from a break,
    and ends it once nothing is missing any more.
    """
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
    _end_work(organisation_id, on)
    return counts


def _cause(plan: PaymentPlan) -> str:
    return f"plan/{plan.id}/broken"


def _end_work(organisation_id: int, on: date) -> None:
    """The work on a broken plan is done when it keeps no goods back any more: paid up, agreed anew, or with the insurer's consent."""
    with transaction(organisation_id) as session:
        held = {each.plan_id for found in queries.broken_plans(on).values() for each in found}
        for plan in session.scalars(select(PaymentPlan).where(PaymentPlan.state == PlanState.BROKEN)):
            if plan.id not in held:
                work_items.close_items(session, WorkKind.PLAN_BROKEN, _cause(plan), WorkOutcome.DONE)


def _keep(session: Session, plan: PaymentPlan, standing: PlanStanding) -> None:
    move(plan, PlanAction.FULFIL)
    session.flush()
    work_items.close_items(session, WorkKind.PLAN_BROKEN, _cause(plan), WorkOutcome.DONE)
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
    due_on = _make_duty(session, organisation_id, plan, on)
    facts = {"amount": amount, "due_on": missed.due_on, "plan": plan.id}
    item = work_items.open_item(
        session, WorkKind.PLAN_BROKEN, _cause(plan), buyer_id=buyer.id, policy_id=plan.policy_id, due_on=due_on or on, facts=facts
    )
    if item.owner_id is None and plan.created_by_id is not None and _is_member(session, organisation_id, plan.created_by_id):
        item.owner_id = plan.created_by_id
    session.flush()


def _is_member(session: Session, organisation_id: int, user_id: int) -> bool:
    statement = select(Membership.id).where(Membership.organisation_id == organisation_id, Membership.user_id == user_id)
    return session.scalar(statement) is not None


def _make_duty(session: Session, organisation_id: int, plan: PaymentPlan, on: date) -> date | None:
    """A broken plan is bad news of the account from the day it broke: the duty to tell the insurer, and the draft that does it.

    Cover itself follows the insurer's word alone: what it consented to stays as it is until it says something else. Gives the last day
    for the report, None where no policy asks for one.
    """
    if plan.policy_id is None or plan.broken_on is None:
        return None
    act = NewAct(plan.buyer_id, plan.policy_id, AccountActKind.ADVERSE_INFORMATION, plan.broken_on, note=f"plan {plan.id} broken")
    record_act(ACTOR, organisation_id, act, on)
    due_on = session.scalar(
        select(func.max(Obligation.due_on)).where(
            Obligation.buyer_id == plan.buyer_id,
            Obligation.policy_id == plan.policy_id,
            Obligation.kind == ObligationKind.REPORT_ADVERSE_INFORMATION.value,
        )
    )
    news = Particulars(adverse=(AdverseKind.PLAN_BROKEN,), known_on=plan.broken_on, happened_on=plan.broken_on)
    new = NewNotice(kind=NoticeKind.ADVERSE_INFORMATION, buyer_id=plan.buyer_id, policy_id=plan.policy_id, particulars=news)
    draft = draft_within(session, ACTOR, new, on, stem=_cause(plan))
    draft.deadline_on = due_on
    session.flush()
    return due_on

"""Payment plans drawn up, changed and given up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from insureflow.documents.forbidden_words import INSURANCE_WORDS, find_insurance_words
from insureflow.domain.errors import InvalidValue, Refusal
from insureflow.domain.money import Money
from insureflow.domain.notices import NoticeAction, NoticeState
from insureflow.domain.notices.life import next_notice_state
from insureflow.domain.payment_plans import PlanAction, PlannedInstalment, PlanState, check_instalments, next_plan_state
from insureflow.models.buyers import Buyer
from insureflow.models.notices import Notice
from insureflow.models.payment_plans import PaymentPlan, PlanInstalment, PlanInvoice
from insureflow.queries import payment_plans as queries
from insureflow.queries.payment_plans import OpenChoice
from insureflow.services import journal
from insureflow.services.clock import now
from insureflow.services.journal import Actor, Subject
from insureflow.services.transaction import transaction

MOST_GRACE_DAYS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPlan:
    """A plan to be drawn up: the invoices it puts off and the instalments. ``interest`` is what the buyer reads about interest."""

    buyer_id: int
    invoice_ids: Sequence[int]
    instalments: Sequence[PlannedInstalment]
    grace_days: int = 0
    interest: str = ""
    note: str = ""


def get_plan(session: Session, plan_id: int) -> PaymentPlan:
    """The plan with this key, held until the unit of work ends. Errors: ``plan_unknown``."""
    plan = session.scalar(select(PaymentPlan).where(PaymentPlan.id == plan_id).with_for_update().execution_options(populate_existing=True))
    if plan is None:
        raise Refusal("plan_unknown", plan=str(plan_id))
    return plan


def subject_of(session: Session, plan: PaymentPlan) -> Subject:
    """A plan as the journal names it."""
    return Subject("payment_plan", plan.id, session.get_one(Buyer, plan.buyer_id).legal_name)


def move(plan: PaymentPlan, action: PlanAction) -> None:
    """Let something happen to a plan. Errors: ``plan_cannot``."""
    plan.state = next_plan_state(plan.state, action)


def note_of_act(plan: PaymentPlan) -> str:
    """What the acts say that enter a plan's new due dates."""
    return f"plan {plan.id}"


def message_cause(plan: PaymentPlan, number: str) -> str:
    """What makes the e-mail with a confirmation of a plan."""
    return f"plan:{plan.id}:{number}"


def picture(plan: PaymentPlan) -> dict[str, Any]:
    """A plan as the journal keeps it."""
    return {
        "invoices": [each.number for each in queries.invoices_of(plan.id)],
        "instalments": [
            {"due_on": each.due_on, "amount": Money(each.amount_minor, plan.currency)} for each in queries.instalments_of(plan.id)
        ],
        "grace_days": plan.grace_days,
        "interest": plan.interest,
        "note": plan.note,
    }


def _chosen(session: Session, new: NewPlan, on: date, own_id: int | None) -> list[OpenChoice]:
    if session.scalar(select(Buyer.id).where(Buyer.id == new.buyer_id)) is None:
        raise Refusal("buyer_unknown", buyer=str(new.buyer_id))
    wanted = set(new.invoice_ids)
    chosen = [choice for choice in queries.choices_of(new.buyer_id, on) if choice.invoice_id in wanted]
    if not wanted:
        raise InvalidValue("plan_invoices_needed", "invoices")
    missing = wanted - {choice.invoice_id for choice in chosen}
    if missing:
        raise InvalidValue("plan_invoice_not_open", "invoices", str(min(missing)))
    if len({choice.group for choice in chosen}) > 1:
        raise InvalidValue("plan_invoices_differ", "invoices")
    taken = next((choice for choice in chosen if choice.plan_id not in {None, own_id}), None)
    if taken is not None:
        raise InvalidValue("plan_invoice_planned", "invoices", taken.number)
    return chosen


def _check(new: NewPlan, chosen: Sequence[OpenChoice], on: date) -> None:
    total = Money(sum(choice.open_minor for choice in chosen), chosen[0].currency)
    check_instalments(new.instalments, total, on)
    if not 0 <= new.grace_days <= MOST_GRACE_DAYS:
        raise InvalidValue("plan_grace_out_of_bounds", "grace_days", new.grace_days, most=MOST_GRACE_DAYS)
    # The buyer reads this: it may know nothing of the seller's insurance.
    for locale in INSURANCE_WORDS:
        found = find_insurance_words(new.interest, locale)
        if found:
            raise InvalidValue("plan_speaks_of_insurance", "interest", found[0])


def _write(session: Session, plan: PaymentPlan, new: NewPlan, chosen: Sequence[OpenChoice]) -> None:
    plan.entity_id, plan.currency, plan.policy_id = chosen[0].group
    plan.grace_days, plan.interest, plan.note = new.grace_days, new.interest.strip()[:500], new.note.strip()[:1000]
    session.add(plan)
    session.flush()
    session.execute(delete(PlanInvoice).where(PlanInvoice.plan_id == plan.id))
    session.execute(delete(PlanInstalment).where(PlanInstalment.plan_id == plan.id))
    session.add_all(
        PlanInvoice(
            plan_id=plan.id,
            invoice_id=choice.invoice_id,
            number=choice.number,
            original_due_on=choice.original_due_on,
            amount_minor=choice.open_minor,
        )
        for choice in chosen
    )
    session.add_all(
        PlanInstalment(plan_id=plan.id, number=number, due_on=each.due_on, amount_minor=each.amount_minor)
        for number, each in enumerate(new.instalments, start=1)
    )
    session.flush()


def propose(actor: Actor, organisation_id: int, new: NewPlan, on: date) -> PaymentPlan:
    """Draw up a plan for all that is open of invoices; nothing is agreed by that, and no due date changes.

    Errors: ``buyer_unknown``, ``plan_invoices_needed``, ``plan_invoice_not_open``, ``plan_invoices_differ``, ``plan_invoice_planned``,
    ``plan_grace_out_of_bounds``, ``plan_speaks_of_insurance``, and those of ``check_instalments``.
    """
    with transaction(organisation_id) as session:
        chosen = _chosen(session, new, on, None)
        _check(new, chosen, on)
        plan = PaymentPlan(
            buyer_id=new.buyer_id, state=PlanState.DRAFT, proposed_on=on, created_at=now(), created_by_id=actor.user_id
        )  # fmt: skip
        _write(session, plan, new, chosen)
        journal.record(session, actor, "plan.proposed", subject_of(session, plan), after=picture(plan))
        return plan


def change(actor: Actor, organisation_id: int, plan_id: int, new: NewPlan, on: date) -> PaymentPlan:
    """Draw a plan up anew that is not agreed yet; a request for consent that has not been sent is given up.

    Errors: ``plan_unknown``, ``plan_cannot``, ``plan_request_sent``, and those of ``propose``.
    """
    with transaction(organisation_id) as session:
        plan = get_plan(session, plan_id)
        chosen = _chosen(session, new, on, plan.id)
        _check(new, chosen, on)
        before = picture(plan)
        was_waiting = plan.state is PlanState.AWAITING_CONSENT
        move(plan, PlanAction.CHANGE)
        if was_waiting:
            give_up_request(session, plan)
        plan.notice_id, plan.proposed_on = None, on
        _write(session, plan, new, chosen)
        old, changed = journal.changes(before, picture(plan))
        journal.record(session, actor, "plan.changed", subject_of(session, plan), before=old, after=changed)
        return plan


def give_up_request(session: Session, plan: PaymentPlan) -> None:
    """Take back the request for consent. Errors: ``plan_request_sent`` when the insurer has it, or will have."""
    notice = None if plan.notice_id is None else session.get(Notice, plan.notice_id)
    if notice is None or notice.state is NoticeState.CANCELLED:
        return
    if notice.state not in {NoticeState.DRAFT, NoticeState.APPROVED}:
        raise Refusal("plan_request_sent", on=notice.sent_on or "–")
    notice.state = next_notice_state(notice.state, NoticeAction.CANCEL)
    session.flush()

"""When a limit is cut: the work it makes, each piece once, and the word to other systems."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from insureflow.domain.errors import Refusal
from insureflow.domain.limits import LimitStatus
from insureflow.domain.limits.cuts import CutAction
from insureflow.domain.money import Money
from insureflow.domain.webhooks import WebhookEvent
from insureflow.domain.work import WorkKind, WorkOutcome
from insureflow.models.limits import LimitDecision
from insureflow.queries.limit_cuts import CutView, find_cut, is_cut
from insureflow.services import journal, webhooks, work_items
from insureflow.services.journal import Actor, Subject
from insureflow.services.transaction import transaction


def cause_of(decision_id: int) -> str:
    """How work about a cut is named."""
    return f"decision/{decision_id}"


def note_cut(session: Session, decision: LimitDecision, before: Money, on: date) -> None:
    """Make work of a cut that has just been recorded; part of the use case that recorded it. Made once for each decision."""
    work_items.open_item(
        session,
        WorkKind.LIMIT_CUT,
        cause_of(decision.id),
        buyer_id=decision.buyer_id,
        policy_id=decision.policy_id,
        due_on=on,
        facts={
            "before": before,
            "after": Money(decision.decided_minor or 0, decision.currency),
            "effective_on": decision.effective_on,
            "decision_id": decision.id,
        },
    )


def announce_cuts(session: Session, decisions: Sequence[LimitDecision]) -> None:
    """Tell other systems of the limits that these decisions reduced or ended, in the unit of work that records them; each cut once.

    A decision that a later one has overtaken cut nothing that still stands, such as the older rows of a history read from a file.
    """
    cuts = [decision for decision in decisions if is_cut(decision)]
    if not cuts or not webhooks.is_wanted(session, WebhookEvent.LIMIT_CUT):
        return
    for cut in cuts:
        history = session.scalars(
            select(LimitDecision)
            .where(
                LimitDecision.buyer_id == cut.buyer_id,
                LimitDecision.policy_id == cut.policy_id,
                LimitDecision.layer == cut.layer,
                LimitDecision.status != LimitStatus.REQUESTED,
            )
            .order_by(LimitDecision.decided_on, LimitDecision.id)
        ).all()
        if history[-1].id != cut.id:
            continue
        before = history[-2] if len(history) > 1 else None
        webhooks.announce(
            session,
            WebhookEvent.LIMIT_CUT,
            f"limit/{cut.id}/cut",
            {
                "limit": cut.id,
                "buyer": cut.buyer_id,
                "policy": cut.policy_id,
                "layer": cut.layer.value,
                "status": cut.status.value,
                "before": None if before is None or before.decided_minor is None else Money(before.decided_minor, before.currency),
                "after": Money(cut.decided_minor or 0, cut.currency),
                "decided_on": cut.decided_on,
                "effective_on": cut.effective_on,
                "insurer_reference": cut.insurer_reference,
            },
        )


def plan_work(actor: Actor, organisation_id: int, decision_id: int, on: date, *, report_orders_days: int | None = None) -> int:
    """Make work of every action a cut asks for, each once, and close the piece that asked to look at it; gives how many were made.

    What should have been done before the day is due on it.
    Errors: ``limit_unknown``, those of reading a cut.
    """
    with transaction(organisation_id) as session:
        view = find_cut(decision_id, report_orders_days=report_orders_days)
        if view is None:
            raise Refusal("limit_unknown", limit=str(decision_id))
        made = sum(_open(session, view, position, on) for position in range(len(view.kit.actions)))
        work_items.close_items(session, WorkKind.LIMIT_CUT, cause_of(decision_id), WorkOutcome.DONE, by=actor.user_id)
        after = {"actions": [proposed.action for proposed in view.kit.actions], "limits": [view.kit.limit_before, view.kit.limit_after]}
        subject = Subject("limit", decision_id, f"{view.buyer.legal_name} / {view.policy.number}")
        journal.record(session, actor, "limit.cut_planned", subject, after=after)
        return made


def _open(session: Session, view: CutView, position: int, on: date) -> bool:
    """Work for one action; False where it was there already."""
    proposed = view.kit.actions[position]
    kind = WorkKind.REPORT_BINDING_ORDERS if proposed.action is CutAction.REPORT_BINDING_ORDERS else WorkKind.CUT_ACTION
    cause = f"{cause_of(view.decision.id)}/{proposed.action.value}"
    if work_items.find_item(session, kind, cause) is not None:
        return False
    work_items.open_item(
        session,
        kind,
        cause,
        buyer_id=view.buyer.id,
        policy_id=view.policy.id,
        due_on=max(on, proposed.by or view.kit.effective_on),
        facts={
            "after": view.kit.limit_after,
            "action": f"CutAction.{proposed.action.value}",
            "amount": proposed.amount,
            "days": view.report_orders_days,
            "decision_id": view.decision.id,
        },
    )
    return True

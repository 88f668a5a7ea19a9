"""Which requests wait to go to an insurer by file, and which went and are not answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import case, func, select

from insureflow.domain.limits import RequestState
from insureflow.domain.work import WorkKind
from insureflow.models.connections import OutboxMessage
from insureflow.models.database import db
from insureflow.models.limit_requests import LimitRequest
from insureflow.models.policies import Policy
from insureflow.models.work_items import WorkItem


@dataclass(frozen=True, slots=True)
class PolicyQueue:
    """One policy: how many requests wait to be sent by hand or file, and how many were sent so and wait for an answer."""

    policy_id: int
    number: str
    name: str
    insurer: str
    waiting: int
    unanswered: int


def policy_queues(policy_id: int | None = None) -> Sequence[PolicyQueue]:
    """All policies, or one, by priority and number; requests that a connection carries are not counted."""
    is_waiting = (
        select(WorkItem.id)
        .where(
            WorkItem.kind == WorkKind.SEND_REQUEST.value,
            WorkItem.cause == "request:" + LimitRequest.own_reference + ":",
            WorkItem.done_at.is_(None),
        )
        .exists()
    )
    is_carried = select(OutboxMessage.id).where(OutboxMessage.limit_request_id == LimitRequest.id).exists()
    counts = (
        select(
            LimitRequest.policy_id,
            func.sum(case((is_waiting, 1), else_=0)).label("waiting"),
            func.sum(case((is_waiting, 0), else_=1)).label("unanswered"),
        )
        .where(LimitRequest.state == RequestState.SUBMITTED, ~is_carried)
        .group_by(LimitRequest.policy_id)
        .subquery()
    )
    statement = (
        select(Policy.id, Policy.number, Policy.name, Policy.insurer, counts.c.waiting, counts.c.unanswered)
        .outerjoin(counts, counts.c.policy_id == Policy.id)
        .order_by(Policy.priority, Policy.number)
    )
    if policy_id is not None:
        statement = statement.where(Policy.id == policy_id)
    return [
        PolicyQueue(row.id, row.number, row.name, row.insurer, int(row.waiting or 0), int(row.unanswered or 0))
        for row in db.session.execute(statement)
    ]

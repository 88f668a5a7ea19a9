"""The duties that people are reminded of: open ones of the days around today, by account, each with who looks after it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import and_, func, select

from insureflow.domain.obligations import ObligationKind
from insureflow.models.buyers import Buyer
from insureflow.models.cover import Obligation, ObligationOwner
from insureflow.models.database import db
from insureflow.models.policies import Policy
from insureflow.queries.dashboard.duties import TO_DO
from insureflow.queries.obligations.calendar import SETTLED, DutySelection
from insureflow.queries.obligations.standing import Standing


@dataclass(frozen=True, slots=True)
class OpenDuty:
    """What is to be done for one account by one day; ``count`` invoices or limits ask for it. ``owner_id`` looks after it."""

    policy_id: int
    policy: str
    buyer_id: int | None
    buyer: str | None
    kind: ObligationKind
    due_on: date
    owner_id: int | None
    obligation_id: int
    count: int
    amount_minor: int
    currency: str | None

    @property
    def cause(self) -> str:
        """What names it for good: the duty of an account by its day."""
        return f"duty:{self.policy_id}:{self.buyer_id or 0}:{self.kind.value}:{self.due_on.isoformat()}"


def open_duties(on: date, first: date, last: date) -> list[OpenDuty]:
    """The duties to be done from the first to the last day, both included, that are still open on a day; by day."""
    standing = Standing(DutySelection(on, on, TO_DO))
    owner = ObligationOwner
    statement = (
        standing.source(
            select(
                Obligation.policy_id,
                Policy.name,
                Obligation.buyer_id,
                Buyer.legal_name,
                Obligation.kind,
                Obligation.due_on,
                func.min(owner.user_id),
                func.min(Obligation.id),
                func.count(),
                func.sum(func.coalesce(Obligation.amount_minor, 0)),
                func.min(Obligation.currency),
            )
        )
        .join(Policy, Policy.id == Obligation.policy_id)
        .outerjoin(Buyer, Buyer.id == Obligation.buyer_id)
        .outerjoin(
            owner,
            and_(
                owner.policy_id == Obligation.policy_id,
                owner.buyer_id.is_not_distinct_from(Obligation.buyer_id),
                owner.invoice_id.is_not_distinct_from(Obligation.invoice_id),
                owner.kind == Obligation.kind,
                owner.due_on == Obligation.due_on,
            ),
        )
        .where(Obligation.due_on >= first, Obligation.due_on <= last)
        .where(standing.status.not_in(sorted(status.value for status in SETTLED)))
        .group_by(Obligation.policy_id, Policy.name, Obligation.buyer_id, Buyer.legal_name, Obligation.kind, Obligation.due_on)
        .order_by(Obligation.due_on, Obligation.policy_id, Buyer.legal_name, Obligation.kind)
    )
    return [
        OpenDuty(policy_id, policy, buyer_id, buyer, ObligationKind(kind), due_on, owner_id, key, int(count), int(amount), currency)
        for policy_id, policy, buyer_id, buyer, kind, due_on, owner_id, key, count, amount, currency in db.session.execute(statement)
    ]

"""The duties that press on a day: late ones and those of the days to come, with the cover that hangs on them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import and_, func, or_, select

from insureflow.domain.obligations import ObligationKind
from insureflow.models.buyers import Buyer
from insureflow.models.cover import Obligation, ObligationMark
from insureflow.models.database import db
from insureflow.models.policies import Policy
from insureflow.models.receivables import Invoice
from insureflow.queries.dashboard.portfolio import Portfolio, Reporting
from insureflow.queries.obligations.duties import DONE

#: What is expected of the insurer, or simply comes about: nobody has to do anything by that day.
EXPECTED = frozenset({ObligationKind.EXPECTED_DATE_OF_LOSS, ObligationKind.EXPECTED_DECISION, ObligationKind.EXPECTED_PAYMENT})

#: How far the dashboard looks ahead, and what it calls this week.
AHEAD, WEEK = timedelta(days=30), timedelta(days=7)


@dataclass(frozen=True, slots=True)
class PressingDuty:
    """A duty nobody has done or waived by the day. ``reporting_minor``: the cover that is lost with it, for comparison."""

    id: int
    kind: ObligationKind
    due_on: date
    buyer_id: int | None
    buyer: str | None
    country: str | None
    policy_id: int
    policy: str
    invoice_id: int | None
    invoice: str | None
    amount_minor: int | None
    currency: str | None
    reporting_minor: int

    def is_late(self, on: date) -> bool:
        """True on the days after the due day."""
        return self.due_on < on


def same_duty() -> Any:
    """What makes a mark belong to a duty; a duty without buyer or invoice matches a mark without."""
    return and_(
        ObligationMark.policy_id == Obligation.policy_id,
        func.coalesce(ObligationMark.buyer_id, 0) == func.coalesce(Obligation.buyer_id, 0),
        func.coalesce(ObligationMark.invoice_id, 0) == func.coalesce(Obligation.invoice_id, 0),
        ObligationMark.kind == Obligation.kind,
        ObligationMark.due_on == Obligation.due_on,
    )


def done_in_facts(trace: Iterable[Any]) -> date | None:
    """The day on which the facts of the account say that a duty was done."""
    found = next((step["result"] for step in trace if step["name"] == DONE), None)
    return None if found is None else date.fromisoformat(found)


def pressing_duties(portfolio: Portfolio, reporting: Reporting) -> list[PressingDuty]:
    """The open duties that are late or fall due within 30 days: late first, then what costs most, then what is due first."""
    on = portfolio.on
    statement = (
        select(Obligation, Buyer.legal_name, Buyer.country, Policy.name, Invoice.number)
        .join(Policy, Policy.id == Obligation.policy_id)
        .outerjoin(Buyer, Buyer.id == Obligation.buyer_id)
        .outerjoin(Invoice, Invoice.id == Obligation.invoice_id)
        .outerjoin(ObligationMark, and_(same_duty(), ObligationMark.marked_on <= on))
        .where(
            ObligationMark.id.is_(None),
            Obligation.due_on <= on + AHEAD,
            Obligation.kind.not_in([kind.value for kind in EXPECTED]),
        )
    )
    if portfolio.policy_id is not None:
        statement = statement.where(Obligation.policy_id == portfolio.policy_id)
    if portfolio.entity_id is not None:
        statement = statement.where(or_(Obligation.invoice_id.is_(None), Invoice.entity_id == portfolio.entity_id))
    duties = []
    for duty, buyer, country, policy, invoice in db.session.execute(statement):
        done_on = done_in_facts(duty.trace)
        if done_on is not None and done_on <= on:
            continue
        amount = reporting.converted(duty.amount_minor, duty.currency) if duty.amount_minor and duty.currency else None
        duties.append(
            PressingDuty(
                id=duty.id,
                kind=ObligationKind(duty.kind),
                due_on=duty.due_on,
                buyer_id=duty.buyer_id,
                buyer=buyer,
                country=country,
                policy_id=duty.policy_id,
                policy=policy,
                invoice_id=duty.invoice_id,
                invoice=invoice,
                amount_minor=duty.amount_minor,
                currency=duty.currency,
                reporting_minor=amount or 0,
            )
        )
    return sorted(duties, key=lambda duty: (not duty.is_late(on), -duty.reporting_minor, duty.due_on, duty.id))


def cover_at_stake(duties: Sequence[PressingDuty]) -> int:
    """The cover that is lost if none of these duties is done, in the reporting currency.

    *Formula:* Σ over accounts of the larger of what hangs on a duty of the whole account and the sum of what hangs on its
    invoices: the same receivable can be lost only once.
    """
    whole: dict[tuple[int, int | None], int] = {}
    single: dict[tuple[int, int | None], int] = {}
    for duty in duties:
        account = (duty.policy_id, duty.buyer_id)
        if duty.kind is ObligationKind.NOTIFY_OVERDUE:
            single[account] = single.get(account, 0) + duty.reporting_minor
        else:
            whole[account] = max(whole.get(account, 0), duty.reporting_minor)
    return sum(max(whole.get(account, 0), single.get(account, 0)) for account in whole.keys() | single.keys())

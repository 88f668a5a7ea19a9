"""The list of papers for insurers, and what it says of this week."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, select
from sqlalchemy.orm import aliased

from insureflow.domain.notices import NoticeState
from insureflow.domain.obligations import ObligationKind
from insureflow.models.buyers import Buyer
from insureflow.models.cover import Obligation
from insureflow.models.database import db
from insureflow.models.notices import Notice, NoticeInvoice
from insureflow.models.organisations import Entity
from insureflow.models.policies import Policy
from insureflow.queries.exposure import Reporting
from insureflow.queries.listing import Field, FilterKind, Kind, Listing, Narrowing, Order
from insureflow.queries.obligations.calendar import SETTLED, DutySelection
from insureflow.queries.obligations.standing import Standing

#: Notifications due within so many days are this week's.
WEEK_DAYS = 7

#: States in which a paper is not with the insurer yet.
WAITING = (NoticeState.DRAFT, NoticeState.APPROVED, NoticeState.SENDING, NoticeState.FAILED)


@dataclass(frozen=True, slots=True)
class Week:
    """Notifications due within a week: how many accounts, how many of them late, and the cover that is lost with them."""

    due: int
    late: int
    at_stake: int


class _NoticeListing(Listing):
    """A row shows the sums of the currency in which most is open; the totals are of every currency that the papers state."""

    def _count_and_add(self, narrowing: Narrowing) -> tuple[int, dict[str, list[tuple[int, str]]]]:
        papers = self._narrow(self.source(select(Notice.id)), narrowing)
        count = int(db.session.scalar(select(func.count()).select_from(papers.subquery())) or 0)
        line = aliased(NoticeInvoice)
        sums = select(line.currency, func.sum(line.open_minor).label("open"), func.sum(line.insured_minor).label("insured"))
        found = db.session.execute(sums.where(line.notice_id.in_(papers)).group_by(line.currency).order_by(line.currency)).all()
        totals: dict[str, list[tuple[int, str]]] = {}
        for row in found:
            totals.setdefault("open", []).append((int(row.open), row.currency))
            totals.setdefault("insured", []).append((int(row.insured), row.currency))
        return count, totals


def _within(policy_id: int | None, entity_id: int | None, buyer_id: int | None = None) -> list[ColumnElement[bool]]:
    """Which papers belong to a policy, to an entity by an invoice they state, and to a buyer."""
    wanted: list[ColumnElement[bool]] = []
    if policy_id is not None:
        wanted.append(Notice.policy_id == policy_id)
    if buyer_id is not None:
        wanted.append(Notice.buyer_id == buyer_id)
    if entity_id is not None:
        line = aliased(NoticeInvoice)
        of_entity = select(line.notice_id).join(Entity, Entity.code == line.entity_code).where(Entity.id == entity_id)
        wanted.append(Notice.id.in_(of_entity))
    return wanted


def notices_listing(*, policy_id: int | None = None, entity_id: int | None = None, buyer_id: int | None = None) -> Listing:
    """Every paper once, with its sums in the currency in which most is open."""
    first = (
        select(
            NoticeInvoice.notice_id,
            NoticeInvoice.currency,
            func.sum(NoticeInvoice.open_minor).label("open"),
            func.sum(NoticeInvoice.insured_minor).label("insured"),
            func.row_number()
            .over(partition_by=NoticeInvoice.notice_id, order_by=(func.sum(NoticeInvoice.open_minor).desc(), NoticeInvoice.currency))
            .label("place"),
        )
        .group_by(NoticeInvoice.notice_id, NoticeInvoice.currency)
        .subquery("sums")
    )
    is_waiting = Notice.state.in_(WAITING)
    deadline: ColumnElement[Any] = case((is_waiting, Notice.deadline_on))

    def source(statement: Select[Any]) -> Select[Any]:
        found = (
            statement.select_from(Notice)
            .join(Buyer, Buyer.id == Notice.buyer_id)
            .join(Policy, Policy.id == Notice.policy_id)
            .outerjoin(first, and_(first.c.notice_id == Notice.id, first.c.place == 1))
        )
        return found.where(*_within(policy_id, entity_id, buyer_id))

    return _NoticeListing(
        "notices",
        [
            Field("buyer", Buyer.legal_name, search=Buyer.search_name),
            Field("kind", Notice.kind, filter=FilterKind.SELECT),
            Field("state", Notice.state, Kind.BADGE, filter=FilterKind.SELECT),
            Field("deadline_on", Notice.deadline_on, Kind.DATE, sort=deadline, filter=FilterKind.DATE_RANGE),
            Field("open", first.c.open, Kind.MONEY, currency=first.c.currency, total=True),
            Field("insured", first.c.insured, Kind.MONEY, currency=first.c.currency, total=True),
            Field("policy", Policy.number, search=Policy.number, filter=FilterKind.SELECT),
            Field("sent_on", Notice.sent_on, Kind.DATE, filter=FilterKind.DATE_RANGE),
            Field("channel", Notice.channel, filter=FilterKind.SELECT),
            Field("reply_outcome", Notice.reply_outcome, filter=FilterKind.SELECT),
            Field("country", Buyer.country, Kind.COUNTRY, filter=FilterKind.SELECT),
            Field("as_of", Notice.as_of, Kind.DATE),
            Field("number", Notice.id, hidden=True),
            Field("buyer_id", Notice.buyer_id, hidden=True, filter=FilterKind.SELECT),
        ],
        source,
        key=Notice.id,
        order=Order("deadline_on"),
    )


def week_of(report: Reporting, on: date, *, policy_id: int | None = None, entity_id: int | None = None) -> Week:
    """The notifications that are due within a week, late ones included, whether or not they are drafted yet."""
    standing = Standing(DutySelection(on, on, [ObligationKind.NOTIFY_OVERDUE], policy_id=policy_id, entity_id=entity_id))
    statement = standing.source(
        select(
            Obligation.buyer_id,
            Obligation.policy_id,
            Obligation.currency,
            func.min(Obligation.due_on).label("first"),
            func.sum(func.coalesce(Obligation.amount_minor, 0)).label("amount"),
        )
    ).where(Obligation.due_on <= on + timedelta(days=WEEK_DAYS), standing.status.not_in(sorted(status.value for status in SETTLED)))
    rows = db.session.execute(statement.group_by(Obligation.buyer_id, Obligation.policy_id, Obligation.currency)).all()
    accounts = {(row.buyer_id, row.policy_id): row.first for row in rows}
    at_stake = sum(report.converted(int(row.amount), row.currency) or 0 for row in rows if row.currency is not None)
    return Week(len(accounts), sum(first < on for first in accounts.values()), at_stake)


def count_by_state(states: Collection[NoticeState], *, policy_id: int | None = None, entity_id: int | None = None) -> int:
    """How many papers stand so, of a policy and of an entity if asked."""
    statement = select(func.count(Notice.id)).where(Notice.state.in_(list(states)), *_within(policy_id, entity_id))
    return int(db.session.scalar(statement) or 0)

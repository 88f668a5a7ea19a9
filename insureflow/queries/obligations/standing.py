"""How the duties of today's calendar stand, worked out by the database: counted, added up, and the few that matter most.

The rules are those of ``status_on``, test by test; nothing is read of the duties that are not shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    String,
    Text,
    and_,
    case,
    cast,
    func,
    literal,
    literal_column,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.orm import aliased

from insureflow.domain.obligations import ObligationKind
from insureflow.models.buyers import Buyer
from insureflow.models.cover import Obligation, ObligationMark
from insureflow.models.database import db
from insureflow.models.limits import AccountAct
from insureflow.models.policies import Policy
from insureflow.models.receivables import Invoice
from insureflow.queries.blocks.listing import BlockDays
from insureflow.queries.cover.duties import DONE
from insureflow.queries.exposure import Reporting
from insureflow.queries.obligations.calendar import DUE_SOON_DAYS, SETTLED, CalendarStatus, DutySelection, is_insolvency


@dataclass(frozen=True, slots=True)
class DutyGroup:
    """The duties of one kind that fall due on one day and stand alike; ``obligation_id`` is the key of one of them."""

    due_on: date
    kind: ObligationKind
    status: CalendarStatus
    count: int
    obligation_id: int


def _day_after(day: Any) -> ColumnElement[Any]:
    """The day after a day."""
    return type_coerce(func.date(day, "+1 day"), Date) if db.engine.dialect.name == "sqlite" else day + literal_column("1")


class Standing:
    """The duties that are asked for, each with how it stands. The day asked for is today."""

    def __init__(self, selection: DutySelection) -> None:
        self._selection = selection
        self._mark = aliased(ObligationMark)
        self._block: Any = None
        by_facts = case((Obligation.trace[(0, "name")].as_string() == DONE, Obligation.trace[(0, "result")].as_string()))
        done_on: ColumnElement[Any] = case((self._mark.mark == "done", cast(self._mark.marked_on, Text)), else_=by_facts)
        in_time: ColumnElement[bool] = done_on <= cast(Obligation.due_on, Text)
        on, soon = selection.on, selection.on + timedelta(days=DUE_SOON_DAYS)
        if not selection.kinds or ObligationKind.STOP_SHIPMENTS in selection.kinds:
            days = BlockDays(on)
            self._block = days.stops()
            since = days.since(Obligation.buyer_id, self._block.c.since)
            is_by_block = and_(
                Obligation.kind == ObligationKind.STOP_SHIPMENTS.value,
                since.is_not(None),
                self._mark.mark.is_distinct_from("done"),
            )
            done_on = case((is_by_block, cast(since, Text)), else_=done_on)
            in_time = case((is_by_block, since <= _day_after(Obligation.due_on)), else_=in_time)
        is_reminder = Obligation.kind == ObligationKind.SEND_REMINDER.value
        is_insolvent = (
            select(AccountAct.id)
            .where(AccountAct.buyer_id == Obligation.buyer_id, AccountAct.policy_id == Obligation.policy_id, is_insolvency(on))
            .correlate(Obligation)
            .exists()
        )
        self.status: ColumnElement[str] = case(
            (
                done_on <= on.isoformat(),
                case((in_time, CalendarStatus.DONE.value), else_=CalendarStatus.DONE_LATE.value),
            ),
            (self._mark.mark == "waived", CalendarStatus.WAIVED.value),
            (is_reminder & is_insolvent, CalendarStatus.NOT_NEEDED.value),
            (Obligation.due_on < on, CalendarStatus.LATE.value),
            (Obligation.due_on <= soon, CalendarStatus.DUE_SOON.value),
            else_=literal(CalendarStatus.OPEN.value, String),
        )

    def source(self, statement: Any) -> Any:
        """The FROM clause and what always holds."""
        mark, chosen = self._mark, self._selection
        statement = statement.select_from(Obligation).outerjoin(
            mark,
            and_(
                mark.policy_id == Obligation.policy_id,
                mark.buyer_id.is_not_distinct_from(Obligation.buyer_id),
                mark.invoice_id.is_not_distinct_from(Obligation.invoice_id),
                mark.kind == Obligation.kind,
                mark.due_on == Obligation.due_on,
                mark.marked_on <= chosen.on,
            ),
        )
        if self._block is not None:
            is_stop = Obligation.kind == ObligationKind.STOP_SHIPMENTS.value
            statement = statement.outerjoin(self._block, and_(self._block.c.buyer_id == Obligation.buyer_id, is_stop))
        if chosen.entity_id is not None:
            statement = statement.outerjoin(Invoice, Invoice.id == Obligation.invoice_id).where(
                or_(Obligation.invoice_id.is_(None), Invoice.entity_id == chosen.entity_id)
            )
        if chosen.policy_id is not None:
            statement = statement.where(Obligation.policy_id == chosen.policy_id)
        if chosen.buyer_id is not None:
            statement = statement.where(Obligation.buyer_id == chosen.buyer_id)
        if chosen.kinds:
            statement = statement.where(Obligation.kind.in_([kind.value for kind in chosen.kinds]))
        return statement

    def groups(self, first_day: date, last_day: date) -> list[DutyGroup]:
        """The duties due from the first to the last day, both included, counted by day, kind and how they stand; by day."""
        status = self.status.label("status")
        statement = (
            self.source(
                select(Obligation.due_on, Obligation.kind, status, func.count().label("duties"), func.min(Obligation.id).label("one"))
            )
            .where(Obligation.due_on >= first_day, Obligation.due_on <= last_day)
            .group_by(Obligation.due_on, Obligation.kind, status)
            .order_by(Obligation.due_on, Obligation.kind, status)
        )
        return [
            DutyGroup(row.due_on, ObligationKind(row.kind), CalendarStatus(row.status), int(row.duties), row.one)
            for row in db.session.execute(statement)
        ]

    def count_late(self) -> int:
        """How many are late, however long."""
        statement = self.source(select(func.count())).where(
            Obligation.due_on < self._selection.on, self.status == CalendarStatus.LATE.value
        )
        return int(db.session.scalar(statement) or 0)

    def _coming(self, statement: Any, days: int) -> Any:
        """Those still to be done from today on, over so many days."""
        on = self._selection.on
        return self.source(statement).where(
            Obligation.due_on >= on,
            Obligation.due_on < on + timedelta(days=days),
            self.status.not_in(sorted(status.value for status in SETTLED)),
        )

    def count_coming(self, days: int) -> int:
        """How many are still to be done from today on, over so many days."""
        return int(db.session.scalar(self._coming(select(func.count()), days)) or 0)

    def _reporting_minor(self, report: Reporting) -> ColumnElement[int]:
        currencies = set(db.session.scalars(select(Policy.limit_currency).distinct()))
        amount = func.coalesce(Obligation.amount_minor, 0)
        there: ColumnElement[int] = func.coalesce(report.expression(amount, func.coalesce(Obligation.currency, ""), currencies), 0)
        return there

    def cover_at_stake(self, report: Reporting, days: int) -> int:
        """The cover that is lost if none of those still to be done is done; *Formula:* as ``cover_at_stake`` of the dashboard."""
        there, is_single = self._reporting_minor(report), Obligation.kind == ObligationKind.NOTIFY_OVERDUE.value
        single = cast(func.sum(case((is_single, there), else_=0)), BigInteger).label("single")
        whole = func.max(case((is_single, 0), else_=there)).label("whole")
        account = (Obligation.policy_id, Obligation.buyer_id)
        accounts = self._coming(select(*account, single, whole), days).group_by(*account).subquery("accounts")
        larger = case((accounts.c.single > accounts.c.whole, accounts.c.single), else_=accounts.c.whole)
        return int(db.session.scalar(select(func.sum(larger)).select_from(accounts)) or 0)

    def worst(self, report: Reporting, days: int, rows: int) -> list[tuple[int, int]]:
        """The keys of those still to be done that cost most, with their amounts in the reporting currency; reminders last."""
        there = self._reporting_minor(report).label("there")
        kinds = case({kind.value: place for place, kind in enumerate(ObligationKind)}, value=Obligation.kind)
        statement = (
            self._coming(select(Obligation.id, there), days)
            .outerjoin(Buyer, Buyer.id == Obligation.buyer_id)
            .order_by(
                there.desc(),
                case((Obligation.kind == ObligationKind.SEND_REMINDER.value, 1), else_=0),
                Obligation.due_on,
                kinds,
                func.coalesce(Buyer.legal_name, ""),
                func.coalesce(Obligation.invoice_id, 0),
            )
            .limit(rows)
        )
        return [(row.id, int(row.there)) for row in db.session.execute(statement)]

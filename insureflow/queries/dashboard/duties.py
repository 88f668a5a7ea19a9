"""The duties that press on a day: late ones and those of the days to come, with the cover that hangs on them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from insureflow.domain.obligations import ObligationKind
from insureflow.queries.exposure import Portfolio, Reporting
from insureflow.queries.obligations.calendar import (
    SETTLED,
    CalendarEntry,
    CalendarStatus,
    DutyKey,
    DutySelection,
    calendar,
    list_entries,
)
from insureflow.queries.obligations.standing import Standing

#: What is expected of the insurer, or simply comes about: nobody has to do anything by that day.
EXPECTED = frozenset({ObligationKind.EXPECTED_DATE_OF_LOSS, ObligationKind.EXPECTED_DECISION, ObligationKind.EXPECTED_PAYMENT})

#: What somebody has to do.
TO_DO = tuple(kind for kind in ObligationKind if kind not in EXPECTED)

#: How far the dashboard looks ahead, and what it calls this week.
AHEAD, WEEK = timedelta(days=30), timedelta(days=7)


@dataclass(frozen=True, slots=True)
class PressingDuty:
    """A duty of the calendar. ``reporting_minor``: the cover that is lost with it, in the reporting currency."""

    entry: CalendarEntry
    reporting_minor: int

    @property
    def kind(self) -> ObligationKind:
        """What is to be done."""
        return ObligationKind(self.entry.key.kind)

    @property
    def due_on(self) -> date:
        """By when."""
        return self.entry.key.due_on

    @property
    def is_expected(self) -> bool:
        """True for a day on which something comes about by itself, or from the insurer."""
        return self.kind in EXPECTED

    @property
    def is_open(self) -> bool:
        """True while somebody still has to do it."""
        return not self.is_expected and self.entry.status not in SETTLED

    @property
    def is_late(self) -> bool:
        """True if somebody should have done it by now."""
        return not self.is_expected and self.entry.status is CalendarStatus.LATE


def list_duties(
    portfolio: Portfolio,
    reporting: Reporting,
    today: date,
    *,
    first: date = date.min,
    last: date = date.max,
    with_late: bool = False,
    kinds: Collection[ObligationKind] = (),
) -> list[PressingDuty]:
    """The duties that fall due from ``first`` to ``last``, both included, as they stand on the portfolio's day; by due day."""
    found = []
    for entry in calendar(_selection(portfolio, today, kinds), first, last, with_late=with_late):
        amount = reporting.converted(entry.amount_minor, entry.currency) if entry.amount_minor and entry.currency else None
        found.append(PressingDuty(entry, amount or 0))
    return found


@dataclass(frozen=True, slots=True)
class PressingDuties:
    """What presses: the worst duties of the days to come, how many there are, how many are late, and what this week would cost."""

    worst: Sequence[PressingDuty]
    coming: int
    late: int
    this_week: int
    at_stake: int


def _selection(portfolio: Portfolio, today: date, kinds: Collection[ObligationKind] = ()) -> DutySelection:
    return DutySelection(portfolio.on, today, kinds, portfolio.policy_id, portfolio.buyer_id, portfolio.entity_id)


def pressing_duties(portfolio: Portfolio, reporting: Reporting, today: date, *, shown: int) -> PressingDuties:
    """The open duties of the next 30 days: what costs most first, reminders last, then what is due first."""
    if portfolio.on == today:
        standing = Standing(_selection(portfolio, today, TO_DO))
        worst = standing.worst(reporting, AHEAD.days + 1, shown)
        entries = list_entries([key for key, _minor in worst], portfolio.on)
        return PressingDuties(
            [PressingDuty(entries[key], minor) for key, minor in worst],
            standing.count_coming(AHEAD.days + 1),
            standing.count_late(),
            standing.count_coming(WEEK.days),
            standing.cover_at_stake(reporting, WEEK.days),
        )
    found = list_duties(portfolio, reporting, today, first=portfolio.on, last=portfolio.on + AHEAD, with_late=True, kinds=TO_DO)
    coming = [duty for duty in found if duty.is_open and not duty.is_late]
    week = [duty for duty in coming if duty.due_on < portfolio.on + WEEK]
    coming.sort(key=lambda duty: (-duty.reporting_minor, duty.kind is ObligationKind.SEND_REMINDER, duty.due_on))
    late = sum(duty.is_late for duty in found)
    return PressingDuties(coming[:shown], len(coming), late, len(week), cover_at_stake(week))


@dataclass(frozen=True, slots=True)
class DutyCalendar:
    """Days of the calendar: duties by day, kind and how they stand; how many are late, or due this week, and at what cost."""

    days: Mapping[date, Sequence[DayOfDuties]]
    late: int
    this_week: int
    at_stake: int


@dataclass(frozen=True, slots=True)
class DayOfDuties:
    """The duties of one kind that fall due on a day and stand alike; ``duty`` is the one where there is only one."""

    kind: ObligationKind
    status: CalendarStatus
    count: int
    duty: DutyKey | int


def duty_calendar(portfolio: Portfolio, reporting: Reporting, today: date, first: date, last: date) -> DutyCalendar:
    """The duties that fall due from ``first`` to ``last``, both included, counted."""
    days: dict[date, list[DayOfDuties]] = {}
    if portfolio.on == today:
        for group in Standing(_selection(portfolio, today)).groups(first, last):
            days.setdefault(group.due_on, []).append(DayOfDuties(group.kind, group.status, group.count, group.obligation_id))
        standing = Standing(_selection(portfolio, today, TO_DO))
        late, week = standing.count_late(), standing.count_coming(WEEK.days)
        return DutyCalendar(days, late, week, standing.cover_at_stake(reporting, WEEK.days))
    on = portfolio.on
    found = list_duties(portfolio, reporting, today, first=min(first, on), last=max(last, on + WEEK), with_late=True)
    alike: dict[tuple[date, ObligationKind, CalendarStatus], list[DutyKey]] = {}
    for duty in found:
        if first <= duty.due_on <= last:
            alike.setdefault((duty.due_on, duty.kind, duty.entry.status), []).append(duty.entry.key)
    for (due_on, kind, status), keys in alike.items():
        days.setdefault(due_on, []).append(DayOfDuties(kind, status, len(keys), keys[0]))
    in_a_week = [duty for duty in found if duty.is_open and on <= duty.due_on < on + WEEK]
    return DutyCalendar(days, sum(duty.is_late for duty in found), len(in_a_week), cover_at_stake(in_a_week))


def cover_at_stake(duties: Sequence[PressingDuty]) -> int:
    """The cover that is lost if none of these duties is done, in the reporting currency.

    *Formula:* Σ over accounts of the larger of what hangs on a duty of the whole account and the sum of what hangs on its
    invoices: the same receivable can be lost only once.
    """
    whole: dict[tuple[int, int | None], int] = {}
    single: dict[tuple[int, int | None], int] = {}
    for duty in duties:
        account = (duty.entry.key.policy_id, duty.entry.key.buyer_id)
        if duty.kind is ObligationKind.NOTIFY_OVERDUE:
            single[account] = single.get(account, 0) + duty.reporting_minor
        else:
            whole[account] = max(whole.get(account, 0), duty.reporting_minor)
    return sum(max(whole.get(account, 0), single.get(account, 0)) for account in whole.keys() | single.keys())

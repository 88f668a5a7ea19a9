"""The duties that press on a day: late ones and those of the days to come, with the cover that hangs on them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from insureflow.domain.obligations import ObligationKind
from insureflow.queries.exposure import Portfolio, Reporting
from insureflow.queries.obligations.calendar import SETTLED, CalendarEntry, CalendarStatus, DutySelection, calendar

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
    selection = DutySelection(portfolio.on, today, kinds, portfolio.policy_id, portfolio.buyer_id, portfolio.entity_id)
    found = []
    for entry in calendar(selection, first, last, with_late=with_late):
        amount = reporting.converted(entry.amount_minor, entry.currency) if entry.amount_minor and entry.currency else None
        found.append(PressingDuty(entry, amount or 0))
    return found


def pressing_duties(portfolio: Portfolio, reporting: Reporting, today: date) -> list[PressingDuty]:
    """The open duties that are late or fall due within 30 days: late first, then what costs most, then what is due first."""
    found = list_duties(portfolio, reporting, today, first=portfolio.on, last=portfolio.on + AHEAD, with_late=True, kinds=TO_DO)
    return sorted((duty for duty in found if duty.is_open), key=lambda duty: (not duty.is_late, -duty.reporting_minor, duty.due_on))


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

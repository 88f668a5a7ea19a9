"""Dated relief: for a time an insurer gives longer for a duty than the policy says, as many did in the spring of 2020.

*Source:* a market-wide relief that made 30 days for notification 60 for a period; the original due date stayed the basis.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any

from insureflow.domain.periods import BusinessCalendar, Period, PeriodRule, PeriodUnit


class ReliefClause(StrEnum):
    """The duties whose time a relief can make longer."""

    OVERDUE_NOTIFICATION = "overdue_notification"
    ADVERSE_INFORMATION = "adverse_information"
    CLAIM_FILING = "claim_filing"


@dataclass(frozen=True, slots=True)
class Relief:
    """A longer time for a duty whose ordinary last day falls on one of these days, both included.

    It counts from the same day as the ordinary time, and never shortens it. ``note`` is where it is written.
    """

    clause: ReliefClause
    first_day: date
    last_day: date
    unit: PeriodUnit
    length: int
    note: str = ""

    def holds(self, deadline: date) -> bool:
        """True for an ordinary last day that the relief puts off."""
        return self.first_day <= deadline <= self.last_day


def find_relief(
    reliefs: Sequence[Relief],
    clause: ReliefClause,
    rule: PeriodRule | None,
    ordinary: date,
    starts: Mapping[Any, date | None],
    calendar: BusinessCalendar,
) -> tuple[Relief, date] | None:
    """The relief that puts an ordinary last day off furthest, and the last day under it; None where none does.

    ``starts`` maps the words of ``StartingDay`` to days. A rule of several periods has no one day to count from, and no relief.
    """
    if not isinstance(rule, Period) or rule.start is None:
        return None
    start = starts.get(rule.start)
    if start is None:
        return None
    found = [
        (replace(rule, unit=each.unit, length=each.length).end_from(start, calendar), each)
        for each in reliefs
        if each.clause is clause and each.holds(ordinary)
    ]
    later = [(on, each) for on, each in found if on > ordinary]
    if not later:
        return None
    on, relief = max(later, key=lambda pair: pair[0])
    return relief, on

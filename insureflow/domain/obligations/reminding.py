"""Reminders of duties: which of a person's reminders a day has reached."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

#: The step after the last day of a duty that nobody did.
LATE = -1


def reached_step(due_on: date, on: date, days_before: Collection[int]) -> int | None:
    """The reminder that holds on a day: the fewest days before the duty that the day has reached, ``LATE`` after it, None before all.

    A day without a look at the duties loses nothing: the next look finds the reminder reached by then, and only that one.
    """
    left = (due_on - on).days
    if left < 0:
        return LATE
    return min((days for days in days_before if left <= days), default=None)

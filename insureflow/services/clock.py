"""The clock: the only place that asks what time it is.

Faces read it here and pass the answer on as ``on`` or ``at``; rules, queries and services never look themselves, so that
everything can be replayed as of a date.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo


def now() -> datetime:
    """This instant, in UTC."""
    return datetime.now(UTC)


def business_date(time_zone: str) -> date:
    """Today where the business is: the calendar date in an IANA time zone."""
    return datetime.now(ZoneInfo(time_zone)).date()

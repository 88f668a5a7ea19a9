"""Recurring work: what is declared, when it is due, and what an organisation may have otherwise.

A job belongs to a period ("the night of 22 November"), and a period is worked once, whoever comes first. Intervals are counted from
midnight UTC, so no hour comes twice or never; a time of day is that of the place it is given for, and comes once a day there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from insureflow.domain.errors import InvalidValue, Refusal

MINUTES_A_DAY = 24 * 60
_DAY = timedelta(days=1)


class RunState(StrEnum):
    """How a run of a job stands or ended."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class EveryMinutes:
    """Every so many minutes, counted from midnight UTC; the last interval of a day may be shorter."""

    minutes: int

    def __post_init__(self) -> None:
        if not 1 <= self.minutes <= MINUTES_A_DAY:
            raise ValueError(self.minutes)

    def latest(self, at: datetime) -> datetime:
        """The instant that was due last at an instant."""
        there = at.astimezone(UTC)
        midnight = there.replace(hour=0, minute=0, second=0, microsecond=0)
        minute = there.hour * 60 + there.minute
        return midnight + timedelta(minutes=minute - minute % self.minutes)

    def following(self, at: datetime) -> datetime:
        """The first instant after an instant that is due."""
        latest = self.latest(at)
        midnight = latest.replace(hour=0, minute=0)
        return min(latest + timedelta(minutes=self.minutes), midnight + _DAY)

    def period(self, at: datetime) -> str:
        """The period that was due last at an instant."""
        return self.latest(at).strftime("%Y-%m-%dT%H:%MZ")


@dataclass(frozen=True, slots=True)
class Daily:
    """Once a day, at a time of a place. An hour that a place skips or has twice on a day counts once."""

    hour: int
    minute: int = 0
    zone: str = "UTC"

    def __post_init__(self) -> None:
        time(self.hour, self.minute)

    def _due(self, day: date) -> datetime:
        return datetime.combine(day, time(self.hour, self.minute), ZoneInfo(self.zone)).astimezone(UTC)

    def latest(self, at: datetime) -> datetime:
        """The instant that was due last at an instant."""
        today = at.astimezone(ZoneInfo(self.zone)).date()
        return self._due(today) if self._due(today) <= at else self._due(today - _DAY)

    def following(self, at: datetime) -> datetime:
        """The first instant after an instant that is due."""
        today = at.astimezone(ZoneInfo(self.zone)).date()
        return self._due(today) if self._due(today) > at else self._due(today + _DAY)

    def period(self, at: datetime) -> str:
        """The day that was due last at an instant."""
        return self.latest(at).astimezone(ZoneInfo(self.zone)).strftime("%Y-%m-%d")


Due = EveryMinutes | Daily


@dataclass(frozen=True, slots=True)
class Job:
    """One recurring job.

    ``for_all`` is done once for the whole installation, and no organisation has a say in it; every other one is done for each
    organisation by itself. ``always_on`` cannot be switched off, and ``longest_minutes`` bounds how seldom a job by the minute may come.
    """

    key: str
    due: Due
    always_on: bool = False
    for_all: bool = False
    longest_minutes: int = MINUTES_A_DAY


#: Every recurring job of the product. What each does stands in ``jobs.scheduler``, and its words in ``i18n.words.schedules``.
JOBS: tuple[Job, ...] = (
    Job("limits.send_requests", EveryMinutes(1), longest_minutes=240),
    Job("limits.inbox", EveryMinutes(1), longest_minutes=240),
    Job("limits.sync", EveryMinutes(5)),
    Job("messages.deliver", EveryMinutes(1), longest_minutes=240),
    Job("webhooks.deliver", EveryMinutes(1), longest_minutes=240),
    Job("dunning.issue", EveryMinutes(1), longest_minutes=240),
    Job("dunning.propose", Daily(5, 10)),
    Job("connections.watch", EveryMinutes(5), always_on=True, longest_minutes=60),
    Job("limits.reconcile", Daily(1, 40)),
    Job("discretionary.remind", Daily(1, 55)),
    Job("notices.draft", Daily(4, 10)),
    Job("declarations.draft", Daily(4, 15)),
    Job("obligations.remind", Daily(4, 30)),
    Job("payment_plans.watch", Daily(4, 20)),
    Job("blocks.tell", Daily(4, 35)),
    # Last, so that a summary tells of what the others of this night have found.
    Job("obligations.digest", Daily(5, 30)),
    Job("journal.verify", Daily(2, 10), always_on=True),
    Job("exchanges.trim", Daily(3, 20), always_on=True),
    Job("runs.trim", Daily(3, 40), for_all=True),
)


def get_job(key: str) -> Job:
    """The job with this key that organisations have a say in. Errors: ``Refusal`` ``job_unknown``."""
    found = next((job for job in JOBS if job.key == key and not job.for_all), None)
    if found is None:
        raise Refusal("job_unknown", job=key)
    return found


@dataclass(frozen=True, slots=True)
class Wish:
    """How an organisation wants a job. ``minutes``: an interval, or for a job of the day the minute after midnight there; None as declared."""

    is_enabled: bool = True
    minutes: int | None = None


def check_wish(job: Job, wish: Wish) -> None:
    """Whether an organisation may have a job so.

    Errors: ``Refusal`` ``job_always_on``; ``InvalidValue`` ``interval_out_of_bounds``, ``time_of_day_wrong``.
    """
    if job.always_on and not wish.is_enabled:
        raise Refusal("job_always_on", job=job.key)
    if wish.minutes is None:
        return
    if isinstance(job.due, Daily):
        if not 0 <= wish.minutes < MINUTES_A_DAY:
            raise InvalidValue("time_of_day_wrong", "at", str(wish.minutes))
    elif not job.due.minutes <= wish.minutes <= job.longest_minutes:
        raise InvalidValue("interval_out_of_bounds", "every_minutes", str(wish.minutes), least=job.due.minutes, most=job.longest_minutes)


def due_of(job: Job, wish: Wish, zone: str) -> Due | None:
    """When a job is due for an organisation in a time zone; None where it is switched off."""
    if not wish.is_enabled:
        return None
    if wish.minutes is None:
        return job.due
    if isinstance(job.due, Daily):
        return Daily(wish.minutes // 60, wish.minutes % 60, zone)
    return replace(job.due, minutes=wish.minutes)


def read_time_of_day(text: str) -> int:
    """Minutes after midnight of a time such as 03:30. Errors: ``InvalidValue`` ``time_of_day_wrong``."""
    hour, separator, minute = text.strip().partition(":")
    is_written = separator and all(part.isascii() and part.isdigit() and len(part) <= 2 for part in (hour, minute))
    if not is_written or int(hour) > 23 or int(minute) > 59:
        raise InvalidValue("time_of_day_wrong", "at", text[:20])
    return int(hour) * 60 + int(minute)


def time_of_day(minutes: int) -> str:
    """Minutes after midnight as a time such as 03:30."""
    return f"{minutes // 60:02d}:{minutes % 60:02d}"

"""The scheduler: recurring work, declared here in code, and the queue of long work, both done by the one process that leads.

Times are UTC, so no hour comes twice or never. Each run belongs to a period ("the night of 22 November"); a period is worked
once even when two schedulers disagree about who leads, and a period missed while nothing ran is made up for at the next start.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from flask import Flask

import config
from insureflow.jobs import discretionary, journal, limits
from insureflow.jobs.leader import LeaderLock, leader_lock
from insureflow.jobs.worker import Workers
from insureflow.services import jobs, tasks
from insureflow.services.clock import now

log = structlog.get_logger("insureflow.scheduler")

STAND_BY_SECONDS = 1
JobFunction = Callable[[], Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Hourly:
    """Once an hour, at this minute."""

    minute: int

    def trigger(self) -> CronTrigger:
        """The same for APScheduler."""
        return CronTrigger(minute=self.minute, timezone=UTC)

    def period(self, at: datetime) -> str:
        """The latest hour that was due at an instant."""
        due = at.astimezone(UTC).replace(minute=self.minute, second=0, microsecond=0)
        return (due if due <= at else due - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%MZ")


@dataclass(frozen=True, slots=True)
class Daily:
    """Once a day, at this time in UTC."""

    hour: int
    minute: int = 0

    def trigger(self) -> CronTrigger:
        """The same for APScheduler."""
        return CronTrigger(hour=self.hour, minute=self.minute, timezone=UTC)

    def period(self, at: datetime) -> str:
        """The latest day that was due at an instant."""
        due = at.astimezone(UTC).replace(hour=self.hour, minute=self.minute, second=0, microsecond=0)
        return (due if due <= at else due - timedelta(days=1)).strftime("%Y-%m-%d")


@dataclass(frozen=True, slots=True)
class EveryMinutes:
    """Every so many minutes of the hour; a divisor of 60."""

    minutes: int

    def __post_init__(self) -> None:
        if self.minutes < 1 or 60 % self.minutes:
            raise ValueError(self.minutes)

    def trigger(self) -> CronTrigger:
        """The same for APScheduler."""
        return CronTrigger(minute=f"*/{self.minutes}", timezone=UTC)

    def period(self, at: datetime) -> str:
        """The latest such minute at an instant."""
        due = at.astimezone(UTC)
        return due.replace(minute=due.minute - due.minute % self.minutes).strftime("%Y-%m-%dT%H:%MZ")


@dataclass(frozen=True, slots=True)
class Schedule:
    """One recurring job: its key, when it is due, and what it does. The function gives what it counted."""

    key: str
    due: EveryMinutes | Hourly | Daily
    function: JobFunction


SCHEDULES: tuple[Schedule, ...] = (
    Schedule("journal.verify", Daily(hour=2, minute=10), journal.verify_all),
    Schedule("limits.send_requests", EveryMinutes(1), limits.send_requests),
    Schedule("limits.inbox", EveryMinutes(1), limits.inbox),
    Schedule("limits.sync", EveryMinutes(limits.SYNC_MINUTES), limits.sync),
    Schedule("limits.reconcile", Daily(hour=1, minute=40), limits.reconcile),
    Schedule("discretionary.remind", Daily(hour=1, minute=55), discretionary.remind_all),
    Schedule("exchanges.trim", Daily(hour=3, minute=20), limits.trim),
)


def run_period(schedule: Schedule, period: str) -> bool:
    """Works one period of a job unless somebody has; True if it was worked here and went well. Needs an application context."""
    run_id = jobs.begin_run(schedule.key, period)
    if run_id is None:
        return False
    log.info("job begins", job=schedule.key, period=period)
    try:
        counts = schedule.function()
    except Exception as error:
        log.exception("job failed", job=schedule.key, period=period)
        jobs.fail_run(run_id, f"{type(error).__name__}: {error}")
        return False
    jobs.finish_run(run_id, counts)
    log.info("job done", job=schedule.key, period=period, **counts)
    return True


class Scheduler:
    """One scheduler process: stands by until it leads, then runs what is due until it is stopped or loses the lead."""

    def __init__(
        self, app: Flask, settings: config.Config, schedules: tuple[Schedule, ...] = SCHEDULES, lock: LeaderLock | None = None
    ) -> None:
        self._app = app
        self._schedules = schedules
        self._lock = lock or leader_lock(settings)
        self._worker_count = 1 if settings.uses_sqlite else 2  # SQLite lets one write at a time
        self.leads = threading.Event()

    def run(self, stopping: threading.Event) -> None:
        """Works until ``stopping`` is set."""
        try:
            while not stopping.is_set():
                if self._lock.acquire():
                    self._lead(stopping)
                else:
                    stopping.wait(STAND_BY_SECONDS)
        finally:
            self._lock.release()

    def tick(self, schedule: Schedule) -> bool:
        """Works the period of a schedule that is due at this instant, in an application context of its own."""
        with self._app.app_context():
            return run_period(schedule, schedule.due.period(now()))

    def _catch_up(self, resting: threading.Event) -> None:
        """Makes up for what was due while nothing ran, beside the watch over the lead: an insurer may be slow to answer."""
        for schedule in self._schedules:
            if resting.is_set():
                return
            self.tick(schedule)

    def _lead(self, stopping: threading.Event) -> None:
        log.info("scheduler leads", jobs=len(self._schedules))
        with self._app.app_context():
            runs, lost = jobs.interrupt_runs(), tasks.interrupt_lost(now())
        if runs or lost:
            log.warning("work was interrupted", runs=runs, tasks=lost)
        workers = Workers(self._app, self._worker_count)
        background = BackgroundScheduler(timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None})
        for schedule in self._schedules:
            background.add_job(self.tick, schedule.due.trigger(), args=(schedule,), id=schedule.key)
        resting = threading.Event()
        catching_up = threading.Thread(target=self._catch_up, args=(resting,), name="catching up")
        self.leads.set()
        workers.start()
        try:
            catching_up.start()
            background.start()
            while not stopping.wait(STAND_BY_SECONDS) and self._lock.is_held():
                continue
        finally:
            self.leads.clear()
            resting.set()
            if background.running:
                background.shutdown(wait=True)
            catching_up.join()
            if not workers.stop():
                log.warning("work is left undone")
        log.info("scheduler rests", stopped=stopping.is_set())

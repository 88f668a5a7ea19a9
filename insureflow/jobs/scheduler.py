"""The scheduler process: the recurring jobs of the product, and the threads that do them.

Each run belongs to a period ("the night of 22 November"); a period is worked once even when two schedulers disagree about who leads,
and a period missed while nothing ran is made up for at the next start. Jobs are declared in ``domain.schedules``; here stands what each
does. Jobs of organisations are looked at every minute, as each organisation may want them at another time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC

import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from flask import Flask

import config
from insureflow.domain.schedules import JOBS, Daily, Due, Job
from insureflow.jobs import (
    blocks,
    declarations,
    discretionary,
    dunning,
    journal,
    limits,
    messages,
    notices,
    obligations,
    payment_plans,
    webhooks,
)
from insureflow.jobs.leader import LeaderLock, leader_lock
from insureflow.jobs.worker import Workers
from insureflow.services import jobs, tasks
from insureflow.services.clock import now
from insureflow.services.jobs import Served

log = structlog.get_logger("insureflow.scheduler")

STAND_BY_SECONDS = 1
#: How long work that was asked to stop is waited for; what is left then is as good as killed, and is taken up again.
GOODBYE_SECONDS = 2.0

ForAll = Callable[[], Mapping[str, int]]
ForEach = Callable[[Served], Mapping[str, int]]

#: What is done once for the whole installation, by the key of the job; it gives what it counted.
WORK_FOR_ALL: Mapping[str, ForAll] = {
    "runs.trim": limits.trim_runs,
}
#: What is done for each organisation by itself.
WORK: Mapping[str, ForEach] = {
    "limits.send_requests": limits.send_requests,
    "limits.inbox": limits.inbox,
    "limits.sync": limits.sync,
    "messages.deliver": messages.deliver,
    "webhooks.deliver": webhooks.deliver,
    "dunning.issue": dunning.issue,
    "dunning.propose": dunning.propose,
    "connections.watch": limits.watch,
    "limits.reconcile": limits.reconcile,
    "discretionary.remind": discretionary.remind,
    "notices.draft": notices.draft,
    "declarations.draft": declarations.draft,
    "obligations.remind": obligations.remind,
    "payment_plans.watch": payment_plans.watch,
    "blocks.tell": blocks.tell,
    "obligations.digest": obligations.send_digests,
    "journal.verify": journal.verify,
    "exchanges.trim": limits.trim,
}


@dataclass(frozen=True, slots=True)
class Schedule:
    """A declared job and what it does: for all at once, or for each organisation."""

    job: Job
    for_all: ForAll | None = None
    for_each: ForEach | None = None

    def trigger(self) -> CronTrigger:
        """When APScheduler looks: what is done for each organisation every minute, all else when it is due."""
        if self.for_all is None:
            return CronTrigger(minute="*", timezone=UTC)
        return _trigger(self.job.due)


def _trigger(due: Due) -> CronTrigger:
    if isinstance(due, Daily):
        return CronTrigger(hour=due.hour, minute=due.minute, timezone=due.zone)
    return CronTrigger(minute="*", timezone=UTC)  # its period is begun once, however often anybody looks


SCHEDULES: tuple[Schedule, ...] = tuple(Schedule(job, WORK_FOR_ALL.get(job.key), WORK.get(job.key)) for job in JOBS)


def _goes_on() -> bool:
    return False


def run_due(schedule: Schedule, wants_to_stop: Callable[[], bool] = _goes_on) -> int:
    """Works what is due of a job and nobody has begun; gives how many runs went well. Needs an application context."""
    at = now()
    if schedule.for_all is not None:
        return int(_run(schedule.job.key, schedule.job.due.period(at), schedule.for_all, wants_to_stop))
    if schedule.for_each is None:
        raise LookupError(schedule.job.key)
    done = 0
    for served in jobs.served_by(schedule.job, at, wants_to_stop):
        if wants_to_stop():
            break
        done += run_for(schedule, served)
    return done


def run_for(schedule: Schedule, served: Served) -> bool:
    """Works a period of a job for one organisation unless somebody has; True if it was worked here and went well."""
    work = schedule.for_each
    if work is None:
        raise LookupError(schedule.job.key)
    return _run(schedule.job.key, served.period, lambda: work(served), served.wants_to_stop)


def _run(key: str, period: str, work: ForAll, wants_to_stop: Callable[[], bool]) -> bool:
    run_id = jobs.begin_run(key, period)
    if run_id is None:
        return False
    log.debug("job begins", job=key, period=period)
    try:
        counts = work()
    except Exception as error:
        log.exception("job failed", job=key, period=period)
        jobs.fail_run(run_id, f"{type(error).__name__}: {error}")
        return False
    if wants_to_stop():
        jobs.interrupt_run(run_id, counts)
        log.info("job stopped", job=key, period=period)
        return False
    jobs.finish_run(run_id, counts)
    log.info("job done", job=key, period=period, **counts)
    return True


class Scheduler:
    """One scheduler process: stands by until it leads, then runs what is due until it is stopped or loses the lead.

    ``has_left_work`` is set when work did not end in time after it was asked to stop; the process should then end at once, and whoever
    leads next takes the work up.
    """

    def __init__(
        self, app: Flask, settings: config.Config, schedules: tuple[Schedule, ...] = SCHEDULES, lock: LeaderLock | None = None
    ) -> None:
        self._app = app
        self._schedules = schedules
        self._lock = lock or leader_lock(settings)
        self._worker_count = 1 if settings.uses_sqlite else 2  # SQLite lets one write at a time
        self._resting = threading.Event()
        self._at_work = 0
        self._is_idle = threading.Condition()
        self.leads = threading.Event()
        self.has_left_work = False

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

    def tick(self, schedule: Schedule) -> int:
        """Works what is due of a schedule now, in an application context of its own; gives how many runs went well."""
        with self._working(), self._app.app_context():
            return run_due(schedule, self._resting.is_set)

    @contextmanager
    def _working(self) -> Iterator[None]:
        with self._is_idle:
            self._at_work += 1
        try:
            yield
        finally:
            with self._is_idle:
                self._at_work -= 1
                self._is_idle.notify_all()

    def _wait_for_work(self, end: float) -> bool:
        """True once nothing is being done any more; False when time is up."""
        with self._is_idle:
            return self._is_idle.wait_for(lambda: self._at_work == 0, max(0.0, end - time.monotonic()))

    def _catch_up(self) -> None:
        """Makes up for what was due while nothing ran, beside the watch over the lead: an insurer may be slow to answer."""
        for schedule in self._schedules:
            if self._resting.is_set():
                return
            try:
                self.tick(schedule)
            except Exception:
                log.exception("what is due cannot be read", job=schedule.job.key)

    def _lead(self, stopping: threading.Event) -> None:
        log.info("scheduler leads", jobs=len(self._schedules))
        with self._app.app_context():
            runs, lost = jobs.interrupt_runs(), tasks.interrupt_lost(now())
        if runs or lost:
            log.warning("work was interrupted", runs=runs, tasks=lost)
        workers = Workers(self._app, self._worker_count)
        background = BackgroundScheduler(timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None})
        for schedule in self._schedules:
            background.add_job(self.tick, schedule.trigger(), args=(schedule,), id=schedule.job.key)
        self._resting = threading.Event()
        catching_up = threading.Thread(target=self._catch_up, name="catching up", daemon=True)
        self.leads.set()
        workers.start()
        try:
            catching_up.start()
            background.start()
            while not stopping.wait(STAND_BY_SECONDS) and self._lock.is_held():
                continue
        finally:
            self.leads.clear()
            self._resting.set()
            end = time.monotonic() + GOODBYE_SECONDS
            if background.running:
                background.shutdown(wait=False)
            are_gone = workers.stop(end)
            self.has_left_work = not self._wait_for_work(end) or not are_gone
            if self.has_left_work:
                log.warning("work is left undone")
        log.info("scheduler rests", stopped=stopping.is_set())

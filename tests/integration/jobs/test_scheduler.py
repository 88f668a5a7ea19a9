from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from insureflow.domain.errors import InvalidValue
from insureflow.domain.tasks import TaskState
from insureflow.jobs.leader import AdvisoryLock, FileLock, leader_lock
from insureflow.jobs.scheduler import SCHEDULES, Daily, EveryMinutes, Hourly, Schedule, Scheduler, run_period
from insureflow.services import jobs, tasks
from insureflow.services.clock import now


def wait_until(true: Callable[[], bool], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


def test_the_lock_fits_the_database(app: Flask) -> None:
    kind = FileLock if app.extensions["insureflow"].uses_sqlite else AdvisoryLock
    assert isinstance(leader_lock(app.extensions["insureflow"]), kind)


def test_one_leads_and_the_next_takes_over(app: Flask) -> None:
    first, second = leader_lock(app.extensions["insureflow"]), leader_lock(app.extensions["insureflow"])
    assert not first.is_held()
    assert first.acquire()
    assert first.acquire()
    assert first.is_held()
    assert not second.acquire()
    assert not second.is_held()
    first.release()
    assert not first.is_held()
    assert second.acquire()
    second.release()


def test_a_server_out_of_reach_gives_no_lead(tmp_path: Path) -> None:
    lock = AdvisoryLock(f"postgresql://nobody@/none?host={tmp_path}")
    assert not lock.acquire()
    assert not lock.is_held()


def test_a_leader_that_is_killed_leaves_the_lead_at_once(app: Flask) -> None:
    settings = app.extensions["insureflow"]
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom insureflow.jobs.leader import AdvisoryLock, FileLock\n"
        "kind, where = sys.argv[1:]\nlock = FileLock(Path(where)) if kind == 'file' else AdvisoryLock(where)\n"
        "print(lock.acquire(), flush=True)\ntime.sleep(60)\n"
    )
    path = settings.sqlite_path
    arguments = ["file", f"{path}.scheduler.lock"] if path else ["server", settings.database_url.replace("+psycopg", "", 1)]
    with subprocess.Popen([sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, text=True) as leader:
        assert leader.stdout is not None
        assert leader.stdout.readline() == "True\n"
        lock = leader_lock(settings)
        assert not lock.acquire()
        leader.send_signal(signal.SIGKILL)
        leader.wait()
        wait_until(lock.acquire, 5)
        lock.release()


def test_a_lost_connection_is_a_lost_lead(app: Flask) -> None:
    settings = app.extensions["insureflow"]
    if settings.uses_sqlite:
        lock: FileLock | AdvisoryLock = FileLock(settings.instance_path / "own.lock")
        assert lock.acquire()
        assert lock.is_held()
    else:
        import psycopg

        url = settings.database_url.replace("+psycopg", "", 1)
        lock = AdvisoryLock(url)
        assert lock.acquire()
        with psycopg.connect(url, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'insureflow scheduler'")
        assert not lock.is_held()
        assert lock.acquire()
    lock.release()
    assert not lock.is_held()


def test_a_period_is_worked_once(session: Session) -> None:
    worked: list[int] = []
    schedule = Schedule("count", Daily(hour=3), lambda: worked.append(1) or {"things": 7})
    assert run_period(schedule, "2026-11-22")
    assert not run_period(schedule, "2026-11-22")
    assert run_period(schedule, "2026-11-23")
    assert len(worked) == 2
    newest = jobs.list_runs()[0]
    assert (newest.job, newest.period, newest.status, newest.counts) == ("count", "2026-11-23", "done", {"things": 7})


def test_a_period_is_worked_once_by_many_at_the_same_time(app: Flask) -> None:
    worked: list[str] = []
    gate = threading.Barrier(4)
    schedule = Schedule("race", Daily(hour=3), lambda: worked.append("x") or {})

    def race() -> None:
        with app.app_context():
            gate.wait()
            for day in range(10, 20):
                run_period(schedule, f"2026-11-{day}")

    threads = [threading.Thread(target=race) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(worked) == 10


def test_a_failure_is_noted_and_the_period_is_over(session: Session) -> None:
    def fail() -> dict[str, int]:
        raise ValueError("no rates for today")

    schedule = Schedule("fails", Daily(hour=3), fail)
    assert not run_period(schedule, "2026-11-22")
    (run,) = jobs.list_runs()
    assert (run.status, run.error) == ("failed", "ValueError: no rates for today")
    assert run.finished_at is not None
    assert not run_period(schedule, "2026-11-22")


def test_an_interrupted_period_is_taken_up_again(session: Session) -> None:
    first = jobs.begin_run("slow", "2026-11-22")
    assert first is not None
    assert jobs.begin_run("slow", "2026-11-22") is None
    assert jobs.interrupt_runs() == 1
    assert jobs.begin_run("slow", "2026-11-22") == first


@pytest.mark.parametrize(
    ("due", "at", "period"),
    [
        (Daily(hour=2, minute=10), "2026-11-22T02:10", "2026-11-22"),
        (Daily(hour=2, minute=10), "2026-11-22T02:09", "2026-11-21"),
        (Daily(hour=2, minute=10), "2026-01-01T00:00", "2025-12-31"),
        (Hourly(minute=15), "2026-11-22T05:15", "2026-11-22T05:15Z"),
        (Hourly(minute=15), "2026-11-22T00:14", "2026-11-21T23:15Z"),
        (EveryMinutes(1), "2026-11-22T00:14:59", "2026-11-22T00:14Z"),
        (EveryMinutes(15), "2026-11-22T00:14:59", "2026-11-22T00:00Z"),
        (EveryMinutes(15), "2026-11-22T23:45:00", "2026-11-22T23:45Z"),
    ],
)
def test_the_period_is_the_latest_one_due(due: Daily | Hourly | EveryMinutes, at: str, period: str) -> None:
    assert due.period(datetime.fromisoformat(at).replace(tzinfo=UTC)) == period


def test_an_interval_must_fit_the_hour() -> None:
    for minutes in (0, 7, 61):
        with pytest.raises(ValueError):
            EveryMinutes(minutes)


def test_an_organisation_may_want_a_job_less_often_or_not_at_all(organisation: Any, session: Session) -> None:
    quarter, later = datetime(2026, 11, 22, 10, 15, 20, tzinfo=UTC), datetime(2026, 11, 22, 10, 16, tzinfo=UTC)

    def is_served(at: datetime) -> bool:
        return [each.organisation_id for each in jobs.served_by("limits.inbox", at, 1)] == [organisation.id]

    assert is_served(quarter)
    assert is_served(later)
    jobs.set_schedule(organisation.actor(), organisation.id, "limits.inbox", is_enabled=True, every_minutes=15)
    assert is_served(quarter)
    assert not is_served(later)
    jobs.set_schedule(organisation.actor(), organisation.id, "limits.inbox", is_enabled=False, every_minutes=None)
    assert not is_served(quarter)
    assert jobs.settings_of(organisation.id)["limits.inbox"].is_enabled is False
    with pytest.raises(InvalidValue):
        jobs.set_schedule(organisation.actor(), organisation.id, "limits.inbox", is_enabled=True, every_minutes=0)


def test_old_runs_are_forgotten(session: Session) -> None:
    run = jobs.begin_run("count", "2026-11-22")
    assert run is not None
    jobs.finish_run(run, {})
    assert jobs.trim_runs(datetime(2020, 1, 1, tzinfo=UTC)) == 0
    assert jobs.trim_runs(datetime(2100, 1, 1, tzinfo=UTC)) == 1


def test_of_two_schedulers_one_works_and_the_other_takes_over(app: Flask) -> None:
    worked: list[str] = []
    settings = app.extensions["insureflow"]
    schedules = (Schedule("shared", Daily(hour=0), lambda: worked.append("x") or {}),)
    first, second = Scheduler(app, settings, schedules), Scheduler(app, settings, schedules)
    stop_first, stop_second = threading.Event(), threading.Event()
    one = threading.Thread(target=first.run, args=(stop_first,))
    two = threading.Thread(target=second.run, args=(stop_second,))
    try:
        one.start()
        wait_until(first.leads.is_set)
        wait_until(lambda: worked == ["x"])
        two.start()
        time.sleep(0.2)
        assert not second.leads.is_set()
        stop_first.set()
        one.join()
        wait_until(second.leads.is_set)
    finally:
        stop_first.set()
        stop_second.set()
        one.join()
        two.join()
    assert worked == ["x"]


def test_the_leader_takes_work_from_the_queue_and_marks_what_was_lost(
    app: Flask, organisation: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = threading.Event()

    def count(organisation_id: int, _actor: object, parameters: Mapping[str, Any], watch: tasks.Watch) -> Mapping[str, Any]:
        watch.tell("counting", 3, 3)
        done.set()
        return {"organisation": organisation_id, "counted": parameters["things"]}

    monkeypatch.setitem(tasks._WORK, "count_things", count)
    with app.app_context():
        lost = tasks.enqueue(organisation.actor(), organisation.id, "count_things", {"things": 1})
        assert tasks._claim(organisation.id, now()) is not None
        waiting = tasks.enqueue(organisation.actor(), organisation.id, "count_things", {"things": 3})
    stop = threading.Event()
    thread = threading.Thread(target=Scheduler(app, app.extensions["insureflow"], ()).run, args=(stop,))
    thread.start()
    try:
        assert done.wait(10)

        def is_done() -> bool:
            with app.app_context():
                return tasks.get_task(organisation.id, waiting).state is TaskState.DONE

        wait_until(is_done)
    finally:
        stop.set()
        thread.join()
    with app.app_context():
        assert tasks.get_task(organisation.id, lost).state is TaskState.INTERRUPTED
        assert tasks.get_task(organisation.id, waiting).result == {"organisation": organisation.id, "counted": 3}


def test_every_schedule_of_the_product_runs_on_an_empty_database(session: Session) -> None:
    assert len({schedule.key for schedule in SCHEDULES}) == len(SCHEDULES)
    for schedule in SCHEDULES:
        assert run_period(schedule, "2026-11-22"), jobs.list_runs()[0].error

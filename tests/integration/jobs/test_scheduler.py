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
import time_machine
from flask import Flask
from sqlalchemy.orm import Session

from insureflow.domain.errors import Refusal
from insureflow.domain.schedules import JOBS, Daily, EveryMinutes, Job, RunState, Wish
from insureflow.domain.tasks import TaskState
from insureflow.jobs.leader import AdvisoryLock, FileLock, leader_lock
from insureflow.jobs.scheduler import SCHEDULES, WORK, WORK_FOR_ALL, Schedule, Scheduler, run_due
from insureflow.queries import schedules as queries
from insureflow.services import jobs, tasks
from insureflow.services.clock import now
from insureflow.services.scoping import within


def wait_until(true: Callable[[], bool], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


def last_status(app: Flask) -> str:
    """How the newest run stands, read afresh: within one unit of work SQLite goes on showing what it showed first."""
    with app.app_context():
        return jobs.list_runs()[0].status


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


def for_all(key: str, work: Callable[[], Any]) -> Schedule:
    return Schedule(Job(key, Daily(3), for_all=True), for_all=work)


def test_a_period_is_worked_once(session: Session) -> None:
    worked: list[int] = []
    schedule = for_all("count", lambda: worked.append(1) or {"things": 7})
    with time_machine.travel("2026-11-22 04:00Z", tick=False):
        assert run_due(schedule) == 1
        assert run_due(schedule) == 0
    with time_machine.travel("2026-11-23 04:00Z", tick=False):
        assert run_due(schedule) == 1
    assert len(worked) == 2
    newest = jobs.list_runs()[0]
    assert (newest.job, newest.period, newest.status, newest.counts) == ("count", "2026-11-23", "done", {"things": 7})


def test_a_period_is_worked_once_by_many_at_the_same_time(app: Flask, organisation: Any) -> None:
    """For the whole installation, and for an organisation: two schedulers on one database run each job once."""
    worked: list[str] = []
    gate = threading.Barrier(4)
    shared = for_all("race", lambda: worked.append("all") or {})
    own = Schedule(Job("own race", EveryMinutes(1440)), for_each=lambda served: worked.append(served.slug) or {})

    def race() -> None:
        with app.app_context():
            gate.wait()
            for _ in range(5):
                run_due(shared)
                run_due(own)

    threads = [threading.Thread(target=race) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(worked) == sorted(["all", organisation.slug])


def test_a_failure_is_noted_and_the_period_is_over(session: Session) -> None:
    def fail() -> dict[str, int]:
        raise ValueError("no rates for today")

    schedule = for_all("fails", fail)
    assert run_due(schedule) == 0
    (run,) = jobs.list_runs()
    assert (run.status, run.error) == ("failed", "ValueError: no rates for today")
    assert run.finished_at is not None
    assert run_due(schedule) == 0


def test_a_run_that_was_asked_to_stop_is_taken_up_again(organisation: Any, session: Session) -> None:
    asked: list[bool] = []
    schedule = Schedule(Job("slow", EveryMinutes(1440)), for_each=lambda _served: asked.append(True) or {"parts": 1})
    assert run_due(schedule, lambda: bool(asked)) == 0
    (run,) = jobs.list_runs()
    assert (run.status, run.counts) == ("interrupted", {"parts": 1})
    assert run_due(schedule) == 1
    session.expire_all()
    (run,) = jobs.list_runs()
    assert run.status == "done"


def test_an_interrupted_period_is_taken_up_again(session: Session) -> None:
    first = jobs.begin_run("slow", "2026-11-22")
    assert first is not None
    assert jobs.begin_run("slow", "2026-11-22") is None
    assert jobs.interrupt_runs() == 1
    assert jobs.begin_run("slow", "2026-11-22") == first


def test_an_organisation_has_a_job_at_other_times_or_not_at_all(organisation: Any, session: Session) -> None:
    inbox, verify = (next(job for job in JOBS if job.key == key) for key in ("limits.inbox", "journal.verify"))

    def periods(job: Job, hour: int, minute: int) -> list[str]:
        return [each.period.partition("/")[2] for each in jobs.served_by(job, datetime(2026, 11, 22, hour, minute, 20, tzinfo=UTC))]

    def wish(job: Job, **wanted: Any) -> None:
        jobs.set_schedule(organisation.actor(), organisation.id, job.key, Wish(**wanted))

    assert periods(inbox, 10, 16) == ["2026-11-22T10:16Z"]
    wish(inbox, minutes=15)
    assert periods(inbox, 10, 16) == ["2026-11-22T10:15Z"]
    wish(inbox, is_enabled=False)
    assert periods(inbox, 10, 16) == []
    assert periods(verify, 2, 30) == ["2026-11-22"]
    wish(verify, minutes=23 * 60)
    assert periods(verify, 2, 30) == ["2026-11-21"]
    with within(organisation.id):
        stands = {each.job.key: each for each in queries.list_jobs(datetime(2026, 11, 22, 2, 30, tzinfo=UTC), "Europe/Stockholm")}
    assert stands["limits.inbox"].next_at is None
    assert stands["journal.verify"].next_at == datetime(2026, 11, 22, 22, 0, tzinfo=UTC)
    assert (stands["limits.sync"].is_adjusted, stands["limits.sync"].next_at) == (False, datetime(2026, 11, 22, 2, 35, tzinfo=UTC))
    assert "runs.trim" not in stands
    for job, wanted, code in (
        (inbox, {"minutes": 0}, "interval_out_of_bounds"),
        (inbox, {"minutes": 241}, "interval_out_of_bounds"),
        (verify, {"minutes": 1440}, "time_of_day_wrong"),
        (verify, {"is_enabled": False}, "job_always_on"),
    ):
        with pytest.raises(Refusal, match=code):
            wish(job, **wanted)
    with pytest.raises(Refusal, match="job_unknown"):
        jobs.set_schedule(organisation.actor(), organisation.id, "runs.trim", Wish())
    before = len(jobs.list_runs())
    wish(inbox)
    assert periods(inbox, 10, 16) == ["2026-11-22T10:16Z"]
    assert len(jobs.list_runs()) == before


def test_old_runs_are_forgotten(session: Session) -> None:
    run = jobs.begin_run("count", "2026-11-22")
    assert run is not None
    jobs.finish_run(run, {})
    assert jobs.trim_runs("count", datetime(2020, 1, 1, tzinfo=UTC)) == 0
    assert jobs.trim_runs("other", datetime(2100, 1, 1, tzinfo=UTC)) == 0
    assert jobs.trim_runs("count", datetime(2100, 1, 1, tzinfo=UTC)) == 1


def test_of_two_schedulers_one_works_and_the_other_takes_over(app: Flask) -> None:
    worked: list[str] = []
    settings = app.extensions["insureflow"]
    schedules = (for_all("shared", lambda: worked.append("x") or {}),)
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


def test_every_job_of_the_product_is_declared_and_runs_for_an_organisation_that_is_new(organisation: Any, session: Session) -> None:
    assert len({job.key for job in JOBS}) == len(JOBS) == len(SCHEDULES)
    assert set(WORK) == {job.key for job in JOBS if not job.for_all}
    assert set(WORK_FOR_ALL) == {job.key for job in JOBS if job.for_all}
    for schedule in SCHEDULES:
        assert run_due(schedule) == 1, jobs.list_runs()[0].error
        assert run_due(schedule) == 0
    with within(organisation.id):
        stands = queries.list_jobs(now(), "UTC")
        assert {each.last_state for each in stands} == {RunState.DONE}
        assert all(each.last_milliseconds is not None for each in stands)


def test_a_scheduler_leaves_work_that_does_not_end(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits two seconds at most, and says that something was left."""
    monkeypatch.setattr("insureflow.jobs.scheduler.GOODBYE_SECONDS", 0.2)
    begun, end = threading.Event(), threading.Event()

    def stubborn() -> dict[str, int]:
        begun.set()
        end.wait(20)
        return {}

    scheduler = Scheduler(app, app.extensions["insureflow"], (for_all("stubborn", stubborn),))
    stop = threading.Event()
    thread = threading.Thread(target=scheduler.run, args=(stop,))
    thread.start()
    assert begun.wait(10)
    stop.set()
    thread.join(5)
    assert not thread.is_alive()
    assert scheduler.has_left_work
    end.set()
    wait_until(lambda: last_status(app) == "interrupted")

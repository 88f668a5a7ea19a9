from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from support.connections import FIRST_COMPANY, TESTER, Insured, insure, seed, use_sandbox
from support.sandbox import RunningSandbox, running_sandbox

from insureflow.domain.schedules import RunState, Wish
from insureflow.jobs import limits, queue
from insureflow.jobs.scheduler import SCHEDULES, run_due
from insureflow.models.connections import InsurerConnection, InsurerExchange
from insureflow.models.work_items import WorkItem
from insureflow.queries import schedules as queries
from insureflow.services import connections, jobs
from insureflow.services.clock import now
from insureflow.services.jobs import Served
from insureflow.services.scoping import within
from insureflow.services.transaction import transaction

A, B = (str(FIRST_COMPANY + number) for number in range(2))


@pytest.fixture
def sandbox(app: Flask, tmp_path: Any) -> Iterator[RunningSandbox]:
    with running_sandbox(tmp_path / "sandbox.db") as running:
        use_sandbox(app, running)
        yield running


def served(insured: Insured, slug: str = "acme") -> Served:
    return Served(insured.organisation_id, slug, now().date(), f"{insured.organisation_id}/now")


def test_the_jobs_keep_every_organisation_true_and_one_failure_keeps_nobody_from_it(
    session: Session, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed(sandbox, "atradius", [{"company_id": A, "amount": 50_000}])
    first, second = insure(session, slug="acme"), insure(session, slug="bolt")
    schedules = {schedule.job.key: schedule for schedule in SCHEDULES}
    with time_machine.travel(now() + timedelta(minutes=5)):
        assert run_due(schedules["limits.sync"]) == 2
        assert run_due(schedules["limits.sync"]) == 0, "the period is over"
    counts = [run.counts for run in jobs.list_runs()]
    assert [(each["connections"], each["failures"], each["recorded"], each["pages"]) for each in counts] == [(1, 0, 1, 2)] * 2
    assert limits.sync(served(first)) == {}, "nothing is due"
    assert first.limits() == second.limits() == {A: 50_000}
    assert limits.send_requests(served(first)) == {}
    assert limits.inbox(served(first)) == {}
    assert limits.reconcile(served(first)) == {"compared": 1, "differences": 0, "missing": 0}

    def fail(organisation_id: int, connection_id: int, *_rest: object) -> dict[str, int]:
        if organisation_id == first.organisation_id:
            raise ValueError("broken")
        return {"compared": connection_id}

    with monkeypatch.context() as broken:
        broken.setattr(limits, "PIECES", {**limits.PIECES, "limits.reconcile": fail})
        assert run_due(schedules["limits.reconcile"]) == 1
    with within(first.organisation_id):
        bad = queries.find_job("limits.reconcile", now(), "UTC")
    with within(second.organisation_id):
        good = queries.find_job("limits.reconcile", now(), "UTC")
    assert bad is not None
    assert good is not None
    assert (bad.last_state, bad.last_error) == (RunState.FAILED, f"PiecesFailed: {first.connection_id}")
    assert (good.last_state, good.last_counts) == (RunState.DONE, {"compared": second.connection_id})
    with transaction(first.organisation_id):
        session.scalars(select(InsurerConnection)).one().last_good_sync_at = now() - timedelta(days=3)
    jobs.set_schedule(TESTER, first.organisation_id, "limits.sync", Wish(is_enabled=False))
    assert limits.watch(served(first)) == {"stale": 1}, "also where nothing is synchronised by itself"
    connections.note_stale(first.organisation_id, now())
    with transaction(first.organisation_id):
        assert session.scalars(select(WorkItem.kind)).all() == ["connection_stale"]
        kept = len(session.scalars(select(InsurerExchange.id)).all())
    assert kept > 2
    assert connections.trim(first.organisation_id, kept=2) == kept - 2
    assert limits.trim(served(first)) == {"exchanges": 0}
    with time_machine.travel(now() + timedelta(days=3)):
        assert limits.trim_runs() == {"runs": 2}, "runs by the minute go first"


def test_workers_of_a_queue_do_the_same_pieces_once(app: Flask, session: Session, sandbox: RunningSandbox, invoke: Any) -> None:
    settings = dataclasses.replace(app.config["INSUREFLOW"], queue="procrastinate")
    if settings.uses_sqlite:
        with pytest.raises(queue.QueueMissing):
            queue.prepare(app)
        assert "has no queue" in invoke("worker").output
        return
    seed(sandbox, "atradius", [{"company_id": A, "amount": 50_000}])
    insured = insure(session)
    app.config["INSUREFLOW"] = settings
    try:
        assert queue.prepare(app)
        assert not queue.prepare(app), "the tables are there"
        assert limits.sync(served(insured)) == {"handed_over": 1}
        assert limits.sync(served(insured)) == {"handed_over": 0}, "the same piece waits already"
        assert queue.waiting(app) == 1
        assert insured.limits() == {}
        with ThreadPoolExecutor(1) as thread:  # the browser of other tests keeps an event loop in this one
            done = thread.submit(invoke, "worker", "--until-empty").result()
        assert done.exit_code == 0, done.output
        assert insured.limits() == {A: 50_000}
        assert queue.waiting(app) == 0
        assert limits.sync(served(insured)) == {}
    finally:
        queue.close(app)
        _drop_queue(session)


def _drop_queue(session: Session) -> None:
    """The tables of the queue belong to no migration: the next test finds the database as it was."""
    from sqlalchemy import text

    session.rollback()
    connection = session.connection()
    for kind, name in connection.execute(
        text("SELECT 'TABLE', tablename FROM pg_tables WHERE schemaname = 'public' AND tablename LIKE 'procrastinate%'")
    ).all():
        connection.execute(text(f'DROP {kind} IF EXISTS "{name}" CASCADE'))
    for name, arguments in connection.execute(
        text("SELECT proname, pg_get_function_identity_arguments(oid) FROM pg_proc WHERE proname LIKE 'procrastinate%'")
    ).all():
        connection.execute(text(f'DROP FUNCTION IF EXISTS "{name}"({arguments}) CASCADE'))
    for (name,) in connection.execute(
        text("SELECT typname FROM pg_type WHERE typname LIKE 'procrastinate%' AND typtype IN ('e', 'c')")
    ).all():
        connection.execute(text(f'DROP TYPE IF EXISTS "{name}" CASCADE'))
    session.commit()

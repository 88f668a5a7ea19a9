"""``insureflow scheduler`` and ``connections sync`` asked to end in the middle of a synchronisation: at once, in order, nothing lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from support.connections import FIRST_COMPANY, Insured, insure, seed, use_sandbox
from support.sandbox import RunningSandbox, running_sandbox
from support.tree import ROOT

from insureflow.domain.connections import SyncState
from insureflow.models.connections import InsurerConnection, SyncRun
from insureflow.services import jobs, sync
from insureflow.services.transaction import transaction

LIMITS = 6000
#: Two seconds as promised, and what a very busy machine needs to look at a signal and to end a process.
PATIENCE = 8.0


@pytest.fixture
def sandbox(app: Flask, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    with running_sandbox(tmp_path_factory.mktemp("sandbox") / "sandbox.db") as running:
        use_sandbox(app, running)
        yield running


@contextmanager
def command(app: Flask, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    settings = app.config["INSUREFLOW"]
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith("INSUREFLOW_")},
        "INSUREFLOW_ENVIRONMENT": "testing",
        "INSUREFLOW_INSTANCE": str(settings.instance_path),
        "INSUREFLOW_DATABASE_URL": settings.database_url,
        "INSUREFLOW_SANDBOX_PORT": str(settings.sandbox_port),
        "INSUREFLOW_ENCRYPTION_KEYS": ",".join(settings.encryption_keys),
        "INSUREFLOW_SCHEDULER_ENABLED": "yes",
    }
    program = [sys.executable, "-c", "from insureflow.app import main; main()", *arguments]
    with subprocess.Popen(program, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_until(process: subprocess.Popen[str], true: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not true():
        assert process.poll() is None, process.stdout.read() if process.stdout else ""
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


def end_in_time(process: subprocess.Popen[str], how: signal.Signals) -> str:
    begun = time.monotonic()
    process.send_signal(how)
    said, _ = process.communicate(timeout=30)
    assert time.monotonic() - begun < PATIENCE, said
    return said


def last_run(session: Session, insured: Insured) -> SyncRun:
    with transaction(insured.organisation_id):
        session.expire_all()
        return session.scalars(select(SyncRun).order_by(SyncRun.id.desc()).limit(1)).one()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_synchronisation_ends_after_the_part_in_hand_and_goes_on_there(app: Flask, session: Session, sandbox: RunningSandbox) -> None:
    covers = [{"company_id": str(FIRST_COMPANY + number), "amount": 10_000 + number} for number in range(LIMITS)]
    seed(sandbox, "atradius", covers, date.today() - timedelta(days=30))
    insured = insure(session, buyers=LIMITS)
    session.close()
    with command(app, "scheduler") as process:
        wait_until(process, lambda: 0 < insured.count() < LIMITS - 2000)
        said = end_in_time(process, signal.SIGTERM)
        assert process.returncode == 0, said
    reached = insured.count()
    assert 0 < reached < LIMITS
    assert reached % 1000 == 0, "the part in hand was finished"
    run = last_run(session, insured)
    assert (run.state, run.counts["recorded"]) == (SyncState.INTERRUPTED, reached)
    with transaction(insured.organisation_id):
        row = session.scalars(select(InsurerConnection)).one()
        assert row.sync_cursor is not None
    assert any((each.job, each.status) == ("limits.sync", "interrupted") for each in jobs.list_runs())

    sandbox.control("faults", {"slow": {"seconds": 20}})
    with command(app, "connections", "sync", "-o", "acme", "-p", "P-1") as process:
        wait_until(process, lambda: last_run(session, insured).id != run.id)
        said = end_in_time(process, signal.SIGINT)
        assert process.returncode == 130, said
    sandbox.control("faults", {}, method="DELETE")

    with command(app, "scheduler") as process:
        wait_until(process, lambda: last_run(session, insured).state is SyncState.DONE)
        end_in_time(process, signal.SIGINT)
        assert process.returncode == 0
    assert last_run(session, insured).counts["recorded"] == LIMITS - reached
    result = sync.synchronise(insured.organisation_id, insured.connection_id, date.today(), whole=True)
    assert (result.state, result.counts["recorded"], len(insured.limits())) == (SyncState.DONE, 0, LIMITS)

"""A scheduler that is killed again and again while it synchronises, with an insurer that fails as it likes: nothing lost, nothing twice."""

from __future__ import annotations

import itertools
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import waitress
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from support.connections import FIRST_COMPANY, Insured, insure, seed, use_sandbox
from support.sandbox import RunningSandbox

from insureflow.domain.connections import SyncState
from insureflow.domain.schedules import RunState
from insureflow.models.connections import InsurerCoverVersion
from insureflow.models.jobs import JobRun
from insureflow.models.scope import within
from insureflow.models.work_items import WorkItem
from insureflow.sandbox.application import create_sandbox
from insureflow.services import journal, sync
from insureflow.services.clock import now

LIMITS = 5000
#: So often the scheduler is killed on a database.
KILLS = int(os.environ.get("INSUREFLOW_TEST_KILLS", "50"))
#: And on the second database, where nobody has all day: CI does it all, as does whoever asks for a number.
IN_FULL = "INSUREFLOW_TEST_KILLS" in os.environ or os.environ.get("CI", "").casefold() in {"1", "true", "yes"}
SHORT_LIFE_SECONDS = 0.8
LONGEST_LIFE_SECONDS = 30.0

# A process that has everything loaded and makes one scheduler after the other; each works the synchronisation as a job of its own.
NURSERY = """
import os, sys, threading
from datetime import date
import config
from insureflow.app import create_app
from insureflow.domain.schedules import Job
from insureflow.jobs import limits
from insureflow.jobs.scheduler import Schedule, Scheduler

class Always:
    def period(self, at):
        return at.strftime("%m-%dT%H:%M:%S.%f")

url, instance, port, organisation, connection, on = sys.argv[1:]
settings = config.load({"INSUREFLOW_ENVIRONMENT": "testing", "INSUREFLOW_INSTANCE": instance, "INSUREFLOW_DATABASE_URL": url,
    "INSUREFLOW_SANDBOX_PORT": port, "INSUREFLOW_ENCRYPTION_KEYS": os.environ["ENDURANCE_KEY"], "INSUREFLOW_LOG_LEVEL": "ERROR"})
app = create_app(settings)
first = threading.Lock()
def work(served):
    if first.acquire(blocking=False):  # a long life looks again every minute
        os.write(told, b"begun\\n")
    return limits.sync_piece(int(organisation), int(connection), date.fromisoformat(on), served.wants_to_stop)
schedules = (Schedule(Job("endurance", Always()), for_each=work),)
print("ready", flush=True)
for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        told = os.dup(1)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        Scheduler(app, settings, schedules).run(threading.Event())
        os._exit(0)
    print(pid, flush=True)
    os.waitpid(pid, 0)
    print("gone", flush=True)
"""


class Insurer:
    """The sandbox on one port, which can be stopped and started again with what it knew."""

    def __init__(self, path: Path) -> None:
        self.sandbox = create_sandbox(path, lambda: datetime.now(UTC))
        self.port = 0
        self._server: waitress.server.BaseWSGIServer | None = None
        self.start()

    def start(self) -> None:
        self._server = waitress.create_server(self.sandbox.app, host="127.0.0.1", port=self.port, threads=4, ident=None)
        self.port = int(self._server.effective_port)
        self._thread = threading.Thread(target=self._server.run, name="sandbox", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        assert self._server is not None
        self._server.task_dispatcher.shutdown(timeout=2)
        for each in list(self._server._map.values()):  # the calls of those that were killed, too
            each.close()
        self._thread.join(5)

    @property
    def running(self) -> RunningSandbox:
        return RunningSandbox(self.sandbox, self.port)

    def picture(self) -> dict[str, int]:
        """What every company has in force, in major units; 0 where a limit has ended."""
        found: dict[str, int] = {}
        for cover in self.sandbox.state.covers("atradius"):
            found[cover.company_id] = (cover.decided or 0) // 100 if cover.stage == "in_force" else 0
        return found


@contextmanager
def nursery(app: Flask, insured: Insured, port: int) -> Iterator[subprocess.Popen[str]]:
    settings = app.config["INSUREFLOW"]
    arguments = [settings.database_url, str(settings.instance_path), str(port), str(insured.organisation_id), str(insured.connection_id)]
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith("INSUREFLOW_")},
        "ENDURANCE_KEY": ",".join(settings.encryption_keys),
    }
    with subprocess.Popen(
        [sys.executable, "-c", NURSERY, *arguments, now().date().isoformat()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environ,
        cwd=Path(__file__).resolve().parents[2],
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        assert process.stdin is not None
        process.stdin.close()
        process.wait(20)


def live_and_die(process: subprocess.Popen[str], seconds: float, has_moved: Callable[[], bool] = lambda: False) -> None:
    """One scheduler, killed a while after its synchronisation has begun, or as soon as something has moved."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("go\n")
    process.stdin.flush()
    pid = int(process.stdout.readline())
    assert process.stdout.readline() == "begun\n"
    end = time.monotonic() + seconds
    while time.monotonic() < end and not has_moved():
        time.sleep(min(0.03, max(0.0, end - time.monotonic())))
    os.kill(pid, signal.SIGKILL)
    assert process.stdout.readline() == "gone\n"


def trouble(insurer: Insurer, chance: random.Random) -> None:
    """Something happens at the insurer."""
    control = insurer.running.control
    control("faults", {}, method="DELETE")
    for _ in range(chance.randrange(1, 12)):
        company = str(FIRST_COMPANY + chance.randrange(LIMITS))
        if chance.random() < 0.8:
            control("cut", {"insurer": "atradius", "company_id": company, "percent": chance.randrange(40, 95)})
        else:
            control("withdraw", {"insurer": "atradius", "company_id": company})
    fault = chance.choice([None, None, None, "broken_json", "half_page", "error_500", "expired_token"])
    if fault is not None:
        control("faults", {fault: {"times": 1}})


@pytest.fixture
def insurer(tmp_path: Path) -> Iterator[Insurer]:
    made = Insurer(tmp_path / "sandbox.db")
    yield made
    made.stop()


def test_killed_at_random_points_it_ends_with_exactly_the_insurers_picture(app: Flask, session: Session, insurer: Insurer) -> None:
    chance = random.Random(20261122)
    last_month = date.today() - timedelta(days=30)
    use_sandbox(app, insurer.running)
    seed(
        insurer.running,
        "atradius",
        [{"company_id": str(FIRST_COMPANY + number), "amount": 1000 * chance.randrange(10, 500)} for number in range(LIMITS)],
        last_month,
    )
    insured = insure(session, buyers=LIMITS)
    session.close()
    kills = KILLS if IN_FULL or app.config["INSUREFLOW"].uses_sqlite else KILLS // 2
    partly, reached = 0, 0
    with nursery(app, insured, insurer.port) as process:
        for number in range(kills):
            if number == kills // 2:
                insurer.stop()
            if reached < LIMITS and number % 2:  # in the middle of the first synchronisation, however slow the machine is
                live_and_die(process, LONGEST_LIFE_SECONDS, lambda: insured.count() > reached)  # noqa: B023 (it is called at once)
            else:
                live_and_die(process, chance.uniform(0.0, SHORT_LIFE_SECONDS))
            if number == kills // 2:
                insurer.start()
            reached = insured.count()
            partly += 0 < reached < LIMITS
            if number % 3 == 2 and reached:
                trouble(insurer, chance)
    insurer.running.control("faults", {}, method="DELETE")
    assert partly, "no kill struck in the middle of the first synchronisation"
    for _ in range(2):  # the first may only finish what the last scheduler began
        result = sync.synchronise(insured.organisation_id, insured.connection_id, now().date(), whole=True)
        assert result.state is SyncState.DONE, result.error
    assert result.counts["recorded"] == 0
    picture = insurer.picture()
    assert {**dict.fromkeys(picture, 0), **insured.limits()} == picture  # a limit that ended before we heard of it is none
    decisions = insured.decisions()
    references = [row.insurer_reference for row in decisions]
    assert len(set(references)) == len(references)
    by_buyer = defaultdict(list)
    for row in decisions:
        by_buyer[row.buyer_id].append((row.status, row.decided_minor, row.effective_on))
    twice = {buyer: said for buyer, said in by_buyer.items() if any(one[1:] == two[1:] for one, two in itertools.pairwise(said))}
    assert twice == {}
    with within(insured.organisation_id):
        assert session.scalar(select(func.count(InsurerCoverVersion.id))) == LIMITS
        cuts = session.scalars(select(WorkItem.cause).where(WorkItem.kind == "limit_cut")).all()
        assert len(cuts) == len(decisions) - len(by_buyer)
    assert journal.verify(insured.organisation_id).is_sound
    lives = session.scalars(select(JobRun.status).where(JobRun.job == "endurance")).all()
    assert len(lives) >= kills
    assert lives.count(RunState.INTERRUPTED.value) > kills // 4, "too few kills struck in the middle of a synchronisation"
    assert insured.differences() == {}

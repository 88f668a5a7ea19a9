"""Synchronising 100,000 limits with 2 % changed, against bare calls that fetch the same lists and throw them away.

The insurer runs in a process of its own. Prints times and what share of them the network took; it judges nothing, because a machine
that is busy with something else would decide.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import httpx2
from flask import Flask
from sqlalchemy.orm import Session
from support.connections import FIRST_COMPANY, insure, use_sandbox
from support.large_books import say
from support.sandbox import RunningSandbox

from insureflow.domain.connections import SyncState
from insureflow.sandbox.state import Cover, State, seed
from insureflow.services import connections, sync
from insureflow.services.clock import now

LIMITS = int(os.environ.get("INSUREFLOW_BENCH_LIMITS", "100000"))
CHANGED = LIMITS // 50
LAST_MONTH = date.today() - timedelta(days=30)


@contextmanager
def insurer(path: Path) -> Iterator[int]:
    """A sandbox in a process of its own; gives its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    environ = {name: value for name, value in os.environ.items() if not name.startswith("INSUREFLOW_")}
    environ["INSUREFLOW_INSTANCE"] = str(path.parent)
    command = [sys.executable, "-c", "from insureflow.app import main; main()", "sandbox", "--port", str(port), "--state", str(path)]
    with subprocess.Popen(command, env=environ, cwd=Path(__file__).resolve().parents[2], stdout=subprocess.DEVNULL) as process:
        end = time.monotonic() + 60
        while True:
            try:
                httpx2.get(f"http://127.0.0.1:{port}/healthz", timeout=2)
                break
            except httpx2.HTTPError:
                assert time.monotonic() < end, "the sandbox does not start"
                time.sleep(0.1)
        try:
            yield port
        finally:
            process.terminate()


def bare(found: connections.Reach) -> tuple[float, int]:
    """Seconds and bytes for fetching the lists with the HTTP client alone."""
    connection = found.connection
    keys = {"customerId": connection.policy_key["customer_id"], "policyId": connection.policy_key["policy_id"]}
    credentials = connection.credentials
    begun = time.perf_counter()
    size = 0
    with httpx2.Client(timeout=120) as client:
        given = client.post(
            connection.addresses["token"],
            auth=(credentials["client_id"], credentials["secret"]),
            headers={"Atradius-App-Key": credentials["app_key"], "Atradius-Correlation-Id": "bench"},
        ).json()["data"]
        headers = {
            "Authorization": f"Bearer {given['access_token']}",
            "Atradius-App-Key": credentials["app_key"],
            "Atradius-Correlation-Id": "bench",
        }
        for name in ("/applications", ""):
            reply = client.get(connection.addresses["covers"] + name, params=keys, headers=headers)
            assert reply.status_code == 200, reply.text[:200]
            size += len(reply.content)
    return time.perf_counter() - begun, size


def change(path: Path) -> None:
    """The insurer cuts one limit in fifty."""
    state = State(path, now)
    covers = []
    for index, cover in enumerate(state.covers("atradius")):
        if index % 50 == 0:
            cover.decided, cover.answer, cover.version = (cover.decided or 0) // 2, "reduced", cover.version + 1
            cover.decided_on = cover.effective_on = date.today().isoformat()
            covers.append(cover)
    state.save(*covers)
    state.close()


def test_synchronising_many_limits(app: Flask, session: Session, tmp_path: Path) -> None:
    path = tmp_path / "sandbox.db"
    day = LAST_MONTH.isoformat()
    seed(
        path,
        (
            Cover(
                "atradius", 0, "P-1", str(FIRST_COMPANY + number), "EUR", 5_000_000, day, decided=5_000_000, stage="in_force", answer="full",
                decided_on=day, effective_on=day,
            )
            for number in range(LIMITS)
        ),
        clock=now,
    )  # fmt: skip
    with insurer(path) as port:
        use_sandbox(app, RunningSandbox(None, port))  # type: ignore[arg-type]  # it runs elsewhere
        insured = insure(session, buyers=LIMITS, options={"read_seconds": "120", "reply_mebibytes": "1024", "deadline_seconds": "600"})
        kind = "SQLite" if app.config["INSUREFLOW"].uses_sqlite else "PostgreSQL"
        found = connections.reach(insured.organisation_id, insured.connection_id)
        seconds, size = bare(found)
        begun = time.perf_counter()
        count = sum(len(page.covers) for page in found.connector.list_covers(found.connection))
        reading = time.perf_counter() - begun
        assert count == LIMITS
        say(f"{kind}: {LIMITS:,} limits, {size / 1e6:.0f} MB; bare HTTP {seconds:.2f} s; read into values {reading:.2f} s")
        for name, expected in (("first", LIMITS), ("nothing new", 0), ("2 % changed", CHANGED)):
            if name == "2 % changed":
                change(path)
            begun_cpu = time.process_time()
            result = sync.synchronise(insured.organisation_id, insured.connection_id, now().date(), whole=True)
            cpu = time.process_time() - begun_cpu
            assert result.state is SyncState.DONE, result.error
            assert result.counts["recorded"] == expected
            total, network = result.milliseconds / 1000, result.network_milliseconds / 1000
            say(
                f"{kind}: {name}: {total:.2f} s, network {network:.2f} s = {100 * network / total:.0f} %, outside it {total - network:.2f} s; "
                f"{total / seconds:.1f} × bare HTTP; own work {cpu:.2f} s"
            )
        begun = time.perf_counter()
        counts = sync.reconcile(insured.organisation_id, insured.connection_id, now().date())
        say(f"{kind}: comparing {counts['compared']:,} limits {time.perf_counter() - begun:.2f} s")
        assert counts["differences"] == 0

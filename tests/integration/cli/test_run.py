"""``insureflow run`` as somebody meets it: a real process, its two children, and every way it can end."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ENTRY = "from insureflow.app import main; main()"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def processes() -> dict[int, tuple[str, int]]:
    """State and parent of every process of the machine."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it ended while we looked
            state, parent = path.read_text().rpartition(")")[2].split()[:2]
            found[int(path.parent.name)] = (state, int(parent))
    return found


class Product:
    """One running ``insureflow run`` with an instance folder of its own."""

    def __init__(self, folder: Path, *arguments: str, **environment: str) -> None:
        self.port = free_port()
        self.output = folder / f"output-{self.port}.txt"
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("INSUREFLOW_", "COV_"))}
        with self.output.open("w") as stream:
            self.process = subprocess.Popen(
                [sys.executable, "-c", ENTRY, "run", "--port", str(self.port), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                env={**inherited, "INSUREFLOW_INSTANCE": str(folder / "instance"), **environment},
            )

    def says(self) -> str:
        return self.output.read_text(encoding="utf-8")

    def wait_until_ready(self) -> None:
        self.wait_for(lambda: "InsureFlow is ready" in self.says())

    def wait_for(self, true: Callable[[], bool], seconds: float = 120) -> None:
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end, f"waited too long; it says:\n{self.says()}"
            assert self.process.poll() is None, f"it ended ({self.process.returncode}):\n{self.says()}"
            time.sleep(0.05)

    def children(self) -> list[int]:
        return [pid for pid, (_state, parent) in processes().items() if parent == self.process.pid]

    def healthy(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        connection.request("GET", "/healthz")
        status = connection.getresponse().status
        connection.close()
        return status == 200


@contextmanager
def product(folder: Path, *arguments: str, **environment: str) -> Iterator[Product]:
    running = Product(folder, *arguments, **environment)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.process.terminate()
        running.process.wait(60)


def gone(pids: list[int]) -> bool:
    living = {pid for pid, (state, _parent) in processes().items() if state != "Z"}
    return not living & set(pids)


def test_it_starts_from_nothing_answers_stops_cleanly_and_starts_again(tmp_path: Path) -> None:
    with product(tmp_path, "--no-demo") as running:
        running.wait_until_ready()
        assert "Preparing the database" in running.says()
        assert f"http://127.0.0.1:{running.port}/" in running.says()
        assert running.healthy()
        children = running.children()
        assert len(children) == 2
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(60) == 0
        assert gone(children)
        assert "InsureFlow has stopped." in running.says()
        assert "Traceback" not in running.says()
    with product(tmp_path, "--no-demo", INSUREFLOW_SCHEDULER_ENABLED="no") as second:
        second.wait_until_ready()
        assert "Preparing the database" not in second.says()
        assert len(second.children()) == 1
        second.process.send_signal(signal.SIGTERM)
        assert second.process.wait(60) == 0


def test_when_one_of_its_processes_dies_it_stops_and_says_so(tmp_path: Path) -> None:
    with product(tmp_path, "--no-demo") as running:
        running.wait_until_ready()
        children = running.children()
        os.kill(children[1], signal.SIGKILL)
        assert running.process.wait(60) == 1
        assert re.search(r"the (web server|scheduler) did not keep running", running.says())
        assert gone(children)


def test_when_it_is_killed_its_processes_end_too(tmp_path: Path) -> None:
    with product(tmp_path, "--no-demo") as running:
        running.wait_until_ready()
        children = running.children()
        running.process.kill()
        running.process.wait()
        end = time.monotonic() + 20
        while not gone(children):
            assert time.monotonic() < end, f"still there: {children}"
            time.sleep(0.05)


def test_a_port_in_use_is_said_plainly(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with product(tmp_path, "--no-demo", "--port", str(port)) as running:
            assert running.process.wait(60) == 1
            assert f"Port {port} is in use by another program" in running.says()
            assert "Traceback" not in running.says()
    assert not (tmp_path / "instance" / "insureflow.db").exists()


def test_wrong_settings_are_all_listed_and_nothing_starts(tmp_path: Path) -> None:
    with product(tmp_path, INSUREFLOW_PROT="1", INSUREFLOW_LOG_LEVEL="loud") as running:
        assert running.process.wait(60) == 2
        assert "INSUREFLOW_PROT is not a setting" in running.says()
        assert "INSUREFLOW_LOG_LEVEL" in running.says()
        assert "Traceback" not in running.says()

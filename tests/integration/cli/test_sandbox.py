"""``insureflow sandbox``: starts, answers, keeps what it knows, ends in order, and says when its port is taken."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from support.tree import ROOT


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def command(folder: Path, port: int) -> subprocess.Popen[str]:
    environment = {**os.environ, "INSUREFLOW_INSTANCE": str(folder), "INSUREFLOW_SANDBOX_PORT": str(port)}
    executable = Path(sys.executable).parent / "insureflow"
    return subprocess.Popen([executable, "sandbox"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def answers(port: int, path: str) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().read().decode()
    except OSError:
        return ""
    finally:
        connection.close()


def test_the_sandbox_starts_answers_and_ends_in_order(tmp_path: Path) -> None:
    port = free_port()
    process = command(tmp_path, port)
    try:
        end = time.monotonic() + 60
        while not answers(port, "/healthz") and process.poll() is None and time.monotonic() < end:
            time.sleep(0.1)
        assert '"known_faults"' in answers(port, "/control/state")
        second = command(tmp_path, port)
        _, complaint = second.communicate(timeout=60)
        assert second.returncode == 1
        assert f"Cannot listen on port {port}" in complaint
        process.send_signal(signal.SIGTERM)
        said, complaint = process.communicate(timeout=30)
        assert process.returncode == 0, complaint
        assert f"http://127.0.0.1:{port}/control/state" in said
        assert (tmp_path / "sandbox.db").is_file()
    finally:
        process.kill()
        process.communicate()

"""A process with the product loaded, from which others are forked: loading it anew would take longer than what they do."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

ROOT = Path(__file__).resolve().parents[2]
_LONGEST_ORDER = 100_000

_PROGRAM = """
import json, os, signal, socket, sys
from insureflow.app import create_app
create_app()
door = socket.socket(fileno=int(sys.argv[1]))
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
door.sendall(b"ready")
while order := socket.recv_fds(door, int(sys.argv[2]), 1):
    if not order[0]:
        break
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            door.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.dup2(order[1][0], 1)
            os.close(order[1][0])
            wanted = json.loads(order[0])
            os.environ.clear()
            os.environ.update(wanted["environ"])
            sys.argv = ["-c", *wanted["arguments"]]
            exec(wanted["program"], {"__name__": "__main__"})
            status = 0
        finally:
            sys.stdout.flush()
            os._exit(status)
    os.close(order[1][0])
    door.sendall(str(pid).encode())
"""


@dataclass(frozen=True, slots=True)
class Child:
    """A process that was forked, and what it says. Its output ends when it does, however it ends."""

    pid: int
    output: TextIO

    def kill(self) -> None:
        """Ends it at once, and waits until it is gone."""
        with contextlib.suppress(ProcessLookupError):  # it may have come to its end first
            os.kill(self.pid, signal.SIGKILL)
        self.output.read()


@dataclass(frozen=True, slots=True)
class Nursery:
    """Gives birth to processes."""

    door: socket.socket

    def begin(self, program: str, *arguments: str, environ: Mapping[str, str]) -> Child:
        """A process of its own that works a program in this environment."""
        reading, writing = os.pipe()
        order = json.dumps({"program": program, "arguments": arguments, "environ": dict(environ)}).encode()
        assert len(order) < _LONGEST_ORDER
        socket.send_fds(self.door, [order], [writing])
        os.close(writing)
        return Child(int(self.door.recv(20)), os.fdopen(reading, encoding="utf-8"))


@contextmanager
def nursery(environ: Mapping[str, str]) -> Iterator[Nursery]:
    """A loaded process, gone after the block; ``environ`` must be one in which the product starts."""
    ours, theirs = socket.socketpair()
    ours.settimeout(120)
    command = [sys.executable, "-c", _PROGRAM, str(theirs.fileno()), str(_LONGEST_ORDER)]
    with ours, subprocess.Popen(command, cwd=ROOT, env=dict(environ), pass_fds=[theirs.fileno()], stderr=subprocess.DEVNULL) as process:
        theirs.close()
        assert ours.recv(5) == b"ready"
        try:
            yield Nursery(ours)
        finally:
            ours.close()
            process.wait(20)

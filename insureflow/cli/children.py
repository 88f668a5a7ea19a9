"""Child processes of ``insureflow run``: copies of a process that has everything loaded already, so they start at once."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable

import click

_LOOK_SECONDS = 0.05


class Lifeline:
    """A pipe whose other end the parent holds: however the parent dies, that end closes, and its children follow."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()

    def hold_on(self) -> None:
        """In a child: from now on it ends with its parent."""
        os.close(self._write)

        def watch() -> None:
            os.read(self._read, 1)  # returns when nobody holds the other end any more
            os.kill(os.getpid(), signal.SIGTERM)

        threading.Thread(target=watch, name="lifeline", daemon=True).start()


class Child:
    """One child process. The parent must hold no database connection and no thread when it makes one."""

    def __init__(self, work: Callable[[], object], lifeline: Lifeline) -> None:
        self._status: int | None = None
        sys.stdout.flush()
        sys.stderr.flush()
        self._pid = os.fork()
        if self._pid == 0:
            _live(work, lifeline)

    def status(self) -> int | None:
        """How it ended: 0 for well; None while it lives."""
        if self._status is None:
            pid, state = os.waitpid(self._pid, os.WNOHANG)
            if pid:
                self._status = os.waitstatus_to_exitcode(state)
        return self._status

    def terminate(self) -> None:
        """Asks it to end."""
        if self.status() is None:
            os.kill(self._pid, signal.SIGTERM)

    def wait(self, seconds: float) -> None:
        """Waits for its end, and ends it by force when that takes too long."""
        end = time.monotonic() + seconds
        while self.status() is None:
            if time.monotonic() > end:
                os.kill(self._pid, signal.SIGKILL)
                self._status = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
                return
            time.sleep(_LOOK_SECONDS)


def _live(work: Callable[[], object], lifeline: Lifeline) -> None:
    """The whole life of a child; never returns."""
    status = 1
    try:
        os.setsid()  # Ctrl-C reaches it only through its parent, and in order
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        lifeline.hold_on()
        work()
        status = 0
    except SystemExit as leaving:
        status = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except click.ClickException as problem:
        problem.show()
        status = problem.exit_code
    except BaseException:  # noqa: BLE001 (this is the outermost frame of the child, and says what happened)
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)

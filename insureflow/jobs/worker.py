"""The workers: threads of the leading scheduler process that take long work out of the queue, one piece at a time each."""

from __future__ import annotations

import threading
import time

import structlog
from flask import Flask

from insureflow.services import tasks

log = structlog.get_logger("insureflow.worker")

LOOK_SECONDS = 1
PAUSE_AFTER_ERROR_SECONDS = 5


class Workers:
    """A few worker threads.

    A piece of work that is not done when they have to go is left: its transaction is undone, and the next leader marks it as
    interrupted, from where it can be taken up again.
    """

    def __init__(self, app: Flask, count: int) -> None:
        self._app = app
        self._going = threading.Event()
        self._threads = [threading.Thread(target=self._work, name=f"worker {number + 1}", daemon=True) for number in range(count)]

    def start(self) -> None:
        """Begins to take work."""
        for thread in self._threads:
            thread.start()

    def stop(self, end: float) -> bool:
        """Takes no more work and waits for what is being done until an instant of the monotonic clock; True if all of it was done."""
        self._going.set()
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _work(self) -> None:
        while not self._going.is_set():
            try:
                with self._app.app_context():
                    done = tasks.run_next(self._going.is_set)
            except Exception:
                log.exception("the queue cannot be read")
                self._going.wait(PAUSE_AFTER_ERROR_SECONDS)
            else:
                if done is None:
                    self._going.wait(LOOK_SECONDS)

"""How a long-running command is asked to end."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

#: The status of a command that was ended by Ctrl-C.
INTERRUPTED = 130
_LOOK_SECONDS = 0.1


def leave(status: int) -> NoReturn:
    """Ends the process at once, whatever its threads do; for work that may be broken off at any point."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


class StopRequest:
    """Notes Ctrl-C and SIGTERM instead of breaking off, so that the command can end in order.

    With ``patience`` a command that has not ended so many seconds later is left at once, with the status of a shell for Ctrl-C.
    """

    def __init__(self, patience: float | None = None) -> None:
        self._made = False
        self._patience = patience
        signal.signal(signal.SIGINT, self._note)
        signal.signal(signal.SIGTERM, self._note)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        if not self._made and self._patience is not None:
            last = threading.Timer(self._patience, leave, (INTERRUPTED,))
            last.daemon = True
            last.start()
        self._made = True

    def is_made(self) -> bool:
        """Whether somebody has asked."""
        return self._made

    def wait(self, goes_on: Callable[[], bool]) -> None:
        """Returns when the request is made, or when ``goes_on`` says there is nothing left to wait for."""
        while not self._made and goes_on():
            time.sleep(_LOOK_SECONDS)

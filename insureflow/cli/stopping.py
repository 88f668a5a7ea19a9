"""How a long-running command is asked to end."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from types import FrameType

_LOOK_SECONDS = 0.1


class StopRequest:
    """Notes Ctrl-C and SIGTERM instead of breaking off, so that the command can end in order."""

    def __init__(self) -> None:
        self._made = False
        signal.signal(signal.SIGINT, self._note)
        signal.signal(signal.SIGTERM, self._note)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self._made = True

    def is_made(self) -> bool:
        """Whether somebody has asked."""
        return self._made

    def wait(self, goes_on: Callable[[], bool]) -> None:
        """Returns when the request is made, or when ``goes_on`` says there is nothing left to wait for."""
        while not self._made and goes_on():
            time.sleep(_LOOK_SECONDS)

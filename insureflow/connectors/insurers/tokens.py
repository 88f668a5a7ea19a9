"""Access tokens of insurers: asked for once, shared by all threads of a process, forgotten before they expire."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

#: A token is renewed this long before it expires, so that none expires on its way.
MARGIN_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Token:
    """A token and how long it lives. It is never shown."""

    value: str = field(repr=False)
    seconds: int


@dataclass(slots=True)
class _Kept:
    lock: threading.Lock = field(default_factory=threading.Lock)
    value: str = field(default="", repr=False)
    until: float = 0.0


class TokenCache:
    """Tokens by a fingerprint of who asks whom: other credentials never meet another's token."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._kept: dict[str, _Kept] = {}

    @staticmethod
    def key(*parts: str) -> str:
        """The fingerprint: nothing secret can be read from it."""
        digest = hashlib.sha256()
        for part in parts:
            digest.update(len(part).to_bytes(8) + part.encode())
        return digest.hexdigest()

    def get(self, key: str, fetch: Callable[[], Token]) -> str:
        """The token in use, or a new one. Of several threads one asks, the others wait for its answer."""
        with self._lock:
            kept = self._kept.setdefault(key, _Kept())
        with kept.lock:
            if not kept.value or self._monotonic() >= kept.until:
                token = fetch()
                kept.value = token.value
                kept.until = self._monotonic() + max(token.seconds - min(MARGIN_SECONDS, token.seconds // 4), 0)
            return kept.value

    def drop(self, key: str, value: str | None = None) -> None:
        """Forget a token that was refused, unless somebody has brought a newer one meanwhile; None: whichever there is."""
        with self._lock:
            kept = self._kept.get(key)
        if kept is not None:
            with kept.lock:
                if value is None or kept.value == value:
                    kept.value = ""

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kept.clear()


#: The tokens of this process.
TOKENS = TokenCache()

"""Messages a sandbox insurer sends of its own accord: to the address a request gave, twice or out of order when told to."""

from __future__ import annotations

import http.client
import ipaddress
import json
import threading
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from insureflow.sandbox.state import Cover, State

TRIES = 3
PAUSE_SECONDS = 2
_LOOK_SECONDS = 0.1
_TIMEOUT_SECONDS = 5


def is_loopback(host: str) -> bool:
    """Whether a host is this machine itself: the sandbox talks to nobody else."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def register(state: State, cover: Cover, job_id: str, url: str, *, hours: int, is_extended: bool) -> None:
    """Notes where to send word of a job, and of later decisions where ``is_extended``."""
    with state.write() as connection:
        connection.execute(
            "INSERT OR REPLACE INTO callback VALUES (?, ?, ?, ?, ?, ?)",
            (cover.insurer, cover.cover_id, job_id, url, state.now() + hours * 3600, is_extended),
        )


def announce(state: State, cover: Cover) -> None:
    """Word of a change of a cover, where somebody asked to be told of later changes."""
    with state.read() as connection:
        row = connection.execute(
            "SELECT job_id, url FROM callback WHERE insurer = ? AND cover_id = ? AND is_extended AND until > ?",
            (cover.insurer, cover.cover_id, state.now()),
        ).fetchone()
    if row is not None:
        send(state, row[1], {"jobId": row[0], "coverId": str(cover.cover_id), "version": cover.version}, state.now())


def send(state: State, url: str, body: Mapping[str, object], at: float) -> None:
    """Puts a message into the bag."""
    with state.write() as connection:
        connection.execute("INSERT INTO push (url, body, due_at) VALUES (?, ?, ?)", (url, json.dumps(dict(body)), at))


def waiting(state: State) -> int:
    """How many messages are in the bag."""
    with state.read() as connection:
        return int(connection.execute("SELECT count(*) FROM push").fetchone()[0])


class Postman(threading.Thread):
    """Carries messages out, and lets what is due at the insurers happen even when nobody asks."""

    def __init__(self, state: State, settle: Callable[[State], object]) -> None:
        super().__init__(name="sandbox postman", daemon=True)
        self._state = state
        self._settle = settle
        self._stopping = threading.Event()

    def run(self) -> None:
        """Works until told to stop."""
        while not self._stopping.wait(_LOOK_SECONDS):
            self._settle(self._state)
            deliver(self._state)

    def stop(self) -> None:
        """Ends after the round at work."""
        self._stopping.set()
        self.join(_TIMEOUT_SECONDS + 1)


def deliver(state: State) -> int:
    """Carries out what is due; gives how many messages arrived. What is refused is tried again, three times in all."""
    faults = state.setting("faults", {})
    order = "DESC" if "shuffled_push" in faults else "ASC"
    with state.read() as connection:
        due = connection.execute(
            f"SELECT push_id, url, body, tries FROM push WHERE due_at <= ? ORDER BY push_id {order}",  # noqa: S608 (one of two words)
            (state.now(),),
        ).fetchall()
    arrived = 0
    for push_id, url, body, tries in due:
        if _post(url, body):
            arrived += 1
            if "duplicate_push" in faults:
                _post(url, body)
        elif tries + 1 < TRIES:
            with state.write() as connection:
                connection.execute(
                    "UPDATE push SET tries = tries + 1, due_at = ? WHERE push_id = ?", (state.now() + PAUSE_SECONDS * (tries + 1), push_id)
                )
            continue
        with state.write() as connection:
            connection.execute("DELETE FROM push WHERE push_id = ?", (push_id,))
    return arrived


def _post(url: str, body: str) -> bool:
    parts = urlsplit(url)
    if parts.hostname is None or not is_loopback(parts.hostname):
        return False
    make = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = make(parts.hostname, parts.port, timeout=_TIMEOUT_SECONDS)
    try:
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", path or "/", body.encode(), {"Content-Type": "application/json"})
        return 200 <= connection.getresponse().status < 300
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()

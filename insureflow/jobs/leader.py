"""The leader lock: of all scheduler processes of one installation, one works and the others stand by.

On PostgreSQL it is an advisory lock on a connection of its own (never through a pooler, where such a lock does not live);
on SQLite it is a lock on a file beside the database. Both are gone at once when their process dies, however it dies.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path
from typing import Protocol

import psycopg

import config

#: The number of the advisory lock: "insureflow" has to be told apart from other programs on the same server, no more.
ADVISORY_KEY = 0x1F5C_4ED0


class LeaderLock(Protocol):
    """What the scheduler needs of a lock."""

    def acquire(self) -> bool:
        """True if this process leads from now on; False while another one does."""
        ...

    def is_held(self) -> bool:
        """Whether this process still leads."""
        ...

    def release(self) -> None:
        """Lets another process lead."""
        ...


class FileLock:
    """A lock on a file; for an embedded database, where all processes share a machine."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        """True if this process leads from now on; False while another one does."""
        if self._descriptor is not None:
            return True
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def is_held(self) -> bool:
        """Whether this process still leads: a file lock is not lost while its process lives."""
        return self._descriptor is not None

    def release(self) -> None:
        """Lets another process lead."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


class AdvisoryLock:
    """A lock on the database server; it lasts as long as its connection."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: psycopg.Connection[tuple[bool]] | None = None
        self._held = False

    def acquire(self) -> bool:
        """True if this process leads from now on; False while another one does or the server cannot be reached."""
        if self._held:
            return self.is_held()
        try:
            if self._connection is None:
                self._connection = psycopg.connect(
                    self._url,
                    autocommit=True,
                    application_name="insureflow scheduler",
                    connect_timeout=5,
                    keepalives_idle=10,
                    keepalives_interval=5,
                )
            row = self._connection.execute("SELECT pg_try_advisory_lock(%s)", (ADVISORY_KEY,)).fetchone()
        except psycopg.OperationalError:
            self.release()
            return False
        self._held = row is not None and row[0]
        return self._held

    def is_held(self) -> bool:
        """Whether this process still leads: a lost connection has lost the lock."""
        if self._connection is None or not self._held:
            return False
        try:
            self._connection.execute("SELECT 1")
        except psycopg.OperationalError:
            self.release()
            return False
        return True

    def release(self) -> None:
        """Lets another process lead, at once: the server takes its time to notice that a connection has closed."""
        if self._connection is None:
            return
        with contextlib.suppress(psycopg.OperationalError):  # a connection that is gone has let go of its lock
            if self._held:
                self._connection.execute("SELECT pg_advisory_unlock(%s)", (ADVISORY_KEY,))
        self._held = False
        self._connection.close()
        self._connection = None


def leader_lock(settings: config.Config) -> LeaderLock:
    """The lock that fits this installation's database."""
    path = settings.sqlite_path
    if path is not None:
        return FileLock(path.with_name(f"{path.name}.scheduler.lock"))
    if settings.uses_sqlite:
        return FileLock(settings.instance_path / "memory.scheduler.lock")
    url = settings.direct_database_url or settings.database_url
    return AdvisoryLock(url.replace("postgresql+psycopg://", "postgresql://", 1))

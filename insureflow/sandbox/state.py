"""What the sandbox insurers know, kept in one SQLite file so that a restart forgets nothing."""

from __future__ import annotations

import hashlib
import json
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS company (
    insurer TEXT NOT NULL, company_id TEXT NOT NULL, country TEXT NOT NULL, name TEXT NOT NULL, city TEXT NOT NULL DEFAULT '',
    grade TEXT NOT NULL DEFAULT '', PRIMARY KEY (insurer, company_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS company_number (
    insurer TEXT NOT NULL, country TEXT NOT NULL, scheme TEXT NOT NULL, value TEXT NOT NULL, company_id TEXT NOT NULL,
    PRIMARY KEY (insurer, country, scheme, value)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS cover (
    insurer TEXT NOT NULL, cover_id INTEGER NOT NULL, policy TEXT NOT NULL, company_id TEXT NOT NULL, kind TEXT NOT NULL,
    layer TEXT NOT NULL, currency TEXT NOT NULL, requested INTEGER, decided INTEGER, second INTEGER NOT NULL, second_to TEXT,
    stage TEXT NOT NULL, answer TEXT NOT NULL, ending TEXT NOT NULL, applied_on TEXT NOT NULL, decided_on TEXT, effective_on TEXT,
    valid_to TEXT, withdrawal_on TEXT, pending TEXT NOT NULL, reference TEXT NOT NULL, replaces INTEGER, due_at REAL,
    conditions TEXT NOT NULL, version INTEGER NOT NULL, changed_at REAL NOT NULL, PRIMARY KEY (insurer, cover_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS cover_by_stage ON cover (insurer, policy, stage, cover_id);
CREATE INDEX IF NOT EXISTS cover_by_company ON cover (insurer, company_id);
CREATE INDEX IF NOT EXISTS cover_by_due ON cover (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS cover_by_change ON cover (insurer, policy, changed_at);
CREATE TABLE IF NOT EXISTS token (value TEXT PRIMARY KEY, insurer TEXT NOT NULL, until REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS job (insurer TEXT NOT NULL, job_id TEXT NOT NULL, cover_id INTEGER NOT NULL, ready_at REAL NOT NULL,
    PRIMARY KEY (insurer, job_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS callback (insurer TEXT NOT NULL, cover_id INTEGER NOT NULL, job_id TEXT NOT NULL, url TEXT NOT NULL,
    until REAL NOT NULL, is_extended INTEGER NOT NULL, PRIMARY KEY (insurer, cover_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS push (push_id INTEGER PRIMARY KEY, url TEXT NOT NULL, body TEXT NOT NULL, due_at REAL NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS paper (insurer TEXT NOT NULL, policy TEXT NOT NULL, kind TEXT NOT NULL, paper_id TEXT NOT NULL,
    content TEXT NOT NULL, changed_at REAL NOT NULL, PRIMARY KEY (insurer, policy, kind, paper_id)) WITHOUT ROWID;
"""

#: Company numbers that begin so belong to nobody, unless they were seeded.
UNKNOWN_PREFIX = "9"
FIRST_COVER_ID = 1_000_001


@dataclass(slots=True)
class Cover:
    """A cover as all sandbox insurers keep it; each shows it in its own words. Amounts in minor units of ``currency``.

    ``stage``: ``applied``, ``in_force``, ``refused``, ``ended``. ``answer``: ``full``, ``conditional``, ``partial``, ``preliminary``,
    ``refused``, ``unchanged``, ``reduced``, ``withdrawn``, ``notice``. ``ending``: ``cancelled``, ``withdrawn``, ``superseded``,
    ``expired``, ``rejected``. ``due_at`` is when what is pending happens by itself.
    """

    insurer: str
    cover_id: int
    policy: str
    company_id: str
    currency: str
    requested: int | None
    applied_on: str
    decided: int | None = None
    kind: str = "limit"
    layer: str = "primary"
    second: int = 0
    second_to: str | None = None
    stage: str = "applied"
    answer: str = ""
    ending: str = ""
    decided_on: str | None = None
    effective_on: str | None = None
    valid_to: str | None = None
    withdrawal_on: str | None = None
    pending: str = ""
    reference: str = ""
    replaces: int | None = None
    due_at: float | None = None
    conditions: tuple[str, ...] = ()
    version: int = 1
    changed_at: float = 0.0
    company_name: str = ""
    country: str = ""


_COLUMNS = (
    "insurer", "cover_id", "policy", "company_id", "kind", "layer", "currency", "requested", "decided", "second", "second_to", "stage",
    "answer", "ending", "applied_on", "decided_on", "effective_on", "valid_to", "withdrawal_on", "pending", "reference", "replaces",
    "due_at", "conditions", "version", "changed_at",
)  # fmt: skip
_PLACES = ", ".join("?" for _ in _COLUMNS)
_SAVE = f"INSERT OR REPLACE INTO cover VALUES ({_PLACES})"  # noqa: S608 (names of our own)
_SELECTED = ", ".join(f"cover.{name}" for name in _COLUMNS) + ", coalesce(company.name, ''), coalesce(company.country, '')"
_FROM = "cover LEFT JOIN company ON company.insurer = cover.insurer AND company.company_id = cover.company_id"


@dataclass(frozen=True, slots=True)
class Company:
    """A company as an insurer knows it."""

    company_id: str
    country: str
    name: str
    city: str = ""
    numbers: tuple[tuple[str, str], ...] = field(default=())


class State:
    """The file and the clock. Every method has a connection of its own; ``write`` makes several changes one."""

    def __init__(self, path: Path, clock: Callable[[], datetime]) -> None:
        self.path = path
        self.clock = clock
        #: Held by whoever reads something and changes it: requests and the postman work at the same time.
        self.busy = threading.RLock()
        self._idle: list[sqlite3.Connection] = []  # taking from and adding to its end are safe among threads
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._connect() as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(_SCHEMA)

    @contextmanager
    def _connect(self) -> Iterator[sqlite3.Connection]:
        """A connection for one use at a time. They are kept: opening one costs more than most questions."""
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = sqlite3.connect(self.path, timeout=30, isolation_level=None, check_same_thread=False)
            connection.execute("PRAGMA synchronous = NORMAL")
        try:
            yield connection
        finally:
            self._idle.append(connection)

    def close(self) -> None:
        """Closes the file; to be called when nobody asks any more."""
        while self._idle:
            self._idle.pop().close()

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction: all or nothing."""
        with self._connect() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A connection for questions."""
        with self._connect() as connection:
            yield connection

    # The clock

    def now(self) -> float:
        """Seconds since 1970 at the sandbox, which may be ahead of the world."""
        return self.clock().timestamp() + float(self.setting("clock_offset", 0))

    def today(self) -> date:
        """The day at the sandbox, in UTC."""
        return datetime.fromtimestamp(self.now(), UTC).date()

    def move_clock(self, by: timedelta) -> None:
        """Let time pass."""
        self.set_setting("clock_offset", float(self.setting("clock_offset", 0)) + by.total_seconds())

    # Settings

    def setting(self, name: str, default: Any) -> Any:
        """A setting, or its default."""
        with self.read() as connection:
            row = connection.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
        return default if row is None else json.loads(row[0])

    def set_setting(self, name: str, value: Any) -> None:
        """Keep a setting."""
        with self.write() as connection:
            connection.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (name, json.dumps(value)))

    def reset(self) -> None:
        """Forget everything."""
        with self.write() as connection:
            for table in ("setting", "company", "company_number", "cover", "token", "job", "callback", "push", "paper"):
                connection.execute(f"DELETE FROM {table}")  # noqa: S608 (names of our own)

    # Tokens

    def issue_token(self, insurer: str, seconds: int) -> str:
        """A token that lives so long on the sandbox's clock."""
        value = secrets.token_urlsafe(24)
        now = self.now()
        with self.write() as connection:
            connection.execute("DELETE FROM token WHERE until < ?", (now,))
            connection.execute("INSERT INTO token VALUES (?, ?, ?)", (value, insurer, now + seconds))
        return value

    def is_live(self, insurer: str, token: str) -> bool:
        """Whether a token is this insurer's and has not expired."""
        with self.read() as connection:
            row = connection.execute("SELECT until FROM token WHERE value = ? AND insurer = ?", (token, insurer)).fetchone()
        return row is not None and row[0] > self.now()

    def expire_tokens(self) -> None:
        """Let every token expire now."""
        with self.write() as connection:
            connection.execute("DELETE FROM token")

    # Companies

    def save_companies(self, insurer: str, companies: Iterable[Company]) -> None:
        """Keep companies and their numbers in public registers."""
        with self.write() as connection:
            for company in companies:
                _save_company(connection, insurer, company)

    def company(self, insurer: str, company_id: str) -> Company | None:
        """A company by the insurer's number; one never seen is made up, unless its number begins with 9."""
        with self.read() as connection:
            found = _company(connection, insurer, company_id)
        if found is None and company_id.isdigit() and not company_id.startswith(UNKNOWN_PREFIX):
            found = Company(company_id, "", f"Company {company_id}")
            self.save_companies(insurer, [found])
        return found

    def company_of(self, insurer: str, country: str, scheme: str, value: str) -> Company | None:
        """A company by a number of a public register; one never seen is made up, unless the number ends in 000."""
        with self.read() as connection:
            row = connection.execute(
                "SELECT company_id FROM company_number WHERE insurer = ? AND country = ? AND scheme = ? AND value = ?",
                (insurer, country, scheme, value),
            ).fetchone()
        if row is not None:
            return self.company(insurer, str(row[0]))
        if not value or value.endswith("000"):
            return None
        number = int.from_bytes(hashlib.sha256(f"{insurer}|{country}|{scheme}|{value}".encode()).digest()[:6])
        made = Company(str(10_000_000 + number % 70_000_000), country, f"Company {value}", "", ((scheme, value),))
        self.save_companies(insurer, [made])
        return made

    def companies_named(self, insurer: str, country: str, name: str, most: int) -> list[Company]:
        """Companies whose name contains the text."""
        with self.read() as connection:
            rows = connection.execute(
                "SELECT company_id FROM company WHERE insurer = ? AND country = ? AND name LIKE '%' || ? || '%' ORDER BY name LIMIT ?",
                (insurer, country, name, most),
            ).fetchall()
            found = [_company(connection, insurer, str(row[0])) for row in rows]
        return [company for company in found if company is not None]

    # Covers

    def save(self, *covers: Cover) -> None:
        """Keep covers as they are now."""
        now = self.now()
        with self.write() as connection:
            for cover in covers:
                cover.changed_at = now
            connection.executemany(_SAVE, [_row(cover) for cover in covers])

    def add(self, cover: Cover) -> Cover:
        """Keep a new cover under the next number."""
        cover.changed_at = self.now()
        with self.write() as connection:
            row = connection.execute("SELECT max(cover_id) FROM cover WHERE insurer = ?", (cover.insurer,)).fetchone()
            cover.cover_id = max(FIRST_COVER_ID, (row[0] or 0) + 1)
            connection.execute(_SAVE, _row(cover))
        return cover

    def cover(self, insurer: str, cover_id: int) -> Cover | None:
        """A cover by its number."""
        return next(self.covers(insurer, where="cover.cover_id = ?", values=(cover_id,)), None)

    def covers(
        self,
        insurer: str,
        policy: str | None = None,
        *,
        where: str = "1",
        values: Iterable[object] = (),
        limit: int = -1,
        offset: int = 0,
    ) -> Iterator[Cover]:
        """Covers in the order of their numbers, read as they are asked for. ``where`` is a condition of our own."""
        condition = f"cover.insurer = ? AND {'cover.policy = ? AND ' if policy is not None else ''}{where}"
        given = (insurer, *(() if policy is None else (policy,)), *values, limit, offset)
        with self.read() as connection:
            for row in connection.execute(
                f"SELECT {_SELECTED} FROM {_FROM} WHERE {condition} ORDER BY cover.cover_id LIMIT ? OFFSET ?",  # noqa: S608 (names of our own)
                given,
            ):
                yield _cover(row)

    def count(self, insurer: str, policy: str | None = None, *, where: str = "1", values: Iterable[object] = ()) -> int:
        """How many covers there are."""
        condition = f"insurer = ? AND {'policy = ? AND ' if policy is not None else ''}{where}"
        given = (insurer, *(() if policy is None else (policy,)), *values)
        with self.read() as connection:
            return int(connection.execute(f"SELECT count(*) FROM cover WHERE {condition}", given).fetchone()[0])  # noqa: S608 (names of our own)

    def due(self) -> list[Cover]:
        """Covers whose pending matter happens by now."""
        with self.read() as connection:
            rows = connection.execute(
                f"SELECT {_SELECTED} FROM {_FROM} WHERE cover.due_at IS NOT NULL AND cover.due_at <= ? ORDER BY cover.due_at",  # noqa: S608 (names of our own)
                (self.now(),),
            ).fetchall()
        return [_cover(row) for row in rows]


def seed(path: Path, covers: Iterable[Cover], *, clock: Callable[[], datetime]) -> int:
    """Put covers in force into a sandbox's file at once, a hundred thousand in seconds; gives how many.

    A cover with ``cover_id`` 0 gets the next number. Companies are kept with ``company_name`` and ``country`` of the cover.
    """
    count = 0
    with closing(State(path, clock)) as state, state.write() as connection:
        now = state.now()
        following = {
            str(insurer): int(last) + 1 for insurer, last in connection.execute("SELECT insurer, max(cover_id) FROM cover GROUP BY insurer")
        }
        for cover in covers:
            if not cover.cover_id:
                cover.cover_id = following.get(cover.insurer, FIRST_COVER_ID)
            following[cover.insurer] = max(following.get(cover.insurer, FIRST_COVER_ID), cover.cover_id + 1)
            cover.changed_at = now
            known = "INSERT OR REPLACE" if cover.company_name else "INSERT OR IGNORE"
            connection.execute(
                f"{known} INTO company VALUES (?, ?, ?, ?, '', '')",
                (cover.insurer, cover.company_id, cover.country, cover.company_name or f"Company {cover.company_id}"),
            )
            connection.execute(_SAVE, _row(cover))
            count += 1
    return count


def _row(cover: Cover) -> tuple[object, ...]:
    return tuple(json.dumps(cover.conditions) if name == "conditions" else getattr(cover, name) for name in _COLUMNS)


def _cover(row: tuple[Any, ...]) -> Cover:
    values = dict(zip((*_COLUMNS, "company_name", "country"), row, strict=True))
    values["conditions"] = tuple(json.loads(values["conditions"]))
    return Cover(**values)


def _company(connection: sqlite3.Connection, insurer: str, company_id: str) -> Company | None:
    row = connection.execute(
        "SELECT country, name, city FROM company WHERE insurer = ? AND company_id = ?", (insurer, company_id)
    ).fetchone()
    if row is None:
        return None
    numbers = connection.execute(
        "SELECT scheme, value FROM company_number WHERE insurer = ? AND company_id = ? ORDER BY 1, 2", (insurer, company_id)
    ).fetchall()
    return Company(company_id, row[0], row[1], row[2], tuple((scheme, value) for scheme, value in numbers))


def _save_company(connection: sqlite3.Connection, insurer: str, company: Company) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO company VALUES (?, ?, ?, ?, ?, '')",
        (insurer, company.company_id, company.country, company.name, company.city),
    )
    for scheme, value in company.numbers:
        connection.execute(
            "INSERT OR REPLACE INTO company_number VALUES (?, ?, ?, ?, ?)", (insurer, company.country, scheme, value, company.company_id)
        )

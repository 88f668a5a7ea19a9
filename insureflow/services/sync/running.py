"""Synchronisations: a connection's list read part by part, each part put into the books in a unit of work with the place it ends at."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from insureflow.connectors.insurers import registry
from insureflow.connectors.insurers.interface import (
    ConnectorError,
    CoverPage,
    InsurerCover,
    ItemFailed,
    RequestsFailed,
    Stopped,
    StopSync,
    TryLater,
)
from insureflow.domain.connections import DifferenceKind, Operation, SyncState, back_off_seconds
from insureflow.domain.errors import Refusal
from insureflow.domain.limits.life import WAITING_FOR_INSURER
from insureflow.models.buyers import Buyer, InsurerIdentity
from insureflow.models.connections import InsurerConnection, InsurerCoverVersion, SyncRun
from insureflow.models.limit_requests import LimitRequest
from insureflow.models.limits import LimitDecision
from insureflow.models.policies import Policy
from insureflow.queries.connections import can_be_read
from insureflow.services import connections
from insureflow.services.clock import now
from insureflow.services.connections import Reach
from insureflow.services.cover.storing import renew_statistics
from insureflow.services.journal import plain
from insureflow.services.sync.applying import Applied, Books, apply_covers
from insureflow.services.sync.differences import Found, open_of_kinds, settle, store_found
from insureflow.services.sync.reconciling import note_missing
from insureflow.services.transaction import transaction

log = structlog.get_logger("insureflow.sync")

#: Covers put into the books in one unit of work.
CHUNK = 1000

#: A list that was cut short goes on where it ended only for so long; then it is read anew.
CURSOR_HOURS = 2

_POLL_CHUNK = 100

#: How a difference about a request names it, apart from those about covers.
_REQUEST = "request/"


@dataclass(slots=True)
class SyncResult:
    """What a synchronisation came to. ``seconds`` in all and in the network."""

    state: SyncState
    is_whole: bool = False
    counts: dict[str, int] = field(default_factory=dict)
    error: ConnectorError | None = None
    network_milliseconds: int = 0
    milliseconds: int = 0


def _goes_on() -> bool:
    return False


def synchronise(
    organisation_id: int,
    connection_id: int,
    on: date,
    *,
    whole: bool = False,
    progress: Callable[[int, int | None], None] | None = None,
    wants_to_stop: Callable[[], bool] = _goes_on,
) -> SyncResult:
    """Bring our picture of a policy's limits to the insurer's. Safe to be killed at any point and to be started again.

    ``whole``: read everything even where the insurer offers what changed. Once ``wants_to_stop``, the part in hand is put into the books
    and the result says ``INTERRUPTED``; the next run is due at once and goes on where the last part ended. What goes wrong at the
    insurer is in the result. Errors: ``Refusal`` ``connection_unknown``, ``connection_off``, ``connection_stopped``,
    ``limits_not_readable``.
    """
    try:
        found = connections.reach(organisation_id, connection_id)
    except StopSync as stop:
        return SyncResult(SyncState.FAILED, error=stop)
    require_readable(found.capabilities, found.connector.key)
    found = replace(found, connection=replace(found.connection, wants_to_stop=wants_to_stop))
    return _Run(found, on, progress or (lambda _done, _total: None)).go(whole=whole)


def require_readable(capabilities: Collection[str], connector: str) -> None:
    """Refuse to synchronise where the insurer's interface shows no limits. Errors: ``Refusal`` ``limits_not_readable``."""
    if not can_be_read(capabilities):
        raise Refusal("limits_not_readable", connector=registry.get_connector(connector).name)


class _Run:
    """One synchronisation."""

    def __init__(self, found: Reach, on: date, progress: Callable[[int, int | None], None]) -> None:
        self.reach = found
        self.on = on
        self.progress = progress
        self.counts: dict[str, int] = {"pages": 0}
        self.seen: set[str] = set()
        self.unreadable: set[str] = set()
        self.is_whole = True
        self.refused: ItemFailed | None = None
        self.run_id = 0
        self._renew_at = 0
        self.started_at = now()

    def go(self, *, whole: bool) -> SyncResult:
        """All of it; never raises what goes wrong at the insurer."""
        began = time.monotonic()
        error: ConnectorError | None = None
        self._begin()
        complete, is_stopped = False, False
        try:
            if not self.reach.capabilities:
                self._discover()
            since, reads_all, cursor = self._starting_point(whole=whole)
            self._poll_requests()
            if since is not None:  # also before a whole list: what has ended since is not in it
                self._read(self.reach.connector.list_changes(self.reach.connection, since), keeps_place=False)
            if reads_all:
                self._read(self.reach.connector.list_covers(self.reach.connection, cursor), keeps_place=True)
                complete = cursor is None and self.is_whole
        except ConnectorError as problem:
            error = problem
        except Stopped:
            is_stopped = True
        finally:
            self.reach.recorder.flush()
        result = SyncResult(SyncState.FAILED, counts=self.counts, error=error, network_milliseconds=self.reach.recorder.milliseconds)
        if is_stopped:
            result.state = SyncState.INTERRUPTED
        elif error is None:
            result.state = SyncState.DONE if self.is_whole and self.refused is None else SyncState.PARTLY
            result.error = self.refused
            result.is_whole = complete
        if isinstance(error, StopSync):
            connections.stop_connection(self.reach.organisation_id, self.reach.connection_id, error)
        result.milliseconds = round((time.monotonic() - began) * 1000)
        self._end(result)
        log.info(
            "synchronised",
            connection=self.reach.connection_id,
            state=result.state.value,
            error=None if error is None else error.code,
            **self.counts,
        )
        return result

    def _discover(self) -> None:
        """What the policy may do, asked of the insurer where nobody has tried the connection yet."""
        found = self.reach.connector.capabilities(self.reach.connection)
        self.reach = replace(self.reach, capabilities=frozenset(each.value for each in found))
        with transaction(self.reach.organisation_id) as session:
            row = connections.get_connection(session, self.reach.connection_id, lock=True)
            row.capabilities = sorted(self.reach.capabilities)

    def _may(self, operation: Operation) -> bool:
        return operation in self.reach.capabilities

    def _begin(self) -> None:
        """Open the run; one that was left open belongs to a process that is no more."""
        with transaction(self.reach.organisation_id) as session:
            row = connections.get_connection(session, self.reach.connection_id, lock=True)
            session.execute(
                update(SyncRun)
                .where(SyncRun.connection_id == row.id, SyncRun.state == SyncState.RUNNING)
                .values(state=SyncState.INTERRUPTED, finished_at=self.started_at)
            )
            run = SyncRun(connection_id=row.id, state=SyncState.RUNNING, started_at=self.started_at, counts={})
            session.add(run)
            session.flush()
            self.run_id = run.id

    def _starting_point(self, *, whole: bool) -> tuple[date | None, bool, str | None]:
        """Since when changes are asked for (None: not at all), whether the whole list is read, and where one that was cut short goes on."""
        with transaction(self.reach.organisation_id) as session:
            row = connections.get_connection(session, self.reach.connection_id, lock=True)
            since = (row.last_good_sync_at or row.created_at).date() - timedelta(days=1) if self._may(Operation.LIST_CHANGES) else None
            if not self._may(Operation.LIST_COVERS):
                return since, False, None
            kept, row.sync_cursor = row.sync_cursor, None
            is_usable = kept is not None and self.started_at - datetime.fromisoformat(kept["at"]) < timedelta(hours=CURSOR_HOURS)
            if kept is not None and is_usable and not whole:
                row.sync_cursor = kept
                return since, True, str(kept["cursor"])
            last_whole = session.scalar(
                select(func.max(SyncRun.started_at)).where(
                    SyncRun.connection_id == row.id, SyncRun.is_whole, SyncRun.state == SyncState.DONE
                )
            )
            is_recent = last_whole is not None and self.started_at - last_whole <= timedelta(days=1)
            return since, whole or since is None or not is_recent, None

    def _poll_requests(self) -> None:
        """How the requests stand that the insurer studies."""
        if Operation.POLL_REQUESTS not in self.reach.capabilities:
            return
        with transaction(self.reach.organisation_id) as session:
            references = session.scalars(
                select(LimitRequest.insurer_reference)
                .where(
                    LimitRequest.policy_id == self.reach.policy_id,
                    LimitRequest.state.in_(WAITING_FOR_INSURER),
                    LimitRequest.insurer_reference.is_not(None),
                )
                .order_by(LimitRequest.id)
            ).all()
        wanted = [reference for reference in references if reference]
        failures: dict[str, ItemFailed] = {}
        for start in range(0, len(wanted), _POLL_CHUNK):
            self._look_up()
            try:
                covers = self.reach.connector.poll(self.reach.connection, tuple(wanted[start : start + _POLL_CHUNK]))
            except RequestsFailed as partly:
                covers = partly.covers
                failures |= partly.failures
            except ItemFailed as problem:  # what is wrong with requests must not keep all other limits from being read
                self.refused = self.refused or problem
                continue
            finally:
                self.reach.recorder.flush_batch()
            self._apply(covers, None)
        self._note_requests(failures)

    def _note_requests(self, failures: Mapping[str, ItemFailed]) -> None:
        """Requests the insurer does not know, or answers in a way that cannot be read, as differences for a person.

        They are no reason to call all other limits out of date.
        """
        with transaction(self.reach.organisation_id) as session:
            asked = session.execute(
                select(LimitRequest.insurer_reference, Buyer.id, Buyer.legal_name, LimitRequest.own_reference)
                .join(Buyer, Buyer.id == LimitRequest.buyer_id)
                .where(LimitRequest.policy_id == self.reach.policy_id, LimitRequest.insurer_reference.in_(list(failures)))
            )
            found = [
                Found(
                    DifferenceKind.UNREADABLE,
                    f"{_REQUEST}{own_reference}"[:120],
                    buyer_id,
                    name[:300],
                    {},
                    {
                        "cover_id": reference,
                        "problem": failures[reference].code,
                        "parameters": {key: str(plain(value)) for key, value in failures[reference].parameters.items()},
                    },
                )
                for reference, buyer_id, name, own_reference in asked
                if reference is not None
            ]
            told = {each.subject for each in found}
            standing = open_of_kinds(session, self.reach.connection_id, [DifferenceKind.UNREADABLE])
            if found:
                connections.get_connection(session, self.reach.connection_id, lock=True)
                self.counts["unreadable"] = self.counts.get("unreadable", 0) + len(found)
                self.counts["differences"] = self.counts.get("differences", 0) + store_found(
                    session, self.reach.connection_id, found, self.started_at
                )
            if self.refused is None:
                gone = [key for (_kind, subject), key in standing.items() if subject.startswith(_REQUEST) and subject not in told]
                settle(session, gone, now())

    def _read(self, pages: Iterator[CoverPage], *, keeps_place: bool) -> None:
        for page in pages:
            self.reach.recorder.flush_batch()
            self.counts["pages"] += 1
            self.is_whole = self.is_whole and page.is_whole
            self.seen.update(cover.cover_id for cover in page.covers)
            self._renew_statistics(len(page.covers))
            chunks = [page.covers[start : start + CHUNK] for start in range(0, len(page.covers), CHUNK)] or [()]
            for chunk in chunks[:-1]:
                self._apply(chunk, None)
                self._look_up()
            self._apply(chunks[-1], page, keeps_place=keeps_place)
            self.progress(len(self.seen), page.total)
            if page.cursor is not None:
                self._look_up()

    def _renew_statistics(self, coming: int) -> None:
        """Before many covers are looked up, and again whenever twice as many have been put in, PostgreSQL is told of its tables."""
        if coming < CHUNK // 2 or len(self.seen) < self._renew_at:
            return
        self._renew_at = max(CHUNK, 2 * len(self.seen))
        with transaction(self.reach.organisation_id) as session:
            renew_statistics(session, InsurerIdentity, InsurerCoverVersion, LimitDecision)

    def _look_up(self) -> None:
        """Leaves between two parts when the process is asked to end. Errors: ``Stopped``."""
        if self.reach.connection.wants_to_stop():
            raise Stopped

    def _apply(self, covers: Sequence[InsurerCover], page: CoverPage | None, *, keeps_place: bool = False) -> Applied:
        """One unit of work: the covers, and with the last of a page the place where it ends."""
        with transaction(self.reach.organisation_id) as session:
            row = connections.get_connection(session, self.reach.connection_id, lock=True)
            policy = session.get_one(Policy, self.reach.policy_id)
            applied = (
                apply_covers(session, Books(session, row.id, policy, self.reach.connector.key), covers, self.on) if covers else Applied()
            )
            if page is not None:
                self._note_unreadable(session, page)
            if page is not None and keeps_place:
                row.sync_cursor = {"cursor": page.cursor, "at": now().isoformat()} if page.cursor else None
            for name, number in applied.counts.items():
                self.counts[name] = self.counts.get(name, 0) + number
            return applied

    def _note_unreadable(self, session: Session, page: CoverPage) -> None:
        found = [
            Found(DifferenceKind.UNREADABLE, reference[:120], None, "", {}, {"cover_id": reference[:120], "problem": problem[:300]})
            for reference, problem in page.unreadable
        ]
        self.unreadable.update(each.subject for each in found)
        if found:
            self.counts["unreadable"] = self.counts.get("unreadable", 0) + len(found)
            store_found(session, self.reach.connection_id, found, self.started_at)

    def _end(self, result: SyncResult) -> None:
        """Note how the run ended; after a whole list, what is missing in it."""
        with transaction(self.reach.organisation_id) as session:
            row = connections.get_connection(session, self.reach.connection_id, lock=True)
            if result.is_whole:
                self.counts["missing"] = note_missing(session, row, self.seen | self.unreadable, self.on)
                standing = open_of_kinds(session, row.id, [DifferenceKind.UNREADABLE])
                read = [
                    key
                    for (_kind, subject), key in standing.items()
                    if subject not in self.unreadable and subject not in self.seen and not subject.startswith(_REQUEST)
                ]
                settle(session, read, now())
            if result.state is SyncState.DONE:
                row.last_good_sync_at = self.started_at
            error: dict[str, Any] | None = None
            if result.error is not None:
                error = connections.error_data(result.error)
                if isinstance(result.error, TryLater):
                    pause = back_off_seconds(self._failures(session) + 1, result.error.retry_after_seconds)
                    error["retry_at"] = (now() + timedelta(seconds=pause)).isoformat()
            session.execute(
                update(SyncRun)
                .where(SyncRun.id == self.run_id)
                .values(
                    state=result.state,
                    is_whole=result.is_whole,
                    finished_at=now(),
                    network_milliseconds=result.network_milliseconds,
                    counts=dict(self.counts),
                    error=error,
                )
            )

    def _failures(self, session: Session) -> int:
        return failures_in_a_row(session, self.reach.connection_id, but=self.run_id)


def failures_in_a_row(session: Session, connection_id: int, *, but: int = 0) -> int:
    """How many of the last runs of a connection failed without a good one between them; at most ten are looked at."""
    states = session.scalars(
        select(SyncRun.state)
        .where(SyncRun.connection_id == connection_id, SyncRun.id != but, SyncRun.state.not_in([SyncState.RUNNING, SyncState.INTERRUPTED]))
        .order_by(SyncRun.id.desc())
        .limit(10)
    ).all()
    return next((index for index, state in enumerate(states) if state is not SyncState.FAILED), len(states))


def is_due(row: InsurerConnection, last: SyncRun | None, at: datetime) -> bool:
    """True if a connection should be synchronised at an instant: its interval is over, and the insurer does not ask us to wait."""
    if not row.is_enabled or row.stopped_because is not None or not can_be_read(row.capabilities):
        return False
    if last is None:
        return True
    if last.error is not None and "retry_at" in last.error and last.state is SyncState.FAILED:
        return at >= datetime.fromisoformat(last.error["retry_at"])
    if last.state in (SyncState.RUNNING, SyncState.INTERRUPTED) or last.counts.get("hurry"):
        return True
    return at >= last.started_at + timedelta(minutes=row.sync_every_minutes)


def due_connections(organisation_id: int, at: datetime) -> list[int]:
    """Keys of the connections whose synchronisation is due."""
    with transaction(organisation_id) as session:
        newest = select(func.max(SyncRun.id)).group_by(SyncRun.connection_id)
        last = {run.connection_id: run for run in session.scalars(select(SyncRun).where(SyncRun.id.in_(newest)))}
        rows = session.scalars(select(InsurerConnection).order_by(InsurerConnection.id)).all()
        return [row.id for row in rows if is_due(row, last.get(row.id), at)]

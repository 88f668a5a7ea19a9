"""Recurring work read: how each job stands for the organisation in scope, and its runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Enum, Integer, Select, String, cast, extract, func, select, type_coerce

from insureflow.domain.schedules import JOBS, Due, Job, RunState, Wish, due_of
from insureflow.models.database import db
from insureflow.models.jobs import JobRun, ScheduleSetting
from insureflow.models.scope import current_organisation_id
from insureflow.queries.listing import Field, FilterKind, Kind, Listing, Order

_STATE = Enum(
    RunState, native_enum=False, create_constraint=False, length=20, values_callable=lambda states: [each.value for each in states]
)


@dataclass(frozen=True, slots=True)
class JobStand:
    """How a job stands: as declared, as the organisation wants it, its last run, and when it is due next (None where it is off)."""

    job: Job
    wish: Wish
    due: Due | None
    next_at: datetime | None
    last_at: datetime | None
    last_state: RunState | None
    last_milliseconds: int | None
    last_counts: Mapping[str, int]
    last_error: str

    @property
    def is_adjusted(self) -> bool:
        """Whether the organisation wants it otherwise than declared."""
        return self.wish != Wish()


def _milliseconds(begun: Any, ended: Any) -> ColumnElement[int]:
    """How long a run took."""
    if db.engine.dialect.name == "sqlite":
        return cast(func.round((func.julianday(ended) - func.julianday(begun)) * 86_400_000), Integer)
    return cast(func.round(extract("epoch", ended - begun) * 1000), BigInteger)


def _own_runs() -> ColumnElement[bool]:
    """The runs of the organisation in scope: its key stands before their period."""
    return JobRun.period.startswith(f"{current_organisation_id()}/", autoescape=True)


def list_jobs(at: datetime, zone: str) -> list[JobStand]:
    """Every job the organisation in scope has a say in, as declared, with its last run and the next instant it is due."""
    settings = {row.job: Wish(row.is_enabled, row.minutes) for row in db.session.scalars(select(ScheduleSetting))}
    newest = select(func.max(JobRun.id)).where(_own_runs()).group_by(JobRun.job)
    last = {run.job: run for run in db.session.scalars(select(JobRun).where(JobRun.id.in_(newest)))}
    return [_stand(job, settings.get(job.key, Wish()), last.get(job.key), at, zone) for job in JOBS if not job.for_all]


def find_job(key: str, at: datetime, zone: str) -> JobStand | None:
    """How one job stands; None for one that organisations have no say in."""
    return next((each for each in list_jobs(at, zone) if each.job.key == key), None)


def _stand(job: Job, wish: Wish, run: JobRun | None, at: datetime, zone: str) -> JobStand:
    due = due_of(job, wish, zone)
    ended = None if run is None or run.finished_at is None else run.finished_at - run.started_at
    return JobStand(
        job,
        wish,
        due,
        None if due is None else due.following(at),
        None if run is None else run.started_at,
        None if run is None else RunState(run.status),
        None if ended is None else round(ended.total_seconds() * 1000),
        {} if run is None else run.counts,
        "" if run is None else run.error,
    )


def runs_listing(job: str) -> Listing:
    """The runs of a job for the organisation in scope."""
    return Listing(
        "job_runs",
        (
            Field("started_at", JobRun.started_at, Kind.INSTANT),
            Field("state", type_coerce(JobRun.status, _STATE), Kind.BADGE, filter=FilterKind.SELECT, sort=JobRun.status),
            Field("milliseconds", _milliseconds(JobRun.started_at, JobRun.finished_at), Kind.NUMBER),
            Field("counts", type_coerce(JobRun.counts, JobRun.counts.type), sortable=False),
            Field("error", type_coerce(JobRun.error, String), filter=FilterKind.TEXT),
        ),
        lambda statement: _of_job(statement, job),
        key=JobRun.id,
        order=Order("started_at", descending=True),
    )


def _of_job(statement: Select[Any], job: str) -> Select[Any]:
    return statement.select_from(JobRun).where(JobRun.job == job, _own_runs())

"""Runs of scheduled jobs: each period of a job is worked once, whoever comes first, and what became of it is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from insureflow.domain.errors import InvalidValue
from insureflow.models.database import db
from insureflow.models.jobs import JobRun, ScheduleSetting
from insureflow.models.organisations import Organisation
from insureflow.models.scope import within
from insureflow.services import journal
from insureflow.services.clock import business_date, now
from insureflow.services.journal import Actor, Subject
from insureflow.services.transaction import transaction

RUNNING = "running"
DONE = "done"
FAILED = "failed"
INTERRUPTED = "interrupted"

_LONGEST_ERROR = 1000


def begin_run(job: str, period: str) -> int | None:
    """Key of the new run of a job for a period; None if somebody else has begun or ended it.

    A run that was interrupted is taken up again under its old key.
    """
    with transaction() as session:
        again = update(JobRun).where(JobRun.job == job, JobRun.period == period, JobRun.status == INTERRUPTED)
        again = again.values(status=RUNNING, started_at=now(), finished_at=None, error="")
        taken: int | None = session.scalar(again.returning(JobRun.id))
        if taken is not None:
            return taken
        insert = postgresql.insert if session.connection().dialect.name == "postgresql" else sqlite.insert
        row = insert(JobRun).values(job=job, period=period, status=RUNNING, started_at=now(), counts={}, error="")
        begun: int | None = session.scalar(row.on_conflict_do_nothing(index_elements=["job", "period"]).returning(JobRun.id))
        return begun


def finish_run(run_id: int, counts: Mapping[str, int]) -> None:
    """Notes that a run ended well, and what it counted."""
    with transaction() as session:
        session.execute(update(JobRun).where(JobRun.id == run_id).values(status=DONE, finished_at=now(), counts=dict(counts)))


def fail_run(run_id: int, error: str) -> None:
    """Notes that a run failed, and why."""
    with transaction() as session:
        session.execute(update(JobRun).where(JobRun.id == run_id).values(status=FAILED, finished_at=now(), error=error[:_LONGEST_ERROR]))


def interrupt_runs() -> int:
    """How many runs were left behind by a scheduler that died; they are marked, so that their period can be worked again.

    To be called by a process that has just become the leader: nobody else can be running anything then.
    """
    with transaction() as session:
        left = session.scalars(
            update(JobRun).where(JobRun.status == RUNNING).values(status=INTERRUPTED, finished_at=now()).returning(JobRun.id)
        )
        return len(left.all())


def list_runs(limit: int = 100) -> list[JobRun]:
    """The newest runs first."""
    return list(db.session.scalars(select(JobRun).order_by(JobRun.started_at.desc(), JobRun.id.desc()).limit(limit)))


def organisations_to_serve() -> list[tuple[int, str]]:
    """Key and short name of every organisation, for jobs that do the same for each."""
    return [(row.id, row.slug) for row in db.session.execute(select(Organisation.id, Organisation.slug).order_by(Organisation.id))]


@dataclass(frozen=True, slots=True)
class Served:
    """An organisation that a job works for now. ``every_minutes`` is its own wish for the interval, None for the declared one."""

    organisation_id: int
    slug: str
    today: date
    every_minutes: int | None


def served_by(job: str, at: datetime, declared_minutes: int) -> list[Served]:
    """The organisations that want a recurring job worked at an instant; most take it as it is declared.

    *Formula:* an organisation with an interval of its own is served where a multiple of it, counted from midnight UTC, lies within
    the declared interval before the instant.
    """
    found = []
    for row in db.session.execute(select(Organisation.id, Organisation.slug, Organisation.time_zone).order_by(Organisation.id)).all():
        with within(row.id):
            wish = db.session.execute(
                select(ScheduleSetting.is_enabled, ScheduleSetting.every_minutes).where(ScheduleSetting.job == job)
            ).first()
        every = None if wish is None else wish.every_minutes
        if wish is not None and not wish.is_enabled:
            continue
        minute = at.astimezone(UTC).hour * 60 + at.astimezone(UTC).minute
        if every is not None and every > declared_minutes and minute % every >= declared_minutes:
            continue
        found.append(Served(row.id, row.slug, business_date(row.time_zone), every))
    db.session.rollback()
    return found


#: The longest interval an organisation may ask for.
LONGEST_INTERVAL_MINUTES = 24 * 60


def set_schedule(actor: Actor, organisation_id: int, job: str, *, is_enabled: bool, every_minutes: int | None) -> None:
    """How often an organisation wants a recurring job; None is as declared. Errors: ``InvalidValue`` ``number_out_of_bounds``."""
    if every_minutes is not None and not 1 <= every_minutes <= LONGEST_INTERVAL_MINUTES:
        raise InvalidValue("number_out_of_bounds", "every_minutes", str(every_minutes), least=1, most=LONGEST_INTERVAL_MINUTES)
    with transaction(organisation_id) as session:
        row = session.scalar(select(ScheduleSetting).where(ScheduleSetting.job == job))
        before = None if row is None else {"is_enabled": row.is_enabled, "every_minutes": row.every_minutes}
        if row is None:
            row = ScheduleSetting(job=job)
            session.add(row)
        row.is_enabled, row.every_minutes = is_enabled, every_minutes
        session.flush()
        after = {"is_enabled": is_enabled, "every_minutes": every_minutes}
        journal.record(session, actor, "schedule.changed", Subject("schedule", row.id, job), before=before, after=after)


def settings_of(organisation_id: int) -> dict[str, ScheduleSetting]:
    """What an organisation wants otherwise than declared, by job."""
    with within(organisation_id):
        return {row.job: row for row in db.session.scalars(select(ScheduleSetting))}


def trim_runs(before: datetime) -> int:
    """Forget the runs that ended well before an instant; gives how many. Jobs of every minute would fill the table."""
    with transaction() as session:
        return len(session.scalars(delete(JobRun).where(JobRun.started_at < before, JobRun.status == DONE).returning(JobRun.id)).all())

"""Recurring work: how organisations want it, what is due, and what became of it.

Each period of a job is worked once, whoever comes first: for the whole installation, or by itself for each organisation.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from insureflow.domain.schedules import Daily, Job, RunState, Wish, check_wish, due_of, get_job, time_of_day
from insureflow.models.database import db
from insureflow.models.jobs import JobRun, ScheduleSetting
from insureflow.models.organisations import Organisation
from insureflow.models.scope import within
from insureflow.services import journal
from insureflow.services.clock import business_date, now
from insureflow.services.journal import Actor, Subject
from insureflow.services.transaction import transaction

_LONGEST_ERROR = 1000


def begin_run(job: str, period: str) -> int | None:
    """Key of the new run of a job for a period; None if somebody else has begun or ended it.

    A run that was interrupted is taken up again under its old key.
    """
    with transaction() as session:
        again = update(JobRun).where(JobRun.job == job, JobRun.period == period, JobRun.status == RunState.INTERRUPTED.value)
        again = again.values(status=RunState.RUNNING.value, started_at=now(), finished_at=None, error="")
        taken: int | None = session.scalar(again.returning(JobRun.id))
        if taken is not None:
            return taken
        insert = postgresql.insert if session.connection().dialect.name == "postgresql" else sqlite.insert
        row = insert(JobRun).values(job=job, period=period, status=RunState.RUNNING.value, started_at=now(), counts={}, error="")
        begun: int | None = session.scalar(row.on_conflict_do_nothing(index_elements=["job", "period"]).returning(JobRun.id))
        return begun


def _end_run(run_id: int, state: RunState, **values: object) -> None:
    with transaction() as session:
        session.execute(update(JobRun).where(JobRun.id == run_id).values(status=state.value, finished_at=now(), **values))


def finish_run(run_id: int, counts: Mapping[str, int]) -> None:
    """Notes that a run ended well, and what it counted."""
    _end_run(run_id, RunState.DONE, counts=dict(counts))


def fail_run(run_id: int, error: str) -> None:
    """Notes that a run failed, and why."""
    _end_run(run_id, RunState.FAILED, error=error[:_LONGEST_ERROR])


def interrupt_run(run_id: int, counts: Mapping[str, int]) -> None:
    """Notes that a run was asked to stop before its end; the next scheduler takes its period up again."""
    _end_run(run_id, RunState.INTERRUPTED, counts=dict(counts))


def interrupt_runs() -> int:
    """How many runs were left behind by a scheduler that died; they are marked, so that their period can be worked again.

    To be called by a process that has just become the leader: nobody else can be running anything then.
    """
    with transaction() as session:
        left = session.scalars(
            update(JobRun)
            .where(JobRun.status == RunState.RUNNING.value)
            .values(status=RunState.INTERRUPTED.value, finished_at=now())
            .returning(JobRun.id)
        )
        return len(left.all())


def list_runs(limit: int = 100) -> list[JobRun]:
    """The newest runs of all organisations first, for those who look after the installation."""
    return list(db.session.scalars(select(JobRun).order_by(JobRun.started_at.desc(), JobRun.id.desc()).limit(limit)))


def organisations_to_serve() -> list[tuple[int, str]]:
    """Key and short name of every organisation, for jobs that do the same for each."""
    return [(row.id, row.slug) for row in db.session.execute(select(Organisation.id, Organisation.slug).order_by(Organisation.id))]


def _goes_on() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Served:
    """An organisation that a job is due for: the period as its run is kept, and a way to notice that the process is asked to end."""

    organisation_id: int
    slug: str
    today: date
    period: str
    wants_to_stop: Callable[[], bool] = field(default=_goes_on, repr=False)


def period_of(organisation_id: int, period: str) -> str:
    """The period of an organisation's run as it is kept."""
    return f"{organisation_id}/{period}"


def wish_of(organisation_id: int, job: str) -> Wish:
    """How an organisation wants a job."""
    with within(organisation_id):
        row = db.session.execute(select(ScheduleSetting.is_enabled, ScheduleSetting.minutes).where(ScheduleSetting.job == job)).first()
    return Wish() if row is None else Wish(row.is_enabled, row.minutes)


def served_by(job: Job, at: datetime, wants_to_stop: Callable[[], bool] = _goes_on) -> list[Served]:
    """The organisations whose period of a job that was due last at an instant nobody has begun yet."""
    due: list[Served] = []
    for row in db.session.execute(select(Organisation.id, Organisation.slug, Organisation.time_zone).order_by(Organisation.id)).all():
        wanted = due_of(job, wish_of(row.id, job.key), row.time_zone)
        if wanted is not None:
            due.append(Served(row.id, row.slug, business_date(row.time_zone), period_of(row.id, wanted.period(at)), wants_to_stop))
    begun = _begun(job.key, [each.period for each in due])
    db.session.rollback()
    return [each for each in due if each.period not in begun]


def _begun(job: str, periods: Collection[str]) -> set[str]:
    statement = select(JobRun.period).where(
        JobRun.job == job, JobRun.period.in_(list(periods)), JobRun.status != RunState.INTERRUPTED.value
    )
    return set(db.session.scalars(statement)) if periods else set()


def set_schedule(actor: Actor, organisation_id: int, key: str, wish: Wish) -> None:
    """How an organisation wants a recurring job; as declared where the wish says nothing else.

    Errors: ``Refusal`` ``job_unknown``, ``job_always_on``; ``InvalidValue`` ``interval_out_of_bounds``, ``time_of_day_wrong``.
    """
    job = get_job(key)
    check_wish(job, wish)
    with transaction(organisation_id) as session:
        row = session.scalar(select(ScheduleSetting).where(ScheduleSetting.job == key))
        before = Wish() if row is None else Wish(row.is_enabled, row.minutes)
        if before == wish:
            return
        if row is None:
            row = ScheduleSetting(job=key)
            session.add(row)
        row.is_enabled, row.minutes = wish.is_enabled, wish.minutes
        session.flush()
        journal.record(
            session, actor, "schedule.changed", Subject("schedule", row.id, key), before=_picture(job, before), after=_picture(job, wish)
        )


def _picture(job: Job, wish: Wish) -> dict[str, object]:
    """A wish as the journal keeps it."""
    if isinstance(job.due, Daily):
        return {"is_enabled": wish.is_enabled, "at": None if wish.minutes is None else time_of_day(wish.minutes)}
    return {"is_enabled": wish.is_enabled, "every_minutes": wish.minutes}


#: Runs that ended well are kept so many days: of jobs that come by the minute, and of all others.
KEPT_DAYS = (2, 60)


def trim_runs(job: str, before: datetime) -> int:
    """Forget the runs of a job that ended well before an instant; gives how many. Jobs of every minute would fill the table."""
    with transaction() as session:
        gone = delete(JobRun).where(JobRun.job == job, JobRun.started_at < before.astimezone(UTC), JobRun.status == RunState.DONE.value)
        return len(session.scalars(gone.returning(JobRun.id)).all())

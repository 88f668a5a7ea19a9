"""Runs of scheduled jobs: each period of a job is worked once, whoever comes first, and what became of it is kept."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite

from insureflow.models.database import db
from insureflow.models.jobs import JobRun
from insureflow.models.organisations import Organisation
from insureflow.services.clock import now
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

"""Long work: tasks somebody waits for, and runs of scheduled jobs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from insureflow.domain.tasks import TaskState
from insureflow.models.base import Base, Json, TenantOwned, key, vocabulary


class Task(TenantOwned, Base):
    """A long piece of work of one organisation, with its progress; ``cancel_requested`` asks the worker to stop."""

    __tablename__ = "task"
    __table_args__ = (Index(None, "organisation_id", "created_at"), Index(None, "state", "id"))

    id: Mapped[key]
    kind: Mapped[str] = mapped_column(String(60))
    parameters: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    state: Mapped[TaskState] = mapped_column(vocabulary(TaskState, "state"))
    stage: Mapped[str] = mapped_column(String(60), default="")
    progress_done: Mapped[int] = mapped_column(default=0)
    progress_total: Mapped[int | None]
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    result: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    error: Mapped[dict[str, Any] | None] = mapped_column(Json)
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    started_at: Mapped[datetime | None]
    heartbeat_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class JobRun(Base):
    """One run of a scheduled job for one period; the unique key makes it happen once even with two schedulers.

    The run of a job that is done for each organisation has the organisation's key before its period: ``17/2026-11-22``.
    """

    __tablename__ = "job_run"
    __table_args__ = (UniqueConstraint("job", "period"),)

    id: Mapped[key]
    job: Mapped[str] = mapped_column(String(80))
    period: Mapped[str] = mapped_column(String(40))
    status: Mapped[str] = mapped_column(String(20))
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    counts: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    error: Mapped[str] = mapped_column(String(1000), default="")


class ScheduleSetting(TenantOwned, Base):
    """How an organisation wants a recurring job; without a row the schedule declared in code holds.

    ``minutes`` is an interval, or for a job of the day the minute after midnight where the organisation is; None is as declared.
    """

    __tablename__ = "schedule_setting"
    __table_args__ = (UniqueConstraint("organisation_id", "job"),)

    id: Mapped[key]
    job: Mapped[str] = mapped_column(String(80))
    is_enabled: Mapped[bool] = mapped_column(default=True)
    minutes: Mapped[int | None] = mapped_column("every_minutes")

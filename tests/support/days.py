"""Days of an organisation in the tests: the clock stands on a day, and the scheduler's own jobs run for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time

import time_machine
from sqlalchemy import select

from insureflow.jobs.scheduler import SCHEDULES, run_for
from insureflow.models.cover import InvoicePosition
from insureflow.models.database import db
from insureflow.models.jobs import JobRun
from insureflow.models.messages import Told
from insureflow.models.receivables import Invoice
from insureflow.services.jobs import Served, period_of

#: What the scheduler does about overdues, in the order of a morning.
MORNING = (
    "notices.draft",
    "payment_plans.watch",
    "obligations.remind",
    "blocks.tell",
    "obligations.digest",
    "dunning.propose",
    "dunning.issue",
    "messages.deliver",
)
_SCHEDULES = {schedule.job.key: schedule for schedule in SCHEDULES}


@contextmanager
def standing_on(day: date) -> Iterator[date]:
    """The clock stands at nine in the morning (UTC) of a day."""
    with time_machine.travel(f"{day.isoformat()}T09:00:00Z", tick=False):
        yield day


def run_jobs(organisation_id: int, day: date, keys: Sequence[str] = MORNING, *, at: str = "") -> dict[str, int]:
    """Let the scheduler work these jobs for the organisation and the day, as it does itself; what they counted.

    ``at`` tells two rounds of a day apart, for jobs that come by the minute.
    """
    counted: dict[str, int] = {}
    for key in keys:
        served = Served(organisation_id, "tested", day, period_of(organisation_id, f"{day.isoformat()}{at}"))
        went_well = run_for(_SCHEDULES[key], served)
        run = db.session.execute(select(JobRun.counts, JobRun.error).where(JobRun.job == key, JobRun.period == served.period)).one()
        assert went_well, (key, run.error)
        counted |= run.counts
        db.session.rollback()
    return counted


def told(kind: str) -> list[tuple[int, str]]:
    """Whom the organisation in scope told of something, and the cause of it."""
    rows = db.session.execute(select(Told.user_id, Told.cause).where(Told.kind == kind).order_by(Told.id))
    return [(user_id, cause) for user_id, cause in rows]


def cover_on(day: date) -> Mapping[str, tuple[int, int, int, str | None]]:
    """By invoice of the organisation in scope: open, covered and disputed on a day in minor units, and why it is not insured."""
    position = InvoicePosition
    rows = db.session.execute(
        select(
            Invoice.number,
            position.open_minor,
            position.primary_minor + position.top_up_minor,
            position.disputed_minor,
            position.excluded_reason,
        )
        .join(Invoice, Invoice.id == position.invoice_id)
        .where(position.valid_from <= day, position.valid_to > day, position.open_minor > 0)
        .order_by(Invoice.number)
    )
    return {number: (opened, covered, disputed, reason) for number, opened, covered, disputed, reason in rows}


@contextmanager
def staying_on(day: date) -> Iterator[None]:
    """The clock goes on from noon of a day, so that a test which speaks of that day may run past midnight."""
    with time_machine.travel(datetime.combine(day, time(12), UTC), tick=True):
        yield

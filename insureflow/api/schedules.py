"""Recurring work: how each job stands, and at which times an organisation wants it."""

# flask-smorest comes without types, and its decorators with it.
# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import g
from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from insureflow.domain.access import Permission, requires
from insureflow.domain.errors import InvalidValue, Refusal
from insureflow.domain.schedules import Daily, Wish, get_job, read_time_of_day, time_of_day
from insureflow.queries import schedules as queries
from insureflow.queries.schedules import JobStand
from insureflow.services import jobs
from insureflow.services.clock import now

blueprint = Blueprint("api_schedules", __name__, url_prefix="/schedules", description="Recurring work.")


class JobSchema(Schema):
    """A job: its times, its last run, and when it is due next."""

    job = fields.String()
    is_enabled = fields.Boolean()
    is_adjusted = fields.Boolean(metadata={"description": "The organisation wants it otherwise than declared."})
    at = fields.String(allow_none=True, metadata={"description": "The time of day that was set, where it is the organisation's own."})
    every_minutes = fields.Integer(allow_none=True, metadata={"description": "Null for a job of the day."})
    next_at = fields.AwareDateTime(allow_none=True)
    last_at = fields.AwareDateTime(allow_none=True)
    last_state = fields.String(allow_none=True)
    last_counts = fields.Dict()
    last_error = fields.String()


class JobsSchema(Schema):
    """All jobs."""

    items = fields.List(fields.Nested(JobSchema))


class WishSchema(Schema):
    """How a job is wanted; what is left out is as declared. `at` is for jobs of the day, `every_minutes` for all others."""

    is_enabled = fields.Boolean(load_default=True)
    at = fields.String(validate=validate.Length(1, 20), metadata={"description": "Hours and minutes where the organisation is: 03:30."})
    every_minutes = fields.Integer(validate=validate.Range(1, 1440))


def _stand(job: str) -> JobStand:
    found = queries.find_job(job, now(), g.organisation.time_zone)
    if found is None:
        raise Refusal("job_unknown", job=job)
    return found


def _shown(stand: JobStand) -> dict[str, Any]:
    is_daily = isinstance(stand.job.due, Daily)
    minutes = stand.wish.minutes
    return {
        "job": stand.job.key,
        "is_enabled": stand.wish.is_enabled,
        "is_adjusted": stand.is_adjusted,
        "at": time_of_day(minutes) if is_daily and minutes is not None else None,
        "every_minutes": None if isinstance(stand.job.due, Daily) else minutes or stand.job.due.minutes,
        "next_at": stand.next_at,
        "last_at": stand.last_at,
        "last_state": None if stand.last_state is None else stand.last_state.value,
        "last_counts": dict(stand.last_counts),
        "last_error": stand.last_error,
    }


@blueprint.get("")
@requires(Permission.VIEW_SETTINGS)
@blueprint.response(200, JobsSchema)
def index() -> dict[str, Any]:
    """Every job and how it stands."""
    return {"items": [_shown(each) for each in queries.list_jobs(now(), g.organisation.time_zone)]}


@blueprint.get("/<job>")
@requires(Permission.VIEW_SETTINGS)
@blueprint.response(200, JobSchema)
def show(job: str) -> dict[str, Any]:
    """One job and how it stands."""
    return _shown(_stand(job))


@blueprint.post("/<job>")
@requires(Permission.MANAGE_ORGANISATION)
@blueprint.arguments(WishSchema)
@blueprint.response(200, JobSchema)
def change(said: Mapping[str, Any], job: str) -> dict[str, Any]:
    """Have a job at other times, or not at all."""
    declared = get_job(job)
    if isinstance(declared.due, Daily):
        if "every_minutes" in said:
            raise InvalidValue("time_of_day_wrong", "every_minutes", str(said["every_minutes"]))
        minutes = read_time_of_day(said["at"]) if "at" in said else None
    else:
        if "at" in said:
            bounds = {"least": declared.due.minutes, "most": declared.longest_minutes}
            raise InvalidValue("interval_out_of_bounds", "at", said["at"], **bounds)
        minutes = said.get("every_minutes")
    jobs.set_schedule(g.actor, g.organisation.id, job, Wish(said["is_enabled"], minutes))
    return _shown(_stand(job))


@blueprint.post("/<job>/reset")
@requires(Permission.MANAGE_ORGANISATION)
@blueprint.response(200, JobSchema)
def reset(job: str) -> dict[str, Any]:
    """Have a job as declared again."""
    jobs.set_schedule(g.actor, g.organisation.id, job, Wish())
    return _shown(_stand(job))

"""``insureflow jobs``: what runs by itself, when, what came of it, and how an organisation wants it."""

from __future__ import annotations

import sys

import click
from flask import Flask
from flask.cli import AppGroup

from insureflow.cli.options import COMMAND_LINE, LOCALE, Place, format_option, inside, organisation_option, print_rows, refusals_as_errors
from insureflow.domain.errors import Refusal
from insureflow.domain.schedules import JOBS, Daily, Due, RunState, Wish, get_job, read_time_of_day, time_of_day
from insureflow.i18n.words import find_word, word
from insureflow.jobs.scheduler import SCHEDULES, run_for
from insureflow.queries import schedules as queries
from insureflow.queries.listing import Narrowing
from insureflow.services import jobs
from insureflow.services.clock import now
from insureflow.services.jobs import Served

group = AppGroup("jobs", help="Recurring work: its times, its runs.")

_KEYS = click.Choice([job.key for job in JOBS if not job.for_all])


def register(app: Flask) -> None:
    """Add the commands."""
    app.cli.add_command(group)


def _due(due: Due | None, zone: str) -> str:
    if due is None:
        return "switched off"
    if isinstance(due, Daily):
        time = time_of_day(due.hour * 60 + due.minute)
        return f"every day at {time}" + ("" if due.zone == zone else f" {due.zone}")
    return "every minute" if due.minutes == 1 else f"every {due.minutes} minutes"


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(
        f"{word(f'RunCount.{name}', LOCALE)}: {number}" for name, number in counts.items() if number and find_word(f"RunCount.{name}")
    )


@group.command("list")
@organisation_option
@format_option
@refusals_as_errors
def list_(organisation: str, output: str) -> None:
    """Every job: when it comes as declared and here, its last run, and the next."""
    with inside(organisation) as place:
        found = queries.list_jobs(now(), place.time_zone)
    rows = [
        {
            "job": each.job.key,
            "declared": _due(each.job.due, place.time_zone),
            "here": _due(each.due, place.time_zone),
            "last_at": each.last_at,
            "last_state": each.last_state if output == "json" or each.last_state is None else word(each.last_state, LOCALE),
            "milliseconds": each.last_milliseconds,
            "counts": dict(each.last_counts) if output == "json" else _counts(dict(each.last_counts)),
            "next_at": each.next_at,
        }
        for each in found
    ]
    names = {"job": "Job", "declared": "As declared", "here": "Here", "last_at": "Last run", "last_state": "How it ended"}
    names |= {"milliseconds": "Milliseconds", "counts": "Counted", "next_at": "Next run"}
    print_rows(output, names, rows, nothing="There are no jobs.")


@group.command("runs")
@organisation_option
@click.argument("job", type=_KEYS)
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="Most runs to show.")
@format_option
@refusals_as_errors
def runs(organisation: str, job: str, limit: int, output: str) -> None:
    """The last runs of a job, newest first."""
    listing = queries.runs_listing(job)
    with inside(organisation):
        found = listing.page(Narrowing(), listing.order, 1, limit).rows
    is_json = output == "json"
    rows = [
        {
            **row,
            "state": row["state"] if is_json else word(row["state"], LOCALE),
            "counts": row["counts"] if is_json else _counts(dict(row["counts"])),
        }
        for row in found
    ]
    names = {"started_at": "Begun", "state": "How it ended", "milliseconds": "Milliseconds", "counts": "Counted", "error": "Went wrong"}
    print_rows(output, names, rows, nothing="It has not run yet.")


@group.command("set")
@organisation_option
@click.argument("job", type=_KEYS)
@click.option("--on/--off", "is_enabled", default=True, help="Whether it comes at all.")
@click.option("--every", "every_minutes", type=int, help="Minutes between two runs, for jobs that come by the minute.")
@click.option("--at", "time", help="Time of day where the organisation is, such as 03:30, for jobs of the day.")
@refusals_as_errors
def set_(organisation: str, job: str, is_enabled: bool, every_minutes: int | None, time: str | None) -> None:
    """Have a job at other times, or not at all. What is not given is as declared."""
    is_daily = isinstance(get_job(job).due, Daily)
    if time is not None and not is_daily:
        raise click.UsageError("This job comes by the minute: use --every.")
    if every_minutes is not None and is_daily:
        raise click.UsageError("This job comes once a day: use --at.")
    with inside(organisation) as place:
        minutes = read_time_of_day(time) if time is not None else every_minutes
        jobs.set_schedule(COMMAND_LINE, place.organisation_id, job, Wish(is_enabled, minutes))
        _tell(place, job)


@group.command("reset")
@organisation_option
@click.argument("job", type=_KEYS)
@refusals_as_errors
def reset(organisation: str, job: str) -> None:
    """Have a job as declared again."""
    with inside(organisation) as place:
        jobs.set_schedule(COMMAND_LINE, place.organisation_id, job, Wish())
        _tell(place, job)


def _tell(place: Place, job: str) -> None:
    stand = queries.find_job(job, now(), place.time_zone)
    if stand is None:
        raise Refusal("job_unknown", job=job)
    click.echo(f"{word(f'Job.{job}', LOCALE)}: {_due(stand.due, place.time_zone)}")


@group.command("run")
@organisation_option
@click.argument("job", type=_KEYS)
@refusals_as_errors
def run(organisation: str, job: str) -> None:
    """Do a job for the organisation now, whatever its times; the run is recorded like any other."""
    schedule = next(each for each in SCHEDULES if each.job.key == job)
    at = now()
    with inside(organisation) as place:
        period = jobs.period_of(place.organisation_id, f"{at:%Y-%m-%dT%H:%M:%S.%f}")
        run_for(schedule, Served(place.organisation_id, organisation, place.today, period))
        done = queries.find_job(job, at, place.time_zone)
    if done is None or done.last_state is None:
        raise Refusal("job_unknown", job=job)
    click.echo(f"{word(done.last_state, LOCALE)}: {_counts(dict(done.last_counts)) or done.last_error or 'nothing to do'}")
    if done.last_state is not RunState.DONE:
        sys.exit(1)

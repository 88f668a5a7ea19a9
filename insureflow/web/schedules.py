"""Recurring work: what runs by itself, when, what came of it, and how an organisation wants it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, abort, flash, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale, ngettext
from flask_babel import gettext as _
from flask_wtf import FlaskForm
from wtforms import BooleanField, IntegerField, StringField
from wtforms.validators import InputRequired, Length

from insureflow.domain.access import Permission
from insureflow.domain.errors import InvalidValue, Refusal
from insureflow.domain.schedules import Daily, Due, Job, RunState, Wish, read_time_of_day, time_of_day
from insureflow.i18n import formats
from insureflow.i18n.words import find_word, sentence_for, word
from insureflow.queries import schedules as queries
from insureflow.queries.schedules import JobStand
from insureflow.services import jobs
from insureflow.services.clock import now
from insureflow.web.access import requires
from insureflow.web.tables import Empty, TableView, build_table, wanted_export

blueprint = Blueprint("schedules", __name__, url_prefix="/settings/jobs")


def _locale() -> str:
    return str(get_locale() or "en")


def due_in_words(due: Due | None, zone: str) -> str:
    """When something is due, for a reader."""
    if due is None:
        return str(_("switched off"))
    said: str
    if isinstance(due, Daily):
        time = time_of_day(due.hour * 60 + due.minute)
        said = _("every day at %(time)s", time=time) if due.zone == zone else _("every day at %(time)s %(zone)s", time=time, zone=due.zone)
    else:
        said = ngettext("every minute", "every %(num)s minutes", due.minutes)
    return said


def counts_in_words(counts: Mapping[str, Any]) -> str:
    """What a run counted; what is nought is left out."""
    return "; ".join(
        f"{word(f'RunCount.{name}', _locale())}: {formats.number(number, _locale())}"
        for name, number in counts.items()
        if number and find_word(f"RunCount.{name}")
    )


def _shown(each: JobStand) -> dict[str, Any]:
    zone = g.organisation.time_zone
    return {
        "stand": each,
        "key": each.job.key,
        "name": word(f"Job.{each.job.key}", _locale()),
        "hint": word(f"JobHint.{each.job.key}", _locale()),
        "declared": due_in_words(each.job.due, zone),
        "wanted": due_in_words(each.due, zone),
        "counts": counts_in_words(each.last_counts),
    }


@blueprint.get("/")
@requires(Permission.VIEW_SETTINGS)
def index() -> str:
    """Every job: when it comes as declared and here, its last run, and the next."""
    found = queries.list_jobs(now(), g.organisation.time_zone)
    return render_template("schedules/index.html", jobs=[_shown(each) for each in found])


def _form(job: Job, wish: Wish) -> FlaskForm:
    """The form of a job: on or off, and its interval or time of day."""
    fields: dict[str, Any] = {}
    data: dict[str, Any] = {"is_enabled": wish.is_enabled}
    if not job.always_on:
        fields["is_enabled"] = BooleanField(_("Switched on"))
    if isinstance(job.due, Daily):
        fields["at"] = StringField(
            _("Time of day"),
            [Length(max=20)],
            description=_("Hours and minutes in %(zone)s, such as 03:30. Empty: as declared.", zone=g.organisation.time_zone),
            render_kw={"inputmode": "numeric"},
        )
        data["at"] = "" if wish.minutes is None else time_of_day(wish.minutes)
    else:
        fields["every_minutes"] = IntegerField(
            _("Minutes between two runs"),
            [InputRequired(_("Write a whole number."))],
            description=_("From %(least)s to %(most)s, counted from midnight UTC.", least=job.due.minutes, most=job.longest_minutes),
        )
        data["every_minutes"] = wish.minutes or job.due.minutes
    form: FlaskForm = type("ScheduleForm", (FlaskForm,), fields)(data=data)
    return form


def _wish_of(form: FlaskForm, job: Job) -> Wish:
    """What the form says. Errors: ``InvalidValue`` ``time_of_day_wrong``."""
    is_enabled = bool(form["is_enabled"].data) if "is_enabled" in form else True
    if isinstance(job.due, Daily):
        text = (form["at"].data or "").strip()
        return Wish(is_enabled, read_time_of_day(text) if text else None)
    minutes: int = form["every_minutes"].data
    return Wish(is_enabled, None if minutes == job.due.minutes else minutes)


def _page(stand: JobStand, form: FlaskForm) -> ResponseReturnValue:
    view = TableView(
        queries.runs_listing(stand.job.key),
        _("Runs"),
        {
            "started_at": _("Begun"),
            "state": _("How it ended"),
            "milliseconds": _("Milliseconds"),
            "counts": _("What it counted"),
            "error": _("Went wrong"),
        },
        options={"state": lambda: [(state.value, word(state, _locale())) for state in RunState]},
        decorate=lambda row: row | {"counts": counts_in_words(row["counts"])},
        empty=lambda: Empty(_("It has not run yet"), _("It runs by itself while the scheduler is running.")),
    )
    exported = wanted_export(view, stand.job.key)
    if exported is not None:
        return exported
    return render_template("schedules/show.html", job=_shown(stand), form=form, table=build_table(view))


def _get(key: str) -> JobStand:
    return queries.find_job(key, now(), g.organisation.time_zone) or abort(404)


@blueprint.get("/<job>")
@requires(Permission.VIEW_SETTINGS)
def show(job: str) -> ResponseReturnValue:
    """One job: its times and its runs."""
    stand = _get(job)
    return _page(stand, _form(stand.job, stand.wish))


@blueprint.post("/<job>")
@requires(Permission.MANAGE_ORGANISATION)
def change(job: str) -> ResponseReturnValue:
    """Have a job at other times, or not at all."""
    stand = _get(job)
    form = _form(stand.job, stand.wish)
    if form.validate_on_submit():
        try:
            jobs.set_schedule(g.actor, g.organisation.id, job, _wish_of(form, stand.job))
        except Refusal as refusal:
            name = refusal.path if isinstance(refusal, InvalidValue) else "is_enabled"
            if name in form:
                form[name].errors = [*form[name].errors, sentence_for(refusal, _locale())]
            else:
                form.form_errors.append(sentence_for(refusal, _locale()))
        else:
            flash(_("The job is set. It counts from the next time it is due."), "success")
            return redirect(url_for("schedules.show", job=job))
    page = _page(stand, form)
    return page, 422  # type: ignore[return-value]  # no export is asked for by a POST


@blueprint.post("/<job>/reset")
@requires(Permission.MANAGE_ORGANISATION)
def reset(job: str) -> ResponseReturnValue:
    """Have a job as declared again."""
    _get(job)
    jobs.set_schedule(g.actor, g.organisation.id, job, Wish())
    flash(_("The job comes as declared again."), "success")
    return redirect(url_for("schedules.show", job=job))

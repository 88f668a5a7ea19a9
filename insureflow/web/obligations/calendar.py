"""The month of duties at a glance."""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from babel.dates import format_date, get_day_names
from flask import abort, g, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _

from insureflow.domain.access import Permission
from insureflow.domain.obligations import ObligationKind
from insureflow.queries.dashboard.duties import DayOfDuties, duty_calendar
from insureflow.web.access import requires
from insureflow.web.filters import word
from insureflow.web.links import duty_key_url
from insureflow.web.obligations.standing import blueprint, chosen_portfolio, chosen_reporting, tone_of_status


@dataclass(frozen=True, slots=True)
class DayEntry:
    """What falls due on a day of one kind."""

    label: str
    tone: str
    url: str


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """One cell of the month."""

    on: date
    name: str
    is_in_month: bool
    is_today: bool
    entries: tuple[DayEntry, ...]


def _month() -> date:
    text = request.args.get("month", "")
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        return date(g.on.year, g.on.month, 1)


_WORSE = ("stopped", "uncovered", "undecided", "covered")


def _entries(on: date, found: Sequence[DayOfDuties]) -> tuple[DayEntry, ...]:
    entries = []
    for kind in ObligationKind:
        of_kind = [group for group in found if group.kind is kind]
        count = sum(group.count for group in of_kind)
        if not count:
            continue
        tone = min((tone_of_status(kind, group.status, on, g.on) for group in of_kind), key=_WORSE.index)
        label = word(kind) if count == 1 else _("%(kind)s × %(count)s", kind=word(kind), count=count)
        if count == 1:
            url = duty_key_url(of_kind[0].duty) or ""
        else:
            url = url_for("obligations.duties", kind=kind.value, due_on_from=on.isoformat(), due_on_to=on.isoformat())
        entries.append(DayEntry(str(label), tone, url))
    return tuple(entries)


@blueprint.get("/")
@requires(Permission.VIEW_OBLIGATIONS)
def index() -> ResponseReturnValue:
    """A month of duties, and what is late."""
    month = _month()
    if not 1900 <= month.year <= 2199:
        abort(404)
    weeks = calendar.Calendar(firstweekday=0).monthdatescalendar(month.year, month.month)
    report = chosen_reporting()
    first, last = weeks[0][0], weeks[-1][-1]
    found = duty_calendar(chosen_portfolio(), report, g.today, first, last)
    locale = get_locale()
    grid = [
        [
            CalendarDay(
                day,
                format_date(day, "d MMM" if day.day == 1 else "d", locale=locale),
                day.month == month.month,
                day == g.on,
                _entries(day, found.days.get(day, ())),
            )
            for day in week
        ]
        for week in weeks
    ]
    names = get_day_names("abbreviated", context="stand-alone", locale=locale)
    return render_template(
        "obligations/index.html",
        grid=grid,
        day_names=[names[number] for number in range(7)],
        month_name=format_date(month, "MMMM y", locale=locale),
        before=(month - timedelta(days=1)).strftime("%Y-%m"),
        after=(month + timedelta(days=32)).strftime("%Y-%m"),
        is_this_month=(month.year, month.month) == (g.on.year, g.on.month),
        week=found.this_week,
        late=found.late,
        at_stake=found.at_stake,
        report=report,
    )

"""The calendar of duties: a month at a glance, the list, and each duty with its reasons and what was done about it."""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from babel.dates import format_date, get_day_names
from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale, ngettext, pgettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import DateField, TextAreaField
from wtforms.validators import InputRequired, Length

from insureflow.domain.access import Permission
from insureflow.domain.obligations import ObligationKind
from insureflow.queries.dashboard.calculated import CalculatedListing, calculated_field
from insureflow.queries.dashboard.duties import EXPECTED, DayOfDuties, PressingDuty, duty_calendar, list_duties
from insureflow.queries.exposure import Portfolio, Reporting
from insureflow.queries.listing import FilterKind, Kind, Order
from insureflow.queries.obligations.calendar import SETTLED, CalendarStatus, find_entry
from insureflow.services import obligations
from insureflow.services.obligations import Mark
from insureflow.web.access import may, requires
from insureflow.web.filters import country as country_name
from insureflow.web.filters import day as shown_day
from insureflow.web.filters import word
from insureflow.web.links import buyer_url, duty_key_url, duty_url, link_to, policy_url
from insureflow.web.tables import Empty, TableView, build_table, country_options, read_date, wanted_export, word_options

blueprint = Blueprint("obligations", __name__, url_prefix="/obligations")

#: How many days before its day a duty begins to press.
PRESSING_DAYS = 15


class DoneForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF comes without types
    """That a duty was done, and how that can be shown."""

    marked_on = DateField(_l("Done on"), [InputRequired(_l("Say when it was done."))])
    note = TextAreaField(
        _l("Evidence"), [InputRequired(_l("Say how it was done: a reference, a letter, a confirmation of the insurer.")), Length(max=1000)]
    )


class WaiveForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF comes without types
    """Why a duty is not going to be done."""

    reason = TextAreaField(_l("Reason"), [InputRequired(_l("Say why it need not be done.")), Length(max=1000)])


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


def _portfolio() -> Portfolio:
    return Portfolio(g.on, g.scope.entity_id, g.scope.policy_id)


def _reporting() -> Reporting:
    return Reporting(g.organisation.reporting_currency, g.on)


def tone_of(duty: PressingDuty, on: date) -> str:
    """How a duty presses: late or due today, within 15 days, later, or no longer."""
    return _tone_of_status(duty.kind, duty.entry.status, duty.due_on, on)


def status_of(duty: PressingDuty) -> CalendarStatus:
    """How a duty stands; what is only expected is never late."""
    return CalendarStatus.OPEN if duty.is_expected and duty.entry.status is CalendarStatus.LATE else duty.entry.status


def time_left(duty: PressingDuty, on: date) -> str:
    """How long there is, or how late it is, in words."""
    if not duty.is_open:
        return ""
    days = (duty.due_on - on).days
    if days < 0:
        return str(ngettext("%(num)s day late", "%(num)s days late", -days))
    return str(_("today")) if days == 0 else str(ngettext("in %(num)s day", "in %(num)s days", days))


def _month() -> date:
    text = request.args.get("month", "")
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        return date(g.on.year, g.on.month, 1)


_WORSE = ("stopped", "uncovered", "undecided", "covered")


def _tone_of_status(kind: ObligationKind, status: CalendarStatus, due_on: date, on: date) -> str:
    """How duties press that fall due on a day and stand alike; as ``tone_of`` of each of them."""
    is_open = kind not in EXPECTED and status not in SETTLED
    if status in (CalendarStatus.DONE, CalendarStatus.DONE_LATE):
        return "covered"
    if is_open and (status is CalendarStatus.LATE or due_on == on):
        return "stopped"
    return "uncovered" if is_open and (due_on - on).days <= PRESSING_DAYS else "undecided"


def _entries(on: date, found: Sequence[DayOfDuties]) -> tuple[DayEntry, ...]:
    entries = []
    for kind in ObligationKind:
        of_kind = [group for group in found if group.kind is kind]
        count = sum(group.count for group in of_kind)
        if not count:
            continue
        tone = min((_tone_of_status(kind, group.status, on, g.on) for group in of_kind), key=_WORSE.index)
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
    report = _reporting()
    first, last = weeks[0][0], weeks[-1][-1]
    found = duty_calendar(_portfolio(), report, g.today, first, last)
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


def _rows(found: list[PressingDuty]) -> list[dict[str, Any]]:
    names = {policy.id: policy.name for policy in g.scope.policies}
    rows = []
    for place, duty in enumerate(found):
        entry = duty.entry
        rows.append(
            {
                "key": entry.obligation_id or -place,
                "kind": duty.kind,
                "due_on": duty.due_on,
                "status": status_of(duty),
                "buyer": entry.buyer,
                "country": entry.country,
                "invoice": entry.invoice,
                "policy": names.get(entry.key.policy_id, entry.policy),
                "amount": None if entry.amount_minor is None or entry.currency is None else (entry.amount_minor, entry.currency),
                "policy_id": entry.key.policy_id,
                "buyer_id": entry.key.buyer_id,
                "duty": duty,
            }
        )
    return rows


def _decorate(row: dict[str, Any]) -> dict[str, Any]:
    duty: PressingDuty = row["duty"]
    key = duty.entry.key
    tone = tone_of(duty, g.on)
    row["url"] = duty_url(duty)
    row["kind"] = word(duty.kind)
    row["due_on"] = {"value": duty.due_on, "hint": time_left(duty, g.on), "tone": tone if duty.is_open and tone != "undecided" else None}
    row["status"] = {"value": row["status"], "tone": tone}
    row["buyer"] = {"value": row["buyer"], "url": buyer_url(key.buyer_id) if key.buyer_id else None}
    row["policy"] = {"value": row["policy"], "url": policy_url(key.policy_id)}
    if key.invoice_id:
        row["invoice"] = {"value": row["invoice"], "url": link_to("receivables.show", invoice_id=key.invoice_id)}
    return row


@blueprint.get("/list")
@requires(Permission.VIEW_OBLIGATIONS)
def duties() -> ResponseReturnValue:
    """All duties as a list."""
    found = list_duties(_portfolio(), _reporting(), g.today)
    buyers = {duty.entry.key.buyer_id: duty.entry.buyer for duty in found if duty.entry.key.buyer_id is not None}
    countries = sorted({duty.entry.country for duty in found if duty.entry.country})
    listing = CalculatedListing(
        "duties",
        [
            calculated_field("kind", searched=True, filtered=FilterKind.SELECT),
            calculated_field("due_on", Kind.DATE, filtered=FilterKind.DATE_RANGE),
            calculated_field("status", Kind.BADGE, filtered=FilterKind.SELECT),
            calculated_field("buyer", searched=True),
            calculated_field("country", Kind.COUNTRY, filtered=FilterKind.SELECT),
            calculated_field("invoice", searched=True),
            calculated_field("policy"),
            calculated_field("amount", Kind.MONEY),
            calculated_field("policy_id", hidden=True, filtered=FilterKind.SELECT),
            calculated_field("buyer_id", hidden=True, filtered=FilterKind.SELECT),
        ],
        _rows(found),
        order=Order("due_on"),
        sort_by={
            "kind": {kind: word(kind) for kind in ObligationKind},
            "country": {code: country_name(code) for code in countries},
            "status": {status: word(status) for status in CalendarStatus},
        },
    )
    view = TableView(
        listing=listing,
        caption=_("Duties"),
        labels={
            "kind": _("Duty"),
            "due_on": pgettext("day of a duty", "Due"),
            "status": _("Status"),
            "buyer": _("Buyer"),
            "country": _("Country"),
            "invoice": _("Invoice"),
            "policy": _("Policy"),
            "amount": _("Cover at stake"),
            "policy_id": _("Policy"),
            "buyer_id": _("Buyer"),
        },
        options={
            "kind": lambda: word_options(tuple(ObligationKind)),
            "status": lambda: word_options(tuple(CalendarStatus)),
            "country": lambda: country_options(countries),
            "policy_id": lambda: [(str(policy.id), policy.name) for policy in g.scope.policies],
            "buyer_id": lambda: sorted(((str(key), str(name)) for key, name in buyers.items()), key=lambda pair: pair[1]),
        },
        decorate=_decorate,
        empty=no_duties,
    )
    if (export := wanted_export(view, "duties")) is not None:
        return export
    late = [duty for duty in found if duty.is_late]
    return render_template("obligations/list.html", listing=build_table(view), late=late, open_count=sum(duty.is_open for duty in found))


def no_duties() -> Empty:
    """What the list says while there are no duties."""
    return Empty(
        _("No duties"),
        _("Duties follow from the terms of a policy and from what is open: reminders, notifications, claims, renewals of limits."),
        link_to("policies.index"),
        _("Go to the policies"),
    )


def _show(duty: PressingDuty, done: DoneForm | None = None, waiving: WaiveForm | None = None) -> str:
    key = duty.entry.key
    names = {policy.id: policy.name for policy in g.scope.policies}
    return render_template(
        "obligations/show.html",
        duty=duty,
        entry=duty.entry,
        status=status_of(duty),
        policy=names.get(key.policy_id, duty.entry.policy),
        duty_currency=next((policy.limit_currency for policy in g.scope.policies if policy.id == key.policy_id), duty.entry.currency),
        tone=tone_of(duty, g.on),
        left=time_left(duty, g.on),
        done=done or DoneForm(formdata=None, marked_on=g.today),
        waiving=waiving or WaiveForm(formdata=None),
        can_mark=may(Permission.EDIT_OBLIGATIONS) and not duty.is_expected and g.on == g.today and duty.entry.obligation_id is not None,
        buyer_url=buyer_url(key.buyer_id) if key.buyer_id else None,
        policy_url=policy_url(key.policy_id),
        invoice_url=link_to("receivables.show", invoice_id=key.invoice_id) if key.invoice_id else None,
    )


def _page(obligation_id: int, done: DoneForm | None = None, waiving: WaiveForm | None = None) -> str:
    entry = find_entry(obligation_id, g.on)
    if entry is None:
        abort(404)
    return _show(PressingDuty(entry, 0), done, waiving)


@blueprint.get("/<int:obligation_id>")
@requires(Permission.VIEW_OBLIGATIONS)
def show(obligation_id: int) -> ResponseReturnValue:
    """One duty: why it falls due on its day, and what was done about it."""
    return _page(obligation_id)


@blueprint.get("/worked-out")
@requires(Permission.VIEW_OBLIGATIONS)
def worked_out() -> ResponseReturnValue:
    """A duty of another day than today, named by what it is about."""
    numbers = {name: request.args.get(name, type=int) for name in ("policy_id", "buyer_id", "invoice_id")}
    kind, due_on = request.args.get("kind", ""), read_date(request.args.get("due_on", ""))
    if kind not in {each.value for each in ObligationKind} or due_on is None:
        abort(404)
    portfolio = Portfolio(g.on, None, numbers["policy_id"], None, numbers["buyer_id"])
    found = list_duties(portfolio, _reporting(), g.today, first=due_on, last=due_on, kinds=[ObligationKind(kind)])
    duty = next((each for each in found if each.entry.key.invoice_id == numbers["invoice_id"]), None)
    if duty is None:
        abort(404)
    return _show(duty)


def _mark(obligation_id: int, mark: Mark, day: date, note: str) -> ResponseReturnValue:
    obligations.mark_obligation(g.actor, g.organisation.id, obligation_id, mark, on=day, note=note, today=g.today)
    said = (
        _("The duty is marked as done; this can be undone here.")
        if mark is Mark.DONE
        else _("The duty is waived; this can be undone here.")
    )
    flash(said, "success")
    return redirect(url_for("obligations.show", obligation_id=obligation_id))


@blueprint.post("/<int:obligation_id>/done")
@requires(Permission.EDIT_OBLIGATIONS)
def mark_done(obligation_id: int) -> ResponseReturnValue:
    """Record that a duty was done."""
    form = DoneForm()
    if not form.validate_on_submit():
        return _page(obligation_id, done=form), 422
    if form.marked_on.data > g.today:
        form.marked_on.errors = [_("This day is still to come; today is %(today)s.", today=shown_day(g.today))]
        return _page(obligation_id, done=form), 422
    return _mark(obligation_id, Mark.DONE, form.marked_on.data, form.note.data)


@blueprint.post("/<int:obligation_id>/waive")
@requires(Permission.EDIT_OBLIGATIONS)
def waive(obligation_id: int) -> ResponseReturnValue:
    """Record that a duty need not be done, and why."""
    form = WaiveForm()
    if not form.validate_on_submit():
        return _page(obligation_id, waiving=form), 422
    return _mark(obligation_id, Mark.WAIVED, g.today, form.reason.data)


@blueprint.post("/<int:obligation_id>/undo")
@requires(Permission.EDIT_OBLIGATIONS)
def undo(obligation_id: int) -> ResponseReturnValue:
    """Take back what was recorded about a duty."""
    obligations.undo_mark(g.actor, g.organisation.id, obligation_id, today=g.today)
    flash(_("The duty is open again."), "success")
    return redirect(url_for("obligations.show", obligation_id=obligation_id))

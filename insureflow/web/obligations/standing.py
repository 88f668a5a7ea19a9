"""How duties press and stand, in the words and colours of the pages."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, g
from flask_babel import gettext as _
from flask_babel import ngettext

from insureflow.domain.obligations import ObligationKind
from insureflow.queries.dashboard.duties import EXPECTED, PressingDuty
from insureflow.queries.exposure import Portfolio, Reporting
from insureflow.queries.obligations.calendar import SETTLED, CalendarStatus

blueprint = Blueprint("obligations", __name__, url_prefix="/obligations")

#: How many days before its day a duty begins to press.
PRESSING_DAYS = 15


def chosen_portfolio() -> Portfolio:
    """What the header narrows the pages to."""
    return Portfolio(g.on, g.scope.entity_id, g.scope.policy_id)


def chosen_reporting() -> Reporting:
    """The currency and the day of figures."""
    return Reporting(g.organisation.reporting_currency, g.on)


def tone_of(duty: PressingDuty, on: date) -> str:
    """How a duty presses: late or due today, within 15 days, later, or no longer."""
    return tone_of_status(duty.kind, duty.entry.status, duty.due_on, on)


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


def tone_of_status(kind: ObligationKind, status: CalendarStatus, due_on: date, on: date) -> str:
    """How duties press that fall due on a day and stand alike; as ``tone_of`` of each of them."""
    is_open = kind not in EXPECTED and status not in SETTLED
    if status in (CalendarStatus.DONE, CalendarStatus.DONE_LATE):
        return "covered"
    if is_open and (status is CalendarStatus.LATE or due_on == on):
        return "stopped"
    return "uncovered" if is_open and (due_on - on).days <= PRESSING_DAYS else "undecided"

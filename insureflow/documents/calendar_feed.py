"""Duties as a calendar feed (RFC 5545): a day-long event for each, under an identity that stays the same on every reading."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from icalendar import Calendar, Event

#: How often a calendar program should come back.
REFRESH = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class DutyEvent:
    """One duty for a calendar: what names it for good, its day, what it says, and where more stands."""

    identity: str
    on: date
    summary: str
    description: str
    address: str


def build_calendar(name: str, events: Iterable[DutyEvent], *, language: str, at: datetime) -> bytes:
    """The feed as UTF-8 text; ``at`` is the instant it speaks of. Events are free time: a duty does not make anybody busy."""
    calendar = Calendar()
    calendar.add("prodid", f"-//InsureFlow//Duties//{language.upper()}")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", name)
    calendar.add("name", name)
    calendar.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT6H")
    for duty in events:
        event = Event()
        event.add("uid", duty.identity)
        event.add("dtstamp", at)
        event.add("dtstart", duty.on)
        event.add("dtend", duty.on + timedelta(days=1))
        event.add("summary", duty.summary)
        if duty.description:
            event.add("description", duty.description)
        if duty.address:
            event.add("url", duty.address)
        event.add("transp", "TRANSPARENT")
        calendar.add_component(event)
    return bytes(calendar.to_ical())

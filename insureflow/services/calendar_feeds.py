"""Calendar feeds: a secret address for each person's calendar program, shown once, kept as a hash, ended at any time."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select, update

from insureflow.documents.calendar_feed import DutyEvent, build_calendar
from insureflow.domain.access import Permission, is_allowed
from insureflow.domain.errors import Refusal
from insureflow.i18n import formats, words
from insureflow.models.database import db
from insureflow.models.messages import CalendarFeed
from insureflow.models.organisations import Membership, Organisation, User
from insureflow.models.scope import within
from insureflow.queries.reminders import OpenDuty, open_duties
from insureflow.services import journal
from insureflow.services.clock import now
from insureflow.services.journal import Actor, Subject
from insureflow.services.transaction import transaction

_SECRET_BYTES = 32
_NOTE_USE_EVERY = timedelta(minutes=10)

#: How far back and ahead a feed reaches.
BACK, AHEAD = timedelta(days=60), timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Reader:
    """Whose calendar program asks, and for what."""

    feed_id: int
    user: User
    organisation: Organisation
    only_own: bool


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def open_feed(actor: Actor, organisation_id: int, user_id: int, *, only_own: bool = False) -> tuple[CalendarFeed, str]:
    """A new feed of a member and the secret part of its address, which nobody can read again."""
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    with transaction(organisation_id) as session:
        feed = CalendarFeed(user_id=user_id, token_sha256=_digest(secret), only_own=only_own, created_at=now())
        session.add(feed)
        session.flush()
        journal.record(session, actor, "calendar_feed.opened", Subject("calendar_feed", feed.id, actor.name), after={"only_own": only_own})
    return feed, secret


def end_feed(actor: Actor, organisation_id: int, user_id: int, feed_id: int) -> None:
    """End a person's own feed at once. Errors: ``Refusal`` ``calendar_feed_unknown``."""
    with transaction(organisation_id) as session:
        feed = session.scalar(select(CalendarFeed).where(CalendarFeed.id == feed_id, CalendarFeed.user_id == user_id))
        if feed is None:
            raise Refusal("calendar_feed_unknown")
        if feed.ended_at is None:
            feed.ended_at = now()
            journal.record(session, actor, "calendar_feed.ended", Subject("calendar_feed", feed.id, actor.name))


def feeds_of(user_id: int) -> Sequence[CalendarFeed]:
    """A person's feeds that are still read, oldest first."""
    statement = select(CalendarFeed).where(CalendarFeed.user_id == user_id, CalendarFeed.ended_at.is_(None)).order_by(CalendarFeed.id)
    return db.session.scalars(statement).all()


def find_reader(slug: str, secret: str, at: datetime) -> Reader | None:
    """Who reads by this address; None where it is none, has ended, or its owner may not see duties any more."""
    organisation = db.session.scalar(select(Organisation).where(Organisation.slug == slug))
    if organisation is None:
        return None
    with within(organisation.id):
        found = db.session.execute(
            select(CalendarFeed, User, Membership.role)
            .join(User, User.id == CalendarFeed.user_id)
            .join(Membership, Membership.user_id == User.id)
            .where(CalendarFeed.token_sha256 == _digest(secret), CalendarFeed.ended_at.is_(None))
            .where(Membership.organisation_id == organisation.id, User.active.is_(True))
        ).one_or_none()
    if found is None:
        return None
    feed, user, role = found
    if not is_allowed(role, Permission.VIEW_OBLIGATIONS):
        return None
    if feed.last_read_at is None or at - feed.last_read_at >= _NOTE_USE_EVERY:
        with within(organisation.id), transaction() as session:  # one row of its own: whoever reads waits for no import
            session.execute(update(CalendarFeed).where(CalendarFeed.id == feed.id).values(last_read_at=at))
    return Reader(feed.id, user, organisation, feed.only_own)


def _event(duty: OpenDuty, locale: str, home: str) -> DutyEvent:
    subject = duty.buyer or duty.policy
    what = words.word(duty.kind, locale)
    amount = "" if not duty.amount_minor or duty.currency is None else f" ({formats.money(duty.amount_minor, duty.currency, locale)})"
    days = f"due_on_from={duty.due_on.isoformat()}&due_on_to={duty.due_on.isoformat()}"
    narrowed = f"&buyer_id={duty.buyer_id}" if duty.buyer_id is not None else ""
    return DutyEvent(
        identity=f"{duty.cause.replace(':', '-')}@insureflow",
        on=duty.due_on,
        summary=f"{what[:1].upper()}{what[1:]}: {subject}{amount}",
        description=duty.policy,
        address=f"{home}/obligations/list?kind={duty.kind.value}&{days}{narrowed}",
    )


def read(reader: Reader, on: date, at: datetime, *, locale: str, home: str) -> bytes:
    """The feed of a person's open duties around a day; ``home`` is the address under which the product is reached."""
    with within(reader.organisation.id):
        duties = open_duties(on, on - BACK, on + AHEAD)
    mine = [duty for duty in duties if not reader.only_own or duty.owner_id == reader.user.id]
    return build_calendar(f"InsureFlow {reader.organisation.name}", (_event(duty, locale, home) for duty in mine), language=locale, at=at)

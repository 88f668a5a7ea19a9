"""The summary of duties by e-mail: once a working day or once a week, to who asked for it and has something to do."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from sqlalchemy import select

from insureflow.domain.access import Permission
from insureflow.domain.messages import Digest
from insureflow.i18n.digest import DigestLine, DigestOfDuties, digest_text
from insureflow.models.messages import Message, TellingSetting
from insureflow.models.organisations import Organisation, User
from insureflow.queries.reminders import OpenDuty, open_duties
from insureflow.queries.telling import count_unread
from insureflow.services import messages, telling
from insureflow.services.journal import Actor
from insureflow.services.reminders import NEWS_DAYS, is_for
from insureflow.services.transaction import transaction

WEEK = timedelta(days=7)
_FRIDAY = 4


def period_of(digest: Digest, on: date) -> str | None:
    """What a summary is for: the working day, or the week; None where none is wanted. A week's is sent on the first day that works."""
    if digest is Digest.DAILY:
        return on.isoformat() if on.weekday() <= _FRIDAY else None
    if digest is Digest.WEEKLY:
        year, week, _ = on.isocalendar()
        return f"{year}-W{week:02}"
    return None


def _lines(duties: Iterable[OpenDuty]) -> list[DigestLine]:
    return [DigestLine(duty.kind.value, duty.buyer or duty.policy, duty.due_on, duty.amount_minor, duty.currency) for duty in duties]


def _digest(user: User, organisation: Organisation, duties: list[OpenDuty], on: date, home: str) -> DigestOfDuties:
    late = [duty for duty in duties if duty.due_on < on]
    coming = [duty for duty in duties if duty.due_on >= on]
    return DigestOfDuties(user.name or user.email, organisation.name, on, _lines(late), _lines(coming), count_unread(user.id), home)


def send(organisation_id: int, on: date, *, home: str = "") -> int:
    """Put the summaries of a day into the queue of e-mails; how many. Who has nothing to do gets none, and nobody gets one twice."""
    made = 0
    with transaction(organisation_id) as session:
        organisation = session.get_one(Organisation, organisation_id)
        allowed = set(telling.who_may(session, Permission.VIEW_OBLIGATIONS))
        wishes = session.execute(
            select(TellingSetting, User).join(User, User.id == TellingSetting.user_id).where(TellingSetting.digest != Digest.OFF)
        ).all()
        duties = open_duties(on, on - timedelta(days=NEWS_DAYS), on + WEEK) if wishes else []
        for setting, user in wishes:
            period = period_of(setting.digest, on)
            if period is None or user.id not in allowed:
                continue
            mine = [duty for duty in duties if is_for(duty, user.id, only_own=setting.only_own)]
            digest = _digest(user, organisation, mine, on, home)
            if not (digest.late or digest.coming or digest.unread):
                continue
            locale = user.locale or organisation.locale
            subject, body = digest_text(digest, locale)
            cause = f"digest:{user.id}:{period}"
            if session.scalar(select(Message.id).where(Message.cause == cause)) is not None:
                continue
            messages.queue(
                session,
                Actor(None, "scheduler"),
                cause=cause,
                kind="digest",
                recipients=[user.email],
                language=locale,
                subject=subject,
                body=body,
            )
            made += 1
    return made

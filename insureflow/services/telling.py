"""Telling people inside the product: once for each cause, to those whose work it is, until they have read it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from insureflow.domain.access import PERMISSIONS, Permission
from insureflow.domain.errors import InvalidValue, Refusal
from insureflow.domain.messages import Digest, NoticeToPerson
from insureflow.models.messages import TellingSetting, Told
from insureflow.models.organisations import Membership, User
from insureflow.models.scope import current_organisation_id
from insureflow.services import journal
from insureflow.services.clock import now
from insureflow.services.journal import Actor, Subject
from insureflow.services.transaction import transaction

#: Days before a duty on which a person is reminded who has not said otherwise.
DAYS_BEFORE = (15, 5, 0)

_MOST_DAYS_BEFORE = 90
_PORTION = 500


def who_may(session: Session, permission: Permission) -> list[int]:
    """The keys of the people of this organisation who may do something, in order."""
    roles = [role for role, granted in PERMISSIONS.items() if permission in granted]
    statement = (
        select(Membership.user_id)
        .join(User, User.id == Membership.user_id)
        .where(Membership.organisation_id == current_organisation_id(), Membership.role.in_(roles), User.active.is_(True))
        .order_by(Membership.user_id)
    )
    return list(session.scalars(statement))


def tell(
    session: Session,
    user_ids: Iterable[int],
    kind: NoticeToPerson,
    cause: str,
    *,
    facts: Mapping[str, Any] | None = None,
    address: str = "",
    buyer_id: int | None = None,
) -> int:
    """Tell people something in the running unit of work; who was told of this cause before is not told again. How many were told.

    ``facts`` fill the sentence of the kind; ``address`` is the path of the page that shows more.
    """
    wanted = sorted(set(user_ids))
    known = set(session.scalars(select(Told.user_id).where(Told.cause == cause, Told.user_id.in_(wanted))))
    new = [user_id for user_id in wanted if user_id not in known]
    return tell_news(session, [News(user_id, kind, cause, facts or {}, address, buyer_id) for user_id in new])


@dataclass(frozen=True, slots=True)
class News:
    """What one person is to be told, and was not told before."""

    user_id: int
    kind: NoticeToPerson
    cause: str
    facts: Mapping[str, Any]
    address: str = ""
    buyer_id: int | None = None


def tell_news(session: Session, news: Collection[News]) -> int:
    """Tell people many things at once in the running unit of work, of which the caller knows that they are new. How many these are."""
    at = now()
    session.add_all(
        Told(
            user_id=each.user_id,
            kind=each.kind,
            cause=each.cause,
            buyer_id=each.buyer_id,
            facts=journal.plain(each.facts),
            address=each.address,
            created_at=at,
        )
        for each in news
    )
    session.flush()
    return len(news)


def replace_news(session: Session, kind: NoticeToPerson, cause: str) -> None:
    """News that says how much waits takes the place of what it said before: older news of the kind counts as read."""
    older = update(Told).where(Told.kind == kind, Told.cause != cause, Told.read_at.is_(None))
    session.execute(older.values(read_at=now()))


def causes_told(session: Session, user_id: int, causes: Collection[str]) -> set[str]:
    """Those of some causes that a person was told of."""
    wanted = sorted(causes)
    known: set[str] = set()
    for start in range(0, len(wanted), _PORTION):
        portion = wanted[start : start + _PORTION]
        known |= set(session.scalars(select(Told.cause).where(Told.user_id == user_id, Told.cause.in_(portion))))
    return known


def mark_read(organisation_id: int, user_id: int, told_ids: Collection[int] | None = None) -> int:
    """Note that a person has read these, or all. How many were unread. What a person reads is not entered in the journal."""
    with transaction(organisation_id) as session:
        statement = update(Told).where(Told.user_id == user_id, Told.read_at.is_(None))
        if told_ids is not None:
            statement = statement.where(Told.id.in_(sorted(told_ids)))
        return int(session.execute(statement.values(read_at=now())).rowcount)  # type: ignore[attr-defined]  # a change gives a cursor


def setting_of(session: Session, user_id: int) -> TellingSetting:
    """How a person wants to be told; not yet stored where nothing was chosen."""
    known = session.scalar(select(TellingSetting).where(TellingSetting.user_id == user_id))
    return known or TellingSetting(user_id=user_id, digest=Digest.OFF, days_before=list(DAYS_BEFORE), only_own=False)


def change_setting(
    actor: Actor, organisation_id: int, user_id: int, *, digest: Digest, days_before: Collection[int], only_own: bool
) -> TellingSetting:
    """How a person wants to be told from now on. Errors: ``InvalidValue`` ``days_before_out_of_bounds``; ``Refusal`` ``member_unknown``."""
    outside = [days for days in days_before if not 0 <= days <= _MOST_DAYS_BEFORE]
    if outside:
        raise InvalidValue("days_before_out_of_bounds", "telling.days_before", outside[0], most=_MOST_DAYS_BEFORE)
    with transaction(organisation_id) as session:
        user = session.scalar(
            select(User)
            .join(Membership, Membership.user_id == User.id)
            .where(Membership.organisation_id == organisation_id, User.id == user_id)
        )
        if user is None:
            raise Refusal("member_unknown", email=str(user_id))
        setting = setting_of(session, user_id)
        before = {"digest": setting.digest, "days_before": setting.days_before, "only_own": setting.only_own}
        setting.digest, setting.days_before, setting.only_own = digest, sorted(set(days_before), reverse=True), only_own
        session.add(setting)
        session.flush()
        after = {"digest": setting.digest, "days_before": setting.days_before, "only_own": setting.only_own}
        if after != before:
            journal.record(session, actor, "telling.changed", Subject("member", user_id, user.email), before=before, after=after)
        return setting

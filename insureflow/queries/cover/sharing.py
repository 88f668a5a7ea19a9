"""Limits over several buyers as the calculation of cover takes them: who is worked out together with whom, and what comes of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import aliased

from insureflow.domain import cover
from insureflow.domain.cover import AccountSegment, History, LimitWithdrawal, SharedLimit, Sharer, SharingPeriod, replay_together
from insureflow.domain.cover import LimitDecision as LimitDecided
from insureflow.models.base import FOREVER
from insureflow.models.database import db
from insureflow.models.limits import LimitGroup, LimitGroupDecision, LimitGroupMember, SharedUse
from insureflow.queries.cover.accounts import PolicyAccount

#: A buyer under a policy.
AccountKey = tuple[int, int]

#: The columns of what the others use of a shared limit.
SHARED_COLUMNS = ("organisation_id", "policy_id", "buyer_id", "valid_from", "valid_to", "taken_minor")


class Membership(NamedTuple):
    """A buyer that shares in a limit from a day on, up to the first day without."""

    buyer_id: int
    joined_on: date
    left_on: date | None


class SpokenWord(NamedTuple):
    """What the insurer said about the whole of a shared limit; ``decided_minor`` None: it ends."""

    decided_minor: int | None
    currency: str
    rate: Decimal
    decided_on: date
    effective_on: date
    valid_to: date | None


class TakenSpan(NamedTuple):
    """What the others leave unusable of a shared limit for a buyer, from a day on, up to the first day without."""

    valid_from: date
    valid_to: date
    taken_minor: int


@dataclass(frozen=True, slots=True)
class Group:
    """One limit over several buyers under a policy."""

    id: int
    policy_id: int
    members: tuple[Membership, ...]
    words: tuple[SpokenWord, ...]

    def events(self) -> tuple[LimitDecided | LimitWithdrawal, ...]:
        """What was said about the whole, as the rules of cover take it."""
        found: list[LimitDecided | LimitWithdrawal] = []
        for word in self.words:
            start = word.effective_on if word.effective_on != word.decided_on else None
            if word.decided_minor is None:
                found.append(LimitWithdrawal(word.decided_on, effective_from=start))
            else:
                found.append(
                    LimitDecided(
                        word.decided_on, word.decided_minor, word.currency, word.rate, effective_from=start, valid_to=word.valid_to
                    )
                )
        return tuple(found)


class SharingBook:
    """All shared limits of the organisation in scope, read once; most organisations have none."""

    def __init__(self, groups: Iterable[Group]) -> None:
        self.groups = tuple(groups)
        self._mates = self._find_mates()

    @classmethod
    def load(cls) -> SharingBook:
        """The shared limits."""
        members: dict[int, list[Membership]] = {}
        member = LimitGroupMember
        rows = db.session.execute(
            select(member.group_id, member.buyer_id, member.joined_on, member.left_on).order_by(member.joined_on, member.id)
        )
        for group_id, *values in rows:
            members.setdefault(group_id, []).append(Membership._make(values))
        if not members:
            return cls(())
        words: dict[int, list[SpokenWord]] = {}
        said = LimitGroupDecision
        spoken = select(
            said.group_id, said.decided_minor, said.currency, said.rate, said.decided_on, said.effective_on, said.valid_to
        ).order_by(said.decided_on, said.id)
        for group_id, *values in db.session.execute(spoken):
            words.setdefault(group_id, []).append(SpokenWord._make(values))
        return cls(
            Group(group.id, group.policy_id, tuple(members.get(group.id, ())), tuple(words.get(group.id, ())))
            for group in db.session.execute(select(LimitGroup.id, LimitGroup.policy_id).order_by(LimitGroup.id))
        )

    def _find_mates(self) -> dict[int, frozenset[int]]:
        """By buyer: all buyers it must be worked out with, because they shared a limit at some time, itself among them."""
        circles: dict[int, set[int]] = {}
        for group in self.groups:
            circle: set[int] = set()
            for member in group.members:
                circle |= circles.get(member.buyer_id, {member.buyer_id})
            for buyer_id in circle:
                circles[buyer_id] = circle
        return {buyer_id: frozenset(circle) for buyer_id, circle in circles.items()}

    def has(self, buyer_id: int) -> bool:
        """True for a buyer that shares, or has shared, a limit."""
        return buyer_id in self._mates

    def mates_of(self, buyer_id: int) -> frozenset[int]:
        """The buyers a buyer is worked out with, itself among them."""
        return self._mates.get(buyer_id, frozenset({buyer_id}))

    def with_mates(self, buyer_ids: Collection[int] | None) -> Collection[int] | None:
        """These buyers and all they are worked out with; None stays None, which is all."""
        if buyer_ids is None or not self._mates:
            return buyer_ids
        return sorted({mate for buyer_id in buyer_ids for mate in self.mates_of(buyer_id)})

    def portions(self, keys: Sequence[int], size: int) -> Iterator[list[int]]:
        """The keys in portions of about a size, in their order; buyers that are worked out together are in one."""
        portion: list[int] = []
        done: set[int] = set()
        wanted = set(keys) if self._mates else set()
        for key in keys:
            if key in done:
                continue
            if self.has(key):
                mates = sorted(self._mates[key] & wanted)
                done.update(mates)
                portion += mates
            else:
                portion.append(key)
            if len(portion) >= size:
                yield sorted(portion) if self._mates else portion
                portion = []
        if portion:
            yield sorted(portion) if self._mates else portion

    def histories(self, accounts: Iterable[PolicyAccount]) -> dict[AccountKey, History]:
        """The accounts that share, or have shared, a limit, worked out side by side."""
        by_key = {account.key: account for account in accounts if account.policy.history}
        found: dict[AccountKey, History] = {}
        for circle in {self.mates_of(buyer_id) for buyer_id, _ in by_key}:
            for policy_id in {policy_id for buyer_id, policy_id in by_key if buyer_id in circle}:
                keys = [(buyer_id, policy_id) for buyer_id in sorted(circle) if (buyer_id, policy_id) in by_key]
                sharers = [Sharer(by_key[key].rules_account(), tuple(by_key[key].events)) for key in keys]
                limits = self._limits({buyer_id: place for place, (buyer_id, _) in enumerate(keys)}, policy_id)
                found |= dict(zip(keys, replay_together(sharers, limits), strict=True))
        return found

    def _limits(self, places: Mapping[int, int], policy_id: int) -> list[SharedLimit]:
        limits = []
        for group in self.groups:
            periods = tuple(
                SharingPeriod(places[member.buyer_id], member.joined_on, member.left_on)
                for member in group.members
                if member.buyer_id in places
            )
            if group.policy_id == policy_id and periods:
                limits.append(SharedLimit(group.events(), periods))
        return limits


def is_counted_elsewhere(buyer_id: Any, policy_id: Any, on: date) -> ColumnElement[bool]:
    """Whether a limit shared on a day counts in sums with another buyer: it counts once, with the first of its buyers."""
    own, first = aliased(LimitGroupMember), aliased(LimitGroupMember)

    def shares(member: Any) -> ColumnElement[bool]:
        return and_(member.joined_on <= on, or_(member.left_on.is_(None), member.left_on > on))

    return (
        select(own.id)
        .join(LimitGroup, LimitGroup.id == own.group_id)
        .join(first, first.group_id == own.group_id)
        .where(own.buyer_id == buyer_id, LimitGroup.policy_id == policy_id, first.buyer_id < own.buyer_id, shares(own), shares(first))
        .correlate_except(own, LimitGroup, first)
        .exists()
    )


def taken_spans(segments: Sequence[AccountSegment]) -> list[TakenSpan]:
    """The spans over which the others leave the same amount of a shared limit unusable; spans with nothing are left out."""
    spans: list[TakenSpan] = []
    begin, taken = date.min, 0
    for segment in segments:
        if segment.taken_elsewhere == taken:
            continue
        if taken:
            spans.append(TakenSpan(begin, segment.valid_from, taken))
        begin, taken = segment.valid_from, segment.taken_elsewhere
    if taken:
        spans.append(TakenSpan(begin, FOREVER, taken))
    return spans


def shared_events(buyer_id: int, policy_id: int, on: date | None = None, more: int = 0) -> list[cover.SharedUse]:
    """What is kept of the use of others, as events with which an account can be worked out by itself.

    With ``on`` only what is known on a day; ``more`` is then added from that day on, such as what is reserved for orders of others.
    """
    use = SharedUse
    rows = db.session.execute(
        select(use.valid_from, use.valid_to, use.taken_minor)
        .where(use.buyer_id == buyer_id, use.policy_id == policy_id)
        .order_by(use.valid_from)
    ).all()
    amounts: dict[date, int] = {}
    for valid_from, valid_to, taken in rows:
        amounts[valid_from] = int(taken)
        if valid_to < FOREVER:
            amounts.setdefault(valid_to, 0)
    if on is not None:
        amounts = {day: amount for day, amount in amounts.items() if day <= on}
        if more:
            amounts[on] = (amounts[max(amounts)] if amounts else 0) + more
    return [cover.SharedUse(day, amount) for day, amount in sorted(amounts.items())]

"""Limits over several buyers read: what is in force on a day, what all use of it, and each sharer's part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, and_, case, cast, func, or_, select
from sqlalchemy.orm import aliased

from insureflow.domain.buyers import search_name
from insureflow.domain.errors import InvalidValue, InvalidValues
from insureflow.domain.limits import LimitKind, LimitStatus
from insureflow.domain.money import Money
from insureflow.models.buyers import Buyer, CustomerNumber
from insureflow.models.cover import AccountState, InvoicePosition
from insureflow.models.database import db
from insureflow.models.limits import LimitDecision, LimitGroup, LimitGroupDecision, LimitGroupMember
from insureflow.models.policies import Policy
from insureflow.queries.listing import Field, FilterKind, Kind, Listing, Order


@dataclass(frozen=True, slots=True)
class SharerView:
    """A buyer that shares: since when, until when, its limit on the day, what it uses, and whether it has a limit of its own."""

    buyer: Buyer
    joined_on: date
    left_on: date | None
    limit: Money
    used: Money
    is_sharing: bool
    has_own_limit: bool


@dataclass(frozen=True, slots=True)
class GroupView:
    """A shared limit on a day: ``limit`` is in force, ``used`` by all together, ``headroom`` what is left of it for any of them."""

    group: LimitGroup
    policy: Policy
    head: Buyer | None
    limit: Money
    used: Money
    headroom: Money
    sharers: tuple[SharerView, ...]
    words: tuple[LimitGroupDecision, ...]


def _is_sharing(member: Any, on: date) -> ColumnElement[bool]:
    return and_(member.joined_on <= on, or_(member.left_on.is_(None), member.left_on > on))


def find_group(group_id: int, on: date) -> GroupView | None:
    """A shared limit as it stands on a day, or None."""
    group = db.session.scalar(select(LimitGroup).where(LimitGroup.id == group_id))
    if group is None:
        return None
    policy = db.session.get_one(Policy, group.policy_id)
    head = None if group.head_id is None else db.session.get_one(Buyer, group.head_id)
    currency = policy.limit_currency
    words = db.session.scalars(
        select(LimitGroupDecision)
        .where(LimitGroupDecision.group_id == group.id, LimitGroupDecision.decided_on <= on)
        .order_by(LimitGroupDecision.decided_on.desc(), LimitGroupDecision.id.desc())
    ).all()
    members = db.session.execute(
        select(LimitGroupMember, Buyer)
        .join(Buyer, Buyer.id == LimitGroupMember.buyer_id)
        .where(LimitGroupMember.group_id == group.id)
        .order_by(Buyer.search_name, LimitGroupMember.joined_on)
    ).all()
    keys = [buyer.id for _, buyer in members]
    limits, used, own = _limits(policy.id, keys, on), _used(policy.id, keys, on), _with_own_limit(policy.id, keys, on)
    sharers = tuple(
        SharerView(
            buyer,
            member.joined_on,
            member.left_on,
            Money(limits.get(buyer.id, (0, 0))[0], currency),
            Money(used.get(buyer.id, 0) + limits.get(buyer.id, (0, 0))[1], currency),
            is_sharing=member.joined_on <= on and (member.left_on is None or on < member.left_on),
            has_own_limit=buyer.id in own,
        )
        for member, buyer in members
    )
    in_force = max((sharer.limit.minor for sharer in sharers if sharer.is_sharing and not sharer.has_own_limit), default=None)
    limit = _in_force(words, policy, on) if in_force is None else in_force
    together = sum(sharer.used.minor for sharer in {sharer.buyer.id: sharer for sharer in sharers}.values() if _counts(sharer, limits))
    return GroupView(
        group,
        policy,
        head,
        Money(limit, currency),
        Money(together, currency),
        Money(max(0, limit - together), currency),
        sharers,
        tuple(words),
    )


def _counts(sharer: SharerView, limits: dict[int, tuple[int, int]]) -> bool:
    """Who shares counts, and who has left and runs off what it was given."""
    return sharer.is_sharing or (sharer.left_on is not None and not limits.get(sharer.buyer.id, (0, 0))[0])


def _in_force(words: Sequence[LimitGroupDecision], policy: Policy, on: date) -> int:
    """The amount of the last word in effect, where no sharer's account tells it."""
    for word in words:
        if word.effective_on <= on:
            lapsed = word.valid_to is not None and word.valid_to < on
            return 0 if lapsed or word.decided_minor is None or word.currency != policy.limit_currency else word.decided_minor
    return 0


def _limits(policy_id: int, buyer_ids: Sequence[int], on: date) -> dict[int, tuple[int, int]]:
    """By buyer: the primary limit in force and what of it is reserved by disputes."""
    state = AccountState
    rows = db.session.execute(
        select(state.buyer_id, state.limit_primary_minor, state.reserved_primary_minor).where(
            state.policy_id == policy_id, state.buyer_id.in_(buyer_ids), state.valid_from <= on, state.valid_to > on
        )
    )
    return {row.buyer_id: (int(row.limit_primary_minor), int(row.reserved_primary_minor)) for row in rows}


def _used(policy_id: int, buyer_ids: Sequence[int], on: date) -> dict[int, int]:
    position = InvoicePosition
    rows = db.session.execute(
        select(position.buyer_id, func.sum(position.primary_minor).label("used"))
        .where(position.policy_id == policy_id, position.buyer_id.in_(buyer_ids), position.valid_from <= on, position.valid_to > on)
        .group_by(position.buyer_id)
    )
    return {row.buyer_id: int(row.used) for row in rows}


def _with_own_limit(policy_id: int, buyer_ids: Sequence[int], on: date) -> set[int]:
    """The buyers whose last ordinary word is one on them alone."""
    decision = LimitDecision
    rows = db.session.execute(
        select(decision.buyer_id, decision.kind)
        .where(
            decision.policy_id == policy_id,
            decision.buyer_id.in_(buyer_ids),
            decision.layer == "primary",
            decision.status != LimitStatus.REQUESTED,
            decision.kind.not_in((LimitKind.TEMPORARY, LimitKind.PRE_SHIPMENT)),
            decision.decided_on <= on,
        )
        .order_by(decision.decided_on, decision.id)
    )
    last = {row.buyer_id: row.kind for row in rows}
    return {buyer_id for buyer_id, kind in last.items() if kind is not LimitKind.GROUP}


def group_of_buyer(buyer_id: int, policy_id: int, on: date) -> LimitGroup | None:
    """The shared limit a buyer has a part in on a day, or None."""
    return db.session.scalar(
        select(LimitGroup)
        .join(LimitGroupMember, LimitGroupMember.group_id == LimitGroup.id)
        .where(LimitGroup.policy_id == policy_id, LimitGroupMember.buyer_id == buyer_id, _is_sharing(LimitGroupMember, on))
    )


def subsidiaries_of(buyer_id: int) -> list[Buyer]:
    """A parent and the buyers that name it as such, by name."""
    return list(db.session.scalars(select(Buyer).where(or_(Buyer.id == buyer_id, Buyer.parent_id == buyer_id)).order_by(Buyer.search_name)))


def group_listing(on: date, *, policy_id: int | None = None) -> Listing:
    """The limits over several buyers with how many share, what is granted to the whole and what is used of it on a day."""
    member, head = aliased(LimitGroupMember), aliased(Buyer, name="head")
    sharing = (
        select(func.count(func.distinct(member.buyer_id)))
        .where(member.group_id == LimitGroup.id, _is_sharing(member, on))
        .scalar_subquery()
    )
    state, position = AccountState, InvoicePosition
    of_group = select(member.buyer_id).where(member.group_id == LimitGroup.id, _is_sharing(member, on)).correlate(LimitGroup)
    limit = (
        select(func.max(state.limit_primary_minor))
        .where(state.policy_id == LimitGroup.policy_id, state.buyer_id.in_(of_group), state.valid_from <= on, state.valid_to > on)
        .correlate(LimitGroup)
        .scalar_subquery()
    )
    used = (
        select(func.sum(position.primary_minor))
        .where(
            position.policy_id == LimitGroup.policy_id, position.buyer_id.in_(of_group), position.valid_from <= on, position.valid_to > on
        )
        .correlate(LimitGroup)
        .scalar_subquery()
    )
    limit_minor, used_minor = cast(func.coalesce(limit, 0), BigInteger), cast(func.coalesce(used, 0), BigInteger)
    currency = Policy.limit_currency.expression
    fields = (
        Field("name", LimitGroup.name.expression, search=LimitGroup.name.expression),
        Field("head", head.legal_name, search=func.coalesce(head.search_name, "")),
        Field("policy", Policy.number.expression, search=Policy.number.expression, filter=FilterKind.SELECT),
        Field("buyers", sharing, Kind.NUMBER),
        Field("limit", limit_minor, Kind.MONEY, currency=currency, total=True),
        Field("used", used_minor, Kind.MONEY, currency=currency, total=True),
        Field("headroom", case((limit_minor > used_minor, limit_minor - used_minor), else_=0), Kind.MONEY, currency=currency, total=True),
        Field("number", LimitGroup.id.expression, Kind.NUMBER, hidden=True),
    )

    def source(statement: Select[Any]) -> Select[Any]:
        statement = (
            statement.select_from(LimitGroup).join(Policy, Policy.id == LimitGroup.policy_id).outerjoin(head, head.id == LimitGroup.head_id)
        )
        return statement if policy_id is None else statement.where(LimitGroup.policy_id == policy_id)

    return Listing("limit_groups", fields, source, key=LimitGroup.id.expression, order=Order("name"), normalise=search_name)


def buyers_named(lines: Sequence[str]) -> list[int]:
    """The keys of buyers named one by one, by customer number or by name. Errors: ``InvalidValues`` with every line nobody fits."""
    found: list[int] = []
    problems: list[InvalidValue] = []
    for line in dict.fromkeys(line.strip() for line in lines if line.strip()):
        numbered = set(db.session.scalars(select(CustomerNumber.buyer_id).where(CustomerNumber.number == line)))
        named = set(db.session.scalars(select(Buyer.id).where(Buyer.search_name == search_name(line))))
        fitting = numbered or named
        if len(fitting) == 1:
            found.append(fitting.pop())
        else:
            problems.append(InvalidValue("group_buyer_ambiguous" if fitting else "group_buyer_unknown", "buyers", line))
    if problems:
        raise InvalidValues(tuple(problems))
    return found

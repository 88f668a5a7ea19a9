"""Limits over several buyers: a group with its subsidiaries or a named pool, what is decided on the whole, who shares when.

Each word on the whole is entered in the history of every buyer that shares, so that each history tells what counted when. A buyer
whose own limit was decided since it joined keeps that limit as the most it may use of the whole.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from insureflow.domain.cover.events import Layer
from insureflow.domain.errors import InvalidValue, InvalidValues, Refusal
from insureflow.domain.limits import LimitKind, LimitStatus
from insureflow.domain.money import Money, convert_minor
from insureflow.domain.periods import add_days
from insureflow.domain.policies import terms_on
from insureflow.models.base import FOREVER
from insureflow.models.buyers import Buyer
from insureflow.models.limits import LimitDecision, LimitGroup, LimitGroupDecision, LimitGroupMember
from insureflow.models.policies import Policy
from insureflow.services import cover, journal
from insureflow.services.clock import now
from insureflow.services.journal import Actor, Subject
from insureflow.services.limit_cuts import announce_cuts, note_cut
from insureflow.services.limits.decisions import NewDecision, PolicyBook, build_decision, check_days, get_policy, history_of
from insureflow.services.transaction import transaction

#: Kinds that stand beside the ordinary limit.
_APART = (LimitKind.TEMPORARY, LimitKind.PRE_SHIPMENT)

#: Longest name of a group.
NAME_LENGTH = 200


@dataclass(frozen=True, slots=True)
class GroupWord:
    """What the insurer says about the whole: the amount, or None where the limit ends. ``effective_on`` defaults to ``decided_on``."""

    decided_minor: int | None
    currency: str
    decided_on: date
    effective_on: date | None = None
    valid_to: date | None = None
    insurer_reference: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class NewGroup:
    """A limit over several buyers. ``head_id`` is the parent where they are a group; the parent shares if it is among the buyers."""

    policy_id: int
    name: str
    buyer_ids: Collection[int]
    word: GroupWord
    head_id: int | None = None


def create(actor: Actor, organisation_id: int, new: NewGroup, on: date) -> LimitGroup:
    """Enter a limit over several buyers, with its first decision and those that share in it, and work cover out anew.

    Errors: ``InvalidValues``, ``policy_unknown``, ``buyer_unknown``, ``no_terms``, ``rate_missing``.
    """
    with transaction(organisation_id) as session:
        session.execute(select(Policy.id).where(Policy.id == new.policy_id).with_for_update(key_share=True))
        policy, name = get_policy(session, new.policy_id), new.name.strip()[:NAME_LENGTH]
        problems = []
        if not name:
            problems.append(InvalidValue("group_name_needed", "name"))
        elif session.scalar(select(LimitGroup.id).where(LimitGroup.policy_id == policy.id, LimitGroup.name == name)) is not None:
            problems.append(InvalidValue("group_name_taken", "name", name))
        if len(set(new.buyer_ids)) < 2:
            problems.append(InvalidValue("group_needs_buyers", "buyers"))
        if new.word.decided_minor is None:
            problems.append(InvalidValue("request_amount_needed", "amount"))
        if problems:
            raise InvalidValues(tuple(problems))
        keys = {*new.buyer_ids, *([new.head_id] if new.head_id is not None else [])}
        _get_buyers(session, keys)
        group = LimitGroup(policy_id=policy.id, name=name, head_id=new.head_id, created_at=now(), created_by_id=actor.user_id)
        session.add(group)
        session.flush()
        said = _say(session, actor, group, policy, new.word, on)
        buyers = _get_buyers(session, new.buyer_ids)
        _join(session, actor, group, policy, buyers, said.effective_on, on)
        after = {**_word(said), "policy_id": policy.id, "buyers": [buyer.legal_name for buyer in buyers]}
        journal.record(session, actor, "limit_group.created", _subject(group, policy), after=after)
        cover.refresh_buyers(session, list(new.buyer_ids), on)
        return group


def decide(actor: Actor, organisation_id: int, group_id: int, word: GroupWord, on: date) -> LimitGroupDecision:
    """Enter what the insurer says about the whole, in the history of every buyer that shares, and work cover out anew.

    A cut makes work for each of them. Errors: ``InvalidValues``, ``limit_group_unknown``, ``no_terms``, ``rate_missing``,
    ``reference_taken``.
    """
    with transaction(organisation_id) as session:
        group = get_group(session, group_id)
        policy = get_policy(session, group.policy_id)
        before = _last(session, group, word.decided_on)
        said = _say(session, actor, group, policy, word, on)
        sharing = _sharing(session, group, said.decided_on)
        rows = _enter(session, actor, policy, _following(session, policy, sharing), said, on)
        journal.record(session, actor, "limit_group.decided", _subject(group, policy), before=_word(before), after=_word(said))
        if before is not None and before.decided_minor and _value(said, policy) < _value(before, policy):
            for row in rows:
                note_cut(session, row, Money(before.decided_minor, before.currency), on)
            announce_cuts(session, rows)
        cover.refresh_buyers(session, sharing, on)
        return said


def join(actor: Actor, organisation_id: int, group_id: int, buyer_ids: Collection[int], joined_on: date, on: date) -> None:
    """Let more buyers share in a limit from a day on; the shared limit takes the place of their own. Works cover out anew.

    Errors: ``InvalidValues``, ``limit_group_unknown``, ``buyer_unknown``.
    """
    with transaction(organisation_id) as session:
        group = get_group(session, group_id)
        policy = get_policy(session, group.policy_id)
        if not buyer_ids:
            raise InvalidValue("selection_empty", "buyers")
        buyers = _get_buyers(session, buyer_ids)
        _join(session, actor, group, policy, buyers, joined_on, on)
        after = {"buyers": [buyer.legal_name for buyer in buyers], "joined_on": joined_on}
        journal.record(session, actor, "limit_group.joined", _subject(group, policy), after=after)
        cover.refresh_buyers(session, list(buyer_ids), on)


def leave(actor: Actor, organisation_id: int, group_id: int, buyer_id: int, left_on: date, on: date, *, reason: str = "") -> date:
    """End the share of a buyer, not before the policy's notice has run; gives the first day without. Works cover out anew.

    What it has used of the limit by then stays covered and keeps its place until it is paid, or the buyer has a limit of its own.
    Errors: ``InvalidValues``, ``limit_group_unknown``, ``buyer_not_in_group``.
    """
    with transaction(organisation_id) as session:
        group = get_group(session, group_id)
        policy = get_policy(session, group.policy_id)
        member = session.scalar(
            select(LimitGroupMember).where(
                LimitGroupMember.group_id == group.id, LimitGroupMember.buyer_id == buyer_id, LimitGroupMember.left_on.is_(None)
            )
        )
        told_on = min(left_on, on)
        end = max(left_on, add_days(told_on, terms_on(history_of(session, policy.id), on).limit_cancellation_notice.days))
        if member is None or member.joined_on >= end or told_on < member.joined_on:
            raise Refusal("buyer_not_in_group", group=group.name)
        (buyer,) = _get_buyers(session, [buyer_id])
        follows = _following(session, policy, [buyer_id])
        member.left_on = end
        if follows:
            session.add(
                _row(
                    policy,
                    buyer_id,
                    actor,
                    None,
                    policy.limit_currency,
                    Decimal(1),
                    "",
                    told_on,
                    left_on,
                    None,
                    reason,
                    LimitStatus.WITHDRAWN,
                )
            )
        session.flush()
        after = {"buyer": buyer.legal_name, "left_on": end, "reason": reason.strip()}
        journal.record(session, actor, "limit_group.left", _subject(group, policy), after=after)
        cover.refresh_buyers(session, [buyer_id], on)
        return end


def get_group(session: Session, group_id: int) -> LimitGroup:
    """The group with this key, locked. Errors: ``limit_group_unknown``."""
    group = session.scalar(select(LimitGroup).where(LimitGroup.id == group_id).with_for_update(key_share=True))
    if group is None:
        raise Refusal("limit_group_unknown", group=str(group_id))
    return group


# ---------------------------------------------------------------------- words on the whole


def _say(session: Session, actor: Actor, group: LimitGroup, policy: Policy, word: GroupWord, on: date) -> LimitGroupDecision:
    """Store a word on the whole, checked as a decision on one buyer is."""
    effective_on = word.effective_on or word.decided_on
    reference = (word.insurer_reference or "").strip() or None
    if reference is not None and session.scalar(
        select(LimitGroupDecision.id).where(LimitGroupDecision.group_id == group.id, LimitGroupDecision.insurer_reference == reference)
    ):
        raise InvalidValue("group_reference_taken", "insurer_reference", reference)
    before = _last(session, group, word.decided_on)
    said = LimitGroupDecision(
        group_id=group.id,
        decided_minor=word.decided_minor,
        decided_on=word.decided_on,
        effective_on=effective_on,
        valid_to=word.valid_to,
        insurer_reference=reference,
        reason=word.reason.strip()[:1000],
        created_at=now(),
        created_by_id=actor.user_id,
    )
    if word.decided_minor is None:
        problems: list[InvalidValue] = []
        check_days(problems, "decided_on", word.decided_on, on)
        if effective_on < word.decided_on:
            problems.append(InvalidValue("effective_before_notice", "effective_on", effective_on, received=word.decided_on))
        if problems:
            raise InvalidValues(tuple(problems))
        said.status, said.currency, said.rate, said.rate_source = LimitStatus.WITHDRAWN, policy.limit_currency, Decimal(1), ""
    else:
        new = NewDecision(
            0,
            policy.id,
            word.decided_minor,
            word.currency,
            word.decided_on,
            LimitKind.GROUP,
            effective_on=effective_on,
            valid_to=word.valid_to,
            status=LimitStatus.APPROVED,
        )
        checked = build_decision(session, new, policy, PolicyBook.load(session, policy.id), on)
        said.currency, said.rate, said.rate_source = checked.currency, checked.rate, checked.rate_source
        said.status = _status(said, before, policy)
    session.add(said)
    session.flush()
    return said


def _status(said: LimitGroupDecision, before: LimitGroupDecision | None, policy: Policy) -> LimitStatus:
    if before is None or not before.decided_minor:
        return LimitStatus.APPROVED if said.decided_minor else LimitStatus.REFUSED
    return LimitStatus.REDUCED if _value(said, policy) < _value(before, policy) else LimitStatus.APPROVED


def _value(said: LimitGroupDecision, policy: Policy) -> int:
    """The amount of a word in limit currency; 0 where the limit ends."""
    return convert_minor(said.decided_minor or 0, said.currency, policy.limit_currency, said.rate)


def _last(session: Session, group: LimitGroup, on: date) -> LimitGroupDecision | None:
    """The last word on the whole by a day."""
    return session.scalar(
        select(LimitGroupDecision)
        .where(LimitGroupDecision.group_id == group.id, LimitGroupDecision.decided_on <= on)
        .order_by(LimitGroupDecision.decided_on.desc(), LimitGroupDecision.id.desc())
        .limit(1)
    )


def _enter(
    session: Session, actor: Actor, policy: Policy, buyer_ids: Iterable[int], said: LimitGroupDecision, on: date, since: date | None = None
) -> list[LimitDecision]:
    """The word in the history of each buyer; ``since``: those that join later have it from that day on."""
    told_on = said.decided_on if since is None else max(said.decided_on, min(since, on))
    start = said.effective_on if since is None else max(said.effective_on, since)
    rows = [
        _row(
            policy,
            key,
            actor,
            said.decided_minor,
            said.currency,
            said.rate,
            said.rate_source,
            told_on,
            start,
            said.valid_to,
            said.reason,
            said.status,
        )
        for key in buyer_ids
    ]
    session.add_all(rows)
    session.flush()
    return rows


def _row(
    policy: Policy,
    buyer_id: int,
    actor: Actor,
    decided_minor: int | None,
    currency: str,
    rate: Decimal,
    rate_source: str,
    decided_on: date,
    effective_on: date,
    valid_to: date | None,
    reason: str,
    status: LimitStatus,
) -> LimitDecision:
    return LimitDecision(
        policy_id=policy.id,
        buyer_id=buyer_id,
        layer=Layer.PRIMARY,
        kind=LimitKind.GROUP,
        status=status,
        requested_minor=None,
        decided_minor=decided_minor,
        currency=currency,
        rate=rate,
        rate_source=rate_source,
        decided_on=decided_on,
        effective_on=effective_on,
        valid_to=valid_to,
        conditions={},
        insurer_reference=None,
        reason=reason.strip()[:1000],
        source="limit_group",
        created_at=now(),
        created_by_id=actor.user_id,
    )


# ---------------------------------------------------------------------- who shares


def _join(session: Session, actor: Actor, group: LimitGroup, policy: Policy, buyers: Sequence[Buyer], joined_on: date, on: date) -> None:
    """Let buyers share from a day on, each in one limit of a policy at a time."""
    problems = []
    for buyer in buyers:
        other = session.scalar(
            select(LimitGroup.name)
            .join(LimitGroupMember, LimitGroupMember.group_id == LimitGroup.id)
            .where(
                LimitGroup.policy_id == policy.id,
                LimitGroupMember.buyer_id == buyer.id,
                # A share that ended on the day it began takes up that day all the same.
                or_(
                    LimitGroupMember.left_on.is_(None),
                    LimitGroupMember.left_on > joined_on,
                    and_(LimitGroupMember.group_id == group.id, LimitGroupMember.joined_on == joined_on),
                ),
            )
            .limit(1)
        )
        if other is not None:
            problems.append(InvalidValue("buyer_shares_already", "buyers", buyer.legal_name, buyer=buyer.legal_name, group=other))
    said = _last(session, group, on)
    if said is None or joined_on < said.effective_on or joined_on >= FOREVER:
        problems.append(InvalidValue("joins_before_limit", "joined_on", joined_on, since=None if said is None else said.effective_on))
    if problems or said is None:
        raise InvalidValues(tuple(problems))
    session.add_all(LimitGroupMember(group_id=group.id, buyer_id=buyer.id, joined_on=joined_on) for buyer in buyers)
    _enter(session, actor, policy, [buyer.id for buyer in buyers], said, on, joined_on)


def _sharing(session: Session, group: LimitGroup, on: date) -> list[int]:
    """The buyers that share on a day or will."""
    rows = session.scalars(
        select(LimitGroupMember.buyer_id).where(
            LimitGroupMember.group_id == group.id, or_(LimitGroupMember.left_on.is_(None), LimitGroupMember.left_on > on)
        )
    )
    return sorted(set(rows))


def _following(session: Session, policy: Policy, buyer_ids: Collection[int]) -> list[int]:
    """Of these buyers those whose last ordinary word is the one on the whole: nobody has decided on them alone since."""
    decisions = session.execute(
        select(LimitDecision.buyer_id, LimitDecision.kind)
        .where(
            LimitDecision.policy_id == policy.id,
            LimitDecision.buyer_id.in_(buyer_ids),
            LimitDecision.layer == Layer.PRIMARY,
            LimitDecision.status != LimitStatus.REQUESTED,
            LimitDecision.kind.not_in(_APART),
        )
        .order_by(LimitDecision.decided_on, LimitDecision.id)
    )
    last = {row.buyer_id: row.kind for row in decisions}
    return [key for key in buyer_ids if last.get(key) is LimitKind.GROUP]


def _get_buyers(session: Session, buyer_ids: Collection[int]) -> list[Buyer]:
    """These buyers by name. Errors: ``buyer_unknown``."""
    keys = sorted(set(buyer_ids))
    found = list(session.scalars(select(Buyer).where(Buyer.id.in_(keys)).order_by(Buyer.id)))
    if missing := set(keys) - {buyer.id for buyer in found}:
        raise Refusal("buyer_unknown", buyer=str(min(missing)))
    return sorted(found, key=lambda buyer: buyer.search_name)


def _word(said: LimitGroupDecision | None) -> dict[str, Any]:
    """A word on the whole as the journal keeps it."""
    if said is None:
        return {}
    whole: dict[str, Any] = {
        "status": said.status,
        "decided": None if said.decided_minor is None else Money(said.decided_minor, said.currency),
        "rate": said.rate,
        "decided_on": said.decided_on,
        "effective_on": said.effective_on,
        "valid_to": said.valid_to,
        "insurer_reference": said.insurer_reference,
        "reason": said.reason,
    }
    return {name: value for name, value in whole.items() if value not in (None, "")}


def _subject(group: LimitGroup, policy: Policy) -> Subject:
    return Subject("limit_group", group.id, f"{group.name} / {policy.number}")

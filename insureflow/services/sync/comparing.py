"""What an insurer's cover means for our history of a limit: what has to be recorded, what is the same, and what a person decides.

Nothing here reads the database or the clock.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from insureflow.connectors.insurers.interface import InsurerCover
from insureflow.domain.connections import DifferenceKind
from insureflow.domain.cover.events import Layer
from insureflow.domain.limits import LimitKind, LimitStatus, status_of_decision
from insureflow.domain.limits.codes import CoverReasonCode, CoverResponseCode
from insureflow.domain.limits.life import PendingAction
from insureflow.domain.money import Money

#: Where a decision a person brought in comes from: such evidence is not overwritten by something older.
BY_PEOPLE = frozenset({"manual", "file"})

_ENDING = frozenset({CoverResponseCode.CANCELLED, CoverResponseCode.CLOSE_ACCOUNT})
_APART = frozenset({LimitKind.TEMPORARY, LimitKind.PRE_SHIPMENT})


@dataclass(frozen=True, slots=True)
class Held:
    """A decision we hold, as far as it is compared. ``source`` says who brought it in."""

    id: int
    layer: Layer
    kind: LimitKind
    status: LimitStatus
    decided_minor: int | None
    currency: str
    decided_on: date
    effective_on: date
    valid_to: date | None
    source: str

    @property
    def has_ended(self) -> bool:
        """True for the end of a limit, or a limit of nothing."""
        return self.status is LimitStatus.WITHDRAWN or not self.decided_minor

    @property
    def is_of_person(self) -> bool:
        """True where a person entered it."""
        return self.source in BY_PEOPLE


@dataclass(frozen=True, slots=True)
class Wanted:
    """A decision that the insurer's picture calls for; ``decided_minor`` None is the end of a limit."""

    layer: Layer
    kind: LimitKind
    status: LimitStatus
    requested_minor: int | None
    decided_minor: int | None
    currency: str
    decided_on: date
    effective_on: date
    valid_to: date | None
    reason: str
    is_announced_end: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows from a cover: decisions to record, the one that says the same already, or a difference a person settles."""

    record: tuple[Wanted, ...] = ()
    same_as: int | None = None
    difference: DifferenceKind | None = None
    ours: Held | None = None


def cover_data(cover: InsurerCover) -> dict[str, Any]:
    """What an insurer said of a cover as it is stored: plain data, without its raw words."""

    def money(value: Money | None) -> dict[str, Any] | None:
        return None if value is None else {"minor": value.minor, "currency": value.currency}

    def day(value: date | None) -> str | None:
        return None if value is None else value.isoformat()

    data: dict[str, Any] = {
        "cover_id": cover.cover_id,
        "version": cover.version,
        "company_id": cover.company_id,
        "company_name": cover.company_name,
        "response": int(cover.response),
        "kind": cover.kind.value,
        "layer": cover.layer.value,
        "requested": money(cover.requested),
        "decided": money(cover.decided),
        "decided_on": day(cover.decided_on),
        "effective_on": day(cover.effective_on),
        "valid_to": day(cover.valid_to),
        "reason": None if cover.reason is None else int(cover.reason),
        "pending": None if cover.pending is None else cover.pending.value,
        "pending_on": day(cover.pending_on),
        "own_reference": cover.own_reference,
        "request_reference": cover.request_reference,
        "customer_number": cover.customer_number,
        "country": cover.country,
        "conditions": list(cover.conditions),
    }
    return data | {name: value for name, value in (("grade", cover.grade), ("grade_class", cover.grade_class)) if value}


def cover_of(data: dict[str, Any]) -> InsurerCover:
    """A cover as it was stored by ``cover_data``."""

    def money(value: dict[str, Any] | None) -> Money | None:
        return None if value is None else Money(int(value["minor"]), value["currency"])

    def day(value: str | None) -> date | None:
        return None if value is None else date.fromisoformat(value)

    return InsurerCover(
        cover_id=data["cover_id"],
        version=data["version"],
        company_id=data["company_id"],
        company_name=data["company_name"],
        response=CoverResponseCode(data["response"]),
        kind=LimitKind(data["kind"]),
        layer=Layer(data["layer"]),
        requested=money(data["requested"]),
        decided=money(data["decided"]),
        decided_on=day(data["decided_on"]),
        effective_on=day(data["effective_on"]),
        valid_to=day(data["valid_to"]),
        reason=None if data["reason"] is None else CoverReasonCode(data["reason"]),
        pending=None if data["pending"] is None else PendingAction(data["pending"]),
        pending_on=day(data["pending_on"]),
        own_reference=data["own_reference"],
        request_reference=data["request_reference"],
        customer_number=data["customer_number"],
        country=data["country"],
        conditions=tuple(data["conditions"]),
        grade=data.get("grade", ""),
        grade_class=data.get("grade_class", ""),
    )


def digest_of(data: dict[str, Any]) -> str:
    """The fingerprint of what an insurer said of a cover: the same words give the same one."""
    return hashlib.sha256(json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest()


def _said_on(cover: InsurerCover, on: date) -> date:
    """The day of a decision as we record it: theirs, never one that has not come yet."""
    return min(cover.decided_on or cover.effective_on or on, on)


def _reason(cover: InsurerCover) -> str:
    return "; ".join(part for part in cover.conditions if part)[:1000]


def wanted_of(cover: InsurerCover, on: date) -> Wanted | None:
    """The decision a cover stands for; None where it decides nothing. A limit whose last day has passed before it began has ended."""
    if cover.decided is None or cover.response is CoverResponseCode.STILL_INVESTIGATING:
        return None
    decided_on = _said_on(cover, on)
    effective_on = cover.effective_on or decided_on
    has_ended = cover.response in _ENDING and cover.decided.minor == 0
    if cover.valid_to is not None and cover.valid_to < max(decided_on, effective_on):
        has_ended = True
    requested = cover.requested.minor if cover.requested is not None and cover.requested.currency == cover.decided.currency else None
    if has_ended:
        kind = LimitKind.TOP_UP if cover.layer is Layer.TOP_UP else LimitKind.NAMED
        effective_on = max(effective_on, decided_on) if cover.response in _ENDING else max(cover.valid_to or decided_on, decided_on)
        return Wanted(
            cover.layer, kind, LimitStatus.WITHDRAWN, None, None, cover.decided.currency, decided_on, effective_on, None, _reason(cover)
        )
    return Wanted(
        cover.layer,
        cover.kind,
        LimitStatus.REDUCED if cover.response is CoverResponseCode.REDUCED and cover.decided.minor else LimitStatus.APPROVED,
        requested,
        cover.decided.minor,
        cover.decided.currency,
        decided_on,
        effective_on,
        cover.valid_to,
        _reason(cover),
    )


def leaves_nothing(cover: InsurerCover, wanted: Wanted) -> bool:
    """True for a lasting limit that is shown at 0 without being called reduced: where there was a limit, the insurer has ended it."""
    return wanted.decided_minor == 0 and wanted.kind not in _APART and cover.response is not CoverResponseCode.REDUCED


def _ended(cover: InsurerCover, wanted: Wanted, group: Sequence[Held], known_id: int | None) -> Wanted:
    """A limit shown at 0 as the end of the one it takes the place of; as it is where there was none, which is a refusal."""
    if not leaves_nothing(cover, wanted):
        return wanted
    before = [each for each in group if each.kind not in _APART and each.decided_on <= wanted.decided_on]
    last = before[-1] if before else None
    if last is None:
        return wanted
    is_told_again = last.id == known_id and last.status is LimitStatus.WITHDRAWN
    has_lapsed = last.valid_to is not None and last.valid_to < wanted.decided_on
    if not is_told_again and (last.has_ended or has_lapsed):
        return wanted
    return replace(
        wanted,
        kind=LimitKind.TOP_UP if wanted.layer is Layer.TOP_UP else LimitKind.NAMED,
        status=LimitStatus.WITHDRAWN,
        requested_minor=None,
        decided_minor=None,
        effective_on=max(wanted.effective_on, wanted.decided_on),
        valid_to=None,
    )


def _announced_end(cover: InsurerCover, limit: Wanted, on: date) -> Wanted | None:
    """The end of a limit that is announced for a later day, as a notice received today."""
    if (
        cover.pending is not PendingAction.WITHDRAWAL_ANNOUNCED
        or cover.pending_on is None
        or cover.pending_on <= on
        or not limit.decided_minor
    ):
        return None
    kind = LimitKind.TOP_UP if cover.layer is Layer.TOP_UP else LimitKind.NAMED
    return Wanted(
        cover.layer,
        kind,
        LimitStatus.WITHDRAWN,
        None,
        None,
        limit.currency,
        on,
        cover.pending_on,
        None,
        limit.reason,
        is_announced_end=True,
    )


def is_same(held: Held, wanted: Wanted, on: date) -> bool:
    """True if a decision we hold says what is wanted: both an end, or the same amount to the same day, in effect alike."""
    if held.status is LimitStatus.WITHDRAWN or wanted.decided_minor is None:
        return (
            held.has_ended
            and wanted.decided_minor is None
            and (held.effective_on == wanted.effective_on or held.effective_on <= on >= wanted.effective_on)
        )
    is_alike = (held.decided_minor, held.currency, held.valid_to) == (wanted.decided_minor, wanted.currency, wanted.valid_to)
    is_one_kind = held.kind is wanted.kind or (held.kind not in _APART and wanted.kind not in _APART)
    return is_alike and is_one_kind and (held.effective_on == wanted.effective_on or held.effective_on <= on >= wanted.effective_on)


def _word(wanted: Wanted, history: Sequence[Held]) -> LimitStatus:
    """The word for a decision from what was there before it; amounts of another currency are not compared."""
    if wanted.decided_minor is None or wanted.status is LimitStatus.REDUCED:
        return wanted.status
    if wanted.kind in _APART:
        return status_of_decision(wanted.requested_minor, wanted.decided_minor, None)
    before = [each for each in history if each.kind not in _APART and each.decided_on <= wanted.decided_on]
    last = before[-1] if before else None
    previous = None
    if last is not None and last.currency == wanted.currency and (last.valid_to is None or last.valid_to >= wanted.decided_on):
        previous = last.decided_minor
    return status_of_decision(wanted.requested_minor, wanted.decided_minor, previous)


def _difference_kind(held: Held, wanted: Wanted) -> DifferenceKind:
    if held.has_ended != (not wanted.decided_minor):
        return DifferenceKind.STATUS
    if held.currency != wanted.currency:
        return DifferenceKind.CURRENCY
    if held.decided_minor != wanted.decided_minor:
        return DifferenceKind.AMOUNT
    return DifferenceKind.DATES


def group_of(history: Sequence[Held], layer: Layer, kind: LimitKind) -> list[Held]:
    """The decisions that a decision of this layer and kind replaces, the oldest first: temporary and pre-shipment limits stand apart."""
    if kind in _APART:
        return [each for each in history if each.layer is layer and (each.kind is kind or each.status is LimitStatus.WITHDRAWN)]
    return [each for each in history if each.layer is layer and (each.kind not in _APART or each.status is LimitStatus.WITHDRAWN)]


def judge(cover: InsurerCover, history: Sequence[Held], known_id: int | None, on: date) -> Verdict:
    """What follows from a cover that says something new. ``history``: all we hold for its buyer under the policy, the oldest first.

    ``known_id`` is the decision an earlier version of this cover led to. What a person entered later than the insurer decided stays.
    *Source:* a correction that an insurer dates back counts from today on, as what we recorded in between was true then.
    """
    limit = wanted_of(cover, on)
    if limit is None:
        return Verdict(same_as=known_id)
    group = group_of(history, limit.layer, limit.kind)
    limit = _ended(cover, limit, group, known_id)
    end = _announced_end(cover, limit, on)
    last = group[-1] if group else None
    if end is not None and last is not None and last.status is LimitStatus.WITHDRAWN and last.effective_on == end.effective_on:
        before = group[-2] if len(group) > 1 else None
        if before is not None and is_same(before, limit, on):
            return Verdict(same_as=before.id)
    if last is None:
        if limit.decided_minor is None:
            return Verdict()
        return Verdict(record=_with_words((limit, end), group))
    if is_same(last, limit, on):
        return Verdict(record=_with_words((end,), group), same_as=last.id)
    if last.is_of_person and last.decided_on > limit.decided_on:
        return Verdict(difference=DifferenceKind.MANUAL_KEPT, ours=last)
    if limit.decided_minor is None and last.has_ended and last.effective_on <= on:
        return Verdict(same_as=last.id)
    if known_id is not None and last.decided_on > limit.decided_on and not last.is_of_person:
        same_chain = any(each.id == known_id for each in group)
        if same_chain:
            limit = replace(limit, decided_on=on, effective_on=max(limit.effective_on, on))
            if limit.valid_to is not None and limit.valid_to < on:
                limit = replace(limit, decided_minor=None, status=LimitStatus.WITHDRAWN, requested_minor=None, valid_to=None)
    if any(each.decided_on == limit.decided_on and is_same(each, limit, on) for each in group if limit.decided_on < last.decided_on):
        return Verdict(same_as=next(each.id for each in group if each.decided_on == limit.decided_on and is_same(each, limit, on)))
    return Verdict(record=_with_words((limit, end), group))


def _with_words(wanted: Sequence[Wanted | None], group: Sequence[Held]) -> tuple[Wanted, ...]:
    return tuple(replace(each, status=_word(each, group)) for each in wanted if each is not None)


def compare(cover: InsurerCover, history: Sequence[Held], on: date) -> tuple[DifferenceKind, Held | None] | None:
    """How our picture differs from what an insurer said of a cover; None where it does not. For a cover that is the newest of its kind."""
    limit = wanted_of(cover, on)
    if limit is None:
        return None
    group = [
        each
        for each in group_of(history, limit.layer, limit.kind)
        if each.decided_on <= on and each.effective_on <= max(on, limit.effective_on)
    ]
    last = group[-1] if group else None
    if last is None:
        return (
            None if not limit.decided_minor or (limit.valid_to is not None and limit.valid_to < on) else (DifferenceKind.MISSING_HERE, None)
        )
    if is_same(last, limit, on) or (last.has_ended and not limit.decided_minor):
        return None
    if limit.valid_to is not None and limit.valid_to < on and (last.valid_to is None or last.valid_to < on or last.has_ended):
        return None
    if last.is_of_person and last.decided_on > limit.decided_on:
        return DifferenceKind.MANUAL_KEPT, last
    return _difference_kind(last, limit), last

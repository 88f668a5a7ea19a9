"""What the duties would be if the terms of a policy said otherwise.

The open invoices stay what they are: only the days of duties are worked out anew, with nothing stored. What other terms would do to
cover itself is not asked here.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import select

from insureflow.domain.obligations import ObligationKind, ObligationStatus
from insureflow.domain.policies import DatedTerms, PolicyTerms
from insureflow.models.buyers import Buyer
from insureflow.models.cover import ObligationMark
from insureflow.models.database import db
from insureflow.models.receivables import Invoice
from insureflow.queries.cover.duties import Duty
from insureflow.queries.cover.policies import PolicyBook
from insureflow.queries.obligations.calendar import DutyKey, DutySelection, Happened, duties_on

_Subject = tuple[int | None, int | None, str]


@dataclass(frozen=True, slots=True)
class KindCount:
    """The duties of a kind: how many are open in all, how many of them are late, and the next day on which one falls due."""

    open: int
    late: int
    next_on: date | None


@dataclass(frozen=True, slots=True)
class KindComparison:
    """The duties of a kind as they are and as they would be; ``moved`` is how many would fall due on another day."""

    kind: ObligationKind
    now: KindCount
    then: KindCount
    moved: int


@dataclass(frozen=True, slots=True)
class MovedDuty:
    """A duty that would fall due on another day; None: there is none now, or would be none then."""

    kind: ObligationKind
    buyer_id: int | None
    buyer: str | None
    invoice_id: int | None
    invoice: str | None
    now_on: date | None
    then_on: date | None
    is_late_now: bool
    is_late_then: bool
    amount_minor: int | None
    currency: str | None


@dataclass(frozen=True, slots=True)
class Simulation:
    """What would change. ``moved`` holds the duties that would, those that matter most first, at most as many as asked for."""

    kinds: tuple[KindComparison, ...]
    moved: tuple[MovedDuty, ...]
    moved_count: int


@dataclass(frozen=True, slots=True)
class _Standing:
    """A duty and whether it is settled or late."""

    duty: Duty
    is_open: bool
    is_late: bool


def _standing(duty: Duty, on: date, happened: Happened, mark: ObligationMark | None) -> _Standing:
    status = happened.standing(duty, mark, on)[0]
    return _Standing(duty, status in {ObligationStatus.OPEN, ObligationStatus.LATE}, status is ObligationStatus.LATE)


def _by_subject(duties: list[Duty]) -> dict[_Subject, list[Duty]]:
    found: dict[_Subject, list[Duty]] = defaultdict(list)
    for duty in sorted(duties, key=lambda each: each.due_on):
        found[duty.buyer_id, duty.invoice_id, duty.kind].append(duty)
    return found


def _pairs(now: list[Duty], then: list[Duty]) -> list[tuple[Duty | None, Duty | None]]:
    """The duties of each subject side by side, in the order of their days."""
    before, after = _by_subject(now), _by_subject(then)
    pairs: list[tuple[Duty | None, Duty | None]] = []
    for subject in before.keys() | after.keys():
        left, right = before.get(subject, []), after.get(subject, [])
        length = max(len(left), len(right))
        pairs += zip([*left, *[None] * (length - len(left))], [*right, *[None] * (length - len(right))], strict=True)
    return pairs


def _count(standings: list[_Standing], on: date) -> KindCount:
    still = [each for each in standings if each.is_open]
    coming = [each.duty.due_on for each in still if each.duty.due_on >= on]
    return KindCount(len(still), sum(each.is_late for each in still), min(coming, default=None))


def simulate(selection: DutySelection, policy_id: int, terms: PolicyTerms, *, rows: int = 100) -> Simulation:
    """The duties of a policy under other terms beside those it has, on a day. What was done about a duty counts in both."""
    on = selection.on
    selection = replace(selection, policy_id=policy_id)
    book = PolicyBook.load()
    policy = book.policies[policy_id]
    other = replace(policy, history=(DatedTerms(date.min, terms),), deadlines={})
    now = _without_names_twice(duties_on(selection, book))
    then = _without_names_twice(duties_on(selection, PolicyBook({**book.policies, policy_id: other}, {})))
    happened = Happened.to([*now, *then], on)
    standings: Mapping[ObligationKind, tuple[list[_Standing], list[_Standing]]] = {kind: ([], []) for kind in ObligationKind}
    moved: Counter[ObligationKind] = Counter()
    changes: list[tuple[Duty, _Standing | None, _Standing | None]] = []
    for left, right in _pairs(now, then):
        mark = None if left is None else happened.mark_of(left)
        before = None if left is None else _standing(left, on, happened, mark)
        after = None if right is None else _standing(right, on, happened, mark)
        one = left or right
        if one is None:
            continue
        kind = ObligationKind(one.kind)
        if before is not None:
            standings[kind][0].append(before)
        if after is not None:
            standings[kind][1].append(after)
        is_open = (before is not None and before.is_open) or (after is not None and after.is_open)
        if is_open and (left is None or right is None or left.due_on != right.due_on):
            moved[kind] += 1
            changes.append((one, before, after))
    kinds = tuple(
        KindComparison(kind, _count(left_side, on), _count(right_side, on), moved[kind])
        for kind, (left_side, right_side) in standings.items()
        if left_side or right_side
    )
    changes.sort(key=lambda each: (-(each[0].amount_minor or 0), each[0].due_on, each[0].buyer_id or 0, each[0].invoice_id or 0))
    return Simulation(kinds, _named(changes[:rows]), len(changes))


def _without_names_twice(duties: list[Duty]) -> list[Duty]:
    """Each duty once: a duty of a limit or of a period may be found under the same day more than once."""
    return list({DutyKey(*duty[:5]): duty for duty in duties}.values())


def _named(changes: list[tuple[Duty, _Standing | None, _Standing | None]]) -> tuple[MovedDuty, ...]:
    buyer_ids = {duty.buyer_id for duty, _, _ in changes if duty.buyer_id is not None}
    invoice_ids = {duty.invoice_id for duty, _, _ in changes if duty.invoice_id is not None}
    buyers = dict(db.session.execute(select(Buyer.id, Buyer.legal_name).where(Buyer.id.in_(buyer_ids))).all())
    invoices = dict(db.session.execute(select(Invoice.id, Invoice.number).where(Invoice.id.in_(invoice_ids))).all())
    return tuple(
        MovedDuty(
            kind=ObligationKind(duty.kind),
            buyer_id=duty.buyer_id,
            buyer=None if duty.buyer_id is None else buyers.get(duty.buyer_id),
            invoice_id=duty.invoice_id,
            invoice=None if duty.invoice_id is None else invoices.get(duty.invoice_id),
            now_on=None if before is None else before.duty.due_on,
            then_on=None if after is None else after.duty.due_on,
            is_late_now=before is not None and before.is_late,
            is_late_then=after is not None and after.is_late,
            amount_minor=duty.amount_minor,
            currency=duty.currency,
        )
        for duty, before, after in changes
    )

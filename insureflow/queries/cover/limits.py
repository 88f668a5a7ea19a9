"""The limits of a buyer as they stand on a day, what uses them, and how limit and exposure went over time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select

from insureflow.domain.cover import Layer
from insureflow.domain.limits import LimitRecord, LimitSituation, situation_on
from insureflow.models.base import FOREVER
from insureflow.models.cover import AccountState, InvoicePosition
from insureflow.models.database import db
from insureflow.models.limits import SharedUse
from insureflow.models.policies import Policy
from insureflow.queries.cover.ledgers import Decision, load_decisions


@dataclass(frozen=True, slots=True)
class LayerUse:
    """One layer on a day, in minor units of the limit currency. ``headroom`` is what it could still cover.

    ``taken`` is what other buyers that share the limit leave unusable of it.
    """

    layer: Layer
    situation: LimitSituation
    limit: int
    covered: int
    reserved: int
    taken: int = 0

    @property
    def headroom(self) -> int:
        """Limit − covered − reserved − what others use of it, not below 0."""
        return max(0, self.limit - self.covered - self.reserved - self.taken)


@dataclass(frozen=True, slots=True)
class LimitStack:
    """The limits of a buyer under one policy on a day, with the decisions known by then, the latest first."""

    policy_id: int
    policy: str
    insurer: str
    currency: str
    layers: tuple[LayerUse, ...]
    open: int
    covered: int
    stopped: bool
    decisions: tuple[Decision, ...]


def limit_stacks(buyer_id: int, on: date, *, policy_id: int | None = None) -> list[LimitStack]:
    """The limits of a buyer under every policy with a decision or an account, in order of the policies' priority.

    A top-up layer is shown once something was decided on it.
    """
    known = [decision for decision in load_decisions([buyer_id]) if decision.decided_on <= on]
    states = {
        row.policy_id: row
        for row in db.session.scalars(
            select(AccountState).where(AccountState.buyer_id == buyer_id, AccountState.valid_from <= on, AccountState.valid_to > on)
        )
    }
    position = InvoicePosition
    used = {
        row[0]: tuple(int(amount) for amount in row[1:])
        for row in db.session.execute(
            select(position.policy_id, func.sum(position.open_minor), func.sum(position.primary_minor), func.sum(position.top_up_minor))
            .where(position.buyer_id == buyer_id, position.policy_id.is_not(None), position.valid_from <= on, position.valid_to > on)
            .group_by(position.policy_id)
        )
    }
    taken = {
        row.policy_id: int(row.taken_minor)
        for row in db.session.execute(
            select(SharedUse.policy_id, SharedUse.taken_minor).where(
                SharedUse.buyer_id == buyer_id, SharedUse.valid_from <= on, SharedUse.valid_to > on
            )
        )
    }
    wanted = ({decision.policy_id for decision in known} | states.keys()) if policy_id is None else {policy_id}
    stacks = []
    for policy in db.session.scalars(select(Policy).where(Policy.id.in_(sorted(wanted))).order_by(Policy.priority, Policy.id)):
        decisions = [decision for decision in known if decision.policy_id == policy.id]
        state, (opened, primary, top_up) = states.get(policy.id), used.get(policy.id, (0, 0, 0))
        layers = [_layer(Layer.PRIMARY, decisions, on, primary, state, taken.get(policy.id, 0))]
        if top_up or any(decision.layer is Layer.TOP_UP for decision in decisions):
            layers.append(_layer(Layer.TOP_UP, decisions, on, top_up, state))
        stacks.append(
            LimitStack(
                policy.id,
                policy.number,
                policy.insurer,
                policy.limit_currency,
                tuple(layers),
                opened,
                primary + top_up,
                state is not None and state.stopped,
                tuple(sorted(decisions, key=lambda decision: (decision.decided_on, decision.id), reverse=True)),
            )
        )
    return stacks


def _layer(layer: Layer, decisions: list[Decision], on: date, covered: int, state: AccountState | None, taken: int = 0) -> LayerUse:
    records = [
        LimitRecord(
            decision.id,
            decision.kind,
            decision.status,
            decision.decided_on,
            decision.effective_on,
            decision.valid_to,
            decision.decided_minor,
        )
        for decision in decisions
        if decision.layer is layer
    ]
    limit = reserved = 0
    if state is not None:
        is_primary = layer is Layer.PRIMARY
        limit = state.limit_primary_minor if is_primary else state.limit_top_up_minor
        reserved = state.reserved_primary_minor if is_primary else state.reserved_top_up_minor
    return LayerUse(layer, situation_on(records, on, has_limit=limit > 0), limit, covered, reserved, taken)


@dataclass(frozen=True, slots=True)
class TimelinePoint:
    """Limit and exposure of an account from a day on, in minor units of the limit currency; both layers together."""

    on: date
    limit: int
    open: int
    covered: int
    stopped: bool


def limit_timeline(buyer_id: int, policy_id: int, first_day: date, last_day: date) -> list[TimelinePoint]:
    """How limit and exposure went: one point for the first day and one for every day up to the last on which something changed."""
    position = InvoicePosition
    of_account = [position.buyer_id == buyer_id, position.policy_id == policy_id]
    opened, covered = func.sum(position.open_minor), func.sum(position.primary_minor + position.top_up_minor)
    changes: dict[date, list[int]] = {}
    for column, sign in ((position.valid_from, 1), (position.valid_to, -1)):
        rows = db.session.execute(select(column, opened, covered).where(*of_account, column <= last_day).group_by(column))
        for day, more_open, more_covered in rows:
            change = changes.setdefault(day, [0, 0])
            change[0] += sign * int(more_open)
            change[1] += sign * int(more_covered)
    states: dict[date, tuple[int, bool]] = {}
    spans = select(AccountState).where(
        AccountState.buyer_id == buyer_id, AccountState.policy_id == policy_id, AccountState.valid_from <= last_day
    )
    for state in db.session.scalars(spans.order_by(AccountState.valid_from)):
        states[state.valid_from] = (state.limit_primary_minor + state.limit_top_up_minor, state.stopped)
        if state.valid_to != FOREVER:
            states.setdefault(state.valid_to, (0, False))
    points: list[TimelinePoint] = []
    limit, is_stopped, running = 0, False, [0, 0]
    for day in sorted({*changes, *states, first_day}):
        if day > last_day:
            break
        limit, is_stopped = states.get(day, (limit, is_stopped))
        running = [left + right for left, right in zip(running, changes.get(day, [0, 0]), strict=True)]
        if day < first_day:
            continue
        point = TimelinePoint(day, limit, running[0], running[1], is_stopped)
        if not points or (point.limit, point.open, point.covered, point.stopped) != (
            points[-1].limit,
            points[-1].open,
            points[-1].covered,
            points[-1].stopped,
        ):
            points.append(point)
    return points

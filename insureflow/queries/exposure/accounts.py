"""Accounts that need attention: over their limit, stopped, or with a limit that was cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Select, case, func, select

from insureflow.domain.cover import Layer
from insureflow.domain.limits import LimitKind, LimitStatus
from insureflow.models.buyers import Buyer
from insureflow.models.cover import AccountState, InvoicePosition
from insureflow.models.database import db
from insureflow.models.limits import LimitDecision
from insureflow.queries.exposure.figures import Selection, chosen


@dataclass(frozen=True, slots=True)
class AccountStanding:
    """A buyer under a policy on a day, in minor units of the limit currency.

    ``headroom`` is what the limits could still cover: limit − covered − reserved, not below 0, both layers together.
    """

    buyer_id: int
    buyer: str
    country: str
    policy_id: int
    currency: str
    limit: int
    open: int
    covered: int
    over_limit: int
    headroom: int
    stopped: bool


def _standings(selection: Selection) -> Select[Any]:
    position, state = InvoicePosition, AccountState
    sums = (
        select(
            position.buyer_id,
            position.policy_id,
            func.sum(position.open_minor).label("open"),
            func.sum(position.primary_minor).label("primary_"),
            func.sum(position.top_up_minor).label("top_up"),
            func.sum(position.over_limit_minor).label("over_limit"),
        )
        .where(position.valid_from <= selection.on, position.valid_to > selection.on, position.policy_id.is_not(None))
        .group_by(position.buyer_id, position.policy_id)
        .subquery()
    )
    primary, top_up = func.coalesce(sums.c.primary_, 0), func.coalesce(sums.c.top_up, 0)
    free_primary = state.limit_primary_minor - primary - state.reserved_primary_minor
    free_top_up = state.limit_top_up_minor - top_up - state.reserved_top_up_minor
    headroom = case((free_primary > 0, free_primary), else_=0) + case((free_top_up > 0, free_top_up), else_=0)
    return (
        select(
            state.buyer_id,
            Buyer.legal_name,
            Buyer.country,
            state.policy_id,
            state.limit_currency,
            state.limit_primary_minor + state.limit_top_up_minor,
            func.coalesce(sums.c.open, 0),
            primary + top_up,
            func.coalesce(sums.c.over_limit, 0).label("over_limit"),
            headroom.label("headroom"),
            state.stopped,
        )
        .select_from(state)
        .join(Buyer, Buyer.id == state.buyer_id)
        .outerjoin(sums, (sums.c.buyer_id == state.buyer_id) & (sums.c.policy_id == state.policy_id))
        .where(state.valid_from <= selection.on, state.valid_to > selection.on, *chosen(selection, state))
    )


def _read(statement: Select[Any]) -> list[AccountStanding]:
    found = []
    for row in db.session.execute(statement):
        limit, opened, covered, over, free = (int(amount) for amount in row[5:10])
        found.append(AccountStanding(row[0], row[1], row[2], row[3], row[4], limit, opened, covered, over, free, bool(row[10])))
    return found


def standings(selection: Selection) -> list[AccountStanding]:
    """Every account asked for, by buyer and policy."""
    return _read(_standings(selection).order_by(AccountState.buyer_id, AccountState.policy_id))


def over_limit(selection: Selection, *, most: int = 10) -> list[AccountStanding]:
    """The accounts with the largest amounts over their limit, the largest first."""
    found = _standings(selection).subquery()
    statement = select(found).where(found.c.over_limit > 0).order_by(found.c.over_limit.desc(), found.c.buyer_id).limit(most)
    return _read(statement)


def stopped(selection: Selection) -> list[AccountStanding]:
    """The accounts on which further shipments are not covered, by name of the buyer."""
    return _read(_standings(selection).where(AccountState.stopped.is_(True)).order_by(Buyer.legal_name, AccountState.policy_id))


def headroom(selection: Selection) -> dict[str, int]:
    """What the limits in force could still cover, by limit currency. A stopped account has no headroom."""
    found = _standings(selection).where(AccountState.stopped.is_(False)).subquery()
    statement = select(found.c.limit_currency, func.sum(found.c.headroom)).group_by(found.c.limit_currency).order_by(found.c.limit_currency)
    return {currency: int(amount) for currency, amount in db.session.execute(statement)}


@dataclass(frozen=True, slots=True)
class LimitCut:
    """A limit that was lowered or withdrawn; amounts in minor units of their own currencies. ``after`` 0: withdrawn or refused."""

    buyer_id: int
    buyer: str
    country: str
    policy_id: int
    layer: Layer
    decided_on: date
    effective_on: date
    before: int
    before_currency: str
    after: int
    currency: str


def limits_cut(selection: Selection, *, days: int = 30) -> list[LimitCut]:
    """Limits lowered or withdrawn in the days up to the day asked for, the latest first.

    Temporary limits are left aside. A decision in another currency than the one before is compared at both frozen rates.
    """
    decision = LimitDecision
    statement = (
        select(decision, Buyer.legal_name, Buyer.country)
        .join(Buyer, Buyer.id == decision.buyer_id)
        .where(
            decision.decided_on <= selection.on,
            decision.kind.not_in([LimitKind.TEMPORARY, LimitKind.PRE_SHIPMENT]),
            decision.status != LimitStatus.REQUESTED,
            decision.buyer_id.in_(
                select(LimitDecision.buyer_id).where(
                    LimitDecision.decided_on > selection.on - timedelta(days=days), LimitDecision.decided_on <= selection.on
                )
            ),
            *chosen(selection, decision),
        )
        .order_by(decision.policy_id, decision.buyer_id, decision.layer, decision.decided_on, decision.id)
    )
    cuts: list[LimitCut] = []
    previous: LimitDecision | None = None
    for found, buyer, country in db.session.execute(statement):
        same = previous is not None and (previous.policy_id, previous.buyer_id, previous.layer) == (
            found.policy_id,
            found.buyer_id,
            found.layer,
        )
        if same and previous is not None and found.decided_on > selection.on - timedelta(days=days) and _is_cut(previous, found):
            cuts.append(
                LimitCut(
                    found.buyer_id,
                    buyer,
                    country,
                    found.policy_id,
                    found.layer,
                    found.decided_on,
                    found.effective_on,
                    previous.decided_minor or 0,
                    previous.currency,
                    found.decided_minor or 0,
                    found.currency,
                )
            )
        previous = found
    return sorted(cuts, key=lambda cut: (-cut.decided_on.toordinal(), cut.buyer, cut.policy_id))


def _is_cut(before: LimitDecision, after: LimitDecision) -> bool:
    return (after.decided_minor or 0) * after.rate < (before.decided_minor or 0) * before.rate


def limits_of(rows: Sequence[AccountStanding]) -> dict[str, int]:
    """Limits in force added up by currency."""
    sums: dict[str, int] = {}
    for row in rows:
        sums[row.currency] = sums.get(row.currency, 0) + row.limit
    return sums

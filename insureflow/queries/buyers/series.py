"""A buyer's limit and exposure under one policy over time, as steps: for the picture of both."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from insureflow.models.cover import AccountState, InvoicePosition
from insureflow.models.database import db


@dataclass(frozen=True, slots=True)
class Series:
    """Steps in limit currency: each value holds from its day until the next one's. The first of each holds from the start."""

    start: date
    end: date
    limits: tuple[tuple[date, int], ...]
    exposures: tuple[tuple[date, int], ...]


def series_of(buyer_id: int, policy_id: int, start: date, end: date) -> Series:
    """Limit (all layers) and amount owed from ``start`` until before ``end``.

    *Formula:* owed on a day = Σ of the open amounts of the positions whose interval holds it.
    """
    limits: list[tuple[date, int]] = []
    for state in db.session.scalars(
        select(AccountState)
        .where(
            AccountState.buyer_id == buyer_id,
            AccountState.policy_id == policy_id,
            AccountState.valid_from < end,
            AccountState.valid_to > start,
        )
        .order_by(AccountState.valid_from)
    ):
        amount = state.limit_primary_minor + state.limit_top_up_minor
        if not limits or limits[-1][1] != amount:
            limits.append((max(state.valid_from, start), amount))
    changes: dict[date, int] = {}
    positions = select(InvoicePosition.valid_from, InvoicePosition.valid_to, InvoicePosition.open_minor).where(
        InvoicePosition.buyer_id == buyer_id,
        InvoicePosition.policy_id == policy_id,
        InvoicePosition.valid_from < end,
        InvoicePosition.valid_to > start,
        InvoicePosition.open_minor > 0,
    )
    for valid_from, valid_to, open_minor in db.session.execute(positions):
        begin = max(valid_from, start)
        changes[begin] = changes.get(begin, 0) + open_minor
        if valid_to < end:
            changes[valid_to] = changes.get(valid_to, 0) - open_minor
    running = 0
    exposures: list[tuple[date, int]] = []
    for day in sorted(changes):
        running += changes[day]
        exposures.append((day, running))
    return Series(start, end, tuple(limits), tuple(exposures))

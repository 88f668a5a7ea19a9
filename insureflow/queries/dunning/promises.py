"""Promises to pay, and how each stands on a day by the money received."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Select, String, cast, literal, select

from insureflow.domain.dunning import PromiseState, promise_state
from insureflow.models.database import db
from insureflow.models.dunning import PromiseToPay
from insureflow.models.receivables import Allocation, Invoice, Payment


@dataclass(frozen=True, slots=True)
class PromisePicture:
    """A promise, how it stands, and what came of it so far."""

    promise: PromiseToPay
    state: PromiseState
    received_minor: int


def open_promises(on: date) -> Sequence[PromiseToPay]:
    """Promises made by a day that nobody took back, the earliest promised first."""
    statement = select(PromiseToPay).where(PromiseToPay.made_on <= on, PromiseToPay.cancelled_on.is_(None))
    return db.session.scalars(statement.order_by(PromiseToPay.promised_for, PromiseToPay.id)).all()


def broken_promises(on: date, *, but: Select[Any]) -> list[PromisePicture]:
    """The promises that are broken on a day and whose cause is not among some: those that somebody knows of are not looked at again."""
    cause = literal("promise:") + cast(PromiseToPay.id, String)
    over = select(PromiseToPay).where(PromiseToPay.promised_for < on, PromiseToPay.cancelled_on.is_(None), cause.not_in(but))
    return _pictures(db.session.scalars(over.order_by(PromiseToPay.promised_for, PromiseToPay.id)).all(), on, {PromiseState.BROKEN})


def promise_pictures(on: date, *, buyer_id: int | None = None, states: Collection[PromiseState] | None = None) -> list[PromisePicture]:
    """How promises stand on a day; those of one buyer, or all that nobody took back."""
    if buyer_id is None:
        promises = list(open_promises(on))
        if states == {PromiseState.OPEN}:
            promises = [each for each in promises if each.promised_for >= on]
    else:
        own = select(PromiseToPay).where(PromiseToPay.buyer_id == buyer_id, PromiseToPay.made_on <= on)
        promises = list(db.session.scalars(own.order_by(PromiseToPay.promised_for.desc(), PromiseToPay.id.desc())))
    return _pictures(promises, on, states)


def _pictures(promises: Sequence[PromiseToPay], on: date, states: Collection[PromiseState] | None) -> list[PromisePicture]:
    money = _Money({each.buyer_id for each in promises}, min((each.made_on for each in promises), default=on))
    pictures = []
    for promise in promises:
        receipts = money.receipts(promise)
        state = promise_state(promise.amount_minor, promise.promised_for, on, receipts=receipts, cancelled_on=promise.cancelled_on)
        if states is None or state in states:
            pictures.append(PromisePicture(promise, state, sum(minor for day, minor in receipts if day <= on)))
    return pictures


class _Money:
    """The money received from some buyers since a day, by buyer and currency, and what of it settled which invoice."""

    def __init__(self, buyer_ids: Collection[int], since: date) -> None:
        self._payments: dict[tuple[int, str], list[tuple[date, int]]] = {}
        self._settled: dict[tuple[int, str, str], list[tuple[date, int]]] = {}
        keys = sorted(buyer_ids)
        for start in range(0, len(keys), 5000):
            self._read(keys[start : start + 5000], since)

    def _read(self, keys: Sequence[int], since: date) -> None:
        payments = select(Payment.buyer_id, Payment.currency, Payment.received_on, Payment.amount_minor)
        for row in db.session.execute(payments.where(Payment.buyer_id.in_(keys), Payment.received_on >= since)):
            self._payments.setdefault((row.buyer_id, row.currency), []).append((row.received_on, int(row.amount_minor)))
        settled = (
            select(Invoice.buyer_id, Invoice.currency, Invoice.number, Payment.received_on, Allocation.amount_minor)
            .join(Allocation, Allocation.invoice_id == Invoice.id)
            .join(Payment, Payment.id == Allocation.payment_id)
            .where(Invoice.buyer_id.in_(keys), Payment.received_on >= since)
        )
        for found in db.session.execute(settled):
            key = (found.buyer_id, found.currency, found.number)
            self._settled.setdefault(key, []).append((found.received_on, int(found.amount_minor)))

    def receipts(self, promise: PromiseToPay) -> list[tuple[date, int]]:
        """What was received since a promise was made: on the invoices it names, or at all."""
        if promise.invoices:
            named = [
                each for number in promise.invoices for each in self._settled.get((promise.buyer_id, promise.currency, str(number)), ())
            ]
            return [(day, minor) for day, minor in named if day >= promise.made_on]
        return [(day, minor) for day, minor in self._payments.get((promise.buyer_id, promise.currency), ()) if day >= promise.made_on]

"""Open items and their sums: what several papers list, and the check that parts add up to what a paper states."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TypeVar

from insureflow.domain.errors import Refusal
from insureflow.domain.money import Money

_Item = TypeVar("_Item")


class ItemKind(StrEnum):
    """What an item of an account is."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
    PAYMENT = "payment"
    INTEREST = "interest"
    FEE = "fee"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenItem:
    """An item of an account that is not settled.

    ``due_on`` is always the original due date. ``open`` is what is left of ``amount``; credits are negative.
    """

    number: str
    issued_on: date
    due_on: date
    amount: Money
    open: Money
    kind: ItemKind = ItemKind.INVOICE
    interest: Money | None = None
    is_disputed: bool = False
    buyer_reference: str = ""

    def days_late(self, on: date) -> int:
        """Days since the original due date; none before it, and none for credits."""
        return max(0, (on - self.due_on).days) if self.open.minor > 0 else 0


def totals_of(amounts: Iterable[Money | None]) -> tuple[Money, ...]:
    """One sum for each currency, in the order in which the currencies appear."""
    sums: dict[str, Money] = {}
    for amount in amounts:
        if amount is not None:
            sums[amount.currency] = sums.get(amount.currency, Money.zero(amount.currency)) + amount
    return tuple(sums.values())


def check_totals(what: str, stated: Sequence[Money], parts: Iterable[Money | None]) -> None:
    """Refuses a paper whose parts do not add up to what it states.

    Errors: ``Refusal`` with code ``document_totals_differ``.
    """
    calculated = {total.currency: total.minor for total in totals_of(parts)}
    said = {total.currency: total.minor for total in totals_of(stated)}
    for currency in said.keys() | calculated.keys():
        if said.get(currency, 0) != calculated.get(currency, 0):
            raise Refusal(
                "document_totals_differ",
                what=what,
                stated=Money(said.get(currency, 0), currency),
                calculated=Money(calculated.get(currency, 0), currency),
            )


def by_currency(items: Iterable[_Item], money: Callable[[_Item], Money]) -> dict[str, list[_Item]]:
    """Items in groups of one currency each, in the order in which the currencies appear."""
    groups: dict[str, list[_Item]] = {}
    for item in items:
        groups.setdefault(money(item).currency, []).append(item)
    return groups


#: Upper ends of the age groups in days after the original due date.
AGE_GROUPS = (0, 30, 60, 90)


def ageing(items: Iterable[OpenItem], on: date) -> dict[str, tuple[Money, ...]]:
    """Open amounts of each currency by age: not yet due, 1–30, 31–60, 61–90, more than 90 days after the original due date.

    Credits count where their own due date puts them.
    """
    found: dict[str, tuple[Money, ...]] = {}
    for currency, group in by_currency(items, lambda item: item.open).items():
        sums = [0] * (len(AGE_GROUPS) + 1)
        for item in group:
            late = max(0, (on - item.due_on).days)
            place = next((index for index, end in enumerate(AGE_GROUPS) if late <= end), len(AGE_GROUPS))
            sums[place] += item.open.minor
        found[currency] = tuple(Money(minor, currency) for minor in sums)
    return found

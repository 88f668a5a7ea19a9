"""Exposure on a day: what buyers owe, what of it is covered, and why the rest is not, in groups and in several currencies.

Two sources give the same figures. Today and later days are answered from ``exposure``, which holds sums by buyer; days in the past,
and every question about one entity, from the positions of invoices. Sums are made by the database in original currencies;
conversion to a reporting currency happens afterwards, exactly, on the few rows that are left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, select

from insureflow.models.buyers import Buyer
from insureflow.models.cover import AccountState, Exposure, InvoicePosition
from insureflow.models.database import db
from insureflow.models.policies import Policy
from insureflow.models.receivables import Allocation, CreditNote, Invoice, Payment
from insureflow.queries.cover.policies import PolicyBook
from insureflow.queries.cover.positions import SUMMARY_OF
from insureflow.queries.cover.summaries import liability_of


class Grouping(StrEnum):
    """What exposure is grouped by."""

    TOTAL = "total"
    COUNTRY = "country"
    BUYER = "buyer"
    POLICY = "policy"
    CURRENCY = "currency"
    ENTITY = "entity"


#: The parts of what is not covered, as columns of ``exposure``.
UNCOVERED = ("no_policy", "no_limit", "over_limit", "ineligible", "stopped", "lost", "vat", "disputed")


@dataclass(frozen=True, slots=True)
class Selection:
    """What is asked for: a day, and perhaps one entity, policy, buyer or country. ``today`` is the business date.

    Figures from ``today`` on come from the summaries; they must have been brought up to date by then, never for a later day.
    """

    on: date
    today: date
    entity_id: int | None = None
    policy_id: int | None = None
    buyer_id: int | None = None
    country: str | None = None

    @property
    def is_summarised(self) -> bool:
        """True if the summaries can answer it."""
        return self.on >= self.today and self.entity_id is None


@dataclass(slots=True)
class Figures:
    """Exposure of one group in one ledger currency and one limit currency, in minor units.

    ``ledger_open`` and ``unapplied`` are in ``currency``, all others in ``limit_currency``.
    """

    group: Any
    currency: str
    limit_currency: str
    ledger_open: int = 0
    unapplied: int = 0
    open: int = 0
    covered: int = 0
    no_policy: int = 0
    no_limit: int = 0
    over_limit: int = 0
    ineligible: int = 0
    stopped: int = 0
    lost: int = 0
    vat: int = 0
    disputed: int = 0
    liability: int = 0

    @property
    def uncovered(self) -> int:
        """What is open and not covered."""
        return self.open - self.covered

    @property
    def reasons(self) -> dict[str, int]:
        """What is not covered by kind of reason; nothing left out but zeros."""
        return {name: amount for name in UNCOVERED if (amount := getattr(self, name))}

    def add(self, other: Figures) -> None:
        """Add the amounts of another row of the same currencies."""
        for name in AMOUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))


#: The names of all amounts of a row.
AMOUNTS = tuple(entry.name for entry in fields(Figures) if entry.name not in {"group", "currency", "limit_currency"})


# ---------------------------------------------------------------------- figures by group


def exposure_by(grouping: Grouping, selection: Selection) -> list[Figures]:
    """Exposure in groups, each by ledger currency and limit currency, in order of group and currency.

    ``group`` is the country, currency, or the key of buyer, policy (None: without policy) or entity; None for the total.
    """
    if selection.is_summarised and grouping is not Grouping.ENTITY:
        rows = _from_summaries(grouping, selection)
    else:
        rows = _from_positions(grouping, selection)
    return sorted(rows, key=lambda row: (row.group is None, str(row.group).zfill(12), row.currency, row.limit_currency))


def _from_summaries(grouping: Grouping, selection: Selection) -> list[Figures]:
    columns: dict[Grouping, Any] = {
        Grouping.COUNTRY: Buyer.country,
        Grouping.BUYER: Exposure.buyer_id,
        Grouping.POLICY: Exposure.policy_id,
        Grouping.CURRENCY: Exposure.currency,
    }
    group = [columns[grouping]] if grouping in columns else []
    sums = [func.sum(getattr(Exposure, f"{name}_minor")) for name in AMOUNTS]
    statement = (
        select(Exposure.currency, Exposure.limit_currency, *sums, *group)
        .select_from(Exposure)
        .join(Buyer, Buyer.id == Exposure.buyer_id)
        .where(Exposure.valid_from <= selection.on, Exposure.valid_to > selection.on, *chosen(selection, Exposure))
        .group_by(*group, Exposure.currency, Exposure.limit_currency)
    )
    size = 2 + len(AMOUNTS)
    return [
        Figures(row[size] if group else None, row[0], row[1], *(int(amount) for amount in row[2:size]))
        for row in db.session.execute(statement)
    ]


def chosen(selection: Selection, model: Any) -> list[ColumnElement[bool]]:
    """The conditions on policy, buyer and country of a table joined with the buyer."""
    conditions = []
    if selection.policy_id is not None:
        conditions.append(model.policy_id == selection.policy_id)
    if selection.buyer_id is not None:
        conditions.append(model.buyer_id == selection.buyer_id)
    if selection.country is not None:
        conditions.append(Buyer.country == selection.country)
    return conditions


def _summary_column(name: str) -> Any:
    """What of a position counts under one kind of reason."""
    direct: dict[str, Any] = {
        "over_limit": InvoicePosition.over_limit_minor,
        "vat": InvoicePosition.vat_minor,
        "disputed": InvoicePosition.disputed_minor,
    }
    if name in direct:
        return direct[name]
    reasons = [reason for reason, summary in SUMMARY_OF.items() if summary == name]
    return case((InvoicePosition.excluded_reason.in_(reasons), InvoicePosition.excluded_minor), else_=0)


def _from_positions(grouping: Grouping, selection: Selection) -> list[Figures]:
    """From the positions of the day. Liability is rounded once for each buyer, policy and currency, as in the summaries."""
    position = InvoicePosition
    amounts = [
        position.ledger_open_minor,
        position.open_minor,
        position.primary_minor + position.top_up_minor,
        *(_summary_column(name) for name in UNCOVERED),
    ]
    with_entity = grouping is Grouping.ENTITY
    keys = _position_keys(with_entity=with_entity)
    statement = _of_positions(selection, select(*keys, *(func.sum(amount) for amount in amounts)), with_invoice=with_entity)
    rows: dict[tuple[Any, str, str], Figures] = {}
    shares: dict[tuple[Any, ...], dict[Decimal, int]] = {}
    for found in db.session.execute(statement.group_by(*keys)):
        place = _Place.of(found[: len(keys)])
        sums = [int(amount) for amount in found[len(keys) :]]
        group = place.group(grouping)
        key = (group, place.currency, place.limit_currency)
        rows.setdefault(key, Figures(*key)).add(Figures(*key, sums[0], 0, *sums[1:]))
        by_percentage = shares.setdefault((key, place.buyer_id, place.policy_id, place.currency, place.entity_id), {})
        by_percentage[place.percentage] = by_percentage.get(place.percentage, 0) + sums[2]
    for account, percentage, own, amount in _own_top_up(grouping, selection):
        by_percentage = shares[account]
        by_percentage[percentage] -= amount
        by_percentage[own] = by_percentage.get(own, 0) + amount
    for account, by_percentage in shares.items():
        rows[account[0]].liability += liability_of(by_percentage)
    for unapplied in _unapplied(grouping, selection):
        key = (unapplied.group, unapplied.currency, unapplied.limit_currency)
        rows.setdefault(key, Figures(*key)).add(unapplied)
    return list(rows.values())


@dataclass(frozen=True, slots=True)
class _Place:
    """What a group of positions has in common."""

    buyer_id: int
    country: str
    policy_id: int | None
    currency: str
    limit_currency: str
    insured_percentage: Decimal | None
    entity_id: int | None

    @classmethod
    def of(cls, values: Sequence[Any]) -> _Place:
        """From the columns of ``_position_keys``; the entity may be left out."""
        buyer_id, country, policy_id, currency, limit_currency, percentage, *entity = values
        return cls(buyer_id, country, policy_id, currency, limit_currency, percentage, entity[0] if entity else None)

    @property
    def percentage(self) -> Decimal:
        return self.insured_percentage or Decimal(0)

    def group(self, grouping: Grouping) -> Any:
        """The group it belongs to."""
        return _GROUP_OF[grouping](self)


_GROUP_OF: Mapping[Grouping, Callable[[_Place], Any]] = {
    Grouping.TOTAL: lambda place: None,  # noqa: ARG005 (there is one group only)
    Grouping.COUNTRY: lambda place: place.country,
    Grouping.BUYER: lambda place: place.buyer_id,
    Grouping.POLICY: lambda place: place.policy_id,
    Grouping.CURRENCY: lambda place: place.currency,
    Grouping.ENTITY: lambda place: place.entity_id,
}


def _position_keys(*, with_entity: bool) -> list[Any]:
    position = InvoicePosition
    keys: list[Any] = [
        position.buyer_id,
        Buyer.country,
        position.policy_id,
        position.currency,
        position.limit_currency,
        position.insured_percentage,
    ]
    return [*keys, Invoice.entity_id] if with_entity else keys


def _of_positions(selection: Selection, statement: Select[Any], *, with_invoice: bool) -> Select[Any]:
    """The positions of the day that are asked for."""
    position = InvoicePosition
    statement = statement.select_from(position).join(Buyer, Buyer.id == position.buyer_id)
    if with_invoice or selection.entity_id is not None:
        statement = statement.join(Invoice, Invoice.id == position.invoice_id)
    if selection.entity_id is not None:
        statement = statement.where(Invoice.entity_id == selection.entity_id)
    return statement.where(position.valid_from <= selection.on, position.valid_to > selection.on, *chosen(selection, position))


def _own_top_up(grouping: Grouping, selection: Selection) -> Iterable[tuple[tuple[Any, ...], Decimal, Decimal, int]]:
    """What the top-up layer covers where it has an insured percentage of its own: account, the invoice's and its own percentage."""
    policies = {key: policy for key, policy in PolicyBook.load().policies.items() if policy.has_top_up_percentage}
    if not policies:
        return
    position, with_entity = InvoicePosition, grouping is Grouping.ENTITY
    keys = [*_position_keys(with_entity=with_entity), Invoice.shipment_on]
    statement = _of_positions(selection, select(*keys, func.sum(position.top_up_minor)), with_invoice=True)
    statement = statement.where(position.top_up_minor > 0, position.policy_id.in_(policies)).group_by(*keys)
    for row in db.session.execute(statement):
        *found, shipment_on, amount = tuple(row)
        place = _Place.of(found)
        own = policies[place.policy_id or 0].top_up_percentage_on(shipment_on)
        if own is not None:
            key = (place.group(grouping), place.currency, place.limit_currency)
            account = (key, place.buyer_id, place.policy_id, place.currency, place.entity_id)
            yield account, place.percentage, own, int(amount)


# ---------------------------------------------------------------------- received and not applied


def _unapplied(grouping: Grouping, selection: Selection) -> list[Figures]:
    """What was received by the day and not applied by then, as part of the buyer's first account.

    *Formula:* what is left of a document in the end + what it settles only later of invoices in its currency.
    """
    sums: dict[tuple[int, str, int, str], int] = {}
    documents: tuple[tuple[Any, Any, Any], ...] = (
        (Payment, Allocation.payment_id, Payment.received_on),
        (CreditNote, Allocation.credit_note_id, CreditNote.issued_on),
    )
    for document, key, received_on in documents:
        groups = [document.buyer_id, Buyer.country, document.entity_id, document.currency]
        which = [received_on <= selection.on]
        if selection.buyer_id is not None:
            which.append(document.buyer_id == selection.buyer_id)
        if selection.entity_id is not None:
            which.append(document.entity_id == selection.entity_id)
        if selection.country is not None:
            which.append(Buyer.country == selection.country)
        left = (
            select(*groups, func.sum(document.unapplied_minor))
            .select_from(document)
            .join(Buyer, Buyer.id == document.buyer_id)
            .where(*which, document.unapplied_minor != 0)
        )
        later = (
            select(*groups, func.sum(Allocation.amount_minor))
            .select_from(Allocation)
            .join(document, document.id == key)
            .join(Buyer, Buyer.id == document.buyer_id)
            .join(Invoice, Invoice.id == Allocation.invoice_id)
            .where(
                *which,
                Invoice.currency == document.currency,
                (Allocation.allocated_on > selection.on) | (Invoice.invoice_on > selection.on),
            )
        )
        for statement in (left, later):
            for row in db.session.execute(statement.group_by(*groups)):
                buyer_id, country, entity_id, currency, amount = tuple(row)
                place = (buyer_id, country, entity_id, currency)
                sums[place] = sums.get(place, 0) + int(amount)
    first = _first_accounts({place[0] for place in sums})
    rows = []
    for (buyer_id, country, entity_id, currency), amount in sums.items():
        policy_id, limit_currency = first.get(buyer_id, (None, currency))
        if amount and (selection.policy_id is None or selection.policy_id == policy_id):
            place_of = _Place(buyer_id, country, policy_id, currency, limit_currency, None, entity_id)
            rows.append(Figures(place_of.group(grouping), currency, limit_currency, unapplied=amount))
    return rows


def _first_accounts(buyer_ids: Iterable[int]) -> dict[int, tuple[int, str]]:
    """The first account of each buyer, by priority and key of its policy: policy and limit currency."""
    found: dict[int, tuple[tuple[int, int], tuple[int, str]]] = {}
    wanted = sorted(buyer_ids)
    for start in range(0, len(wanted), 5000):
        statement = (
            select(AccountState.buyer_id, Policy.priority, Policy.id, Policy.limit_currency)
            .join(Policy, Policy.id == AccountState.policy_id)
            .where(AccountState.buyer_id.in_(wanted[start : start + 5000]))
            .distinct()
        )
        for buyer_id, priority, policy_id, limit_currency in db.session.execute(statement):
            order = (priority, policy_id)
            if buyer_id not in found or order < found[buyer_id][0]:
                found[buyer_id] = (order, (policy_id, limit_currency))
    return {buyer_id: account for buyer_id, (_, account) in found.items()}


def total_of(rows: Sequence[Figures]) -> list[Figures]:
    """The rows added up by currency, without groups."""
    sums: dict[tuple[str, str], Figures] = {}
    for row in rows:
        key = (row.currency, row.limit_currency)
        sums.setdefault(key, Figures(None, *key)).add(row)
    return [sums[key] for key in sorted(sums)]

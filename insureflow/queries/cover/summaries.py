"""Summaries of accounts: limits in force and stops over time, and exposure by currency from a day on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from insureflow.domain.cover import AccountSegment, InvoiceSegment
from insureflow.domain.cover.book import liability_of_one
from insureflow.domain.cover.history import LIABILITY_UNIT
from insureflow.models.base import FOREVER
from insureflow.queries.cover.ledgers import BuyerLedger, LedgerInvoice
from insureflow.queries.cover.policies import InsurancePolicy
from insureflow.queries.cover.positions import SUMMARY_OF, Position


class StateSpan(NamedTuple):
    """A row of ``account_state`` without the keys of its organisation, buyer and policy."""

    valid_from: date
    valid_to: date
    limit_currency: str
    limit_primary_minor: int
    limit_top_up_minor: int
    reserved_primary_minor: int
    reserved_top_up_minor: int
    stopped: bool


class ExposureSpan(NamedTuple):
    """A row of ``exposure`` without the keys of its organisation, buyer and policy."""

    currency: str
    valid_from: date
    valid_to: date
    ledger_open_minor: int
    unapplied_minor: int
    limit_currency: str
    open_minor: int
    covered_minor: int
    no_policy_minor: int
    no_limit_minor: int
    over_limit_minor: int
    ineligible_minor: int
    stopped_minor: int
    lost_minor: int
    vat_minor: int
    disputed_minor: int
    liability_minor: int


def state_spans(
    segments: Sequence[AccountSegment], invoices: Mapping[str, Sequence[InvoiceSegment]], limit_currency: str
) -> list[StateSpan]:
    """The spans over which limits, what is reserved and the stop of cover stay the same.

    *Formula:* reserved in a layer = used of it − what it covers.
    """
    spans: list[StateSpan] = []
    begin: date | None = None
    current: tuple[int, int, int, int, bool] | None = None
    for segment in segments:
        valid_from, _, limit_primary, limit_top_up, used_primary, used_top_up, stopped, _, covered, _, _, _, _ = segment
        reserved_primary = reserved_top_up = 0
        if used_primary + used_top_up != covered:
            covered_primary = _covered_primary(invoices, valid_from)
            reserved_primary, reserved_top_up = used_primary - covered_primary, used_top_up - (covered - covered_primary)
        state = (limit_primary, limit_top_up, reserved_primary, reserved_top_up, stopped)
        if state == current:
            continue
        if current is not None and begin is not None:
            spans.append(StateSpan(begin, valid_from, limit_currency, *current))
        begin, current = valid_from, state
    if current is not None and begin is not None:
        spans.append(StateSpan(begin, FOREVER, limit_currency, *current))
    return spans


def _covered_primary(invoices: Mapping[str, Sequence[InvoiceSegment]], day: date) -> int:
    return sum(
        segment.covered_primary
        for segments in invoices.values()
        for segment in segments
        if segment.valid_from <= day and (segment.valid_to is None or day < segment.valid_to)
    )


#: Where each figure stands in the running sums: ledger, unapplied, open, then in the order of ``ExposureSpan``.
_PLACES = {"no_policy": 4, "no_limit": 5, "over_limit": 6, "ineligible": 7, "stopped": 8, "lost": 9, "vat": 10, "disputed": 11}
_SIZE = 12


class _Sums:
    """Running sums of one account in one currency, by day of change."""

    __slots__ = ("changes",)

    def __init__(self) -> None:
        #: By day: what is added to the figures, and to what is covered by insured percentage.
        self.changes: dict[date, tuple[list[int], dict[Decimal, int]]] = {}

    def on(self, day: date) -> tuple[list[int], dict[Decimal, int]]:
        change = self.changes.get(day)
        if change is None:
            change = self.changes[day] = ([0] * _SIZE, {})
        return change


def exposure_spans(
    positions: Iterable[Position],
    on: date,
    limit_currency: str,
    *,
    unapplied: Mapping[str, Mapping[date, int]],
    top_up: Mapping[int, Decimal] | None = None,
) -> list[ExposureSpan]:
    """Exposure by ledger currency in spans from a day on.

    ``unapplied`` gives by currency what each day adds to the money received and not applied. ``top_up`` gives the insured
    percentage of the top-up layer of the invoices where it has its own.
    """
    sums: dict[str, _Sums] = {}
    for position in positions:
        if position.valid_to <= on:
            continue
        of_currency = sums.get(position.currency)
        if of_currency is None:
            of_currency = sums[position.currency] = _Sums()
        own = top_up.get(position.invoice_id) if top_up else None
        _add(of_currency.on(max(position.valid_from, on)), position, 1, own)
        if position.valid_to < FOREVER:
            _add(of_currency.on(position.valid_to), position, -1, own)
    for currency, days in unapplied.items():
        for day, amount in days.items():
            if amount:
                sums.setdefault(currency, _Sums()).on(max(day, on))[0][1] += amount
    spans: list[ExposureSpan] = []
    for currency in sorted(sums):
        spans += _spans_of(currency, sums[currency], limit_currency)
    return spans


def _add(change: tuple[list[int], dict[Decimal, int]], position: Position, sign: int, top_up_percentage: Decimal | None) -> None:
    figures, by_percentage = change
    figures[0] += sign * position.ledger_open_minor
    figures[2] += sign * position.open_minor
    covered = position.primary_minor + position.top_up_minor
    if covered:
        figures[3] += sign * covered
        percentage = position.insured_percentage or Decimal(0)
        if top_up_percentage is None or not position.top_up_minor:
            by_percentage[percentage] = by_percentage.get(percentage, 0) + sign * covered
        else:
            by_percentage[percentage] = by_percentage.get(percentage, 0) + sign * position.primary_minor
            by_percentage[top_up_percentage] = by_percentage.get(top_up_percentage, 0) + sign * position.top_up_minor
    if position.excluded_minor and position.excluded_reason is not None:
        figures[_PLACES[SUMMARY_OF[position.excluded_reason]]] += sign * position.excluded_minor
    figures[6] += sign * position.over_limit_minor
    figures[10] += sign * position.vat_minor
    figures[11] += sign * position.disputed_minor


def _spans_of(currency: str, sums: _Sums, limit_currency: str) -> list[ExposureSpan]:
    spans: list[ExposureSpan] = []
    running = [0] * _SIZE
    by_percentage: dict[Decimal, int] = {}
    days = sorted(sums.changes)
    for number, day in enumerate(days):
        figures, shares = sums.changes[day]
        running = [left + right for left, right in zip(running, figures, strict=True)]
        for percentage, amount in shares.items():
            by_percentage[percentage] = by_percentage.get(percentage, 0) + amount
        valid_to = days[number + 1] if number + 1 < len(days) else FOREVER
        if not any(running):
            continue
        span = ExposureSpan._make(
            (currency, day, valid_to, running[0], running[1], limit_currency, *running[2:], liability_of(by_percentage))
        )
        if spans and spans[-1].valid_to == day and spans[-1][3:] == span[3:]:
            spans[-1] = spans[-1]._replace(valid_to=valid_to)
        else:
            spans.append(span)
    return spans


def liability_of(covered_by_percentage: Mapping[Decimal, int]) -> int:
    """The insurer's liability. *Formula:* Σ covered × insured percentage ÷ 100, rounded once."""
    parts = sum(liability_of_one(percentage) * amount for percentage, amount in covered_by_percentage.items() if amount)
    return (2 * parts + LIABILITY_UNIT) // (2 * LIABILITY_UNIT)


def top_up_percentages(policy: InsurancePolicy, invoices: Iterable[LedgerInvoice]) -> dict[int, Decimal] | None:
    """The top-up layer's own insured percentage by invoice; None where the policy never has one."""
    if not policy.has_top_up_percentage:
        return None
    found = {}
    for invoice in invoices:
        percentage = policy.top_up_percentage_on(invoice.shipment_on)
        if percentage is not None:
            found[invoice.id] = percentage
    return found


def unapplied_changes(ledger: BuyerLedger) -> dict[str, dict[date, int]]:
    """By currency and day: what is added to, or taken off, the money and credit notes received and not applied to invoices.

    *Formula:* what is left of a document in the end, from its own day; what it settles of invoices in its currency counts as
    well until it settles it, which is not before the invoice's own date.
    """
    changes: dict[str, dict[date, int]] = {}
    documents = {(True, each.id): (each.currency, each.received_on) for each in ledger.payments}
    documents |= {(False, each.id): (each.currency, each.issued_on) for each in ledger.credit_notes}
    if not documents:
        return changes
    for currency, unapplied, on in (
        *((each.currency, each.unapplied_minor, each.received_on) for each in ledger.payments),
        *((each.currency, each.unapplied_minor, each.issued_on) for each in ledger.credit_notes),
    ):
        if unapplied:
            days = changes.setdefault(currency, {})
            days[on] = days.get(on, 0) + unapplied
    invoices = {invoice.id: (invoice.currency, invoice.invoice_on) for invoice in ledger.invoices}
    for _, _, invoice_id, payment_id, credit_note_id, amount, allocated_on in ledger.allocations:
        document = documents.get((True, payment_id) if payment_id is not None else (False, credit_note_id or 0))
        invoice_currency, invoice_on = invoices[invoice_id]
        if document is None or document[0] != invoice_currency:
            continue
        settled_on = max(allocated_on, invoice_on)
        if settled_on > document[1]:
            days = changes.setdefault(invoice_currency, {})
            days[document[1]] = days.get(document[1], 0) + amount
            days[settled_on] = days.get(settled_on, 0) - amount
    return changes

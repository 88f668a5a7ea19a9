"""Positions of invoices over time: what the rules of cover say beside what the ledger says, in spans of days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from insureflow.domain.cover import InvoiceSegment, Reason
from insureflow.models.base import FOREVER
from insureflow.queries.cover.ledgers import LedgerAllocation, LedgerInvoice


class Position(NamedTuple):
    """A row of ``invoice_position``, in the order of its columns."""

    organisation_id: int
    invoice_id: int
    buyer_id: int
    policy_id: int
    valid_from: date
    valid_to: date
    currency: str
    ledger_open_minor: int
    limit_currency: str
    open_minor: int
    primary_minor: int
    top_up_minor: int
    excluded_minor: int
    excluded_reason: str | None
    vat_minor: int
    disputed_minor: int
    over_limit_minor: int
    insured_percentage: Decimal | None
    entity_id: int
    due_on: date


#: Open, primary, top-up, excluded, its reason, tax, disputed, over limit, insured percentage.
_Cover = tuple[int, int, int, int, str | None, int, int, int, Decimal | None]

_NOTHING: _Cover = (0, 0, 0, 0, None, 0, 0, 0, None)


def ledger_steps(invoice: LedgerInvoice, allocations: Sequence[LedgerAllocation]) -> list[tuple[date, int]]:
    """What the ledger holds open of an invoice from each day on, beginning on its own date.

    What was settled before the invoice was written counts from its date.
    """
    start = invoice.invoice_on
    left = invoice.net_minor + invoice.vat_minor
    if not allocations:
        return [(start, left)]
    if len(allocations) == 1:
        allocation = allocations[0]
        settled_on, rest = allocation.allocated_on, left - allocation.amount_minor
        return [(start, rest)] if settled_on <= start else [(start, left), (settled_on, rest)]
    by_day: dict[date, int] = {start: 0}
    for allocation in allocations:
        settled_on = max(start, allocation.allocated_on)
        by_day[settled_on] = by_day.get(settled_on, 0) + allocation.amount_minor
    steps = []
    for day in sorted(by_day):
        left -= by_day[day]
        steps.append((day, left))
    return steps


def _cover_of(segment: InvoiceSegment) -> _Cover:
    """The figures of a span in the columns of a position."""
    _, _, _, _, open_minor, primary, top_up, _, reasons, percentage, _ = segment
    if not open_minor:
        return _NOTHING
    if not reasons:
        return (open_minor, primary, top_up, 0, None, 0, 0, 0, percentage)
    vat = disputed = over_limit = excluded = 0
    excluded_reason = None
    for reason, amount in reasons:
        if reason is _OVER_LIMIT:
            over_limit = amount
        elif reason is _VAT:
            vat = amount
        elif reason is _DISPUTED:
            disputed = amount
        else:
            excluded, excluded_reason = amount, reason.value
    return (open_minor, primary, top_up, excluded, excluded_reason, vat, disputed, over_limit, percentage)


_OVER_LIMIT, _VAT, _DISPUTED = Reason.OVER_LIMIT, Reason.VAT_NOT_COVERED, Reason.DISPUTED


def positions_of(
    account: tuple[int, int, int, str],
    invoice: LedgerInvoice,
    allocations: Sequence[LedgerAllocation],
    segments: Sequence[InvoiceSegment],
) -> list[Position]:
    """The positions of one invoice: the union of the days on which ledger or cover change; spans with nothing open are left out.

    ``account``: keys of organisation, buyer and policy, and the limit currency.
    """
    ledger = ledger_steps(invoice, allocations)
    covers = [(segment[0], _cover_of(segment)) for segment in segments]
    if len(covers) == len(ledger) and all(left[0] == right[0] for left, right in zip(covers, ledger, strict=True)):
        merged = [(day, left, cover) for (day, cover), (_, left) in zip(covers, ledger, strict=True)]
    else:
        merged = _merge(ledger, covers)
    positions: list[Position] = []
    begin: date | None = None
    open_left, current = 0, _NOTHING
    for day, left, cover in merged:
        if begin is not None:
            if left == open_left and cover == current:
                continue
            positions.append(_position(account, invoice, begin, day, open_left, current))
        begin = day if left or cover[0] else None
        open_left, current = left, cover
    if begin is not None:
        positions.append(_position(account, invoice, begin, FOREVER, open_left, current))
    return positions


def _position(
    account: tuple[int, int, int, str], invoice: LedgerInvoice, valid_from: date, valid_to: date, left: int, cover: _Cover
) -> Position:
    organisation_id, buyer_id, policy_id, limit_currency = account
    place = (organisation_id, invoice[0], buyer_id, policy_id, valid_from, valid_to, invoice[4], left, limit_currency)
    return _make((*place, *cover, invoice[2], invoice[11]))


_make = Position._make


def _merge(ledger: list[tuple[date, int]], covers: list[tuple[date, _Cover]]) -> list[tuple[date, int, _Cover]]:
    merged: list[tuple[date, int, _Cover]] = []
    at_ledger = at_cover = 0
    left, cover = 0, _NOTHING
    while at_ledger < len(ledger) or at_cover < len(covers):
        if at_cover == len(covers):
            day = ledger[at_ledger][0]
        elif at_ledger == len(ledger):
            day = covers[at_cover][0]
        else:
            day = min(ledger[at_ledger][0], covers[at_cover][0])
        if at_ledger < len(ledger) and ledger[at_ledger][0] == day:
            left = ledger[at_ledger][1]
            at_ledger += 1
        if at_cover < len(covers) and covers[at_cover][0] == day:
            cover = covers[at_cover][1]
            at_cover += 1
        merged.append((day, left, cover))
    return merged


#: What an excluded amount counts as in the summary of an exposure.
SUMMARY_OF: Mapping[str, str] = {
    Reason.NO_POLICY.value: "no_policy",
    Reason.NO_LIMIT.value: "no_limit",
    Reason.AFTER_LIMIT_END.value: "no_limit",
    Reason.BEFORE_LIMIT_EFFECTIVE.value: "no_limit",
    Reason.SHIPPED_WHILE_STOPPED.value: "stopped",
    Reason.EXTENDED_WITHOUT_CONSENT.value: "lost",
    Reason.NOTIFIED_LATE.value: "lost",
    Reason.OUTSIDE_POLICY_PERIOD.value: "ineligible",
    Reason.BUYER_NOT_INSURABLE.value: "ineligible",
    Reason.COUNTRY_NOT_COVERED.value: "ineligible",
    Reason.SHIPPED_AFTER_DATE_OF_LOSS.value: "ineligible",
    Reason.TERMS_EXCEED_MAXIMUM.value: "ineligible",
    Reason.INVOICED_LATE.value: "ineligible",
    Reason.GRADE_NOT_COVERED.value: "ineligible",
}

"""The answer of a replay: what was open, covered and not covered, in spans of days with nothing changing in between."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from operator import attrgetter
from typing import NamedTuple, TypeVar

from insureflow.domain.cover.events import Layer, Reason, Reasons
from insureflow.domain.cover.limits import LimitBook
from insureflow.domain.cover.receivable import UNPUBLISHED, Published, Receivable
from insureflow.domain.policies.precedence import PercentageSource

_POSITION = {reason: position for position, reason in enumerate(Reason)}


class InvoiceSegment(NamedTuple):
    """An invoice over a span of days; ``valid_to`` is the first day after it, None if it goes on.

    ``open_net`` and ``open_vat`` are minor units of the invoice's currency, everything else of the limit currency.
    ``reserved`` is not covered but uses the limit. ``reasons`` splits what is not covered.
    """

    valid_from: date
    valid_to: date | None
    open_net: int
    open_vat: int
    open: int
    covered_primary: int
    covered_top_up: int
    reserved: int
    reasons: Reasons
    insured_percentage: Decimal | None
    percentage_source: PercentageSource | None

    @property
    def covered(self) -> int:
        """Sum of what the layers cover."""
        return self.covered_primary + self.covered_top_up

    @property
    def uncovered(self) -> int:
        """What is open and not covered."""
        return self.open - self.covered_primary - self.covered_top_up


class AccountSegment(NamedTuple):
    """The whole account over a span of days, in minor units of the limit currency.

    ``used_primary`` and ``used_top_up`` are the capacity used: covered and reserved. ``insurer_liability`` is covered ×
    insured percentage, rounded once. ``unallocated`` is the credit balance. ``taken_elsewhere`` is what other buyers that share
    the primary limit leave unusable of it.
    """

    valid_from: date
    valid_to: date | None
    limit_primary: int
    limit_top_up: int
    used_primary: int
    used_top_up: int
    stopped: bool
    open: int
    covered: int
    reasons: Reasons
    insurer_liability: int
    unallocated: int
    taken_elsewhere: int

    @property
    def uncovered(self) -> int:
        """What is open and not covered."""
        return self.open - self.covered

    @property
    def headroom_primary(self) -> int:
        """What the primary layer could still cover."""
        return max(0, self.limit_primary - self.used_primary - self.taken_elsewhere)

    @property
    def headroom_top_up(self) -> int:
        """What the top-up layer could still cover."""
        return max(0, self.limit_top_up - self.used_top_up)

    def limit(self, layer: Layer) -> int:
        """The limit of a layer in force."""
        return self.limit_primary if layer is Layer.PRIMARY else self.limit_top_up

    def headroom(self, layer: Layer) -> int:
        """What a layer could still cover."""
        return self.headroom_primary if layer is Layer.PRIMARY else self.headroom_top_up


@dataclass(frozen=True, slots=True)
class AccountState:
    """The account at the end of a day; ``invoices`` holds those that have entered."""

    on: date
    invoices: Mapping[str, InvoiceSegment]
    account: AccountSegment


@dataclass(frozen=True, slots=True)
class History:
    """The account over time. The spans of an invoice begin with its shipment and follow each other without gaps.

    The last span of each goes on for good: nothing more changes by time alone.
    """

    limit_currency: str
    invoice_segments: Mapping[str, tuple[InvoiceSegment, ...]]
    account_segments: tuple[AccountSegment, ...]

    def on(self, day: date) -> AccountState:
        """The state at the end of a day."""
        invoices = {}
        for invoice, segments in self.invoice_segments.items():
            segment = segment_on(segments, day)
            if segment is not None:
                invoices[invoice] = segment
        account = segment_on(self.account_segments, day)
        return AccountState(day, invoices, account if account is not None else AccountSegment(day, *_NOTHING))


_NOTHING = (None, 0, 0, 0, 0, False, 0, 0, (), 0, 0, 0)

_VALID_FROM = attrgetter("valid_from")

Segment = TypeVar("Segment", InvoiceSegment, AccountSegment)


def segment_on(segments: tuple[Segment, ...], day: date) -> Segment | None:
    """The span that holds a day; None before the first."""
    position = bisect_right(segments, day, key=_VALID_FROM)
    return segments[position - 1] if position else None


#: Parts of a minor unit in which liability is counted, so that a percentage with up to twenty decimals makes whole parts.
LIABILITY_UNIT = 100 * 10**20

#: Builds a span without going through its keyword arguments, which takes half the time of the whole span.
_new = tuple.__new__

#: What is reported of the account, in the order of ``AccountSegment``.
PublishedAccount = tuple[int, int, int, int, bool, int, int, Reasons, int, int, int]


class HistoryWriter:
    """Collects what changes from day to day and keeps the totals of the account.

    The insurer's liability is kept exactly, in parts of a minor unit; ``LIABILITY_UNIT`` of them make one.
    """

    __slots__ = (
        "_account",
        "_account_from",
        "_account_segments",
        "_covered",
        "_invoice_segments",
        "_liability",
        "_open",
        "_reasons",
        "_reasons_in_order",
    )

    def __init__(self) -> None:
        self._invoice_segments: dict[str, list[InvoiceSegment]] = {}
        self._account_segments: list[AccountSegment] = []
        self._account: PublishedAccount | None = None
        self._account_from = date.min
        self._open = 0
        self._covered = 0
        self._liability = 0
        self._reasons: dict[Reason, int] = {}
        self._reasons_in_order: Reasons = ()

    def publish(self, receivable: Receivable, day: date) -> None:
        """Take up how a receivable stands at the end of a day on which it may have changed."""
        reasons = receivable.uncovered_by_reason()
        now: Published = (
            receivable.net,
            receivable.vat,
            receivable.open_value,
            receivable.primary,
            receivable.top_up,
            receivable.primary_reserved + receivable.top_up_reserved,
            reasons,
            receivable.insured_percentage,
            receivable.percentage_source,
        )
        before = receivable.published
        if now == before:
            return
        if before is UNPUBLISHED:
            self._invoice_segments[receivable.invoice.id] = []
        else:
            self._invoice_segments[receivable.invoice.id].append(_new(InvoiceSegment, (receivable.published_from, day, *before)))
            self._open -= before[2]
            self._covered -= before[3] + before[4]
        receivable.published = now
        receivable.published_from = day
        self._open += now[2]
        self._covered += now[3] + now[4]
        if reasons != before[6]:
            self._exchange_reasons(before[6], reasons)
        liability = receivable.primary * receivable.weight + receivable.top_up * receivable.top_up_weight
        self._liability += liability - receivable.liability
        receivable.liability = liability

    def publish_account(
        self, day: date, primary: LimitBook, top_up: LimitBook, unallocated: int, *, stopped: bool, taken_elsewhere: int
    ) -> None:
        """Take up how the account stands at the end of a day, after its receivables."""
        liability = (2 * self._liability + LIABILITY_UNIT) // (2 * LIABILITY_UNIT)
        now: PublishedAccount = (
            primary.in_force,
            top_up.in_force,
            primary.used,
            top_up.used,
            stopped,
            self._open,
            self._covered,
            self._reasons_in_order,
            liability,
            unallocated,
            taken_elsewhere,
        )
        if now == self._account:
            return
        if self._account is not None:
            self._account_segments.append(_new(AccountSegment, (self._account_from, day, *self._account)))
        self._account = now
        self._account_from = day

    def finish(self, receivables: Iterable[Receivable]) -> tuple[dict[str, tuple[InvoiceSegment, ...]], tuple[AccountSegment, ...]]:
        """All spans of all invoices and of the account; the last of each stays open."""
        if self._account is not None:
            self._account_segments.append(AccountSegment(self._account_from, None, *self._account))
        spans = {}
        for receivable in receivables:
            segments = self._invoice_segments[receivable.invoice.id]
            segments.append(_new(InvoiceSegment, (receivable.published_from, None, *receivable.published)))
            spans[receivable.invoice.id] = tuple(segments)
        return spans, tuple(self._account_segments)

    def _exchange_reasons(self, before: Reasons, now: Reasons) -> None:
        totals = self._reasons
        for reason, amount in before:
            totals[reason] -= amount
        for reason, amount in now:
            totals[reason] = totals.get(reason, 0) + amount
        left = [entry for entry in totals.items() if entry[1]]
        if len(left) > 1:
            left.sort(key=_by_position)
        self._reasons_in_order = tuple(left)


def _by_position(entry: tuple[Reason, int]) -> int:
    return _POSITION[entry[0]]

"""The state of one account while it is worked through, and the few things every step does to it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cache
from heapq import heappush
from operator import attrgetter
from typing import Final

from insureflow.domain.cover.allocation import Credit, factor_for
from insureflow.domain.cover.eligibility import find_reason
from insureflow.domain.cover.events import Invoice, Layer, Rate
from insureflow.domain.cover.history import LIABILITY_UNIT, HistoryWriter
from insureflow.domain.cover.limits import LimitBook
from insureflow.domain.cover.receivable import PAR, Factor, Receivable
from insureflow.domain.cover.recording import Recorder
from insureflow.domain.cover.versions import Account, TermsVersion
from insureflow.domain.errors import Refusal
from insureflow.domain.policies.precedence import PercentageSource
from insureflow.domain.policies.terms import Grade
from insureflow.domain.policies.vocabulary import AllocationOrder

# What a day on the schedule is for.
LIMITS_DUE: Final = 0
EXTENSION_OVER: Final = 1
NOTIFICATION_OVER: Final = 2

#: A day on the schedule, a number that keeps the order, what it is for, and the receivable it is about.
Due = tuple[date, int, int, Receivable | None]

#: An insured percentage, its source, and the parts of liability in a minor unit covered by the primary and the top-up layer.
FixedPercentage = tuple[Decimal, PercentageSource, int, int]

ORDER_KEY = attrgetter("order_key")


class AccountBook:
    """Everything that is known of an account on the day being worked through.

    ``version`` is the version of the terms in force, ``stopped`` whether the day is a stopped day, ``loss_on`` the date of
    loss once it has passed. ``open_receivables`` are those with an open amount, in the order of allocation; ``touched`` those
    that may have changed today; ``overdue`` those whose maximum extension period is over. ``taken_elsewhere`` is what other
    buyers leave unusable of a primary limit they share.
    """

    __slots__ = (
        "_percentages",
        "_scheduled",
        "account",
        "credits",
        "day",
        "grade",
        "insurer_stopped",
        "invoices",
        "is_rolled_in",
        "loss_on",
        "notifications_due",
        "open_receivables",
        "overdue",
        "pending_disputes",
        "primary",
        "receivables",
        "recorder",
        "reliefs",
        "schedule",
        "stopped",
        "taken_elsewhere",
        "top_up",
        "touched",
        "unallocated",
        "version",
        "version_number",
        "versions",
        "watches_extensions",
        "watches_notifications",
        "writer",
    )

    def __init__(
        self,
        account: Account,
        versions: tuple[TermsVersion, ...],
        invoices: Mapping[str, Invoice],
        writer: HistoryWriter,
        recorder: Recorder | None,
    ) -> None:
        self.account = account
        self.versions = versions
        self.version_number = 0
        self.version = versions[0]
        self.invoices = invoices
        self.writer = writer
        self.recorder = recorder
        self.day = date.min
        self.loss_on: date | None = None
        self.primary = LimitBook()
        self.top_up = LimitBook()
        self.taken_elsewhere = 0
        self.receivables: dict[str, Receivable] = {}
        self.open_receivables: list[Receivable] = []
        self.touched: dict[str, Receivable] = {}
        self.credits: list[Credit] = []
        self.unallocated = 0
        self.pending_disputes: dict[str, int] = {}
        self.grade: Grade | None = None
        self.insurer_stopped = False
        self.stopped = False
        self.is_rolled_in = False
        self.overdue: list[Receivable] = []
        self.notifications_due: list[Receivable] = []
        self.watches_extensions = any(version.stop_cover.automatic for version in versions)
        #: Reliefs hold by the days of deadlines, whichever version a shipment was made under.
        self.reliefs = tuple({relief: None for version in versions for relief in version.terms.reliefs})
        self.watches_notifications = any(version.notification is not None for version in versions)
        self.schedule: list[Due] = []
        self._scheduled = 0
        self._percentages: dict[tuple[int, int, Grade | None], FixedPercentage] = {}

    def put_on_schedule(self, day: date, kind: int = LIMITS_DUE, receivable: Receivable | None = None) -> None:
        """Let a later day be worked through because time alone changes something on it."""
        if day > self.day:
            self._scheduled += 1
            heappush(self.schedule, (day, self._scheduled, kind, receivable))

    def factor(self, currency: str, rate: Rate) -> Factor:
        """How many minor units of the limit currency one minor unit of a currency makes at a rate."""
        limit_currency = self.account.limit_currency
        return PAR if currency == limit_currency else factor_for(currency, rate, limit_currency)

    def limit_book(self, layer: Layer) -> LimitBook:
        """The limits of a layer. Errors: ``top_up_layer_unknown`` where the terms have no such layer."""
        if layer is Layer.PRIMARY:
            return self.primary
        if not self.version.has_top_up:
            raise Refusal("top_up_layer_unknown", on=self.day)
        return self.top_up

    @property
    def free_primary(self) -> int:
        """What new receivables could still use of the primary layer."""
        return max(0, self.primary.in_force - self.primary.used - self.taken_elsewhere)

    def get(self, invoice: str) -> Receivable:
        """A receivable in the account. Errors: ``invoice_not_in_account``."""
        receivable = self.receivables.get(invoice)
        if receivable is None:
            raise Refusal("invoice_not_in_account", value=invoice, on=self.day)
        return receivable

    def version_of(self, receivable: Receivable) -> TermsVersion:
        """The version of the terms that was in force on the shipment date."""
        return self.versions[receivable.version]

    def set_order_key(self, receivable: Receivable, position: int) -> None:
        """Its place in the order of allocation: the date the policy names, the invoice date, the place in the list of events."""
        invoice, order = receivable.invoice, self.version.allocation.order
        if order is AllocationOrder.DUE_DATE:
            first = invoice.due_on
        else:
            first = invoice.invoice_on if order is AllocationOrder.INVOICE_DATE else invoice.shipment_on
        receivable.order_key = (first, invoice.invoice_on, position)

    def percentage_for(self, receivable: Receivable) -> FixedPercentage:
        """The insured percentage of a receivable, its source, and what a covered minor unit adds to liability, per layer."""
        key = (receivable.version, id(receivable.conditions), receivable.grade)
        fixed = self._percentages.get(key)
        if fixed is None:
            version = self.version_of(receivable)
            percentage, source = version.insured_percentage(receivable.grade, receivable.conditions)
            of_top_up = percentage if version.top_up_percentage is None else version.top_up_percentage
            fixed = self._percentages[key] = (percentage, source, liability_of_one(percentage), liability_of_one(of_top_up))
        return fixed

    def vacate(self, receivable: Receivable) -> None:
        """Before a change: the receivable gives back the capacity it uses."""
        self.primary.used -= receivable.primary + receivable.primary_reserved
        self.top_up.used -= receivable.top_up + receivable.top_up_reserved

    def occupy(self, receivable: Receivable, cause: str) -> None:
        """After a change: the receivable takes the capacity it uses, and the day's changes are noted."""
        if self.recorder is not None:
            self.recorder.note(self.day, receivable, cause, (self.free_primary, self.top_up.headroom))
        self.primary.used += receivable.primary + receivable.primary_reserved
        self.top_up.used += receivable.top_up + receivable.top_up_reserved
        self.touched[receivable.invoice.id] = receivable
        self.is_rolled_in = False

    def review(self, receivable: Receivable) -> None:
        """Test again whether the receivable can be covered; cover already given is taken away if it cannot."""
        reason = find_reason(receivable, self.primary, self.top_up)
        if reason is receivable.reason:
            return
        receivable.reason = reason
        self.is_rolled_in = False
        self.touched[receivable.invoice.id] = receivable
        if reason is not None:
            self.vacate(receivable)
            receivable.lose_cover()
            self.occupy(receivable, "cover_lost")

    def close(self, receivable: Receivable) -> None:
        """Nothing is open any more; the receivable stays in the account."""
        self.open_receivables.remove(receivable)
        receivable.is_extension_over = False


@cache
def liability_of_one(percentage: Decimal) -> int:
    """What one covered minor unit adds to the insurer's liability, in parts of a minor unit.

    Errors: ``too_many_decimals`` for a percentage with more than twenty decimals.
    """
    exact = Fraction(percentage) * LIABILITY_UNIT / 100
    if exact.denominator != 1:
        raise Refusal("too_many_decimals", path="insured_percentage", value=format(percentage, "f"), currency="%", decimals=20)
    return exact.numerator

"""One receivable in the account: what is open, what is disputed, what each layer covers and keeps reserved."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from insureflow.domain.cover.events import Invoice, Reason, Reasons
from insureflow.domain.policies.precedence import PercentageSource
from insureflow.domain.policies.terms import Grade, LimitConditions
from insureflow.domain.policies.vocabulary import PartialPaymentReduces, PartPaymentAppliesTo

#: Units of the limit currency's minor unit for one minor unit of another currency, as numerator and denominator.
Factor = tuple[int, int]

PAR: Factor = (1, 1)

#: What is reported of a receivable: open net, open tax, open value, primary, top-up, reserved, reasons, insured percentage
#: and its source.
Published = tuple[int, int, int, int, int, int, Reasons, Decimal | None, PercentageSource | None]

#: Stands for a receivable of which nothing has been reported yet.
UNPUBLISHED: Published = (-1, 0, 0, 0, 0, 0, (), None, None)


def convert(minor: int, factor: Factor) -> int:
    """A non-negative amount in the other currency, rounded half-up to its minor unit."""
    numerator, denominator = factor
    return (2 * minor * numerator + denominator) // (2 * denominator)


class Receivable:
    """An invoice that has entered the account; paid ones stay in it.

    ``net``, ``vat`` and ``disputed`` are open amounts in the minor unit of the invoice's currency. ``open_value``,
    ``vat_value`` (the tax that is not covered), ``disputed_value`` and ``coverable`` are in limit currency, as are the parts
    of the layers: ``primary`` and ``top_up`` are covered, ``primary_reserved`` and ``top_up_reserved`` kept for a dispute.
    """

    __slots__ = (
        "conditions",
        "coverable",
        "disputed",
        "disputed_value",
        "extended_without_consent",
        "extension_consented_to",
        "extension_end",
        "factor",
        "fixed_reason",
        "follows_primary",
        "grade",
        "grade_not_covered",
        "has_conditions",
        "insured_percentage",
        "invoice",
        "invoiced_late",
        "is_extension_over",
        "is_notified",
        "is_released",
        "is_vat_covered",
        "liability",
        "limit_had_ended",
        "net",
        "notification_deadline",
        "notified_late",
        "open_value",
        "order_key",
        "percentage_source",
        "primary",
        "primary_interval",
        "primary_reserved",
        "published",
        "published_from",
        "reason",
        "shipped_while_stopped",
        "terms_exceed_maximum",
        "top_up",
        "top_up_interval",
        "top_up_reserved",
        "top_up_weight",
        "vat",
        "vat_value",
        "version",
        "weight",
    )

    def __init__(self, invoice: Invoice, version: int, factor: Factor, grade: Grade | None) -> None:
        self.invoice = invoice
        self.version = version
        self.factor = factor
        self.grade = grade
        self.order_key: tuple[date, date, int] = (invoice.due_on, invoice.invoice_on, 0)
        self.net = invoice.net
        self.vat = invoice.vat
        self.disputed = 0
        self.is_vat_covered = False
        self.open_value = 0
        self.vat_value = 0
        self.disputed_value = 0
        self.coverable = 0
        self.primary = 0
        self.top_up = 0
        self.primary_reserved = 0
        self.top_up_reserved = 0
        self.primary_interval = -1
        self.top_up_interval = -1
        self.follows_primary = True
        self.limit_had_ended = False
        self.fixed_reason: Reason | None = None
        self.terms_exceed_maximum = False
        self.invoiced_late = False
        self.shipped_while_stopped = False
        self.grade_not_covered = False
        self.extended_without_consent = False
        self.notified_late = False
        self.reason: Reason | None = None
        self.has_conditions = False
        self.conditions: LimitConditions | None = None
        self.insured_percentage: Decimal | None = None
        self.percentage_source: PercentageSource | None = None
        self.weight = 0
        self.top_up_weight = 0
        self.liability = 0
        self.extension_end: date | None = None
        self.extension_consented_to: date | None = None
        self.is_extension_over = False
        self.is_released = False
        self.notification_deadline: date | None = None
        self.is_notified = False
        self.published = UNPUBLISHED
        self.published_from = invoice.shipment_on

    def revalue(self) -> None:
        """Amounts in limit currency from the open amounts in the invoice's currency.

        *Formula:* gross × rate, rounded; tax that is not covered = gross − (net × rate, rounded); disputed × rate, rounded, at
        most gross − tax; coverable = gross − tax − disputed.
        """
        net, disputed = self.net, self.disputed
        if self.factor is PAR:
            gross, without_vat = net + self.vat, net
        else:
            gross, without_vat = convert(net + self.vat, self.factor), convert(net, self.factor)
            disputed = convert(disputed, self.factor)
        if self.is_vat_covered:
            without_vat = gross
        disputed = min(disputed, without_vat)
        self.open_value = gross
        self.vat_value = gross - without_vat
        self.disputed_value = disputed
        self.coverable = without_vat - disputed

    def reduce(self, net: int, vat: int, parts: PartialPaymentReduces) -> None:
        """Take so much off the open net amount and the open tax, and off the parts in the order the policy sets."""
        before = self.coverable
        self.net -= net
        self.vat -= vat
        if self.disputed:
            self.disputed = min(self.disputed, self.net + self.vat)
        self.revalue()
        if self.primary or self.top_up:
            fall = before - self.coverable
            if fall > 0:
                self._take_from_parts(fall, before, parts)
        if self.primary_reserved or self.top_up_reserved:
            self._limit_reserved_to(self.open_value)

    def dispute(self, amount: int) -> None:
        """Dispute so much more; what is covered beyond the undisputed part becomes reserved, top-up first."""
        self.disputed = min(self.disputed + amount, self.net + self.vat)
        self.revalue()
        excess = self.primary + self.top_up - self.coverable
        if excess > 0:
            of_top_up = min(self.top_up, excess)
            of_primary = excess - of_top_up
            self.top_up -= of_top_up
            self.top_up_reserved += of_top_up
            self.primary -= of_primary
            self.primary_reserved += of_primary

    def resolve_dispute(self, found_owed: int) -> None:
        """End the dispute: what is not owed is taken off, what was reserved is covered again up to what is owed."""
        owed = min(found_owed, self.disputed)
        lost = self.disputed - owed
        of_net = min(self.net, lost)
        self.net -= of_net
        if self.is_vat_covered:
            self.vat -= lost - of_net
        self.disputed = 0
        self.revalue()
        restorable = convert(owed, self.factor)
        to_primary = min(self.primary_reserved, restorable)
        self.primary += to_primary
        self.top_up += min(self.top_up_reserved, restorable - to_primary)
        self.primary_reserved = self.top_up_reserved = 0
        excess = self.primary + self.top_up - self.coverable
        if excess > 0:
            of_top_up = min(self.top_up, excess)
            self.top_up -= of_top_up
            self.primary -= excess - of_top_up

    def lose_cover(self) -> None:
        """Nothing is covered or reserved any more."""
        self.primary = self.top_up = self.primary_reserved = self.top_up_reserved = 0

    def take_into_primary(self, amount: int) -> None:
        """The primary layer takes over so much; what the top-up layer covers gives way where both would exceed the whole."""
        self.primary += amount
        self.top_up = min(self.top_up, self.coverable - self.primary)

    def split_reduction(self, amount: int, rule: PartPaymentAppliesTo) -> tuple[int, int]:
        """Net amount and tax in a part payment, in the invoice's currency; ``amount`` is at most the open gross amount."""
        if rule is PartPaymentAppliesTo.NET_FIRST:
            of_net = min(amount, self.net)
            return of_net, amount - of_net
        if rule is PartPaymentAppliesTo.VAT_FIRST:
            of_vat = min(amount, self.vat)
            return amount - of_vat, of_vat
        of_vat = min(convert(amount, (self.vat, self.net + self.vat)), self.vat)
        of_net = min(amount - of_vat, self.net)
        return of_net, amount - of_net

    def uncovered_by_reason(self) -> Reasons:
        """Why what is open is not covered; amounts of 0 are left out."""
        if self.reason is not None:
            return ((self.reason, self.open_value),) if self.open_value else ()
        over_limit = self.coverable - self.primary - self.top_up
        if not (over_limit or self.vat_value or self.disputed_value):
            return ()
        split = []
        if self.vat_value:
            split.append((_VAT, self.vat_value))
        if self.disputed_value:
            split.append((_DISPUTED, self.disputed_value))
        if over_limit:
            split.append((_OVER_LIMIT, over_limit))
        return tuple(split)

    def _take_from_parts(self, fall: int, before: int, parts: PartialPaymentReduces) -> None:
        if parts is PartialPaymentReduces.PRO_RATA:
            of_primary = convert(fall, (self.primary, before))
            of_top_up = min(convert(fall, (self.top_up, before)), fall - of_primary)
        elif parts is PartialPaymentReduces.COVERED_FIRST:
            of_primary = min(self.primary, fall)
            of_top_up = min(self.top_up, fall - of_primary)
        else:
            covered = fall - min(fall, before - self.primary - self.top_up)
            of_top_up = min(self.top_up, covered)
            of_primary = covered - of_top_up
        self.primary -= of_primary
        self.top_up -= of_top_up

    def _limit_reserved_to(self, most: int) -> None:
        excess = self.primary_reserved + self.top_up_reserved - most
        if excess > 0:
            of_top_up = min(self.top_up_reserved, excess)
            self.top_up_reserved -= of_top_up
            self.primary_reserved -= excess - of_top_up


_VAT, _DISPUTED, _OVER_LIMIT = Reason.VAT_NOT_COVERED, Reason.DISPUTED, Reason.OVER_LIMIT

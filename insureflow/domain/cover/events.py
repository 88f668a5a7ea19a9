"""What happens on a buyer's account: decisions of the insurer, receivables, money, disputes and the date of loss.

Amounts are integer minor units of the event's own currency. ``rate`` is the number of units of the limit currency for one
unit of that currency; it belongs to the event for good.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from insureflow.domain.policies.terms import Grade, LimitConditions

#: A rate of exchange; 1 where the currency is the limit currency.
Rate = Decimal | Fraction | int


class Layer(StrEnum):
    """The layers of cover: the insurer's own limit and a second one on top of it."""

    PRIMARY = "primary"
    TOP_UP = "top_up"


class Reason(StrEnum):
    """Why an amount is not covered, in the order in which the tests are made.

    ``no_policy`` is never the answer of the rules of cover: it marks receivables that fall under no policy at all.
    """

    OUTSIDE_POLICY_PERIOD = "outside_policy_period"
    BUYER_NOT_INSURABLE = "buyer_not_insurable"
    COUNTRY_NOT_COVERED = "country_not_covered"
    SHIPPED_AFTER_DATE_OF_LOSS = "shipped_after_date_of_loss"
    TERMS_EXCEED_MAXIMUM = "terms_exceed_maximum"
    INVOICED_LATE = "invoiced_late"
    AFTER_LIMIT_END = "after_limit_end"
    BEFORE_LIMIT_EFFECTIVE = "before_limit_effective"
    NO_LIMIT = "no_limit"
    SHIPPED_WHILE_STOPPED = "shipped_while_stopped"
    GRADE_NOT_COVERED = "grade_not_covered"
    EXTENDED_WITHOUT_CONSENT = "extended_without_consent"
    NOTIFIED_LATE = "notified_late"
    VAT_NOT_COVERED = "vat_not_covered"
    DISPUTED = "disputed"
    OVER_LIMIT = "over_limit"
    NO_POLICY = "no_policy"


#: What is not covered, by reason; amounts of 0 are left out.
Reasons = tuple[tuple[Reason, int], ...]


class Purpose(StrEnum):
    """What a payment is made for."""

    ORDINARY = "ordinary"
    CASH_OR_PREPAID_SUPPLY = "cash_or_prepaid_supply"


@dataclass(frozen=True, slots=True)
class LimitDecision:
    """The insurer sets the limit; 0 is a refusal. ``valid_to`` is its last day in force."""

    on: date
    amount: int
    currency: str
    rate: Rate = 1
    layer: Layer = Layer.PRIMARY
    effective_from: date | None = None
    valid_to: date | None = None
    conditions: LimitConditions | None = None


@dataclass(frozen=True, slots=True)
class TemporaryLimit:
    """A limit that counts, where it is the higher one, up to its last day ``valid_to``."""

    on: date
    amount: int
    currency: str
    valid_to: date
    rate: Rate = 1
    layer: Layer = Layer.PRIMARY
    effective_from: date | None = None


@dataclass(frozen=True, slots=True)
class LimitWithdrawal:
    """Notice that the limit ends; ``on`` is the day on which it is received."""

    on: date
    layer: Layer = Layer.PRIMARY
    effective_from: date | None = None


@dataclass(frozen=True, slots=True)
class SharedUse:
    """From this day on other buyers use so much of a primary limit they share with this one, in limit currency."""

    on: date
    amount: int


@dataclass(frozen=True, slots=True)
class StopCover:
    """The insurer stops cover for new shipments."""

    on: date


@dataclass(frozen=True, slots=True)
class StopCoverLifted:
    """Shipments from this day on are no longer stopped by the insurer."""

    on: date


@dataclass(frozen=True, slots=True)
class Consent:
    """The insurer agrees to further supplies although these invoices are overdue; None: all open ones."""

    on: date
    invoices: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Extension:
    """A postponement granted to the buyer; ``consent``: the insurer had agreed in writing."""

    on: date
    invoice: str
    new_due_on: date
    consent: bool = False


@dataclass(frozen=True, slots=True)
class ExtensionWithdrawn:
    """A postponement with consent does not hold any more; ``consented_to``: the latest of those that still do, if any."""

    on: date
    invoice: str
    consented_to: date | None = None


@dataclass(frozen=True, slots=True)
class OverdueNotification:
    """The insurer is notified that these invoices are overdue; None: all in the account."""

    on: date
    invoices: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class BuyerGrade:
    """The insurer's grade of the buyer from this day on."""

    on: date
    grade: Grade


@dataclass(frozen=True, slots=True)
class Invoice:
    """A receivable; it exists from the day of shipment. ``due_on`` is the original due date."""

    id: str
    invoice_on: date
    shipment_on: date
    due_on: date
    currency: str
    rate: Rate
    net: int
    vat: int = 0

    @property
    def on(self) -> date:
        """The day on which the invoice enters the account."""
        return self.shipment_on


@dataclass(frozen=True, slots=True)
class CreditNote:
    """A credit on one invoice, in its currency, or on none in particular, in a currency of its own."""

    on: date
    net: int
    vat: int = 0
    invoice: str | None = None
    currency: str | None = None
    rate: Rate = 1


@dataclass(frozen=True, slots=True)
class Payment:
    """Money from the buyer, perhaps designated for certain invoices."""

    on: date
    amount: int
    currency: str
    rate: Rate = 1
    designated: tuple[str, ...] = ()
    purpose: Purpose = Purpose.ORDINARY


@dataclass(frozen=True, slots=True)
class Dispute:
    """The buyer disputes so much more of an invoice, in its currency."""

    on: date
    invoice: str
    amount: int


@dataclass(frozen=True, slots=True)
class DisputeResolved:
    """Settlement or judgment on all that is disputed on an invoice: so much is owed, the rest is not."""

    on: date
    invoice: str
    found_owed: int


@dataclass(frozen=True, slots=True)
class DateOfLoss:
    """The day at the end of which the account is frozen."""

    on: date


Event = (
    LimitDecision
    | TemporaryLimit
    | LimitWithdrawal
    | SharedUse
    | StopCover
    | StopCoverLifted
    | Consent
    | Extension
    | ExtensionWithdrawn
    | OverdueNotification
    | BuyerGrade
    | Invoice
    | CreditNote
    | Payment
    | Dispute
    | DisputeResolved
    | DateOfLoss
)

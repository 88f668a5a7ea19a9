"""The vocabulary of cash application: payments that came in, items that are open, and proposals."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from insureflow.domain.bank_statements import BankEntry, EntryStatus
from insureflow.domain.errors import InvalidValue
from insureflow.domain.money import Money, round_half_up
from insureflow.domain.trace import Trace


class Confidence(StrEnum):
    """How sure a proposal is. Only a certain one may be confirmed without a look at it."""

    CERTAIN = "certain"
    LIKELY = "likely"
    POSSIBLE = "possible"
    NONE = "none"

    @property
    def rank(self) -> int:
        """Place in the order, the surest first."""
        return list(Confidence).index(self)

    def at_most(self, other: Confidence) -> Confidence:
        """The less sure of the two."""
        return self if self.rank >= other.rank else other


class MatchReason(StrEnum):
    """What speaks for a proposal, or makes it less sure."""

    STRUCTURED_REFERENCE = "structured_reference"
    NUMBER_IN_TEXT = "number_in_text"
    COMMON_NUMBER = "common_number"
    EXACT_AMOUNT = "exact_amount"
    SUM_OF_NAMED = "sum_of_named"
    SOME_OF_NAMED = "some_of_named"
    PART_PAYMENT = "part_payment"
    OVERPAYMENT = "overpayment"
    ALL_DUE = "all_due"
    ALL_OPEN = "all_open"
    ON_ACCOUNT = "on_account"
    PAYER_ACCOUNT_KNOWN = "payer_account_known"
    NAME_EXACT = "name_exact"
    NAME_WITHOUT_LEGAL_FORM = "name_without_legal_form"
    NAME_SIMILAR = "name_similar"
    CHARGES_DEDUCTED = "charges_deducted"
    CHARGES_STATED = "charges_stated"
    DISCOUNT_TAKEN = "discount_taken"
    ORIGINAL_CURRENCY = "original_currency"
    OTHER_PAYER = "other_payer"
    SEVERAL_BUYERS = "several_buyers"
    SEVERAL_FIT = "several_fit"
    NAMES_SETTLED_INVOICE = "names_settled_invoice"
    MENTIONS_PREPAYMENT = "mentions_prepayment"


class Deduction(StrEnum):
    """Why a payer paid a little less."""

    BANK_CHARGES = "bank_charges"
    CASH_DISCOUNT = "cash_discount"


class EntryState(StrEnum):
    """How an entry of a bank statement stands in cash application."""

    UNMATCHED = "unmatched"
    PROPOSED = "proposed"
    MATCHED = "matched"
    SET_ASIDE = "set_aside"
    NOT_A_RECEIPT = "not_a_receipt"


class DecisionKind(StrEnum):
    """What was decided about an entry."""

    CONFIRMED = "confirmed"
    CHOSEN = "chosen"
    SET_ASIDE = "set_aside"
    REVERSED = "reversed"


def state_of(entry: BankEntry) -> EntryState:
    """Where an entry begins: money that was booked in waits for a match, everything else is no receipt."""
    is_receipt = entry.is_credit and not entry.is_reversal and entry.status is EntryStatus.BOOKED and entry.amount_minor > 0
    return EntryState.UNMATCHED if is_receipt else EntryState.NOT_A_RECEIPT


@dataclass(frozen=True, slots=True)
class OpenItem:
    """An invoice as matching sees it; one that is settled already has nothing open, and may still be named."""

    id: int
    number: str
    reference: str
    buyer_id: int
    currency: str
    open_minor: int
    gross_minor: int
    invoice_on: date
    due_on: date


@dataclass(frozen=True, slots=True)
class IncomingPayment:
    """Money that came in, with what was said about it; see ``BankEntry`` for the meaning of each."""

    amount_minor: int
    currency: str
    received_on: date
    references: tuple[str, ...] = ()
    text: str = ""
    end_to_end_id: str = ""
    payer_name: str = ""
    payer_account: str = ""
    instructed: Money | None = None
    charges_minor: int = 0

    @property
    def stated_charges_minor(self) -> int:
        """What was kept on the way, by the bank's own word: its charges, or what was ordered less what arrived."""
        if self.instructed is not None and self.instructed.currency == self.currency:
            return max(self.charges_minor, self.instructed.minor - self.amount_minor)
        return self.charges_minor


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How much less than is open may still settle: bank charges up to an amount, a cash discount up to a share within some days.

    ``discount_days`` None: whenever it is paid. Nothing is tolerated unless somebody said so.
    """

    charges_minor: int = 0
    discount_percent: Decimal = Decimal(0)
    discount_days: int | None = None

    def __post_init__(self) -> None:
        if self.charges_minor < 0:
            raise InvalidValue("tolerance_negative", "charges", self.charges_minor)
        if not 0 <= self.discount_percent <= 100:
            raise InvalidValue("tolerance_not_a_percentage", "discount_percent", str(self.discount_percent))
        if self.discount_days is not None and self.discount_days < 0:
            raise InvalidValue("tolerance_negative", "discount_days", self.discount_days)

    def discount_minor(self, item: OpenItem, received_on: date) -> int:
        """The largest discount on an item. *Formula:* gross × percentage, if received within the days after the invoice."""
        if self.discount_days is not None and (received_on - item.invoice_on).days > self.discount_days:
            return 0
        return round_half_up(Fraction(item.gross_minor) * Fraction(self.discount_percent) / 100)


@dataclass(frozen=True, slots=True)
class Share:
    """What of a payment goes to an item, in the item's currency, and what is deducted with it: both together settle."""

    item: OpenItem
    paid_minor: int
    deducted_minor: int = 0


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a payment may be for. Without shares it is money of the buyer on account.

    ``unapplied_minor`` is what settles nothing, in the currency of the payment.
    """

    confidence: Confidence
    reasons: tuple[MatchReason, ...]
    buyer_id: int
    shares: tuple[Share, ...]
    unapplied_minor: int = 0
    deduction: Deduction | None = None
    trace: Trace = field(default_factory=Trace)

    @property
    def buyer_ids(self) -> tuple[int, ...]:
        """Every buyer whose items it settles, or whose account it is on."""
        return tuple(dict.fromkeys([share.item.buyer_id for share in self.shares])) or (self.buyer_id,)


@dataclass(frozen=True, slots=True)
class MatchResult:
    """The proposals, the surest first, and the numbers of the invoices that the payer named, in the payer's order."""

    proposals: tuple[Proposal, ...]
    designated: tuple[str, ...]

    @property
    def confidence(self) -> Confidence:
        """That of the best proposal."""
        return self.proposals[0].confidence if self.proposals else Confidence.NONE

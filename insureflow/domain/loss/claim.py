"""The debt of a claim as it is put together: invoices, credit notes, payments and disputes up to the date of loss.

Amounts are integer minor units of the policy currency.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from insureflow.domain.cover.events import Reason
from insureflow.domain.cover.receivable import convert
from insureflow.domain.errors import Refusal
from insureflow.domain.loss.debt import Circumstances, Debt, currency_of, debt_under_limit
from insureflow.domain.loss.vocabulary import LossReason, UncoveredReason
from insureflow.domain.money import Money
from insureflow.domain.policies.precedence import maximum_credit_terms_for, vat_covered_for
from insureflow.domain.policies.terms import PolicyTerms
from insureflow.domain.policies.vocabulary import PartPaymentAppliesTo
from insureflow.domain.trace import Step, TraceValue


@dataclass(frozen=True, slots=True)
class ClaimInvoice:
    """An invoice in a claim. ``not_covered`` is why none of it is, where the account has said so."""

    id: str
    net: int
    vat: int = 0
    due_on: date | None = None
    credit_terms_days: int | None = None
    not_covered: Reason | None = None


@dataclass(frozen=True, slots=True)
class ClaimCreditNote:
    """A credit on one invoice of a claim."""

    invoice: str
    net: int
    vat: int = 0


@dataclass(frozen=True, slots=True)
class ClaimDispute:
    """What the buyer disputes of an invoice; ``found_owed`` is None until a settlement or judgment."""

    invoice: str
    amount: int
    found_owed: int | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """Everything a claim is put together from. Without ``limits`` no limit holds."""

    invoices: tuple[ClaimInvoice, ...]
    credit_notes: tuple[ClaimCreditNote, ...] = ()
    payments: tuple[int, ...] = ()
    disputes: tuple[ClaimDispute, ...] = ()
    limits: tuple[int, int] | None = None
    late_interest: int = 0

    @property
    def has_resolved_disputes(self) -> bool:
        """True if some dispute has been settled or judged since."""
        return any(dispute.found_owed is not None for dispute in self.disputes)


def debt_of_claim(terms: PolicyTerms, circumstances: Circumstances, claim: Claim, *, after_disputes: bool = False) -> Debt:
    """The debt of a claim with everything disputed left out, or with what has been found owed since.

    *Formula:* per invoice: gross less credit notes, less payments (oldest invoice first); of what is open, excluded invoices, tax
    that is not covered and disputed amounts are left out; the smaller of the rest and the limit is covered. After a dispute the
    amount found owed is restored and the rest is credited. Errors: ``unknown_invoice``, ``duplicate_invoice``.
    *Source:* canonical order of a loss calculation, steps 1 to 7.
    """
    book = _Book(terms, circumstances.country, claim)
    if after_disputes:
        book.resolve()
    uncovered = list(book.uncovered())
    insured = sum(line.insurable for line in book.lines.values())
    return debt_under_limit(
        terms,
        circumstances,
        insured,
        claim.limits,
        uncovered=[*uncovered, (LossReason.INTEREST_NOT_COVERED, claim.late_interest)],
        steps=book.steps(),
    )


class _Line:
    """One invoice while its open amount is worked out."""

    __slots__ = ("disputed", "id", "is_vat_covered", "net", "reason", "vat")

    def __init__(self, invoice: ClaimInvoice, longest: int | None, *, is_vat_covered: bool) -> None:
        self.id = invoice.id
        self.net = invoice.net
        self.vat = invoice.vat
        self.disputed = 0
        self.is_vat_covered = is_vat_covered
        self.reason = invoice.not_covered
        days = invoice.credit_terms_days
        if self.reason is None and longest is not None and days is not None and days > longest:
            self.reason = Reason.TERMS_EXCEED_MAXIMUM

    @property
    def gross(self) -> int:
        """What is open, with tax."""
        return self.net + self.vat

    @property
    def insurable(self) -> int:
        """What is open and neither excluded nor disputed nor tax that is not covered."""
        if self.reason is not None:
            return 0
        return self.net + (self.vat if self.is_vat_covered else 0) - self.disputed

    def credit(self, net: int, vat: int) -> None:
        """Net off net, tax off tax; what exceeds the one reduces the other; what exceeds both is left out."""
        of_net, of_vat = min(net, self.net), min(vat, self.vat)
        more_net, more_vat = min(vat - of_vat, self.net - of_net), min(net - of_net, self.vat - of_vat)
        self.net -= of_net + more_net
        self.vat -= of_vat + more_vat

    def pay(self, amount: int, rule: PartPaymentAppliesTo) -> int:
        """Take a payment; gives what is left of it."""
        part = min(amount, self.gross)
        if rule is PartPaymentAppliesTo.NET_FIRST:
            of_vat = part - min(part, self.net)
        elif rule is PartPaymentAppliesTo.VAT_FIRST:
            of_vat = min(part, self.vat)
        else:
            of_vat = min(convert(part, (self.vat, self.gross)), self.vat) if part else 0
            of_vat = max(of_vat, part - self.net)
        self.net -= part - of_vat
        self.vat -= of_vat
        return amount - part

    def dispute(self, amount: int) -> int:
        """Leave so much out as disputed, at most what is insurable; gives how much that is."""
        insurable = self.net + (self.vat if self.is_vat_covered else 0) - self.disputed
        taken = min(amount, insurable)
        self.disputed += taken
        return taken

    def resolve(self, disputed: int, found_owed: int) -> None:
        """End a dispute: what is owed counts again, the rest is credited, off the net amount first."""
        lost = disputed - min(found_owed, disputed)
        of_net = min(self.net, lost)
        self.net -= of_net
        self.vat -= lost - of_net
        self.disputed -= disputed


class _Book:
    """The invoices of a claim with everything applied to them."""

    def __init__(self, terms: PolicyTerms, country: str | None, claim: Claim) -> None:
        self._currency = currency_of(terms)
        self._claim = claim
        is_vat_covered = vat_covered_for(terms, country)
        maximum = maximum_credit_terms_for(terms, country)
        longest = None if maximum is None else maximum.days
        self.lines: dict[str, _Line] = {}
        for invoice in _oldest_first(claim.invoices):
            if invoice.id in self.lines:
                raise Refusal("duplicate_invoice", invoice=invoice.id)
            self.lines[invoice.id] = _Line(invoice, longest, is_vat_covered=is_vat_covered)
        self._gross = sum(line.gross for line in self.lines.values())
        for note in claim.credit_notes:
            self._get(note.invoice).credit(note.net, note.vat)
        self._after_credits = sum(line.gross for line in self.lines.values())
        for payment in claim.payments:
            left = payment
            for line in self.lines.values():
                left = line.pay(left, terms.allocation.part_payment_applies_to)
        self._disputed = [(dispute, self._get(dispute.invoice).dispute(dispute.amount)) for dispute in claim.disputes]

    def resolve(self) -> None:
        """Restore what has been found owed since, and credit the rest."""
        for dispute, amount in self._disputed:
            if dispute.found_owed is not None:
                self._get(dispute.invoice).resolve(amount, dispute.found_owed)

    def uncovered(self) -> Iterator[tuple[UncoveredReason, int]]:
        """What is open and not insured, by reason."""
        for line in self.lines.values():
            if line.reason is not None:
                yield line.reason, line.gross
            else:
                yield Reason.VAT_NOT_COVERED, line.gross - line.insurable - line.disputed
                yield Reason.DISPUTED, line.disputed

    def steps(self) -> tuple[Step, ...]:
        """The steps from the invoices to what is open, and from there to what is insured."""
        open_now = sum(line.gross for line in self.lines.values())
        interest = self._claim.late_interest
        parts: tuple[tuple[str, TraceValue], ...] = (
            ("gross", self._money(self._gross)),
            ("credit_notes", self._money(self._gross - self._after_credits)),
            ("settled", self._money(self._after_credits - open_now)),
            ("late_interest", self._money(interest)),
        )
        totals: dict[UncoveredReason, int] = {}
        for reason, amount in self.uncovered():
            totals[reason] = totals.get(reason, 0) + amount
        left_out: tuple[tuple[str, TraceValue], ...] = tuple(
            (reason.value, self._money(amount)) for reason, amount in totals.items() if amount
        )
        insured = self._money(sum(line.insurable for line in self.lines.values()))
        inputs: tuple[tuple[str, TraceValue], ...] = (("open", self._money(open_now)), *left_out)
        return (
            Step("open_debt", "loss.open_debt", parts, self._money(open_now + interest), "policy.allocation"),
            Step("insured_debt", "loss.insured_debt", inputs, insured, "cover.reason"),
        )

    def _get(self, invoice: str) -> _Line:
        if invoice not in self.lines:
            raise Refusal("unknown_invoice", invoice=invoice, on=None)
        return self.lines[invoice]

    def _money(self, minor: int) -> Money:
        return Money(minor, self._currency)


def _oldest_first(invoices: Sequence[ClaimInvoice]) -> list[ClaimInvoice]:
    """By due date where all have one, otherwise as listed."""
    days = [invoice.due_on for invoice in invoices]
    dated = [(on, position) for position, on in enumerate(days) if on is not None]
    if len(dated) < len(days):
        return list(invoices)
    return [invoices[position] for _, position in sorted(dated)]

"""Recoveries: what comes in after a loss, and who it belongs to.

The date of loss is the switch: what is received up to it reduces the debt, what is received later is shared between insurer and
policyholder by the rule of the policy. Amounts are integer minor units of the policy currency; a receipt in another currency is
turned into it at the rate of the day of receipt before it comes here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from insureflow.domain.errors import Refusal
from insureflow.domain.loss.debt import Circumstances, Debt, currency_of, debt_under_limit, rounded_percentage
from insureflow.domain.loss.waterfall import calculate_loss
from insureflow.domain.money import Money, round_half_up
from insureflow.domain.policies.terms import PolicyTerms
from insureflow.domain.policies.vocabulary import RecoverySplit
from insureflow.domain.trace import Step, Trace, TraceValue

_Inputs = tuple[tuple[str, TraceValue], ...]


@dataclass(frozen=True, slots=True)
class InvoiceAtLoss:
    """An invoice as it stood at the date of loss."""

    id: str
    due_on: date
    open: int
    covered: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """Money that comes in from the buyer, an administrator, a guarantor or a sale of goods, and what it cost to get it."""

    gross: int
    costs: int = 0
    on: date | None = None


@dataclass(frozen=True, slots=True)
class LossAtDate:
    """The loss that recoveries belong to, as it stood at the date of loss before anything was received up to that day.

    Of ``limit`` and ``covered`` one is given. ``indemnity`` is as paid, or None to be worked out as the only loss of its year.
    ``insurer_costs`` are costs the insurer may recover on top of it. With ``invoices`` the debt is their sum.
    """

    debt: int
    limit: int | None = None
    covered: int | None = None
    indemnity: int | None = None
    insurer_costs: int = 0
    invoices: tuple[InvoiceAtLoss, ...] = ()


@dataclass(frozen=True, slots=True)
class ShareOfReceipt:
    """What of one receipt belongs to whom. Before the loss nothing is shared and the last three are None.

    ``costs_carried`` are costs that no receipt has paid for so far. ``policyholder`` can be below 0 where the policyholder bears
    the costs alone.
    """

    before_loss: bool
    net: int
    insurer: int
    policyholder: int
    costs_carried: int
    on_insured_part: int | None
    on_uninsured_part: int | None
    outstanding: int | None
    trace: Trace


@dataclass(frozen=True, slots=True)
class Recoveries:
    """All receipts of a loss, shared in the order in which they stand."""

    currency: str
    debt_at_loss: int
    covered_debt: int
    indemnity: int
    shares: tuple[ShareOfReceipt, ...]

    @property
    def insurer(self) -> int:
        """What belongs to the insurer of all receipts after the loss."""
        return sum(share.insurer for share in self.shares if not share.before_loss)

    @property
    def policyholder(self) -> int:
        """What belongs to the policyholder of all receipts after the loss."""
        return sum(share.policyholder for share in self.shares if not share.before_loss)

    @property
    def outstanding(self) -> int:
        """What the insurer has still to get back."""
        left = [share.outstanding for share in self.shares if share.outstanding is not None]
        return left[-1] if left else self.indemnity


def is_before_loss(received_on: date | None, date_of_loss: date | None) -> bool:
    """True for what is received up to the date of loss; with either day unknown it counts as received after it."""
    return received_on is not None and date_of_loss is not None and received_on <= date_of_loss


def share_receipts(terms: PolicyTerms, loss: LossAtDate, circumstances: Circumstances, receipts: Sequence[Receipt]) -> Recoveries:
    """Who each receipt of a loss belongs to.

    *Formula:* net = receipt − costs − costs carried over, where costs come first, else the receipt; the insurer's share of net by
    the rule of the policy: × indemnity ÷ debt; × covered ÷ debt × percentage; × covered ÷ debt until the indemnity is recovered;
    or invoice by invoice, oldest first, × covered ÷ open × percentage. It is rounded and never more than what the insurer has still
    to get back: indemnity + its costs − shares so far. The rest belongs to the policyholder.
    Errors: ``receipt_before_loss_by_invoice``: receipts up to the date of loss must already be taken off the invoices.
    *Source:* allocation of recoveries after indemnity; receipts up to the date of loss go to the oldest debt.
    """
    return _Sharing(terms, loss, circumstances, receipts).result()


class _Sharing:
    """The receipts of one loss while they are shared."""

    def __init__(self, terms: PolicyTerms, loss: LossAtDate, circumstances: Circumstances, receipts: Sequence[Receipt]) -> None:
        self.currency = currency_of(terms)
        self.rule = terms.recovery
        self.loss_on = circumstances.date_of_loss
        self.receipts = receipts
        early = [receipt for receipt in receipts if is_before_loss(receipt.on, self.loss_on)]
        if early and loss.invoices:
            raise Refusal("receipt_before_loss_by_invoice", on=early[0].on)
        received = sum(max(0, receipt.gross - receipt.costs) for receipt in early)
        self.debt = max(0, loss.debt - received)
        found = self._covered(terms, loss, circumstances)
        self.covered = found.covered
        self.percentage = found.percentage
        self.indemnity = calculate_loss(terms, found, circumstances).indemnity if loss.indemnity is None else loss.indemnity
        self.outstanding = self.indemnity + loss.insurer_costs
        self.carried = 0
        self.invoices = [
            [Fraction(invoice.open), Fraction(invoice.covered, invoice.open)]
            for invoice in sorted(loss.invoices, key=lambda each: each.due_on)
            if invoice.open
        ]

    def _covered(self, terms: PolicyTerms, loss: LossAtDate, circumstances: Circumstances) -> Debt:
        if loss.limit is not None:
            return debt_under_limit(terms, circumstances, self.debt, (loss.limit, 0))
        return debt_under_limit(terms, circumstances, self.debt, (min(loss.covered or 0, self.debt), 0))

    def result(self) -> Recoveries:
        """All receipts with their shares."""
        shares = tuple(self._share(receipt) for receipt in self.receipts)
        return Recoveries(self.currency, self.debt, self.covered, self.indemnity, shares)

    def _share(self, receipt: Receipt) -> ShareOfReceipt:
        if is_before_loss(receipt.on, self.loss_on):
            return self._before_loss(receipt)
        net, costs_borne, net_step = self._net(receipt)
        exact, inputs = self._of_insurer(net)
        wanted = round_half_up(exact)
        insurer = min(wanted, self.outstanding)
        before = self.outstanding
        self.outstanding -= insurer
        share = Step(
            "share_of_insurer", f"recovery.{self.rule.split.value}", inputs, self._money(wanted), "policy.recovery.split", receipt.on
        )
        capped: _Inputs = (("before", self._money(wanted)), ("still_to_recover", self._money(before)))
        cap = Step("insurer_receives", "recovery.cap", capped, self._money(insurer), "policy.recovery.split", receipt.on)
        rest: _Inputs = (
            ("net_receipt", self._money(net)),
            ("insurer_receives", self._money(insurer)),
            ("costs_borne", self._money(costs_borne)),
        )
        policyholder = net - insurer - costs_borne
        keeps = Step("policyholder_keeps", "recovery.rest", rest, self._money(policyholder), "policy.recovery.split", receipt.on)
        on_insured = self._on_insured_part(net)
        return ShareOfReceipt(
            before_loss=False,
            net=net,
            insurer=insurer,
            policyholder=policyholder,
            costs_carried=self.carried,
            on_insured_part=on_insured,
            on_uninsured_part=self._on_uninsured_part(net, on_insured),
            outstanding=self.outstanding,
            trace=Trace((net_step, share, cap, keeps)),
        )

    def _before_loss(self, receipt: Receipt) -> ShareOfReceipt:
        net = max(0, receipt.gross - receipt.costs)
        inputs: _Inputs = (
            ("gross", self._money(receipt.gross)),
            ("recovery_costs", self._money(receipt.costs)),
            ("date_of_loss", self.loss_on),
        )
        step = Step("net_receipt", "recovery.before_loss", inputs, self._money(net), "loss.date_of_loss", receipt.on)
        return ShareOfReceipt(True, net, 0, net, self.carried, None, None, None, Trace((step,)))

    def _net(self, receipt: Receipt) -> tuple[int, int, Step]:
        """What there is to share, and the costs that the policyholder bears beside it."""
        inputs: _Inputs = (
            ("gross", self._money(receipt.gross)),
            ("recovery_costs", self._money(receipt.costs)),
            ("costs_carried", self._money(self.carried)),
        )
        if not self.rule.costs_first:
            step = Step(
                "net_receipt",
                "recovery.net_without_costs",
                inputs[:2],
                self._money(receipt.gross),
                "policy.recovery.costs_first",
                receipt.on,
            )
            return receipt.gross, receipt.costs, step
        left = receipt.gross - receipt.costs - self.carried
        net, self.carried = max(0, left), max(0, -left)
        return net, 0, Step("net_receipt", "recovery.net", inputs, self._money(net), "policy.recovery.costs_first", receipt.on)

    def _of_insurer(self, net: int) -> tuple[Fraction, _Inputs]:
        split = self.rule.split
        percentage = rounded_percentage(self.percentage)
        if split is RecoverySplit.FIRST_IN_FIRST_OUT:
            inputs: _Inputs = (("net_receipt", self._money(net)), ("invoices", len(self.invoices)), ("insured_percentage", percentage))
            return self._through_invoices(net), inputs
        debt = ("debt_at_loss", self._money(self.debt))
        if split is RecoverySplit.INDEMNITY_RATIO:
            inputs = (("net_receipt", self._money(net)), ("indemnity", self._money(self.indemnity)), debt)
            return self._part(net, self.indemnity), inputs
        inputs = (("net_receipt", self._money(net)), ("covered_debt", self._money(self.covered)), debt)
        if split is RecoverySplit.INSURED_PART_TO_INSURER_FIRST:
            return self._part(net, self.covered), inputs
        return self._part(net, self.covered) * self.percentage / 100, (*inputs, ("insured_percentage", percentage))

    def _through_invoices(self, net: int) -> Fraction:
        """Apply a receipt to the invoices, oldest first; gives what falls on their covered parts, times the percentage."""
        left, share = Fraction(net), Fraction(0)
        for invoice in self.invoices:
            part = min(left, invoice[0])
            invoice[0] -= part
            left -= part
            share += part * invoice[1]
        return share * self.percentage / 100

    def _part(self, net: int, amount: int) -> Fraction:
        """The part of a receipt in the proportion of an amount to the debt at the date of loss."""
        return Fraction(net * amount, self.debt) if self.debt else Fraction(0)

    def _on_insured_part(self, net: int) -> int | None:
        if self.rule.split is RecoverySplit.FIRST_IN_FIRST_OUT:
            return None
        return round_half_up(self._part(net, self.covered))

    def _on_uninsured_part(self, net: int, on_insured: int | None) -> int | None:
        if on_insured is None:
            return None
        return net - on_insured if self.debt else 0

    def _money(self, minor: int) -> Money:
        return Money(minor, self.currency)

"""A buyer's ledger divided into accounts, one for each policy, with the events that the rules of cover work through.

Which policy: every invoice falls under the policy that ``choose_policy`` names for its entity, the buyer's country and the day
of shipment. Whose money: a payment belongs to the buyer, not to a policy. It goes to the account whose invoices it settles in
the ledger. Where it settles invoices of several accounts, it is divided by what it settles of each; what it settles of
invoices without policy goes to no account, and what it does not settle goes to the buyer's first account (by the policies'
priority, then key) among those that insure the entity that received it. The same holds for credit notes that name no invoice.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from insureflow.domain import cover
from insureflow.domain.cover import Event, Purpose
from insureflow.domain.money import convert_minor, split_minor
from insureflow.queries.cover.insurer_acts import act_events, dispute_events, limit_events
from insureflow.queries.cover.ledgers import Act, BuyerLedger, Decision, LedgerAllocation, LedgerCreditNote, LedgerInvoice, LedgerPayment
from insureflow.queries.cover.policies import InsurancePolicy, PolicyBook
from insureflow.queries.rates import RateBook

_ONE = Decimal(1)


class Assignment(NamedTuple):
    """The policy an invoice falls under and its frozen rate, where the row says something else so far."""

    invoice_id: int
    policy_id: int | None
    rate: Decimal | None
    rate_source: str


@dataclass(slots=True)
class PolicyAccount:
    """One buyer under one policy."""

    policy: InsurancePolicy
    ledger: BuyerLedger
    invoices: dict[int, LedgerInvoice] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    acts: list[Act] = field(default_factory=list)

    @property
    def key(self) -> tuple[int, int]:
        """Buyer and policy."""
        return self.ledger.buyer_id, self.policy.id

    def rules_account(self) -> cover.Account:
        """The account as the rules of cover take it."""
        return self.policy.account(self.ledger.country, insurable=self.ledger.insurable)


@dataclass(slots=True)
class Frozen:
    """What has been found out about documents and is to be kept with them, and the rates that are missing."""

    assignments: list[Assignment] = field(default_factory=list)
    payment_rates: list[tuple[int, Decimal]] = field(default_factory=list)
    credit_note_rates: list[tuple[int, Decimal]] = field(default_factory=list)
    missing: set[tuple[str, str, date]] = field(default_factory=set)


def accounts_of(ledger: BuyerLedger, book: PolicyBook, rates: RateBook, frozen: Frozen) -> list[PolicyAccount]:
    """The accounts of a buyer in order of the policies' priority; what must be kept with the documents goes into ``frozen``."""
    return _Division(ledger, book, rates, frozen).accounts()


class _Division:
    """The work of dividing one buyer's ledger."""

    __slots__ = ("_accounts", "_book", "_frozen", "_ledger", "_of_invoice", "_rates", "_reassigned")

    def __init__(self, ledger: BuyerLedger, book: PolicyBook, rates: RateBook, frozen: Frozen) -> None:
        self._ledger = ledger
        self._book = book
        self._rates = rates
        self._frozen = frozen
        self._accounts: dict[int, PolicyAccount] = {}
        #: The policy of each invoice; one without policy is not in it.
        self._of_invoice: dict[int, int] = {}
        self._reassigned = False

    def accounts(self) -> list[PolicyAccount]:
        ledger = self._ledger
        for decision in ledger.decisions:
            self._account(decision.policy_id).decisions.append(decision)
        for act in ledger.acts:
            self._account(act.policy_id).acts.append(act)
        self._assign()
        accounts = sorted(self._accounts.values(), key=lambda account: account.policy.order)
        if not accounts:
            return []
        for account in accounts:
            account.events += limit_events(account.policy, account.decisions)
        self._add_credit_notes(accounts)
        self._add_payments(accounts)
        for account in accounts:
            if ledger.disputes:
                account.events += dispute_events(ledger.disputes, account.invoices)
            if account.acts:
                account.events += act_events(account.acts, account.invoices)
            self._add_invoices(account)
        return accounts

    def _account(self, policy_id: int) -> PolicyAccount:
        account = self._accounts.get(policy_id)
        if account is None:
            account = self._accounts[policy_id] = PolicyAccount(self._book.policies[policy_id], self._ledger)
        return account

    # ------------------------------------------------------------------ invoices

    def _assign(self) -> None:
        """Give every invoice its policy and its rate."""
        ledger, frozen = self._ledger, self._frozen
        choose, country = self._book.choose, ledger.country
        for invoice in ledger.invoices:
            policy = choose(invoice.entity_id, country, invoice.shipment_on)
            if policy is None:
                continue
            self._of_invoice[invoice.id] = policy.id
            if invoice.policy_id != policy.id or invoice.rate is None:
                if invoice.policy_id not in (None, policy.id):
                    self._reassigned = True
                rate = self._rates.find(invoice.currency, policy.limit_currency, invoice.invoice_on)
                if rate is None:
                    frozen.missing.add((invoice.currency, policy.limit_currency, invoice.invoice_on))
                    continue
                frozen.assignments.append(Assignment(invoice.id, policy.id, rate.rate, rate.note))
                invoice = invoice._replace(policy_id=policy.id, rate=rate.rate)  # noqa: PLW2901 (from here on the assigned one counts)
            self._account(policy.id).invoices[invoice.id] = invoice

    def _add_invoices(self, account: PolicyAccount) -> None:
        add, make = account.events.append, cover.Invoice
        for invoice in account.invoices.values():
            add(
                make(
                    str(invoice.id),
                    invoice.invoice_on,
                    invoice.shipment_on,
                    invoice.due_on,
                    invoice.currency,
                    invoice.rate or _ONE,
                    invoice.net_minor,
                    invoice.vat_minor,
                )
            )

    # ------------------------------------------------------------------ money

    def _add_credit_notes(self, accounts: list[PolicyAccount]) -> None:
        ledger = self._ledger
        settled: dict[int, list[LedgerAllocation]] = {}
        if ledger.credit_notes:
            for allocation in ledger.allocations:
                if allocation.credit_note_id is not None:
                    settled.setdefault(allocation.credit_note_id, []).append(allocation)
        for note in ledger.credit_notes:
            policy_id = self._of_invoice.get(note.invoice_id) if note.invoice_id is not None else None
            if note.invoice_id is not None and policy_id is None:
                continue  # it reduces an invoice without policy
            if policy_id is not None:
                account = self._accounts[policy_id]
                invoice = account.invoices.get(note.invoice_id or 0)
                if invoice is not None and invoice.currency == note.currency:
                    account.events.append(cover.CreditNote(note.issued_on, note.net_minor, note.vat_minor, str(invoice.id)))
                    continue
            gross = note.net_minor + note.vat_minor
            for account, amount in self._divide(accounts, note, gross, note.issued_on, settled.get(note.id, ())):
                rate = self._rate(account, accounts, note.currency, note.rate, note.issued_on)
                if account is accounts[0] and note.rate is None and rate is not None and note.currency != account.policy.limit_currency:
                    self._frozen.credit_note_rates.append((note.id, rate))
                vat = note.vat_minor if amount == gross else 0
                account.events.append(cover.CreditNote(note.issued_on, amount - vat, vat, None, note.currency, rate or _ONE))

    def _add_payments(self, accounts: list[PolicyAccount]) -> None:
        ledger = self._ledger
        settled: dict[int, list[LedgerAllocation]] = {}
        for allocation in ledger.allocations:
            if allocation.payment_id is not None:
                settled.setdefault(allocation.payment_id, []).append(allocation)
        is_alone = len(accounts) == 1 and len(self._of_invoice) == len(ledger.invoices)
        only = accounts[0]
        for payment in ledger.payments:
            allocations = settled.get(payment.id, ())
            if is_alone and payment.entity_id in self._book.insured:
                parts: Iterable[tuple[PolicyAccount, int]] = ((only, payment.amount_minor),)
            else:
                parts = self._divide(accounts, payment, payment.amount_minor, payment.received_on, allocations)
            for account, amount in parts:
                currency = payment.currency
                rate: Decimal | None = _ONE
                if currency != account.policy.limit_currency:
                    rate = self._rate(account, accounts, currency, payment.rate, payment.received_on)
                    if payment.rate is None and rate is not None and account is accounts[0]:
                        self._frozen.payment_rates.append((payment.id, rate))
                designated = tuple(
                    dict.fromkeys(str(allocation.invoice_id) for allocation in allocations if allocation.invoice_id in account.invoices)
                )
                account.events.append(
                    cover.Payment(payment.received_on, amount, currency, rate or _ONE, designated, _PURPOSES[payment.purpose])
                )

    def _rate(self, account: PolicyAccount, accounts: list[PolicyAccount], currency: str, kept: Decimal | None, on: date) -> Decimal | None:
        """The rate of a payment or credit note: the one kept with it, which belongs to the first account's limit currency."""
        limit_currency = account.policy.limit_currency
        if kept is not None and not self._reassigned and all(other.policy.limit_currency == limit_currency for other in accounts):
            return kept
        found = self._rates.find(currency, limit_currency, on)
        if found is None:
            self._frozen.missing.add((currency, limit_currency, on))
            return None
        return found.rate

    def _divide(
        self,
        accounts: list[PolicyAccount],
        document: LedgerPayment | LedgerCreditNote,
        amount: int,
        on: date,
        allocations: Iterable[LedgerAllocation],
    ) -> list[tuple[PolicyAccount, int]]:
        """The part of a payment or credit note that goes to each account; parts of 0 are left out."""
        currencies = {invoice.id: invoice.currency for invoice in self._ledger.invoices}
        settled: dict[int | None, int] = {}
        in_own_currency = True
        for allocation in allocations:
            currency = currencies[allocation.invoice_id]
            value = allocation.amount_minor
            if currency != document.currency:
                in_own_currency = False
                rate = self._rates.find(currency, document.currency, on)
                if rate is None:
                    self._frozen.missing.add((currency, document.currency, on))
                    continue
                value = convert_minor(value, currency, document.currency, rate.rate)
            policy_id = self._of_invoice.get(allocation.invoice_id)
            settled[policy_id] = settled.get(policy_id, 0) + value
        if not in_own_currency and any(settled.values()):
            shares = split_minor(amount - document.unapplied_minor, tuple(settled.values()))
            settled = dict(zip(settled, shares, strict=True))
        rest = amount - sum(settled.values())
        insuring = {policy.id for policy in self._book.insured.get(document.entity_id, ())}
        first = next((account for account in accounts if account.policy.id in insuring), None)
        if first is not None and rest > 0:
            settled[first.policy.id] = settled.get(first.policy.id, 0) + rest
        return [(account, settled[account.policy.id]) for account in accounts if settled.get(account.policy.id, 0) > 0]


_PURPOSES = {purpose.value: purpose for purpose in Purpose}

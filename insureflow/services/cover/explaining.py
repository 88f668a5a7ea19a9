"""The steps behind the figures of an invoice or an account, from the policy and the rate on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from sqlalchemy import select

from insureflow.domain import cover
from insureflow.domain.cover import AccountSegment, Reason
from insureflow.domain.errors import Refusal
from insureflow.domain.money import Money
from insureflow.domain.trace import Step, Trace
from insureflow.models.database import db
from insureflow.models.organisations import Entity
from insureflow.models.receivables import Invoice
from insureflow.queries.cover.accounts import Frozen, PolicyAccount, accounts_of
from insureflow.queries.cover.ledgers import BuyerLedger, Decision, load_ledgers
from insureflow.queries.cover.policies import InsurancePolicy, PolicyBook
from insureflow.queries.cover.positions import ledger_steps
from insureflow.queries.cover.sharing import shared_events
from insureflow.queries.rates import RateBook
from insureflow.services.rates import refuse_missing


def explain_invoice(invoice_id: int, on: date) -> Trace:
    """How an invoice of the organisation in scope comes to be covered as it is at the end of a day.

    First what the ledger holds open, the policy it falls under and the rate of its day, then the rules of cover. Errors:
    ``invoice_unknown``; ``invoice_not_in_account`` if it has not entered by that day; ``rate_missing``.
    """
    row = db.session.execute(
        select(Invoice.buyer_id, Invoice.rate_source, Invoice.number, Entity.code)
        .join(Entity, Entity.id == Invoice.entity_id)
        .where(Invoice.id == invoice_id)
    ).first()
    if row is None:
        raise Refusal("invoice_unknown", invoice=str(invoice_id))
    ledger, accounts = _accounts(row.buyer_id)
    account = next((each for each in accounts if invoice_id in each.invoices), None)
    steps = [_ledger_step(ledger, invoice_id, on)]
    if account is None:
        steps.append(_policy_step(ledger, invoice_id, row.code, None))
        return Trace(tuple(steps))
    invoice = account.invoices[invoice_id]
    steps.append(_policy_step(ledger, invoice_id, row.code, account.policy))
    quote = account.policy.limit_currency
    inputs = (("base", invoice.currency), ("quote", quote), ("invoice_on", invoice.invoice_on), ("source", row.rate_source))
    steps.append(Step("rate", "cover.frozen_rate", inputs, invoice.rate, "invoice.rate", invoice.invoice_on))
    return Trace(tuple(steps)) + cover.explain(account.rules_account(), account.events, str(invoice_id), on)


def explain_account(policy_id: int, buyer_id: int, on: date) -> Trace:
    """How the account of a buyer under a policy stands at the end of a day: decisions, limits in force, use, liability.

    Errors: ``account_unknown``; ``rate_missing``.
    """
    _, accounts = _accounts(buyer_id)
    account = next((each for each in accounts if each.policy.id == policy_id), None)
    if account is None or not account.policy.history:
        raise Refusal("account_unknown", buyer=str(buyer_id), policy=str(policy_id))
    history = cover.replay(account.rules_account(), account.events)
    segment = history.on(on).account
    steps = [_decision_step(decision) for decision in account.decisions if decision.decided_on <= on]
    return Trace((*steps, *_account_steps(segment, account.policy.limit_currency, on)))


def _accounts(buyer_id: int) -> tuple[BuyerLedger, list[PolicyAccount]]:
    ledgers = load_ledgers([buyer_id])
    if not ledgers:
        raise Refusal("buyer_unknown", buyer=str(buyer_id))
    frozen = Frozen()
    accounts = accounts_of(ledgers[0], PolicyBook.load(), RateBook.load(), frozen)
    refuse_missing(frozen.missing)
    for account in accounts:
        account.events += shared_events(*account.key)
    return ledgers[0], accounts


def _ledger_step(ledger: BuyerLedger, invoice_id: int, on: date) -> Step:
    invoice = next(each for each in ledger.invoices if each.id == invoice_id)
    allocations = [each for each in ledger.allocations if each.invoice_id == invoice_id]
    left = 0
    for day, amount in ledger_steps(invoice, allocations):
        if day <= on:
            left = amount
    gross = Money(invoice.net_minor + invoice.vat_minor, invoice.currency)
    settled = Money(sum(each.amount_minor for each in allocations if max(each.allocated_on, invoice.invoice_on) <= on), invoice.currency)
    inputs = (("gross", gross), ("settled", settled), ("invoice_on", invoice.invoice_on))
    return Step("ledger_open", "cover.ledger_open", inputs, Money(left, invoice.currency), "ledger.allocation", on)


def _policy_step(ledger: BuyerLedger, invoice_id: int, entity: str, policy: InsurancePolicy | None) -> Step:
    invoice = next(each for each in ledger.invoices if each.id == invoice_id)
    inputs = (("entity", entity), ("country", ledger.country), ("shipment_on", invoice.shipment_on))
    result = Reason.NO_POLICY.value if policy is None else policy.number
    return Step("policy", "cover.choose_policy", inputs, result, "policy.priority", invoice.shipment_on)


def _decision_step(decision: Decision) -> Step:
    amount = None if decision.decided_minor is None else Money(decision.decided_minor, decision.currency)
    inputs = (
        ("kind", decision.kind.value),
        ("layer", decision.layer.value),
        ("rate", decision.rate),
        ("effective_on", decision.effective_on),
        ("valid_to", decision.valid_to),
        ("status", decision.status.value),
    )
    return Step("limit_decision", "cover.limit_decision", inputs, amount, "limit.decision", decision.decided_on)


def _account_steps(segment: AccountSegment, currency: str, on: date) -> Iterator[Step]:
    for layer, limit, used, headroom in (
        (cover.Layer.PRIMARY, segment.limit_primary, segment.used_primary, segment.headroom_primary),
        (cover.Layer.TOP_UP, segment.limit_top_up, segment.used_top_up, segment.headroom_top_up),
    ):
        if layer is cover.Layer.TOP_UP and not (limit or used):
            continue
        inputs = (("layer", layer.value), ("limit", Money(limit, currency)), ("used", Money(used, currency)))
        yield Step("headroom", "cover.headroom", inputs, Money(headroom, currency), f"limit.{layer.value}", on)
    split = tuple((reason.value, Money(amount, currency)) for reason, amount in segment.reasons)
    inputs_of_split = (("open", Money(segment.open, currency)), *split)
    yield Step("split", "cover.split", inputs_of_split, Money(segment.covered, currency), "cover.reason", on)
    yield Step("stopped", "cover.stopped", (), segment.stopped, "policy.stop_cover", on)
    liability = Money(segment.insurer_liability, currency)
    covered = (("covered", Money(segment.covered, currency)),)
    yield Step("insurer_liability", "cover.insurer_liability", covered, liability, "policy.insured_percentage", on)
    yield Step("unallocated", "cover.unallocated", (), Money(segment.unallocated, currency), "policy.allocation", on)

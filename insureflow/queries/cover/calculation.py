"""What is derived for buyers from their ledgers: positions, states of accounts, exposure and duties, as rows not yet written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from insureflow.domain.cover import History, replay
from insureflow.models.scope import current_organisation_id
from insureflow.queries.cover.accounts import Frozen, PolicyAccount, accounts_of
from insureflow.queries.cover.duties import Duty, OpenInvoice, account_duties
from insureflow.queries.cover.ledgers import BuyerLedger, LedgerAllocation
from insureflow.queries.cover.policies import PolicyBook
from insureflow.queries.cover.positions import Position, positions_of
from insureflow.queries.cover.sharing import AccountKey, SharingBook, TakenSpan, taken_spans
from insureflow.queries.cover.summaries import (
    ExposureSpan,
    StateSpan,
    exposure_spans,
    state_spans,
    top_up_percentages,
    unapplied_changes,
)
from insureflow.queries.rates import RateBook


class StateRow(NamedTuple):
    """A state of an account with its buyer and policy."""

    buyer_id: int
    policy_id: int
    state: StateSpan


class ExposureRow(NamedTuple):
    """An exposure with its buyer and policy."""

    buyer_id: int
    policy_id: int
    exposure: ExposureSpan


class TakenRow(NamedTuple):
    """What the others use of a limit shared with a buyer, with the buyer and the policy."""

    buyer_id: int
    policy_id: int
    span: TakenSpan


@dataclass(slots=True)
class Derived:
    """Everything derived for some buyers."""

    positions: dict[int, list[Position]] = field(default_factory=dict)  # by buyer
    states: list[StateRow] = field(default_factory=list)
    exposures: list[ExposureRow] = field(default_factory=list)
    taken: list[TakenRow] = field(default_factory=list)
    duties: list[Duty] = field(default_factory=list)
    frozen: Frozen = field(default_factory=Frozen)


def calculate(ledgers: Iterable[BuyerLedger], book: PolicyBook, rates: RateBook, on: date, sharing: SharingBook | None = None) -> Derived:
    """Work out the accounts of these buyers; exposure and duties from the day ``on``.

    Buyers that share a limit are worked out together, so all of them must be among the ledgers. Rates that are missing are
    collected in ``frozen.missing``; the account concerned is then not worked out.
    """
    derived = Derived()
    together: list[tuple[BuyerLedger, list[PolicyAccount]]] = []
    for ledger in ledgers:
        missing = len(derived.frozen.missing)
        accounts = accounts_of(ledger, book, rates, derived.frozen)
        if not accounts or len(derived.frozen.missing) > missing:
            continue
        if sharing is not None and sharing.has(ledger.buyer_id):
            together.append((ledger, accounts))
        else:
            _derive_all(ledger, accounts, {}, rates, on, derived)
    if sharing is not None and together:
        histories = sharing.histories(account for _, accounts in together for account in accounts)
        for ledger, accounts in together:
            _derive_all(ledger, accounts, histories, rates, on, derived)
    return derived


def _derive_all(
    ledger: BuyerLedger,
    accounts: Sequence[PolicyAccount],
    histories: Mapping[AccountKey, History],
    rates: RateBook,
    on: date,
    derived: Derived,
) -> None:
    """Add what follows for the accounts of one buyer; those of ``histories`` have been worked out already."""
    by_invoice: dict[int, list[LedgerAllocation]] = {}
    for allocation in ledger.allocations:
        by_invoice.setdefault(allocation.invoice_id, []).append(allocation)
    unapplied = unapplied_changes(ledger)
    for account in accounts:
        if _derive(account, by_invoice, unapplied, histories.get(account.key), rates, on, derived):
            unapplied = {}


def _derive(
    account: PolicyAccount,
    allocations: dict[int, list[LedgerAllocation]],
    unapplied: dict[str, dict[date, int]],
    history: History | None,
    rates: RateBook,
    on: date,
    derived: Derived,
) -> bool:
    """Add what follows for one account; True if there is an account at all, which then takes what is received and not applied."""
    organisation_id = current_organisation_id()
    buyer_id, policy_id = account.key
    policy = account.policy
    limit_currency = policy.limit_currency
    positions: list[Position] = []
    states: list[StateSpan] = []
    if policy.history:
        if history is None:
            history = replay(account.rules_account(), account.events)
        else:
            derived.taken += [TakenRow(buyer_id, policy_id, span) for span in taken_spans(history.account_segments)]
        segments = history.invoice_segments
        keys = (organisation_id, buyer_id, policy_id, limit_currency)
        for invoice in account.invoices.values():
            positions += positions_of(keys, invoice, allocations.get(invoice.id, ()), segments.get(str(invoice.id), ()))
        states = state_spans(history.account_segments, segments, limit_currency)
    derived.states += [StateRow(buyer_id, policy_id, state) for state in states]
    derived.positions.setdefault(buyer_id, []).extend(positions)
    alive = [position for position in positions if position.valid_to > on]
    top_up = top_up_percentages(policy, account.invoices.values())
    spans = exposure_spans(alive, on, limit_currency, unapplied=unapplied if states else {}, top_up=top_up)
    derived.exposures += [ExposureRow(buyer_id, policy_id, span) for span in spans]
    derived.duties += account_duties(
        policy,
        buyer_id,
        account.ledger.country,
        open_invoices(account, alive, on),
        account.decisions,
        account.acts,
        on,
        rates,
        reminders=[reminder for reminder in account.ledger.reminders if reminder.policy_id == policy_id],
    )
    return bool(states)


def open_invoices(account: PolicyAccount, positions: Sequence[Position], on: date) -> list[OpenInvoice]:
    """The invoices with something open on a day by the policy's allocation."""
    found = []
    for position in positions:
        if position.valid_from <= on < position.valid_to and position.open_minor:
            invoice = account.invoices[position.invoice_id]
            found.append(
                OpenInvoice(
                    invoice.id,
                    invoice.invoice_on,
                    invoice.shipment_on,
                    invoice.due_on,
                    position.open_minor,
                    position.primary_minor + position.top_up_minor,
                    position.disputed_minor,
                    position.excluded_reason,
                )
            )
    return found

"""Deciding about entries of bank statements: confirmed, chosen by hand, set aside, taken back. Cover is worked out anew each time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from insureflow.domain.cash_application import Confidence, DecisionKind, EntryState
from insureflow.domain.cover import Purpose
from insureflow.domain.errors import InvalidValue, InvalidValues, Refusal
from insureflow.domain.money import Money
from insureflow.models.bank_statements import BankAccount, BankEntry, BankMatch
from insureflow.models.buyers import Buyer
from insureflow.models.receivables import Invoice
from insureflow.services import cover, journal
from insureflow.services.cash_application.booking import Booked, Settlement, book, lock_invoices, unbook
from insureflow.services.cash_application.proposing import compare
from insureflow.services.clock import now
from insureflow.services.journal import Actor, Subject
from insureflow.services.transaction import transaction

_WAITING = frozenset({EntryState.UNMATCHED, EntryState.PROPOSED})
_PORTION = 2_000


@dataclass(frozen=True, slots=True)
class Choice:
    """What somebody chose: amounts by invoice (in the currency of the entry), and the buyer with whom the rest stays.

    Without invoices, ``buyer_id`` has the whole on account. ``purpose`` says whether the money is for goods paid in advance: the
    terms of a policy may keep such money from reducing older debt.
    """

    amounts: Mapping[int, int] = field(default_factory=dict)
    buyer_id: int | None = None
    purpose: Purpose = Purpose.ORDINARY


def _get(session: Session, entry_id: int) -> tuple[BankEntry, BankAccount]:
    """An entry with its account, locked. Errors: ``bank_entry_unknown``."""
    row = session.execute(
        select(BankEntry, BankAccount)
        .join(BankAccount, BankAccount.id == BankEntry.account_id)
        .where(BankEntry.id == entry_id)
        .with_for_update(of=BankEntry)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise Refusal("bank_entry_unknown")
    return row[0], row[1]


def _waiting(session: Session, entry_id: int) -> tuple[BankEntry, BankAccount]:
    """The same, of an entry that waits. Errors: also ``bank_entry_no_receipt``, ``bank_entry_decided``."""
    entry, account = _get(session, entry_id)
    if entry.state is EntryState.NOT_A_RECEIPT:
        raise Refusal("bank_entry_no_receipt")
    if entry.state not in _WAITING:
        raise Refusal("bank_entry_decided")
    return entry, account


def _subject(entry: BankEntry) -> Subject:
    amount = Money(entry.amount_minor, entry.currency)
    return Subject("bank_entry", entry.id, " / ".join(filter(None, (str(amount), entry.payer_name or entry.payer_account))))


def _decide(
    session: Session, actor: Actor, entry: BankEntry, kind: DecisionKind, booked: Booked, details: dict[str, Any], note: str = ""
) -> None:
    """Keep the decision, and what was known when it was taken."""
    session.add(
        BankMatch(
            entry_id=entry.id,
            kind=kind,
            documents=booked.documents,
            details=journal.plain({**details, "designated": list(entry.designated), "settles": booked.settles}),
            note=note[:1000],
            decided_at=now(),
            decided_by_id=actor.user_id,
        )
    )
    if booked.buyers:
        entry.state, entry.buyer_id = EntryState.MATCHED, booked.buyers[0]
    session.flush()


def _told(entry: BankEntry, booked: Booked, kind: DecisionKind, confidence: str, purpose: Purpose) -> dict[str, Any]:
    return {
        "decision": kind,
        "confidence": confidence,
        "purpose": purpose,
        "payments": len(booked.payments),
        "designated": list(entry.designated),
        "settles": booked.settles,
    }


def _settlements(entry: BankEntry, proposal: Mapping[str, Any], invoices: Mapping[int, Invoice], *, deduct: bool) -> list[Settlement]:
    """A kept proposal as what is to be settled. Errors: ``proposal_outdated`` where an invoice has changed since."""
    found: list[Settlement] = []
    for share in proposal["shares"]:
        invoice = invoices.get(share["invoice_id"])
        takes = share["paid_minor"] + share["deducted_minor"]
        if invoice is None or invoice.currency != share["currency"] or invoice.open_minor < takes:
            raise Refusal("proposal_outdated", invoice=share["number"])
        found.append(Settlement(invoice.id, share["paid_minor"], share["deducted_minor"] if deduct else 0))
    buyers = {invoices[each.invoice_id].buyer_id for each in found}
    if len(buyers) > 1 and any(invoices[each.invoice_id].currency != entry.currency for each in found):
        raise Refusal("choice_several_buyers")
    return found


def confirm(
    actor: Actor,
    organisation_id: int,
    entry_id: int,
    *,
    proposal: int,
    on: date,
    purpose: Purpose = Purpose.ORDINARY,
    deduct: bool = True,
) -> BankEntry:
    """Accept a proposal (by its place, from 0). With ``deduct`` a small deduction is credited, without it stays open.

    Errors: ``bank_entry_unknown``, ``bank_entry_decided``, ``bank_entry_no_receipt``, ``proposal_unknown``, ``proposal_outdated``.
    """
    with transaction(organisation_id) as session:
        entry, account = _waiting(session, entry_id)
        if not 0 <= proposal < len(entry.proposals):
            raise Refusal("proposal_unknown")
        chosen = entry.proposals[proposal]
        booked = _confirm(session, actor, entry, account, chosen, purpose=purpose, deduct=deduct)
        told = _told(entry, booked, DecisionKind.CONFIRMED, chosen["confidence"], purpose)
        journal.record(session, actor, "bank_entry.matched", _subject(entry), after=told)
        cover.refresh_buyers(session, booked.buyers, on)
        return entry


def _confirm(
    session: Session, actor: Actor, entry: BankEntry, account: BankAccount, chosen: Mapping[str, Any], *, purpose: Purpose, deduct: bool
) -> Booked:
    invoices = lock_invoices(session, [share["invoice_id"] for share in chosen["shares"]])
    settlements = _settlements(entry, chosen, invoices, deduct=deduct)
    if not settlements and session.get(Buyer, chosen["buyer_id"]) is None:
        raise Refusal("proposal_unknown")
    booked = book(session, entry, account.entity_id, settlements, invoices, buyer_id=chosen["buyer_id"], purpose=purpose)
    details = {"confidence": chosen["confidence"], "reasons": chosen["reasons"], "deduction": chosen["deduction"], "purpose": purpose}
    _decide(session, actor, entry, DecisionKind.CONFIRMED, booked, details)
    return booked


def confirm_certain(actor: Actor, organisation_id: int, *, on: date, entity_id: int | None = None) -> dict[str, int]:
    """Accept the best proposal of every entry of which it is certain; gives how many were matched and how many had changed.

    What has changed since it was proposed is compared again and waits. One journal entry for all.
    """
    with transaction(organisation_id) as session:
        statement = (
            select(BankEntry, BankAccount)
            .join(BankAccount, BankAccount.id == BankEntry.account_id)
            .where(BankEntry.state == EntryState.PROPOSED, BankEntry.confidence == Confidence.CERTAIN)
            .order_by(BankEntry.booked_on, BankEntry.id)
            .with_for_update(of=BankEntry)
        )
        if entity_id is not None:
            statement = statement.where(BankAccount.entity_id == entity_id)
        matched: list[int] = []
        buyers: set[int] = set()
        outdated: dict[int, list[BankEntry]] = {}
        for entry, account in session.execute(statement).all():
            try:
                booked = _confirm(session, actor, entry, account, entry.proposals[0], purpose=Purpose.ORDINARY, deduct=True)
            except Refusal:
                outdated.setdefault(account.entity_id, []).append(entry)
                continue
            matched.append(entry.id)
            buyers.update(booked.buyers)
        for owner, entries in outdated.items():
            compare(session, owner, entries)
        counts = {"matched": len(matched), "changed": sum(map(len, outdated.values()))}
        if matched:
            after = {"counts": counts, "entries": matched[:_PORTION]}
            journal.record(session, actor, "bank_entry.matched_many", Subject("bank_entry", None, ""), after=after)
            cover.refresh_buyers(session, sorted(buyers), on)
        return counts


def choose(actor: Actor, organisation_id: int, entry_id: int, choice: Choice, *, on: date) -> BankEntry:
    """Match an entry by hand.

    Errors: ``bank_entry_unknown``, ``bank_entry_decided``, ``bank_entry_no_receipt``; ``InvalidValues`` with ``choice_empty``,
    ``choice_not_open``, ``choice_not_positive``, ``choice_other_currency``, ``choice_other_entity``, ``choice_above_payment``,
    ``choice_several_buyers``.
    """
    with transaction(organisation_id) as session:
        entry, account = _waiting(session, entry_id)
        invoices = lock_invoices(session, choice.amounts)
        problems = _problems(session, entry, account, choice, invoices)
        if problems:
            raise InvalidValues(tuple(problems))
        settlements = [Settlement(key, amount) for key, amount in choice.amounts.items()]
        buyer_id = choice.buyer_id or next(iter(invoices.values())).buyer_id
        booked = book(session, entry, account.entity_id, settlements, invoices, buyer_id=buyer_id, purpose=choice.purpose)
        _decide(session, actor, entry, DecisionKind.CHOSEN, booked, {"purpose": choice.purpose})
        told = _told(entry, booked, DecisionKind.CHOSEN, Confidence.NONE.value, choice.purpose)
        journal.record(session, actor, "bank_entry.matched", _subject(entry), after=told)
        cover.refresh_buyers(session, booked.buyers, on)
        return entry


def _problems(
    session: Session, entry: BankEntry, account: BankAccount, choice: Choice, invoices: Mapping[int, Invoice]
) -> list[InvalidValue]:
    """Everything that is wrong with a choice."""
    if not choice.amounts:
        known = choice.buyer_id is not None and session.get(Buyer, choice.buyer_id) is not None
        return [] if known else [InvalidValue("choice_empty", "buyer")]
    problems: list[InvalidValue] = []
    for key, amount in choice.amounts.items():
        path, invoice = f"amount-{key}", invoices.get(key)
        if invoice is None:
            problems.append(InvalidValue("receivable_unknown", path))
        elif invoice.entity_id != account.entity_id:
            problems.append(InvalidValue("choice_other_entity", path, None, invoice=invoice.number))
        elif invoice.currency != entry.currency:
            problems.append(InvalidValue("choice_other_currency", path, None, invoice=invoice.number, currency=entry.currency))
        elif amount <= 0:
            problems.append(InvalidValue("choice_not_positive", path, None, invoice=invoice.number))
        elif amount > invoice.open_minor:
            still = Money(invoice.open_minor, invoice.currency)
            problems.append(InvalidValue("choice_not_open", path, None, invoice=invoice.number, open=still))
    chosen = sum(choice.amounts.values())
    buyers = {invoice.buyer_id for invoice in invoices.values()}
    if chosen > entry.amount_minor:
        paid = Money(entry.amount_minor, entry.currency)
        problems.append(InvalidValue("choice_above_payment", "amounts", None, chosen=Money(chosen, entry.currency), paid=paid))
    elif chosen < entry.amount_minor and (len(buyers) > 1 or (choice.buyer_id is not None and buyers != {choice.buyer_id})):
        problems.append(InvalidValue("choice_several_buyers", "amounts"))
    return problems


def set_aside(actor: Actor, organisation_id: int, entry_id: int, *, note: str) -> BankEntry:
    """Say that an entry is no payment of a buyer; it stays in the list, and can be taken up again.

    Errors: ``bank_entry_unknown``, ``bank_entry_decided``, ``bank_entry_no_receipt``.
    """
    with transaction(organisation_id) as session:
        entry, _account = _waiting(session, entry_id)
        _decide(session, actor, entry, DecisionKind.SET_ASIDE, Booked(), {}, note.strip())
        entry.state, entry.buyer_id = EntryState.SET_ASIDE, None
        journal.record(session, actor, "bank_entry.set_aside", _subject(entry), after={"note": note.strip()[:1000]})
        return entry


def _standing(session: Session, entry: BankEntry) -> BankMatch:
    """The decision that stands. Errors: ``bank_entry_not_decided``."""
    statement = select(BankMatch).where(BankMatch.entry_id == entry.id, BankMatch.undone_at.is_(None)).order_by(BankMatch.id.desc())
    match = session.scalars(statement).first()
    if match is None:
        raise Refusal("bank_entry_not_decided")
    return match


def _undo(session: Session, actor: Actor, entry: BankEntry, match: BankMatch) -> list[int]:
    buyers = unbook(session, entry, match.documents)
    match.undone_at, match.undone_by_id = now(), actor.user_id
    entry.state, entry.buyer_id = EntryState.UNMATCHED, None
    session.flush()
    return buyers


def undo(actor: Actor, organisation_id: int, entry_id: int, *, on: date) -> BankEntry:
    """Take a decision back: what it booked leaves the ledger, and the entry waits again, compared with what is open now.

    Errors: ``bank_entry_unknown``, ``bank_entry_not_decided``, ``undo_above_invoice``.
    """
    with transaction(organisation_id) as session:
        entry, account = _get(session, entry_id)
        match = _standing(session, entry)
        buyers: Sequence[int]
        if match.kind is DecisionKind.REVERSED:
            raise Refusal("bank_entry_no_receipt")
        buyers = _undo(session, actor, entry, match)
        compare(session, account.entity_id, [entry])
        before = {"decision": match.kind, "settles": match.details.get("settles", [])}
        journal.record(session, actor, "bank_entry.undone", _subject(entry), before=before, after={"state": entry.state})
        if buyers:
            cover.refresh_buyers(session, buyers, on)
        return entry


def take_back(actor: Actor, organisation_id: int, reversal_id: int, *, on: date) -> BankEntry:
    """Accept that the bank took a receipt back: its match leaves the ledger, and the receipt is set aside; gives the receipt.

    Errors: ``bank_entry_unknown``, ``bank_entry_no_receipt``, ``bank_entry_decided``, ``reversed_entry_unknown``, ``undo_above_invoice``.
    """
    with transaction(organisation_id) as session:
        reversal, _account = _get(session, reversal_id)
        if reversal.is_credit or not reversal.is_reversal:
            raise Refusal("bank_entry_no_receipt")
        if reversal.state is EntryState.MATCHED:
            raise Refusal("bank_entry_decided")
        if reversal.reverses_id is None:
            raise Refusal("reversed_entry_unknown")
        entry, _same = _get(session, reversal.reverses_id)
        buyers: list[int] = []
        if entry.state is EntryState.MATCHED:
            buyers = _undo(session, actor, entry, _standing(session, entry))
        _decide(session, actor, entry, DecisionKind.REVERSED, Booked(), {"reversal": reversal.id})
        _decide(session, actor, reversal, DecisionKind.REVERSED, Booked(), {"reverses": entry.id})
        entry.state, entry.buyer_id, reversal.state = EntryState.SET_ASIDE, None, EntryState.MATCHED
        journal.record(session, actor, "bank_entry.reversed", _subject(entry), after={"entry": reversal.id, "state": entry.state})
        if buyers:
            cover.refresh_buyers(session, buyers, on)
        return entry

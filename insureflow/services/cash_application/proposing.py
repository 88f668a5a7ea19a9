"""Comparing payments with what is open: the book of an entity read once, every payment matched against it, proposals kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from insureflow.domain.buyers import BuyerStatus
from insureflow.domain.cash_application import (
    Confidence,
    EntryState,
    IncomingPayment,
    KnownBuyer,
    MatchResult,
    OpenBook,
    OpenItem,
    Proposal,
    Tolerance,
    match_payment,
)
from insureflow.domain.errors import Refusal
from insureflow.domain.money import Money
from insureflow.models.bank_statements import BankAccount, BankEntry, CashTolerance, PayerAccount
from insureflow.models.buyers import Buyer, BuyerName
from insureflow.models.database import db
from insureflow.models.receivables import Invoice
from insureflow.services import journal
from insureflow.services.journal import Actor, Subject
from insureflow.services.transaction import transaction

_PORTION = 5_000
#: So many words of all texts are looked up among settled invoices.
_MOST_WORDS = 50_000
_WAITING = (EntryState.UNMATCHED, EntryState.PROPOSED)


def propose(actor: Actor, organisation_id: int, *, entity_id: int | None = None) -> dict[str, int]:
    """Compare everything that waits for a match with what is open now; gives the number of payments by confidence.

    ``entity_id`` None: of all entities. One journal entry, if anything changed.
    """
    found: dict[str, int] = {confidence.value: 0 for confidence in Confidence}
    with transaction(organisation_id) as session:
        changed = 0
        for owner, entries in _waiting(session, entity_id).items():
            changed += compare(session, owner, entries)
            for entry in entries:
                found[entry.confidence.value] += 1
        if changed:
            journal.record(
                session, actor, "bank_entry.proposed", Subject("bank_entry", None, ""), after={"counts": {**found, "changed": changed}}
            )
    return found


def _waiting(session: Session, entity_id: int | None) -> dict[int, list[BankEntry]]:
    statement = (
        select(BankEntry, BankAccount.entity_id)
        .join(BankAccount, BankAccount.id == BankEntry.account_id)
        .where(BankEntry.state.in_(_WAITING))
        .order_by(BankAccount.entity_id, BankEntry.id)
        .with_for_update(of=BankEntry)
    )
    if entity_id is not None:
        statement = statement.where(BankAccount.entity_id == entity_id)
    found: dict[int, list[BankEntry]] = {}
    for entry, owner in session.execute(statement):
        found.setdefault(owner, []).append(entry)
    return found


def compare(session: Session, entity_id: int, entries: Sequence[BankEntry]) -> int:
    """Match entries against the book of their entity and keep the proposals; gives how many entries changed."""
    if not entries:
        return 0
    book = open_book(session, entity_id, entries)
    changed = 0
    for entry in entries:
        result = match_payment(payment_of(entry), book)
        proposals = [_kept(proposal) for proposal in result.proposals]
        state = EntryState.PROPOSED if proposals else EntryState.UNMATCHED
        if (entry.proposals or [], entry.state, list(entry.designated or [])) == (proposals, state, list(result.designated)):
            continue
        changed += 1
        entry.proposals, entry.state, entry.confidence = proposals, state, result.confidence
        entry.designated = list(result.designated)
        entry.buyer_id = result.proposals[0].buyer_id if result.proposals else None
    session.flush()
    return changed


def explain(entry_id: int) -> MatchResult:
    """What an entry may be for as things stand now, with the steps that lead there. Errors: ``bank_entry_unknown``."""
    session = db.session()
    row = session.execute(
        select(BankEntry, BankAccount.entity_id).join(BankAccount, BankAccount.id == BankEntry.account_id).where(BankEntry.id == entry_id)
    ).one_or_none()
    if row is None:
        raise Refusal("bank_entry_unknown")
    return match_payment(payment_of(row[0]), open_book(session, row[1], [row[0]]))


def payment_of(entry: BankEntry) -> IncomingPayment:
    """A stored entry as money that came in."""
    instructed = None if entry.instructed_minor is None else Money(entry.instructed_minor, entry.instructed_currency or entry.currency)
    return IncomingPayment(
        amount_minor=entry.amount_minor,
        currency=entry.currency,
        received_on=received_on(entry),
        references=tuple(entry.references),
        text=entry.text,
        end_to_end_id=entry.end_to_end_id,
        payer_name=entry.payer_name,
        payer_account=entry.payer_account,
        instructed=instructed,
        charges_minor=entry.charges_minor,
    )


def received_on(entry: BankEntry) -> date:
    """The day on which the money was there: that of the booking."""
    on = entry.booked_on or entry.value_on
    if on is None:
        raise Refusal("bank_entry_no_receipt")
    return on


def open_book(session: Session, entity_id: int, entries: Iterable[BankEntry]) -> OpenBook:
    """Everything of an entity that these entries are compared with."""
    items = {item.id: item for item in _items(session, _invoices().where(Invoice.entity_id == entity_id, Invoice.open_minor > 0))}
    for portion in _portions(_words(entries)):
        named = _invoices().where(Invoice.entity_id == entity_id, or_(Invoice.number.in_(portion), Invoice.reference.in_(portion)))
        items.update((item.id, item) for item in _items(session, named))
    accounts: dict[str, set[int]] = {}
    numbers = sorted({entry.payer_account for entry in entries if entry.payer_account})
    for portion in _portions(numbers):
        for number, buyer_id in session.execute(select(PayerAccount.number, PayerAccount.buyer_id).where(PayerAccount.number.in_(portion))):
            accounts.setdefault(number, set()).add(buyer_id)
    tolerances = {
        each.currency: Tolerance(each.charges_minor, each.discount_percent, each.discount_days)
        for each in session.scalars(select(CashTolerance))
    }
    return OpenBook(items.values(), _buyers(session), accounts, tolerances)


def _invoices() -> Select[int, str, str, int, str, int, int, date, date]:
    return select(
        Invoice.id,
        Invoice.number,
        Invoice.reference,
        Invoice.buyer_id,
        Invoice.currency,
        Invoice.open_minor,
        Invoice.net_minor + Invoice.vat_minor,
        Invoice.invoice_on,
        Invoice.due_on,
    )


def _items(session: Session, statement: Select[int, str, str, int, str, int, int, date, date]) -> Iterable[OpenItem]:
    return (OpenItem(*row) for row in session.execute(statement))


def _buyers(session: Session) -> list[KnownBuyer]:
    """Every buyer that is not archived, with all its names."""
    names: dict[int, list[str]] = {}
    living = Buyer.status != BuyerStatus.ARCHIVED
    for buyer_id, name in session.execute(select(Buyer.id, Buyer.legal_name).where(living).order_by(Buyer.id)):
        names[buyer_id] = [name]
    others = select(BuyerName.buyer_id, BuyerName.name).join(Buyer, Buyer.id == BuyerName.buyer_id).where(living)
    for buyer_id, name in session.execute(others):
        names[buyer_id].append(name)
    return [KnownBuyer(buyer_id, tuple(known)) for buyer_id, known in names.items()]


def _words(entries: Iterable[BankEntry]) -> list[str]:
    """The words of all texts and references as they were written: settled invoices are recognised by these."""
    words: dict[str, None] = {}
    for entry in entries:
        for word in (*entry.references, entry.end_to_end_id, *entry.text.split()):
            bare = word.strip(".,;:()[]\"'")
            if bare and any(character.isdecimal() for character in bare) and len(bare) <= 80:
                words[bare] = None
        if len(words) > _MOST_WORDS:
            break
    return list(words)[:_MOST_WORDS]


def _portions(values: Sequence[str]) -> Iterable[Sequence[str]]:
    for start in range(0, len(values), _PORTION):
        yield values[start : start + _PORTION]


def _kept(proposal: Proposal) -> dict[str, Any]:
    """A proposal as it is stored: keys and amounts, without the steps, which are worked out anew when somebody asks."""
    return {
        "confidence": proposal.confidence.value,
        "reasons": [reason.value for reason in proposal.reasons],
        "buyer_id": proposal.buyer_id,
        "unapplied_minor": proposal.unapplied_minor,
        "deduction": proposal.deduction.value if proposal.deduction else None,
        "shares": [
            {
                "invoice_id": share.item.id,
                "number": share.item.number,
                "currency": share.item.currency,
                "paid_minor": share.paid_minor,
                "deducted_minor": share.deducted_minor,
            }
            for share in proposal.shares
        ],
    }

"""What a letter says: the sender's letterhead, the buyer's address, the invoices, and how to pay."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from insureflow.documents.items import ItemKind, OpenItem
from insureflow.documents.letters import InterestTerms, ReminderLetter, ReminderLevel, html_reminder
from insureflow.documents.parties import Address, Party
from insureflow.domain.buyers import AddressKind
from insureflow.domain.dunning import DunningLevel, DunningRules, LetterChannel, LetterState, rank_of
from insureflow.domain.errors import Refusal
from insureflow.domain.money import Money
from insureflow.i18n.languages import letter_language
from insureflow.models.buyers import Buyer
from insureflow.models.documents import BuyerContact
from insureflow.models.dunning import DunningLetter, DunningLetterInvoice
from insureflow.models.receivables import CreditNote, Invoice, Payment
from insureflow.services.dunning.rules import rules_for_buyer
from insureflow.services.stationery import stationery_of
from insureflow.services.transaction import transaction

_LEVELS = {
    DunningLevel.BEFORE_DUE: ReminderLevel.BEFORE_DUE,
    DunningLevel.REMINDER_1: ReminderLevel.FIRST,
    DunningLevel.REMINDER_2: ReminderLevel.SECOND,
    DunningLevel.REMINDER_3: ReminderLevel.THIRD,
    DunningLevel.FINAL_DEMAND: ReminderLevel.FINAL,
}
_ADDRESSES = (AddressKind.INVOICE, AddressKind.REGISTERED)


def reachable(contacts: Sequence[BuyerContact]) -> list[BuyerContact]:
    """The people to whom mail can go: they get letters and their address has not come back."""
    return [contact for contact in contacts if contact.gets_letters and contact.email and contact.bounced_at is None]


def choose_channel(rules: DunningRules, contacts: Sequence[BuyerContact]) -> LetterChannel:
    """How a letter goes: by the rule, and by post where nobody can be reached by mail."""
    return LetterChannel.EMAIL if rules.channel is LetterChannel.EMAIL and reachable(contacts) else LetterChannel.POST


def choose_language(buyer: Buyer, contacts: Sequence[BuyerContact], organisation_locale: str) -> str:
    """The language of a letter: of the first person it goes to, of the buyer, its country, the organisation."""
    first = next(iter(reachable(contacts) or contacts), None)
    return letter_language(
        contact=first.language if first else None, buyer=buyer.language, country=buyer.country, organisation=organisation_locale
    )


def buyer_party(buyer: Buyer) -> Party:
    """The buyer as a paper addresses it. What an insurer knows about it has no place in there."""
    by_kind = {each.kind: each for each in reversed(buyer.addresses)}
    place = next((by_kind[kind] for kind in _ADDRESSES if kind in by_kind), next(iter(buyer.addresses), None))
    address = Address(country=buyer.country)
    if place is not None:
        address = Address(
            street=tuple(line for line in place.street.splitlines() if line.strip()),
            postal_code=place.postal_code,
            city=place.city,
            region=place.region,
            country=place.country,
        )
    return Party(name=buyer.legal_name, address=address)


def get_buyer(session: Session, buyer_id: int) -> Buyer:
    """A buyer with what a letter needs. Errors: ``buyer_unknown``."""
    buyer = session.scalar(select(Buyer).where(Buyer.id == buyer_id).options(selectinload(Buyer.addresses), selectinload(Buyer.accounts)))
    if buyer is None:
        raise Refusal("buyer_unknown", buyer=str(buyer_id))
    return buyer


def customer_number(buyer: Buyer, entity_id: int) -> str:
    """The number under which an entity's ledger knows a buyer; empty where there is none."""
    return next((account.number for account in buyer.accounts if account.entity_id == entity_id), "")


def credits_of(session: Session, entity_id: int, buyer_id: int, currency: str) -> list[OpenItem]:
    """Credit notes and payments that settle no invoice yet, as items that lower what is asked for."""
    found: list[OpenItem] = []
    notes = select(CreditNote).where(
        CreditNote.entity_id == entity_id, CreditNote.buyer_id == buyer_id, CreditNote.currency == currency, CreditNote.unapplied_minor > 0
    )
    for note in session.scalars(notes.order_by(CreditNote.issued_on, CreditNote.number)):
        gross, left = Money(-note.net_minor - note.vat_minor, currency), Money(-note.unapplied_minor, currency)
        found.append(
            OpenItem(
                number=note.number, issued_on=note.issued_on, due_on=note.issued_on, amount=gross, open=left, kind=ItemKind.CREDIT_NOTE
            )
        )
    payments = select(Payment).where(
        Payment.entity_id == entity_id, Payment.buyer_id == buyer_id, Payment.currency == currency, Payment.unapplied_minor > 0
    )
    for payment in session.scalars(payments.order_by(Payment.received_on, Payment.number)):
        whole, left = Money(-payment.amount_minor, currency), Money(-payment.unapplied_minor, currency)
        day = payment.received_on
        found.append(OpenItem(number=payment.number, issued_on=day, due_on=day, amount=whole, open=left, kind=ItemKind.PAYMENT))
    return found


def compose(session: Session, letter: DunningLetter, on: date, *, number: str) -> ReminderLetter:
    """A letter as it would be written on a day. Errors: ``document_without_items``, ``document_totals_differ``."""
    buyer = get_buyer(session, letter.buyer_id)
    rules, _source = rules_for_buyer(buyer, letter.as_of)
    writer = stationery_of(session, letter.entity_id)
    rows: list[tuple[DunningLetterInvoice, Invoice | None]] = [
        (row[0], row[1])
        for row in session.execute(
            select(DunningLetterInvoice, Invoice)
            .outerjoin(Invoice, Invoice.id == DunningLetterInvoice.invoice_id)
            .where(DunningLetterInvoice.letter_id == letter.id)
            .order_by(DunningLetterInvoice.due_on, DunningLetterInvoice.number)
        )
    ]
    currency = letter.currency
    asks_interest = rules.interest is not None and rank_of(letter.level) >= rank_of(rules.interest.from_level)
    items = [
        OpenItem(
            number=row.number,
            issued_on=invoice.invoice_on if invoice else row.due_on,
            due_on=row.due_on,
            amount=Money(invoice.net_minor + invoice.vat_minor if invoice else row.open_minor, currency),
            open=Money(row.open_minor, currency),
            interest=Money(row.interest_minor, currency) if asks_interest else None,
            buyer_reference=invoice.reference if invoice else "",
        )
        for row, invoice in rows
    ]
    items += credits_of(session, letter.entity_id, letter.buyer_id, currency)
    return ReminderLetter(
        number=number,
        issued_on=on,
        level=_LEVELS[letter.level],
        sender=writer.party(),
        buyer=buyer_party(buyer),
        items=tuple(items),
        pay_by=on + timedelta(days=rules.pay_within_days),
        accounts=writer.accounts(currency),
        payment_reference=customer_number(buyer, letter.entity_id),
        interest=InterestTerms(annual_rate=rules.interest.annual_rate, basis=rules.interest.basis)
        if asks_interest and rules.interest is not None
        else None,
        fees=_compensation(rules, letter.level, currency, len(rows)),
        earlier_on=_earlier(session, letter) if letter.level is not DunningLevel.BEFORE_DUE else (),
        stated_totals=(Money(letter.total_minor, currency),),
    )


def _compensation(rules: DunningRules, level: DunningLevel, currency: str, invoices: int) -> tuple[Money, ...]:
    """The fixed amount for the costs of recovery, once for each invoice listed."""
    rule = rules.compensation
    if rule is None or rank_of(level) < rank_of(rule.from_level) or not rule.amounts.get(currency):
        return ()
    return (Money(rule.amounts[currency] * invoices, currency),)


def _earlier(session: Session, letter: DunningLetter) -> tuple[date, ...]:
    """The days of the letters that listed any of these invoices before."""
    numbers = select(DunningLetterInvoice.number).where(DunningLetterInvoice.letter_id == letter.id)
    days = session.scalars(
        select(DunningLetter.sent_on)
        .join(DunningLetterInvoice, DunningLetterInvoice.letter_id == DunningLetter.id)
        .where(
            DunningLetter.buyer_id == letter.buyer_id,
            DunningLetter.entity_id == letter.entity_id,
            DunningLetter.state == LetterState.SENT,
            DunningLetter.sent_on.is_not(None),
            DunningLetter.id != letter.id,
            DunningLetterInvoice.number.in_(numbers),
        )
    ).all()
    return tuple(sorted({day for day in days if day is not None}))


def preview(organisation_id: int, letter_id: int, on: date) -> str:
    """A letter as an accessible page, as it would be written today; nothing is changed. Errors: ``letter_unknown``."""
    with transaction(organisation_id) as session:
        letter = session.scalar(select(DunningLetter).where(DunningLetter.id == letter_id))
        if letter is None:
            raise Refusal("letter_unknown", letter=str(letter_id))
        return html_reminder(compose(session, letter, on, number="–"), letter.language)

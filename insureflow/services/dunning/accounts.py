"""Statements of account on demand: seen beforehand, issued, and sent by mail where somebody can be reached."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from insureflow.documents.items import ItemKind, OpenItem, totals_of
from insureflow.documents.mail_text import MailText
from insureflow.documents.statements import StatementOfAccount, build_statement, html_statement, text_statement
from insureflow.domain.errors import Refusal
from insureflow.domain.issued_documents import DocumentKind
from insureflow.domain.money import Money
from insureflow.models.buyers import Buyer
from insureflow.models.documents import BuyerContact, IssuedDocument
from insureflow.models.messages import Message
from insureflow.models.organisations import Organisation
from insureflow.models.receivables import CreditNote, Dispute, Invoice, Payment
from insureflow.models.scope import current_organisation_id
from insureflow.services import issued_documents, journal, messages
from insureflow.services.dunning.composing import (
    buyer_party,
    choose_language,
    credits_of,
    customer_number,
    get_buyer,
    reachable,
)
from insureflow.services.journal import Actor, Subject
from insureflow.services.stationery import Stationery, stationery_of
from insureflow.services.transaction import transaction


def _items(session: Session, buyer_id: int, entity_id: int, on: date) -> list[OpenItem]:
    """What is open of an entity's account of a buyer: invoices by their original due dates, then credits."""
    disputed = set(
        session.scalars(
            select(Dispute.invoice_id)
            .join(Invoice, Invoice.id == Dispute.invoice_id)
            .where(Invoice.buyer_id == buyer_id, Dispute.opened_on <= on, Dispute.resolved_on.is_(None))
        )
    )
    invoices = session.scalars(
        select(Invoice)
        .where(Invoice.buyer_id == buyer_id, Invoice.entity_id == entity_id, Invoice.open_minor > 0, Invoice.invoice_on <= on)
        .order_by(Invoice.currency, Invoice.original_due_on, Invoice.number)
    ).all()
    items = [
        OpenItem(
            number=invoice.number,
            issued_on=invoice.invoice_on,
            due_on=invoice.original_due_on,
            amount=Money(invoice.net_minor + invoice.vat_minor, invoice.currency),
            open=Money(invoice.open_minor, invoice.currency),
            kind=ItemKind.INVOICE,
            is_disputed=invoice.id in disputed,
            buyer_reference=invoice.reference,
        )
        for invoice in invoices
    ]
    currencies = sorted({invoice.currency for invoice in invoices} | _currencies_of_credits(session, buyer_id, entity_id))
    return [*items, *(item for currency in currencies for item in credits_of(session, entity_id, buyer_id, currency))]


def _currencies_of_credits(session: Session, buyer_id: int, entity_id: int) -> set[str]:
    """The currencies in which a buyer has money or credit that settles nothing yet, open invoices or not."""
    found: set[str] = set()
    for model in (Payment, CreditNote):
        held = select(model.currency).where(model.entity_id == entity_id, model.buyer_id == buyer_id, model.unapplied_minor > 0)
        found |= set(session.scalars(held.distinct()))
    return found


def _statement(session: Session, buyer: Buyer, writer: Stationery, on: date, number: str) -> StatementOfAccount:
    items = _items(session, buyer.id, writer.entity.id, on)
    if not items:
        raise Refusal("statement_empty", entity=writer.entity.name)
    closing = totals_of(item.open for item in items)
    return StatementOfAccount(
        number=number,
        issued_on=on,
        as_of=on,
        sender=writer.party(),
        buyer=buyer_party(buyer),
        items=tuple(items),
        closing=closing,
        accounts=writer.accounts(closing[0].currency),
        payment_reference=customer_number(buyer, writer.entity.id),
    )


def people_of(session: Session, buyer_id: int) -> list[BuyerContact]:
    """The people at a buyer who get letters."""
    statement = select(BuyerContact).where(BuyerContact.buyer_id == buyer_id, BuyerContact.gets_letters.is_(True))
    return list(session.scalars(statement.order_by(BuyerContact.id)))


def language_of(session: Session, buyer: Buyer) -> str:
    """The language of a paper on a buyer's account."""
    locale = session.scalars(select(Organisation.locale).where(Organisation.id == current_organisation_id())).one()
    return choose_language(buyer, people_of(session, buyer.id), locale)


def statement_of(organisation_id: int, buyer_id: int, entity_id: int, on: date) -> StatementOfAccount:
    """The account as a statement of the day would give it; nothing is issued. Errors: ``buyer_unknown``, ``statement_empty``."""
    with transaction(organisation_id) as session:
        return _statement(session, get_buyer(session, buyer_id), stationery_of(session, entity_id), on, "–")


def preview_statement(organisation_id: int, buyer_id: int, entity_id: int, on: date) -> str:
    """The statement as an accessible page; nothing is issued. Errors: ``buyer_unknown``, ``statement_empty``."""
    with transaction(organisation_id) as session:
        buyer = get_buyer(session, buyer_id)
        return html_statement(_statement(session, buyer, stationery_of(session, entity_id), on, "–"), language_of(session, buyer))


def send_statement(
    actor: Actor, organisation_id: int, buyer_id: int, entity_id: int, on: date, *, by_mail: bool
) -> tuple[IssuedDocument, Message | None]:
    """Issue a statement of account, and queue it by mail where asked.

    Errors: ``buyer_unknown``, ``statement_empty``, ``message_without_recipient``.
    """

    def write(session: Session, buyer: Buyer, writer: Stationery, number: str, language: str) -> AccountPaper:
        paper = _statement(session, buyer, writer, on, number)
        return AccountPaper(
            content=build_statement(paper, language),
            text=text_statement(paper, language),
            facts={"as_of": on, "closing": list(paper.closing), "items": len(paper.items)},
        )

    return issue_account_paper(
        actor,
        organisation_id,
        buyer_id,
        entity_id,
        on,
        kind=DocumentKind.STATEMENT,
        action="statement.issued",
        write=write,
        by_mail=by_mail,
    )


@dataclass(frozen=True, slots=True)
class AccountPaper:
    """A paper on a buyer's account, written but not issued: its bytes, its text as a mail, what is frozen with it, what the journal adds."""

    content: bytes
    text: MailText
    facts: dict[str, Any]
    noted: dict[str, Any] = field(default_factory=dict)


def issue_account_paper(
    actor: Actor,
    organisation_id: int,
    buyer_id: int,
    entity_id: int,
    on: date,
    *,
    kind: DocumentKind,
    action: str,
    write: Callable[[Session, Buyer, Stationery, str, str], AccountPaper],
    by_mail: bool,
) -> tuple[IssuedDocument, Message | None]:
    """Issue what ``write`` makes for its number and language, and queue it by mail where asked.

    Whoever has a number holds the organisation, so what ``write`` reads no other paper can claim meanwhile.
    Errors: ``buyer_unknown``, ``message_without_recipient``, those of ``write``.
    """
    with transaction(organisation_id) as session:
        buyer, writer = get_buyer(session, buyer_id), stationery_of(session, entity_id)
        language = language_of(session, buyer)
        number = issued_documents.reserve_numbers(session, on.year)[0]
        paper = write(session, buyer, writer, number, language)
        document = issued_documents.issue(
            session, actor, kind=kind, language=language, dated_on=on, facts=paper.facts, name=f"{number}.pdf",
            content=paper.content, entity_id=entity_id, buyer_id=buyer_id, number=number,
        )  # fmt: skip
        message = None
        if by_mail:
            message = messages.queue(
                session,
                actor,
                cause=f"{kind.value}:{number}",
                kind=kind.value,
                recipients=[contact.email for contact in reachable(people_of(session, buyer_id))],
                language=language,
                subject=paper.text.subject[: messages.LONGEST_SUBJECT],
                body=paper.text.body[: messages.LONGEST_BODY],
                documents=[document.id],
                buyer_id=buyer_id,
                reply_to=writer.head.email if writer.head else "",
            )
        after = {"document": number, "sha256": document.sha256, **paper.noted, "by_mail": by_mail}
        journal.record(session, actor, action, Subject("buyer", buyer.id, buyer.legal_name), after=after)
        return document, message

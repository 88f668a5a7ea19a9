"""Notices of interest: what an entity claims of a buyer for paying late, seen beforehand, issued, and sent by mail where asked."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from sqlalchemy.orm import Session

from insureflow.documents.items import totals_of
from insureflow.documents.letters import (
    InterestLine,
    InterestNotice,
    build_interest_notice,
    html_interest_notice,
    text_interest_notice,
)
from insureflow.domain.dunning import calculate_spans
from insureflow.domain.errors import Refusal
from insureflow.domain.issued_documents import DocumentKind
from insureflow.domain.money import Money
from insureflow.models.buyers import Buyer
from insureflow.models.documents import IssuedDocument
from insureflow.models.messages import Message
from insureflow.queries import dunning as queries
from insureflow.services.dunning.accounts import AccountPaper, issue_account_paper, language_of
from insureflow.services.dunning.composing import buyer_party, customer_number, get_buyer
from insureflow.services.dunning.rules import rules_for_buyer
from insureflow.services.journal import Actor
from insureflow.services.stationery import Stationery, stationery_of
from insureflow.services.transaction import transaction


def _notice(session: Session, buyer: Buyer, writer: Stationery, on: date, number: str) -> InterestNotice:
    rules, _source = rules_for_buyer(buyer, on)
    rule = rules.interest
    if rule is None:
        raise Refusal("interest_rate_missing", buyer=buyer.legal_name)
    session.flush()
    claimed = queries.claimed_until(buyer.id, writer.entity.id)
    lines = tuple(
        InterestLine(
            number=invoice.number,
            due_on=invoice.due_on,
            principal=Money(span.principal_minor, invoice.currency),
            from_on=span.from_on,
            until_on=span.until_on,
            annual_rate=rule.annual_rate,
            interest=Money(span.interest_minor, invoice.currency),
        )
        for invoice in queries.late_invoices(buyer.id, writer.entity.id, on)
        for span in calculate_spans(invoice, until_on=on, rule=rule, claimed_until_on=claimed.get(invoice.number))
    )
    if not lines:
        raise Refusal("interest_nothing_owed", entity=writer.entity.name)
    totals = totals_of(line.interest for line in lines)
    return InterestNotice(
        number=number,
        issued_on=on,
        sender=writer.party(),
        buyer=buyer_party(buyer),
        lines=lines,
        totals=totals,
        pay_by=on + timedelta(days=rules.pay_within_days),
        accounts=writer.accounts(totals[0].currency),
        payment_reference=customer_number(buyer, writer.entity.id),
        basis=rule.basis,
    )


def _facts(paper: InterestNotice) -> dict[str, Any]:
    """What is frozen with the notice; later ones read from ``claimed`` what they may not claim again."""
    return {
        "as_of": paper.issued_on,
        "pay_by": paper.pay_by,
        "basis": paper.basis,
        "totals": list(paper.totals),
        "claimed": [
            {
                "invoice": line.number,
                "due_on": line.due_on,
                "from_on": line.from_on,
                "until_on": line.until_on,
                "principal": line.principal,
                "annual_rate": line.annual_rate,
                "interest": line.interest,
            }
            for line in paper.lines
        ],
    }


def interest_of_account(organisation_id: int, buyer_id: int, entity_id: int, on: date) -> InterestNotice:
    """What a notice of the day would claim; nothing is issued.

    Errors: ``buyer_unknown``, ``interest_rate_missing``, ``interest_nothing_owed``.
    """
    with transaction(organisation_id) as session:
        return _notice(session, get_buyer(session, buyer_id), stationery_of(session, entity_id), on, "–")


def preview_interest(organisation_id: int, buyer_id: int, entity_id: int, on: date) -> str:
    """The notice as an accessible page; nothing is issued. Errors: as ``interest_of_account``."""
    with transaction(organisation_id) as session:
        buyer = get_buyer(session, buyer_id)
        return html_interest_notice(_notice(session, buyer, stationery_of(session, entity_id), on, "–"), language_of(session, buyer))


def send_interest_notice(
    actor: Actor, organisation_id: int, buyer_id: int, entity_id: int, on: date, *, by_mail: bool
) -> tuple[IssuedDocument, Message | None]:
    """Issue a notice of interest, and queue it by mail where asked. What it claims no later notice claims again.

    Errors: as ``interest_of_account``, and ``message_without_recipient``.
    """

    def write(session: Session, buyer: Buyer, writer: Stationery, number: str, language: str) -> AccountPaper:
        paper = _notice(session, buyer, writer, on, number)
        return AccountPaper(
            content=build_interest_notice(paper, language),
            text=text_interest_notice(paper, language),
            facts=_facts(paper),
            noted={"totals": list(paper.totals)},
        )

    kind, action = DocumentKind.INTEREST_NOTICE, "interest_notice.issued"
    return issue_account_paper(actor, organisation_id, buyer_id, entity_id, on, kind=kind, action=action, write=write, by_mail=by_mail)

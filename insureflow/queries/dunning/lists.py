"""Letters, rules, holds and notes as pages and commands list them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Select, case, func, select, type_coerce

from insureflow.domain.buyers import search_name
from insureflow.domain.dunning import ORDER, DunningLevel, LetterChannel, LetterState, ScopedRule, read_rules
from insureflow.models.base import vocabulary
from insureflow.models.buyers import Buyer, CustomerNumber
from insureflow.models.database import db
from insureflow.models.dunning import ContactNote, DunningHold, DunningLetter, DunningLetterInvoice, DunningRule, PromiseToPay
from insureflow.models.organisations import Entity
from insureflow.models.receivables import Invoice
from insureflow.queries.listing import Field, FilterKind, Kind, Listing, Order

_LEVEL = vocabulary(DunningLevel, "dunning_level")
_STATE = vocabulary(LetterState, "letter_state")
_CHANNEL = vocabulary(LetterChannel, "letter_channel")


@dataclass(frozen=True, slots=True)
class LetterCounts:
    """How many letters stand how."""

    proposed: int
    approved: int
    to_post: int
    failed: int


def rules() -> Sequence[DunningRule]:
    """All rules, the newest first."""
    return db.session.scalars(select(DunningRule).order_by(DunningRule.effective_on.desc(), DunningRule.id.desc())).all()


def stored_rules() -> list[ScopedRule]:
    """All rules as the domain reads them."""
    return [ScopedRule(row.id, row.effective_on, row.country, row.buyer_id, read_rules(row.data)) for row in rules()]


def find_rule(rule_id: int) -> DunningRule | None:
    """The rule with this key, or None."""
    return db.session.scalar(select(DunningRule).where(DunningRule.id == rule_id))


def find_letter(letter_id: int) -> DunningLetter | None:
    """The letter with this key, or None."""
    return db.session.scalar(select(DunningLetter).where(DunningLetter.id == letter_id))


def find_hold(hold_id: int) -> DunningHold | None:
    """The hold with this key, or None."""
    return db.session.scalar(select(DunningHold).where(DunningHold.id == hold_id))


def find_promise(promise_id: int) -> PromiseToPay | None:
    """The promise with this key, or None."""
    return db.session.scalar(select(PromiseToPay).where(PromiseToPay.id == promise_id))


def find_note(note_id: int) -> ContactNote | None:
    """The note with this key, or None."""
    return db.session.scalar(select(ContactNote).where(ContactNote.id == note_id))


def invoices_of(letter_id: int) -> Sequence[DunningLetterInvoice]:
    """What a letter lists, the oldest first."""
    statement = select(DunningLetterInvoice).where(DunningLetterInvoice.letter_id == letter_id)
    return db.session.scalars(statement.order_by(DunningLetterInvoice.due_on, DunningLetterInvoice.number)).all()


def reminded_before(letter: DunningLetter, number: str) -> DunningLevel | None:
    """The firmest letter that was sent about an invoice of a letter before that letter was made."""
    levels = db.session.scalars(
        select(DunningLetter.level)
        .join(DunningLetterInvoice, DunningLetterInvoice.letter_id == DunningLetter.id)
        .where(
            DunningLetter.entity_id == letter.entity_id,
            DunningLetter.buyer_id == letter.buyer_id,
            DunningLetter.id < letter.id,
            DunningLetter.state == LetterState.SENT,
            DunningLetterInvoice.number == number,
        )
    ).all()
    return max(levels, key=ORDER.index, default=None)


def letters_of(buyer_id: int) -> Sequence[DunningLetter]:
    """The letters to a buyer, the newest first."""
    return db.session.scalars(select(DunningLetter).where(DunningLetter.buyer_id == buyer_id).order_by(DunningLetter.id.desc())).all()


def holds_of(buyer_id: int) -> Sequence[DunningHold]:
    """The holds on a buyer, the newest first."""
    return db.session.scalars(select(DunningHold).where(DunningHold.buyer_id == buyer_id).order_by(DunningHold.id.desc())).all()


def promises_of(buyer_id: int) -> Sequence[PromiseToPay]:
    """The promises of a buyer, the newest first."""
    return db.session.scalars(select(PromiseToPay).where(PromiseToPay.buyer_id == buyer_id).order_by(PromiseToPay.id.desc())).all()


def notes_of(buyer_id: int) -> Sequence[ContactNote]:
    """Calls, visits and notes about a buyer, the newest first."""
    statement = select(ContactNote).where(ContactNote.buyer_id == buyer_id)
    return db.session.scalars(statement.order_by(ContactNote.happened_on.desc(), ContactNote.id.desc())).all()


def follow_ups(until: date) -> Sequence[tuple[ContactNote, Buyer]]:
    """What somebody wanted to come back to by a day and has not, the oldest first."""
    statement = (
        select(ContactNote, Buyer)
        .join(Buyer, Buyer.id == ContactNote.buyer_id)
        .where(ContactNote.follow_up_on <= until, ContactNote.followed_up_on.is_(None))
        .order_by(ContactNote.follow_up_on, ContactNote.id)
    )
    return [(row[0], row[1]) for row in db.session.execute(statement)]


def entities_of(buyer_id: int) -> frozenset[int]:
    """The keys of the entities whose ledgers know a buyer, by a number or by an invoice."""
    numbers = select(CustomerNumber.entity_id).where(CustomerNumber.buyer_id == buyer_id)
    sales = select(Invoice.entity_id).where(Invoice.buyer_id == buyer_id).distinct()
    return frozenset(db.session.scalars(numbers)) | frozenset(db.session.scalars(sales))


def overdue_of(buyer_id: int, on: date) -> Sequence[tuple[Invoice, Entity, DunningLevel | None, int]]:
    """A buyer's overdue invoices, the oldest first: entity, the firmest letter sent about each, and how many letters."""
    rank = func.max(case(*((DunningLetter.level == level, index) for index, level in enumerate(ORDER)), else_=-1))
    sent = (
        select(DunningLetterInvoice.invoice_id.label("invoice_id"), rank.label("rank"), func.count(DunningLetter.id).label("letters"))
        .join(DunningLetter, DunningLetter.id == DunningLetterInvoice.letter_id)
        .where(DunningLetter.state == LetterState.SENT, DunningLetter.buyer_id == buyer_id)
        .group_by(DunningLetterInvoice.invoice_id)
        .subquery()
    )
    statement = (
        select(Invoice, Entity, sent.c.rank, sent.c.letters)
        .join(Entity, Entity.id == Invoice.entity_id)
        .outerjoin(sent, sent.c.invoice_id == Invoice.id)
        .where(Invoice.buyer_id == buyer_id, Invoice.open_minor > 0, Invoice.original_due_on < on)
        .order_by(Invoice.original_due_on, Invoice.number)
    )
    return [(row[0], row[1], None if row[2] is None else ORDER[int(row[2])], int(row[3] or 0)) for row in db.session.execute(statement)]


def post_letters() -> Sequence[DunningLetter]:
    """Approved letters that wait to be printed and posted, in the order of their documents."""
    statement = select(DunningLetter).where(
        DunningLetter.state == LetterState.APPROVED, DunningLetter.channel == LetterChannel.POST, DunningLetter.document_id.is_not(None)
    )
    return db.session.scalars(statement.order_by(DunningLetter.document_id)).all()


def count_letters(*, entity_id: int | None = None) -> LetterCounts:
    """How many letters wait for what."""
    is_post = (DunningLetter.channel == LetterChannel.POST) & (DunningLetter.state == LetterState.APPROVED)
    statement = select(DunningLetter.state, func.count(DunningLetter.id), func.sum(case((is_post, 1), else_=0))).where(
        DunningLetter.state != LetterState.SENT
    )
    if entity_id is not None:
        statement = statement.where(DunningLetter.entity_id == entity_id)
    found = {row[0]: (int(row[1]), int(row[2] or 0)) for row in db.session.execute(statement.group_by(DunningLetter.state))}
    proposed, approved = found.get(LetterState.PROPOSED, (0, 0)), found.get(LetterState.APPROVED, (0, 0))
    return LetterCounts(proposed[0], approved[0] - approved[1], approved[1], found.get(LetterState.FAILED, (0, 0))[0])


def letter_listing(*, entity_id: int | None = None) -> Listing:
    """All letters, those that wait for a decision first, the firmest and largest before the others."""
    waiting = case((DunningLetter.state == LetterState.PROPOSED, 0), (DunningLetter.state == LetterState.FAILED, 1), else_=2)
    firmness = case(*((DunningLetter.level == level, len(ORDER) - index) for index, level in enumerate(ORDER)), else_=9)
    fields = (
        Field("buyer", Buyer.legal_name.expression, search=Buyer.search_name + " " + Buyer.legal_name, sort=Buyer.search_name.expression),
        Field("country", Buyer.country.expression, Kind.COUNTRY, filter=FilterKind.SELECT),
        Field("entity", Entity.code.expression, filter=FilterKind.SELECT),
        Field("level", type_coerce(DunningLetter.level, _LEVEL), Kind.BADGE, sort=firmness, filter=FilterKind.SELECT),
        Field("state", type_coerce(DunningLetter.state, _STATE), Kind.BADGE, filter=FilterKind.SELECT),
        Field("total", DunningLetter.total_minor.expression, Kind.MONEY, currency=DunningLetter.currency.expression, total=True),
        Field("interest", DunningLetter.interest_minor.expression, Kind.MONEY, currency=DunningLetter.currency.expression),
        Field("as_of", DunningLetter.as_of.expression, Kind.DATE, filter=FilterKind.DATE_RANGE),
        Field("channel", type_coerce(DunningLetter.channel, _CHANNEL), Kind.BADGE, filter=FilterKind.SELECT),
        Field("language", DunningLetter.language.expression),
        Field("sent_on", DunningLetter.sent_on.expression, Kind.DATE, filter=FilterKind.DATE_RANGE),
        Field("buyer_id", DunningLetter.buyer_id.expression, Kind.NUMBER, hidden=True),
        Field("urgency", DunningLetter.id.expression, Kind.NUMBER, hidden=True, sort=waiting * 10 + firmness),
    )

    def source(statement: Select[Any]) -> Select[Any]:
        statement = (
            statement.select_from(DunningLetter)
            .join(Buyer, Buyer.id == DunningLetter.buyer_id)
            .join(Entity, Entity.id == DunningLetter.entity_id)
        )
        return statement if entity_id is None else statement.where(DunningLetter.entity_id == entity_id)

    return Listing("letters", fields, source, key=DunningLetter.id.expression, order=Order("urgency"), normalise=search_name)

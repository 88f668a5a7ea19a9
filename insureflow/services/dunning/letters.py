"""Letters approved, issued, sent and posted. What was approved is written as a document and queued in portions, so that any number can be."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from insureflow.documents.letters import build_reminder, text_reminder
from insureflow.documents.merging import merge_papers
from insureflow.domain.dunning import LetterAction, LetterChannel, LetterState, next_letter_state
from insureflow.domain.errors import Refusal
from insureflow.domain.issued_documents import DocumentKind
from insureflow.domain.messages import MessageState
from insureflow.domain.money import Money
from insureflow.domain.obligations import ObligationKind
from insureflow.models.cover import Obligation, ObligationMark
from insureflow.models.documents import BuyerContact, IssuedDocument
from insureflow.models.dunning import DunningLetter, DunningLetterInvoice
from insureflow.models.messages import Message
from insureflow.models.organisations import Organisation
from insureflow.models.scope import current_organisation_id
from insureflow.queries import dunning as queries
from insureflow.services import cover, issued_documents, journal, messages, obligations, webhooks
from insureflow.services.clock import now
from insureflow.services.dunning.composing import (
    choose_channel,
    choose_language,
    compose,
    credits_of,
    get_buyer,
    reachable,
)
from insureflow.services.dunning.proposing import ACTOR, interest_of, items_of_level, write_items
from insureflow.services.dunning.rules import fallback_rules, rules_for_buyer
from insureflow.services.files import Download
from insureflow.services.journal import Actor, Subject
from insureflow.services.stationery import stationery_of
from insureflow.services.transaction import transaction

MESSAGE_KIND = "dunning_letter"
#: The most letters that one file for printing holds.
MOST_PRINTED = 500


def get_letter(session: Session, letter_id: int) -> DunningLetter:
    """The letter with this key, held until the unit of work ends. Errors: ``letter_unknown``."""
    letter = session.scalar(
        select(DunningLetter).where(DunningLetter.id == letter_id).with_for_update().execution_options(populate_existing=True)
    )
    if letter is None:
        raise Refusal("letter_unknown", letter=str(letter_id))
    return letter


def _subject(letter: DunningLetter) -> Subject:
    return Subject("letter", letter.id, f"{letter.level} {letter.cause}")


def approve(actor: Actor, organisation_id: int, letter_ids: Collection[int] | None = None) -> int:
    """Approve the letters with these keys that wait, or all that wait; gives how many. ``issue_approved`` writes and sends them."""
    with transaction(organisation_id) as session:
        statement = select(DunningLetter).where(DunningLetter.state == LetterState.PROPOSED)
        if letter_ids is not None:
            statement = statement.where(DunningLetter.id.in_(list(letter_ids)))
        found = session.scalars(statement.with_for_update().execution_options(populate_existing=True)).all()
        at = now()
        for letter in found:
            letter.state = next_letter_state(letter.state, LetterAction.APPROVE)
            letter.decided_at, letter.decided_by_id = at, actor.user_id
        if found:
            label = f"{len(found)}" if len(found) > 1 else found[0].cause
            journal.record(
                session,
                actor,
                "letter.approved",
                Subject("letter", found[0].id, label),
                after={"letters": [letter.id for letter in found][:1000]},
            )
        return len(found)


def skip(actor: Actor, organisation_id: int, letter_ids: Collection[int], reason: str) -> int:
    """Do not send these letters; the level counts as passed. Errors: ``letter_reason_needed``, ``letter_cannot``."""
    if not reason.strip():
        raise Refusal("letter_reason_needed")
    with transaction(organisation_id) as session:
        found = session.scalars(select(DunningLetter).where(DunningLetter.id.in_(list(letter_ids))).with_for_update()).all()
        for letter in found:
            if letter.document_id is not None and letter.channel is LetterChannel.EMAIL and letter.state is LetterState.APPROVED:
                raise Refusal("letter_on_its_way", letter=str(letter.id))
            letter.state = next_letter_state(letter.state, LetterAction.SKIP)
            letter.reason, letter.decided_at, letter.decided_by_id = reason.strip()[:1000], now(), actor.user_id
            journal.record(session, actor, "letter.skipped", _subject(letter), after={"reason": letter.reason})
        return len(found)


def issue_approved(
    organisation_id: int,
    on: date,
    *,
    letter_ids: Collection[int] | None = None,
    wants_to_stop: Callable[[], bool] = lambda: False,
) -> dict[str, int]:
    """Write every approved letter as a document and queue it or lay it aside for the post; each in a unit of work of its own.

    A letter is written with what is open now. Where nothing is left of it, it is skipped.
    """
    counts = {"letters_issued": 0, "letters_settled": 0, "letters_failed": 0}
    last = 0
    while not wants_to_stop():
        with transaction(organisation_id) as session:
            statement = (
                select(DunningLetter)
                .where(DunningLetter.state == LetterState.APPROVED, DunningLetter.document_id.is_(None), DunningLetter.id > last)
                .order_by(DunningLetter.id)
                .limit(1)
                .with_for_update(skip_locked=True)
                .execution_options(populate_existing=True)
            )
            if letter_ids is not None:
                statement = statement.where(DunningLetter.id.in_(list(letter_ids)))
            letter = session.scalar(statement)
            if letter is None:
                return counts
            last = letter.id
            counts[_issue(session, letter, on)] += 1
    return counts


def _issue(session: Session, letter: DunningLetter, on: date) -> str:
    """Write one letter; gives what became of it."""
    if not _renew(session, letter, on):
        letter.state, letter.reason = LetterState.SKIPPED, "settled"
        journal.record(session, ACTOR, "letter.skipped", _subject(letter), after={"reason": "settled"})
        return "letters_settled"
    number = issued_documents.reserve_numbers(session, on.year)[0]
    try:
        paper = compose(session, letter, on, number=number)
        content, text = build_reminder(paper, letter.language), text_reminder(paper, letter.language)
    except Refusal as refusal:
        letter.state, letter.reason = next_letter_state(letter.state, LetterAction.FAIL), refusal.code
        journal.record(session, ACTOR, "letter.failed", _subject(letter), after={"reason": refusal.code})
        return "letters_failed"
    document = issued_documents.issue(
        session,
        Actor(letter.decided_by_id, ACTOR.name),
        kind=DocumentKind.REMINDER,
        language=letter.language,
        dated_on=on,
        facts={
            "level": letter.level,
            "as_of": on,
            "total": Money(letter.total_minor, letter.currency),
            "interest": Money(letter.interest_minor, letter.currency),
            "items": [{"number": i.number, "due_on": i.due_on, "open": i.open, "interest": i.interest} for i in paper.items],
        },
        name=f"{number}.pdf",
        content=content,
        entity_id=letter.entity_id,
        buyer_id=letter.buyer_id,
        number=number,
    )
    letter.document_id, letter.as_of = document.id, on
    if letter.channel is LetterChannel.EMAIL:
        _queue(session, letter, document, text.subject, text.body)
    journal.record(
        session,
        ACTOR,
        "letter.issued",
        _subject(letter),
        after={"document": document.number, "sha256": document.sha256, "channel": letter.channel},
    )
    return "letters_issued"


def _renew(session: Session, letter: DunningLetter, on: date) -> bool:
    """Bring a letter up to what is open on the day it is written; False where nothing is left to ask for."""
    buyer = get_buyer(session, letter.buyer_id)
    rules, _source = rules_for_buyer(buyer, on)
    found = queries.due_invoices(queries.stored_rules(), fallback_rules(), on, [letter.buyer_id])
    items = items_of_level(found.get((letter.entity_id, letter.buyer_id, letter.currency), ()), letter.level)
    credit = sum(item.open.minor for item in credits_of(session, letter.entity_id, letter.buyer_id, letter.currency))
    total = sum(item.open_minor for item in items) + credit
    if not items or total <= 0:
        return False
    session.execute(delete(DunningLetterInvoice).where(DunningLetterInvoice.letter_id == letter.id))
    letter.as_of, letter.total_minor = on, total
    letter.interest_minor = sum(interest_of(item, letter.level, rules, on) for item in items)
    write_items(session, [(letter, items, rules)], on)
    people = _people(session, letter.buyer_id)
    locale = session.scalars(select(Organisation.locale).where(Organisation.id == current_organisation_id())).one()
    letter.language, letter.channel = choose_language(buyer, people, locale), choose_channel(rules, people)
    session.flush()
    return True


def _people(session: Session, buyer_id: int) -> Sequence[BuyerContact]:
    statement = select(BuyerContact).where(BuyerContact.buyer_id == buyer_id, BuyerContact.gets_letters.is_(True))
    return session.scalars(statement.order_by(BuyerContact.id)).all()


def _queue(session: Session, letter: DunningLetter, document: IssuedDocument, subject: str, body: str) -> None:
    people = reachable(_people(session, letter.buyer_id))
    head = stationery_of(session, letter.entity_id).head
    message = messages.queue(
        session,
        ACTOR,
        cause=f"letter:{letter.id}:{document.number}",
        kind=MESSAGE_KIND,
        recipients=[contact.email for contact in people],
        language=letter.language,
        subject=subject[: messages.LONGEST_SUBJECT],
        body=body[: messages.LONGEST_BODY],
        documents=[document.id],
        buyer_id=letter.buyer_id,
        reply_to=head.email if head else "",
    )
    letter.message_id = message.id
    session.flush()


def print_letters(actor: Actor, organisation_id: int, letter_ids: Collection[int] | None = None) -> Download:
    """The letters that wait for the post as one file of at most ``MOST_PRINTED``, the earliest first.

    Those of the file count as printed, and only what is printed can be posted. Printed twice before it is posted, the file is the
    same. Errors: ``no_letters_to_print``, and those of a stored file.
    """
    with transaction(organisation_id) as session:
        waiting = [letter for letter in queries.post_letters() if letter_ids is None or letter.id in letter_ids][:MOST_PRINTED]
        if not waiting:
            raise Refusal("no_letters_to_print")
        papers = [
            issued_documents.read(organisation_id, letter.document_id).content for letter in waiting if letter.document_id is not None
        ]
        content = merge_papers(papers)
        for letter in waiting:
            letter.printed_at = now()
        journal.record(
            session, actor, "letter.printed", Subject("letter", waiting[0].id, str(len(waiting))),
            after={"letters": [letter.id for letter in waiting]},
        )  # fmt: skip
    return Download(f"letters-{len(papers)}.pdf", "application/pdf", content)


def mark_posted(actor: Actor, organisation_id: int, letter_ids: Collection[int] | None, on: date) -> int:
    """The letters that were printed and wait for the post were posted on the business day; gives how many."""
    with transaction(organisation_id) as session:
        printed = [letter for letter in queries.post_letters() if letter.printed_at is not None]
        waiting = [letter for letter in printed if letter_ids is None or letter.id in letter_ids]
        reminded = {letter.buyer_id for letter in waiting if _sent(session, letter, on)}
        if reminded:
            cover.refresh_buyers(session, sorted(reminded), on)
        if waiting:
            journal.record(
                session, actor, "letter.posted", Subject("letter", waiting[0].id, str(len(waiting))),
                after={"sent_on": on, "letters": [letter.id for letter in waiting][:1000]},
            )  # fmt: skip
        return len(waiting)


def repeat(actor: Actor, organisation_id: int, letter_id: int) -> DunningLetter:
    """Write a letter anew that failed, with what is open now and to whom it can go now. Errors: ``letter_unknown``, ``letter_cannot``."""
    with transaction(organisation_id) as session:
        letter = get_letter(session, letter_id)
        letter.state = next_letter_state(letter.state, LetterAction.REPEAT)
        letter.document_id, letter.message_id, letter.reason, letter.printed_at = None, None, "", None
        letter.decided_at, letter.decided_by_id = now(), actor.user_id
        journal.record(session, actor, "letter.repeated", _subject(letter))
        return letter


def _sent(session: Session, letter: DunningLetter, on: date) -> bool:
    """A letter is with the buyer; gives whether duties are done by it, so that what follows for the buyer is to be worked out."""
    letter.state, letter.sent_on = next_letter_state(letter.state, LetterAction.SEND), on
    session.flush()
    is_reminded = _mark_duties(session, letter, on)
    webhooks.announce(
        session,
        "letter.sent",
        f"letter:{letter.id}:{letter.document_id}",
        {
            "letter": letter.id,
            "buyer": letter.buyer_id,
            "level": letter.level,
            "total": Money(letter.total_minor, letter.currency),
            "sent_on": on,
            "channel": letter.channel,
        },
    )
    return is_reminded


def _listed(letter: DunningLetter) -> Select[Any]:
    """The keys of the invoices that a letter lists."""
    return select(DunningLetterInvoice.invoice_id).where(
        DunningLetterInvoice.letter_id == letter.id, DunningLetterInvoice.invoice_id.is_not(None)
    )


def _note(session: Session, letter: DunningLetter) -> str:
    """What the marks of duties say that a letter has done."""
    document = None if letter.document_id is None else session.get(IssuedDocument, letter.document_id)
    return document.number if document else f"letter {letter.id}"


def _mark_duties(session: Session, letter: DunningLetter, on: date) -> bool:
    """The duty to remind is done for every invoice that a sent letter lists; gives whether any was open."""
    note = _note(session, letter)
    duties = session.scalars(
        select(Obligation).where(
            Obligation.buyer_id == letter.buyer_id,
            Obligation.kind == ObligationKind.SEND_REMINDER.value,
            Obligation.invoice_id.in_(_listed(letter)),
            Obligation.due_on <= on,
        )
    ).all()
    made = False
    for duty in duties:
        same = (
            ObligationMark.policy_id == duty.policy_id,
            ObligationMark.buyer_id == duty.buyer_id,
            ObligationMark.invoice_id == duty.invoice_id,
            ObligationMark.kind == duty.kind,
            ObligationMark.due_on == duty.due_on,
        )
        if session.scalar(select(ObligationMark.id).where(*same)) is None:
            session.add(
                ObligationMark(
                    policy_id=duty.policy_id, buyer_id=duty.buyer_id, invoice_id=duty.invoice_id, kind=duty.kind, due_on=duty.due_on,
                    mark="done", marked_on=on, note=note,
                )
            )  # fmt: skip
            made = True
    session.flush()
    return made


def _take_duties_back(session: Session, letter: DunningLetter, today: date) -> None:
    """The duties to remind that a letter did are open again: it did not arrive. What a person has said of them since stays."""
    marks = session.scalars(
        select(ObligationMark).where(
            ObligationMark.buyer_id == letter.buyer_id,
            ObligationMark.kind == ObligationKind.SEND_REMINDER.value,
            ObligationMark.invoice_id.in_(_listed(letter)),
            ObligationMark.note == _note(session, letter),
        )
    ).all()
    obligations.take_back_marks(session, ACTOR, marks, "the letter was not delivered", today)


def _follow(session: Session, message: Message) -> None:
    """A letter stands as its message does."""
    letter = session.scalar(select(DunningLetter).where(DunningLetter.message_id == message.id))
    if letter is None:
        return
    if message.state is MessageState.SENT:
        if letter.state in {LetterState.APPROVED, LetterState.FAILED}:
            sent_on, today = _day_of(session, message.sent_at or now()), _day_of(session, now())
            if _sent(session, letter, sent_on):
                cover.refresh_buyers(session, [letter.buyer_id], max(sent_on, today))
    elif message.state in {MessageState.FAILED, MessageState.BOUNCED}:
        if letter.state in {LetterState.APPROVED, LetterState.SENT}:
            _take_duties_back(session, letter, _day_of(session, now()))
            letter.state = next_letter_state(letter.state, LetterAction.FAIL)
            letter.reason, letter.sent_on = f"mail_{message.state}", None
            webhooks.announce(
                session,
                "letter.failed",
                f"letter:{letter.id}:{message.state}:{message.attempts}",
                {"letter": letter.id, "buyer": letter.buyer_id},
            )
    elif message.state is MessageState.CANCELLED:
        if letter.state in {LetterState.APPROVED, LetterState.FAILED}:
            letter.state, letter.reason = next_letter_state(letter.state, LetterAction.SKIP), "mail_cancelled"
    elif message.state is MessageState.QUEUED and letter.state is LetterState.FAILED:
        letter.state, letter.reason = next_letter_state(letter.state, LetterAction.REPEAT), ""


def _day_of(session: Session, at: datetime) -> date:
    """The day of an instant where the organisation is."""
    zone = session.scalars(select(Organisation.time_zone).where(Organisation.id == current_organisation_id())).one()
    return at.astimezone(ZoneInfo(zone)).date()


messages.on_state(MESSAGE_KIND, _follow)

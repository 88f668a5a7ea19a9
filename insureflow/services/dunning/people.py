"""What is agreed and said with a buyer beside letters: promises to pay, holds, calls and notes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from insureflow.domain.access import Permission
from insureflow.domain.dunning import ContactKind
from insureflow.domain.errors import InvalidValue, InvalidValues, Refusal
from insureflow.domain.messages import NoticeToPerson
from insureflow.domain.money import Money
from insureflow.models.buyers import Buyer
from insureflow.models.dunning import ContactNote, DunningHold, PromiseToPay
from insureflow.models.messages import Told
from insureflow.models.organisations import Entity
from insureflow.models.receivables import Invoice
from insureflow.queries import dunning as queries
from insureflow.services import journal, telling, webhooks
from insureflow.services.clock import now
from insureflow.services.journal import Actor, Subject
from insureflow.services.transaction import transaction


def _buyer(session: Session, buyer_id: int) -> Buyer:
    buyer = session.scalar(select(Buyer).where(Buyer.id == buyer_id))
    if buyer is None:
        raise Refusal("buyer_unknown", buyer=str(buyer_id))
    return buyer


def _subject(buyer: Buyer) -> Subject:
    return Subject("buyer", buyer.id, buyer.legal_name)


def add_promise(
    actor: Actor,
    organisation_id: int,
    buyer_id: int,
    amount: Money,
    *,
    made_on: date,
    promised_for: date,
    by_whom: str = "",
    invoices: Sequence[str] = (),
    note: str = "",
) -> PromiseToPay:
    """What a buyer promised to pay by a day; no letter about it goes out meanwhile.

    Errors: ``buyer_unknown``; ``InvalidValues`` with ``promise_amount_wrong``, ``promise_day_wrong``, ``promise_invoice_unknown``.
    """
    with transaction(organisation_id) as session:
        buyer = _buyer(session, buyer_id)
        problems: list[InvalidValue] = []
        if amount.minor <= 0:
            problems.append(InvalidValue("promise_amount_wrong", "amount", str(amount)))
        if promised_for < made_on:
            problems.append(InvalidValue("promise_day_wrong", "promised_for", promised_for.isoformat()))
        wanted = list(dict.fromkeys(number.strip() for number in invoices if number.strip()))
        known = set(session.scalars(select(Invoice.number).where(Invoice.buyer_id == buyer_id, Invoice.number.in_(wanted))))
        problems += [InvalidValue("promise_invoice_unknown", "invoices", number[:80]) for number in wanted if number not in known]
        if problems:
            raise InvalidValues(tuple(problems))
        promise = PromiseToPay(
            buyer_id=buyer_id,
            amount_minor=amount.minor,
            currency=amount.currency,
            made_on=made_on,
            promised_for=promised_for,
            by_whom=by_whom.strip()[:200],
            invoices=wanted,
            note=note.strip()[:1000],
            created_at=now(),
            created_by_id=actor.user_id,
        )
        session.add(promise)
        session.flush()
        journal.record(
            session, actor, "promise.added", _subject(buyer), after={"amount": amount, "promised_for": promised_for, "invoices": wanted}
        )
        return promise


def cancel_promise(actor: Actor, organisation_id: int, promise_id: int, on: date) -> PromiseToPay:
    """A promise no longer counts from a day on; one that was taken back already stays as it is. Errors: ``promise_unknown``."""
    with transaction(organisation_id) as session:
        promise = session.scalar(select(PromiseToPay).where(PromiseToPay.id == promise_id).with_for_update())
        if promise is None:
            raise Refusal("promise_unknown", promise=str(promise_id))
        if promise.cancelled_on is not None:
            return promise
        promise.cancelled_on = on
        journal.record(session, actor, "promise.cancelled", _subject(_buyer(session, promise.buyer_id)), after={"cancelled_on": on})
        return promise


def note_broken_promises(organisation_id: int, on: date) -> int:
    """Tell people and other systems of promises that were broken; each once. How many nobody knew of.

    Which promises are broken is worked out from the money, so a day without this changes nothing but when somebody is told.
    """
    with transaction(organisation_id) as session:
        told = select(Told.cause).where(Told.kind == NoticeToPerson.PROMISE_BROKEN)
        broken = queries.broken_promises(on, but=told)
        people = telling.who_may(session, Permission.SEND_LETTERS) if broken else []
        for picture in broken:
            promise = picture.promise
            buyer = _buyer(session, promise.buyer_id)
            amount, cause = Money(promise.amount_minor, promise.currency), f"promise:{promise.id}"
            telling.tell(
                session,
                people,
                NoticeToPerson.PROMISE_BROKEN,
                cause,
                facts={"buyer": buyer.legal_name, "amount": amount, "promised_for": promise.promised_for},
                address=f"/dunning/buyers/{buyer.id}",
                buyer_id=buyer.id,
            )
            webhooks.announce(session, "promise.broken", cause, {"buyer": buyer.id, "amount": amount, "promised_for": promise.promised_for})
        return len(broken)


def add_hold(
    actor: Actor,
    organisation_id: int,
    buyer_id: int,
    *,
    reason: str,
    from_on: date,
    until_on: date | None = None,
    entity_code: str = "",
    invoice_number: str = "",
) -> DunningHold:
    """No letters to a buyer, or about one invoice, from a day until (not including) another.

    Errors: ``buyer_unknown``, ``entity_unknown``; ``InvalidValues`` with ``hold_reason_needed``, ``hold_days_wrong``.
    """
    with transaction(organisation_id) as session:
        buyer = _buyer(session, buyer_id)
        problems: list[InvalidValue] = []
        if not reason.strip():
            problems.append(InvalidValue("hold_reason_needed", "reason", ""))
        if until_on is not None and until_on <= from_on:
            problems.append(InvalidValue("hold_days_wrong", "until_on", until_on.isoformat()))
        number = invoice_number.strip()
        if number and session.scalar(select(Invoice.id).where(Invoice.buyer_id == buyer_id, Invoice.number == number).limit(1)) is None:
            problems.append(InvalidValue("promise_invoice_unknown", "invoice_number", number[:80]))
        if problems:
            raise InvalidValues(tuple(problems))
        if entity_code and session.scalar(select(Entity.id).where(Entity.code == entity_code)) is None:
            raise Refusal("entity_unknown", entity=entity_code)
        hold = DunningHold(
            buyer_id=buyer_id,
            entity_code=entity_code,
            invoice_number=number,
            reason=reason.strip()[:1000],
            from_on=from_on,
            until_on=until_on,
            created_at=now(),
            created_by_id=actor.user_id,
        )
        session.add(hold)
        session.flush()
        journal.record(
            session,
            actor,
            "hold.added",
            _subject(buyer),
            after={"reason": hold.reason, "from_on": from_on, "until_on": until_on, "invoice": number or None},
        )
        return hold


def end_hold(actor: Actor, organisation_id: int, hold_id: int, on: date) -> DunningHold:
    """Letters may go again from a day on; a hold that is over by then stays as it was. Errors: ``hold_unknown``."""
    with transaction(organisation_id) as session:
        hold = session.scalar(select(DunningHold).where(DunningHold.id == hold_id).with_for_update())
        if hold is None:
            raise Refusal("hold_unknown", hold=str(hold_id))
        if hold.until_on is not None and hold.until_on <= on:
            return hold
        before, hold.until_on = {"until_on": hold.until_on}, max(on, hold.from_on)
        journal.record(
            session, actor, "hold.ended", _subject(_buyer(session, hold.buyer_id)), before=before, after={"until_on": hold.until_on}
        )
        return hold


def add_note(
    actor: Actor,
    organisation_id: int,
    buyer_id: int,
    kind: ContactKind,
    text: str,
    *,
    happened_on: date,
    with_whom: str = "",
    follow_up_on: date | None = None,
) -> ContactNote:
    """A call, a visit, an e-mail or a note, and when to come back to it. Errors: ``buyer_unknown``; ``InvalidValues``."""
    with transaction(organisation_id) as session:
        buyer = _buyer(session, buyer_id)
        if not text.strip():
            raise InvalidValues((InvalidValue("note_text_needed", "text", ""),))
        if follow_up_on is not None and follow_up_on < happened_on:
            raise InvalidValues((InvalidValue("note_day_wrong", "follow_up_on", follow_up_on.isoformat()),))
        note = ContactNote(
            buyer_id=buyer_id,
            kind=kind,
            happened_on=happened_on,
            with_whom=with_whom.strip()[:200],
            text=text.strip()[:4000],
            follow_up_on=follow_up_on,
            created_at=now(),
            created_by_id=actor.user_id,
        )
        session.add(note)
        session.flush()
        journal.record(session, actor, "contact.noted", _subject(buyer), after={"kind": kind, "follow_up_on": follow_up_on})
        return note


def follow_up_done(actor: Actor, organisation_id: int, note_id: int, on: date) -> ContactNote:
    """Somebody came back to a note. Errors: ``note_unknown``."""
    with transaction(organisation_id) as session:
        note = session.scalar(select(ContactNote).where(ContactNote.id == note_id))
        if note is None:
            raise Refusal("note_unknown", note=str(note_id))
        note.followed_up_on = on
        journal.record(session, actor, "contact.followed_up", _subject(_buyer(session, note.buyer_id)), after={"followed_up_on": on})
        return note

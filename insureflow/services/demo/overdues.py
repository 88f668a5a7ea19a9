"""Reminding in the demo: letterheads, contacts, rules, letters in every state, promises, calls and a hold."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from insureflow.domain.buyers import search_name
from insureflow.domain.dunning import ContactKind, DunningLevel, LetterChannel, LetterState
from insureflow.domain.messages import MessageAction, MessageState
from insureflow.domain.money import Money
from insureflow.models.buyers import Buyer
from insureflow.models.dunning import DunningLetter
from insureflow.models.messages import Message
from insureflow.models.organisations import Entity, User
from insureflow.models.receivables import Invoice
from insureflow.services import contacts, dunning
from insureflow.services.contacts import ContactDetails, LetterheadDetails
from insureflow.services.journal import Actor
from insureflow.services.messages.hooks import announce, move

_HEADS = {
    "SE": LetterheadDetails(
        address="Norrlandsgatan 15\n111 43 Stockholm", contact="Jonas Berg", phone="+46 8 555 010 20", email="receivables@norrvik.example",
        registration="556677-8899", tax_number="SE556677889901", bank_name="SEB", bank_account="SE35 5000 0000 0549 1000 0003", bank_code="ESSESESS",
        footer="Norrvik Industri AB, säte Stockholm",
    ),
    "DE": LetterheadDetails(
        address="Hafenstraße 8\n20457 Hamburg", contact="Jonas Berg", phone="+49 40 555 0144", email="buchhaltung@norrvik.example",
        registration="HRB 104477", tax_number="DE811907980", bank_name="Commerzbank", bank_account="DE89 3704 0044 0532 0130 00", bank_code="COBADEFF",
        footer="Sitz der Gesellschaft: Hamburg, Amtsgericht Hamburg",
    ),
    "US": LetterheadDetails(
        address="1200 Harbor Avenue\nPortland, OR 97201", contact="Jonas Berg", phone="+1 503 555 0177", email="ar@norrvik.example",
        registration="93-1188220", bank_name="First Harbor Bank", bank_account="004417739920", bank_code="FHBKUS44",
    ),
}  # fmt: skip

_RULE: dict[str, Any] = {
    "levels": [
        {"level": "reminder_1", "days": 7},
        {"level": "reminder_2", "days": 21},
        {"level": "reminder_3", "days": 35},
        {"level": "final_demand", "days": 50},
    ],
    "minimum": {"EUR": "100", "USD": "100", "SEK": "1000"},
    "days_between": 7,
    "interest": {"annual_rate": "10.15", "basis": "", "from_level": "reminder_3"},
    "compensation": {"amounts": {"EUR": "40"}, "from_level": "final_demand"},
}
_ROLES = ("Accounts payable", "Head of finance", "Purchasing")
_BUYERS = 120
_SENT = 24
#: So many days ago letters went to everybody they were due to, so that firmer ones follow now.
_EARLIER_ROUNDS = (40, 26)


def _person(session: Session, start: str) -> Actor:
    user = session.scalars(select(User).where(User.email.startswith(start))).one()
    return Actor(user.id, user.email)


def remind(session: Session, organisation_id: int, on: date) -> None:
    """Remind buyers as people at work would have done by a day."""
    administrator, clerk = _person(session, "admin@"), _person(session, "clerk@")
    for entity in session.scalars(select(Entity)).all():
        if entity.code in _HEADS:
            contacts.set_letterhead(administrator, organisation_id, entity.id, _HEADS[entity.code])
    _people(session, organisation_id, clerk, on)
    dunning.set_rule(administrator, organisation_id, _RULE, on - timedelta(days=365), note="As agreed by the board of Norrvik Group.")
    dunning.set_rule(
        administrator, organisation_id, {**_RULE, "levels": _RULE["levels"][1:]}, on - timedelta(days=180), country="IT",
        note="Buyers in Italy are reminded later: the first reminder went to everybody.",
    )  # fmt: skip
    for ago in _EARLIER_ROUNDS:
        day = on - timedelta(days=ago)
        dunning.propose(clerk, organisation_id, day)
        _send(session, organisation_id, clerk, day, None)
    earlier = on - timedelta(days=12)
    dunning.propose(clerk, organisation_id, earlier)
    waiting = select(DunningLetter).where(DunningLetter.state == LetterState.PROPOSED)
    letters = session.scalars(waiting.order_by(DunningLetter.total_minor.desc(), DunningLetter.id)).all()
    chosen, skipped = [letter.id for letter in letters[:_SENT]], [letter.id for letter in letters[_SENT : _SENT + 2]]
    if skipped:
        dunning.skip(clerk, organisation_id, skipped, "The money is on its way, says their bank.")
    _send(session, organisation_id, clerk, earlier, chosen)
    _talk(session, organisation_id, clerk, on)
    dunning.propose(clerk, organisation_id, on)


def _send(session: Session, organisation_id: int, clerk: Actor, on: date, chosen: list[int] | None) -> None:
    """Approve letters, all that wait where none are named, and let them go by e-mail of a day and by post of the next."""
    dunning.approve(clerk, organisation_id, chosen)
    dunning.issue_approved(organisation_id, on, letter_ids=chosen)
    _deliver(session, on, bounces=chosen is not None)
    posted = select(DunningLetter.id).where(DunningLetter.state == LetterState.APPROVED, DunningLetter.channel == LetterChannel.POST)
    if session.scalars(posted).first() is not None:
        dunning.print_letters(clerk, organisation_id)
        dunning.mark_posted(clerk, organisation_id, None, on + timedelta(days=1))


def _people(session: Session, organisation_id: int, actor: Actor, on: date) -> None:
    """Whom letters go to at the buyers who owe most that is overdue; the others get theirs by post."""
    owing = session.execute(
        select(Invoice.buyer_id, func.sum(Invoice.open_minor))
        .where(Invoice.open_minor > 0, Invoice.original_due_on < on)
        .group_by(Invoice.buyer_id)
        .order_by(func.sum(Invoice.open_minor).desc(), Invoice.buyer_id)
        .limit(_BUYERS)
    )
    for place, (buyer_id, _sum) in enumerate(owing.all()):
        buyer = session.scalars(select(Buyer).where(Buyer.id == buyer_id)).one()
        plain = "-".join(search_name(buyer.legal_name).split()[:2]) or f"buyer-{buyer.id}"
        host = (
            "".join(letter for letter in plain if letter.isascii() and (letter.isalnum() or letter == "-")).strip("-")
            or f"buyer-{buyer.id}"
        )
        if place % 9 == 8:
            continue
        contacts.add_contact(
            actor, organisation_id, buyer_id, ContactDetails(role=_ROLES[place % len(_ROLES)], email=f"accounts@{host}.example")
        )


def deliver(session: Session, kind: str, on: date) -> list[Message]:
    """The messages of a kind that wait were taken by a mail server of a day."""
    at = datetime.combine(on, time(9, 30), UTC)
    waiting = session.scalars(select(Message).where(Message.state == MessageState.QUEUED, Message.kind == kind).order_by(Message.id)).all()
    for message in waiting:
        move(message, MessageAction.START)
        move(message, MessageAction.ACCEPT)
        message.attempts, message.sent_at, message.created_at = 1, at, at
        message.message_id = f"<{message.cause.replace(':', '.')}@norrvik.example>"  # the same in every demo
        announce(session, message)
    return list(waiting)


def _deliver(session: Session, on: date, *, bounces: bool) -> None:
    """The messages of the demo's letters were taken by a mail server of that day; one of them came back where ``bounces`` says so."""
    at = datetime.combine(on, time(9, 30), UTC)
    for place, message in enumerate(deliver(session, "dunning_letter", on)):
        if place == 3 and bounces:
            move(message, MessageAction.BOUNCE)
            message.bounced_at = at + timedelta(minutes=7)
            message.bounce = {
                "recipients": list(message.recipients), "status": "5.1.1", "diagnostic": "550 5.1.1 mailbox unknown", "server": "mx.example",
            }  # fmt: skip
            contacts.mark_bounced(session, message.recipients, message.bounced_at)
            announce(session, message)


def _talk(session: Session, organisation_id: int, actor: Actor, on: date) -> None:
    """Promises (one kept waiting too long), calls with a day to come back to, and a hold."""
    sent = session.scalars(
        select(DunningLetter).where(DunningLetter.state == LetterState.SENT).order_by(DunningLetter.total_minor.desc(), DunningLetter.id)
    ).all()
    for place, letter in enumerate(sent[:4]):
        half = Money(letter.total_minor // 2 or 1, letter.currency)
        dunning.add_promise(
            actor, organisation_id, letter.buyer_id, half,
            made_on=on - timedelta(days=8), promised_for=on + timedelta(days=5) if place else on - timedelta(days=2), by_whom="Head of finance",
        )  # fmt: skip
    for place, letter in enumerate(sent[2:7]):
        dunning.add_note(
            actor, organisation_id, letter.buyer_id, ContactKind.CALL if place else ContactKind.VISIT,
            "They are checking the invoices and will call back." if place % 2 else "Short of cash until the season begins; wants to pay in parts.",
            happened_on=on - timedelta(days=6 - place), with_whom="Accounts payable", follow_up_on=on + timedelta(days=place - 1),
        )  # fmt: skip
    for letter in sent[7:8]:
        dunning.add_hold(
            actor, organisation_id, letter.buyer_id, reason="Our sales director talks to the owner first.", from_on=on - timedelta(days=1),
            until_on=on + timedelta(days=14),
        )  # fmt: skip
    firmest = [letter for letter in sent if letter.level is DunningLevel.FINAL_DEMAND]
    for letter in firmest[:1]:
        dunning.add_note(
            actor, organisation_id, letter.buyer_id, ContactKind.NOTE, "After the final demand nothing came. Prepare the papers for collection.",
            happened_on=on - timedelta(days=1), follow_up_on=on,
        )  # fmt: skip

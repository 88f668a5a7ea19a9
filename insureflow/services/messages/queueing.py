"""Messages put into the queue, and what a person decides about them."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable
from datetime import timedelta
from email.utils import parseaddr

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from insureflow.connectors.mail import ascii_address
from insureflow.domain.errors import Refusal
from insureflow.domain.messages import MessageAction, MessageState
from insureflow.models.messages import Message
from insureflow.services import journal
from insureflow.services.clock import now
from insureflow.services.journal import Actor, Subject
from insureflow.services.messages.hooks import LEASE_MINUTES, announce, move
from insureflow.services.transaction import transaction

LONGEST_SUBJECT = 500
LONGEST_BODY = 20_000
MOST_RECIPIENTS = 20
#: The end of identifications where nobody said who mail comes from; no such domain can exist.
_NOWHERE = "insureflow.invalid"


def _addresses(addresses: Iterable[str]) -> list[str]:
    """Addresses without repetition, each fit to travel. Errors: ``mail_address_unsafe``."""
    found: dict[str, str] = {}
    for address in addresses:
        ascii_address(address)
        found.setdefault(address.strip().casefold(), address.strip())
    return list(found.values())


def subject_of(message: Message) -> Subject:
    """A message as the journal names it."""
    return Subject("mail", message.id, message.subject)


def queue(
    session: Session,
    actor: Actor,
    *,
    cause: str,
    kind: str,
    recipients: Collection[str],
    language: str,
    subject: str,
    body: str,
    documents: Collection[int] = (),
    copies: Collection[str] = (),
    buyer_id: int | None = None,
    reply_to: str = "",
) -> Message:
    """Put a message into the queue in the running unit of work; the same cause gives the message it made before.

    Who calls writes the journal. Errors: ``message_without_recipient``, ``message_too_many_recipients``, ``message_text_unusable``,
    ``mail_address_unsafe``.
    """
    known = session.scalar(select(Message).where(Message.cause == cause))
    if known is not None:
        return known
    to = _addresses(recipients)
    also = [address for address in _addresses(copies) if address.casefold() not in {each.casefold() for each in to}]
    if not to:
        raise Refusal("message_without_recipient", subject=subject[:80])
    if len(to) + len(also) > MOST_RECIPIENTS:
        raise Refusal("message_too_many_recipients", most=MOST_RECIPIENTS)
    plain_subject = " ".join(subject.split())
    if not plain_subject or not body.strip() or len(plain_subject) > LONGEST_SUBJECT or len(body) > LONGEST_BODY:
        raise Refusal("message_text_unusable", subject=LONGEST_SUBJECT, body=LONGEST_BODY)
    sender = parseaddr(current_app.config["INSUREFLOW"].mail_from or "")[1]
    at = now()
    message = Message(
        cause=cause,
        kind=kind,
        buyer_id=buyer_id,
        recipients=to,
        copies=also,
        reply_to=_addresses([reply_to])[0] if reply_to else "",
        language=language,
        subject=plain_subject,
        body=body,
        documents=list(documents),
        state=MessageState.QUEUED,
        attempts=0,
        next_attempt_at=at,
        message_id=f"<{uuid.uuid4().hex}@{sender.rpartition('@')[2] or _NOWHERE}>",
        created_at=at,
        created_by_id=actor.user_id,
    )
    session.add(message)
    session.flush()
    return message


def get_message(session: Session, message_id: int, *, lock: bool = False) -> Message:
    """The message with this key. Errors: ``mail_unknown``."""
    statement = select(Message).where(Message.id == message_id)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    message = session.scalar(statement)
    if message is None:
        raise Refusal("mail_unknown", message=str(message_id))
    return message


def state_of(organisation_id: int, message_id: int) -> MessageState:
    """How a message stands now, as it is stored. Errors: ``mail_unknown``."""
    with transaction(organisation_id) as session:
        return get_message(session, message_id, lock=True).state


def repeat(actor: Actor, organisation_id: int, message_id: int, *, recipients: Collection[str] | None = None) -> Message:
    """Send a message again that failed, came back, or of which nobody knows; a person decides this, and may correct the address.

    It keeps its identification, so that a mail program that has it already can tell.
    Errors: ``mail_unknown``, ``message_cannot``, ``message_without_recipient``, ``mail_address_unsafe``.
    """
    with transaction(organisation_id) as session:
        message = get_message(session, message_id, lock=True)
        before = {"state": message.state, "recipients": list(message.recipients)}
        move(message, MessageAction.REPEAT)
        if recipients is not None:
            to = _addresses(recipients)
            if not to:
                raise Refusal("message_without_recipient", subject=message.subject[:80])
            if to != message.recipients:
                message.recipients, message.sha256 = to, ""
        message.attempts, message.next_attempt_at = 0, now()
        message.last_error, message.bounce, message.bounced_at, message.sent_at = None, None, None, None
        journal.record(
            session,
            actor,
            "mail.repeated",
            subject_of(message),
            before=before,
            after={"state": message.state, "recipients": list(message.recipients)},
        )
        announce(session, message)
        return message


def cancel(actor: Actor, organisation_id: int, message_id: int) -> Message:
    """Do not send a message. Errors: ``mail_unknown``, ``message_cannot``."""
    return _decide(actor, organisation_id, message_id, MessageAction.CANCEL, "mail.cancelled")


def confirm_arrival(actor: Actor, organisation_id: int, message_id: int) -> Message:
    """A message of which nobody knew did arrive, as a person has made sure: it was sent when it was tried, not when that is found out.

    Errors: ``mail_unknown``, ``message_cannot``.
    """
    return _decide(actor, organisation_id, message_id, MessageAction.ACCEPT, "mail.confirmed")


def _decide(actor: Actor, organisation_id: int, message_id: int, action: MessageAction, entry: str) -> Message:
    with transaction(organisation_id) as session:
        message = get_message(session, message_id, lock=True)
        before = {"state": message.state}
        if action is MessageAction.ACCEPT and message.state is not MessageState.UNCERTAIN:
            raise Refusal("message_cannot", state=message.state, action=action)
        move(message, action)
        if message.state is MessageState.SENT:
            message.sent_at = message.next_attempt_at - timedelta(minutes=LEASE_MINUTES)
        journal.record(session, actor, entry, subject_of(message), before=before, after={"state": message.state})
        announce(session, message)
        return message

"""Messages handed to the mail server: claimed first, sent outside any unit of work, recorded after.

A process that dies between the server's answer and its record leaves a message that is neither sent nor unsent. It becomes
*uncertain* and waits for a person; nothing is sent twice by itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parseaddr

import structlog
from flask import current_app
from sqlalchemy import Select, func, select

from insureflow.connectors import mail
from insureflow.connectors.mail import Acceptance, AnswerLost, Attachment, Mail, MailError, PutOff
from insureflow.domain.errors import Refusal
from insureflow.domain.messages import MessageAction, MessageState
from insureflow.models.messages import Message
from insureflow.services import contacts, issued_documents, journal
from insureflow.services.clock import now
from insureflow.services.journal import Actor
from insureflow.services.messages.hooks import LEASE_MINUTES, announce, move
from insureflow.services.messages.queueing import get_message, subject_of
from insureflow.services.transaction import transaction

log = structlog.get_logger("insureflow.mail")

ACTOR = Actor(None, "mail")
#: After so many minutes a message that was put off is tried again; after the last of them it has failed.
WAITS = (1, 2, 5, 15, 30, 60, 120, 240, 480, 720)


@dataclass
class Delivered:
    """What one round did."""

    sent: int = 0
    put_off: int = 0
    failed: int = 0
    uncertain: int = 0
    waiting: int = 0

    def counts(self) -> dict[str, int]:
        """The same by name, as the run of a job keeps it."""
        return {
            "mail_sent": self.sent,
            "mail_put_off": self.put_off,
            "mail_failed": self.failed,
            "mail_uncertain": self.uncertain,
            "mail_waiting": self.waiting,
        }


@dataclass(frozen=True, slots=True)
class _Claimed:
    id: int
    sender: str
    recipients: tuple[str, ...]
    is_last_attempt: bool
    content: bytes = field(repr=False)


def is_mail_configured() -> bool:
    """Whether this installation has a mail server; without one mail is kept and waits."""
    return bool(current_app.config["INSUREFLOW"].smtp_url)


def check_connection() -> None:
    """Whether the mail server can be reached and lets us in. Errors: ``Refusal`` ``mail_not_configured``, ``mail_not_working``."""
    settings = current_app.config["INSUREFLOW"]
    if not settings.smtp_url:
        raise Refusal("mail_not_configured")
    try:
        mail.try_connection(mail.server_of(settings.smtp_url))
    except MailError as error:
        raise Refusal("mail_not_working", reason=error.reply) from error


def deliver_due(organisation_id: int, at: datetime | None = None, *, wants_to_stop: Callable[[], bool] = lambda: False) -> Delivered:
    """Send what waits, one message after the other; safe to run twice at once and to be killed at any point."""
    done = Delivered()
    moment = at or now()
    done.uncertain += _give_up_lost(organisation_id, moment)
    settings = current_app.config["INSUREFLOW"]
    if not settings.smtp_url or not settings.mail_from:
        with transaction(organisation_id) as session:
            done.waiting = session.scalar(select(func.count()).select_from(_due(moment).subquery())) or 0
        return done
    server = mail.server_of(settings.smtp_url)
    last = 0
    while not wants_to_stop():
        claimed = _claim(organisation_id, moment, settings.mail_from, last, done)
        if claimed is None:
            break
        if isinstance(claimed, int):
            last = claimed
            continue
        last = claimed.id
        _hand_over(organisation_id, server, claimed, done)
    return done


def _hand_over(organisation_id: int, server: mail.MailServer, claimed: _Claimed, done: Delivered) -> None:
    try:
        acceptance = mail.send(
            server, claimed.content, sender=claimed.sender, recipients=claimed.recipients, is_last_attempt=claimed.is_last_attempt
        )
    except AnswerLost as error:
        _record_failure(organisation_id, claimed.id, MessageAction.LOSE, error)
        done.uncertain += 1
    except PutOff as error:
        if claimed.is_last_attempt:
            _record_failure(organisation_id, claimed.id, MessageAction.REFUSE, error)
            done.failed += 1
        else:
            _record_failure(organisation_id, claimed.id, MessageAction.PUT_OFF, error)
            done.put_off += 1
    except MailError as error:
        _record_failure(organisation_id, claimed.id, MessageAction.REFUSE, error)
        done.failed += 1
    else:
        _record_acceptance(organisation_id, claimed, acceptance)
        done.sent += 1


def _due(at: datetime) -> Select[Message]:
    return select(Message).where(Message.state == MessageState.QUEUED, Message.next_attempt_at <= at)


def _give_up_lost(organisation_id: int, at: datetime) -> int:
    """Messages whose sender died while they were on their way: nobody knows whether they arrived."""
    with transaction(organisation_id) as session:
        lost = session.scalars(
            select(Message)
            .where(Message.state == MessageState.SENDING, Message.next_attempt_at <= at)
            .with_for_update(skip_locked=True)
            .execution_options(populate_existing=True)
        ).all()
        for message in lost:
            move(message, MessageAction.LOSE)
            message.last_error = {"code": "mail_sender_died", "reply": ""}
            journal.record(session, ACTOR, "mail.uncertain", subject_of(message), after={"attempts": message.attempts})
            announce(session, message)
        return len(lost)


def _claim(organisation_id: int, at: datetime, sender: str, after: int, done: Delivered) -> _Claimed | int | None:
    """Take the next message that is due; nobody else can take it until its lease is over. A key alone: it cannot be written."""
    with transaction(organisation_id) as session:
        following = _due(at).where(Message.id > after).order_by(Message.id).limit(1)
        message = session.scalar(following.with_for_update(skip_locked=True).execution_options(populate_existing=True))
        if message is None:
            return None
        move(message, MessageAction.START)
        message.attempts += 1
        message.next_attempt_at = now() + timedelta(minutes=LEASE_MINUTES)
        try:
            content = write_message(organisation_id, message, sender)
        except Refusal as refusal:
            move(message, MessageAction.REFUSE)
            message.last_error = {"code": refusal.code, "reply": str(refusal)[:300]}
            journal.record(session, ACTOR, "mail.failed", subject_of(message), after={"reason": refusal.code})
            announce(session, message)
            done.failed += 1
            return message.id
        message.sha256 = hashlib.sha256(content).hexdigest()
        return _Claimed(message.id, parseaddr(sender)[1], (*message.recipients, *message.copies), message.attempts > len(WAITS), content)


def write_message(organisation_id: int, message: Message, sender: str) -> bytes:
    """A message as the bytes that travel; every attempt sends the same. Errors: ``Refusal`` where a paper of it is damaged or gone."""
    attachments = [
        Attachment(file.name, file.media_type, file.content)
        for file in (issued_documents.read(organisation_id, int(document_id)) for document_id in message.documents)
    ]
    return mail.write(
        Mail(
            message_id=message.message_id,
            sender=sender,
            recipients=message.recipients,
            copies=message.copies,
            reply_to=message.reply_to,
            subject=message.subject,
            body=message.body,
            language=message.language,
            dated_at=message.created_at,
            attachments=attachments,
        )
    )


def _record_acceptance(organisation_id: int, claimed: _Claimed, acceptance: Acceptance) -> None:
    with transaction(organisation_id) as session:
        message = get_message(session, claimed.id, lock=True)
        if message.state not in {MessageState.SENDING, MessageState.UNCERTAIN}:
            log.warning("a message was sent and decided upon at once", message=message.id, state=message.state)
            return
        move(message, MessageAction.ACCEPT)
        at = now()
        message.sent_at, message.last_error = at, None
        if acceptance.refused:
            message.last_error = {"code": "mail_some_refused", "reply": "; ".join(f"{k}: {v}" for k, v in acceptance.refused.items())[:300]}
            contacts.mark_bounced(session, acceptance.refused, at)
        journal.record(
            session,
            ACTOR,
            "mail.sent",
            subject_of(message),
            after={
                "recipients": list(claimed.recipients),
                "sha256": message.sha256,
                "message_id": message.message_id,
                "reply": acceptance.reply,
            },
        )
        announce(session, message)


def _record_failure(organisation_id: int, message_id: int, action: MessageAction, error: MailError) -> None:
    with transaction(organisation_id) as session:
        message = get_message(session, message_id, lock=True)
        if message.state is not MessageState.SENDING:
            return
        move(message, action)
        message.last_error = {"code": error.code, "reply": error.reply}
        if action is MessageAction.PUT_OFF:
            message.next_attempt_at = now() + timedelta(minutes=WAITS[min(message.attempts, len(WAITS)) - 1])
            return
        if error.code == "mail_recipients_refused":
            contacts.mark_bounced(session, message.recipients, now())
        entry = "mail.uncertain" if action is MessageAction.LOSE else "mail.failed"
        journal.record(session, ACTOR, entry, subject_of(message), after={"reason": error.code, "reply": error.reply})
        announce(session, message)

"""How a paper reaches the insurer, and the proof of it: who, when, by which channel, to whom, what exactly, and whether it arrived.

An e-mail is handed to the outbox in the unit of work that says so, and counts once the mail server took it. What a person put into a
portal or posted counts on the day the person gives, with the number of the portal or the receipt as evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from insureflow.domain.access import Permission
from insureflow.domain.errors import InvalidValue, Refusal
from insureflow.domain.messages import MessageState, NoticeToPerson
from insureflow.domain.notices import Channel, NoticeAction, NoticeState
from insureflow.domain.webhooks import WebhookEvent
from insureflow.models.documents import IssuedDocument
from insureflow.models.messages import Message
from insureflow.models.notices import Notice, NoticeDispatch
from insureflow.services import files, journal, messages, telling, webhooks
from insureflow.services.clock import business_date, now
from insureflow.services.files import NewEvidence
from insureflow.services.journal import Actor
from insureflow.services.messages.queueing import LONGEST_BODY
from insureflow.services.notices import effects
from insureflow.services.notices.answering import EVIDENCE_KIND
from insureflow.services.notices.keeping import account_of, contact_of, get_notice, move, subject_of
from insureflow.services.notices.papers import mail_of, organisation_zone, paper_of
from insureflow.services.transaction import transaction

#: The kind under which the outbox knows the e-mails of papers for insurers.
MESSAGE_KIND = "notice"

#: Who acts when a mail server answers.
POST_OFFICE = Actor(None, "mail")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """How a paper is sent. ``on`` and ``protocol_number`` or ``recipient`` are what a person says of a portal or the post.

    ``with_old_figures``: somebody knows that its figures are of an earlier day than the sending, and wants it sent all the same.
    """

    channel: Channel
    on: date | None = None
    recipient: str = ""
    protocol_number: str = ""
    note: str = ""
    evidence: NewEvidence | None = None
    with_old_figures: bool = False


def send(actor: Actor, organisation_id: int, notice_id: int, sending: Sending, today: date) -> Notice:
    """Send an approved paper, or record that a person sent it.

    Errors: ``notice_unknown``, ``notice_cannot``, ``notice_document_missing``, ``notice_connection_not_offered``, ``notice_no_recipient``,
    ``notice_protocol_needed``, ``notice_recipient_needed``, ``notice_sent_in_future``, ``notice_sent_before_draft``,
    ``notice_figures_old``.
    """
    with transaction(organisation_id) as session:
        notice = get_notice(session, notice_id)
        document = None if notice.document_id is None else session.get(IssuedDocument, notice.document_id)
        if document is None:
            raise Refusal("notice_document_missing")
        sent_on = today if sending.channel is Channel.EMAIL else sending.on or today
        if notice.as_of < min(sent_on, today) and not sending.with_old_figures:
            raise InvalidValue("notice_figures_old", "with_old_figures", as_of=notice.as_of, on=sent_on)
        _WAYS[sending.channel](session, actor, notice, document, sending, today)
        return notice


def _by_connection(session: Session, actor: Actor, notice: Notice, document: IssuedDocument, sending: Sending, today: date) -> None:
    """No insurer publishes how a notification is to be written for its interface; none is made up here."""
    del actor, document, sending, today
    raise Refusal("notice_connection_not_offered", insurer=account_of(session, notice)[1].insurer)


def _by_email(session: Session, actor: Actor, notice: Notice, document: IssuedDocument, sending: Sending, today: date) -> None:
    _buyer, policy = account_of(session, notice)
    contact = contact_of(session, policy.id)
    if contact is None or not contact.email:
        raise Refusal("notice_no_recipient", policy=policy.number)
    move(notice, NoticeAction.HAND_OVER)
    paper = paper_of(session, notice, number=document.number, issued_on=document.dated_on, signed_by=notice.approved_by_id)
    mail = mail_of(paper, notice.language)
    attempt = _count(session, notice) + 1
    message = messages.queue(
        session,
        actor,
        cause=f"notice/{notice.id}/{attempt}",
        kind=MESSAGE_KIND,
        recipients=[contact.email],
        language=notice.language,
        subject=mail.subject,
        body=mail.body[:LONGEST_BODY],
        documents=[document.id],
        buyer_id=notice.buyer_id,
    )
    notice.channel = Channel.EMAIL
    _dispatch(session, actor, notice, document, sending, today, recipient=contact.email, message_id=message.id)
    journal.record(
        session,
        actor,
        "notice.handed_over",
        subject_of(session, notice),
        after={"channel": Channel.EMAIL, "recipient": contact.email, "sha256": document.sha256},
    )


def _by_hand(session: Session, actor: Actor, notice: Notice, document: IssuedDocument, sending: Sending, today: date) -> None:
    """Through a portal or by post: a person did it and says when."""
    contact = contact_of(session, notice.policy_id)
    recipient = sending.recipient.strip()
    if sending.channel is Channel.PORTAL:
        if not sending.protocol_number.strip():
            raise InvalidValue("notice_protocol_needed", "protocol_number")
        recipient = recipient or (contact.portal if contact is not None else "")
    else:
        recipient = recipient or (", ".join(contact.address.splitlines()) if contact is not None else "")
        if not recipient:
            raise InvalidValue("notice_recipient_needed", "recipient")
    sent_on = sending.on or today
    if sent_on > today:
        raise InvalidValue("notice_sent_in_future", "sent_on", sent_on, on=sent_on, today=today)
    if sent_on < notice.as_of:
        raise InvalidValue("notice_sent_before_draft", "sent_on", sent_on, on=sent_on, as_of=notice.as_of)
    notice.channel = sending.channel
    dispatch = _dispatch(session, actor, notice, document, sending, sent_on, recipient=recipient)
    _deliver(session, actor, notice, dispatch, sent_on, today)


#: What each channel does.
_WAYS: Mapping[Channel, Callable[[Session, Actor, Notice, IssuedDocument, Sending, date], None]] = {
    Channel.CONNECTION: _by_connection,
    Channel.EMAIL: _by_email,
    Channel.PORTAL: _by_hand,
    Channel.POST: _by_hand,
}


def _count(session: Session, notice: Notice) -> int:
    return session.scalar(select(func.count()).select_from(NoticeDispatch).where(NoticeDispatch.notice_id == notice.id)) or 0


def _dispatch(
    session: Session,
    actor: Actor,
    notice: Notice,
    document: IssuedDocument,
    sending: Sending,
    on: date,
    *,
    recipient: str,
    message_id: int | None = None,
) -> NoticeDispatch:
    details: dict[str, object] = {"document": document.number, "note": sending.note.strip()[:1000]}
    if sending.evidence is not None:
        file = files.keep(session, actor, sending.evidence, buyer_id=notice.buyer_id)
        files.link(session, actor, file, EVIDENCE_KIND, notice.id)
        details["evidence"] = [file.id]
    dispatch = NoticeDispatch(
        notice_id=notice.id,
        channel=sending.channel,
        at=now(),
        by_id=actor.user_id,
        on=on,
        recipient=recipient[:500],
        sha256=document.sha256,
        protocol_number=sending.protocol_number.strip()[:120],
        message_id=message_id,
        details=details,
    )
    session.add(dispatch)
    session.flush()
    return dispatch


def _deliver(session: Session, actor: Actor, notice: Notice, dispatch: NoticeDispatch, sent_on: date, today: date) -> None:
    """The paper is with the insurer: the proof is complete, the facts of the account follow."""
    move(notice, NoticeAction.DELIVER)
    notice.sent_on = sent_on
    dispatch.on, dispatch.is_delivered = sent_on, True
    session.flush()
    proof = dispatch.protocol_number or str(dispatch.details.get("document", ""))
    done = effects.when_sent(session, actor, notice, sent_on, today, f"{notice.kind.value} {proof}".replace("_", " ").strip())
    dispatch.details = {**dispatch.details, "act_ids": done.act_ids, "mark_ids": done.mark_ids}
    session.flush()
    after = {
        "channel": dispatch.channel,
        "sent_on": sent_on,
        "recipient": dispatch.recipient,
        "protocol_number": dispatch.protocol_number,
        "sha256": dispatch.sha256,
    }
    journal.record(session, actor, "notice.sent", subject_of(session, notice), after=after)
    said = {
        "notice": notice.id,
        "kind": notice.kind.value,
        "buyer": notice.buyer_id,
        "policy": notice.policy_id,
        "channel": dispatch.channel.value,
        "sent_on": sent_on.isoformat(),
        "deadline_on": None if notice.deadline_on is None else notice.deadline_on.isoformat(),
        "sha256": dispatch.sha256,
    }
    webhooks.announce(session, WebhookEvent.NOTICE_SENT, f"notice/{notice.id}/sent/{dispatch.id}", said)


def _fail(session: Session, actor: Actor, notice: Notice, dispatch: NoticeDispatch, message: Message, today: date) -> None:
    """The paper is not with the insurer: what it did is taken back, the duty is open again, and somebody is told."""
    move(notice, NoticeAction.FAIL)
    notice.sent_on = None
    dispatch.is_delivered = False
    act_ids, mark_ids = list(dispatch.details.get("act_ids", ())), list(dispatch.details.get("mark_ids", ()))
    dispatch.details = {**dispatch.details, "act_ids": [], "mark_ids": [], "problem": message.bounce or message.last_error or {}}
    session.flush()
    effects.take_back(session, actor, act_ids, "the notice was not delivered", today, mark_ids=mark_ids)
    after = {"channel": dispatch.channel, "recipient": dispatch.recipient, "message_state": message.state}
    journal.record(session, actor, "notice.failed", subject_of(session, notice), after=after)
    buyer, _policy = account_of(session, notice)
    telling.tell(
        session,
        telling.who_may(session, Permission.APPROVE_NOTICES),
        NoticeToPerson.MESSAGE_FAILED,
        f"notice/{notice.id}/failed/{dispatch.id}",
        facts={"subject": message.subject, "recipient": dispatch.recipient},
        address=f"/notices/{notice.id}",
        buyer_id=buyer.id,
    )


#: How an e-mail stands that will not reach anybody unless a person acts.
_NOT_DELIVERED = frozenset({MessageState.FAILED, MessageState.BOUNCED, MessageState.CANCELLED})


def follow_message(session: Session, message: Message) -> None:
    """What became of the e-mail of a paper, in the unit of work that records it. Whatever comes twice changes nothing twice."""
    dispatch = session.scalar(select(NoticeDispatch).where(NoticeDispatch.message_id == message.id))
    if dispatch is None:
        return
    notice = get_notice(session, dispatch.notice_id)
    zone = organisation_zone(session)
    today = business_date(zone)
    if message.state is MessageState.SENT and not dispatch.is_delivered:
        if notice.state in {NoticeState.SENDING, NoticeState.FAILED}:
            sent_at = message.sent_at or now()
            sent_on = min(sent_at.astimezone(ZoneInfo(zone)).date(), today)
            _deliver(session, POST_OFFICE, notice, dispatch, sent_on, today)
    elif message.state in _NOT_DELIVERED and notice.state in {NoticeState.SENDING, NoticeState.SENT}:
        _fail(session, POST_OFFICE, notice, dispatch, message, today)


messages.on_state(MESSAGE_KIND, follow_message)

"""What came back: reports of mail servers, matched to the messages they are about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from insureflow.connectors.mail_reports import DeliveryReport, RecipientReport, ReportedAction, read_report
from insureflow.domain.errors import Refusal
from insureflow.domain.messages import MessageAction, MessageState
from insureflow.models.messages import Message
from insureflow.services import contacts, journal
from insureflow.services.clock import now
from insureflow.services.journal import Actor
from insureflow.services.messages.hooks import announce, move
from insureflow.services.messages.queueing import get_message, subject_of
from insureflow.services.transaction import transaction

#: A report without the message's identification is held against messages of so many days.
MATCH_DAYS = 14


@dataclass(frozen=True, slots=True)
class BounceOutcome:
    """What a report changed: the message it is about, the recipients that failed, and how many contacts are marked."""

    message_id: int
    is_bounced: bool
    recipients: tuple[str, ...]
    contacts: int


def record_bounce(actor: Actor, organisation_id: int, content: bytes) -> BounceOutcome:
    """Take a report in: the message came back, and the people with these addresses are marked. The same report twice changes nothing.

    A report that a message is delayed changes nothing either. Errors: ``report_too_large``, ``report_unreadable``, ``report_unmatched``.
    """
    report = read_report(content)
    with transaction(organisation_id) as session:
        message = _message_of(session, report)
        if message is None:
            raise Refusal("report_unmatched", recipient=report.recipients[0].addresses[0])
        failed = [each for each in report.recipients if each.action is ReportedAction.FAILED]
        known = set((message.bounce or {}).get("recipients", ()))
        new = [each for each in failed if each.addresses[0] not in known]
        if not new or message.state not in {MessageState.SENT, MessageState.UNCERTAIN, MessageState.BOUNCED}:
            return BounceOutcome(message.id, message.state is MessageState.BOUNCED, tuple(sorted(known)), 0)
        at = now()
        if message.state is not MessageState.BOUNCED:
            move(message, MessageAction.BOUNCE)
            message.bounced_at = at
        message.bounce = {
            "recipients": sorted(known | {each.addresses[0] for each in new}),
            "status": new[-1].status,
            "diagnostic": new[-1].diagnostic,
            "server": report.reporting_server,
        }
        marked = contacts.mark_bounced(session, {address for each in new for address in _own(each, message)}, at)
        journal.record(session, actor, "mail.bounced", subject_of(message), after=message.bounce)
        announce(session, message)
        return BounceOutcome(message.id, True, tuple(message.bounce["recipients"]), marked)


def _own(report: RecipientReport, message: Message) -> set[str]:
    """The addresses of a report to which we wrote; a forwarded address alone is none of ours."""
    written = {str(address).casefold() for address in (*message.recipients, *message.copies)}
    own = set(report.addresses) & written
    return own or (written if len(written) == 1 else set())


def _message_of(session: Session, report: DeliveryReport) -> Message | None:
    """The message a report is about: by its identification, else the newest to the recipient that was sent of late."""
    if report.message_ids:
        found = session.scalars(
            select(Message).where(Message.message_id.in_(report.message_ids)).with_for_update().execution_options(populate_existing=True)
        ).all()
        return min(found, key=lambda each: report.message_ids.index(each.message_id)) if found else None
    wanted = {address for each in report.recipients for address in each.addresses}
    statement = (
        select(Message.id, Message.recipients)
        .where(
            Message.state.in_([MessageState.SENT, MessageState.UNCERTAIN, MessageState.BOUNCED]),
            Message.created_at >= now() - timedelta(days=MATCH_DAYS),
        )
        .order_by(Message.id.desc())
    )
    key = next((row.id for row in session.execute(statement) if {str(address).casefold() for address in row.recipients} & wanted), None)
    return None if key is None else get_message(session, key, lock=True)

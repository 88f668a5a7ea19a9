"""Notices to insurers in the demo: some answered, some sent, one that came back, some that wait for a person."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from insureflow.domain.contacts import ContactPurpose
from insureflow.domain.messages import MessageAction, next_message_state
from insureflow.domain.notices import Channel, NoticeKind, ReasonForNonPayment, ReplyOutcome, find_oldest_overdue
from insureflow.models.messages import Message
from insureflow.models.organisations import User
from insureflow.queries.notices.showing import lines_of_notice
from insureflow.queries.notices.standings import DueNotification, due_notifications
from insureflow.services import contacts, notices
from insureflow.services.contacts import DeskDetails
from insureflow.services.journal import Actor
from insureflow.services.notices import Answer, Changes, NewNotice, Sending
from insureflow.services.notices.sending import follow_message

#: Where notices go, by the demo's name of the policy.
_DESKS: Mapping[str, DeskDetails] = {
    "europe": DeskDetails(
        name="Overdues", address="David Ricardostraat 1\n1066 JS Amsterdam", email="overdues@atradius.example",
        language="en", portal="https://atrium.atradius.example",
    ),
    "world": DeskDetails(
        name="Collections", address="Dubai", email="overdues@allianz-trade.example", language="en",
        portal="https://online.allianz-trade.example",
    ),
    "america": DeskDetails(name="Claims", address="Washington, DC", email="claims@exim.example", language="en", portal="https://eol.exim.example"),
}  # fmt: skip

_REASONS = (
    (ReasonForNonPayment.CASH_FLOW, "The buyer says that its own customers pay late and asks for patience."),
    (ReasonForNonPayment.UNWILLING, "The buyer does not answer reminders or calls."),
    (ReasonForNonPayment.ADMINISTRATIVE, "The buyer changed its accounting system and cannot release payments."),
)


def notify(session: Session, organisation_id: int, policy_ids: Mapping[str, int], on: date) -> None:
    """Write and send notices as people at work would have done by a day."""
    clerk, handler = _person(session, "clerk@"), _person(session, "claims@")
    for name, desk in _DESKS.items():
        if name in policy_ids:
            contacts.set_policy_contact(clerk, organisation_id, policy_ids[name], ContactPurpose.NOTICES, desk)
    earlier = on - timedelta(days=9)
    due = due_notifications(on, on + timedelta(days=60))[:9]
    drafted = notices.draft_notifications(clerk, organisation_id, [each.buyer_id for each in due], earlier)
    keys = list(drafted.notice_ids)
    for place, key in enumerate(keys):
        reason, comment = _REASONS[place % len(_REASONS)]
        notices.change(clerk, organisation_id, key, Changes(reason=reason, comment=comment))
    approved = keys[:-1]
    for key in approved:
        notices.approve(handler, organisation_id, key, earlier + timedelta(days=1))
    for place, key in enumerate(approved[:3]):
        sent_on = on if place == 2 else earlier + timedelta(days=2 + place)  # one of today, whose instants agree with its days
        sending = Sending(channel=Channel.PORTAL, on=sent_on, protocol_number=f"NNP-{on.year}-{4410 + place}", with_old_figures=True)
        notices.send(handler, organisation_id, key, sending, on)
    outcomes = (ReplyOutcome.RECEIVED, ReplyOutcome.MORE_WANTED)
    for outcome, key in zip(outcomes, approved[:2], strict=False):
        notices.answer(handler, organisation_id, key, Answer(outcome=outcome, on=on - timedelta(days=2)), on)
    for key in approved[3:4]:
        _come_back(session, organisation_id, handler, key, on)
    notices.draft_due(organisation_id, on)
    for each in due[:1]:
        _ask_for_time(clerk, organisation_id, each, on)


def _ask_for_time(actor: Actor, organisation_id: int, due: DueNotification, on: date) -> None:
    """A draft that asks the insurer to agree to a later day for the oldest invoice."""
    new = NewNotice(kind=NoticeKind.EXTENSION, buyer_id=due.buyer_id, policy_id=due.policy_id, comment="The buyer asks for 60 days more.")
    notice = notices.draft(actor, organisation_id, new, on)
    oldest = find_oldest_overdue(lines_of_notice(notice.id), on)
    if oldest is not None:
        notices.change(actor, organisation_id, notice.id, Changes(new_due_dates={oldest.number: on + timedelta(days=60)}))


def _come_back(session: Session, organisation_id: int, actor: Actor, notice_id: int, on: date) -> None:
    """An e-mail that the insurer's server refused."""
    notices.send(actor, organisation_id, notice_id, Sending(channel=Channel.EMAIL, with_old_figures=True), on)
    message = session.scalars(select(Message).where(Message.cause.startswith(f"notice/{notice_id}/"))).one()
    message.last_error = {"code": "mail_recipients_refused", "reply": "550 no such user"}
    message.message_id = f"<{message.cause.replace('/', '.')}@norrvik.example>"  # the same in every demo
    for action in (MessageAction.START, MessageAction.REFUSE):
        message.state = next_message_state(message.state, action)
    follow_message(session, message)


def _person(session: Session, start: str) -> Actor:
    user = session.scalars(select(User).where(User.email.startswith(start)).order_by(User.id)).first()
    return Actor(None, "demo") if user is None else Actor(user.id, user.name)

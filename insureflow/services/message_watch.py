"""People and other systems are told when a message was not delivered, came back, or nobody knows. Importing it is enough."""

from __future__ import annotations

from sqlalchemy.orm import Session

from insureflow.domain.access import Permission
from insureflow.domain.messages import MessageState, NoticeToPerson
from insureflow.models.messages import Message
from insureflow.services import messages, notices, telling, webhooks

_TOLD = frozenset({MessageState.FAILED, MessageState.BOUNCED, MessageState.UNCERTAIN})


def _people(session: Session, message: Message) -> list[int]:
    """Those whose work it is: of a paper for an insurer those who answer for it, whom the paper itself tells that it did not arrive."""
    if message.kind != notices.MESSAGE_KIND:
        return telling.who_may(session, Permission.SEND_LETTERS)
    return telling.who_may(session, Permission.APPROVE_NOTICES) if message.state is MessageState.UNCERTAIN else []


def _watch(session: Session, message: Message) -> None:
    if message.state not in _TOLD:
        return
    recipient = ", ".join(message.recipients)
    stamp = message.bounced_at or message.next_attempt_at
    cause = f"mail:{message.id}:{message.state}:{stamp.isoformat()}"
    telling.tell(
        session,
        _people(session, message),
        NoticeToPerson.MESSAGE_FAILED,
        cause,
        facts={"subject": message.subject, "recipient": recipient},
        address=f"/messages/{message.id}",
        buyer_id=message.buyer_id,
    )
    webhooks.announce(
        session,
        f"message.{message.state}",
        cause,
        {
            "message": message.id,
            "kind": message.kind,
            "subject": message.subject,
            "recipients": message.recipients,
            "buyer": message.buyer_id,
        },
    )


messages.on_state(messages.ANY_KIND, _watch)

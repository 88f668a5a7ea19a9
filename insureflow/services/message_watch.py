"""People and other systems are told when a message was not delivered, came back, or nobody knows. Importing it is enough."""

from __future__ import annotations

from sqlalchemy.orm import Session

from insureflow.domain.access import Permission
from insureflow.domain.messages import MessageState, NoticeToPerson
from insureflow.models.messages import Message
from insureflow.services import messages, telling, webhooks

_TOLD = frozenset({MessageState.FAILED, MessageState.BOUNCED, MessageState.UNCERTAIN})


def _watch(session: Session, message: Message) -> None:
    if message.state not in _TOLD:
        return
    recipient = ", ".join(message.recipients)
    stamp = message.bounced_at or message.next_attempt_at
    cause = f"mail:{message.id}:{message.state}:{stamp.isoformat()}"
    telling.tell(
        session,
        telling.who_may(session, Permission.SEND_LETTERS),
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

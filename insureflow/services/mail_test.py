"""A message to oneself, to see that mail works."""

from __future__ import annotations

import uuid

from insureflow.models.messages import Message
from insureflow.services import journal, messages
from insureflow.services.journal import Actor, Subject
from insureflow.services.transaction import transaction


def queue_test(actor: Actor, organisation_id: int, address: str, language: str) -> Message:
    """Queue a test message, once the mail server was reached. Errors: ``mail_not_configured``, ``mail_not_working``, ``mail_address_unsafe``."""
    messages.check_connection()
    with transaction(organisation_id) as session:
        message = messages.queue(
            session,
            actor,
            cause=f"test:{uuid.uuid4().hex}",
            kind="test",
            recipients=[address],
            language=language,
            subject="InsureFlow: test",
            body="InsureFlow – å ä ö ü ß é ñ – 测试\n",
        )
        journal.record(
            session, actor, "mail.tested", Subject("mail", message.id, message.subject), after={"recipients": message.recipients}
        )
        return message

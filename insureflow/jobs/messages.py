"""E-mail handed to the mail server, minute by minute."""

from __future__ import annotations

from collections.abc import Mapping

from insureflow.services import message_watch, messages
from insureflow.services.jobs import Served

#: Who is told of messages that fail registers at import.
WATCHES = message_watch


def deliver(served: Served) -> Mapping[str, int]:
    """Send what waits; what was sent, put off and lost."""
    return messages.deliver_due(served.organisation_id, wants_to_stop=served.wants_to_stop).counts()

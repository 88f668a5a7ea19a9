"""Events handed to other systems, minute by minute."""

from __future__ import annotations

from collections.abc import Mapping

from insureflow.services import webhooks
from insureflow.services.jobs import Served


def deliver(served: Served) -> Mapping[str, int]:
    """Send what waits."""
    return webhooks.deliver_due(served.organisation_id, wants_to_stop=served.wants_to_stop).counts()

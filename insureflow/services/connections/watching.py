"""Connections without news for too long: work for somebody, once per silence."""

from __future__ import annotations

from datetime import datetime

from insureflow.domain.connections import Health
from insureflow.queries.connections import list_health
from insureflow.services import work_items
from insureflow.services.transaction import transaction


def note_stale(organisation_id: int, at: datetime) -> int:
    """Make work of every connection that is stale; gives how many are."""
    count = 0
    with transaction(organisation_id) as session:
        for each in list_health(at):
            if each.health is Health.STALE:
                count += 1
                since = (each.last_good_at or each.created_at).isoformat(timespec="seconds")
                work_items.open_item(
                    session,
                    "connection_stale",
                    f"connection/{each.connection_id}/{since}",
                    policy_id=each.policy_id,
                    facts={"since": since},
                )
    return count

"""The nightly look at the journal: whether anybody has changed what was written."""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from insureflow.services import journal
from insureflow.services.jobs import Served

log = structlog.get_logger("insureflow.jobs")


class JournalDamaged(RuntimeError):
    """Entries no longer fit the chain; the run is marked as failed, so that it is seen."""


def verify(served: Served) -> Mapping[str, int]:
    """How many entries of an organisation were looked at. Errors: ``JournalDamaged``."""
    found = journal.verify(served.organisation_id)
    if not found.is_sound:
        log.error("journal damaged", organisation=served.slug, faults=len(found.faults))
        raise JournalDamaged(f"{len(found.faults)} of {found.entries}")
    return {"entries": found.entries}

"""The nightly look at the journal: whether anybody has changed what was written."""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from insureflow.services import jobs, journal

log = structlog.get_logger("insureflow.jobs")


class JournalDamaged(RuntimeError):
    """Entries no longer fit the chain; the run is marked as failed, so that it is seen."""


def verify_all() -> Mapping[str, int]:
    """How many organisations and entries were looked at. Errors: ``JournalDamaged`` once all were."""
    entries, damaged = 0, []
    everybody = jobs.organisations_to_serve()
    for organisation_id, slug in everybody:
        found = journal.verify(organisation_id)
        entries += found.entries
        if not found.is_sound:
            damaged.append(slug)
            log.error("journal damaged", organisation=slug, faults=len(found.faults))
    if damaged:
        raise JournalDamaged(", ".join(damaged))
    return {"organisations": len(everybody), "entries": entries}

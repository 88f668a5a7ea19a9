"""The nightly drafts of notifications whose deadline comes near."""

from __future__ import annotations

from collections.abc import Mapping

from insureflow.services import notices
from insureflow.services.jobs import Served


def draft(served: Served) -> Mapping[str, int]:
    """How many were drafted, how many accounts had one already, and how many drafts were brought up to date; the same duty is drafted once."""
    made = notices.draft_due(served.organisation_id, served.today)
    return {"drafted": len(made.notice_ids), "same": made.known, "renewed": made.renewed}

"""The nightly reminders of duties. What is due follows from the dates alone: a night without them loses nothing but the reminder."""

from __future__ import annotations

from collections.abc import Mapping

from insureflow.services import reminders
from insureflow.services.jobs import Served


def remind(served: Served) -> Mapping[str, int]:
    """How much people were told; the same is told once."""
    return {"told": reminders.remind(served.organisation_id, served.today)}

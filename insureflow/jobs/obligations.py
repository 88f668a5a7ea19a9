"""The nightly reminders of duties and the morning's summaries. What is due follows from the dates alone, whether or not a job ran."""

from __future__ import annotations

from collections.abc import Mapping

from flask import current_app

from insureflow.services import digests, reminders
from insureflow.services.jobs import Served


def remind(served: Served) -> Mapping[str, int]:
    """How much people were told; the same is told once."""
    return {"told": reminders.remind(served.organisation_id, served.today)}


def send_digests(served: Served) -> Mapping[str, int]:
    """How many summaries went into the queue of e-mails; nobody gets one twice."""
    home = current_app.config["INSUREFLOW"].public_url or ""
    return {"made": digests.send(served.organisation_id, served.today, home=home)}

"""The nightly look at evidence for discretionary limits that is about to run out."""

from __future__ import annotations

from collections.abc import Mapping

from insureflow.services import discretionary, jobs, organisations
from insureflow.services.clock import business_date


def remind_all() -> Mapping[str, int]:
    """How many organisations were looked at, and how much work was made; the same evidence makes it once."""
    made = 0
    everybody = jobs.organisations_to_serve()
    for organisation_id, slug in everybody:
        made += discretionary.remind(organisation_id, business_date(organisations.get_organisation(slug).time_zone))
    return {"organisations": len(everybody), "made": made}

"""The nightly look at evidence for discretionary limits that is about to run out."""

from __future__ import annotations

from collections.abc import Mapping

from insureflow.services import discretionary
from insureflow.services.jobs import Served


def remind(served: Served) -> Mapping[str, int]:
    """How much work was made; the same evidence makes it once."""
    return {"made": discretionary.remind(served.organisation_id, served.today)}

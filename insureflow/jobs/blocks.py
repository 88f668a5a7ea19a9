"""The nightly word of buyers that are blocked. Whether a buyer is blocked follows from the dates alone, whether or not this ran."""

from __future__ import annotations

from collections.abc import Mapping

from insureflow.services import blocks
from insureflow.services.jobs import Served


def tell(served: Served) -> Mapping[str, int]:
    """How many people were told of buyers blocked in the last days, and what other systems were told; each change is told once."""
    began, ended = blocks.note_all_changes(served.organisation_id, served.today)
    return {"told": blocks.tell_of_new(served.organisation_id, served.today), "buyers_blocked": began, "buyers_released": ended}

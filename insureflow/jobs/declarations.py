"""The nightly drafting of the declarations that fall due."""

from __future__ import annotations

from collections.abc import Mapping

from insureflow.services import declarations
from insureflow.services.jobs import Served


def draft(served: Served) -> Mapping[str, int]:
    """How many declarations were drafted; a period is drafted by itself once."""
    return {"declarations_drafted": declarations.draft_due(served.organisation_id, served.today)}

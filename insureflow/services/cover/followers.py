"""What follows from cover that was worked out anew: features that depend on it say here what they do then."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date

from sqlalchemy.orm import Session

#: Called in the unit of work in which the cover of these buyers (None: of all) was worked out.
ON_REFRESHED: list[Callable[[Session, Collection[int] | None, date], None]] = []


def tell(session: Session, buyer_ids: Collection[int] | None, on: date) -> None:
    """Let everything that depends on the cover of these buyers do its part."""
    for told in ON_REFRESHED:
        told(session, buyer_ids, on)

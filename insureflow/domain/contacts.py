"""People and places that papers go to."""

from __future__ import annotations

from enum import StrEnum


class ContactPurpose(StrEnum):
    """What an address at the insurer of a policy is for."""

    NOTICES = "notices"
    LIMITS = "limits"
    CLAIMS = "claims"

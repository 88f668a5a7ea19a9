"""Disputes: how they end."""

from __future__ import annotations

from enum import StrEnum


class DisputeOutcome(StrEnum):
    """How a dispute ended. *Source:* cover waits for an amicable settlement or an enforceable judgment or award."""

    SETTLEMENT = "settlement"
    JUDGMENT = "judgment"
    WITHDRAWN = "withdrawn"
    CREDITED = "credited"

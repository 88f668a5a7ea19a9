"""Blocks on shipments: why an invoice does not count, and where a block comes from."""

from __future__ import annotations

from enum import StrEnum


class ExceptionReason(StrEnum):
    """Why an overdue invoice does not count for the block of its buyer."""

    DISPUTED = "disputed"
    ONE_OFF = "one_off"
    PAYMENT_ON_ITS_WAY = "payment_on_its_way"
    INSURER_AGREED = "insurer_agreed"


class BlockSource(StrEnum):
    """Where a block comes from."""

    POLICY = "policy"
    INSURER = "insurer"
    MANUAL = "manual"
    GROUP = "group"

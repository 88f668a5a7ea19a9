"""Who is blocked on a day, and why: one by one, and as a list."""

from __future__ import annotations

from insureflow.queries.blocks.deciding import (
    blocks_of,
    exceptions_of,
    find_block,
    hand_blocks_of,
    hand_blocks_on,
    house_blocks_on,
    newly_blocked,
    stopped_accounts,
)
from insureflow.queries.blocks.listing import STATES, BlockListing, blocked_since

__all__ = [
    "STATES",
    "BlockListing",
    "blocked_since",
    "blocks_of",
    "exceptions_of",
    "find_block",
    "hand_blocks_of",
    "hand_blocks_on",
    "house_blocks_on",
    "newly_blocked",
    "stopped_accounts",
]

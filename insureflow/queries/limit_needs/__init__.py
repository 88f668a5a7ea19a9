"""How much limit buyers need, against what was asked for, granted and used: of all of them in a list, and of one."""

from __future__ import annotations

from insureflow.queries.limit_needs.account import AccountNeed, fees_by_terms, find_need, list_fees
from insureflow.queries.limit_needs.listing import MONTHS, TOLERANCE, NeedStanding, needs_listing

__all__ = ["MONTHS", "TOLERANCE", "AccountNeed", "NeedStanding", "fees_by_terms", "find_need", "list_fees", "needs_listing"]

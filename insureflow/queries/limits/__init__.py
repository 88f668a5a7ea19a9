"""Limits read: the register of what is in force, the history of decisions, and how one decision stands."""

from __future__ import annotations

from insureflow.queries.limits.decisions import AccountLimits, DecisionView, acts_of, find_act, find_decision, limits_of_buyer
from insureflow.queries.limits.history import history_listing
from insureflow.queries.limits.register import UseBand, count_by_situation, policies_of_entity, register_listing

__all__ = [
    "AccountLimits",
    "DecisionView",
    "UseBand",
    "acts_of",
    "count_by_situation",
    "find_act",
    "find_decision",
    "history_listing",
    "limits_of_buyer",
    "policies_of_entity",
    "register_listing",
]

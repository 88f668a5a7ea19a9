"""Dunning: reminding a buyer, by level and rule, and what is promised in return."""

from __future__ import annotations

from insureflow.domain.dunning.interest import ChargedSpan, LateInvoice, SetApart, calculate_spans
from insureflow.domain.dunning.life import LetterAction, next_letter_state, promise_state
from insureflow.domain.dunning.rules import (
    DEFAULT_DATA,
    ORDER,
    CompensationRule,
    DunningRules,
    InterestRule,
    LevelRule,
    ScopedRule,
    calculate_interest,
    explain_level,
    level_due,
    level_reached,
    next_level,
    rank_of,
    read_rules,
    rule_for,
)
from insureflow.domain.dunning.vocabulary import ContactKind, DunningLevel, LetterChannel, LetterState, PromiseState

__all__ = [
    "DEFAULT_DATA",
    "ORDER",
    "ChargedSpan",
    "CompensationRule",
    "ContactKind",
    "DunningLevel",
    "DunningRules",
    "InterestRule",
    "LateInvoice",
    "LetterAction",
    "LetterChannel",
    "LetterState",
    "LevelRule",
    "PromiseState",
    "ScopedRule",
    "SetApart",
    "calculate_interest",
    "calculate_spans",
    "explain_level",
    "level_due",
    "level_reached",
    "next_letter_state",
    "next_level",
    "promise_state",
    "rank_of",
    "read_rules",
    "rule_for",
]

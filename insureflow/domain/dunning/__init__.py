"""Dunning: reminding a buyer, by level and rule, and what is promised in return."""

from __future__ import annotations

from insureflow.domain.dunning.vocabulary import ContactKind, DunningLevel, LetterChannel, LetterState, PromiseState

__all__ = ["ContactKind", "DunningLevel", "LetterChannel", "LetterState", "PromiseState"]

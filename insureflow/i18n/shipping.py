"""Answers to "may I ship?" in one sentence, for every face."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from insureflow.domain.cover import Reason
from insureflow.domain.limits import RemedyKind
from insureflow.domain.money import Money
from insureflow.i18n.words import sentence, word


def _money(value: Mapping[str, str] | None) -> Money | None:
    return None if value is None else Money.of(Decimal(value["amount"]), value["currency"])


def answer_sentence(answer: Mapping[str, Any], locale: str) -> str:
    """The answer as it is stored, in one sentence: yes, partly or no, how much, and why not."""
    why = None if answer["why"] is None else word(Reason(answer["why"]), locale)
    amounts = {name: _money(answer[name]) for name in ("amount", "covered", "uncovered")}
    return sentence(f"ship_{answer['verdict']}", {**amounts, "why": why}, locale)


def remedy_sentence(remedy: Mapping[str, Any], locale: str) -> str:
    """What would help, in one sentence; one that helps only with another names it."""
    values = {
        "amount": _money(remedy["amount"]),
        "days": remedy["days"],
        "on": None if remedy["on"] is None else date.fromisoformat(remedy["on"]),
    }
    said = sentence(f"remedy_{remedy['kind']}", values, locale)
    if remedy["together_with"] is None:
        return said
    return sentence("remedy_together", {"remedy": said, "other": word(RemedyKind(remedy["together_with"]), locale)}, locale)

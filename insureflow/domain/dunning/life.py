"""The life of a letter, and what became of a promise."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from enum import StrEnum

from insureflow.domain.dunning.vocabulary import LetterState, PromiseState
from insureflow.domain.errors import Refusal


class LetterAction(StrEnum):
    """What can be done with a letter, or happen to it."""

    APPROVE = "approve"
    SKIP = "skip"
    SEND = "send"
    FAIL = "fail"
    REPEAT = "repeat"


_STEPS: dict[tuple[LetterState, LetterAction], LetterState] = {
    (LetterState.PROPOSED, LetterAction.APPROVE): LetterState.APPROVED,
    (LetterState.PROPOSED, LetterAction.SKIP): LetterState.SKIPPED,
    (LetterState.APPROVED, LetterAction.SEND): LetterState.SENT,
    (LetterState.APPROVED, LetterAction.FAIL): LetterState.FAILED,
    (LetterState.APPROVED, LetterAction.SKIP): LetterState.SKIPPED,
    (LetterState.SENT, LetterAction.FAIL): LetterState.FAILED,
    (LetterState.FAILED, LetterAction.REPEAT): LetterState.APPROVED,
    (LetterState.FAILED, LetterAction.SEND): LetterState.SENT,
    (LetterState.FAILED, LetterAction.SKIP): LetterState.SKIPPED,
}


def next_letter_state(state: LetterState, action: LetterAction) -> LetterState:
    """The state of a letter after an action. Errors: ``letter_cannot``."""
    if (state, action) not in _STEPS:
        raise Refusal("letter_cannot", state=state, action=action)
    return _STEPS[state, action]


def promise_state(
    amount_minor: int, promised_for: date, on: date, *, receipts: Iterable[tuple[date, int]], cancelled_on: date | None = None
) -> PromiseState:
    """How a promise stands on a day, worked out from the money received since it was made (day and minor units).

    *Formula:* kept when the sum received by the day promised reaches the amount; kept late when it does so after it; broken when the
    day has passed without it.
    """
    if cancelled_on is not None and cancelled_on <= on:
        return PromiseState.CANCELLED
    known = [(day, minor) for day, minor in receipts if day <= on]
    if sum(minor for day, minor in known if day <= promised_for) >= amount_minor:
        return PromiseState.KEPT
    if sum(minor for _day, minor in known) >= amount_minor:
        return PromiseState.KEPT_LATE
    return PromiseState.OPEN if on <= promised_for else PromiseState.BROKEN

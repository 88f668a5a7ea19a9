"""How situations of limits look: never asked, refused and zero each in a colour and shape of their own."""

from __future__ import annotations

from insureflow.domain.limits import LimitSituation

_TONES: dict[LimitSituation, str] = {
    LimitSituation.IN_FORCE: "covered",
    LimitSituation.RUNNING_OFF: "uncovered",
    LimitSituation.ZERO: "uncovered",
    LimitSituation.REFUSED: "stopped",
    LimitSituation.WITHDRAWN: "stopped",
    LimitSituation.EXPIRED: "stopped",
}


def tone_of_situation(situation: LimitSituation) -> str:
    """The colour of a situation; what nobody decided is grey."""
    return _TONES.get(situation, "undecided")

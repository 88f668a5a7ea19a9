"""Limits: what a decision is called, how a buyer and a decision stand, and what cannot be decided."""

from __future__ import annotations

from datetime import date

import pytest

from insureflow.domain.limits import (
    KIND_IN_TERMS,
    LimitKind,
    LimitRecord,
    LimitSituation,
    LimitState,
    LimitStatus,
    check_decision,
    situation_on,
    state_of,
    status_of_decision,
)
from insureflow.domain.policies import vocabulary

ON = date(2026, 6, 30)


def said(
    sequence: int,
    status: LimitStatus,
    month: int,
    *,
    amount: int | None = None,
    kind: LimitKind = LimitKind.NAMED,
    effective: date | None = None,
    valid_to: date | None = None,
) -> LimitRecord:
    day = date(2026, month, 1)
    return LimitRecord(sequence, kind, status, day, effective or day, valid_to, amount)


APPROVED = said(1, LimitStatus.APPROVED, 1, amount=100)
REFUSED = said(2, LimitStatus.REFUSED, 2, amount=0)
ZERO = said(3, LimitStatus.REDUCED, 3, amount=0)
WITHDRAWN = said(4, LimitStatus.WITHDRAWN, 4)
ASKED = said(5, LimitStatus.REQUESTED, 5)
TEMPORARY = said(6, LimitStatus.APPROVED, 5, amount=50, kind=LimitKind.TEMPORARY, valid_to=date(2026, 7, 31))
LAPSED_TEMPORARY = said(7, LimitStatus.APPROVED, 1, amount=50, kind=LimitKind.TEMPORARY, valid_to=date(2026, 2, 28))
COMING = said(8, LimitStatus.APPROVED, 6, amount=70, effective=date(2026, 8, 1))
LAPSED = said(9, LimitStatus.APPROVED, 1, amount=100, valid_to=date(2026, 3, 31))
PRE_SHIPMENT = said(10, LimitStatus.APPROVED, 5, amount=30, kind=LimitKind.PRE_SHIPMENT)
LATER = said(11, LimitStatus.APPROVED, 7, amount=10)


@pytest.mark.parametrize(
    ("records", "has_limit", "situation"),
    [
        ([], False, LimitSituation.NEVER_ASKED),
        ([LATER], False, LimitSituation.NEVER_ASKED),
        ([PRE_SHIPMENT], False, LimitSituation.NEVER_ASKED),
        ([ASKED], False, LimitSituation.PENDING),
        ([REFUSED, ASKED], False, LimitSituation.PENDING),
        ([APPROVED], True, LimitSituation.IN_FORCE),
        ([APPROVED, ASKED], True, LimitSituation.IN_FORCE),
        ([REFUSED], False, LimitSituation.REFUSED),
        ([APPROVED, ZERO], False, LimitSituation.ZERO),
        ([APPROVED, ZERO], True, LimitSituation.RUNNING_OFF),
        ([APPROVED, WITHDRAWN], True, LimitSituation.RUNNING_OFF),
        ([APPROVED, WITHDRAWN, TEMPORARY], True, LimitSituation.IN_FORCE),
        ([APPROVED, WITHDRAWN, LAPSED_TEMPORARY], True, LimitSituation.RUNNING_OFF),
        ([APPROVED, WITHDRAWN], False, LimitSituation.WITHDRAWN),
        ([COMING], False, LimitSituation.ANNOUNCED),
        ([LAPSED_TEMPORARY], False, LimitSituation.EXPIRED),
        ([LAPSED], False, LimitSituation.EXPIRED),
        ([TEMPORARY], True, LimitSituation.IN_FORCE),
    ],
)
def test_how_a_buyer_stands(records: list[LimitRecord], has_limit: bool, situation: LimitSituation) -> None:
    assert situation_on(reversed(records), ON, has_limit=has_limit) is situation


@pytest.mark.parametrize(
    ("record", "others", "state"),
    [
        (ASKED, [], LimitState.PENDING),
        (ASKED, [said(20, LimitStatus.APPROVED, 6, amount=1)], LimitState.SUPERSEDED),
        (APPROVED, [], LimitState.IN_FORCE),
        (APPROVED, [ASKED], LimitState.IN_FORCE),
        (APPROVED, [TEMPORARY, PRE_SHIPMENT], LimitState.IN_FORCE),
        (APPROVED, [REFUSED], LimitState.SUPERSEDED),
        (APPROVED, [WITHDRAWN], LimitState.SUPERSEDED),
        (APPROVED, [COMING], LimitState.IN_FORCE),
        (COMING, [], LimitState.ANNOUNCED),
        (LAPSED, [], LimitState.EXPIRED),
        (REFUSED, [], LimitState.REFUSED),
        (WITHDRAWN, [], LimitState.WITHDRAWN),
        (WITHDRAWN, [said(21, LimitStatus.APPROVED, 5, amount=1)], LimitState.SUPERSEDED),
        (WITHDRAWN, [TEMPORARY], LimitState.WITHDRAWN),
        (TEMPORARY, [said(22, LimitStatus.APPROVED, 6, amount=1)], LimitState.IN_FORCE),
        (TEMPORARY, [said(23, LimitStatus.APPROVED, 6, amount=1, kind=LimitKind.TEMPORARY)], LimitState.SUPERSEDED),
        (LAPSED_TEMPORARY, [WITHDRAWN], LimitState.SUPERSEDED),
        (PRE_SHIPMENT, [said(24, LimitStatus.APPROVED, 6, amount=1)], LimitState.IN_FORCE),
    ],
)
def test_how_a_decision_stands(record: LimitRecord, others: list[LimitRecord], state: LimitState) -> None:
    assert state_of(record, [record, *others], ON) is state


@pytest.mark.parametrize(
    ("requested", "decided", "previous", "status"),
    [
        (None, 0, None, LimitStatus.REFUSED),
        (100, 0, 0, LimitStatus.REFUSED),
        (None, 0, 50, LimitStatus.REDUCED),
        (100, 100, None, LimitStatus.APPROVED),
        (None, 100, None, LimitStatus.APPROVED),
        (100, 60, None, LimitStatus.PARTLY_APPROVED),
        (100, 60, 50, LimitStatus.PARTLY_APPROVED),
        (100, 60, 80, LimitStatus.REDUCED),
        (60, 60, 80, LimitStatus.APPROVED),
        (None, 60, 80, LimitStatus.REDUCED),
        (None, 90, 80, LimitStatus.APPROVED),
    ],
)
def test_what_a_decision_is_called(requested: int | None, decided: int, previous: int | None, status: LimitStatus) -> None:
    assert status_of_decision(requested, decided, previous) is status


DAY = date(2026, 1, 10)


@pytest.mark.parametrize(
    ("kind", "top_up", "has_top_up", "conditions", "effective", "valid_to", "codes"),
    [
        (LimitKind.NAMED, False, False, True, DAY, None, []),
        (LimitKind.TOP_UP, True, True, False, DAY, None, []),
        (LimitKind.TEMPORARY, True, True, False, DAY, DAY, []),
        (LimitKind.TOP_UP, True, False, False, DAY, None, ["no_top_up_layer"]),
        (LimitKind.NAMED, True, True, False, DAY, None, ["kind_of_other_layer"]),
        (LimitKind.TOP_UP, False, True, False, DAY, None, ["kind_of_other_layer"]),
        (LimitKind.TOP_UP, True, True, True, DAY, None, ["conditions_on_top_up"]),
        (LimitKind.TEMPORARY, False, False, False, DAY, None, ["temporary_needs_end"]),
        (LimitKind.NAMED, False, False, False, date(2026, 2, 1), date(2026, 1, 31), ["ends_before_start"]),
    ],
)
def test_what_cannot_be_decided(
    kind: LimitKind, top_up: bool, has_top_up: bool, conditions: bool, effective: date, valid_to: date | None, codes: list[str]
) -> None:
    problems = check_decision(
        kind,
        is_top_up_layer=top_up,
        has_top_up=has_top_up,
        has_conditions=conditions,
        decided_on=DAY,
        effective_on=effective,
        valid_to=valid_to,
    )
    assert [problem.code for problem in problems] == codes


def test_every_kind_has_its_word_in_the_terms() -> None:
    assert set(KIND_IN_TERMS) == set(LimitKind)
    assert set(KIND_IN_TERMS.values()) == set(vocabulary.LimitKind)

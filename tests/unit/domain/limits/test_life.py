"""The life of a request: the table, what is asked and answered, and how it stands on a day."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insureflow.domain.errors import Refusal
from insureflow.domain.limits import (
    ACTION_OF_CODE,
    CODE_OF_OUTCOME,
    CODE_OF_REQUEST,
    CODE_OF_STATUS,
    ENDED,
    NOT_ASKED,
    OUTCOME_OF_CODE,
    REQUEST_OF_CODE,
    STATUS_OF_CODE,
    TRANSITIONS,
    WAITING_FOR_INSURER,
    CoverReasonCode,
    CoverRequestCode,
    CoverResponseCode,
    LimitKind,
    LimitRecord,
    LimitStatus,
    Pending,
    PendingAction,
    RequestAction,
    RequestOutcome,
    RequestState,
    RequestType,
    is_possible,
    life_on,
    next_state,
    outcome_of,
    pending_on,
    possible_actions,
    request_type_for,
)

ON = date(2026, 6, 30)
S, A = RequestState, RequestAction


def said(
    sequence: int,
    status: LimitStatus,
    decided: date,
    *,
    amount: int | None = None,
    effective: date | None = None,
    valid_to: date | None = None,
    kind: LimitKind = LimitKind.NAMED,
) -> LimitRecord:
    return LimitRecord(sequence, kind, status, decided, effective or decided, valid_to, amount)


APPROVED = said(1, LimitStatus.APPROVED, date(2026, 1, 1), amount=100)
REDUCED = said(2, LimitStatus.REDUCED, date(2026, 2, 1), amount=60)
LAPSED_REDUCTION = said(3, LimitStatus.REDUCED, date(2026, 2, 1), amount=60, valid_to=date(2026, 5, 31))
WITHDRAWN = said(4, LimitStatus.WITHDRAWN, date(2026, 3, 1))
AGAIN = said(5, LimitStatus.APPROVED, date(2026, 4, 1), amount=90)
REFUSED = said(6, LimitStatus.REFUSED, date(2026, 1, 1), amount=0)
LAPSED = said(7, LimitStatus.APPROVED, date(2026, 1, 1), amount=100, valid_to=date(2026, 6, 29))
ANNOUNCED = said(8, LimitStatus.APPROVED, date(2026, 6, 1), amount=100, effective=date(2026, 7, 1))
ASKED = said(9, LimitStatus.REQUESTED, date(2026, 1, 1))


@pytest.mark.parametrize(
    "way",
    [
        ((A.SUBMIT, S.SUBMITTED), (A.DECIDE, S.DECIDED), (A.TAKE_EFFECT, S.IN_FORCE), (A.REDUCE, S.REDUCED), (A.WITHDRAW, S.WITHDRAWN)),
        (
            (A.ASK_APPROVAL, S.AWAITING_APPROVAL),
            (A.APPROVE, S.SUBMITTED),
            (A.REFER, S.REFERRED),
            (A.DECIDE, S.DECIDED),
            (A.EXPIRE, S.EXPIRED),
        ),
        ((A.ASK_APPROVAL, S.AWAITING_APPROVAL), (A.REJECT, S.REJECTED), (A.REVISE, S.DRAFT), (A.CANCEL, S.CANCELLED)),
        ((A.SUBMIT, S.SUBMITTED), (A.REFER, S.REFERRED), (A.REFER, S.REFERRED), (A.SUPERSEDE, S.SUPERSEDED)),
        ((A.SUBMIT, S.SUBMITTED), (A.DECIDE, S.DECIDED), (A.REFER, S.REFERRED), (A.DECIDE, S.DECIDED), (A.DECIDE, S.DECIDED)),
    ],
)
def test_a_way_through_life(way: tuple[tuple[RequestAction, RequestState], ...]) -> None:
    state = S.DRAFT
    for action, reached in way:
        state = next_state(state, action)
        assert state is reached


@pytest.mark.parametrize("state", list(RequestState))
def test_what_is_not_in_the_table_is_refused(state: RequestState) -> None:
    for action in RequestAction:
        if is_possible(state, action):
            assert next_state(state, action) is TRANSITIONS[state, action]
            continue
        with pytest.raises(Refusal) as refused:
            next_state(state, action)
        assert refused.value.code == "request_not_possible"
        assert refused.value.parameters == {"state": state, "action": action}
    assert (possible_actions(state) == ()) is (state in ENDED)


def test_every_state_can_be_reached_and_left_behind() -> None:
    reached, waiting = {S.DRAFT}, [S.DRAFT]
    while waiting:
        state = waiting.pop()
        following = {next_state(state, action) for action in possible_actions(state)}
        waiting += following - reached
        reached |= following
    assert reached == set(RequestState)
    assert {action for _state, action in TRANSITIONS} == set(RequestAction)
    assert not any(is_possible(state, A.DECIDE) for state in NOT_ASKED)
    assert all(is_possible(state, A.DECIDE) for state in WAITING_FOR_INSURER)


@pytest.mark.parametrize(
    ("current", "wanted", "kind"),
    [
        (None, 10, RequestType.NEW),
        (0, 10, RequestType.NEW),
        (10, 20, RequestType.INCREASE),
        (20, 10, RequestType.REDUCE),
        (20, 0, RequestType.CANCEL),
    ],
)
def test_what_has_to_be_asked(current: int | None, wanted: int, kind: RequestType) -> None:
    assert request_type_for(current, wanted) is kind


@pytest.mark.parametrize(("current", "wanted"), [(None, 0), (0, 0), (5, 5)])
def test_a_request_that_changes_nothing_is_refused(current: int | None, wanted: int) -> None:
    with pytest.raises(Refusal, match="request_changes_nothing"):
        request_type_for(current, wanted)


@pytest.mark.parametrize(
    ("requested", "decided", "more", "outcome"),
    [
        (100, 100, {}, RequestOutcome.FULL),
        (None, 100, {}, RequestOutcome.FULL),
        (100, 120, {}, RequestOutcome.FULL),
        (0, 0, {"previous": 50}, RequestOutcome.FULL),
        (50, 50, {"previous": 80}, RequestOutcome.FULL),
        (100, 99, {}, RequestOutcome.PARTIAL),
        (100, 99, {"has_conditions": True}, RequestOutcome.PARTIAL),
        (100, 90, {"previous": 80}, RequestOutcome.PARTIAL),
        (100, 0, {}, RequestOutcome.REFUSED),
        (None, 0, {}, RequestOutcome.REFUSED),
        (100, 80, {"previous": 80}, RequestOutcome.REFUSED),
        (100, 70, {"previous": 80}, RequestOutcome.REFUSED),
        (100, 100, {"has_conditions": True}, RequestOutcome.CONDITIONAL),
        (100, 50, {"is_preliminary": True}, RequestOutcome.PRELIMINARY),
    ],
)
def test_what_the_insurer_made_of_it(requested: int | None, decided: int, more: dict[str, Any], outcome: RequestOutcome) -> None:
    assert outcome_of(requested, decided, **more) is outcome


@given(requested=st.integers(1, 1000), decided=st.integers(0, 1000), previous=st.one_of(st.none(), st.integers(0, 1000)))
def test_only_a_full_answer_gives_all_that_was_asked(requested: int, decided: int, previous: int | None) -> None:
    outcome = outcome_of(requested, decided, previous=previous)
    assert (outcome is RequestOutcome.FULL) is (decided >= requested)


@pytest.mark.parametrize(
    ("state", "decision", "others", "stands"),
    [
        (S.SUBMITTED, None, [], S.SUBMITTED),
        (S.DECIDED, None, [], S.DECIDED),
        (S.DECIDED, ASKED, [], S.DECIDED),
        (S.CANCELLED, APPROVED, [], S.CANCELLED),
        (S.DECIDED, APPROVED, [], S.IN_FORCE),
        (S.DECIDED, ANNOUNCED, [], S.DECIDED),
        (S.DECIDED, REFUSED, [], S.DECIDED),
        (S.IN_FORCE, LAPSED, [], S.EXPIRED),
        (S.IN_FORCE, APPROVED, [REDUCED], S.REDUCED),
        (S.IN_FORCE, APPROVED, [LAPSED_REDUCTION], S.EXPIRED),
        (S.IN_FORCE, APPROVED, [REDUCED, WITHDRAWN], S.WITHDRAWN),
        (S.IN_FORCE, APPROVED, [REDUCED, AGAIN], S.SUPERSEDED),
        (S.IN_FORCE, APPROVED, [WITHDRAWN, AGAIN], S.WITHDRAWN),
        (S.IN_FORCE, APPROVED, [AGAIN], S.SUPERSEDED),
        (S.DECIDED, WITHDRAWN, [APPROVED], S.WITHDRAWN),
    ],
)
def test_how_a_request_stands(state: RequestState, decision: LimitRecord | None, others: list[LimitRecord], stands: RequestState) -> None:
    records = others if decision is None else [*others, decision]
    assert life_on(state, decision, records, ON) is stands


def test_before_its_decision_a_request_stands_as_submitted() -> None:
    assert life_on(S.IN_FORCE, APPROVED, [APPROVED], date(2025, 12, 31)) is S.SUBMITTED


def test_an_end_that_was_asked_for_is_a_cancellation() -> None:
    assert life_on(S.IN_FORCE, APPROVED, [APPROVED, WITHDRAWN], ON, own_cancellations={4}) is S.CANCELLED
    assert life_on(S.DECIDED, WITHDRAWN, [APPROVED, WITHDRAWN], ON, own_cancellations={4}) is S.CANCELLED


ENDING = said(20, LimitStatus.WITHDRAWN, date(2026, 6, 20), effective=date(2026, 7, 20))
ZERO = said(21, LimitStatus.REDUCED, date(2026, 6, 20), amount=0, effective=date(2026, 7, 20))
LOWER = said(22, LimitStatus.REDUCED, date(2026, 6, 20), amount=10, effective=date(2026, 7, 20))
TEMPORARY = said(23, LimitStatus.APPROVED, date(2026, 6, 20), amount=10, kind=LimitKind.TEMPORARY, valid_to=date(2026, 7, 30))
LONGER = said(24, LimitStatus.APPROVED, date(2026, 6, 20), amount=10, valid_to=date(2026, 7, 31))


@pytest.mark.parametrize(
    ("decision", "others", "pending"),
    [
        (APPROVED, [], []),
        (APPROVED, [ASKED], []),
        (APPROVED, [ENDING], [Pending(PendingAction.WITHDRAWAL_ANNOUNCED, date(2026, 7, 20))]),
        (APPROVED, [ZERO], [Pending(PendingAction.WITHDRAWAL_ANNOUNCED, date(2026, 7, 20))]),
        (APPROVED, [LOWER], [Pending(PendingAction.REDUCTION_ANNOUNCED, date(2026, 7, 20))]),
        (APPROVED, [ENDING, said(30, LimitStatus.APPROVED, date(2026, 6, 25), amount=100)], []),
        (APPROVED, [ANNOUNCED], []),
        (TEMPORARY, [], [Pending(PendingAction.EXPIRY_NEAR, date(2026, 7, 30))]),
        (TEMPORARY, [APPROVED], [Pending(PendingAction.EXPIRY_NEAR, date(2026, 7, 30))]),
        (LONGER, [], []),
        (LAPSED, [], []),
    ],
)
def test_what_is_still_to_come(decision: LimitRecord, others: list[LimitRecord], pending: list[Pending]) -> None:
    assert list(pending_on(decision, [decision, *others], ON)) == pending


def test_how_near_the_end_is_can_be_said() -> None:
    assert pending_on(LONGER, [LONGER], ON, expiry_near_days=31) == (Pending(PendingAction.EXPIRY_NEAR, date(2026, 7, 31)),)


def test_the_public_vocabulary_is_complete_and_goes_both_ways() -> None:
    assert [code.value for code in CoverRequestCode] == list(range(1, 9))
    assert [code.value for code in CoverResponseCode] == list(range(1, 12))
    assert [code.value for code in CoverReasonCode] == list(range(1, 16))
    assert set(CODE_OF_REQUEST) == set(RequestType)
    assert set(CODE_OF_OUTCOME) == set(RequestOutcome)
    assert set(CODE_OF_STATUS) == set(LimitStatus)
    assert all(REQUEST_OF_CODE[code] is request for request, code in CODE_OF_REQUEST.items())
    assert all(OUTCOME_OF_CODE[code] is outcome for outcome, code in CODE_OF_OUTCOME.items())
    assert all(STATUS_OF_CODE[code] is status for status, code in CODE_OF_STATUS.items())
    assert set(CoverResponseCode) - set(ACTION_OF_CODE) == {CoverResponseCode.NAME_OR_ADDRESS_CHANGE}
    assert all(ACTION_OF_CODE[code] is A.DECIDE for code in OUTCOME_OF_CODE)

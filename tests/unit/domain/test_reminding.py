from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from insureflow.domain.obligations.reminding import LATE, reached_step

DUE = date(2026, 11, 30)


def on(days_before: int) -> date:
    return DUE - timedelta(days=days_before)


def test_a_reminder_holds_from_its_day_until_the_next() -> None:
    days = (15, 5, 0)
    assert [reached_step(DUE, on(left), days) for left in (16, 15, 6, 5, 1, 0, -1)] == [None, 15, 15, 5, 5, 0, LATE]
    assert reached_step(DUE, on(3), ()) is None
    assert reached_step(DUE, on(-3), ()) == LATE


@given(st.integers(-400, 400), st.frozensets(st.integers(0, 90)))
def test_a_missed_day_is_caught_up_by_the_one_reminder_reached(left: int, days: frozenset[int]) -> None:
    step = reached_step(DUE, on(left), days)
    if left < 0:
        assert step == LATE
    else:
        assert step == min((each for each in days if each >= left), default=None)
        assert reached_step(DUE, on(left + 1), days) in {None, *days}

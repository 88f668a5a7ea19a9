from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insureflow.domain.errors import InvalidValue, Refusal
from insureflow.domain.schedules import (
    JOBS,
    Daily,
    EveryMinutes,
    Job,
    Wish,
    check_wish,
    due_of,
    get_job,
    read_time_of_day,
    time_of_day,
)

INSTANTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))
DUES = st.one_of(
    st.builds(EveryMinutes, st.integers(1, 1440)),
    st.builds(
        Daily, st.integers(0, 23), st.integers(0, 59), st.sampled_from(["UTC", "Europe/Stockholm", "America/New_York", "Asia/Kathmandu"])
    ),
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("due", "instant", "period", "following"),
    [
        (Daily(2, 10), "2026-11-22T02:10", "2026-11-22", "2026-11-23T02:10"),
        (Daily(2, 10), "2026-11-22T02:09", "2026-11-21", "2026-11-22T02:10"),
        (Daily(2, 10), "2026-01-01T00:00", "2025-12-31", "2026-01-01T02:10"),
        (Daily(0, 30, "Europe/Stockholm"), "2026-11-22T23:45", "2026-11-23", "2026-11-23T23:30"),
        (Daily(2, 30, "Europe/Stockholm"), "2026-03-29T01:30", "2026-03-29", "2026-03-30T00:30"),
        (EveryMinutes(1), "2026-11-22T00:14:59", "2026-11-22T00:14Z", "2026-11-22T00:15"),
        (EveryMinutes(15), "2026-11-22T00:14:59", "2026-11-22T00:00Z", "2026-11-22T00:15"),
        (EveryMinutes(500), "2026-11-22T23:45", "2026-11-22T16:40Z", "2026-11-23T00:00"),
    ],
)
def test_the_period_is_the_latest_one_due(due: Daily | EveryMinutes, instant: str, period: str, following: str) -> None:
    assert due.period(at(instant)) == period
    assert due.following(at(instant)) == at(following)


@given(DUES, INSTANTS)
def test_an_instant_lies_between_what_was_due_and_what_is_due_next(due: Daily | EveryMinutes, instant: datetime) -> None:
    latest, following = due.latest(instant), due.following(instant)
    assert latest <= instant < following
    assert due.period(latest) == due.period(instant) == due.period(following - timedelta(seconds=1))
    assert due.period(following) != due.period(instant)
    assert due.latest(following) == following


@given(st.integers(0, 23), st.integers(0, 59), st.sampled_from(["Europe/Stockholm", "America/New_York"]))
def test_a_time_of_day_comes_once_a_day_also_when_clocks_are_changed(hour: int, minute: int, zone: str) -> None:
    due = Daily(hour, minute, zone)
    instant, days = datetime(2026, 1, 1, tzinfo=ZoneInfo(zone)).astimezone(UTC), []
    while instant < datetime(2027, 1, 1, tzinfo=UTC):
        days.append(due.period(instant))
        instant = due.following(instant)
    assert len(days) == len(set(days))
    assert {(date(2026, 1, 1) + timedelta(days=number)).isoformat() for number in range(364)} <= set(days)


@pytest.mark.parametrize("minutes", [0, 1441])
def test_an_interval_fits_a_day(minutes: int) -> None:
    with pytest.raises(ValueError):
        EveryMinutes(minutes)


def test_a_time_exists() -> None:
    with pytest.raises(ValueError):
        Daily(24)


def test_jobs_are_found_by_their_keys_but_those_of_the_installation() -> None:
    assert get_job("limits.sync").due == EveryMinutes(5)
    for key in ("runs.trim", "nothing"):
        with pytest.raises(Refusal, match="job_unknown"):
            get_job(key)
    assert any(job.for_all for job in JOBS)


HOURLY, NIGHTLY = Job("a", EveryMinutes(60), longest_minutes=600), Job("b", Daily(3), always_on=True)


@pytest.mark.parametrize(
    ("job", "wish", "code"),
    [
        (HOURLY, Wish(), None),
        (HOURLY, Wish(is_enabled=False), None),
        (HOURLY, Wish(minutes=60), None),
        (HOURLY, Wish(minutes=600), None),
        (HOURLY, Wish(minutes=59), "interval_out_of_bounds"),
        (HOURLY, Wish(minutes=601), "interval_out_of_bounds"),
        (NIGHTLY, Wish(minutes=0), None),
        (NIGHTLY, Wish(minutes=1439), None),
        (NIGHTLY, Wish(minutes=1440), "time_of_day_wrong"),
        (NIGHTLY, Wish(minutes=-1), "time_of_day_wrong"),
        (NIGHTLY, Wish(is_enabled=False), "job_always_on"),
    ],
)
def test_what_an_organisation_may_want(job: Job, wish: Wish, code: str | None) -> None:
    if code is None:
        check_wish(job, wish)
    else:
        with pytest.raises(Refusal, match=code):
            check_wish(job, wish)


def test_a_wish_says_when_a_job_is_due() -> None:
    assert due_of(HOURLY, Wish(), "Europe/Stockholm") == EveryMinutes(60)
    assert due_of(HOURLY, Wish(minutes=90), "Europe/Stockholm") == EveryMinutes(90)
    assert due_of(HOURLY, Wish(is_enabled=False, minutes=90), "UTC") is None
    assert due_of(NIGHTLY, Wish(), "Europe/Stockholm") == Daily(3)
    assert due_of(NIGHTLY, Wish(minutes=330), "Europe/Stockholm") == Daily(5, 30, "Europe/Stockholm")


@given(st.integers(0, 1439))
def test_a_time_of_day_is_read_as_it_is_written(minutes: int) -> None:
    assert read_time_of_day(time_of_day(minutes)) == minutes


@pytest.mark.parametrize("text", ["", "3", "24:00", "12:60", "-1:30", "١:30", "12:30:00", "a:b", "123:00"])
def test_what_is_no_time_of_day_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue, match="time_of_day_wrong"):
        read_time_of_day(text)


def test_a_time_of_day_may_be_written_short() -> None:
    assert read_time_of_day(" 3:5 ") == 185

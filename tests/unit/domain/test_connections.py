from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from insureflow.domain.connections import OUTBOX, Health, OutboxAction, OutboxState, back_off_seconds, health_of, next_outbox_state
from insureflow.domain.errors import Refusal

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_every_change_of_a_message_is_in_the_table_or_refused() -> None:
    for state in OutboxState:
        for action in OutboxAction:
            if (state, action) in OUTBOX:
                assert next_outbox_state(state, action) is OUTBOX[state, action]
            else:
                with pytest.raises(Refusal, match="message_not_possible"):
                    next_outbox_state(state, action)


def test_a_message_that_was_being_sent_never_waits_without_an_answer_lost() -> None:
    assert next_outbox_state(OutboxState.SENDING, OutboxAction.LOSE_ANSWER) is OutboxState.UNCERTAIN
    assert next_outbox_state(OutboxState.FAILED, OutboxAction.RETRY) is OutboxState.UNCERTAIN


@pytest.mark.parametrize(
    ("attempts", "asked", "seconds"),
    [
        (0, None, 30),
        (1, None, 30),
        (2, None, 60),
        (5, None, 480),
        (12, None, 21_600),
        (900, None, 21_600),
        (1, 7, 7),
        (1, 0, 1),
        (3, 999_999, 86_400),
    ],
)
def test_pauses_grow_unless_the_insurer_asks_for_one(attempts: int, asked: int | None, seconds: int) -> None:
    assert back_off_seconds(attempts, asked) == seconds


@pytest.mark.parametrize(
    ("changed", "health"),
    [
        ({}, Health.GOOD),
        ({"is_enabled": False, "is_stopped": True}, Health.OFF),
        ({"is_stopped": True}, Health.FAILING),
        ({"failures_in_a_row": 2}, Health.GOOD),
        ({"failures_in_a_row": 3}, Health.FAILING),
        ({"last_good_at": AT - timedelta(minutes=180)}, Health.GOOD),
        ({"last_good_at": AT - timedelta(minutes=181)}, Health.LATE),
        ({"last_good_at": AT - timedelta(minutes=1441)}, Health.STALE),
        ({"last_good_at": None, "connected_at": AT - timedelta(minutes=5)}, Health.NEVER),
        ({"last_good_at": None, "connected_at": AT - timedelta(days=2)}, Health.STALE),
    ],
)
def test_health_follows_from_the_clock_and_the_last_runs(changed: dict[str, object], health: Health) -> None:
    given: dict[str, object] = {
        "is_enabled": True,
        "is_stopped": False,
        "last_good_at": AT - timedelta(minutes=20),
        "connected_at": AT - timedelta(days=30),
        "at": AT,
        "sync_every_minutes": 60,
        "stale_after_minutes": 1440,
        "failures_in_a_row": 0,
    }
    assert health_of(**{**given, **changed}) is health  # type: ignore[arg-type]

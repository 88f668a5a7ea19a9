"""The states of long work: what can follow what, and what cannot."""

from __future__ import annotations

import itertools

import pytest

from insureflow.domain.errors import Refusal
from insureflow.domain.tasks import TASK_TRANSITIONS, TaskAction, TaskState, next_state

#: What has ended well, or was called off, stays as it is.
FINAL = {TaskState.DONE, TaskState.CANCELLED}


@pytest.mark.parametrize(("before", "action"), list(itertools.product(TaskState, TaskAction)))
def test_only_what_the_table_names_is_possible(before: TaskState, action: TaskAction) -> None:
    if (before, action) in TASK_TRANSITIONS:
        assert next_state(before, action) is TASK_TRANSITIONS[before, action]
        return
    with pytest.raises(Refusal) as refused:
        next_state(before, action)
    assert refused.value.code == "action_not_possible"
    assert dict(refused.value.parameters) == {"state": before.value, "action": action.value}


def test_work_that_ended_is_never_taken_up_again() -> None:
    assert not {before for before, _action in TASK_TRANSITIONS} & FINAL


def test_lost_work_can_be_taken_up_again() -> None:
    lost = next_state(next_state(TaskState.QUEUED, TaskAction.START), TaskAction.LOSE_WORKER)
    assert next_state(lost, TaskAction.RETRY) is TaskState.QUEUED

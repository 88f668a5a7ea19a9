"""Long work: the states of a task and of an import, as tables."""

from __future__ import annotations

from enum import StrEnum

from insureflow.domain.errors import Refusal


class TaskState(StrEnum):
    """Where a long piece of work stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"


class TaskAction(StrEnum):
    """What can happen to a long piece of work."""

    START = "start"
    FINISH = "finish"
    FAIL = "fail"
    CANCEL = "cancel"
    LOSE_WORKER = "lose_worker"
    RETRY = "retry"


TASK_TRANSITIONS: dict[tuple[TaskState, TaskAction], TaskState] = {
    (TaskState.QUEUED, TaskAction.START): TaskState.RUNNING,
    (TaskState.QUEUED, TaskAction.CANCEL): TaskState.CANCELLED,
    (TaskState.RUNNING, TaskAction.FINISH): TaskState.DONE,
    (TaskState.RUNNING, TaskAction.FAIL): TaskState.FAILED,
    (TaskState.RUNNING, TaskAction.CANCEL): TaskState.CANCELLED,
    (TaskState.RUNNING, TaskAction.LOSE_WORKER): TaskState.INTERRUPTED,
    (TaskState.INTERRUPTED, TaskAction.RETRY): TaskState.QUEUED,
    (TaskState.FAILED, TaskAction.RETRY): TaskState.QUEUED,
}


class ImportState(StrEnum):
    """Where an import of a ledger file stands."""

    UPLOADED = "uploaded"
    CHECKED = "checked"
    RUNNING = "running"
    DONE = "done"
    REFUSED = "refused"
    INTERRUPTED = "interrupted"
    CANCELLED = "cancelled"
    UNDONE = "undone"


def next_state(state: TaskState, action: TaskAction) -> TaskState:
    """The state after an action. Errors: ``Refusal`` with code ``action_not_possible``."""
    try:
        return TASK_TRANSITIONS[state, action]
    except KeyError:
        raise Refusal("action_not_possible", state=state.value, action=action.value) from None

"""Long work that somebody waits for: put in a queue, done by a worker, watched, cancelled, taken up again after a crash.

A feature registers what it can do (``@work("import_ledger")``); a face puts a task in the queue with ``enqueue`` and the worker
process calls ``run_next``. Progress and wishes to stop travel over ``services.progress``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import select, update

from insureflow.domain.errors import Refusal
from insureflow.domain.tasks import TaskAction, TaskState, next_state
from insureflow.models.database import db
from insureflow.models.jobs import Task
from insureflow.models.organisations import Organisation
from insureflow.models.scope import within
from insureflow.services.clock import now
from insureflow.services.journal import Actor
from insureflow.services.progress import Progress, board
from insureflow.services.transaction import transaction

log = structlog.get_logger("insureflow.tasks")

_REPORT_EVERY_SECONDS = 0.5


class Cancelled(Exception):
    """Somebody asked the work to stop."""


class LeftEarly(Exception):
    """The work stopped in order because its process is asked to end; it can be taken up again."""


def _goes_on() -> bool:
    return False


class Watch:
    """What long work gets: a way to tell how far it is, which also notices a wish to stop.

    ``wants_to_stop`` is True once the process is asked to end; work that can leave in order then raises ``LeftEarly``.
    """

    def __init__(self, task_id: int, wants_to_stop: Callable[[], bool] = _goes_on) -> None:
        self.task_id = task_id
        self.wants_to_stop = wants_to_stop
        self._board = board()
        self._last = 0.0
        self._stage = ""

    def tell(self, stage: str, done: int, total: int | None) -> None:
        """Tell how far a stage is; writes at most twice a second. Errors: ``Cancelled``."""
        moment = time.monotonic()
        if stage == self._stage and moment - self._last < _REPORT_EVERY_SECONDS and done != total:
            return
        self._last, self._stage = moment, stage
        self._board.write(self.task_id, Progress(stage, done, total))
        if self._board.is_asked_to_stop(self.task_id):
            raise Cancelled


Work = Callable[[int, Actor, Mapping[str, Any], Watch], Mapping[str, Any]]
_WORK: dict[str, Work] = {}


def work(kind: str) -> Callable[[Work], Work]:
    """Register what is done for tasks of a kind: ``(organisation_id, actor, parameters, watch) → result``."""

    def register(function: Work) -> Work:
        _WORK[kind] = function
        return function

    return register


def enqueue(actor: Actor, organisation_id: int, kind: str, parameters: Mapping[str, Any]) -> int:
    """Put work in the queue and give its key; inside a unit of work it is queued only if that commits."""
    if kind not in _WORK:
        raise LookupError(kind)
    with transaction(organisation_id) as session:
        task = Task(
            kind=kind,
            parameters={**parameters, "actor": actor.name},
            state=TaskState.QUEUED,
            created_at=now(),
            created_by_id=actor.user_id,
        )
        session.add(task)
        session.flush()
        return task.id


def get_task(organisation_id: int, task_id: int) -> Task:
    """A task as it stands, with its progress. Errors: ``Refusal`` ``task_unknown``."""
    with within(organisation_id):
        task = db.session.scalar(select(Task).where(Task.id == task_id).execution_options(populate_existing=True))
    if task is None:
        raise Refusal("task_unknown", task=task_id)
    return task


def progress_of(task: Task) -> Progress:
    """How far a task is."""
    return board().find(task.id) or Progress(task.stage, task.progress_done, task.progress_total)


def cancel(organisation_id: int, task_id: int) -> None:
    """Ask for a task to stop: one that waits ends at once, one that runs as soon as its worker notices."""
    task = get_task(organisation_id, task_id)
    if task.state is TaskState.RUNNING:
        board().ask_to_stop(task_id)
        return
    _move(organisation_id, task_id, task.state, TaskAction.CANCEL, finished_at=now())


def retry(organisation_id: int, task_id: int) -> None:
    """Put a task that failed or lost its worker back in the queue."""
    task = get_task(organisation_id, task_id)
    _move(organisation_id, task_id, task.state, TaskAction.RETRY, finished_at=None, error=None, cancel_requested=False)


def _move(organisation_id: int, task_id: int, state: TaskState, action: TaskAction, **values: Any) -> bool:
    """Change the state if it still is what was seen; False if somebody was faster."""
    target = next_state(state, action)
    with transaction(organisation_id) as session:
        moved = session.scalar(
            update(Task).where(Task.id == task_id, Task.state == state).values(state=target, **values).returning(Task.id)
        )
    return moved is not None


def _claim(organisation_id: int, at: datetime) -> Task | None:
    with within(organisation_id):
        waiting = db.session.scalars(select(Task.id).where(Task.state == TaskState.QUEUED).order_by(Task.id)).all()
        db.session.rollback()
        for task_id in waiting:
            if _move(organisation_id, task_id, TaskState.QUEUED, TaskAction.START, started_at=at, heartbeat_at=at):
                return get_task(organisation_id, task_id)
    return None


def run_next(wants_to_stop: Callable[[], bool] = _goes_on) -> int | None:
    """Take one task that waits, of any organisation, do it, and give its key; None if nothing waits."""
    organisations = list(db.session.scalars(select(Organisation.id).order_by(Organisation.id)))
    for organisation_id in organisations:
        task = _claim(organisation_id, now())
        if task is not None:
            _run(organisation_id, task, wants_to_stop)
            return task.id
    db.session.rollback()
    return None


def _run(organisation_id: int, task: Task, wants_to_stop: Callable[[], bool]) -> None:
    task_id, kind, parameters = task.id, task.kind, dict(task.parameters)
    actor = Actor(task.created_by_id, str(parameters.pop("actor", "worker")))
    log.info("task started", task=task_id, kind=kind)
    action, values = TaskAction.FINISH, dict[str, Any]()
    try:
        with within(organisation_id):
            values["result"] = dict(_WORK[kind](organisation_id, actor, parameters, Watch(task_id, wants_to_stop)))
    except Cancelled:
        action = TaskAction.CANCEL
    except LeftEarly:
        action = TaskAction.LOSE_WORKER
    except Refusal as refusal:
        action, values["error"] = (
            TaskAction.FAIL,
            {"code": refusal.code, "parameters": {name: str(value) for name, value in refusal.parameters.items()}},
        )
    except Exception as error:
        log.exception("task failed", task=task_id, kind=kind)
        action, values["error"] = TaskAction.FAIL, {"code": "unexpected", "parameters": {"error": type(error).__name__}}
    finally:
        db.session.rollback()
    final = board().find(task_id)
    if final is not None:
        values |= {"stage": final.stage, "progress_done": final.done, "progress_total": final.total}
    _move(organisation_id, task_id, TaskState.RUNNING, action, finished_at=now(), **values)
    board().clear(task_id)
    log.info("task ended", task=task_id, kind=kind, how=action.value)


def interrupt_lost(at: datetime) -> int:
    """Mark the running tasks that no worker can be working on any more; gives their number.

    To be called by a worker that has just become the only one, before it takes anything.
    """
    count = 0
    for organisation_id in list(db.session.scalars(select(Organisation.id))):
        with within(organisation_id):
            lost = db.session.scalars(select(Task.id).where(Task.state == TaskState.RUNNING)).all()
            db.session.rollback()
            for task_id in lost:
                count += _move(organisation_id, task_id, TaskState.RUNNING, TaskAction.LOSE_WORKER, finished_at=at)
                board().clear(task_id)
    return count

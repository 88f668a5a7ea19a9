"""Many papers at once: drafted, approved and sent one by one, so that what is wrong with one keeps no other back.

Large numbers are worked in the background; work that is taken up again leaves alone what was done.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from insureflow.domain.errors import InvalidValues, Refusal
from insureflow.domain.notices import Channel
from insureflow.models.jobs import Task
from insureflow.services import tasks
from insureflow.services.journal import Actor, plain
from insureflow.services.notices.approving import approve
from insureflow.services.notices.drafting import draft_notifications
from insureflow.services.notices.sending import Sending, send
from insureflow.services.tasks import Watch, work

#: Up to so many are done while somebody waits.
SMALL = 20

#: Told how many are done, and of how many.
Told = Callable[[str, int, int | None], None]


@dataclass(frozen=True, slots=True)
class Problem:
    """One that could not be done: its key, and the code and parameters of the refusal."""

    key: int
    code: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of many: how many were done, how many there was nothing to do for, and what could not be."""

    done: int
    left: int = 0
    problems: tuple[Problem, ...] = ()


def _quiet(_stage: str, _done: int, _total: int | None) -> None:
    """Nobody watches."""


def _each(keys: Collection[int], do: Callable[[int], object], told: Told) -> Outcome:
    done, problems = 0, list[Problem]()
    for place, key in enumerate(keys, start=1):
        try:
            do(key)
            done += 1
        except InvalidValues as refusal:
            first = refusal.problems[0]
            problems.append(Problem(key, first.code, first.parameters))
        except Refusal as refusal:
            problems.append(Problem(key, refusal.code, refusal.parameters))
        told("notices", place, len(keys))
    return Outcome(done, problems=tuple(problems))


def draft_many(actor: Actor, organisation_id: int, buyer_ids: Collection[int], on: date, told: Told = _quiet) -> Outcome:
    """Draft a notification for each of these buyers that owes something."""
    made = draft_notifications(actor, organisation_id, buyer_ids, on)
    told("notices", len(buyer_ids), len(buyer_ids))
    return Outcome(len(made.notice_ids), made.known + made.without_debt)


def approve_many(actor: Actor, organisation_id: int, notice_ids: Collection[int], on: date, told: Told = _quiet) -> Outcome:
    """Approve papers one by one."""
    return _each(notice_ids, lambda key: approve(actor, organisation_id, key, on), told)


def send_many(actor: Actor, organisation_id: int, notice_ids: Collection[int], on: date, told: Told = _quiet) -> Outcome:
    """Send approved papers by e-mail one by one."""
    return _each(notice_ids, lambda key: send(actor, organisation_id, key, Sending(channel=Channel.EMAIL), on), told)


#: What the worker does, by kind of task.
_WORK: Mapping[str, Callable[..., Outcome]] = {
    "draft_notices": draft_many,
    "approve_notices": approve_many,
    "send_notices": send_many,
}


def do_many(actor: Actor, organisation_id: int, kind: str, keys: Collection[int], on: date) -> Outcome | int:
    """Do it now where there are few, else in the background: then the key of the task is given."""
    wanted = list(dict.fromkeys(keys))
    if len(wanted) <= SMALL:
        return _WORK[kind](actor, organisation_id, wanted, on)
    return tasks.enqueue(actor, organisation_id, kind, {"keys": wanted, "on": on.isoformat()})


def _worked(kind: str) -> tasks.Work:
    def run(organisation_id: int, actor: Actor, parameters: Mapping[str, Any], watch: Watch) -> Mapping[str, Any]:
        on = date.fromisoformat(parameters["on"])
        return outcome_as_data(_WORK[kind](actor, organisation_id, list(parameters["keys"]), on, watch.tell))

    return run


for _kind in _WORK:
    work(_kind)(_worked(_kind))


def outcome_as_data(outcome: Outcome) -> dict[str, Any]:
    """An outcome as a task keeps it."""
    problems = [{"key": each.key, "code": each.code, "parameters": plain(dict(each.parameters))} for each in outcome.problems]
    return {"done": outcome.done, "left": outcome.left, "problems": problems}


def outcome_of_task(task: Task) -> Outcome | None:
    """What came of a task of these kinds; None while nothing is known."""
    if task.kind not in _WORK or not task.result:
        return None
    problems = tuple(Problem(each["key"], each["code"], each["parameters"]) for each in task.result["problems"])
    return Outcome(task.result["done"], task.result["left"], problems)


#: The kinds of tasks that this feature has.
TASK_KINDS = frozenset(_WORK)

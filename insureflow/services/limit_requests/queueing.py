"""Many limit requests in the background: put in the queue, done by a worker, their outcome kept as plain data."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import date
from typing import IO, Any

from insureflow.domain.access import Role
from insureflow.domain.cover.events import Layer
from insureflow.domain.limits import LimitKind
from insureflow.domain.receivables import RowProblem
from insureflow.domain.tasks import TaskState
from insureflow.models.jobs import Task
from insureflow.services import journal
from insureflow.services.files import store_of
from insureflow.services.journal import Actor
from insureflow.services.limit_requests.bulk import AmountRule, BulkOutcome, Selection, request_file, request_selection
from insureflow.services.tasks import Watch, enqueue, work


def enqueue_selection(
    actor: Actor, organisation_id: int, selection: Selection, role: Role | None, on: date, *, good_rows_only: bool, hand_in: bool
) -> int:
    """Put the requests for a large selection in the queue; gives the key of the task."""
    parameters = {
        "selection": {
            "policy_id": selection.policy_id,
            "buyer_ids": list(selection.buyer_ids),
            "rule": selection.rule.value,
            "amount_minor": selection.amount_minor,
            "layer": selection.layer.value,
            "kind": selection.kind.value,
            "is_urgent": selection.is_urgent,
            "comment": selection.comment,
        },
        **_shared(role, on, good_rows_only=good_rows_only, hand_in=hand_in),
    }
    return enqueue(actor, organisation_id, "request_limits", parameters)


def enqueue_file(
    actor: Actor,
    organisation_id: int,
    source: IO[bytes],
    name: str,
    role: Role | None,
    on: date,
    *,
    policy_id: int | None,
    good_rows_only: bool,
    hand_in: bool,
) -> int:
    """Put a large file of requests in the queue; gives the key of the task."""
    sha256 = store_of(organisation_id).put(source)
    parameters = {
        "file": {"sha256": sha256, "name": name, "policy_id": policy_id},
        **_shared(role, on, good_rows_only=good_rows_only, hand_in=hand_in),
    }
    return enqueue(actor, organisation_id, "request_limits", parameters)


def _shared(role: Role | None, on: date, *, good_rows_only: bool, hand_in: bool) -> dict[str, Any]:
    return {"role": None if role is None else role.value, "on": on.isoformat(), "good_rows_only": good_rows_only, "hand_in": hand_in}


@work("request_limits")
def _request_limits(organisation_id: int, actor: Actor, parameters: Mapping[str, Any], watch: Watch) -> Mapping[str, Any]:
    """What the worker does for requests in the queue."""
    role = None if parameters["role"] is None else Role(parameters["role"])
    on = date.fromisoformat(parameters["on"])
    leave = {"good_rows_only": bool(parameters["good_rows_only"]), "hand_in": bool(parameters["hand_in"])}
    if "file" in parameters:
        file = parameters["file"]
        content = io.BytesIO(store_of(organisation_id).read(file["sha256"]))
        outcome = request_file(
            actor, organisation_id, content, file["name"], role, on, policy_id=file["policy_id"], told=watch.tell, **leave
        )
    else:
        chosen = dict(parameters["selection"])
        selection = Selection(
            chosen["policy_id"],
            tuple(chosen["buyer_ids"]),
            AmountRule(chosen["rule"]),
            chosen["amount_minor"],
            Layer(chosen["layer"]),
            LimitKind(chosen["kind"]),
            chosen["is_urgent"],
            chosen["comment"],
        )
        outcome = request_selection(actor, organisation_id, selection, role, on, told=watch.tell, **leave)
    return outcome_as_data(outcome)


#: So many problems are kept with a task; more of the same kind tell nothing new.
_KEPT_PROBLEMS = 2000


def outcome_as_data(outcome: BulkOutcome) -> dict[str, Any]:
    """An outcome as plain data, as a task keeps it."""
    return {
        "bulk": outcome.bulk,
        "rows": outcome.rows,
        "drafted": outcome.drafted,
        "submitted": outcome.submitted,
        "awaiting_approval": outcome.awaiting_approval,
        "is_stored": outcome.is_stored,
        "off_step": outcome.off_step,
        "bad": len(outcome.problems),
        "problems": [
            {
                "row": problem.row,
                "column": problem.column,
                "value": problem.value,
                "code": problem.code,
                "parameters": journal.plain(problem.parameters),
            }
            for problem in outcome.problems[:_KEPT_PROBLEMS]
        ],
    }


def outcome_of_task(task: Task) -> BulkOutcome | None:
    """What came of a task that has ended well; None before."""
    if task.kind != "request_limits" or task.state is not TaskState.DONE:
        return None
    data = task.result
    problems = tuple(RowProblem(each["row"], each["column"], each["value"], each["code"], each["parameters"]) for each in data["problems"])
    return BulkOutcome(
        data["bulk"],
        data["rows"],
        data["drafted"],
        data["submitted"],
        data["awaiting_approval"],
        problems,
        is_stored=data["is_stored"],
        off_step=data.get("off_step", 0),
    )

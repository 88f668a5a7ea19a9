"""Work that goes on in the background: how it is shown while it runs, asked to stop, and what it failed of; and small steps at once."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from flask import abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from insureflow.domain.errors import Refusal
from insureflow.domain.tasks import TaskState
from insureflow.i18n.words import sentence, sentence_for, word
from insureflow.models.jobs import Task
from insureflow.services import tasks
from insureflow.web.context import choose_locale

_OPEN = (TaskState.QUEUED, TaskState.RUNNING)


@dataclass(frozen=True, slots=True)
class Job:
    """Work under way as ``macros/page.html`` shows it."""

    url: str
    name: str
    state: TaskState
    done: int
    total: int | None
    text: str
    cancel_url: str
    result_url: str
    result_label: str

    @property
    def is_open(self) -> bool:
        """Whether it waits or runs."""
        return self.state in _OPEN


def job_of(
    task: Task, *, url: str, cancel_url: str, result_url: str, name: str = "", text: str | None = None, result_label: str = ""
) -> Job:
    """A task as a page shows it: its kind and the stage it is at, unless something else is to be said."""
    progress = tasks.progress_of(task)
    stage = word(f"stage.{progress.stage}", choose_locale()).capitalize() if progress.stage else ""
    return Job(
        url,
        name or word(task.kind, choose_locale()),
        task.state,
        progress.done,
        progress.total,
        stage if text is None else text,
        cancel_url,
        result_url,
        result_label or _("Show the result"),
    )


def failure_of(task: Task | None) -> str:
    """What a task failed of, in a sentence; empty where it did not."""
    if task is None or not task.error:
        return ""
    return sentence(str(task.error["code"]), dict(task.error["parameters"]), choose_locale())


@dataclass(frozen=True, slots=True)
class TaskPages:
    """The pages of a feature's work with many things: ``task``, ``progress`` and ``cancel_task`` of its blueprint."""

    feature: str
    kinds: Collection[str]

    def get_or_404(self, task_id: int) -> Task:
        """A task of this feature."""
        found = tasks.get_task(g.organisation.id, task_id)
        if found.kind not in self.kinds:
            abort(404)
        return found

    def job(self, task: Task) -> Job:
        """A task as its page shows it."""
        return job_of(
            task,
            url=url_for(f"{self.feature}.progress", task_id=task.id),
            cancel_url=url_for(f"{self.feature}.cancel_task", task_id=task.id),
            result_url=self._address(task.id),
        )

    def open_job(self, task: Task) -> Job | None:
        """The same; None once nothing goes on any more."""
        return self.job(task) if task.state in _OPEN else None

    def progress(self, task_id: int) -> ResponseReturnValue:
        """How far the work is, for the page that shows it."""
        found = self.get_or_404(task_id)
        if not request.headers.get("HX-Request"):
            return redirect(self._address(task_id))
        return render_template("imports/_progress.html", job=self.job(found))

    def cancel(self, task_id: int, said: str) -> ResponseReturnValue:
        """Ask the work to stop, and say what that means."""
        found = self.get_or_404(task_id)
        if found.state in _OPEN:
            tasks.cancel(g.organisation.id, found.id)
            flash(said, "info")
        return redirect(self._address(task_id))

    def _address(self, task_id: int) -> str:
        return url_for(f"{self.feature}.task", task_id=task_id)


def take_step(step: Callable[[], object], said: str, back: str) -> ResponseReturnValue:
    """Do one thing at once and go back to the page it belongs to, which says what came of it."""
    try:
        step()
    except Refusal as refusal:
        flash(sentence_for(refusal, choose_locale()), "error")
    else:
        flash(said, "success")
    return redirect(back)

"""How far long work has come, and whether somebody wants it to stop, told across processes while the work holds a transaction.

On PostgreSQL both stand in the task's row, written over a connection of their own. SQLite lets one transaction write at a time, so a
worker that is inside its own could neither report nor be told to stop: there they are small files beside the database.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

from sqlalchemy import text

from insureflow.models.database import db


@dataclass(frozen=True, slots=True)
class Progress:
    """A stage of the work (a code) and how much of it is done; ``total`` is None while nobody knows."""

    stage: str
    done: int
    total: int | None


class Board(Protocol):
    """Where progress is written and wishes to stop are read."""

    def write(self, task_id: int, progress: Progress) -> None:
        """Tell how far the work is."""

    def find(self, task_id: int) -> Progress | None:
        """How far the work was when it last told."""

    def ask_to_stop(self, task_id: int) -> None:
        """Ask the worker to stop."""

    def is_asked_to_stop(self, task_id: int) -> bool:
        """True once somebody asked."""

    def clear(self, task_id: int) -> None:
        """Forget the task."""


class FileBoard:
    """Files in a folder beside an embedded database."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, task_id: int, progress: Progress) -> None:
        """Tell how far the work is."""
        self._folder.mkdir(parents=True, exist_ok=True)
        new = self._folder / f"{task_id}.{os.getpid()}.new"
        new.write_text(json.dumps(asdict(progress)), encoding="utf-8")
        new.replace(self._folder / f"{task_id}.json")

    def find(self, task_id: int) -> Progress | None:
        """How far the work was when it last told."""
        try:
            return Progress(**json.loads((self._folder / f"{task_id}.json").read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None

    def ask_to_stop(self, task_id: int) -> None:
        """Ask the worker to stop."""
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / f"{task_id}.stop").touch()

    def is_asked_to_stop(self, task_id: int) -> bool:
        """True once somebody asked."""
        return (self._folder / f"{task_id}.stop").exists()

    def clear(self, task_id: int) -> None:
        """Forget the task."""
        for ending in ("json", "stop"):
            (self._folder / f"{task_id}.{ending}").unlink(missing_ok=True)


class RowBoard:
    """The task's own row, over a connection that is not the worker's. The key of a task is unique across organisations."""

    def write(self, task_id: int, progress: Progress) -> None:
        """Tell how far the work is."""
        with db.engine.begin() as connection:
            connection.execute(
                text("UPDATE task SET stage = :stage, progress_done = :done, progress_total = :total WHERE id = :id"),
                {"id": task_id, **asdict(progress)},
            )

    def find(self, task_id: int) -> Progress | None:
        """How far the work was when it last told."""
        with db.engine.connect() as connection:
            row = connection.execute(text("SELECT stage, progress_done, progress_total FROM task WHERE id = :id"), {"id": task_id}).first()
        return None if row is None else Progress(row.stage, row.progress_done, row.progress_total)

    def ask_to_stop(self, task_id: int) -> None:
        """Ask the worker to stop."""
        with db.engine.begin() as connection:
            connection.execute(text("UPDATE task SET cancel_requested = true WHERE id = :id"), {"id": task_id})

    def is_asked_to_stop(self, task_id: int) -> bool:
        """True once somebody asked."""
        with db.engine.connect() as connection:
            return bool(connection.scalar(text("SELECT cancel_requested FROM task WHERE id = :id"), {"id": task_id}))

    def clear(self, task_id: int) -> None:
        """Nothing to forget: the row stays."""


def board() -> Board:
    """The board that fits the database in use."""
    url = db.engine.url
    if url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:"):
        return FileBoard(Path(str(url.database)).parent / "progress")
    return RowBoard()

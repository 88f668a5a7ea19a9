"""The state of the database as a whole."""

from __future__ import annotations

from pathlib import Path

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import SQLAlchemyError

from insureflow.models.database import db

_ROOT = Path(__file__).resolve().parents[2]
MIGRATIONS = _ROOT / "migrations" if (_ROOT / "migrations" / "env.py").exists() else Path(__file__).resolve().parents[1] / "migrations"


def find_problem() -> str | None:
    """None if the database answers and is at the newest migration, else ``unreachable`` or ``not_migrated``."""
    newest = ScriptDirectory(str(MIGRATIONS)).get_current_head()
    try:
        with db.engine.connect() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
    except SQLAlchemyError:
        return "unreachable"
    return None if current == newest else "not_migrated"

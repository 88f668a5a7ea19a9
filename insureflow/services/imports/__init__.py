"""Ledger imports: files are read, compared with the ledger, booked in one piece, and can be taken back."""

from __future__ import annotations

from insureflow.services.imports import files, profiles, tasks
from insureflow.services.imports.importing import ImportOrder, import_ledger
from insureflow.services.imports.outcomes import ImportOutcome
from insureflow.services.imports.undoing import undo_import

__all__ = ["ImportOrder", "ImportOutcome", "files", "import_ledger", "profiles", "tasks", "undo_import"]

"""What it takes to undo an import: what was there before, kept with the batch as one file."""

from __future__ import annotations

import hashlib
import json
import zlib
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from insureflow.models.receivables import ImportBatch, StoredFile
from insureflow.services.clock import now
from insureflow.services.imports.storing import Written

#: Where a batch's options name the file.
_KEY = "undo_file"


@dataclass(frozen=True, slots=True)
class Before:
    """What an import changed. ``invoices`` and ``credits``: key, columns before and after; ``payments`` and ``allocations``: whole rows."""

    invoices: list[dict[str, Any]] = field(default_factory=list)
    payments: list[dict[str, Any]] = field(default_factory=list)
    allocations: list[dict[str, Any]] = field(default_factory=list)
    closed_disputes: list[int] = field(default_factory=list)
    new_buyers: list[int] = field(default_factory=list)
    new_names: list[int] = field(default_factory=list)
    new_numbers: list[int] = field(default_factory=list)
    credits: list[dict[str, Any]] = field(default_factory=list)
    new_allocations: list[int] = field(default_factory=list)


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return {"date": value.isoformat()}
    if isinstance(value, Decimal):
        return {"decimal": format(value, "f")}
    raise TypeError(type(value).__name__)


def _revive(value: dict[str, Any]) -> Any:
    if value.keys() == {"date"}:
        return date.fromisoformat(value["date"])
    if value.keys() == {"decimal"}:
        return Decimal(value["decimal"])
    return value


def remember(
    session: Session, batch: ImportBatch, written: Written, *, new_buyers: list[int], new_names: list[int], new_numbers: list[int]
) -> None:
    """Keep what an import has changed."""
    changes = {
        "invoices": written.invoices,
        "payments": written.payments,
        "allocations": written.allocations,
        "closed_disputes": written.closed_disputes,
        "new_buyers": new_buyers,
        "new_names": new_names,
        "new_numbers": new_numbers,
        "credits": written.credits,
        "new_allocations": written.new_allocations,
    }
    if not any(changes.values()):
        return
    content = zlib.compress(json.dumps(changes, default=_plain, separators=(",", ":")).encode(), 1)
    file = StoredFile(
        name=f"import-{batch.id}.undo",
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        content=content,
        created_at=now(),
    )
    session.add(file)
    session.flush()
    batch.options = {**batch.options, _KEY: file.id}


def recall(session: Session, batch: ImportBatch) -> Before:
    """What an import has changed."""
    key = batch.options.get(_KEY)
    if key is None:
        return Before()
    return Before(**json.loads(zlib.decompress(session.get_one(StoredFile, key).content), object_hook=_revive))


def forget(session: Session, batch: ImportBatch) -> None:
    """Drop what was kept for undoing."""
    key = batch.options.get(_KEY)
    if key is not None:
        session.delete(session.get_one(StoredFile, key))
        batch.options = {name: value for name, value in batch.options.items() if name != _KEY}
        session.flush()

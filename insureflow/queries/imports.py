"""Imports of ledger files: the list of them, and the bad rows of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, case, func, select

from insureflow.models.database import db
from insureflow.models.organisations import Entity, User
from insureflow.models.receivables import ImportBatch, ImportProblem, Invoice
from insureflow.queries.listing import Field, FilterKind, Kind, Listing, Order


def imports_listing(entity_id: int | None = None) -> Listing:
    """All imports, the newest first; of one entity if asked for."""

    def source(statement: Select[Any]) -> Select[Any]:
        joined = (
            statement.select_from(ImportBatch)
            .join(Entity, Entity.id == ImportBatch.entity_id)
            .outerjoin(User, User.id == ImportBatch.created_by_id)
        )
        return joined if entity_id is None else joined.where(ImportBatch.entity_id == entity_id)

    return Listing(
        "imports",
        (
            Field("file", ImportBatch.file_name, search=ImportBatch.file_name),
            Field("entity", Entity.name, search=Entity.code, filter=FilterKind.SELECT),
            Field("state", ImportBatch.state, Kind.BADGE, filter=FilterKind.SELECT),
            Field("mode", ImportBatch.mode, Kind.BADGE, filter=FilterKind.SELECT),
            Field("as_of", ImportBatch.as_of, Kind.DATE, filter=FilterKind.DATE_RANGE),
            Field("new_invoices", _count("new_invoices"), Kind.NUMBER),
            Field("changed_invoices", _count("changed_invoices"), Kind.NUMBER),
            Field("bad_rows", _count("bad_rows"), Kind.NUMBER),
            Field("created_at", ImportBatch.created_at, Kind.INSTANT),
            Field("created_by", User.name, search=User.name),
        ),
        source,
        key=ImportBatch.id,
        order=Order("created_at", descending=True),
    )


def _count(name: str) -> Any:
    return ImportBatch.counts[name].as_integer()


def problems_listing(batch_id: int) -> Listing:
    """The rows of a batch's file that could not be taken, and those taken with a warning."""

    def source(statement: Select[Any]) -> Select[Any]:
        return statement.select_from(ImportProblem).where(ImportProblem.batch_id == batch_id)

    return Listing(
        "problems",
        (
            Field("row", ImportProblem.row, Kind.NUMBER),
            Field("column", ImportProblem.column, search=ImportProblem.column, filter=FilterKind.TEXT),
            Field("value", ImportProblem.value, search=ImportProblem.value),
            Field("reason", ImportProblem.code, filter=FilterKind.SELECT),
            Field("weight", case((ImportProblem.warning, "warning"), else_="bad_row"), Kind.BADGE, filter=FilterKind.SELECT),
            Field("parameters", ImportProblem.parameters, sortable=False, hidden=True),
        ),
        source,
        key=ImportProblem.id,
        order=Order("row"),
    )


def reasons_of(batch_id: int) -> list[str]:
    """The codes of what is wrong in a batch's file."""
    return list(
        db.session.scalars(select(ImportProblem.code).where(ImportProblem.batch_id == batch_id).distinct().order_by(ImportProblem.code))
    )


@dataclass(frozen=True, slots=True)
class Batch:
    """An import as a list names it."""

    id: int
    file_name: str
    entity: str
    state: str
    mode: str
    as_of: Any
    counts: dict[str, Any]
    created_at: Any


def list_imports() -> list[Batch]:
    """All imports, the newest first."""
    statement = (
        select(
            ImportBatch.id,
            ImportBatch.file_name,
            Entity.code,
            ImportBatch.state,
            ImportBatch.mode,
            ImportBatch.as_of,
            ImportBatch.counts,
            ImportBatch.created_at,
        )
        .join(Entity, Entity.id == ImportBatch.entity_id)
        .order_by(ImportBatch.id.desc())
    )
    return [Batch(*row) for row in db.session.execute(statement)]


def count_invoices(batch_id: int) -> int:
    """How many invoices a batch brought that are still there."""
    return int(db.session.scalar(select(func.count(Invoice.id)).where(Invoice.batch_id == batch_id)) or 0)


def is_last(batch: ImportBatch) -> bool:
    """True if nothing was imported for the entity after this batch."""
    later = select(ImportBatch.id).where(
        ImportBatch.entity_id == batch.entity_id, ImportBatch.state == batch.state, ImportBatch.finished_at > batch.finished_at
    )
    return db.session.scalar(later.limit(1)) is None


def entity_of(batch: ImportBatch) -> Entity:
    """The entity a batch is for."""
    return db.session.get_one(Entity, batch.entity_id)


def list_together(batch: ImportBatch) -> list[Batch]:
    """The imports that took the rows of other entities from the same file."""
    keys = batch.options.get("together_with") or []
    return [each for each in list_imports() if each.id in keys] if keys else []

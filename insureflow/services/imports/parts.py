"""The parts of an import: the lines of one file, each with the entity whose ledger they belong to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sqlalchemy import select
from sqlalchemy.orm import Session

from insureflow.connectors.ledgers.batch import CustomerNames, LedgerBatch
from insureflow.connectors.ledgers.lines import gather_names
from insureflow.domain.receivables import LedgerLines, RowProblem
from insureflow.models.organisations import Entity


@dataclass(frozen=True, slots=True)
class Part:
    """The lines of a file that belong to one entity, and how they spell its customers."""

    entity: Entity
    lines: LedgerLines
    names: Mapping[str, CustomerNames]


def share_out(session: Session, chosen: Entity, batch: LedgerBatch, heading: str | None) -> tuple[list[Part], list[RowProblem]]:
    """The lines of a file by entity, the chosen one first, and the rows whose code no entity has.

    Without a column of entity codes (``heading``) all lines belong to the chosen entity, as do rows whose cell is empty. An entity
    that no row names has no part, so that a list of open items settles nothing of it; only the chosen one has an empty part.
    """
    lines = batch.lines
    codes = set(lines.entity_code) if heading is not None else set()
    if codes <= {None, chosen.code}:
        return [Part(chosen, lines, batch.customers)], []
    entities = {entity.code: entity for entity in session.scalars(select(Entity).order_by(Entity.code))}
    positions: dict[str, list[int]] = {chosen.code: []}
    problems: list[RowProblem] = []
    known = MappingProxyType({"known": ", ".join(entities)})
    for position, code in enumerate(lines.entity_code):
        if code is not None and code not in entities:
            problems.append(RowProblem(lines.row[position], heading, code, "entity_code_unknown", known))
        else:
            positions.setdefault(code or chosen.code, []).append(position)
    parts = []
    for code, places in positions.items():
        own = lines.select(places)
        parts.append(Part(entities[code], own, gather_names(own)))
    return parts, problems

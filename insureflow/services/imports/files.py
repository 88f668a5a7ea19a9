"""Uploaded ledger files: kept byte for byte until they are imported or discarded, with what is asked about them."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import PurePath
from typing import IO, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from insureflow.connectors.ledgers import FileLimits, Preview, Profile, preview, profile_from_mapping, profile_to_mapping
from insureflow.connectors.ledgers.source import open_source
from insureflow.domain.errors import Refusal
from insureflow.domain.receivables import ImportMode
from insureflow.domain.tasks import ImportState
from insureflow.models.database import db
from insureflow.models.organisations import Entity
from insureflow.models.receivables import ImportBatch, ImportProblem, StoredFile
from insureflow.services.clock import now
from insureflow.services.imports.importing import ImportOrder
from insureflow.services.journal import Actor
from insureflow.services.organisations import get_entity
from insureflow.services.transaction import transaction

#: The states in which an upload still waits for somebody.
WAITING = frozenset({ImportState.UPLOADED, ImportState.CHECKED, ImportState.REFUSED, ImportState.CANCELLED, ImportState.INTERRUPTED})

#: A file up to this size is checked while the person waits; a larger one is checked in the background.
SMALL = 512 * 1024


def keep_upload(actor: Actor, organisation_id: int, entity: str, name: str, stream: IO[bytes], *, as_of: date) -> int:
    """Keep an uploaded file and begin an import of it; gives the key of the batch.

    Errors: ``entity_unknown`` and the refusals of ``open_source`` (too large, empty, damaged, of a kind that cannot be read).
    """
    name = PurePath(name.replace("\\", "/")).name[:300] or "ledger"
    with open_source(stream, FileLimits(), name) as opened:
        opened.stream.seek(0)
        content, sha256, size = opened.stream.read(), opened.sha256, opened.size
    with transaction(organisation_id) as session:
        file = StoredFile(name=name, size=size, sha256=sha256, content=content, created_at=now())
        session.add(file)
        session.flush()
        batch = ImportBatch(
            entity_id=get_entity(session, entity).id,
            file_id=file.id,
            file_name=name,
            file_sha256=sha256,
            mode=ImportMode.MOVEMENTS.value,
            as_of=as_of,
            profile={},
            options={"create_buyers": True},
            state=ImportState.UPLOADED,
            counts={},
            created_at=now(),
            created_by_id=actor.user_id,
        )
        session.add(batch)
        session.flush()
        return batch.id


def get_batch(batch_id: int) -> ImportBatch:
    """A batch of the organisation in scope. Errors: ``batch_unknown``."""
    batch = db.session.scalar(select(ImportBatch).where(ImportBatch.id == batch_id).execution_options(populate_existing=True))
    if batch is None:
        raise Refusal("batch_unknown", batch=batch_id)
    return batch


def read_upload(batch: ImportBatch) -> IO[bytes]:
    """The bytes of an upload. Errors: ``upload_gone`` once it was imported or discarded."""
    content = None
    if batch.file_id is not None:
        content = db.session.scalar(select(StoredFile.content).where(StoredFile.id == batch.file_id))
    if content is None:
        raise Refusal("upload_gone", file=batch.file_name)
    return io.BytesIO(content)


def size_of_upload(batch: ImportBatch) -> int:
    """Bytes of an upload; 0 once it is gone."""
    if batch.file_id is None:
        return 0
    return int(db.session.scalar(select(StoredFile.size).where(StoredFile.id == batch.file_id)) or 0)


def look_into(batch: ImportBatch, profile: Profile | None) -> Preview:
    """The beginning of an upload, as it stands and as it would be read. Errors: the refusals of reading, ``upload_gone``."""
    return preview(read_upload(batch), profile, name=batch.file_name)


def suggest_profile(batch: ImportBatch) -> Profile | None:
    """How an upload may be read by its headings alone; None for e-invoices, which need no mapping.

    A column that looks like codes of entities is left aside where it names others than those of the organisation: the codes of
    another system say nothing here, and all rows then belong to the entity that was chosen.
    """
    seen = look_into(batch, None)
    if seen.suggestion is None:
        return None
    profile = seen.suggestion.profile
    rule = profile.columns.get("entity_code")
    if rule is not None:
        place = seen.headers.index(rule.columns[0])
        known = set(db.session.scalars(select(Entity.code)))
        if not {row[place].strip() for row in seen.rows} <= {*known, ""}:
            profile = replace(profile, columns={name: each for name, each in profile.columns.items() if name != "entity_code"})
    return profile


def profile_of(batch: ImportBatch) -> Profile | None:
    """How somebody said that an upload is to be read, or None."""
    return profile_from_mapping(batch.profile) if batch.profile else None


def set_mapping(
    organisation_id: int, batch_id: int, profile: Profile, *, mode: ImportMode, as_of: date, options: Mapping[str, Any]
) -> None:
    """Keep how an upload is to be read and booked. What an earlier check found is dropped. Errors: ``batch_unknown``, ``upload_gone``."""
    with transaction(organisation_id) as session:
        batch = _waiting(session, batch_id)
        batch.profile = profile_to_mapping(profile)
        batch.mode, batch.as_of, batch.state = mode.value, as_of, ImportState.UPLOADED
        batch.options = {**batch.options, **options, "task_id": None}
        batch.counts = {}
        _drop_problems(session, batch_id)


def note_task(organisation_id: int, batch_id: int, task_id: int, *, good_rows_only: bool = False) -> None:
    """Keep which piece of work is busy with a batch."""
    with transaction(organisation_id) as session:
        batch = _waiting(session, batch_id)
        batch.options = {**batch.options, "task_id": task_id, "good_rows_only": good_rows_only}


def order_of(batch: ImportBatch, entity: str, *, dry_run: bool) -> ImportOrder:
    """The import that a batch asks for. Errors: ``mapping_missing`` before anybody said how the file is to be read."""
    if not batch.profile:
        raise Refusal("mapping_missing", file=batch.file_name)
    return ImportOrder(
        entity=entity,
        profile=replace(profile_from_mapping(batch.profile), mode=ImportMode(batch.mode)),
        as_of=batch.as_of,
        file_name=batch.file_name,
        mode=ImportMode(batch.mode),
        dry_run=dry_run,
        good_rows_only=bool(batch.options.get("good_rows_only")),
        create_buyers=bool(batch.options.get("create_buyers", True)),
        batch_id=batch.id,
    )


def discard(organisation_id: int, batch_id: int) -> None:
    """Drop an upload that was not imported. Errors: ``batch_unknown``, ``upload_gone``."""
    with transaction(organisation_id) as session:
        batch = _waiting(session, batch_id)
        _drop_problems(session, batch_id)
        drop_file(session, batch)
        session.delete(batch)


def drop_file(session: Session, batch: ImportBatch) -> None:
    """Drop the bytes of an upload; the batch keeps their mark."""
    file = session.get(StoredFile, batch.file_id) if batch.file_id is not None else None
    batch.file_id = None
    session.flush()
    if file is not None:
        session.delete(file)
        session.flush()


def _waiting(session: Session, batch_id: int) -> ImportBatch:
    batch = session.scalar(select(ImportBatch).where(ImportBatch.id == batch_id).execution_options(populate_existing=True))
    if batch is None:
        raise Refusal("batch_unknown", batch=batch_id)
    if batch.state not in WAITING:
        raise Refusal("upload_gone", file=batch.file_name)
    return batch


def _drop_problems(session: Session, batch_id: int) -> None:
    for problem in session.scalars(select(ImportProblem).where(ImportProblem.batch_id == batch_id)):
        session.delete(problem)
    session.flush()

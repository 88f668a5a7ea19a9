"""Evidence: files kept for good under the hash of their content, with the day they speak of. They are given out as downloads only."""

from __future__ import annotations

import hashlib
import io
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePath
from typing import IO

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from insureflow.connectors.evidence_types import sniff
from insureflow.connectors.file_store import FileStore, FolderStore
from insureflow.domain.errors import Refusal
from insureflow.models.database import db
from insureflow.models.documents import EvidenceLink
from insureflow.models.limit_requests import EvidenceFile
from insureflow.models.scope import current_organisation_id, within
from insureflow.services.clock import now
from insureflow.services.journal import Actor

#: Largest file that is taken as evidence.
LARGEST = 20 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class NewEvidence:
    """A file as it was sent; ``dated_on`` is the day its content speaks of."""

    name: str
    stream: IO[bytes]
    dated_on: date | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Download:
    """A file to be given out: always as an attachment, never shown by the browser itself."""

    name: str
    media_type: str
    content: bytes


def store_of(organisation_id: int) -> FileStore:
    """Where the files of an organisation are: apart from those of all others, so that a hash tells nothing across them."""
    return FolderStore(Path(current_app.instance_path) / "files" / str(organisation_id))


def clean_name(name: str) -> str:
    """The name of a file without folders and without characters that steer a terminal, a header or a reader's eye."""
    plain = PurePath(name.replace("\\", "/")).name
    kept = "".join(
        character
        for character in unicodedata.normalize("NFC", plain)
        if unicodedata.category(character)[0] != "C" and character not in '"<>|:*?'
    )
    return kept.strip(" .")[-200:] or "file"


def keep(session: Session, actor: Actor, new: NewEvidence, *, buyer_id: int | None = None, decision_id: int | None = None) -> EvidenceFile:
    """Keep a file as evidence in the running unit of work; who calls writes the journal. The same file for the same thing is kept once.

    Errors: ``evidence_empty``, ``evidence_too_large``, ``evidence_hostile``, ``evidence_type_not_taken``.
    """
    name = clean_name(new.name)
    content = new.stream.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise Refusal("evidence_too_large", name=name, limit=LARGEST // (1024 * 1024))
    kind = sniff(content, name)
    sha256 = hashlib.sha256(content).hexdigest()
    known = session.scalar(
        select(EvidenceFile)
        .where(EvidenceFile.sha256 == sha256, EvidenceFile.buyer_id == buyer_id, EvidenceFile.decision_id == decision_id)
        .limit(1)
    )
    if known is not None:
        return known
    store_of(current_organisation_id()).put(io.BytesIO(content))
    file = EvidenceFile(
        buyer_id=buyer_id,
        decision_id=decision_id,
        name=name,
        media_type=kind.value,
        size_bytes=len(content),
        sha256=sha256,
        dated_on=new.dated_on,
        note=new.note.strip()[:1000],
        created_at=now(),
        created_by_id=actor.user_id,
    )
    session.add(file)
    session.flush()
    return file


def link(session: Session, actor: Actor, file: EvidenceFile, subject_kind: str, subject_id: int) -> EvidenceLink:
    """Say what a file proves, in the running unit of work; the same link is made once. Who calls writes the journal."""
    known = session.scalar(
        select(EvidenceLink).where(
            EvidenceLink.evidence_id == file.id, EvidenceLink.subject_kind == subject_kind, EvidenceLink.subject_id == subject_id
        )
    )
    if known is not None:
        return known
    made = EvidenceLink(
        evidence_id=file.id, subject_kind=subject_kind, subject_id=subject_id, created_at=now(), created_by_id=actor.user_id
    )
    session.add(made)
    session.flush()
    return made


def attach(
    session: Session, actor: Actor, new: NewEvidence, subject_kind: str, subject_id: int, *, buyer_id: int | None = None
) -> tuple[EvidenceFile, bool]:
    """Keep a file and say what it proves; true if it was not there yet, and only then is there anything for the journal."""
    file = keep(session, actor, new, buyer_id=buyer_id)
    known = set(
        session.scalars(select(EvidenceLink.id).where(EvidenceLink.subject_kind == subject_kind, EvidenceLink.subject_id == subject_id))
    )
    return file, link(session, actor, file, subject_kind, subject_id).id not in known


def linked_to(subject_kind: str, subject_id: int) -> Sequence[EvidenceFile]:
    """The files that prove something about a subject, in the order in which they came."""
    statement = (
        select(EvidenceFile)
        .join(EvidenceLink, EvidenceLink.evidence_id == EvidenceFile.id)
        .where(EvidenceLink.subject_kind == subject_kind, EvidenceLink.subject_id == subject_id)
        .order_by(EvidenceLink.id)
    )
    return db.session.scalars(statement).all()


def open_download(organisation_id: int, file_id: int) -> Download:
    """A file for somebody who may see it. Errors: ``evidence_unknown``, ``stored_file_missing``, ``stored_file_altered``."""
    with within(organisation_id):
        file = db.session.scalar(select(EvidenceFile).where(EvidenceFile.id == file_id))
        if file is None:
            raise Refusal("evidence_unknown", file=str(file_id))
        return Download(file.name, file.media_type, store_of(organisation_id).read(file.sha256))


def evidence_of(*, decision_id: int | None = None, buyer_id: int | None = None) -> Sequence[EvidenceFile]:
    """The evidence for a decision, or all about a buyer, newest first."""
    statement = select(EvidenceFile).order_by(EvidenceFile.id.desc())
    if decision_id is not None:
        statement = statement.where(EvidenceFile.decision_id == decision_id)
    if buyer_id is not None:
        statement = statement.where(EvidenceFile.buyer_id == buyer_id)
    return db.session.scalars(statement).all()

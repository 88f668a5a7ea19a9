"""Documents as they were issued: numbered, kept under the hash of their bytes, never changed. A correction is another document."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from insureflow.domain.errors import Refusal
from insureflow.models.database import db
from insureflow.models.documents import IssuedDocument
from insureflow.models.scope import current_organisation_id, within
from insureflow.services.clock import now
from insureflow.services.files import Download, clean_name, store_of
from insureflow.services.journal import Actor, plain
from insureflow.services.transaction import hold


def reserve_numbers(session: Session, year: int, count: int = 1) -> list[str]:
    """The next numbers of documents of a year, in order. The organisation is held until the unit of work ends, so that none comes twice."""
    session.flush()
    organisation_id = current_organisation_id()
    hold(session, organisation_id)
    stem = f"D-{year}-"
    last = session.scalar(
        select(IssuedDocument.number)
        .where(IssuedDocument.number.startswith(stem, autoescape=True))
        .order_by(func.length(IssuedDocument.number).desc(), IssuedDocument.number.desc())
        .limit(1)
    )
    first = int(last.removeprefix(stem)) + 1 if last else 1
    return [f"{stem}{number:06}" for number in range(first, first + count)]


def issue(
    session: Session,
    actor: Actor,
    *,
    kind: str,
    language: str,
    dated_on: date,
    facts: Mapping[str, Any],
    name: str,
    content: bytes,
    media_type: str = "application/pdf",
    entity_id: int | None = None,
    buyer_id: int | None = None,
    policy_id: int | None = None,
    replaces_id: int | None = None,
    number: str = "",
) -> IssuedDocument:
    """Freeze a document in the running unit of work; who calls writes the journal. ``number`` is one that was reserved, or the next."""
    own_number = number or reserve_numbers(session, dated_on.year)[0]
    sha256 = hashlib.sha256(content).hexdigest()
    store_of(current_organisation_id()).put(io.BytesIO(content))
    row = IssuedDocument(
        number=own_number,
        kind=kind,
        language=language,
        entity_id=entity_id,
        buyer_id=buyer_id,
        policy_id=policy_id,
        dated_on=dated_on,
        facts=plain(dict(facts)),
        name=clean_name(name),
        media_type=media_type,
        size_bytes=len(content),
        sha256=sha256,
        replaces_id=replaces_id,
        created_at=now(),
        created_by_id=actor.user_id,
    )
    session.add(row)
    session.flush()
    return row


def read(organisation_id: int, document_id: int) -> Download:
    """A document to be given out. Errors: ``document_unknown``, ``stored_file_missing``, ``stored_file_altered``."""
    with within(organisation_id):
        row = db.session.scalar(select(IssuedDocument).where(IssuedDocument.id == document_id))
        if row is None:
            raise Refusal("document_unknown", document=str(document_id))
        return Download(row.name, row.media_type, store_of(organisation_id).read(row.sha256))

"""Issued documents, read."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, select

from insureflow.domain.buyers import search_name
from insureflow.models.buyers import Buyer
from insureflow.models.database import db
from insureflow.models.documents import IssuedDocument
from insureflow.queries.listing import Field, FilterKind, Kind, Listing, Order


def find_document(document_id: int) -> IssuedDocument | None:
    """The document with this key, or None."""
    return db.session.scalar(select(IssuedDocument).where(IssuedDocument.id == document_id))


def document_listing(*, buyer_id: int | None = None, entity_id: int | None = None) -> Listing:
    """All issued documents, newest first."""
    fields = [
        Field("number", IssuedDocument.number.expression, search=IssuedDocument.number.expression),
        Field("kind", IssuedDocument.kind.expression, Kind.BADGE, filter=FilterKind.SELECT),
        *(
            ()
            if buyer_id is not None
            else (Field("buyer", Buyer.legal_name.expression, search=Buyer.search_name + " " + Buyer.legal_name, sort=Buyer.search_name.expression),)
        ),
        Field("dated_on", IssuedDocument.dated_on.expression, Kind.DATE, filter=FilterKind.DATE_RANGE),
        Field("language", IssuedDocument.language.expression, filter=FilterKind.SELECT),
        Field("name", IssuedDocument.name.expression, search=IssuedDocument.name.expression),
        Field("sha256", IssuedDocument.sha256.expression),
        Field("created_at", IssuedDocument.created_at.expression, Kind.INSTANT),
        Field("buyer_id", IssuedDocument.buyer_id.expression, Kind.NUMBER, hidden=True),
    ]  # fmt: skip

    def source(statement: Select[Any]) -> Select[Any]:
        statement = statement.select_from(IssuedDocument).outerjoin(Buyer, Buyer.id == IssuedDocument.buyer_id)
        if buyer_id is not None:
            statement = statement.where(IssuedDocument.buyer_id == buyer_id)
        if entity_id is not None:
            statement = statement.where(IssuedDocument.entity_id == entity_id)
        return statement

    return Listing(
        "documents", fields, source, key=IssuedDocument.id.expression, order=Order("created_at", descending=True), normalise=search_name
    )

"""Issued documents: the list of all, those of a buyer, and each as a download."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, g, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from insureflow.domain.access import Permission
from insureflow.domain.issued_documents import DocumentKind
from insureflow.i18n.documents import LANGUAGES
from insureflow.queries import issued_documents as queries
from insureflow.services import issued_documents
from insureflow.web.access import may, requires
from insureflow.web.buyers.pages import frame_of, language_name
from insureflow.web.downloads import attachment
from insureflow.web.links import buyer_url
from insureflow.web.tables import Empty, TableView, build_table, wanted_export, word_options

blueprint = Blueprint("issued_documents", __name__, url_prefix="/documents")

_KINDS = {kind.value: kind for kind in DocumentKind}


def _decorate(row: dict[str, Any]) -> dict[str, Any]:
    row["url"] = url_for("issued_documents.download", document_id=row["key"])
    row["kind"] = {"value": _KINDS.get(row["kind"], row["kind"]), "tone": "plain"}
    row["language"] = {"value": language_name(row["language"])}
    row["sha256"] = {"value": row["sha256"][:12]}
    if row["buyer_id"] is not None and "buyer" in row:
        row["buyer"] = {"value": row["buyer"], "url": buyer_url(row["buyer_id"])}
    return row


def _view(buyer_id: int | None = None) -> TableView:
    return TableView(
        queries.document_listing(buyer_id=buyer_id, entity_id=g.scope.entity_id),
        _("Documents issued"),
        {
            "number": _("Number"),
            "kind": _("Document"),
            "buyer": _("Buyer"),
            "dated_on": _("Dated"),
            "language": _("Language"),
            "name": _("File"),
            "sha256": _("Fingerprint"),
            "created_at": _("Issued"),
        },
        {
            "kind": lambda: word_options(list(DocumentKind)),
            "language": lambda: [(tag, language_name(tag) or tag) for tag in LANGUAGES],
        },
        decorate=_decorate,
        empty=lambda: Empty(
            _("No document was issued yet"),
            _("Reminders, statements of account and notifications appear here when they are made, exactly as they were sent."),
        ),
    )


@blueprint.get("/")
@requires(Permission.VIEW_RECEIVABLES)
def index() -> ResponseReturnValue:
    """Every document that was issued."""
    view = _view()
    export = wanted_export(view, "documents") if may(Permission.EXPORT) else None
    if export is not None:
        return export
    return render_template("issued_documents/index.html", listing=build_table(view))


@blueprint.get("/buyers/<int:buyer_id>")
@requires(Permission.VIEW_RECEIVABLES)
def of_buyer(buyer_id: int) -> ResponseReturnValue:
    """The documents about one buyer."""
    frame = frame_of(buyer_id)
    view = _view(buyer_id)
    export = wanted_export(view, "documents") if may(Permission.EXPORT) else None
    if export is not None:
        return export
    return render_template("issued_documents/of_buyer.html", **frame, listing=build_table(view))


@blueprint.get("/<int:document_id>")
@requires(Permission.VIEW_RECEIVABLES)
def download(document_id: int) -> ResponseReturnValue:
    """A document as it was issued, byte by byte."""
    if queries.find_document(document_id) is None:
        abort(404)
    return attachment(issued_documents.read(g.organisation.id, document_id))

"""Statements of account: what is open of a buyer's account with a company, issued as a paper, and sent by mail where asked."""

# flask-smorest comes without types, and its decorators with it.
# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import g, url_for
from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from insureflow.api.documents import DocumentPageSchema, document_rows
from insureflow.api.fields import MoneySchema, PageSchema, listed, money
from insureflow.domain.access import Permission, requires
from insureflow.domain.errors import Refusal
from insureflow.domain.issued_documents import DocumentKind
from insureflow.domain.money import Money
from insureflow.models.documents import IssuedDocument
from insureflow.models.messages import Message
from insureflow.queries import issued_documents as document_queries
from insureflow.queries import organisations as organisation_queries
from insureflow.queries import shipping as shipping_queries
from insureflow.queries.listing import Narrowing
from insureflow.services import dunning

blueprint = Blueprint("api_statements", __name__, description="Statements of account.")


class OpenAccountQuestionSchema(Schema):
    """Whose account with the buyer."""

    entity = fields.String(required=True, validate=validate.Length(1, 40), metadata={"description": "Code of the company."})


class NewStatementSchema(OpenAccountQuestionSchema):
    """A statement to be issued as of today."""

    by_mail = fields.Boolean(load_default=False, metadata={"description": "Send it to the buyer's contacts as well."})


class StatementItemSchema(Schema):
    """An open item: a positive amount is owed, a negative one is a credit."""

    kind = fields.String()
    number = fields.String()
    issued_on = fields.Date()
    original_due_on = fields.Date()
    amount = fields.Nested(MoneySchema)
    open = fields.Nested(MoneySchema)
    days_late = fields.Integer()
    is_disputed = fields.Boolean()
    reference = fields.String()


class OpenAccountSchema(Schema):
    """What a statement of today would say; nothing is issued."""

    buyer_id = fields.Integer()
    entity = fields.String()
    as_of = fields.Date()
    items = fields.List(fields.Nested(StatementItemSchema))
    closing = fields.List(fields.Nested(MoneySchema), metadata={"description": "What is open in all, by currency."})


class IssuedStatementSchema(Schema):
    """A statement as it was issued; its bytes are under `/documents/{document_id}`."""

    document_id = fields.Integer()
    number = fields.String()
    language = fields.String()
    dated_on = fields.Date()
    sha256 = fields.String()
    message_id = fields.Integer(allow_none=True, metadata={"description": "The e-mail it goes with."})


def entity_id_of(code: str) -> int:
    """The key of a company by its code. Errors: ``entity_unknown``."""
    for entity in organisation_queries.list_entities():
        if entity.code == code:
            return int(entity.id)
    raise Refusal("entity_unknown", entity=code)


def issued_to(buyer_id: int, kind: DocumentKind, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The asked page of the papers of one kind that were issued to a buyer, newest first. Errors: ``buyer_unknown``."""
    listing = document_queries.document_listing(buyer_id=shipping_queries.get_buyer(buyer_id).id)
    found = listing.page(Narrowing(choices={"kind": [kind.value]}), None, asked["page"], asked["page_size"])
    return listed(asked, found, document_rows(found))


def as_issued(document: IssuedDocument, message: Message | None) -> tuple[dict[str, Any], int, dict[str, str]]:
    """The answer that a paper was issued, with where it is."""
    issued = {
        "document_id": document.id,
        "number": document.number,
        "language": document.language,
        "dated_on": document.dated_on,
        "sha256": document.sha256,
        "message_id": None if message is None else message.id,
    }
    return issued, 201, {"Location": url_for("api_documents.document", document_id=document.id)}


def _money(amount: Money) -> dict[str, Any] | None:
    return money(amount.minor, amount.currency)


@blueprint.get("/buyers/<int:buyer_id>/account")
@requires(Permission.VIEW_RECEIVABLES)
@blueprint.arguments(OpenAccountQuestionSchema, location="query")
@blueprint.response(200, OpenAccountSchema)
def account(asked: Mapping[str, Any], buyer_id: int) -> dict[str, Any]:
    """What is open of a buyer's account today, by original due date, credits last."""
    shipping_queries.get_buyer(buyer_id)
    found = dunning.statement_of(g.organisation.id, buyer_id, entity_id_of(asked["entity"]), g.today)
    return {
        "buyer_id": buyer_id,
        "entity": asked["entity"],
        "as_of": found.as_of,
        "items": [
            {
                "kind": item.kind.value,
                "number": item.number,
                "issued_on": item.issued_on,
                "original_due_on": item.due_on,
                "amount": _money(item.amount),
                "open": _money(item.open),
                "days_late": item.days_late(found.as_of),
                "is_disputed": item.is_disputed,
                "reference": item.buyer_reference,
            }
            for item in found.items
        ],
        "closing": [_money(total) for total in found.closing],
    }


@blueprint.get("/buyers/<int:buyer_id>/statements")
@requires(Permission.VIEW_RECEIVABLES)
@blueprint.arguments(PageSchema, location="query")
@blueprint.response(200, DocumentPageSchema)
def statements(asked: Mapping[str, Any], buyer_id: int) -> dict[str, Any]:
    """The statements of account that were issued to a buyer, newest first."""
    return issued_to(buyer_id, DocumentKind.STATEMENT, asked)


@blueprint.post("/buyers/<int:buyer_id>/statements")
@requires(Permission.SEND_LETTERS)
@blueprint.arguments(NewStatementSchema)
@blueprint.response(201, IssuedStatementSchema)
def issue(said: Mapping[str, Any], buyer_id: int) -> Any:
    """Issue a statement of account of today, and queue it by mail where asked. Each call issues a paper of its own."""
    shipping_queries.get_buyer(buyer_id)
    document, message = dunning.send_statement(
        g.actor, g.organisation.id, buyer_id, entity_id_of(said["entity"]), g.today, by_mail=said["by_mail"]
    )
    return as_issued(document, message)

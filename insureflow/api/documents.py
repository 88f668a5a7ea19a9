"""Documents as they were issued, e-mail and what became of it, and what a person was told."""

# flask-smorest comes without types, and its decorators with it.
# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, g
from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate
from werkzeug.exceptions import Forbidden

from insureflow.api.downloads import attachment
from insureflow.api.errors import locale
from insureflow.api.fields import ListSchema, PageSchema, listed, row_key
from insureflow.domain.access import Permission, requires
from insureflow.domain.errors import Refusal
from insureflow.domain.messages import MessageState
from insureflow.i18n import values, words
from insureflow.models.messages import Message
from insureflow.queries import issued_documents as document_queries
from insureflow.queries import messages as message_queries
from insureflow.queries import shipping as shipping_queries
from insureflow.queries import telling as told_queries
from insureflow.queries.listing import Narrowing, Page
from insureflow.services import issued_documents, messages, telling
from insureflow.services.notices import MESSAGE_KIND as NOTICE_MESSAGE

blueprint = Blueprint("api_documents", __name__, description="Documents, e-mail and the inbox.")


class DocumentQuestionSchema(PageSchema):
    """Which documents."""

    buyer_id = row_key()


class DocumentSchema(Schema):
    """A document as it was issued."""

    id = fields.Integer()
    number = fields.String()
    kind = fields.String()
    buyer_id = fields.Integer(allow_none=True)
    dated_on = fields.Date()
    language = fields.String()
    name = fields.String()
    sha256 = fields.String(metadata={"description": "Fingerprint of the very bytes."})
    created_at = fields.AwareDateTime()


class DocumentPageSchema(ListSchema):
    """A page of documents, newest first."""

    items = fields.List(fields.Nested(DocumentSchema))


class MessageQuestionSchema(PageSchema):
    """Which messages."""

    state = fields.Enum(MessageState, by_value=True)
    buyer_id = row_key()


class MessageRowSchema(Schema):
    """An e-mail in a list."""

    id = fields.Integer()
    subject = fields.String()
    state = fields.String()
    recipients = fields.List(fields.String())
    buyer_id = fields.Integer(allow_none=True)
    attempts = fields.Integer()
    created_at = fields.AwareDateTime()
    sent_at = fields.AwareDateTime(allow_none=True)


class MessageSchema(MessageRowSchema):
    """An e-mail with its text, its papers and what went wrong."""

    kind = fields.String()
    copies = fields.List(fields.String())
    language = fields.String()
    body = fields.String()
    documents = fields.List(fields.Integer(), metadata={"description": "Keys of the documents that go with it."})
    last_error = fields.Dict(allow_none=True)
    bounce = fields.Dict(allow_none=True)
    bounced_at = fields.AwareDateTime(allow_none=True)


class MessagePageSchema(ListSchema):
    """A page of e-mail, newest first."""

    items = fields.List(fields.Nested(MessageRowSchema))


class RepetitionSchema(Schema):
    """To whom a message goes again; left out, to the same."""

    recipients = fields.List(fields.String(validate=validate.Length(1, 320)), validate=validate.Length(1, 50))


class InboxQuestionSchema(PageSchema):
    """How much of it."""

    with_read = fields.Boolean(load_default=False, metadata={"description": "What was read as well."})


class ToldSchema(Schema):
    """Something the key's owner was told."""

    id = fields.Integer()
    kind = fields.String()
    sentence = fields.String(metadata={"description": "For people, in the language asked for by Accept-Language."})
    facts = fields.Dict()
    buyer_id = fields.Integer(allow_none=True)
    created_at = fields.AwareDateTime()
    read_at = fields.AwareDateTime(allow_none=True)


class ToldPageSchema(ListSchema):
    """A page of the inbox, newest first."""

    items = fields.List(fields.Nested(ToldSchema))


class ReadSchema(Schema):
    """What was read; left out, all of it."""

    ids = fields.List(row_key(), load_default=None, allow_none=True, validate=validate.Length(0, 1000))


class ReadCountSchema(Schema):
    """How much of it was unread."""

    count = fields.Integer()


_DOCUMENT = ("number", "kind", "buyer_id", "dated_on", "language", "name", "sha256", "created_at")
_MESSAGE = ("subject", "recipients", "buyer_id", "attempts", "created_at", "sent_at")


def _wanted_buyer(asked: Mapping[str, Any]) -> int | None:
    return shipping_queries.get_buyer(asked["buyer_id"]).id if "buyer_id" in asked else None


def document_rows(found: Page) -> list[dict[str, Any]]:
    """Documents of a page of a list."""
    return [{"id": row["key"], **{name: row[name] for name in _DOCUMENT}} for row in found.rows]


@blueprint.get("/documents")
@requires(Permission.VIEW_RECEIVABLES)
@blueprint.arguments(DocumentQuestionSchema, location="query")
@blueprint.response(200, DocumentPageSchema)
def documents(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Every document that was issued."""
    listing = document_queries.document_listing(buyer_id=_wanted_buyer(asked))
    found = listing.page(Narrowing(), None, asked["page"], asked["page_size"])
    return listed(asked, found, document_rows(found))


@blueprint.get("/documents/<int:document_id>")
@requires(Permission.VIEW_RECEIVABLES)
@blueprint.response(200, content_type="application/pdf", description="The document, byte by byte as it was issued.")
def document(document_id: int) -> Response:
    """A document as it was issued, byte by byte."""
    return attachment(issued_documents.read(g.organisation.id, document_id))


def _message(mail_id: int) -> dict[str, Any]:
    message: Message | None = message_queries.find_message(mail_id)
    if message is None:
        raise Refusal("message_unknown", message=str(mail_id))
    names = (*_MESSAGE, "id", "kind", "copies", "language", "body", "documents", "last_error", "bounce", "bounced_at")
    return {name: getattr(message, name) for name in names} | {"state": message.state.value}


def _may_decide(mail_id: int) -> None:
    """Who may send a paper may decide about the message that carries it: notices to insurers and all else are different people's."""
    needed = Permission.APPROVE_NOTICES if _message(mail_id)["kind"] == NOTICE_MESSAGE else Permission.SEND_LETTERS
    if needed not in g.permissions:
        raise Forbidden


@blueprint.get("/messages")
@requires(Permission.VIEW_RECEIVABLES)
@blueprint.arguments(MessageQuestionSchema, location="query")
@blueprint.response(200, MessagePageSchema)
def outgoing(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Every e-mail and how it stands."""
    choices = {"state": [asked["state"].value]} if "state" in asked else {}
    listing = message_queries.message_listing(buyer_id=_wanted_buyer(asked))
    found = listing.page(Narrowing(choices=choices), None, asked["page"], asked["page_size"])
    items = [{"id": row["key"], "state": row["state"].value, **{name: row[name] for name in _MESSAGE}} for row in found.rows]
    return listed(asked, found, items)


@blueprint.get("/messages/<int:mail_id>")
@requires(Permission.VIEW_RECEIVABLES)
@blueprint.response(200, MessageSchema)
def message(mail_id: int) -> dict[str, Any]:
    """One e-mail with its text and what became of it."""
    return _message(mail_id)


@blueprint.post("/messages/<int:mail_id>/repeat")
@requires(Permission.EDIT_OBLIGATIONS)
@blueprint.arguments(RepetitionSchema)
@blueprint.response(200, MessageSchema)
def repeat(said: Mapping[str, Any], mail_id: int) -> dict[str, Any]:
    """Send an e-mail again, perhaps to another address."""
    _may_decide(mail_id)
    messages.repeat(g.actor, g.organisation.id, mail_id, recipients=said.get("recipients"))
    return _message(mail_id)


@blueprint.post("/messages/<int:mail_id>/cancel")
@requires(Permission.EDIT_OBLIGATIONS)
@blueprint.response(200, MessageSchema)
def cancel(mail_id: int) -> dict[str, Any]:
    """Do not send an e-mail that waits."""
    _may_decide(mail_id)
    messages.cancel(g.actor, g.organisation.id, mail_id)
    return _message(mail_id)


@blueprint.post("/messages/<int:mail_id>/arrived")
@requires(Permission.EDIT_OBLIGATIONS)
@blueprint.response(200, MessageSchema)
def arrived(mail_id: int) -> dict[str, Any]:
    """An e-mail of which nobody knew did arrive, as somebody made sure."""
    _may_decide(mail_id)
    messages.confirm_arrival(g.actor, g.organisation.id, mail_id)
    return _message(mail_id)


@blueprint.get("/inbox")
@requires(Permission.VIEW_OBLIGATIONS)
@blueprint.arguments(InboxQuestionSchema, location="query")
@blueprint.response(200, ToldPageSchema)
def inbox(asked: Mapping[str, Any]) -> dict[str, Any]:
    """What the key's owner was told and has not read."""
    listing = told_queries.told_listing(g.user.id, with_read=asked["with_read"])
    found = listing.page(Narrowing(), None, asked["page"], asked["page_size"])
    names, language = ("facts", "buyer_id", "created_at", "read_at"), locale()
    items = [
        {
            "id": row["key"],
            "kind": row["kind"].value,
            "sentence": words.sentence(
                f"told.{row['kind'].value}",
                {name: values.said(name, value, language).text for name, value in row["facts"].items()},
                language,
            ),
            **{name: row[name] for name in names},
        }
        for row in found.rows
    ]
    return listed(asked, found, items)


@blueprint.post("/inbox/read")
@requires(Permission.VIEW_OBLIGATIONS)
@blueprint.arguments(ReadSchema)
@blueprint.response(200, ReadCountSchema)
def mark_read(said: Mapping[str, Any]) -> dict[str, Any]:
    """Note that the key's owner has read these, or all."""
    return {"count": telling.mark_read(g.organisation.id, g.user.id, said["ids"])}

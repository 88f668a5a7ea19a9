"""Dunning: letters approved or skipped, holds, and notes of what was said."""

# flask-smorest comes without types, and its decorators with it.
# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import g
from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from insureflow.api.fields import ListSchema, MoneySchema, PageSchema, listed, money
from insureflow.domain.access import Permission, requires
from insureflow.domain.dunning import ContactKind, DunningLevel, LetterAction, LetterState, next_letter_state
from insureflow.domain.errors import Refusal
from insureflow.models.dunning import ContactNote, DunningHold
from insureflow.queries import dunning as queries
from insureflow.queries import shipping as shipping_queries
from insureflow.queries.listing import Narrowing
from insureflow.services import dunning

blueprint = Blueprint("api_dunning", __name__, description="Letters to buyers, holds and notes.")


class LetterQuestionSchema(PageSchema):
    """Which letters."""

    state = fields.Enum(LetterState, by_value=True)
    level = fields.Enum(DunningLevel, by_value=True)


class LetterRowSchema(Schema):
    """A letter in a list."""

    id = fields.Integer()
    buyer_id = fields.Integer()
    level = fields.String()
    state = fields.String()
    total = fields.Nested(MoneySchema)
    interest = fields.Nested(MoneySchema)
    as_of = fields.Date()
    channel = fields.String()
    language = fields.String()
    sent_on = fields.Date(allow_none=True)


class LetterInvoiceSchema(Schema):
    """An invoice as a letter states it."""

    number = fields.String()
    original_due_on = fields.Date()
    open = fields.Nested(MoneySchema)
    interest = fields.Nested(MoneySchema)


class LetterSchema(LetterRowSchema):
    """A letter with what it lists."""

    reason = fields.String()
    document_id = fields.Integer(allow_none=True)
    message_id = fields.Integer(allow_none=True)
    invoices = fields.List(fields.Nested(LetterInvoiceSchema))


class LetterPageSchema(ListSchema):
    """A page of letters, those that wait for a decision first."""

    items = fields.List(fields.Nested(LetterRowSchema))


class ProposedSchema(Schema):
    """How many letters were made: those that wait, and those that go without approval."""

    proposed = fields.Integer()
    approved = fields.Integer()


class SkipSchema(Schema):
    """Why a letter does not go."""

    reason = fields.String(required=True, validate=validate.Length(1, 1000))


class NewHoldSchema(Schema):
    """Why no letters are to go to a buyer, or about one invoice of it, from today on."""

    reason = fields.String(required=True, validate=validate.Length(1, 1000))
    until_on = fields.Date(metadata={"description": "The first day on which letters may go again."})
    invoice = fields.String(load_default="", validate=validate.Length(0, 80))


class HoldSchema(Schema):
    """A hold."""

    id = fields.Integer()
    buyer_id = fields.Integer()
    reason = fields.String()
    invoice = fields.String(allow_none=True)
    from_on = fields.Date()
    until_on = fields.Date(allow_none=True)


class HoldsSchema(Schema):
    """Holds of a buyer."""

    items = fields.List(fields.Nested(HoldSchema))


class NewNoteSchema(Schema):
    """A call, a visit, an e-mail or a note."""

    kind = fields.Enum(ContactKind, by_value=True, load_default=ContactKind.NOTE)
    text = fields.String(required=True, validate=validate.Length(1, 4000))
    happened_on = fields.Date(metadata={"description": "Left out: today."})
    with_whom = fields.String(load_default="", validate=validate.Length(0, 200))
    follow_up_on = fields.Date()


class NoteSchema(Schema):
    """What was said, and when to come back to it."""

    id = fields.Integer()
    buyer_id = fields.Integer()
    kind = fields.String()
    text = fields.String()
    happened_on = fields.Date()
    with_whom = fields.String()
    follow_up_on = fields.Date(allow_none=True)
    followed_up_on = fields.Date(allow_none=True)


class NotesSchema(Schema):
    """Notes about a buyer."""

    items = fields.List(fields.Nested(NoteSchema))


def _letter(letter_id: int) -> dict[str, Any]:
    letter = queries.find_letter(letter_id)
    if letter is None:
        raise Refusal("letter_unknown", letter=str(letter_id))
    return {
        "id": letter.id,
        "buyer_id": letter.buyer_id,
        "level": letter.level.value,
        "state": letter.state.value,
        "total": money(letter.total_minor, letter.currency),
        "interest": money(letter.interest_minor, letter.currency),
        "as_of": letter.as_of,
        "channel": letter.channel.value,
        "language": letter.language,
        "sent_on": letter.sent_on,
        "reason": letter.reason,
        "document_id": letter.document_id,
        "message_id": letter.message_id,
        "invoices": [
            {
                "number": item.number,
                "original_due_on": item.due_on,
                "open": money(item.open_minor, letter.currency),
                "interest": money(item.interest_minor, letter.currency),
            }
            for item in queries.invoices_of(letter_id)
        ],
    }


def _hold(hold: DunningHold) -> dict[str, Any]:
    return {
        "id": hold.id,
        "buyer_id": hold.buyer_id,
        "reason": hold.reason,
        "invoice": hold.invoice_number or None,
        "from_on": hold.from_on,
        "until_on": hold.until_on,
    }


def _note(note: ContactNote) -> dict[str, Any]:
    return {
        "id": note.id,
        "buyer_id": note.buyer_id,
        "kind": note.kind.value,
        "text": note.text,
        "happened_on": note.happened_on,
        "with_whom": note.with_whom,
        "follow_up_on": note.follow_up_on,
        "followed_up_on": note.followed_up_on,
    }


@blueprint.get("/letters")
@requires(Permission.VIEW_RECEIVABLES)
@blueprint.arguments(LetterQuestionSchema, location="query")
@blueprint.response(200, LetterPageSchema)
def letters(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The letters to buyers."""
    choices = {name: [asked[name].value] for name in ("state", "level") if name in asked}
    found = queries.letter_listing().page(Narrowing(choices=choices), None, asked["page"], asked["page_size"])
    items = [
        {
            **{name: row[name] for name in ("buyer_id", "as_of", "language", "sent_on")},
            **{name: row[name].value for name in ("level", "state", "channel")},
            **{name: money(*row[name]) for name in ("total", "interest")},
            "id": row["key"],
        }
        for row in found.rows
    ]
    return listed(asked, found, items)


@blueprint.post("/letters/propose")
@requires(Permission.SEND_LETTERS)
@blueprint.response(200, ProposedSchema)
def propose() -> dict[str, Any]:
    """Write down every letter that is due today; none is made twice."""
    made = dunning.propose(g.actor, g.organisation.id, g.today)
    return {"proposed": made.proposed, "approved": made.approved}


@blueprint.get("/letters/<int:letter_id>")
@requires(Permission.VIEW_RECEIVABLES)
@blueprint.response(200, LetterSchema)
def letter(letter_id: int) -> dict[str, Any]:
    """One letter with what it lists and what became of it."""
    return _letter(letter_id)


@blueprint.post("/letters/<int:letter_id>/approve")
@requires(Permission.SEND_LETTERS)
@blueprint.response(200, LetterSchema)
def approve(letter_id: int) -> dict[str, Any]:
    """Approve a letter: it is written with what is open now, and queued or laid aside for the post."""
    next_letter_state(LetterState(_letter(letter_id)["state"]), LetterAction.APPROVE)
    dunning.approve(g.actor, g.organisation.id, [letter_id])
    dunning.issue_approved(g.organisation.id, g.today, letter_ids=[letter_id])
    return _letter(letter_id)


@blueprint.post("/letters/<int:letter_id>/skip")
@requires(Permission.SEND_LETTERS)
@blueprint.arguments(SkipSchema)
@blueprint.response(200, LetterSchema)
def skip(said: Mapping[str, Any], letter_id: int) -> dict[str, Any]:
    """Do not send a letter; its level counts as passed."""
    _letter(letter_id)
    dunning.skip(g.actor, g.organisation.id, [letter_id], said["reason"])
    return _letter(letter_id)


@blueprint.post("/letters/<int:letter_id>/repeat")
@requires(Permission.SEND_LETTERS)
@blueprint.response(200, LetterSchema)
def repeat(letter_id: int) -> dict[str, Any]:
    """Write a letter anew that was not delivered."""
    dunning.repeat(g.actor, g.organisation.id, letter_id)
    dunning.issue_approved(g.organisation.id, g.today, letter_ids=[letter_id])
    return _letter(letter_id)


@blueprint.get("/buyers/<int:buyer_id>/holds")
@requires(Permission.VIEW_RECEIVABLES)
@blueprint.response(200, HoldsSchema)
def holds_of(buyer_id: int) -> dict[str, Any]:
    """The holds on a buyer's letters."""
    return {"items": [_hold(each) for each in queries.holds_of(shipping_queries.get_buyer(buyer_id).id)]}


@blueprint.post("/buyers/<int:buyer_id>/holds")
@requires(Permission.SEND_LETTERS)
@blueprint.arguments(NewHoldSchema)
@blueprint.response(201, HoldSchema)
def hold(said: Mapping[str, Any], buyer_id: int) -> dict[str, Any]:
    """Hold letters to a buyer, or about one invoice, from today on."""
    made = dunning.add_hold(
        g.actor,
        g.organisation.id,
        buyer_id,
        reason=said["reason"],
        from_on=g.today,
        until_on=said.get("until_on"),
        invoice_number=said["invoice"],
    )
    return _hold(made)


@blueprint.post("/holds/<int:hold_id>/end")
@requires(Permission.SEND_LETTERS)
@blueprint.response(200, HoldSchema)
def end_hold(hold_id: int) -> dict[str, Any]:
    """Letters may go again."""
    return _hold(dunning.end_hold(g.actor, g.organisation.id, hold_id, g.today))


@blueprint.get("/buyers/<int:buyer_id>/notes")
@requires(Permission.VIEW_RECEIVABLES)
@blueprint.response(200, NotesSchema)
def notes_of(buyer_id: int) -> dict[str, Any]:
    """What was said with or about a buyer, newest first."""
    return {"items": [_note(each) for each in queries.notes_of(shipping_queries.get_buyer(buyer_id).id)]}


@blueprint.post("/buyers/<int:buyer_id>/notes")
@requires(Permission.SEND_LETTERS)
@blueprint.arguments(NewNoteSchema)
@blueprint.response(201, NoteSchema)
def note(said: Mapping[str, Any], buyer_id: int) -> dict[str, Any]:
    """Write down a call, a visit, an e-mail or a note."""
    made = dunning.add_note(
        g.actor,
        g.organisation.id,
        buyer_id,
        said["kind"],
        said["text"],
        happened_on=said.get("happened_on") or g.today,
        with_whom=said["with_whom"],
        follow_up_on=said.get("follow_up_on"),
    )
    return _note(made)


@blueprint.post("/notes/<int:note_id>/done")
@requires(Permission.SEND_LETTERS)
@blueprint.response(200, NoteSchema)
def follow_up_done(note_id: int) -> dict[str, Any]:
    """Somebody came back to it."""
    return _note(dunning.follow_up_done(g.actor, g.organisation.id, note_id, g.today))

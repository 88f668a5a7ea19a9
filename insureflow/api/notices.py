"""Papers for insurers: drafted, approved, sent, answered, and the proof that they were in time."""

# flask-smorest comes without types, and its decorators with it.
# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import g, url_for
from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from insureflow.api.fields import MoneySchema, PageSchema, listed, money, row_key
from insureflow.api.limits import policy_of_number
from insureflow.domain.access import Permission, requires
from insureflow.domain.errors import Refusal
from insureflow.domain.notices import Channel, NoticeKind, NoticeLine, NoticeState, ReasonForNonPayment, ReplyOutcome
from insureflow.models.notices import Notice
from insureflow.queries.listing import Narrowing
from insureflow.queries.notices.listing import notices_listing
from insureflow.queries.notices.showing import NoticeView, find_notice, proof_of
from insureflow.services import notices
from insureflow.services.clock import now
from insureflow.services.journal import plain
from insureflow.services.notices import Answer, NewNotice, Sending

blueprint = Blueprint("api_notices", __name__, url_prefix="/notices", description="Notices to insurers.")


class NewNoticeSchema(Schema):
    """A paper to be drafted, with everything the buyer owes today. One that waits already is given back."""

    buyer_id = row_key(required=True)
    policy = fields.String(metadata={"description": "Number of the policy; left out, the one the buyer owes under."})
    kind = fields.Enum(NoticeKind, by_value=True, load_default=NoticeKind.NON_PAYMENT)
    reason = fields.Enum(ReasonForNonPayment, by_value=True, load_default=ReasonForNonPayment.UNKNOWN)
    comment = fields.String(load_default="", validate=validate.Length(0, 4000))
    new_due_dates = fields.Dict(
        keys=fields.String(), values=fields.Date(), load_default=dict, metadata={"description": "New due dates asked for, by invoice."}
    )


class SendingSchema(Schema):
    """How it is sent. `sent_on` and `protocol_number` or `recipient` are what a person says of a portal or the post."""

    channel = fields.Enum(Channel, by_value=True, load_default=Channel.EMAIL)
    sent_on = fields.Date()
    protocol_number = fields.String(load_default="", validate=validate.Length(0, 120))
    recipient = fields.String(load_default="", validate=validate.Length(0, 500))
    with_old_figures = fields.Boolean(
        load_default=False, metadata={"description": "Send it though its figures (`as_of`) are of an earlier day than the sending."}
    )


class ReplySchema(Schema):
    """What the insurer answered."""

    outcome = fields.Enum(ReplyOutcome, by_value=True, required=True)
    replied_on = fields.Date()
    note = fields.String(load_default="", validate=validate.Length(0, 1000))


class NoticeLineSchema(Schema):
    """An invoice as a paper states it."""

    entity = fields.String()
    number = fields.String()
    original_due_on = fields.Date()
    new_due_on = fields.Date(allow_none=True)
    open = fields.Nested(MoneySchema)
    insured = fields.Nested(MoneySchema)
    uninsured = fields.Nested(MoneySchema)
    disputed = fields.Nested(MoneySchema)
    uninsured_reason = fields.String()


class LodgedSchema(Schema):
    """When, with whom and how a proof of debt was lodged, and the fingerprint of what shows it."""

    lodged_on = fields.Date()
    administrator = fields.String()
    channel = fields.String()
    note = fields.String()
    document = fields.String(metadata={"description": "Number of the proof of debt."})
    sha256 = fields.String(metadata={"description": "Its fingerprint."})
    evidence_file_id = fields.Integer(metadata={"description": "What shows it; among the evidence of the notice."})
    evidence_sha256 = fields.String()


class NoticeSchema(Schema):
    """A paper as it stands."""

    id = fields.Integer()
    kind = fields.String()
    state = fields.String()
    actions = fields.List(fields.String(), metadata={"description": "What can be done with it, or happen to it, now."})
    buyer_id = fields.Integer()
    buyer = fields.String()
    policy = fields.String()
    as_of = fields.Date()
    deadline_on = fields.Date(allow_none=True)
    sent_on = fields.Date(allow_none=True)
    is_in_time = fields.Boolean(allow_none=True)
    reason = fields.String()
    comment = fields.String()
    reply = fields.String(allow_none=True)
    replied_on = fields.Date(allow_none=True)
    document = fields.String(allow_none=True)
    lodged = fields.Nested(LodgedSchema, allow_none=True, metadata={"description": "That the proof of debt of an insolvency was lodged."})
    lines = fields.List(fields.Nested(NoticeLineSchema))


class NoticeRowSchema(Schema):
    """A paper in a list."""

    id = fields.Integer()
    kind = fields.String()
    state = fields.String()
    buyer_id = fields.Integer()
    buyer = fields.String()
    policy = fields.String()
    deadline_on = fields.Date(allow_none=True)
    sent_on = fields.Date(allow_none=True)
    open = fields.Nested(MoneySchema, allow_none=True)


class NoticePageSchema(Schema):
    """A page of papers."""

    page = fields.Integer()
    page_size = fields.Integer()
    total = fields.Integer()
    items = fields.List(fields.Nested(NoticeRowSchema))


class NoticeQuestionSchema(PageSchema):
    """Which papers."""

    state = fields.Enum(NoticeState, by_value=True)
    kind = fields.Enum(NoticeKind, by_value=True)
    policy = fields.String(metadata={"description": "Number of a policy; without it all."})


class ProofSchema(Schema):
    """The proof of timeliness: what was sent, when, how, to whom, with the fingerprint of the very bytes, and what came back."""

    notice = fields.Dict()
    document = fields.Dict(allow_none=True)
    dispatches = fields.List(fields.Dict())
    reply = fields.Dict(allow_none=True)
    evidence = fields.List(fields.Dict())
    invoices = fields.List(fields.Dict())
    totals = fields.List(fields.Dict())
    particulars = fields.Dict()
    journal = fields.List(fields.Dict())
    made_at = fields.String()


def _view(notice_id: int) -> NoticeView:
    view = find_notice(notice_id)
    if view is None:
        raise Refusal("notice_unknown", notice=str(notice_id))
    return view


def _line(line: NoticeLine) -> dict[str, Any]:
    return {
        "entity": line.entity_code,
        "number": line.number,
        "original_due_on": line.original_due_on,
        "new_due_on": line.new_due_on,
        "open": money(line.open, line.currency),
        "insured": money(line.insured, line.currency),
        "uninsured": money(line.uninsured, line.currency),
        "disputed": money(line.disputed, line.currency),
        "uninsured_reason": line.uninsured_reason,
    }


def lodging_of(notice: Notice) -> dict[str, Any] | None:
    """How the proof of debt of a notice was lodged, as ``LodgedSchema`` writes it; None where it was not."""
    lodged = notice.facts.get(notices.LODGED)
    return None if lodged is None else {**lodged, "lodged_on": date.fromisoformat(lodged["on"])}


def _shown(notice_id: int) -> dict[str, Any]:
    view = _view(notice_id)
    notice = view.notice
    return {
        "id": notice.id,
        "kind": notice.kind.value,
        "state": notice.state.value,
        "actions": sorted(action.value for action in view.actions),
        "buyer_id": view.buyer.id,
        "buyer": view.buyer.legal_name,
        "policy": view.policy.number,
        "as_of": notice.as_of,
        "deadline_on": notice.deadline_on,
        "sent_on": notice.sent_on,
        "is_in_time": view.is_in_time,
        "reason": notice.reason.value,
        "comment": notice.comment,
        "reply": None if notice.reply_outcome is None else notice.reply_outcome.value,
        "replied_on": notice.replied_on,
        "document": None if view.document is None else view.document.number,
        "lodged": lodging_of(notice),
        "lines": [_line(line) for line in view.lines],
    }


@blueprint.get("")
@requires(Permission.VIEW_OBLIGATIONS)
@blueprint.arguments(NoticeQuestionSchema, location="query")
@blueprint.response(200, NoticePageSchema)
def index(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The papers, those with the nearest deadline first."""
    policy_id = policy_of_number(asked["policy"]).id if "policy" in asked else None
    choices = {name: [asked[name].value] for name in ("state", "kind") if name in asked}
    found = notices_listing(policy_id=policy_id).page(Narrowing(choices=choices), None, asked["page"], asked["page_size"])
    items = [
        {
            "id": row["number"],
            "kind": row["kind"].value,
            "state": row["state"].value,
            "buyer_id": row["buyer_id"],
            "buyer": row["buyer"],
            "policy": row["policy"],
            "deadline_on": row["deadline_on"],
            "sent_on": row["sent_on"],
            "open": None if row["open"] is None else money(*row["open"]),
        }
        for row in found.rows
    ]
    return listed(asked, found, items)


@blueprint.post("")
@requires(Permission.EDIT_OBLIGATIONS)
@blueprint.arguments(NewNoticeSchema)
@blueprint.response(201, NoticeSchema)
def draft(asked: Mapping[str, Any]) -> Any:
    """Draft a paper; nothing leaves the house before somebody approves and sends it."""
    new = NewNotice(
        kind=asked["kind"],
        buyer_id=asked["buyer_id"],
        policy_id=policy_of_number(asked["policy"]).id if "policy" in asked else None,
        reason=asked["reason"],
        comment=asked["comment"],
        new_due_dates=asked["new_due_dates"],
    )
    notice = notices.draft(g.actor, g.organisation.id, new, g.today)
    return _shown(notice.id), 201, {"Location": url_for("api_notices.show", notice_id=notice.id)}


@blueprint.get("/<int:notice_id>")
@requires(Permission.VIEW_OBLIGATIONS)
@blueprint.response(200, NoticeSchema)
def show(notice_id: int) -> dict[str, Any]:
    """One paper with its invoices."""
    return _shown(notice_id)


@blueprint.post("/<int:notice_id>/approve")
@requires(Permission.APPROVE_NOTICES)
@blueprint.response(200, NoticeSchema)
def approve(notice_id: int) -> dict[str, Any]:
    """Stand by a draft: it is issued as a document."""
    notices.approve(g.actor, g.organisation.id, notice_id, g.today)
    return _shown(notice_id)


@blueprint.post("/<int:notice_id>/renew")
@requires(Permission.APPROVE_NOTICES)
@blueprint.response(200, NoticeSchema)
def renew(notice_id: int) -> dict[str, Any]:
    """Draft a paper anew with the figures of today; what was approved has to be approved again."""
    notices.renew(g.actor, g.organisation.id, notice_id, g.today)
    return _shown(notice_id)


@blueprint.post("/<int:notice_id>/send")
@requires(Permission.APPROVE_NOTICES)
@blueprint.arguments(SendingSchema)
@blueprint.response(200, NoticeSchema)
def send(asked: Mapping[str, Any], notice_id: int) -> dict[str, Any]:
    """Send an approved paper, or record that a person sent it."""
    sending = Sending(
        channel=asked["channel"],
        on=asked.get("sent_on"),
        protocol_number=asked["protocol_number"],
        recipient=asked["recipient"],
        with_old_figures=asked["with_old_figures"],
    )
    notices.send(g.actor, g.organisation.id, notice_id, sending, g.today)
    return _shown(notice_id)


@blueprint.post("/<int:notice_id>/reply")
@requires(Permission.EDIT_OBLIGATIONS)
@blueprint.arguments(ReplySchema)
@blueprint.response(200, NoticeSchema)
def reply(asked: Mapping[str, Any], notice_id: int) -> dict[str, Any]:
    """Record what the insurer answered; cover follows it."""
    said = Answer(outcome=asked["outcome"], on=asked.get("replied_on") or g.today, note=asked["note"])
    notices.answer(g.actor, g.organisation.id, notice_id, said, g.today)
    return _shown(notice_id)


@blueprint.get("/<int:notice_id>/proof")
@requires(Permission.VIEW_OBLIGATIONS)
@blueprint.response(200, ProofSchema)
def proof(notice_id: int) -> Any:
    """The proof of timeliness."""
    return plain(proof_of(_view(notice_id), now()))

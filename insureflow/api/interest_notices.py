"""Notices of interest: what a company claims of a buyer for paying late, issued as a paper, and sent by mail where asked."""

# flask-smorest comes without types, and its decorators with it.
# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import g
from flask_smorest import Blueprint
from marshmallow import Schema, fields

from insureflow.api.documents import DocumentPageSchema
from insureflow.api.fields import MoneySchema, PageSchema, money
from insureflow.api.statements import (
    IssuedStatementSchema,
    NewStatementSchema,
    OpenAccountQuestionSchema,
    as_issued,
    entity_id_of,
    issued_to,
)
from insureflow.domain.access import Permission, requires
from insureflow.domain.issued_documents import DocumentKind
from insureflow.queries import shipping as shipping_queries
from insureflow.services import dunning

blueprint = Blueprint("api_interest_notices", __name__, description="Notices of interest on late payment.")


class NewInterestNoticeSchema(NewStatementSchema):
    """A notice of interest to be issued as of today."""


class IssuedInterestNoticeSchema(IssuedStatementSchema):
    """A notice of interest as it was issued; its bytes are under `/documents/{document_id}`."""


class InterestLineSchema(Schema):
    """Interest on one amount of an invoice, from the day after `from_on` up to and with `until_on`."""

    invoice = fields.String()
    original_due_on = fields.Date()
    principal = fields.Nested(MoneySchema)
    from_on = fields.Date()
    until_on = fields.Date()
    days = fields.Integer()
    annual_rate = fields.String(metadata={"description": "Per hundred and year."})
    interest = fields.Nested(MoneySchema)


class InterestSchema(Schema):
    """What a notice of today would claim; nothing is issued."""

    buyer_id = fields.Integer()
    entity = fields.String()
    as_of = fields.Date()
    pay_by = fields.Date()
    basis = fields.String(metadata={"description": "What the interest rests on, as the rule has it."})
    lines = fields.List(fields.Nested(InterestLineSchema))
    totals = fields.List(fields.Nested(MoneySchema), metadata={"description": "What is claimed in all, by currency."})


@blueprint.get("/buyers/<int:buyer_id>/interest")
@requires(Permission.VIEW_RECEIVABLES)
@blueprint.arguments(OpenAccountQuestionSchema, location="query")
@blueprint.response(200, InterestSchema)
def interest(asked: Mapping[str, Any], buyer_id: int) -> dict[str, Any]:
    """The interest on late payment that no notice has claimed yet, by invoice."""
    shipping_queries.get_buyer(buyer_id)
    found = dunning.interest_of_account(g.organisation.id, buyer_id, entity_id_of(asked["entity"]), g.today)
    return {
        "buyer_id": buyer_id,
        "entity": asked["entity"],
        "as_of": found.issued_on,
        "pay_by": found.pay_by,
        "basis": found.basis,
        "lines": [
            {
                "invoice": line.number,
                "original_due_on": line.due_on,
                "principal": money(line.principal.minor, line.principal.currency),
                "from_on": line.from_on,
                "until_on": line.until_on,
                "days": line.days,
                "annual_rate": str(line.annual_rate),
                "interest": money(line.interest.minor, line.interest.currency),
            }
            for line in found.lines
        ],
        "totals": [money(total.minor, total.currency) for total in found.totals],
    }


@blueprint.get("/buyers/<int:buyer_id>/interest-notices")
@requires(Permission.VIEW_RECEIVABLES)
@blueprint.arguments(PageSchema, location="query")
@blueprint.response(200, DocumentPageSchema)
def interest_notices(asked: Mapping[str, Any], buyer_id: int) -> dict[str, Any]:
    """The notices of interest that were issued to a buyer, newest first."""
    return issued_to(buyer_id, DocumentKind.INTEREST_NOTICE, asked)


@blueprint.post("/buyers/<int:buyer_id>/interest-notices")
@requires(Permission.SEND_LETTERS)
@blueprint.arguments(NewInterestNoticeSchema)
@blueprint.response(201, IssuedInterestNoticeSchema)
def issue(said: Mapping[str, Any], buyer_id: int) -> Any:
    """Issue a notice of interest of today, and queue it by mail where asked. What it claims is not claimed again."""
    shipping_queries.get_buyer(buyer_id)
    document, message = dunning.send_interest_notice(
        g.actor, g.organisation.id, buyer_id, entity_id_of(said["entity"]), g.today, by_mail=said["by_mail"]
    )
    return as_issued(document, message)

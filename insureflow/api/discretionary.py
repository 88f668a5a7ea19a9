"""Discretionary limits: the evidence on file, worked out, set, and held against a claim."""

# flask-smorest comes without types, and its decorators with it.
# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import g, url_for
from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from insureflow.api.fields import ListSchema, MoneySchema, PageSchema, listed, minor_of, money
from insureflow.api.limits import policy_of_number
from insureflow.domain.access import Permission, requires
from insureflow.domain.errors import Refusal
from insureflow.models.limit_requests import DiscretionaryAssessment
from insureflow.queries import discretionary as queries
from insureflow.queries import organisations as organisation_queries
from insureflow.queries import shipping as shipping_queries
from insureflow.queries.listing import Narrowing
from insureflow.services import discretionary
from insureflow.services.discretionary import NewCreditReport

blueprint = Blueprint("api_discretionary", __name__, description="Discretionary limits.")


class AssessmentQuestionSchema(PageSchema):
    """Which assessments."""

    policy = fields.String(metadata={"description": "Number of a policy; without it all."})


class AssessmentRowSchema(Schema):
    """A discretionary limit as it was worked out."""

    id = fields.Integer()
    buyer = fields.String()
    policy = fields.String()
    assessed_on = fields.Date()
    limit = fields.Nested(MoneySchema)
    method = fields.String(allow_none=True)
    reason = fields.String(allow_none=True, metadata={"description": "Why there is none."})
    valid_to = fields.Date(allow_none=True, metadata={"description": "The last day on which the evidence holds it."})
    decision_id = fields.Integer(allow_none=True, metadata={"description": "The limit that was set by it."})


class AssessmentSchema(AssessmentRowSchema):
    """An assessment with its steps and the proof that its facts are those of its day."""

    buyer_id = fields.Integer()
    is_usable = fields.Boolean()
    facts_sha256 = fields.String()
    is_unaltered = fields.Boolean()
    steps = fields.List(fields.Dict())


class AssessmentPageSchema(ListSchema):
    """A page of assessments, newest first."""

    items = fields.List(fields.Nested(AssessmentRowSchema))


class NewAssessmentSchema(Schema):
    """Under which policy."""

    policy = fields.String(required=True, metadata={"description": "Number of the policy."})


class NewReportSchema(Schema):
    """What a credit report says. Send its file to `/credit-reports/{id}/evidence`: without it the report proves nothing at a claim."""

    agency = fields.String(required=True, validate=validate.Length(1, 120))
    reported_on = fields.Date(required=True)
    recommended = fields.Nested(MoneySchema)
    is_approved_agency = fields.Boolean(load_default=True)
    is_unfavourable = fields.Boolean(load_default=False)


class ReportSchema(Schema):
    """A credit report on file."""

    id = fields.Integer()
    agency = fields.String()
    reported_on = fields.Date()
    recommended = fields.Nested(MoneySchema, allow_none=True)
    is_approved_agency = fields.Boolean()
    is_unfavourable = fields.Boolean()
    file = fields.String(allow_none=True)
    sha256 = fields.String(allow_none=True)


class ReportsSchema(Schema):
    """Credit reports on a buyer."""

    items = fields.List(fields.Nested(ReportSchema))


class AuditQuestionSchema(NewAssessmentSchema):
    """Which shipments."""

    whole = fields.Boolean(load_default=False, metadata={"description": "Those that are paid as well, of the last 24 months."})


class AuditedSchema(Schema):
    """A shipment held against the evidence of its own day."""

    shipment = fields.String()
    on = fields.Date()
    amount = fields.Nested(MoneySchema)
    limit = fields.Nested(MoneySchema)
    covered = fields.Nested(MoneySchema)
    uncovered = fields.Nested(MoneySchema)
    verdict = fields.String()


class AuditSchema(Schema):
    """Whether the limit would hold at a claim."""

    survives = fields.Boolean()
    covered = fields.Nested(MoneySchema)
    uncovered = fields.Nested(MoneySchema)
    shipments = fields.List(fields.Nested(AuditedSchema))


def _find(assessment_id: int) -> DiscretionaryAssessment:
    found = queries.find_assessment(assessment_id)
    if found is None:
        raise Refusal("assessment_unknown", assessment=str(assessment_id))
    return found


def _shown(assessment_id: int) -> dict[str, Any]:
    found = _find(assessment_id)
    numbers = {policy.id: policy.number for policy in organisation_queries.list_policies()}
    return {
        "id": found.id,
        "buyer_id": found.buyer_id,
        "buyer": shipping_queries.get_buyer(found.buyer_id).legal_name,
        "policy": numbers[found.policy_id],
        "assessed_on": found.assessed_on,
        "is_usable": found.is_usable,
        "limit": money(found.amount_minor, found.currency),
        "method": found.method,
        "reason": found.reason,
        "valid_to": found.valid_to,
        "decision_id": found.decision_id,
        "facts_sha256": found.facts_sha256,
        "is_unaltered": discretionary.is_unaltered(found),
        "steps": found.trace,
    }


def _reports(buyer_id: int) -> dict[str, Any]:
    buyer = shipping_queries.get_buyer(buyer_id)
    return {
        "items": [
            {
                "id": report.id,
                "agency": report.agency,
                "reported_on": report.reported_on,
                "recommended": money(report.amount_minor, report.currency),
                "is_approved_agency": report.is_approved_agency,
                "is_unfavourable": report.is_unfavourable,
                "file": None if file is None else file.name,
                "sha256": None if file is None else file.sha256,
            }
            for report, file in queries.reports_of(buyer.id)
        ]
    }


@blueprint.get("/discretionary-limits")
@requires(Permission.VIEW_LIMITS)
@blueprint.arguments(AssessmentQuestionSchema, location="query")
@blueprint.response(200, AssessmentPageSchema)
def index(asked: Mapping[str, Any]) -> dict[str, Any]:
    """What was worked out, newest first."""
    policy_id = policy_of_number(asked["policy"]).id if "policy" in asked else None
    found = queries.assessment_listing(g.today, policy_id=policy_id).page(Narrowing(), None, asked["page"], asked["page_size"])
    items = [
        {
            **{name: row[name] for name in ("buyer", "policy", "assessed_on", "method", "reason", "valid_to")},
            "id": row["newest"],
            "limit": money(*row["amount"]),
            "decision_id": row["applied"],
        }
        for row in found.rows
    ]
    return listed(asked, found, items)


@blueprint.get("/discretionary-limits/<int:assessment_id>")
@requires(Permission.VIEW_LIMITS)
@blueprint.response(200, AssessmentSchema)
def show(assessment_id: int) -> dict[str, Any]:
    """One assessment with the reasons for its amount."""
    return _shown(assessment_id)


@blueprint.post("/buyers/<int:buyer_id>/discretionary-limits")
@requires(Permission.EDIT_LIMITS)
@blueprint.arguments(NewAssessmentSchema)
@blueprint.response(201, AssessmentSchema)
def assess(said: Mapping[str, Any], buyer_id: int) -> Any:
    """Work a discretionary limit out and freeze it with its facts."""
    made = discretionary.assess(g.actor, g.organisation.id, policy_of_number(said["policy"]).id, buyer_id, g.today)
    return _shown(made.id), 201, {"Location": url_for("api_discretionary.show", assessment_id=made.id)}


@blueprint.post("/discretionary-limits/<int:assessment_id>/apply")
@requires(Permission.EDIT_LIMITS)
@blueprint.response(200, AssessmentSchema)
def apply(assessment_id: int) -> dict[str, Any]:
    """Set the limit that was worked out today."""
    discretionary.apply(g.actor, g.organisation.id, assessment_id, g.today)
    return _shown(assessment_id)


@blueprint.get("/buyers/<int:buyer_id>/credit-reports")
@requires(Permission.VIEW_LIMITS)
@blueprint.response(200, ReportsSchema)
def reports(buyer_id: int) -> dict[str, Any]:
    """The credit reports on a buyer, newest first."""
    return _reports(buyer_id)


@blueprint.post("/buyers/<int:buyer_id>/credit-reports")
@requires(Permission.EDIT_LIMITS)
@blueprint.arguments(NewReportSchema)
@blueprint.response(201, ReportsSchema)
def add_report(said: Mapping[str, Any], buyer_id: int) -> dict[str, Any]:
    """Put what a credit report says on record."""
    recommended = said.get("recommended")
    new = NewCreditReport(
        buyer_id,
        said["agency"],
        said["reported_on"],
        None if recommended is None else minor_of(recommended, "recommended.amount"),
        None if recommended is None else recommended["currency"],
        said["is_approved_agency"],
        said["is_unfavourable"],
    )
    discretionary.add_report(g.actor, g.organisation.id, new, g.today)
    return _reports(buyer_id)


@blueprint.get("/buyers/<int:buyer_id>/discretionary-limits/audit")
@requires(Permission.VIEW_LIMITS)
@blueprint.arguments(AuditQuestionSchema, location="query")
@blueprint.response(200, AuditSchema)
def audit(asked: Mapping[str, Any], buyer_id: int) -> dict[str, Any]:
    """Would this limit survive a claim? Every shipment held against the evidence of its own day."""
    held = discretionary.audit(policy_of_number(asked["policy"]).id, buyer_id, g.today, only_open=not asked["whole"])
    return {
        "survives": held.claim.survives,
        "covered": money(held.claim.covered, held.currency),
        "uncovered": money(held.claim.uncovered, held.currency),
        "shipments": [
            {
                "shipment": each.shipment.id,
                "on": each.shipment.on,
                "amount": money(each.shipment.amount, held.currency),
                "limit": money(each.limit.amount, each.limit.currency),
                "covered": money(each.covered, held.currency),
                "uncovered": money(each.uncovered, held.currency),
                "verdict": each.verdict.value,
            }
            for each in held.claim.shipments
        ],
    }

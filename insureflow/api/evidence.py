"""Files that prove something: sent as ``multipart/form-data``, listed with their fingerprints, given out as attachments."""

# flask-smorest comes without types, and its decorators with it.
# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response, g
from flask_smorest import Blueprint
from flask_smorest.fields import Upload
from marshmallow import Schema, ValidationError, fields, validate

from insureflow.api.downloads import attachment
from insureflow.api.limits import policy_of_number
from insureflow.api.notices import LodgedSchema, lodging_of
from insureflow.domain.access import Permission, requires
from insureflow.domain.errors import Refusal
from insureflow.domain.notices import Channel
from insureflow.models.limit_requests import EvidenceFile
from insureflow.queries import blocks as block_queries
from insureflow.queries import shipping as shipping_queries
from insureflow.services import blocks, evidence, files, notices, obligations, receivables
from insureflow.services.blocks import NOTE_LENGTH
from insureflow.services.files import LARGEST, NewEvidence
from insureflow.services.notices import LODGING_CHANNELS, Lodging

blueprint = Blueprint(
    "api_evidence",
    __name__,
    description=(
        f"Evidence: files of at most {LARGEST // 2**20} MB, known by their content (PDF, PNG, JPEG, TIFF, XLSX, CSV, e-mail, text). "
        "The same file for the same thing is kept once, and answered with the same key."
    ),
)


def _named(file: Any) -> None:
    if not file.filename:
        raise ValidationError("Send the file with its name.")


class FileUploadSchema(Schema):
    """The file itself."""

    file = Upload(required=True, validate=_named, metadata={"description": "The file, with its name."})


class AboutFileSchema(Schema):
    """What is said about a file."""

    dated_on = fields.Date(metadata={"description": "The day its content speaks of."})
    note = fields.String(load_default="", validate=validate.Length(0, 1000))


class ConsentFormSchema(Schema):
    """The insurer's written consent to further supplies."""

    policy = fields.String(required=True, metadata={"description": "Number of the policy."})
    consented_on = fields.Date(required=True, metadata={"description": "Date of the letter."})
    note = fields.String(required=True, validate=validate.Length(1, NOTE_LENGTH), metadata={"description": "What it says."})


class LodgingFormSchema(Schema):
    """That the proof of debt was lodged with the administrator of an insolvent buyer."""

    lodged_on = fields.Date(required=True)
    administrator = fields.String(required=True, validate=validate.Length(1, 200), metadata={"description": "With whom."})
    channel = fields.String(required=True, validate=validate.OneOf([each.value for each in LODGING_CHANNELS]))
    note = fields.String(load_default="", validate=validate.Length(0, 1000))


class EvidenceSchema(Schema):
    """A file that is kept for good."""

    id = fields.Integer()
    name = fields.String()
    media_type = fields.String(metadata={"description": "What its content is; never what its sender said."})
    size_bytes = fields.Integer()
    sha256 = fields.String(metadata={"description": "Fingerprint of the very bytes."})
    dated_on = fields.Date(allow_none=True)
    note = fields.String()
    created_at = fields.AwareDateTime()


class EvidenceListSchema(Schema):
    """Files that prove something about one thing."""

    items = fields.List(fields.Nested(EvidenceSchema))


class ConsentSchema(Schema):
    """A consent as it was entered."""

    act_id = fields.Integer(metadata={"description": "Key of the act on the account; its evidence is under it."})
    buyer_id = fields.Integer()
    policy = fields.String()
    kind = fields.String()
    consented_on = fields.Date()
    is_blocked = fields.Boolean(metadata={"description": "Whether something else still blocks the buyer."})


def _with_file(about: type[Schema]) -> dict[str, Any]:
    """A form with a file and what is said about it: the framework by itself describes the one or the other."""
    file = {"type": "string", "format": "binary", "description": "The file, with its name."}
    whole = {"allOf": [about, {"type": "object", "required": ["file"], "properties": {"file": file}}]}
    return {"content": {"multipart/form-data": {"schema": whole}}}


def _new(sent: Mapping[str, Any], about: Mapping[str, Any]) -> NewEvidence:
    file = sent["file"]
    with file.stream as stream:
        content = io.BytesIO(stream.read(LARGEST + 1))
    return NewEvidence(file.filename, content, about.get("dated_on"), about.get("note", ""))


def _listed(found: Sequence[EvidenceFile]) -> dict[str, Any]:
    return {"items": found}


def _download(found: Sequence[EvidenceFile], file_id: int) -> Response:
    """A file, if it belongs to the thing that the address names. Errors: ``evidence_unknown``."""
    if file_id not in {file.id for file in found}:
        raise Refusal("evidence_unknown", file=str(file_id))
    return attachment(files.open_download(g.organisation.id, file_id))


@blueprint.get("/duties/<int:duty_id>/evidence")
@requires(Permission.VIEW_OBLIGATIONS)
@blueprint.response(200, EvidenceListSchema)
def of_duty(duty_id: int) -> dict[str, Any]:
    """The files that show how a duty was done."""
    return _listed(evidence.of_duty(duty_id))


@blueprint.post("/duties/<int:duty_id>/evidence")
@requires(Permission.EDIT_OBLIGATIONS)
@blueprint.arguments(FileUploadSchema, location="files")
@blueprint.arguments(AboutFileSchema, location="form", content_type="multipart/form-data")
@blueprint.doc(requestBody=_with_file(AboutFileSchema))
@blueprint.response(201, EvidenceSchema)
def add_to_duty(sent: Mapping[str, Any], about: Mapping[str, Any], duty_id: int) -> EvidenceFile:
    """Keep a file that shows how a duty was done; it must be marked as done or waived first."""
    return obligations.attach_evidence(g.actor, g.organisation.id, duty_id, _new(sent, about))


@blueprint.get("/duties/<int:duty_id>/evidence/<int:evidence_file_id>")
@requires(Permission.VIEW_OBLIGATIONS)
@blueprint.response(200, content_type="application/octet-stream", description="The file, byte by byte.")
def download_of_duty(duty_id: int, evidence_file_id: int) -> Response:
    """One of these files."""
    return _download(evidence.of_duty(duty_id), evidence_file_id)


@blueprint.get("/notices/<int:notice_id>/evidence")
@requires(Permission.VIEW_OBLIGATIONS)
@blueprint.response(200, EvidenceListSchema)
def of_notice(notice_id: int) -> dict[str, Any]:
    """The files that belong to a notice."""
    return _listed(evidence.of_notice(notice_id))


@blueprint.post("/notices/<int:notice_id>/evidence")
@requires(Permission.EDIT_OBLIGATIONS)
@blueprint.arguments(FileUploadSchema, location="files")
@blueprint.arguments(AboutFileSchema, location="form", content_type="multipart/form-data")
@blueprint.doc(requestBody=_with_file(AboutFileSchema))
@blueprint.response(201, EvidenceSchema)
def add_to_notice(sent: Mapping[str, Any], about: Mapping[str, Any], notice_id: int) -> EvidenceFile:
    """Keep a file that belongs to a notice: a receipt, a confirmation, the answer."""
    return evidence.add_to_notice(g.actor, g.organisation.id, notice_id, _new(sent, about))


@blueprint.get("/notices/<int:notice_id>/evidence/<int:evidence_file_id>")
@requires(Permission.VIEW_OBLIGATIONS)
@blueprint.response(200, content_type="application/octet-stream", description="The file, byte by byte.")
def download_of_notice(notice_id: int, evidence_file_id: int) -> Response:
    """One of these files."""
    return _download(evidence.of_notice(notice_id), evidence_file_id)


@blueprint.post("/notices/<int:notice_id>/lodged")
@requires(Permission.APPROVE_NOTICES)
@blueprint.arguments(FileUploadSchema, location="files")
@blueprint.arguments(LodgingFormSchema, location="form", content_type="multipart/form-data")
@blueprint.doc(requestBody=_with_file(LodgingFormSchema))
@blueprint.response(201, LodgedSchema)
def record_lodging(sent: Mapping[str, Any], said: Mapping[str, Any], notice_id: int) -> dict[str, Any] | None:
    """Record that the proof of debt was lodged, with what shows it; the duty to file it is done by that."""
    lodging = Lodging(
        on=said["lodged_on"],
        administrator=said["administrator"],
        channel=Channel(said["channel"]),
        evidence=_new(sent, {"dated_on": said["lodged_on"]}),
        note=said["note"],
    )
    return lodging_of(notices.lodge(g.actor, g.organisation.id, notice_id, lodging, g.today))


@blueprint.get("/disputes/<int:dispute_id>/evidence")
@requires(Permission.VIEW_RECEIVABLES)
@blueprint.response(200, EvidenceListSchema)
def of_dispute(dispute_id: int) -> dict[str, Any]:
    """The files that belong to a dispute."""
    return _listed(evidence.of_dispute(dispute_id))


@blueprint.post("/disputes/<int:dispute_id>/evidence")
@requires(Permission.EDIT_RECEIVABLES)
@blueprint.arguments(FileUploadSchema, location="files")
@blueprint.arguments(AboutFileSchema, location="form", content_type="multipart/form-data")
@blueprint.doc(requestBody=_with_file(AboutFileSchema))
@blueprint.response(201, EvidenceSchema)
def add_to_dispute(sent: Mapping[str, Any], about: Mapping[str, Any], dispute_id: int) -> EvidenceFile:
    """Keep a paper of a dispute: the complaint, a settlement, a judgment."""
    return receivables.add_evidence(g.actor, g.organisation.id, dispute_id, _new(sent, about))


@blueprint.get("/disputes/<int:dispute_id>/evidence/<int:evidence_file_id>")
@requires(Permission.VIEW_RECEIVABLES)
@blueprint.response(200, content_type="application/octet-stream", description="The file, byte by byte.")
def download_of_dispute(dispute_id: int, evidence_file_id: int) -> Response:
    """One of these files."""
    return _download(evidence.of_dispute(dispute_id), evidence_file_id)


@blueprint.get("/limits/decisions/<int:decision_id>/evidence")
@requires(Permission.VIEW_LIMITS)
@blueprint.response(200, EvidenceListSchema)
def of_decision(decision_id: int) -> dict[str, Any]:
    """The files that show what the insurer decided."""
    return _listed(evidence.of_decision(decision_id))


@blueprint.post("/limits/decisions/<int:decision_id>/evidence")
@requires(Permission.EDIT_LIMITS)
@blueprint.arguments(FileUploadSchema, location="files")
@blueprint.arguments(AboutFileSchema, location="form", content_type="multipart/form-data")
@blueprint.doc(requestBody=_with_file(AboutFileSchema))
@blueprint.response(201, EvidenceSchema)
def add_to_decision(sent: Mapping[str, Any], about: Mapping[str, Any], decision_id: int) -> EvidenceFile:
    """Keep the insurer's word for a decision."""
    return evidence.add_to_decision(g.actor, g.organisation.id, decision_id, _new(sent, about))


@blueprint.get("/limits/decisions/<int:decision_id>/evidence/<int:evidence_file_id>")
@requires(Permission.VIEW_LIMITS)
@blueprint.response(200, content_type="application/octet-stream", description="The file, byte by byte.")
def download_of_decision(decision_id: int, evidence_file_id: int) -> Response:
    """One of these files."""
    return _download(evidence.of_decision(decision_id), evidence_file_id)


@blueprint.get("/acts/<int:act_id>/evidence")
@requires(Permission.VIEW_LIMITS)
@blueprint.response(200, EvidenceListSchema)
def of_act(act_id: int) -> dict[str, Any]:
    """The files that show an act on an account, such as a consent."""
    return _listed(evidence.of_act(act_id))


@blueprint.post("/acts/<int:act_id>/evidence")
@requires(Permission.EDIT_LIMITS)
@blueprint.arguments(FileUploadSchema, location="files")
@blueprint.arguments(AboutFileSchema, location="form", content_type="multipart/form-data")
@blueprint.doc(requestBody=_with_file(AboutFileSchema))
@blueprint.response(201, EvidenceSchema)
def add_to_act(sent: Mapping[str, Any], about: Mapping[str, Any], act_id: int) -> EvidenceFile:
    """Keep a file that shows an act on an account."""
    return evidence.add_to_act(g.actor, g.organisation.id, act_id, _new(sent, about))


@blueprint.get("/acts/<int:act_id>/evidence/<int:evidence_file_id>")
@requires(Permission.VIEW_LIMITS)
@blueprint.response(200, content_type="application/octet-stream", description="The file, byte by byte.")
def download_of_act(act_id: int, evidence_file_id: int) -> Response:
    """One of these files."""
    return _download(evidence.of_act(act_id), evidence_file_id)


@blueprint.get("/credit-reports/<int:credit_report_id>/evidence")
@requires(Permission.VIEW_LIMITS)
@blueprint.response(200, EvidenceListSchema)
def of_report(credit_report_id: int) -> dict[str, Any]:
    """The files that prove a credit report."""
    return _listed(evidence.of_report(credit_report_id))


@blueprint.post("/credit-reports/<int:credit_report_id>/evidence")
@requires(Permission.EDIT_LIMITS)
@blueprint.arguments(FileUploadSchema, location="files")
@blueprint.arguments(AboutFileSchema, location="form", content_type="multipart/form-data")
@blueprint.doc(requestBody=_with_file(AboutFileSchema))
@blueprint.response(201, EvidenceSchema)
def add_to_report(sent: Mapping[str, Any], about: Mapping[str, Any], credit_report_id: int) -> EvidenceFile:
    """Keep the file of a credit report; it proves from today on."""
    return evidence.add_to_report(g.actor, g.organisation.id, credit_report_id, _new(sent, about))


@blueprint.get("/credit-reports/<int:credit_report_id>/evidence/<int:evidence_file_id>")
@requires(Permission.VIEW_LIMITS)
@blueprint.response(200, content_type="application/octet-stream", description="The file, byte by byte.")
def download_of_report(credit_report_id: int, evidence_file_id: int) -> Response:
    """One of these files."""
    return _download(evidence.of_report(credit_report_id), evidence_file_id)


@blueprint.post("/buyers/<int:buyer_id>/block/consent")
@requires(Permission.LIFT_BLOCKS)
@blueprint.arguments(FileUploadSchema, location="files")
@blueprint.arguments(ConsentFormSchema, location="form", content_type="multipart/form-data")
@blueprint.doc(requestBody=_with_file(ConsentFormSchema))
@blueprint.response(201, ConsentSchema)
def record_consent(sent: Mapping[str, Any], said: Mapping[str, Any], buyer_id: int) -> dict[str, Any]:
    """Enter the insurer's written consent to further supplies with its letter; cover and block follow."""
    policy = policy_of_number(said["policy"])
    act = blocks.record_consent(
        g.actor,
        g.organisation.id,
        buyer_id=shipping_queries.get_buyer(buyer_id).id,
        policy_id=policy.id,
        on=said["consented_on"],
        today=g.today,
        note=said["note"],
        evidence=_new(sent, {"dated_on": said["consented_on"]}),
    )
    return {
        "act_id": act.id,
        "buyer_id": act.buyer_id,
        "policy": policy.number,
        "kind": act.kind.value,
        "consented_on": act.happened_on,
        "is_blocked": block_queries.find_block(act.buyer_id, g.today).is_blocked,
    }

"""Files that prove something: sent as ``multipart/form-data``, listed with their fingerprints, given out as attachments."""

# flask-smorest comes without types, and its decorators with it.
# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
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
from insureflow.services.journal import Actor
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


def _download(found: Sequence[EvidenceFile], file_id: int) -> Response:
    """A file, if it belongs to the thing that the address names. Errors: ``evidence_unknown``."""
    if file_id not in {file.id for file in found}:
        raise Refusal("evidence_unknown", file=str(file_id))
    return attachment(files.open_download(g.organisation.id, file_id))


@dataclass(frozen=True, slots=True)
class Thing:
    """What files can prove something about: where it is, who may read and add, what lists and keeps them, and what each address says."""

    name: str
    address: str
    view: Permission
    edit: Permission
    files_of: Callable[[int], Sequence[EvidenceFile]]
    add: Callable[[Actor, int, int, NewEvidence], EvidenceFile]
    listed: str
    kept: str


THINGS = (
    Thing(
        "duty",
        "/duties",
        Permission.VIEW_OBLIGATIONS,
        Permission.EDIT_OBLIGATIONS,
        evidence.of_duty,
        obligations.attach_evidence,
        listed="The files that show how a duty was done.",
        kept="Keep a file that shows how a duty was done; it must be marked as done or waived first.",
    ),
    Thing(
        "notice",
        "/notices",
        Permission.VIEW_OBLIGATIONS,
        Permission.EDIT_OBLIGATIONS,
        evidence.of_notice,
        evidence.add_to_notice,
        listed="The files that belong to a notice.",
        kept="Keep a file that belongs to a notice: a receipt, a confirmation, the answer.",
    ),
    Thing(
        "dispute",
        "/disputes",
        Permission.VIEW_RECEIVABLES,
        Permission.EDIT_RECEIVABLES,
        evidence.of_dispute,
        receivables.add_evidence,
        listed="The files that belong to a dispute.",
        kept="Keep a paper of a dispute: the complaint, a settlement, a judgment.",
    ),
    Thing(
        "decision",
        "/limits/decisions",
        Permission.VIEW_LIMITS,
        Permission.EDIT_LIMITS,
        evidence.of_decision,
        evidence.add_to_decision,
        listed="The files that show what the insurer decided.",
        kept="Keep the insurer's word for a decision.",
    ),
    Thing(
        "act",
        "/acts",
        Permission.VIEW_LIMITS,
        Permission.EDIT_LIMITS,
        evidence.of_act,
        evidence.add_to_act,
        listed="The files that show an act on an account, such as a consent.",
        kept="Keep a file that shows an act on an account.",
    ),
    Thing(
        "credit_report",
        "/credit-reports",
        Permission.VIEW_LIMITS,
        Permission.EDIT_LIMITS,
        evidence.of_report,
        evidence.add_to_report,
        listed="The files that prove a credit report.",
        kept="Keep the file of a credit report; it proves from today on.",
    ),
)


def _serve_files_of(thing: Thing) -> None:
    """The addresses to list, keep and give out the files of a thing."""
    key = f"{thing.name}_id"
    address = f"{thing.address}/<int:{key}>/evidence"

    @requires(thing.view)
    @blueprint.response(200, EvidenceListSchema)
    @blueprint.doc(summary=thing.listed)
    def listed(**keys: int) -> dict[str, Any]:
        return {"items": thing.files_of(keys[key])}

    @requires(thing.edit)
    @blueprint.arguments(FileUploadSchema, location="files")
    @blueprint.arguments(AboutFileSchema, location="form", content_type="multipart/form-data")
    @blueprint.doc(requestBody=_with_file(AboutFileSchema), summary=thing.kept)
    @blueprint.response(201, EvidenceSchema)
    def keep(sent: Mapping[str, Any], about: Mapping[str, Any], **keys: int) -> EvidenceFile:
        return thing.add(g.actor, g.organisation.id, keys[key], _new(sent, about))

    @requires(thing.view)
    @blueprint.response(200, content_type="application/octet-stream", description="The file, byte by byte.")
    @blueprint.doc(summary="One of these files.")
    def give_out(evidence_file_id: int, **keys: int) -> Response:
        return _download(thing.files_of(keys[key]), evidence_file_id)

    blueprint.add_url_rule(address, f"of_{thing.name}", listed, methods=["GET"])
    blueprint.add_url_rule(address, f"add_to_{thing.name}", keep, methods=["POST"])
    blueprint.add_url_rule(f"{address}/<int:evidence_file_id>", f"download_of_{thing.name}", give_out, methods=["GET"])


for _thing in THINGS:
    _serve_files_of(_thing)


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

"""The proof of debt lodged with the administrator of an insolvent buyer: when, with whom, how, and what shows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from insureflow.domain.errors import InvalidValue, Refusal
from insureflow.domain.notices import Channel, NoticeKind
from insureflow.domain.obligations import ObligationKind
from insureflow.models.documents import IssuedDocument
from insureflow.models.notices import Notice
from insureflow.services import files, journal
from insureflow.services.files import NewEvidence
from insureflow.services.journal import Actor
from insureflow.services.notices.answering import EVIDENCE_KIND
from insureflow.services.notices.effects import do_duty
from insureflow.services.notices.keeping import get_notice, particulars_of, subject_of
from insureflow.services.transaction import transaction

#: What a paper keeps the lodging under, besides its particulars.
LODGED = "lodged"

#: How a debt can be lodged; there is no interface to administrators.
LODGING_CHANNELS = (Channel.POST, Channel.EMAIL, Channel.PORTAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lodging:
    """That the proof of debt was lodged. ``evidence`` shows it: a receipt, the e-mail, the slip of the post."""

    on: date
    administrator: str
    channel: Channel
    evidence: NewEvidence | None
    note: str = ""


def lodge(actor: Actor, organisation_id: int, notice_id: int, said: Lodging, today: date) -> Notice:
    """Record that the proof of debt was lodged; the duty to file it is done by that.

    What was recorded before is replaced; the journal keeps both. Errors: ``notice_unknown``, ``notice_no_proof_of_debt``,
    ``lodging_evidence_needed``, ``lodging_channel_unknown``, ``required``, ``in_the_future``, ``lodged_before_opening``, and those of evidence.
    """
    with transaction(organisation_id) as session:
        notice = get_notice(session, notice_id)
        document_id = notice.facts.get("proof_of_debt_id")
        document = None if document_id is None else session.get(IssuedDocument, document_id)
        if notice.kind is not NoticeKind.INSOLVENCY or document is None:
            raise Refusal("notice_no_proof_of_debt")
        opened_on = particulars_of(notice).opened_on
        if not said.administrator.strip():
            raise InvalidValue("required", "administrator")
        if said.channel not in LODGING_CHANNELS:
            raise InvalidValue("lodging_channel_unknown", "channel", said.channel)
        if said.on > today:
            raise InvalidValue("in_the_future", "lodged_on", said.on, today=today)
        if opened_on is not None and said.on < opened_on:
            raise InvalidValue("lodged_before_opening", "lodged_on", said.on, opened=opened_on)
        if said.evidence is None:
            raise InvalidValue("lodging_evidence_needed", "evidence")
        before = notice.facts.get(LODGED)
        file = files.keep(session, actor, said.evidence, buyer_id=notice.buyer_id)
        files.link(session, actor, file, EVIDENCE_KIND, notice.id)
        lodged = {
            "on": said.on.isoformat(),
            "administrator": said.administrator.strip()[:200],
            "channel": said.channel.value,
            "note": said.note.strip()[:1000],
            "evidence_file_id": file.id,
            "evidence_sha256": file.sha256,
            "document": document.number,
            "sha256": document.sha256,
        }
        notice.facts = {**notice.facts, LODGED: lodged}
        session.flush()
        journal.record(session, actor, "notice.debt_lodged", subject_of(session, notice), before=before, after=lodged)
        do_duty(session, actor, notice, ObligationKind.FILE_PROOF_OF_DEBT, said.on, today, f"{document.number}, {lodged['administrator']}")
        return notice

"""Files that prove something, added after the fact: to a notice, a decision, an act on an account, a credit report.

What duties and disputes prove is added by their own services. The same file for the same thing is kept once, and noted once.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from insureflow.domain.errors import Refusal
from insureflow.models.buyers import Buyer
from insureflow.models.cover import Obligation
from insureflow.models.database import db
from insureflow.models.limit_requests import CreditReport, EvidenceFile
from insureflow.models.limits import AccountAct, LimitDecision
from insureflow.models.notices import Notice
from insureflow.models.policies import Policy
from insureflow.models.receivables import Dispute
from insureflow.queries.obligations.calendar import DutyKey
from insureflow.queries.obligations.keeping import find_keeping
from insureflow.services import files, journal
from insureflow.services.blocks import EVIDENCE_OF_CONSENT
from insureflow.services.files import NewEvidence
from insureflow.services.journal import Actor, Subject
from insureflow.services.notices import EVIDENCE_KIND
from insureflow.services.obligations import EVIDENCE_OF_MARK
from insureflow.services.receivables import EVIDENCE_OF_DISPUTE
from insureflow.services.transaction import transaction


def _named(file: EvidenceFile) -> dict[str, str]:
    return {"name": file.name, "sha256": file.sha256}


def _account(session: Session, buyer_id: int, policy_id: int) -> str:
    """How the journal names an account."""
    name = session.scalars(select(Buyer.legal_name).where(Buyer.id == buyer_id)).one()
    return f"{name} / {session.scalars(select(Policy.number).where(Policy.id == policy_id)).one()}"


def _attach(session: Session, actor: Actor, thing: Notice | AccountAct, new: NewEvidence, kind: str, action: str) -> EvidenceFile:
    """Keep a file for what happened on an account, and note it in the journal; an action begins with what it is about."""
    file, is_new = files.attach(session, actor, new, kind, thing.id, buyer_id=thing.buyer_id)
    if is_new:
        subject = Subject(action.partition(".")[0], thing.id, _account(session, thing.buyer_id, thing.policy_id))
        journal.record(session, actor, action, subject, after=_named(file))
    return file


def add_to_notice(actor: Actor, organisation_id: int, notice_id: int, new: NewEvidence) -> EvidenceFile:
    """Keep a file that belongs to a notice: a receipt, a confirmation, the insurer's letter. Errors: ``notice_unknown``, those of ``keep``."""
    with transaction(organisation_id) as session:
        notice = session.scalar(select(Notice).where(Notice.id == notice_id))
        if notice is None:
            raise Refusal("notice_unknown", notice=str(notice_id))
        return _attach(session, actor, notice, new, EVIDENCE_KIND, "notice.evidence_added")


def add_to_decision(actor: Actor, organisation_id: int, decision_id: int, new: NewEvidence) -> EvidenceFile:
    """Keep the insurer's word for a limit decision. Errors: ``limit_unknown``, those of ``keep``."""
    with transaction(organisation_id) as session:
        decision = session.scalar(select(LimitDecision).where(LimitDecision.id == decision_id))
        if decision is None:
            raise Refusal("limit_unknown", limit=str(decision_id))
        known = {file.id for file in files.evidence_of(decision_id=decision_id)}
        file = files.keep(session, actor, new, buyer_id=decision.buyer_id, decision_id=decision.id)
        if file.id not in known:
            subject = Subject("limit", decision.id, _account(session, decision.buyer_id, decision.policy_id))
            journal.record(session, actor, "limit.evidence_added", subject, after=_named(file))
        return file


def add_to_act(actor: Actor, organisation_id: int, act_id: int, new: NewEvidence) -> EvidenceFile:
    """Keep a file that shows an act on an account, such as the insurer's consent. Errors: ``act_unknown``, those of ``keep``."""
    with transaction(organisation_id) as session:
        act = session.scalar(select(AccountAct).where(AccountAct.id == act_id))
        if act is None:
            raise Refusal("act_unknown", act=str(act_id))
        return _attach(session, actor, act, new, EVIDENCE_OF_CONSENT, "act.evidence_added")


def add_to_report(actor: Actor, organisation_id: int, report_id: int, new: NewEvidence) -> EvidenceFile:
    """Keep the file of a credit report that was put on record without it; it proves from the day on which it is kept.

    Errors: ``credit_report_unknown``, ``credit_report_has_file``, those of ``keep``.
    """
    with transaction(organisation_id) as session:
        report = session.scalar(select(CreditReport).where(CreditReport.id == report_id).with_for_update())
        if report is None:
            raise Refusal("credit_report_unknown", report=str(report_id))
        file = files.keep(session, actor, new, buyer_id=report.buyer_id)
        if report.evidence_file_id == file.id:
            return file
        if report.evidence_file_id is not None:
            raise Refusal("credit_report_has_file", agency=report.agency, day=report.reported_on)
        report.evidence_file_id = file.id
        subject = Subject("buyer", report.buyer_id, session.scalars(select(Buyer.legal_name).where(Buyer.id == report.buyer_id)).one())
        after = {"agency": report.agency, "reported_on": report.reported_on, **_named(file)}
        journal.record(session, actor, "credit_report.file_added", subject, after=after)
        return file


def of_duty(obligation_id: int) -> Sequence[EvidenceFile]:
    """The files that show what was done about a duty. Errors: ``obligation_unknown``."""
    duty = db.session.scalar(select(Obligation).where(Obligation.id == obligation_id))
    if duty is None:
        raise Refusal("obligation_unknown", obligation=str(obligation_id))
    kept = find_keeping(DutyKey(duty.policy_id, duty.buyer_id, duty.invoice_id, duty.kind, duty.due_on))
    return () if kept.mark_id is None else files.linked_to(EVIDENCE_OF_MARK, kept.mark_id)


def of_notice(notice_id: int) -> Sequence[EvidenceFile]:
    """The files that belong to a notice. Errors: ``notice_unknown``."""
    if db.session.scalar(select(Notice.id).where(Notice.id == notice_id)) is None:
        raise Refusal("notice_unknown", notice=str(notice_id))
    return files.linked_to(EVIDENCE_KIND, notice_id)


def of_dispute(dispute_id: int) -> Sequence[EvidenceFile]:
    """The papers of a dispute. Errors: ``dispute_unknown``."""
    if db.session.scalar(select(Dispute.id).where(Dispute.id == dispute_id)) is None:
        raise Refusal("dispute_unknown", dispute=str(dispute_id))
    return files.linked_to(EVIDENCE_OF_DISPUTE, dispute_id)


def of_decision(decision_id: int) -> Sequence[EvidenceFile]:
    """The insurer's word for a decision, newest first. Errors: ``limit_unknown``."""
    if db.session.scalar(select(LimitDecision.id).where(LimitDecision.id == decision_id)) is None:
        raise Refusal("limit_unknown", limit=str(decision_id))
    return files.evidence_of(decision_id=decision_id)


def of_act(act_id: int) -> Sequence[EvidenceFile]:
    """The files that show an act on an account. Errors: ``act_unknown``."""
    if db.session.scalar(select(AccountAct.id).where(AccountAct.id == act_id)) is None:
        raise Refusal("act_unknown", act=str(act_id))
    return files.linked_to(EVIDENCE_OF_CONSENT, act_id)


def of_report(report_id: int) -> Sequence[EvidenceFile]:
    """The file of a credit report. Errors: ``credit_report_unknown``."""
    report = db.session.scalar(select(CreditReport).where(CreditReport.id == report_id))
    if report is None:
        raise Refusal("credit_report_unknown", report=str(report_id))
    return db.session.scalars(select(EvidenceFile).where(EvidenceFile.id == report.evidence_file_id)).all()

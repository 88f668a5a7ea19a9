"""One paper for the insurer: what it states, its whole course, and the proof that it was in time."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from insureflow.domain.notices import (
    ConsentNeed,
    CurrencyTotal,
    NoticeAction,
    NoticeLine,
    NoticeState,
    Particulars,
    calculate_totals,
    judge_new_due_date,
    parse_particulars,
    particulars_to_mapping,
    possible_actions,
)
from insureflow.models.buyers import Buyer
from insureflow.models.database import db
from insureflow.models.documents import EvidenceLink, IssuedDocument, PolicyContact
from insureflow.models.journal import JournalEntry
from insureflow.models.limit_requests import EvidenceFile
from insureflow.models.messages import Message
from insureflow.models.notices import Notice, NoticeDispatch, NoticeInvoice
from insureflow.models.organisations import User
from insureflow.models.policies import Policy
from insureflow.queries.cover.extension_ends import ExtensionEnds

#: What an address at the insurer is for that takes papers.
PURPOSE = "notices"

#: What a link of evidence calls a paper.
EVIDENCE_KIND = "notice"


@dataclass(frozen=True, slots=True)
class DispatchView:
    """One attempt to bring a paper to the insurer, and the e-mail that carried it, if any."""

    dispatch: NoticeDispatch
    by: str | None
    message: Message | None


@dataclass(frozen=True, slots=True)
class NoticeView:
    """A paper with the names around it."""

    notice: Notice
    buyer: Buyer
    policy: Policy
    lines: tuple[NoticeLine, ...]
    totals: tuple[CurrencyTotal, ...]
    particulars: Particulars
    document: IssuedDocument | None
    proof_of_debt: IssuedDocument | None
    contact: PolicyContact | None
    dispatches: tuple[DispatchView, ...]
    evidence: tuple[EvidenceFile, ...]
    people: dict[int, str]

    @property
    def actions(self) -> frozenset[NoticeAction]:
        """What can be done with it now."""
        return possible_actions(self.notice.state)

    @property
    def is_with_insurer(self) -> bool:
        """Whether the insurer has it."""
        return self.notice.state in {NoticeState.SENT, NoticeState.ANSWERED}

    @property
    def is_in_time(self) -> bool | None:
        """Whether it was sent by its deadline; None while it is not sent or has none."""
        if self.notice.sent_on is None or self.notice.deadline_on is None:
            return None
        return self.notice.sent_on <= self.notice.deadline_on


def find_notice(notice_id: int) -> NoticeView | None:
    """A paper with everything its page shows; None where there is none."""
    notice = db.session.scalar(select(Notice).where(Notice.id == notice_id))
    if notice is None:
        return None
    lines = lines_of_notice(notice.id)
    dispatches = db.session.execute(
        select(NoticeDispatch, Message)
        .outerjoin(Message, Message.id == NoticeDispatch.message_id)
        .where(NoticeDispatch.notice_id == notice.id)
        .order_by(NoticeDispatch.id)
    )
    found = [(row[0], row[1]) for row in dispatches]
    people = _names([notice.created_by_id, notice.approved_by_id, *(dispatch.by_id for dispatch, _ in found)])
    proof_id = notice.facts.get("proof_of_debt_id")
    return NoticeView(
        notice=notice,
        buyer=db.session.scalars(select(Buyer).where(Buyer.id == notice.buyer_id)).one(),
        policy=db.session.scalars(select(Policy).where(Policy.id == notice.policy_id)).one(),
        lines=lines,
        totals=calculate_totals(lines, notice.as_of),
        particulars=parse_particulars(notice.facts.get("particulars", {})),
        document=_document(notice.document_id),
        proof_of_debt=_document(proof_id),
        contact=db.session.scalar(
            select(PolicyContact).where(PolicyContact.policy_id == notice.policy_id, PolicyContact.purpose == PURPOSE)
        ),
        dispatches=tuple(DispatchView(dispatch, people.get(dispatch.by_id or 0), message) for dispatch, message in found),
        evidence=tuple(_evidence(notice.id)),
        people=people,
    )


def line_of(row: NoticeInvoice) -> NoticeLine:
    """A kept line as the rules see it."""
    return NoticeLine(
        invoice_id=row.invoice_id,
        entity_code=row.entity_code,
        number=row.number,
        currency=row.currency,
        invoice_on=row.invoice_on,
        shipment_on=row.shipment_on,
        original_due_on=row.original_due_on,
        due_on=row.due_on,
        gross=row.gross_minor,
        open=row.open_minor,
        insured=row.insured_minor,
        disputed=row.disputed_minor,
        uninsured_reason=row.uninsured_reason,
        new_due_on=row.new_due_on,
    )


def lines_of_notice(notice_id: int) -> tuple[NoticeLine, ...]:
    """The invoices of a paper, oldest due date first."""
    rows = db.session.scalars(
        select(NoticeInvoice)
        .where(NoticeInvoice.notice_id == notice_id)
        .order_by(NoticeInvoice.original_due_on, NoticeInvoice.entity_code, NoticeInvoice.number)
    )
    return tuple(line_of(row) for row in rows)


def _document(document_id: int | None) -> IssuedDocument | None:
    return None if document_id is None else db.session.scalar(select(IssuedDocument).where(IssuedDocument.id == document_id))


def _names(keys: Collection[int | None]) -> dict[int, str]:
    wanted = sorted({key for key in keys if key is not None})
    return {row.id: row.name or row.email for row in db.session.execute(select(User.id, User.name, User.email).where(User.id.in_(wanted)))}


def _evidence(notice_id: int) -> Sequence[EvidenceFile]:
    statement = (
        select(EvidenceFile)
        .join(EvidenceLink, EvidenceLink.evidence_id == EvidenceFile.id)
        .where(EvidenceLink.subject_kind == EVIDENCE_KIND, EvidenceLink.subject_id == notice_id)
    )
    return db.session.scalars(statement.order_by(EvidenceLink.id)).all()


def journal_of_notice(notice_id: int) -> Sequence[JournalEntry]:
    """What happened to a paper, newest first."""
    statement = select(JournalEntry).where(JournalEntry.subject_type == "notice", JournalEntry.subject_id == notice_id)
    return db.session.scalars(statement.order_by(JournalEntry.sequence.desc())).all()


def extension_needs_of(view: NoticeView) -> dict[str, ConsentNeed]:
    """Whether the new due date of each invoice of a paper that has one needs the insurer's consent, by its number."""
    ends = ExtensionEnds.load([view.buyer.id], view.notice.as_of)
    account = (view.buyer.id, view.policy.id)
    return {
        line.number: judge_new_due_date(
            ends.end_of(account, line), line.new_due_on, new_terms_forbidden=ends.forbids_new_terms(view.policy.id, line.shipment_on)
        )
        for line in view.lines
        if line.new_due_on is not None
    }


def live_notices_of(buyer_id: int) -> Sequence[Notice]:
    """The papers about a buyer that are not given up, newest first."""
    statement = select(Notice).where(Notice.buyer_id == buyer_id, Notice.state != NoticeState.CANCELLED)
    return db.session.scalars(statement.order_by(Notice.id.desc())).all()


def proof_of(view: NoticeView, at: datetime) -> dict[str, Any]:
    """The proof of timeliness as plain data: what was sent, when, how, to whom, with the hash of the very bytes, and what came back."""
    notice, document = view.notice, view.document
    return {
        "notice": {
            "id": notice.id,
            "kind": notice.kind,
            "state": notice.state,
            "buyer": view.buyer.legal_name,
            "policy": view.policy.number,
            "insurer": view.policy.insurer,
            "as_of": notice.as_of,
            "deadline_on": notice.deadline_on,
            "sent_on": notice.sent_on,
            "in_time": view.is_in_time,
            "drafted_at": notice.created_at,
            "drafted_by": view.people.get(notice.created_by_id or 0),
            "approved_at": notice.approved_at,
            "approved_by": view.people.get(notice.approved_by_id or 0),
        },
        "document": None
        if document is None
        else {"number": document.number, "sha256": document.sha256, "dated_on": document.dated_on, "bytes": document.size_bytes},
        "dispatches": [_proof_of_dispatch(each) for each in view.dispatches],
        "reply": None
        if notice.reply is None
        else {"outcome": notice.reply_outcome, "on": notice.replied_on, "note": notice.reply.get("note", "")},
        "proof_of_debt": None
        if view.proof_of_debt is None
        else {"number": view.proof_of_debt.number, "sha256": view.proof_of_debt.sha256, "lodged": notice.facts.get("lodged")},
        "evidence": [{"name": file.name, "sha256": file.sha256, "kept_at": file.created_at} for file in view.evidence],
        "invoices": [asdict(line) for line in view.lines],
        "totals": [asdict(total) for total in view.totals],
        "particulars": particulars_to_mapping(view.particulars),
        "journal": [
            {"sequence": entry.sequence, "at": entry.at, "actor": entry.actor, "action": entry.action, "hash": entry.hash}
            for entry in reversed(journal_of_notice(notice.id))
        ],
        "made_at": at,
    }


def _proof_of_dispatch(view: DispatchView) -> dict[str, Any]:
    dispatch, message = view.dispatch, view.message
    return {
        "at": dispatch.at,
        "by": view.by,
        "channel": dispatch.channel,
        "on": dispatch.on,
        "recipient": dispatch.recipient,
        "protocol_number": dispatch.protocol_number,
        "sha256": dispatch.sha256,
        "delivered": dispatch.is_delivered,
        "message": None
        if message is None
        else {
            "message_id": message.message_id,
            "state": message.state,
            "sha256": message.sha256,
            "sent_at": message.sent_at,
            "attempts": message.attempts,
            "bounced_at": message.bounced_at,
        },
    }

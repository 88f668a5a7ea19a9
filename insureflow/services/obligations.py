"""What somebody did about a duty: done with evidence, waived with a reason, or taken back; and who looks after it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from insureflow.domain.errors import Refusal
from insureflow.domain.obligations import ObligationKind
from insureflow.models.buyers import Buyer
from insureflow.models.cover import Obligation, ObligationMark, ObligationOwner
from insureflow.models.limit_requests import EvidenceFile
from insureflow.models.organisations import Membership, User
from insureflow.models.policies import Policy
from insureflow.services import cover, files, journal
from insureflow.services.files import NewEvidence
from insureflow.services.journal import Actor, Subject
from insureflow.services.transaction import transaction

#: What a file of evidence is linked to that shows how a duty was done.
EVIDENCE_OF_MARK = "obligation_mark"

#: Longest note that is kept.
NOTE_LENGTH = 1000

#: So many marks that are taken back together are named in the journal.
_MOST_PICTURED = 100


class Mark(StrEnum):
    """What can be recorded about a duty."""

    DONE = "done"
    WAIVED = "waived"


def _obligation(session: Session, obligation_id: int) -> tuple[Obligation, Subject]:
    """A duty and how the journal names it; held until the end of the unit of work, so that it is marked by one at a time."""
    row = session.execute(
        select(Obligation, Policy.number, Buyer.legal_name)
        .join(Policy, Policy.id == Obligation.policy_id)
        .outerjoin(Buyer, Buyer.id == Obligation.buyer_id)
        .where(Obligation.id == obligation_id)
        .with_for_update(of=Obligation)
    ).one_or_none()
    if row is None:
        raise Refusal("obligation_unknown", obligation=str(obligation_id))
    obligation, policy, buyer = row
    return obligation, Subject("obligation", obligation.id, f"{obligation.kind} / {buyer or policy}")


def _mark_of(session: Session, obligation: Obligation) -> ObligationMark | None:
    return session.scalar(
        select(ObligationMark).where(
            ObligationMark.policy_id == obligation.policy_id,
            ObligationMark.buyer_id.is_not_distinct_from(obligation.buyer_id),
            ObligationMark.invoice_id.is_not_distinct_from(obligation.invoice_id),
            ObligationMark.kind == obligation.kind,
            ObligationMark.due_on == obligation.due_on,
        )
    )


def _owner_of(session: Session, obligation: Obligation) -> ObligationOwner | None:
    return session.scalar(
        select(ObligationOwner).where(
            ObligationOwner.policy_id == obligation.policy_id,
            ObligationOwner.buyer_id.is_not_distinct_from(obligation.buyer_id),
            ObligationOwner.invoice_id.is_not_distinct_from(obligation.invoice_id),
            ObligationOwner.kind == obligation.kind,
            ObligationOwner.due_on == obligation.due_on,
        )
    )


def _picture(mark: ObligationMark) -> dict[str, Any]:
    return {
        "kind": mark.kind,
        "due_on": mark.due_on,
        "policy_id": mark.policy_id,
        "buyer_id": mark.buyer_id,
        "invoice_id": mark.invoice_id,
        "mark": mark.mark,
        "marked_on": mark.marked_on,
        "note": mark.note,
    }


def _renew_reminders(session: Session, mark: ObligationMark, today: date) -> None:
    """After a change of what was recorded about a reminder another one may be the next."""
    session.flush()
    if mark.kind == ObligationKind.SEND_REMINDER and mark.buyer_id is not None:
        cover.refresh_buyers(session, [mark.buyer_id], today)


def mark_obligation(
    actor: Actor, organisation_id: int, obligation_id: int, mark: Mark, *, on: date, note: str, today: date
) -> ObligationMark:
    """Record that a duty was done on a day, or need not be done, and how that can be shown; an earlier mark is replaced.

    ``today`` is the business date: what is marked about a reminder decides which one comes next.
    Errors: ``obligation_unknown``, ``note_needed``, ``marked_in_future``.
    """
    with transaction(organisation_id) as session:
        obligation, subject = _obligation(session, obligation_id)
        if not note.strip():
            raise Refusal("note_needed", mark=mark)
        if on > today:
            raise Refusal("marked_in_future", on=on, today=today)
        known = _mark_of(session, obligation)
        before = None if known is None else _picture(known)
        if known is None:
            known = ObligationMark(
                policy_id=obligation.policy_id,
                buyer_id=obligation.buyer_id,
                invoice_id=obligation.invoice_id,
                kind=obligation.kind,
                due_on=obligation.due_on,
            )
            session.add(known)
        known.mark, known.marked_on, known.note = mark.value, on, note.strip()[:NOTE_LENGTH]
        _renew_reminders(session, known, today)
        journal.record(session, actor, f"obligation.{mark.value}", subject, before=before, after=_picture(known))
        return known


def take_back_marks(session: Session, actor: Actor, marks: Sequence[ObligationMark], reason: str, today: date) -> None:
    """Open duties again that were done by something that did not arrive, in the running unit of work."""
    if not marks:
        return
    before = {"marks": [_picture(mark) for mark in marks[:_MOST_PICTURED]]}
    for mark in marks:
        session.delete(mark)
    session.flush()
    journal.record(
        session, actor, "obligation.reopened", Subject("obligation", None, str(len(marks))), before=before, after={"reason": reason}
    )
    reminded = {mark.buyer_id for mark in marks if mark.kind == ObligationKind.SEND_REMINDER and mark.buyer_id is not None}
    if reminded:
        cover.refresh_buyers(session, sorted(reminded), today)


def undo_mark(actor: Actor, organisation_id: int, obligation_id: int, *, today: date) -> None:
    """Take back what was recorded about a duty: it is open again on the business date ``today``.

    Errors: ``obligation_unknown``, ``obligation_not_marked``.
    """
    with transaction(organisation_id) as session:
        obligation, subject = _obligation(session, obligation_id)
        mark = _mark_of(session, obligation)
        if mark is None:
            raise Refusal("obligation_not_marked", due=obligation.due_on)
        before = _picture(mark)
        session.delete(mark)
        _renew_reminders(session, mark, today)
        journal.record(session, actor, "obligation.reopened", subject, before=before)


def assign_obligation(actor: Actor, organisation_id: int, obligation_id: int, user_id: int | None) -> None:
    """Give a duty to somebody of the organisation, or to nobody. Errors: ``obligation_unknown``, ``member_unknown``."""
    with transaction(organisation_id) as session:
        obligation, subject = _obligation(session, obligation_id)
        member = None
        if user_id is not None:
            member = session.scalar(
                select(User)
                .join(Membership, Membership.user_id == User.id)
                .where(Membership.organisation_id == organisation_id, User.id == user_id)
            )
            if member is None:
                raise Refusal("member_unknown", email=str(user_id))
        known = _owner_of(session, obligation)
        before = None if known is None else known.user_id
        if before == user_id:
            return
        if known is not None and user_id is None:
            session.delete(known)
        elif known is not None and user_id is not None:
            known.user_id = user_id
        elif user_id is not None:
            session.add(
                ObligationOwner(
                    policy_id=obligation.policy_id,
                    buyer_id=obligation.buyer_id,
                    invoice_id=obligation.invoice_id,
                    kind=obligation.kind,
                    due_on=obligation.due_on,
                    user_id=user_id,
                )
            )
        session.flush()
        journal.record(session, actor, "obligation.assigned", subject, before={"owner_id": before}, after={"owner_id": user_id})


def attach_evidence(actor: Actor, organisation_id: int, obligation_id: int, new: NewEvidence) -> EvidenceFile:
    """Keep a file that shows what was done about a duty, which must be marked first; the same file is kept, and noted, once.

    Errors: ``obligation_not_marked``, those of ``files.keep``.
    """
    with transaction(organisation_id) as session:
        obligation, subject = _obligation(session, obligation_id)
        mark = _mark_of(session, obligation)
        if mark is None:
            raise Refusal("obligation_not_marked", due=obligation.due_on)
        kept, is_new = files.attach(session, actor, new, EVIDENCE_OF_MARK, mark.id, buyer_id=obligation.buyer_id)
        if is_new:
            journal.record(session, actor, "obligation.evidence_added", subject, after={"name": kept.name, "sha256": kept.sha256})
        return kept

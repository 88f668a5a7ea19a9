"""From draft to issued paper: changed, brought up to date, approved by a person, put back, given up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from insureflow.domain.errors import InvalidValue, Refusal
from insureflow.domain.issued_documents import DocumentKind
from insureflow.domain.notices import (
    BLOCKING,
    NoticeAction,
    NoticeCheck,
    NoticeKind,
    NoticeLine,
    NoticeState,
    PaperToCheck,
    Particulars,
    ReasonForNonPayment,
    calculate_totals,
    check_paper,
    planned_lines,
    possible_actions,
    state_lines,
)
from insureflow.i18n.documents import choose_language
from insureflow.models.buyers import InsurerIdentity
from insureflow.models.database import db
from insureflow.models.notices import Notice
from insureflow.models.scope import within
from insureflow.queries.cover.extension_ends import ExtensionEnds
from insureflow.queries.notices.standings import buyers_with_unmatched_money, due_notifications, load_standings
from insureflow.services import issued_documents, journal
from insureflow.services.clock import now
from insureflow.services.journal import Actor
from insureflow.services.notices import effects
from insureflow.services.notices.drafting import TOUCHED, with_new_due_dates
from insureflow.services.notices.keeping import (
    account_of,
    contact_of,
    get_notice,
    lines_of,
    move,
    particulars_of,
    picture,
    put_lines,
    put_particulars,
    subject_of,
)
from insureflow.services.notices.papers import paper_of, proof_of_debt, seller_of, write
from insureflow.services.transaction import transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What a person makes of a draft. ``new_due_dates`` by number of the invoice; None leaves as it is."""

    reason: ReasonForNonPayment | None = None
    comment: str | None = None
    language: str | None = None
    particulars: Particulars | None = None
    new_due_dates: Mapping[str, date] | None = None


def change(actor: Actor, organisation_id: int, notice_id: int, changes: Changes) -> Notice:
    """Change a draft. Errors: ``notice_unknown``, ``notice_cannot``, ``notice_invoice_unknown``."""
    with transaction(organisation_id) as session:
        notice = get_notice(session, notice_id)
        move(notice, NoticeAction.CHANGE)
        before = picture(notice)
        notice.facts = {**notice.facts, TOUCHED: True}
        if changes.reason is not None:
            notice.reason = changes.reason
        if changes.comment is not None:
            notice.comment = changes.comment.strip()[:4000]
        if changes.language is not None:
            notice.language = choose_language([changes.language])
        if changes.particulars is not None:
            kept = particulars_of(notice)
            put_particulars(notice, replace(changes.particulars, oldest_due_on=kept.oldest_due_on, extension_end_on=kept.extension_end_on))
        lines = lines_of(session, notice.id)
        if changes.new_due_dates is not None:
            moved = with_new_due_dates(lines, changes.new_due_dates)
            if moved != lines:
                put_lines(session, notice.id, moved)
        session.flush()
        old, new = journal.changes(before, picture(notice))
        if new or old or changes.new_due_dates is not None:
            journal.record(session, actor, "notice.changed", subject_of(session, notice), before=old, after=new)
        return notice


def renew(actor: Actor, organisation_id: int, notice_id: int, on: date) -> Notice:
    """Let a paper state the figures of a day; new due dates that were entered stay with their invoices.

    One that is approved, or did not arrive, is a draft again by that: nobody stood by the new figures yet.

    Errors: ``notice_unknown``, ``notice_cannot``.
    """
    with transaction(organisation_id) as session:
        notice = get_notice(session, notice_id)
        before = picture(notice)
        if NoticeAction.CHANGE not in possible_actions(notice.state):
            move(notice, NoticeAction.REOPEN)
            notice.approved_at = notice.approved_by_id = None
        move(notice, NoticeAction.CHANGE)
        notice.facts = {**notice.facts, TOUCHED: True}
        account = (notice.buyer_id, notice.policy_id)
        kept = {line.number: line.new_due_on for line in lines_of(session, notice.id) if line.new_due_on is not None}
        lines = state_lines(load_standings([account], on)[account])
        lines = with_new_due_dates(lines, {number: day for number, day in kept.items() if number in {line.number for line in lines}})
        put_lines(session, notice.id, lines)
        oldest_due_on, end = ExtensionEnds.load([notice.buyer_id], on).of_oldest(account, lines)
        put_particulars(notice, replace(particulars_of(notice), oldest_due_on=oldest_due_on, extension_end_on=end))
        notice.as_of = on
        if notice.kind is NoticeKind.NON_PAYMENT:
            due = due_notifications(on, date.max, buyer_ids=[notice.buyer_id])
            first = next((each for each in due if each.policy_id == notice.policy_id), None)
            notice.deadline_on = None if first is None else first.deadline_on
        session.flush()
        old, new = journal.changes(before, picture(notice))
        journal.record(session, actor, "notice.renewed", subject_of(session, notice), before=old, after=new)
        return notice


def checks_of(session: Session, notice: Notice, on: date) -> tuple[NoticeCheck, ...]:
    """What is to be said about a paper before it is approved on a day."""
    buyer, policy = account_of(session, notice)
    lines, account = lines_of(session, notice.id), (notice.buyer_id, notice.policy_id)
    number = session.scalar(
        select(InsurerIdentity.id).where(InsurerIdentity.buyer_id == buyer.id, InsurerIdentity.insurer == policy.insurer).limit(1)
    )
    contact = contact_of(session, policy.id)
    today = {_mark(line) for line in state_lines(load_standings([account], on)[account])}
    paper = PaperToCheck(
        kind=notice.kind,
        lines=lines,
        particulars=particulars_of(notice),
        reason=notice.reason,
        comment=notice.comment,
        deadline_on=notice.deadline_on,
        has_insurer_number=number is not None,
        has_contact=contact is not None and bool(contact.email or contact.portal or contact.address),
        has_moved=today != {_mark(line) for line in lines},
        has_unmatched_money=bool(buyers_with_unmatched_money([buyer.id])),
        new_terms_forbidden=_asks_what_is_forbidden(notice, lines),
    )
    return check_paper(paper, on)


def _asks_what_is_forbidden(notice: Notice, lines: Sequence[NoticeLine]) -> bool:
    """Whether a request is for new terms of goods that have left, under a policy that forbids them without consent."""
    if notice.kind is NoticeKind.EXTENSION:
        asked: Sequence[NoticeLine] = [line for line in lines if line.new_due_on is not None]
    elif notice.kind is NoticeKind.RESCHEDULING:
        asked = planned_lines(lines, particulars_of(notice))
    else:
        return False
    ends = ExtensionEnds.load([notice.buyer_id], notice.as_of)
    return any(ends.forbids_new_terms(notice.policy_id, line.shipment_on) for line in asked)


def _mark(line: NoticeLine) -> tuple[str, str, int, int]:
    """What a reader would see differ."""
    return line.entity_code, line.number, line.open, line.insured


def approve(actor: Actor, organisation_id: int, notice_id: int, on: date) -> Notice:
    """Stand by a paper: what it says is frozen and issued as a document, in the language of the insurer's desk.

    Errors: ``notice_unknown``, ``notice_cannot``, ``notice_kept_back``, and those of the paper.
    """
    with transaction(organisation_id) as session:
        notice = get_notice(session, notice_id)
        move(notice, NoticeAction.APPROVE)
        checks = checks_of(session, notice, on)
        kept_back = next((check for check in checks if check in BLOCKING), None)
        if kept_back is not None:
            raise Refusal("notice_kept_back", check=kept_back)
        replaced = notice.document_id
        lines = lines_of(session, notice.id)
        totals = [asdict(total) for total in calculate_totals(lines, notice.as_of)]
        notice.facts = {**notice.facts, "totals": totals, "checks": [check.value for check in checks]}
        notice.approved_at, notice.approved_by_id = now(), actor.user_id
        notice.document_id = _issue(session, actor, notice, lines, on, replaced)
        _issue_proof_of_debt(session, actor, notice, on)
        session.flush()
        journal.record(
            session,
            actor,
            "notice.approved",
            subject_of(session, notice),
            after={**picture(notice), "document_id": notice.document_id, "checks": notice.facts["checks"]},
        )
        effects.when_approved(session, actor, notice, on)
        return notice


def frozen_facts(notice: Notice, lines: tuple[NoticeLine, ...]) -> dict[str, Any]:
    """What a paper was made of, whole."""
    return {**picture(notice), "totals": notice.facts.get("totals", []), "invoices": [asdict(line) for line in lines]}


def _issue(session: Session, actor: Actor, notice: Notice, lines: tuple[NoticeLine, ...], on: date, replaced: int | None) -> int:
    number = issued_documents.reserve_numbers(session, on.year)[0]
    written = write(paper_of(session, notice, number=number, issued_on=on, signed_by=actor.user_id), notice.language)
    row = issued_documents.issue(
        session,
        actor,
        kind=DocumentKind(notice.kind.value),
        language=notice.language,
        dated_on=on,
        facts=frozen_facts(notice, lines),
        name=f"{number}.pdf",
        content=written.content,
        entity_id=seller_of(session, notice).id,
        buyer_id=notice.buyer_id,
        policy_id=notice.policy_id,
        replaces_id=replaced,
        number=number,
    )
    return row.id


def _issue_proof_of_debt(session: Session, actor: Actor, notice: Notice, on: date) -> None:
    """The proof of debt for the administrator goes with the notice of an insolvency, where there is one to write to."""
    if notice.kind is not NoticeKind.INSOLVENCY or particulars_of(notice).administrator is None:
        return
    number = issued_documents.reserve_numbers(session, on.year)[0]
    made = proof_of_debt(session, notice, number=number, issued_on=on, signed_by=actor.user_id)
    if made is None:
        return
    content, language = made
    row = issued_documents.issue(
        session,
        actor,
        kind=DocumentKind.PROOF_OF_DEBT,
        language=language,
        dated_on=on,
        facts={"notice_id": notice.id, "invoices": [asdict(line) for line in lines_of(session, notice.id)]},
        name=f"{number}.pdf",
        content=content,
        entity_id=seller_of(session, notice).id,
        buyer_id=notice.buyer_id,
        replaces_id=notice.facts.get("proof_of_debt_id"),
        number=number,
    )
    notice.facts = {**notice.facts, "proof_of_debt_id": row.id}


def preview(organisation_id: int, notice_id: int, on: date) -> bytes:
    """The paper as it would be issued on a day; nothing is kept. Errors: ``notice_unknown``, and those of the paper."""
    with within(organisation_id):
        session = db.session()
        notice = session.scalar(select(Notice).where(Notice.id == notice_id))
        if notice is None:
            raise Refusal("notice_unknown", notice=str(notice_id))
        paper = paper_of(session, notice, number=f"{on.year}-{notice.id}", issued_on=on, signed_by=notice.approved_by_id)
        return write(paper, notice.language).content


def reopen(actor: Actor, organisation_id: int, notice_id: int) -> Notice:
    """Put a paper that is approved, or did not arrive, back to draft; the document that was issued stays, and the next replaces it.

    Errors: ``notice_unknown``, ``notice_cannot``.
    """
    with transaction(organisation_id) as session:
        notice = get_notice(session, notice_id)
        move(notice, NoticeAction.REOPEN)
        notice.approved_at = notice.approved_by_id = None
        session.flush()
        journal.record(session, actor, "notice.reopened", subject_of(session, notice), after={"state": NoticeState.DRAFT})
        return notice


def cancel(actor: Actor, organisation_id: int, notice_id: int, reason: str) -> Notice:
    """Give a paper up that is not with the insurer. Errors: ``notice_unknown``, ``notice_cannot``, ``reason_needed``."""
    if not reason.strip():
        raise InvalidValue("reason_needed", "reason")
    with transaction(organisation_id) as session:
        notice = get_notice(session, notice_id)
        before = notice.state
        move(notice, NoticeAction.CANCEL)
        session.flush()
        after = {"state": notice.state, "reason": reason.strip()[:1000]}
        journal.record(session, actor, "notice.cancelled", subject_of(session, notice), before={"state": before}, after=after)
        return notice

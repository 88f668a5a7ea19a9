"""What a paper does to cover: facts of the account that say what the insurer was told and agreed to, and the duties done by it.

Each fact is entered as an act, in the unit of work of what brings it about, so that cover and calendar follow at once. The keys of
the acts are kept with what brought them about, so that what did not arrive can be taken back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from insureflow.domain.limits import AccountActKind
from insureflow.domain.notices import (
    ConsentNeed,
    NoticeKind,
    NoticeLine,
    ReplyOutcome,
    judge_new_due_date,
    planned_lines,
)
from insureflow.domain.obligations import ObligationKind
from insureflow.models.cover import Obligation, ObligationMark
from insureflow.models.limits import AccountAct
from insureflow.models.notices import Notice
from insureflow.models.receivables import Invoice
from insureflow.models.scope import current_organisation_id
from insureflow.queries.cover.extension_ends import ExtensionEnds
from insureflow.services import obligations
from insureflow.services.journal import Actor
from insureflow.services.limits.acts import NewAct, record_act, remove_act
from insureflow.services.notices.keeping import invoice_ids, lines_of, particulars_of
from insureflow.services.obligations import Mark

#: A statement takes only so many parameters.
_PORTION = 2000


@dataclass(frozen=True, slots=True)
class BroughtAbout:
    """What a paper that was sent has brought about: the keys of the acts that say so, and of the marks of duties done by it."""

    act_ids: list[int] = field(default_factory=list)
    mark_ids: list[int] = field(default_factory=list)


def _record(actor: Actor, notice: Notice, kind: AccountActKind, happened_on: date, today: date, **details: object) -> int:
    act = record_act(
        actor,
        current_organisation_id(),
        NewAct(notice.buyer_id, notice.policy_id, kind, happened_on, **details),  # type: ignore[arg-type]  # the details of a kind
        today,
    )
    return act.id


def when_approved(session: Session, actor: Actor, notice: Notice, today: date) -> None:
    """What was learned becomes a fact of the account once a person stands by it: bad news, or the opening of an insolvency."""
    facts = particulars_of(notice)
    if notice.kind is NoticeKind.ADVERSE_INFORMATION and facts.known_on is not None:
        # A paper that was put back to draft and approved again tells no second piece of news.
        known = session.scalar(
            select(AccountAct.id).where(
                AccountAct.buyer_id == notice.buyer_id,
                AccountAct.policy_id == notice.policy_id,
                AccountAct.kind == AccountActKind.ADVERSE_INFORMATION,
                AccountAct.happened_on == facts.known_on,
            )
        )
        if known is None:
            _record(actor, notice, AccountActKind.ADVERSE_INFORMATION, facts.known_on, today, note=facts.source)
    if notice.kind is NoticeKind.INSOLVENCY and facts.opened_on is not None:
        known = session.scalar(
            select(AccountAct.id).where(
                AccountAct.buyer_id == notice.buyer_id,
                AccountAct.policy_id == notice.policy_id,
                AccountAct.kind == AccountActKind.INSOLVENCY,
            )
        )
        if known is None:
            note = " ".join(part for part in (facts.court, facts.case_number) if part)
            _record(actor, notice, AccountActKind.INSOLVENCY, facts.opened_on, today, note=note)


def when_sent(session: Session, actor: Actor, notice: Notice, sent_on: date, today: date, note: str) -> BroughtAbout:
    """The insurer was told: what that has brought about.

    A notification names the invoices that were overdue when it was sent; later ones have deadlines of their own. An extension within
    the maximum extension period is free and holds from now on. A report of adverse information does the duty to report.
    """
    lines = _still_known(session, notice)
    if notice.kind is NoticeKind.NON_PAYMENT:
        named = invoice_ids(lines, sent_on)
        if not named:
            return BroughtAbout()
        return BroughtAbout([_record(actor, notice, AccountActKind.OVERDUE_NOTIFICATION, sent_on, today, invoice_ids=named, note=note)])
    if notice.kind is NoticeKind.EXTENSION:
        return BroughtAbout(_extend(actor, notice, _free(notice, lines), sent_on, today, has_consent=False, note=note))
    if notice.kind is NoticeKind.ADVERSE_INFORMATION:
        return BroughtAbout(mark_ids=do_duty(session, actor, notice, ObligationKind.REPORT_ADVERSE_INFORMATION, sent_on, today, note))
    return BroughtAbout()


def when_answered(session: Session, actor: Actor, notice: Notice, outcome: ReplyOutcome, on: date, today: date, note: str) -> list[int]:
    """The insurer agreed: the keys of the acts that say so. Every other answer changes nothing in cover by itself.

    Consent to a notification releases the account for further supplies in spite of the invoices it names; consent to new due dates or
    to a plan puts the stop off to them, the original due dates stay what they are.
    """
    if outcome is not ReplyOutcome.CONSENTED:
        return []
    lines = _still_known(session, notice)
    if notice.kind is NoticeKind.NON_PAYMENT:
        named = invoice_ids(lines, on)
        if not named:
            return []
        return [_record(actor, notice, AccountActKind.CONSENT, on, today, invoice_ids=named, note=note)]
    if notice.kind is NoticeKind.EXTENSION:
        asked = [(line, line.new_due_on) for line in lines if line.new_due_on is not None]
        return _extend(actor, notice, asked, on, today, has_consent=True, note=note)
    if notice.kind is NoticeKind.RESCHEDULING:
        facts = particulars_of(notice)
        last = max((line.due_on for line in facts.plan), default=None)
        planned = [] if last is None else [(line, last) for line in planned_lines(lines, facts)]
        return _extend(actor, notice, planned, on, today, has_consent=True, note=note)
    return []


def _still_known(session: Session, notice: Notice) -> list[NoticeLine]:
    """The lines of a paper whose invoices are still in the ledger of this account; a paper outlives its invoices."""
    lines = lines_of(session, notice.id)
    keys = [line.invoice_id for line in lines if line.invoice_id is not None]
    known: set[int] = set()
    for start in range(0, len(keys), _PORTION):
        statement = select(Invoice.id).where(
            Invoice.id.in_(keys[start : start + _PORTION]),
            Invoice.buyer_id == notice.buyer_id,
            or_(Invoice.policy_id.is_(None), Invoice.policy_id == notice.policy_id),
        )
        known |= set(session.scalars(statement))
    return [line for line in lines if line.invoice_id in known]


def take_back(session: Session, actor: Actor, act_ids: Iterable[int], reason: str, today: date, *, mark_ids: Iterable[int] = ()) -> None:
    """What a paper that did not arrive said is no fact: its acts are taken back, and the duties are open again."""
    marks = session.scalars(select(ObligationMark).where(ObligationMark.id.in_(sorted(set(mark_ids))))).all()
    obligations.take_back_marks(session, actor, marks, reason, today)
    wanted = sorted(set(act_ids))
    for act_id in session.scalars(select(AccountAct.id).where(AccountAct.id.in_(wanted)).order_by(AccountAct.id)).all():
        remove_act(actor, current_organisation_id(), act_id, reason, today)


def _free(notice: Notice, lines: Sequence[NoticeLine]) -> list[tuple[NoticeLine, date]]:
    """The invoices whose new due date needs nobody's consent."""
    ends = ExtensionEnds.load([notice.buyer_id], notice.as_of)
    account = (notice.buyer_id, notice.policy_id)
    return [
        (line, line.new_due_on)
        for line in lines
        if line.new_due_on is not None and _need(ends, account, line, line.new_due_on) is ConsentNeed.INFORMATION_ONLY
    ]


def _need(ends: ExtensionEnds, account: tuple[int, int], line: NoticeLine, new_due_on: date) -> ConsentNeed:
    return judge_new_due_date(
        ends.end_of(account, line), new_due_on, new_terms_forbidden=ends.forbids_new_terms(account[1], line.shipment_on)
    )


def _extend(
    actor: Actor,
    notice: Notice,
    asked: Iterable[tuple[NoticeLine, date]],
    on: date,
    today: date,
    *,
    has_consent: bool,
    note: str,
) -> list[int]:
    return [
        _record(
            actor,
            notice,
            AccountActKind.EXTENSION,
            on,
            today,
            invoice_ids=(line.invoice_id,),
            new_due_on=new_due_on,
            has_consent=has_consent,
            note=note,
        )
        for line, new_due_on in asked
        if line.invoice_id is not None and new_due_on > line.original_due_on
    ]


def do_duty(session: Session, actor: Actor, notice: Notice, kind: ObligationKind, on: date, today: date, note: str) -> list[int]:
    """Mark the open duties of the account as done by this paper; what an earlier one did stays done by that. Gives the keys of the marks."""
    is_marked = select(ObligationMark.id).where(
        ObligationMark.policy_id == Obligation.policy_id,
        ObligationMark.buyer_id == Obligation.buyer_id,
        ObligationMark.invoice_id.is_not_distinct_from(Obligation.invoice_id),
        ObligationMark.kind == Obligation.kind,
        ObligationMark.due_on == Obligation.due_on,
    )
    statement = select(Obligation.id).where(
        Obligation.buyer_id == notice.buyer_id, Obligation.policy_id == notice.policy_id, Obligation.kind == kind.value, ~is_marked.exists()
    )
    return [
        obligations.mark_obligation(actor, current_organisation_id(), duty_id, Mark.DONE, on=on, note=note, today=today).id
        for duty_id in session.scalars(statement.order_by(Obligation.due_on)).all()
    ]

"""Drafts of papers for the insurer: by hand for one buyer, for many at once, and by a job for every notification that falls due."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from insureflow.domain.access import Permission
from insureflow.domain.dunning import DunningLevel, LetterState
from insureflow.domain.errors import Refusal
from insureflow.domain.messages import NoticeToPerson
from insureflow.domain.notices import (
    NoticeKind,
    NoticeLine,
    NoticeState,
    Particulars,
    ReasonForNonPayment,
    particulars_to_mapping,
    state_lines,
)
from insureflow.domain.obligations import ObligationKind
from insureflow.i18n.documents import choose_language
from insureflow.models.buyers import Buyer
from insureflow.models.cover import ObligationMark
from insureflow.models.dunning import DunningLetter, DunningLetterInvoice
from insureflow.models.notices import Notice
from insureflow.models.policies import Policy
from insureflow.queries.cover.extension_ends import ExtensionEnds
from insureflow.queries.notices.standings import (
    AccountKey,
    DueNotification,
    due_notifications,
    load_standings,
    policies_owing,
)
from insureflow.services import journal, telling
from insureflow.services.clock import now
from insureflow.services.journal import Actor, Subject
from insureflow.services.notices.keeping import (
    account_of,
    contacts_of,
    lines_of,
    particulars_of,
    picture,
    put_lines,
    put_particulars,
    row_of,
    subject_of,
)
from insureflow.services.transaction import transaction

#: So many days before its deadline a notification is drafted.
DRAFT_DAYS = 15

#: States in which a paper still waits for somebody, or for its delivery.
LIVE = frozenset({NoticeState.DRAFT, NoticeState.APPROVED, NoticeState.SENDING, NoticeState.FAILED})

#: The mark of a draft that a person has changed: it is left to people from then on.
TOUCHED = "touched"

#: Of more new drafts than this people are not told one by one.
MOST_TOLD = 200

#: A statement takes only so many parameters.
_PORTION = 2000

#: The cause of a draft and the deadline it answers.
Wanted = tuple[str, date | None]

#: Who drafts when nobody asked for it.
SCHEDULE = Actor(None, "schedule")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewNotice:
    """A paper to be drafted. ``policy_id`` None: the policy under which the buyer owes. ``new_due_dates`` by number of the invoice."""

    kind: NoticeKind
    buyer_id: int
    policy_id: int | None = None
    reason: ReasonForNonPayment = ReasonForNonPayment.UNKNOWN
    comment: str = ""
    particulars: Particulars = field(default_factory=Particulars)
    new_due_dates: Mapping[str, date] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Drafted:
    """What came of drafting for many: the new papers, how many accounts had one or owe nothing, and how many drafts were renewed."""

    notice_ids: tuple[int, ...]
    known: int = 0
    without_debt: int = 0
    renewed: int = 0


def draft(actor: Actor, organisation_id: int, new: NewNotice, on: date) -> Notice:
    """Draft a paper about a buyer as of a day. One that is already waiting for somebody is given back instead of another.

    Errors: ``buyer_unknown``, ``policy_unknown``, ``notice_policy_needed``, ``notice_nothing_owed``, ``notice_invoice_unknown``.
    """
    with transaction(organisation_id) as session:
        return draft_within(session, actor, new, on)


def draft_within(session: Session, actor: Actor, new: NewNotice, on: date, *, stem: str = "") -> Notice:
    """As ``draft``, in the running unit of work; ``stem`` names the cause where something else than a person asked."""
    buyer, policy = _account(session, new, on)
    account = (buyer.id, policy.id)
    known, cause, deadline_on = _cause(session, new.kind, account, on, stem)
    if known is not None:
        return known
    lines = state_lines(load_standings([account], on)[account])
    if not lines and new.kind not in {NoticeKind.ADVERSE_INFORMATION, NoticeKind.INSOLVENCY}:
        raise Refusal("notice_nothing_owed", buyer=buyer.legal_name, policy=policy.number, on=on)
    lines = with_new_due_dates(lines, new.new_due_dates)
    particulars = _completed(session, new.particulars, account, lines, ExtensionEnds.load([buyer.id], on), on)
    notice = _row(session, actor, new, account, particulars, on, cause, deadline_on)
    session.add(notice)
    session.flush()
    session.add_all(row_of(notice.id, line) for line in lines)
    session.flush()
    journal.record(session, actor, "notice.drafted", subject_of(session, notice), after=picture(notice))
    return notice


def _account(session: Session, new: NewNotice, on: date) -> tuple[Buyer, Policy]:
    buyer = session.scalar(select(Buyer).where(Buyer.id == new.buyer_id))
    if buyer is None:
        raise Refusal("buyer_unknown", buyer=str(new.buyer_id))
    policy_id = new.policy_id
    if policy_id is None:
        owing = policies_owing([buyer.id], on)
        if not owing:
            raise Refusal("notice_policy_needed", buyer=buyer.legal_name)
        policy_id = owing[0][1]
    policy = session.scalar(select(Policy).where(Policy.id == policy_id))
    if policy is None:
        raise Refusal("policy_unknown", policy=str(policy_id))
    return buyer, policy


def _cause(session: Session, kind: NoticeKind, account: AccountKey, on: date, stem: str) -> tuple[Notice | None, str, date | None]:
    """The paper that waits already, or the cause of a new one; and the deadline it answers."""
    buyer_id, policy_id = account
    deadline_on: date | None = None
    if not stem and kind is NoticeKind.NON_PAYMENT:
        due = due_notifications(on, date.max, buyer_ids=[buyer_id])
        first = next((each for each in due if each.policy_id == policy_id), None)
        if first is not None:
            stem, deadline_on = cause_of(first), first.deadline_on
    alike = select(Notice).where(Notice.buyer_id == buyer_id, Notice.policy_id == policy_id, Notice.kind == kind)
    if kind is NoticeKind.NON_PAYMENT or stem:
        # One paper of a kind is enough while it waits; news and requests may come one after the other.
        waiting = alike.where(Notice.state.in_(sorted(LIVE)))
        if stem and kind is not NoticeKind.NON_PAYMENT:
            waiting = waiting.where(Notice.cause.startswith(stem, autoescape=True))
        known = session.scalar(waiting.order_by(Notice.id).limit(1))
        if known is not None:
            return known, known.cause, known.deadline_on
    stem = stem or f"{kind.value}/{policy_id}/{buyer_id}/{on.isoformat()}"
    taken = session.scalar(select(func.count()).select_from(Notice).where(Notice.cause.startswith(stem, autoescape=True))) or 0
    return None, stem if not taken else f"{stem}#{taken + 1}", deadline_on


def cause_of(due: DueNotification) -> str:
    """What makes the draft of a notification: the account, its oldest invoice to notify, and the deadline."""
    return f"notify/{due.policy_id}/{due.buyer_id}/{due.invoice_id}/{due.deadline_on.isoformat()}"


def with_new_due_dates(lines: Sequence[NoticeLine], new_due_dates: Mapping[str, date]) -> tuple[NoticeLine, ...]:
    """Lines with the new due dates that are asked for. Errors: ``notice_invoice_unknown``."""
    unknown = new_due_dates.keys() - {line.number for line in lines}
    if unknown:
        raise Refusal("notice_invoice_unknown", number=min(unknown))
    return tuple(replace(line, new_due_on=new_due_dates.get(line.number)) for line in lines)


def _completed(
    session: Session, particulars: Particulars, account: AccountKey, lines: Sequence[NoticeLine], ends: ExtensionEnds, on: date
) -> Particulars:
    oldest_due_on, extension_end_on = ends.of_oldest(account, lines)
    if extension_end_on is None and lines:
        extension_end_on = ends.end_of(account, lines[0])
    last_demand_on = particulars.last_demand_on or _last_demands(session, [account[0]], on).get(account)
    return replace(particulars, oldest_due_on=oldest_due_on, extension_end_on=extension_end_on, last_demand_on=last_demand_on)


def _last_demands(session: Session, buyer_ids: Collection[int], on: date) -> dict[AccountKey, date]:
    """The day of the last demand for payment by account: of the duties done, and of the letters sent about the same invoices since."""
    found: dict[AccountKey, date] = {}
    ordered = sorted(set(buyer_ids))
    for start in range(0, len(ordered), _PORTION):
        done = (
            ObligationMark.buyer_id.in_(ordered[start : start + _PORTION]),
            ObligationMark.kind == ObligationKind.SEND_REMINDER.value,
            ObligationMark.mark == "done",
        )
        account = (ObligationMark.buyer_id, ObligationMark.policy_id)
        marked = select(*account, func.max(ObligationMark.marked_on).label("last")).where(*done, ObligationMark.marked_on <= on)
        written = (
            select(*account, func.max(DunningLetter.sent_on).label("last"))
            .join(DunningLetterInvoice, DunningLetterInvoice.invoice_id == ObligationMark.invoice_id)
            .join(DunningLetter, DunningLetter.id == DunningLetterInvoice.letter_id)
            .where(*done, DunningLetter.state == LetterState.SENT, DunningLetter.sent_on <= on)
            .where(DunningLetter.level != DunningLevel.BEFORE_DUE)
        )
        for statement in (marked, written):
            for row in session.execute(statement.group_by(*account)):
                key = (row.buyer_id, row.policy_id)
                found[key] = max(found.get(key, row.last), row.last)
    return found


def _row(
    session: Session,
    actor: Actor,
    new: NewNotice,
    account: AccountKey,
    particulars: Particulars,
    on: date,
    cause: str,
    deadline_on: date | None,
    language: str | None = None,
) -> Notice:
    buyer_id, policy_id = account
    if language is None:
        contact = contacts_of(session, [policy_id]).get(policy_id)
        language = choose_language([None if contact is None else contact.language])
    return Notice(
        cause=cause[:120],
        kind=new.kind,
        policy_id=policy_id,
        buyer_id=buyer_id,
        state=NoticeState.DRAFT,
        as_of=on,
        deadline_on=deadline_on,
        language=language,
        reason=new.reason,
        comment=new.comment.strip()[:4000],
        facts={"particulars": particulars_to_mapping(particulars)},
        created_at=now(),
        created_by_id=actor.user_id,
    )


def draft_notifications(actor: Actor, organisation_id: int, buyer_ids: Collection[int], on: date) -> Drafted:
    """Draft a notification of non-payment for each account of these buyers that owes something, in one pass."""
    with transaction(organisation_id) as session:
        due = {(each.buyer_id, each.policy_id): each for each in due_notifications(on, date.max, buyer_ids=buyer_ids)}
        accounts = policies_owing(buyer_ids, on)
        without = len(set(buyer_ids) - {buyer_id for buyer_id, _ in accounts})
        wanted = {
            account: (cause_of(due[account]), due[account].deadline_on)
            if account in due
            else (f"{NoticeKind.NON_PAYMENT.value}/{account[1]}/{account[0]}/{on.isoformat()}", None)
            for account in accounts
        }
        made = _draft_accounts(session, actor, _asked_anew(session, wanted), on)
        return replace(made, without_debt=made.without_debt + without)


def _asked_anew(session: Session, wanted: Mapping[AccountKey, Wanted]) -> dict[AccountKey, Wanted]:
    """The same, with new causes for accounts all of whose papers of the cause were given up: who asks again gets another."""
    causes = sorted(cause for cause, _ in wanted.values())
    ended: set[str] = set()
    for start in range(0, len(causes), _PORTION):
        of_portion = select(Notice.cause).where(Notice.cause.in_(causes[start : start + _PORTION]), Notice.state == NoticeState.CANCELLED)
        ended |= set(session.scalars(of_portion))
    found = dict(wanted)
    for account, (cause, deadline_on) in wanted.items():
        if cause in ended:
            states = session.scalars(select(Notice.state).where(Notice.cause.startswith(cause, autoescape=True))).all()
            if set(states) == {NoticeState.CANCELLED}:
                found[account] = f"{cause}#{len(states) + 1}", deadline_on
    return found


def draft_due(organisation_id: int, on: date, *, days: int = DRAFT_DAYS, actor: Actor = SCHEDULE) -> Drafted:
    """Draft what is to be notified by so many days from now, late notifications included; whoever may approve is told.

    The same duty is drafted once for good, so a day without a run is made up for and none comes twice. Drafts that nobody has touched
    since they were made state the figures of the day.
    """
    with transaction(organisation_id) as session:
        due = due_notifications(on, on + timedelta(days=days))
        wanted = {(each.buyer_id, each.policy_id): (cause_of(each), each.deadline_on) for each in due}
        renewed = _renew_untouched(session, actor, {account: deadline_on for account, (_, deadline_on) in wanted.items()}, on)
        made = _draft_accounts(session, actor, wanted, on)
        _tell(session, made.notice_ids)
        return replace(made, renewed=renewed)


def _renew_untouched(session: Session, actor: Actor, deadlines: Mapping[AccountKey, date], on: date) -> int:
    """Bring the drafts up to date that no person has made or changed; gives how many say something else than before."""
    drafts = session.scalars(
        select(Notice).where(
            Notice.kind == NoticeKind.NON_PAYMENT, Notice.state == NoticeState.DRAFT, Notice.created_by_id.is_(None), Notice.as_of < on
        )
    ).all()
    untouched = {(draft.buyer_id, draft.policy_id): draft for draft in drafts if not draft.facts.get(TOUCHED)}
    if not untouched:
        return 0
    standings = load_standings(untouched.keys(), on)
    ends = ExtensionEnds.load({buyer_id for buyer_id, _ in untouched}, on)
    renewed = []
    for account, notice in sorted(untouched.items()):
        lines = state_lines(standings[account])
        if lines and lines != lines_of(session, notice.id):
            put_lines(session, notice.id, lines)
            renewed.append(notice.id)
        if lines:
            oldest_due_on, extension_end_on = ends.of_oldest(account, lines)
            put_particulars(notice, replace(particulars_of(notice), oldest_due_on=oldest_due_on, extension_end_on=extension_end_on))
            notice.as_of, notice.deadline_on = on, deadlines.get(account, notice.deadline_on)
    session.flush()
    if renewed:
        subject = Subject("notice", None, f"{len(renewed)} notices")
        journal.record(session, actor, "notice.renewed", subject, after={"count": len(renewed), "notices": renewed})
    return len(renewed)


def _known_accounts(session: Session, wanted: Mapping[AccountKey, tuple[str, date | None]]) -> set[AccountKey]:
    """The accounts that have a notification waiting already, or had one of the same cause."""
    known: set[AccountKey] = set()
    statement = select(Notice.buyer_id, Notice.policy_id).where(Notice.kind == NoticeKind.NON_PAYMENT, Notice.state.in_(sorted(LIVE)))
    known |= {(row.buyer_id, row.policy_id) for row in session.execute(statement)}
    by_cause = {cause: account for account, (cause, _) in wanted.items()}
    causes = sorted(by_cause)
    for start in range(0, len(causes), _PORTION):
        found = session.scalars(select(Notice.cause).where(Notice.cause.in_(causes[start : start + _PORTION])))
        known |= {by_cause[cause] for cause in found}
    return known & wanted.keys()


def _draft_accounts(session: Session, actor: Actor, wanted: Mapping[AccountKey, tuple[str, date | None]], on: date) -> Drafted:
    known = _known_accounts(session, wanted)
    accounts = sorted(wanted.keys() - known)
    if not accounts:
        return Drafted((), len(known))
    buyer_ids = sorted({buyer_id for buyer_id, _ in accounts})
    standings, ends = load_standings(accounts, on), ExtensionEnds.load(buyer_ids, on)
    demands = _last_demands(session, buyer_ids, on)
    contacts = contacts_of(session, [policy_id for _, policy_id in accounts])
    languages = {policy_id: choose_language([contact.language]) for policy_id, contact in contacts.items()}
    made: list[tuple[Notice, tuple[NoticeLine, ...]]] = []
    for account in accounts:
        lines = state_lines(standings[account])
        if not lines:
            continue
        oldest_due_on, extension_end_on = ends.of_oldest(account, lines)
        particulars = Particulars(oldest_due_on=oldest_due_on, extension_end_on=extension_end_on, last_demand_on=demands.get(account))
        cause, deadline_on = wanted[account]
        new = NewNotice(kind=NoticeKind.NON_PAYMENT, buyer_id=account[0], policy_id=account[1])
        language = languages.get(account[1], "en")
        made.append((_row(session, actor, new, account, particulars, on, cause, deadline_on, language), lines))
    session.add_all(notice for notice, _ in made)
    session.flush()
    session.add_all(row_of(notice.id, line) for notice, lines in made for line in lines)
    session.flush()
    if len(made) == 1:
        journal.record(session, actor, "notice.drafted", subject_of(session, made[0][0]), after=picture(made[0][0]))
    elif made:
        keys = [notice.id for notice, _ in made]
        subject = Subject("notice", None, f"{len(keys)} notices")
        journal.record(session, actor, "notice.drafted", subject, after={"count": len(keys), "notices": keys})
    return Drafted(tuple(notice.id for notice, _ in made), len(known), len(accounts) - len(made))


def _most_urgent(session: Session, notice_ids: Sequence[int]) -> list[Notice]:
    """The drafts to be told of, nearest deadline first: nobody reads more than so many, and the list shows them all."""
    found: list[Notice] = []
    for start in range(0, len(notice_ids), _PORTION):
        found += session.scalars(select(Notice).where(Notice.id.in_(notice_ids[start : start + _PORTION]))).all()
    return sorted(found, key=lambda notice: (notice.deadline_on or date.max, notice.id))[:MOST_TOLD]


def _tell(session: Session, notice_ids: Sequence[int]) -> None:
    """Tell those who may approve of each new draft; of very many those with the nearest deadlines."""
    people = telling.who_may(session, Permission.APPROVE_NOTICES) if notice_ids else []
    if not people:
        return
    for notice in _most_urgent(session, notice_ids):
        buyer, _policy = account_of(session, notice)
        telling.tell(
            session,
            people,
            NoticeToPerson.NOTIFICATION_TO_APPROVE,
            f"notice/{notice.id}/approve",
            facts={"buyer": buyer.legal_name, "deadline_on": notice.deadline_on},
            address=f"/notices/{notice.id}",
            buyer_id=buyer.id,
        )

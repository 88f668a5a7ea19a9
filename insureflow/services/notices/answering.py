"""What the insurer answered to a paper, with its evidence, and what follows from it for cover."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from insureflow.domain.access import Permission
from insureflow.domain.errors import InvalidValue
from insureflow.domain.messages import NoticeToPerson
from insureflow.domain.notices import NoticeAction, ReplyOutcome
from insureflow.domain.webhooks import WebhookEvent
from insureflow.models.notices import Notice
from insureflow.services import files, journal, telling, webhooks
from insureflow.services.files import NewEvidence
from insureflow.services.journal import Actor
from insureflow.services.notices import effects
from insureflow.services.notices.keeping import account_of, get_notice, move, subject_of
from insureflow.services.transaction import transaction

#: What a link of evidence calls a paper.
EVIDENCE_KIND = "notice"

#: Called in the unit of work of an answer, for features whose own thing waits for it: a payment plan, a block.
ON_ANSWER: list[Callable[[Session, Actor, Notice, date], None]] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the insurer said, and when."""

    outcome: ReplyOutcome
    on: date
    note: str = ""
    evidence: NewEvidence | None = None


def answer(actor: Actor, organisation_id: int, notice_id: int, said: Answer, today: date) -> Notice:
    """Record an answer. A later one takes the place of the earlier, with what that did to cover; the journal keeps both.

    Errors: ``notice_unknown``, ``notice_cannot``, ``notice_replied_before_sent``, ``in_the_future``, and those of evidence.
    """
    with transaction(organisation_id) as session:
        notice = get_notice(session, notice_id)
        move(notice, NoticeAction.ANSWER)
        if said.on > today:
            raise InvalidValue("in_the_future", "replied_on", said.on, today=today)
        if notice.sent_on is not None and said.on < notice.sent_on:
            raise InvalidValue("notice_replied_before_sent", "replied_on", said.on, on=said.on, sent=notice.sent_on)
        before = None if notice.reply is None else {"reply_outcome": notice.reply_outcome, "replied_on": notice.replied_on}
        effects.take_back(session, actor, (notice.reply or {}).get("act_ids", ()), "another answer of the insurer", today)
        note = said.note.strip()[:1000]
        evidence = []
        if said.evidence is not None:
            file = files.keep(session, actor, said.evidence, buyer_id=notice.buyer_id)
            files.link(session, actor, file, EVIDENCE_KIND, notice.id)
            evidence.append(file.id)
        act_ids = effects.when_answered(session, actor, notice, said.outcome, said.on, today, note)
        notice.reply_outcome, notice.replied_on = said.outcome, said.on
        notice.reply = {"note": note, "act_ids": act_ids, "evidence": evidence}
        session.flush()
        after = {"reply_outcome": said.outcome, "replied_on": said.on, "note": note}
        journal.record(session, actor, "notice.answered", subject_of(session, notice), before=before, after=after)
        for told in ON_ANSWER:
            told(session, actor, notice, today)
        webhooks.announce(
            session,
            WebhookEvent.NOTICE_ANSWERED,
            f"notice/{notice.id}/answered/{said.on.isoformat()}/{said.outcome.value}",
            {
                "notice": notice.id,
                "kind": notice.kind.value,
                "buyer": notice.buyer_id,
                "policy": notice.policy_id,
                "outcome": said.outcome.value,
                "replied_on": said.on.isoformat(),
            },
        )
        _tell(session, notice)
        return notice


def _tell(session: Session, notice: Notice) -> None:
    buyer, _policy = account_of(session, notice)
    assert notice.reply_outcome is not None
    assert notice.replied_on is not None
    telling.tell(
        session,
        telling.who_may(session, Permission.APPROVE_NOTICES),
        NoticeToPerson.NOTIFICATION_ANSWERED,
        f"notice/{notice.id}/answer/{notice.replied_on.isoformat()}/{notice.reply_outcome.value}",
        facts={"buyer": buyer.legal_name, "outcome": notice.reply_outcome},
        address=f"/notices/{notice.id}",
        buyer_id=buyer.id,
    )

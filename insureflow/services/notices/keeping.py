"""Papers for the insurer as they are kept: found and held, their lines read and written, how the journal names them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from insureflow.domain.errors import Refusal
from insureflow.domain.notices import (
    NoticeAction,
    NoticeLine,
    Particulars,
    next_notice_state,
    parse_particulars,
    particulars_to_mapping,
)
from insureflow.models.buyers import Buyer
from insureflow.models.documents import PolicyContact
from insureflow.models.notices import Notice, NoticeInvoice
from insureflow.models.policies import Policy
from insureflow.queries.notices.showing import line_of
from insureflow.services.journal import Subject

#: What an address at the insurer is for that takes papers.
PURPOSE = "notices"


def get_notice(session: Session, notice_id: int) -> Notice:
    """A paper, held until the unit of work ends, so that one person at a time decides on it. Errors: ``notice_unknown``."""
    notice = session.scalar(select(Notice).where(Notice.id == notice_id).with_for_update().execution_options(populate_existing=True))
    if notice is None:
        raise Refusal("notice_unknown", notice=str(notice_id))
    return notice


def move(notice: Notice, action: NoticeAction) -> None:
    """Bring a paper to its next state. Errors: ``notice_cannot``."""
    notice.state = next_notice_state(notice.state, action)


def account_of(session: Session, notice: Notice) -> tuple[Buyer, Policy]:
    """The buyer and the policy of a paper."""
    return (
        session.scalars(select(Buyer).where(Buyer.id == notice.buyer_id)).one(),
        session.scalars(select(Policy).where(Policy.id == notice.policy_id)).one(),
    )


def subject_of(session: Session, notice: Notice) -> Subject:
    """How the journal names a paper."""
    buyer, policy = account_of(session, notice)
    return Subject("notice", notice.id, f"{buyer.legal_name} / {policy.number}")


def contact_of(session: Session, policy_id: int) -> PolicyContact | None:
    """Where papers for the insurer of a policy go; None where nobody said."""
    return session.scalar(select(PolicyContact).where(PolicyContact.policy_id == policy_id, PolicyContact.purpose == PURPOSE))


def contacts_of(session: Session, policy_ids: Collection[int]) -> dict[int, PolicyContact]:
    """Where papers for the insurers of policies go, by policy."""
    statement = select(PolicyContact).where(PolicyContact.policy_id.in_(sorted(set(policy_ids))), PolicyContact.purpose == PURPOSE)
    return {contact.policy_id: contact for contact in session.scalars(statement)}


def particulars_of(notice: Notice) -> Particulars:
    """What a paper says besides its invoices."""
    return parse_particulars(notice.facts.get("particulars", {}))


def put_particulars(notice: Notice, particulars: Particulars) -> None:
    """Keep what a paper says besides its invoices."""
    notice.facts = {**notice.facts, "particulars": particulars_to_mapping(particulars)}


def lines_of(session: Session, notice_id: int) -> tuple[NoticeLine, ...]:
    """The invoices of a paper, oldest due date first."""
    rows = session.scalars(
        select(NoticeInvoice)
        .where(NoticeInvoice.notice_id == notice_id)
        .order_by(NoticeInvoice.original_due_on, NoticeInvoice.entity_code, NoticeInvoice.number)
    )
    return tuple(line_of(row) for row in rows)


def row_of(notice_id: int, line: NoticeLine) -> NoticeInvoice:
    """A line as it is kept."""
    return NoticeInvoice(
        notice_id=notice_id,
        invoice_id=line.invoice_id,
        entity_code=line.entity_code,
        number=line.number,
        currency=line.currency,
        invoice_on=line.invoice_on,
        shipment_on=line.shipment_on,
        original_due_on=line.original_due_on,
        due_on=line.due_on,
        new_due_on=line.new_due_on,
        gross_minor=line.gross,
        open_minor=line.open,
        insured_minor=line.insured,
        disputed_minor=line.disputed,
        uninsured_reason=line.uninsured_reason,
    )


def put_lines(session: Session, notice_id: int, lines: Iterable[NoticeLine]) -> None:
    """Let a paper state these invoices and no others."""
    session.execute(delete(NoticeInvoice).where(NoticeInvoice.notice_id == notice_id))
    session.add_all(row_of(notice_id, line) for line in lines)
    session.flush()


def picture(notice: Notice) -> dict[str, Any]:
    """A paper as the journal keeps it."""
    whole: dict[str, Any] = {
        "kind": notice.kind,
        "policy_id": notice.policy_id,
        "buyer_id": notice.buyer_id,
        "state": notice.state,
        "as_of": notice.as_of,
        "deadline_on": notice.deadline_on,
        "language": notice.language,
        "reason": notice.reason,
        "comment": notice.comment,
        "channel": notice.channel,
        "sent_on": notice.sent_on,
        "reply_outcome": notice.reply_outcome,
        "replied_on": notice.replied_on,
        **notice.facts.get("particulars", {}),
    }
    return {name: value for name, value in whole.items() if value not in (None, "")}


def invoice_ids(lines: Iterable[NoticeLine], on: date) -> tuple[int, ...]:
    """The keys of the invoices of a paper that are overdue on a day and still in the ledger."""
    return tuple(sorted(line.invoice_id for line in lines if line.invoice_id is not None and line.is_overdue(on)))

"""What a twin has of overdues: papers, contacts, mail, other systems that are told, reminders, promises, calls."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from insureflow.domain.blocks import ExceptionReason
from insureflow.domain.dunning import ContactKind, DunningLevel, LetterChannel, LetterState
from insureflow.domain.messages import DeliveryState, Digest, MessageState, NoticeToPerson
from insureflow.domain.notices import Channel, NoticeKind, NoticeState, ReasonForNonPayment
from insureflow.domain.payment_plans import PlanState
from insureflow.models.blocks import BlockException, ManualBlock
from insureflow.models.cover import ObligationMark, ObligationOwner
from insureflow.models.documents import BuyerContact, EvidenceLink, IssuedDocument, Letterhead, PolicyContact
from insureflow.models.dunning import ContactNote, DunningHold, DunningLetter, DunningLetterInvoice, DunningRule, PromiseToPay
from insureflow.models.limit_requests import EvidenceFile
from insureflow.models.limits import AccountAct, LimitDecision
from insureflow.models.messages import CalendarFeed, Message, TellingSetting, Told, WebhookDelivery, WebhookEndpoint
from insureflow.models.notices import Notice, NoticeDispatch, NoticeInvoice
from insureflow.models.payment_plans import PaymentPlan, PlanInstalment, PlanInvoice
from insureflow.models.receivables import Dispute, Invoice
from insureflow.services import issued_documents
from insureflow.services.clock import now
from insureflow.services.journal import Actor

#: Texts that are codes, keys or sums of files: the mark has no place in them.
CODES = frozenset(
    {
        "issued_document.number", "issued_document.kind", "issued_document.language", "issued_document.media_type",
        "issued_document.sha256", "buyer_contact.language", "policy_contact.language", "policy_contact.purpose", "message.kind",
        "message.language", "message.sha256", "webhook_delivery.event", "webhook_endpoint.secret", "dunning_letter.language",
        "calendar_feed.token_sha256", "obligation_owner.kind", "notice.language", "notice_dispatch.sha256", "notice_invoice.uninsured_reason", "evidence_link.subject_kind",
    }
)  # fmt: skip


def fill_documents(session: Session, organisation_id: int, mark: str, *, buyer_id: int, entity_id: int, policy_id: int, actor: Actor, on: date) -> IssuedDocument:  # fmt: skip
    """A paper, and who writes and is written to."""
    session.add_all(
        [
            Letterhead(
                entity_id=entity_id, address=f"{mark} street", contact=f"{mark} clerk", phone=f"{mark} 1", email=f"{mark}@seller.example",
                registration=f"{mark} reg", tax_number=f"{mark} tax", bank_name=f"{mark} bank", bank_account=f"{mark} account", bank_code=f"{mark}BIC", footer=f"{mark} footer",
            ),
            BuyerContact(
                buyer_id=buyer_id, name=f"{mark} person", role=f"{mark} role", email=f"{mark}@buyer.example", phone=f"{mark} 2", language="de",
                created_at=now(),
            ),
            PolicyContact(
                policy_id=policy_id, purpose="notices", name=f"{mark} desk", address=f"{mark} road", email=f"{mark}@insurer.example",
                language="en", portal=f"https://portal.example/{mark}",
            ),
        ]
    )  # fmt: skip
    return issued_documents.issue(
        session,
        actor,
        kind="reminder",
        language="de",
        dated_on=on,
        facts={"buyer": mark},
        name=f"{mark}-reminder.pdf",
        content=f"%PDF-1.4 {mark}".encode(),
        entity_id=entity_id,
        buyer_id=buyer_id,
        policy_id=policy_id,
    )


def fill_messages(session: Session, mark: str, *, buyer_id: int, document: IssuedDocument) -> Message:
    """A message that came back, and another system that could not be reached."""
    message = Message(
        cause=f"{mark}:letter:1", kind="dunning_letter", buyer_id=buyer_id, recipients=[f"{mark}@buyer.example"], copies=[f"{mark}@copy.example"],
        reply_to=f"{mark}@seller.example", language="de", subject=f"{mark} subject", body=f"{mark} body", documents=[document.id],
        state=MessageState.BOUNCED, attempts=1, next_attempt_at=now(), message_id=f"<{mark}.1@seller.example>", sha256="0" * 64,
        last_error={"code": "mail_refused", "parameters": {"reply": mark}}, bounce={"reply": mark}, created_at=now(), sent_at=now(), bounced_at=now(),
    )  # fmt: skip
    endpoint = WebhookEndpoint(url=f"https://{mark.lower()}.example/hook", secret="sealed", events=["letter.sent"], created_at=now())
    session.add_all([message, endpoint])
    session.flush()
    session.add(
        WebhookDelivery(
            endpoint_id=endpoint.id, event="letter.sent", event_id=f"{mark}-1", payload={"buyer": mark}, state=DeliveryState.FAILED, attempts=3,
            next_attempt_at=now(), status=500, last_error=f"{mark} is down", created_at=now(),
        )
    )  # fmt: skip
    return message


def fill_telling(session: Session, mark: str, *, buyer_id: int, policy_id: int, user_id: int, on: date) -> None:
    """What a person was told, how they want to be told, their calendar feed, and a duty they look after."""
    duty = {"policy_id": policy_id, "buyer_id": buyer_id, "kind": "notify_overdue", "due_on": on}
    session.add_all(
        [
            Told(
                user_id=user_id, kind=NoticeToPerson.DUTY_TODAY, cause=f"{mark}:duty", buyer_id=buyer_id,
                facts={"buyer": mark, "duty": "notify_overdue", "due_on": on.isoformat(), "days": 0}, address=f"/{mark}", created_at=now(),
            ),
            TellingSetting(user_id=user_id, digest=Digest.OFF, days_before=[15, 5, 0], only_own=False),
            CalendarFeed(user_id=user_id, token_sha256=hashlib.sha256(mark.encode()).hexdigest(), created_at=now()),
            ObligationOwner(**duty, user_id=user_id),
        ]
    )  # fmt: skip
    session.flush()


def fill_blocks(session: Session, mark: str, *, buyer_id: int, entity_id: int, on: date) -> None:
    """An invoice that does not count, and a block set by hand."""
    session.add_all(
        [
            BlockException(
                entity_id=entity_id, buyer_id=buyer_id, invoice_number=f"{mark}-8", reason=ExceptionReason.ONE_OFF, note=f"{mark} mishap",
                from_on=on, created_at=now(),
            ),
            ManualBlock(buyer_id=buyer_id, reason=f"{mark} blocked", from_on=on, lifted_note=f"{mark} lifted", lifted_on=on, created_at=now()),
        ]
    )  # fmt: skip
    session.flush()


def fill_dunning(session: Session, mark: str, seed: int, *, buyer_id: int, entity_id: int, document: IssuedDocument, message: Message, actor: Actor, on: date) -> None:  # fmt: skip
    """A rule, a letter with an invoice, a hold, a promise and a call."""
    invoice = session.scalars(sa.select(Invoice).where(Invoice.buyer_id == buyer_id, Invoice.open_minor > 0).order_by(Invoice.id)).first()
    assert invoice is not None
    letter = DunningLetter(
        cause=f"{mark}:reminder_1", entity_id=entity_id, buyer_id=buyer_id, level=DunningLevel.REMINDER_1, state=LetterState.PROPOSED, as_of=on,
        currency="EUR", total_minor=seed + 51, interest_minor=0, language="de", channel=LetterChannel.EMAIL, document_id=document.id,
        message_id=message.id, reason=f"{mark} reason", created_at=now(),
    )  # fmt: skip
    rule = DunningRule(
        buyer_id=buyer_id,
        effective_on=date(2026, 1, 1),
        data={"levels": [{"level": "reminder_1", "days": 7}]},
        note=f"{mark} note",
        created_at=now(),
    )
    session.add_all([letter, rule])
    session.flush()
    session.add_all(
        [
            DunningLetterInvoice(letter_id=letter.id, invoice_id=invoice.id, number=f"{mark}-9", due_on=invoice.due_on, open_minor=seed + 51),
            DunningHold(
                buyer_id=buyer_id, entity_code=f"{mark}1", invoice_number=f"{mark}-9", reason=f"{mark} hold", from_on=on, until_on=on + timedelta(days=9),
                created_at=now(), created_by_id=actor.user_id,
            ),
            PromiseToPay(
                buyer_id=buyer_id, amount_minor=seed + 52, currency="EUR", made_on=on, promised_for=on + timedelta(days=5), by_whom=f"{mark} person",
                invoices=[f"{mark}-9"], note=f"{mark} promise", created_at=now(), created_by_id=actor.user_id,
            ),
            ContactNote(
                buyer_id=buyer_id, kind=ContactKind.CALL, happened_on=on, with_whom=f"{mark} person", text=f"{mark} call",
                follow_up_on=on + timedelta(days=5), created_at=now(), created_by_id=actor.user_id,
            ),
        ]
    )  # fmt: skip


def fill_notices(session: Session, mark: str, seed: int, *, buyer_id: int, policy_id: int, document: IssuedDocument, message: Message, actor: Actor, on: date) -> None:  # fmt: skip
    """A notice to the insurer that was sent and answered, with its invoice, its dispatch and a file that shows it."""
    notice = Notice(
        cause=f"{mark}/notice/1", kind=NoticeKind.NON_PAYMENT, policy_id=policy_id, buyer_id=buyer_id, state=NoticeState.DRAFT, as_of=on,
        deadline_on=on + timedelta(days=9), language="en", reason=ReasonForNonPayment.CASH_FLOW, comment=f"{mark} comment",
        facts={"particulars": {"dispute": f"{mark} dispute"}}, document_id=document.id, created_at=now(), created_by_id=actor.user_id,
        reply={"note": f"{mark} reply", "act_ids": [], "evidence": []},
    )  # fmt: skip
    session.add(notice)
    session.flush()
    file = session.scalars(sa.select(EvidenceFile).order_by(EvidenceFile.id)).first()
    assert file is not None
    session.add_all(
        [
            NoticeInvoice(
                notice_id=notice.id, entity_code=f"{mark}1", number=f"{mark}-9", currency="EUR", invoice_on=on, shipment_on=on, original_due_on=on,
                due_on=on, gross_minor=seed + 61, open_minor=seed + 61, insured_minor=seed + 61, disputed_minor=0,
            ),
            NoticeDispatch(
                notice_id=notice.id, channel=Channel.EMAIL, at=now(), by_id=actor.user_id, on=on, recipient=f"{mark}@insurer.example",
                sha256="0" * 64, protocol_number=f"{mark}-P1", message_id=message.id, details={"note": mark},
            ),
        ]
    )  # fmt: skip
    proven = [("notice", notice.id)]
    for kind, table in (("obligation_mark", ObligationMark), ("dispute", Dispute), ("account_act", AccountAct)):
        proven.append((kind, session.scalars(sa.select(table.id).order_by(table.id).limit(1)).one()))
    session.add_all(
        EvidenceLink(evidence_id=file.id, subject_kind=kind, subject_id=key, created_at=now(), created_by_id=actor.user_id)
        for kind, key in proven
    )
    file.decision_id = session.scalars(sa.select(LimitDecision.id).order_by(LimitDecision.id).limit(1)).one()
    session.flush()


def fill_plans(session: Session, mark: str, seed: int, *, buyer_id: int, entity_id: int, policy_id: int, actor: Actor, on: date) -> None:
    """A plan that was drawn up, with its invoice and two instalments."""
    invoice = session.scalars(sa.select(Invoice).where(Invoice.buyer_id == buyer_id, Invoice.open_minor > 0).order_by(Invoice.id)).first()
    assert invoice is not None
    notice = session.scalars(sa.select(Notice).where(Notice.buyer_id == buyer_id).order_by(Notice.id)).first()
    assert notice is not None
    plan = PaymentPlan(
        entity_id=entity_id, buyer_id=buyer_id, policy_id=policy_id, state=PlanState.DRAFT, currency="EUR", proposed_on=on,
        interest=f"{mark} interest", note=f"{mark} note", notice_id=notice.id, created_at=now(), created_by_id=actor.user_id,
    )  # fmt: skip
    session.add(plan)
    session.flush()
    halves = ((1, 30, seed + 71), (2, 60, seed + 72))
    session.add_all(
        [
            PlanInvoice(
                plan_id=plan.id, invoice_id=invoice.id, number=f"{mark}-9", original_due_on=invoice.original_due_on, amount_minor=2 * seed + 143
            ),
            *(PlanInstalment(plan_id=plan.id, number=number, due_on=on + timedelta(days=days), amount_minor=amount) for number, days, amount in halves),
        ]
    )  # fmt: skip
    session.flush()

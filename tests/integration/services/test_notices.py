"""Papers for the insurer through their life: drafted by duty, approved once, sent with proof, answered, and what cover makes of it."""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import event, func, inspect, select
from support.accounts import TODAY, add_invoice, fresh_session, within
from support.mail_server import delivery_report, mail_server, use_mail
from support.notices import DEADLINE, OLD, duty_status, invoice_id, make_overdue_account

from insureflow.domain.buyers import BuyerStatus
from insureflow.domain.errors import InvalidValue, Refusal
from insureflow.domain.limits import AccountActKind
from insureflow.domain.messages import MessageAction, MessageState
from insureflow.domain.money import Money
from insureflow.domain.notices import (
    Administrator,
    AdverseKind,
    Channel,
    NoticeCheck,
    NoticeKind,
    NoticeState,
    Particulars,
    PlanLine,
    ProceedingKind,
    ReasonForNonPayment,
    ReplyOutcome,
)
from insureflow.domain.obligations import ObligationKind
from insureflow.models.buyers import Buyer
from insureflow.models.cover import InvoicePosition, Obligation, ObligationMark
from insureflow.models.database import db
from insureflow.models.documents import IssuedDocument
from insureflow.models.journal import JournalEntry
from insureflow.models.limits import AccountAct
from insureflow.models.messages import Message, Told
from insureflow.models.notices import Notice, NoticeDispatch, NoticeInvoice
from insureflow.models.receivables import Invoice
from insureflow.queries.listing import Narrowing
from insureflow.queries.notices.listing import count_by_state, notices_listing
from insureflow.queries.notices.showing import find_notice, proof_of
from insureflow.queries.obligations.calendar import CalendarStatus
from insureflow.services import cover, messages, notices
from insureflow.services.clock import now
from insureflow.services.files import NewEvidence
from insureflow.services.issued_documents import read
from insureflow.services.journal import Actor
from insureflow.services.messages.hooks import announce, move
from insureflow.services.notices import Answer, Changes, Lodging, NewNotice, Sending
from insureflow.services.transaction import transaction


def test_a_notification_from_the_duty_to_the_insurers_consent(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    account = make_overdue_account(app)
    actor, org, buyer = account.tenant.actor(), account.organisation_id, account.buyer_id
    with app.app_context(), within(org):
        session = fresh_session(account)
        assert duty_status(buyer)["OLD-0"] is CalendarStatus.DUE_SOON
        made = notices.draft_due(org, TODAY)
        assert len(made.notice_ids) == 1
        key = made.notice_ids[0]
        # Nothing is drafted twice.
        assert notices.draft_due(org, TODAY).notice_ids == ()
        assert notices.draft(actor, org, NewNotice(kind=NoticeKind.NON_PAYMENT, buyer_id=buyer), TODAY).id == key
        view = find_notice(key)
        assert view is not None
        assert view.notice.deadline_on == DEADLINE
        assert [(line.number, line.open, line.insured, line.uninsured_reason) for line in view.lines] == [
            ("OLD-0", 1_000_000, 900_000, "over_limit"),
            ("NEW-0", 200_000, 0, view.lines[1].uninsured_reason),
        ]
        assert (view.totals[0].overdue, view.totals[0].not_due, view.totals[0].open) == (1_000_000, 200_000, 1_200_000)
        assert view.particulars.extension_end_on == date(2026, 6, 3)
        told = session.scalar(select(func.count()).select_from(Told)) or 0
        assert told == 2  # the administrator and the claims handler; a clerk may not approve
        assert set(notices.checks_of(session, view.notice, TODAY)) == {NoticeCheck.REASON_MISSING}
        late = notices.checks_of(session, view.notice, DEADLINE + timedelta(days=1))
        assert NoticeCheck.DEADLINE_PASSED in late
        notices.change(actor, org, key, Changes(reason=ReasonForNonPayment.CASH_FLOW, comment="They wait for a customer."))
        with pytest.raises(Refusal, match="notice_cannot"):
            notices.answer(actor, org, key, Answer(outcome=ReplyOutcome.RECEIVED, on=TODAY), TODAY)

        approved = notices.approve(actor, org, key, TODAY)
        document = session.get_one(IssuedDocument, approved.document_id)
        assert read(org, document.id).content.startswith(b"%PDF")
        assert document.facts["invoices"][0]["number"] == "OLD-0"
        # Two people at once: the second finds it done.
        with pytest.raises(Refusal, match="notice_cannot"):
            notices.approve(actor, org, key, TODAY)

        notices.send(actor, org, key, Sending(channel=Channel.EMAIL), TODAY)
        message = session.scalars(select(Message)).one()
        assert (message.recipients, message.documents, message.buyer_id) == (["overdues@insurer.example"], [document.id], buyer)
        assert duty_status(buyer)["OLD-0"] is CalendarStatus.DUE_SOON  # handed over is not sent
        with pytest.raises(Refusal, match="notice_cannot"):
            notices.send(actor, org, key, Sending(channel=Channel.EMAIL), TODAY)
        with mail_server() as mailbox:
            use_mail(app, monkeypatch, f"smtp://127.0.0.1:{mailbox.port}")
            assert messages.deliver_due(org).sent == 1
            assert messages.deliver_due(org).sent == 0
            (letter,) = mailbox.messages()
        (paper,) = letter.iter_attachments()
        assert hashlib.sha256(paper.get_content()).hexdigest() == document.sha256
        session.expire_all()
        notice = session.get_one(Notice, key)
        assert notice.state is NoticeState.SENT
        assert duty_status(buyer, notice.sent_on)["OLD-0"] in {CalendarStatus.DONE, CalendarStatus.DONE_LATE}
        act = session.scalars(select(AccountAct).where(AccountAct.kind == AccountActKind.OVERDUE_NOTIFICATION)).one()
        assert invoice_id(session, "OLD-0") in act.data["invoices"]

        # It came back: the duty is open again, and somebody is told.
        report = delivery_report(message_id=message.message_id, recipient="overdues@insurer.example")
        assert messages.record_bounce(actor, org, report).is_bounced
        session.expire_all()
        assert session.get_one(Notice, key).state is NoticeState.FAILED
        assert duty_status(buyer)["OLD-0"] is CalendarStatus.DUE_SOON
        assert (
            session.scalar(select(func.count()).select_from(AccountAct).where(AccountAct.kind == AccountActKind.OVERDUE_NOTIFICATION)) == 0
        )
        assert notices.draft_due(org, TODAY).notice_ids == ()

        # The portal takes it instead, with its number as proof.
        with pytest.raises(Refusal, match="notice_protocol_needed"):
            notices.send(actor, org, key, Sending(channel=Channel.PORTAL), TODAY)
        for channel, code in ((Channel.CONNECTION, "notice_connection_not_offered"),):
            with pytest.raises(Refusal, match=code):
                notices.send(actor, org, key, Sending(channel=channel), TODAY)
        receipt = NewEvidence("receipt.pdf", io.BytesIO(b"%PDF-1.4\n%%EOF\n"))
        portal = Sending(channel=Channel.PORTAL, protocol_number="AT-2026-4711", on=TODAY, evidence=receipt)
        notices.send(actor, org, key, portal, TODAY)
        assert duty_status(buyer)["OLD-0"] is CalendarStatus.DONE
        said = Answer(outcome=ReplyOutcome.CONSENTED, on=TODAY, note="Go on delivering.")
        notices.answer(actor, org, key, said, TODAY)
        assert session.scalar(select(func.count()).select_from(AccountAct).where(AccountAct.kind == AccountActKind.CONSENT)) == 1
        notices.answer(actor, org, key, Answer(outcome=ReplyOutcome.REFUSED, on=TODAY), TODAY)
        assert session.scalar(select(func.count()).select_from(AccountAct).where(AccountAct.kind == AccountActKind.CONSENT)) == 0

        whole = find_notice(key)
        assert whole is not None
        proof = proof_of(whole, now())
        assert proof["notice"]["in_time"] is True
        assert proof["document"]["sha256"] == document.sha256
        assert [(each["channel"], each["delivered"]) for each in proof["dispatches"]] == [(Channel.EMAIL, False), (Channel.PORTAL, True)]
        assert proof["dispatches"][0]["message"]["state"] is MessageState.BOUNCED
        assert proof["dispatches"][1]["protocol_number"] == "AT-2026-4711"
        assert [file["name"] for file in proof["evidence"]] == ["receipt.pdf"]
        actions = [entry["action"] for entry in proof["journal"]]
        assert actions == [
            "notice.drafted", "notice.changed", "notice.approved", "notice.handed_over", "notice.sent", "notice.failed", "notice.sent",
            "notice.answered", "notice.answered",
        ]  # fmt: skip


def test_many_at_once_and_what_is_wrong_with_one_keeps_no_other_back(app: Flask) -> None:
    account = make_overdue_account(app, buyers=3)
    actor, org = account.tenant.actor(), account.organisation_id
    with app.app_context(), within(org):
        session = fresh_session(account)
        made = notices.draft_due(org, TODAY)
        assert len(made.notice_ids) == 3
        assert notices.draft_notifications(actor, org, [account.buyer_id], TODAY).known == 1
        first, *_others = made.notice_ids
        notices.cancel(actor, org, first, "paid by cheque")
        assert notices.draft_due(org, TODAY).notice_ids == ()  # whoever cancelled it meant it
        outcome = notices.do_many(actor, org, "approve_notices", made.notice_ids, TODAY)
        assert isinstance(outcome, notices.Outcome)
        assert (outcome.done, [problem.code for problem in outcome.problems]) == (2, ["notice_cannot"])
        sent = notices.do_many(actor, org, "send_notices", made.notice_ids, TODAY)
        assert isinstance(sent, notices.Outcome)
        assert (sent.done, session.scalar(select(func.count()).select_from(Message))) == (2, 2)
        # By hand one can be drafted again after it was cancelled.
        again = notices.draft(actor, org, NewNotice(kind=NoticeKind.NON_PAYMENT, buyer_id=account.buyer_id), TODAY)
        assert again.id not in made.notice_ids
        notices.cancel(actor, org, again.id, "not like this")
        assert len(notices.draft_notifications(actor, org, [account.buyer_id], TODAY).notice_ids) == 1  # nor does it take another day
        # The list counts what the scope holds, and adds up each currency that papers state, not that alone which a row shows.
        policy_id = again.policy_id
        counts = [count_by_state([NoticeState.CANCELLED], policy_id=each) for each in (None, policy_id, policy_id + 1)]
        assert counts == [2, 2, 0]
        with transaction(org) as working:
            line = working.scalars(select(NoticeInvoice).where(NoticeInvoice.notice_id == again.id)).first()
            assert line is not None
            values = {
                column.key: getattr(line, column.key) for column in inspect(NoticeInvoice).columns if column.key not in {"id", "currency"}
            }
            working.add(NoticeInvoice(**{**values, "number": "SEK-1", "open_minor": 7, "insured_minor": 5}, currency="SEK"))
        page = notices_listing().page(Narrowing(), None, 1, 50)
        assert (page.total_rows, [each for each in page.totals["open"] if each[1] == "SEK"]) == (5, [(7, "SEK")])
        assert {currency for _minor, currency in page.totals["insured"]} == {"EUR", "SEK"}
        task = notices.do_many(actor, org, "draft_notices", range(1_000, 1_100), TODAY)
        assert isinstance(task, int)


def test_two_hundred_buyers_are_drafted_in_one_pass(app: Flask) -> None:
    account = make_overdue_account(app)
    org = account.organisation_id
    with app.app_context(), within(org):
        session = fresh_session(account)
        key = notices.draft_due(org, TODAY).notice_ids[0]
        with transaction(org) as working:
            buyers = [
                Buyer(legal_name=f"Many {n}", search_name=f"many {n}", country="DE", status=BuyerStatus.ACTIVE, created_at=now())
                for n in range(199)
            ]
            working.add_all(buyers)
            working.flush()
            day = {"invoice_on": OLD, "shipment_on": OLD, "due_on": OLD + timedelta(days=30), "original_due_on": OLD + timedelta(days=30)}
            working.add_all(
                Invoice(
                    entity_id=account.tenant.entity_id, buyer_id=buyer.id, number=f"M-{buyer.id}-{part}", currency="EUR", net_minor=100_000,
                    vat_minor=0, open_minor=100_000, rate=Decimal(1), **day,
                )
                for buyer in [*buyers, session.get_one(Buyer, account.buyer_id)]
                for part in range(2)
            )  # fmt: skip
            working.flush()
            cover.refresh_buyers(working, None, TODAY)
        statements: list[str] = []

        def note(*said: object) -> None:
            statements.append(str(said[2]))

        event.listen(db.engine, "before_cursor_execute", note)
        made = notices.draft_due(org, TODAY + timedelta(days=1), actor=Actor(None, "count"))
        event.remove(db.engine, "before_cursor_execute", note)
        reading = [statement for statement in statements if statement.startswith("SELECT") and "told" not in statement]
        # Names are read to tell people of each draft; everything else is read for all buyers at once.
        assert len([statement for statement in reading if "FROM buyer" not in statement and "FROM policy" not in statement]) < 60
        assert (len(made.notice_ids), made.known, made.renewed) == (199, 1, 1)
        session.expire_all()
        first = find_notice(key)
        assert first is not None
        assert (first.notice.as_of, sum(line.open for line in first.lines)) == (TODAY + timedelta(days=1), 1_400_000)
        # What a person has touched is left alone.
        notices.change(account.tenant.actor(), org, key, Changes(comment="mine"))
        assert notices.draft_due(org, TODAY + timedelta(days=2)).renewed == 0
        assert session.get_one(Notice, key).as_of == TODAY + timedelta(days=1)


def test_a_crash_between_approval_and_sending_leaves_it_approved_and_sends_nothing(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    account = make_overdue_account(app)
    actor, org = account.tenant.actor(), account.organisation_id
    with app.app_context(), within(org):
        session = fresh_session(account)
        key = notices.draft_due(org, TODAY).notice_ids[0]
        notices.approve(actor, org, key, TODAY)

        def die(*_arguments: object, **_more: object) -> None:
            raise MemoryError

        with monkeypatch.context() as patched:
            patched.setattr("insureflow.services.notices.sending.journal.record", die)
            with pytest.raises(MemoryError):
                notices.send(actor, org, key, Sending(channel=Channel.EMAIL), TODAY)
        assert session.get_one(Notice, key).state is NoticeState.APPROVED
        assert session.scalar(select(func.count()).select_from(Message)) == 0
        notices.send(actor, org, key, Sending(channel=Channel.EMAIL), TODAY)
        assert session.scalars(select(Message.cause)).all() == [f"notice/{key}/1"]
        # What a paper said stays when the ledger takes its invoice back.
        with transaction(org) as working:
            invoice = working.scalars(select(Invoice).where(Invoice.number == "NEW-0")).one()
            for model in (InvoicePosition, Obligation):
                for row in working.scalars(select(model).where(model.invoice_id == invoice.id)).all():
                    working.delete(row)
            working.flush()
            working.delete(invoice)
            working.flush()
            cover.refresh_buyers(working, [account.buyer_id], TODAY)
        session.expire_all()
        kept = session.scalars(select(NoticeInvoice).where(NoticeInvoice.number == "NEW-0")).one()
        assert (kept.invoice_id, kept.open_minor) == (None, 200_000)


def test_requests_reports_and_insolvency(app: Flask) -> None:
    account = make_overdue_account(app)
    actor, org, buyer = account.tenant.actor(), account.organisation_id, account.buyer_id
    by_post = Sending(channel=Channel.POST, recipient="Atradius, Amsterdam")
    with app.app_context(), within(org):
        session = fresh_session(account)
        # Within the maximum extension period an extension is free and holds once the insurer was told.
        free, beyond = date(2026, 8, 1), date(2026, 12, 1)
        request = NewNotice(kind=NoticeKind.EXTENSION, buyer_id=buyer, new_due_dates={"NEW-0": free})
        extension = notices.draft(actor, org, request, TODAY)
        notices.approve(actor, org, extension.id, TODAY)
        notices.send(actor, org, extension.id, by_post, TODAY)
        act = session.scalars(select(AccountAct).where(AccountAct.kind == AccountActKind.EXTENSION)).one()
        assert (act.data, act.invoice_id) == ({"new_due_on": "2026-08-01", "consent": False}, invoice_id(session, "NEW-0"))
        # Beyond it nothing holds before the insurer consents.
        request = NewNotice(kind=NoticeKind.EXTENSION, buyer_id=buyer, new_due_dates={"OLD-0": beyond})
        asked = notices.draft(actor, org, request, TODAY)
        assert asked.id != extension.id
        notices.approve(actor, org, asked.id, TODAY)
        notices.send(actor, org, asked.id, by_post, TODAY)
        assert session.scalar(select(func.count()).select_from(AccountAct).where(AccountAct.kind == AccountActKind.EXTENSION)) == 1
        notices.answer(actor, org, asked.id, Answer(outcome=ReplyOutcome.CONSENTED, on=TODAY), TODAY)
        granted = session.scalars(select(AccountAct).where(AccountAct.invoice_id == invoice_id(session, "OLD-0"))).one()
        assert granted.data == {"new_due_on": "2026-12-01", "consent": True}
        with pytest.raises(Refusal, match="notice_invoice_unknown"):
            notices.draft(actor, org, NewNotice(kind=NoticeKind.EXTENSION, buyer_id=buyer, new_due_dates={"X": beyond}), TODAY)

        # A plan that does not add up is kept back; one that does asks for consent once.
        plan = (PlanLine(due_on=date(2026, 9, 1), amount=Money(500_000, "EUR")), PlanLine(due_on=beyond, amount=Money(400_000, "EUR")))
        with transaction(org) as working:
            wanted = {"plan": plan, "plan_invoices": ("OLD-0",), "plan_id": 5}
            paper = notices.request_consent(working, actor, NoticeKind.RESCHEDULING, buyer, account.policy_id, on=TODAY, **wanted)
            again = notices.request_consent(working, actor, NoticeKind.RESCHEDULING, buyer, account.policy_id, on=TODAY, **wanted)
        assert paper.id == again.id
        with pytest.raises(Refusal) as kept_back:
            notices.approve(actor, org, paper.id, TODAY)
        assert kept_back.value.parameters["check"] is NoticeCheck.PLAN_DIFFERS
        whole = (plan[0], PlanLine(due_on=beyond, amount=Money(500_000, "EUR")))
        notices.change(actor, org, paper.id, Changes(particulars=Particulars(plan=whole, plan_invoices=("OLD-0",), plan_id=5)))
        notices.approve(actor, org, paper.id, TODAY)

        news = Particulars(adverse=(AdverseKind.PAYMENT_RETURNED,), known_on=date(2026, 6, 25), source="bank")
        report = notices.draft(actor, org, NewNotice(kind=NoticeKind.ADVERSE_INFORMATION, buyer_id=buyer, particulars=news), TODAY)
        for _ in range(2):  # back to draft and approved again it tells no second piece of news
            notices.approve(actor, org, report.id, TODAY)
            assert (
                session.scalar(select(func.count()).select_from(AccountAct).where(AccountAct.kind == AccountActKind.ADVERSE_INFORMATION))
                == 1
            )
            notices.reopen(actor, org, report.id)
        notices.approve(actor, org, report.id, TODAY)
        duty = ObligationKind.REPORT_ADVERSE_INFORMATION
        assert duty_status(buyer, kind=duty)[None] is CalendarStatus.DUE_SOON
        notices.send(actor, org, report.id, Sending(channel=Channel.EMAIL), TODAY)
        _happens_to(org, report.id, MessageAction.START, MessageAction.ACCEPT)
        assert duty_status(buyer, kind=duty)[None] is CalendarStatus.DONE
        _happens_to(org, report.id, MessageAction.BOUNCE)  # what came back has done nothing
        assert duty_status(buyer, kind=duty)[None] is CalendarStatus.DUE_SOON
        notices.send(actor, org, report.id, by_post, TODAY)
        assert duty_status(buyer, kind=duty)[None] is CalendarStatus.DONE
        done = session.scalars(select(ObligationMark).where(ObligationMark.kind == duty.value)).one()
        # A second report does not change when the first one did the duty.
        more = notices.draft(actor, org, NewNotice(kind=NoticeKind.ADVERSE_INFORMATION, buyer_id=buyer, particulars=news), TODAY)
        later = TODAY + timedelta(days=40)
        notices.approve(actor, org, more.id, TODAY)
        # Its figures are forty days old by then: it goes when somebody says so, or is drafted anew.
        with pytest.raises(InvalidValue, match="notice_figures_old") as refused:
            notices.send(actor, org, more.id, by_post, later)
        assert (refused.value.parameters["as_of"], refused.value.parameters["on"]) == (TODAY, later)
        renewed = notices.renew(actor, org, more.id, later)
        assert (renewed.state, renewed.as_of) == (NoticeState.DRAFT, later)
        notices.renew(actor, org, more.id, TODAY)
        notices.approve(actor, org, more.id, TODAY)
        notices.send(actor, org, more.id, replace(by_post, with_old_figures=True), later)
        session.expire_all()
        assert done.marked_on == TODAY

        facts = Particulars(
            opened_on=date(2026, 6, 28),
            known_on=date(2026, 6, 29),
            proceeding=ProceedingKind.BANKRUPTCY,
            court="Amtsgericht Köln",
            case_number="70 IN 12/26",
            administrator=Administrator(name="Dr. Lang", street="Domplatz 1", postal_code="50667", city="Köln", country="DE"),
        )
        insolvency = notices.draft(actor, org, NewNotice(kind=NoticeKind.INSOLVENCY, buyer_id=buyer, particulars=facts), TODAY)
        notices.approve(actor, org, insolvency.id, TODAY)
        lodged = session.scalars(select(IssuedDocument).where(IssuedDocument.kind == "proof_of_debt")).one()
        assert (lodged.language, lodged.policy_id) == ("de", None)
        assert session.scalar(select(func.count()).select_from(AccountAct).where(AccountAct.kind == AccountActKind.INSOLVENCY)) == 1
        # Back to draft and approved again: the second paper replaces the first, and the insolvency is a fact once.
        first = insolvency.document_id
        notices.reopen(actor, org, insolvency.id)
        add_invoice(account, "OTHER", 100_000, shipped_on=date(2026, 4, 1))
        assert NoticeCheck.LEDGER_MOVED in notices.checks_of(session, session.get_one(Notice, insolvency.id), TODAY)
        notices.renew(actor, org, insolvency.id, TODAY)
        second = notices.approve(actor, org, insolvency.id, TODAY)
        assert session.get_one(IssuedDocument, second.document_id).replaces_id == first
        with pytest.raises(Refusal, match="notice_recipient_needed"):
            _post_nowhere(session, account.policy_id)
            notices.send(actor, org, insolvency.id, Sending(channel=Channel.POST), TODAY)
        # Lodged with the administrator, with what shows it: the duty to file the proof of debt is done by that, on that day.
        said = Lodging(on=TODAY, administrator="Dr. Lang", channel=Channel.POST, evidence=_slip())
        for wrong, code in [
            ({"on": TODAY + timedelta(days=1)}, "in_the_future"),
            ({"on": date(2026, 6, 27)}, "lodged_before_opening"),
            ({"administrator": " "}, "required"),
            ({"channel": Channel.CONNECTION}, "lodging_channel_unknown"),
            ({"evidence": None}, "lodging_evidence_needed"),
        ]:
            with pytest.raises(Refusal, match=code):
                notices.lodge(actor, org, insolvency.id, replace(said, **wrong), TODAY)
        with pytest.raises(Refusal, match="notice_no_proof_of_debt"):
            notices.lodge(actor, org, more.id, said, TODAY)
        kept = notices.lodge(actor, org, insolvency.id, said, TODAY).facts["lodged"]
        proof = session.get_one(IssuedDocument, insolvency.facts["proof_of_debt_id"])
        assert (kept["on"], kept["channel"], kept["document"], kept["sha256"]) == (TODAY.isoformat(), "post", proof.number, proof.sha256)
        mark = session.scalars(select(ObligationMark).where(ObligationMark.kind == ObligationKind.FILE_PROOF_OF_DEBT.value)).one()
        assert (mark.mark, mark.marked_on, "Dr. Lang" in mark.note) == ("done", TODAY, True)
        again = notices.lodge(actor, org, insolvency.id, replace(said, channel=Channel.EMAIL, evidence=_slip()), TODAY)
        assert again.facts["lodged"]["channel"] == "email"
        assert session.scalar(select(func.count()).select_from(JournalEntry).where(JournalEntry.action == "notice.debt_lodged")) == 2
        assert session.scalar(select(func.count()).select_from(NoticeDispatch)) == 5
        assert session.scalar(select(func.count()).select_from(JournalEntry).where(JournalEntry.action == "notice.sent")) == 5


def _slip() -> NewEvidence:
    return NewEvidence("receipt.pdf", io.BytesIO(b"%PDF-1.4 receipt"), TODAY)


def _happens_to(org: int, notice_id: int, *actions: MessageAction) -> None:
    """What happens to the last e-mail of a paper, as the post office writes it down."""
    with transaction(org) as working:
        sent = select(Message).where(Message.cause.startswith(f"notice/{notice_id}/")).order_by(Message.id.desc())
        message = working.scalars(sent).first()
        assert message is not None
        for action in actions:
            move(message, action)
        message.sent_at = datetime.combine(TODAY, time(12), UTC)
        announce(working, message)


def _post_nowhere(session: object, policy_id: int) -> None:
    from insureflow.models.documents import PolicyContact
    from insureflow.models.scope import current_organisation_id

    with transaction(current_organisation_id()) as working:
        contact = working.scalars(select(PolicyContact).where(PolicyContact.policy_id == policy_id)).one()
        contact.address = ""

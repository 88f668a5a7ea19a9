"""One buyer from its first invoice to the insurer's answer: letters in four languages, a broken promise, a dispute, a block, a plan.

The clock goes from day to day, the scheduler's own jobs run, and a real mail server takes what is sent. All figures are worked out by
hand; amounts in comments are euros. Limit 30,000. Maximum extension period 60 days, notification within 30 days of its end.
F-1: 10,000, due 11 February: extension ends 11 Feb + 60 = 12 April, stop from 13 April, notify by 12 April + 30 = 12 May.
F-2:  8,000, due 25 February: extension ends 25 Feb + 60 = 26 April, notify by 26 May.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from email.message import EmailMessage

import pytest
from flask import Flask
from sqlalchemy import select
from support.accounts import Account, make_account, within
from support.days import cover_on, run_jobs, standing_on, told
from support.import_ledgers import Ledger, line
from support.mail_server import Mailbox, mail_server, use_mail
from support.notices import NOTICE_TERMS, duty_status, invoice_id
from support.papers import text_of

from insureflow.documents.forbidden_words import find_insurance_words
from insureflow.domain.access import Role
from insureflow.domain.blocks import BlockSource
from insureflow.domain.contacts import ContactPurpose
from insureflow.domain.dunning import DunningLevel, LetterState, PromiseState
from insureflow.domain.errors import Refusal
from insureflow.domain.limits import AccountActKind
from insureflow.domain.messages import MessageState, NoticeToPerson
from insureflow.domain.money import Money
from insureflow.domain.notices import Channel, NoticeKind, NoticeState, ReasonForNonPayment, ReplyOutcome
from insureflow.domain.obligations import ObligationKind
from insureflow.domain.payment_plans import PlannedInstalment, PlanState
from insureflow.models.database import db
from insureflow.models.documents import BuyerContact
from insureflow.models.dunning import DunningLetter
from insureflow.models.limits import AccountAct
from insureflow.models.messages import Message
from insureflow.models.notices import Notice
from insureflow.models.receivables import Invoice
from insureflow.queries.blocks import find_block
from insureflow.queries.dunning import promise_pictures
from insureflow.queries.notices.showing import find_notice, proof_of
from insureflow.queries.obligations.calendar import CalendarStatus
from insureflow.services import blocks, contacts, cover, dunning, journal, notices, payment_plans, receivables
from insureflow.services.clock import now
from insureflow.services.contacts import ContactDetails, DeskDetails, LetterheadDetails
from insureflow.services.files import NewEvidence
from insureflow.services.limits.decisions import NewDecision, record_decision
from insureflow.services.notices import Answer, Changes, Sending
from insureflow.services.payment_plans import NewPlan

PAPER = b"%PDF-1.4\n%%EOF\n"
NUMBER = "1001"


def day(month: int, number: int) -> date:
    return date(2026, month, number)


@dataclass
class Story:
    """The account, its ledger, and the mailbox in which all mail ends."""

    account: Account
    ledger: Ledger
    mailbox: Mailbox

    @property
    def org(self) -> int:
        return self.account.organisation_id

    @property
    def buyer(self) -> int:
        return self.account.buyer_id

    def invoice(self, number: str, amount: str, on: date, due_on: date) -> None:
        """A row of the ledger, imported on its day."""
        row = line(
            number,
            amount,
            NUMBER,
            customer_name="Müller GmbH",
            document_date=on.isoformat(),
            shipment_date=on.isoformat(),
            due_date=due_on.isoformat(),
        )
        outcome = self.ledger.take(row, on=on)
        assert (outcome.state, outcome.problems) == ("done", ())

    def cover(self, on: date) -> dict[str, tuple[int, int, int, str | None]]:
        """Open, covered, disputed and why not insured, by invoice, as euros."""
        return {
            number: (opened // 100, covered // 100, disputed // 100, why)
            for number, (opened, covered, disputed, why) in cover_on(on).items()
        }

    def duty(self, kind: ObligationKind, on: date) -> dict[str | None, CalendarStatus]:
        """How the duties of the buyer stand."""
        return duty_status(self.buyer, on, kind)


@contextmanager
def begun(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Story]:
    account = make_account(app, terms=NOTICE_TERMS, roles=(Role.ADMINISTRATOR, Role.CLAIMS_HANDLER, Role.RECEIVABLES_CLERK))
    actor, org = account.tenant.actor(), account.organisation_id
    with app.app_context(), mail_server() as mailbox, within(org):
        use_mail(app, monkeypatch, f"smtp://127.0.0.1:{mailbox.port}")
        desk = DeskDetails(name="Overdues", email="overdues@insurer.example", language="en")
        contacts.set_policy_contact(actor, org, account.policy_id, ContactPurpose.NOTICES, desk)
        head = LetterheadDetails(
            address="Hamngatan 1\n111 47 Stockholm",
            contact="Eva Lind",
            email="ar@seller.example",
            bank_account="SE45 5000 0000 0583 9825 7466",
            footer="Registered in Stockholm",
        )
        contacts.set_letterhead(actor, org, account.tenant.entity_id, head)
        contacts.add_contact(actor, org, account.buyer_id, ContactDetails(name="Accounts", email="ap@mueller.example", language="de"))
        yield Story(account, Ledger(account.tenant), mailbox)


def speak(story: Story, language: str) -> None:
    """The buyer's accounts are kept by somebody who reads another language now."""
    contact = db.session.scalars(select(BuyerContact).where(BuyerContact.buyer_id == story.buyer)).one()
    details = ContactDetails(name=contact.name, email=contact.email, language=language)
    contacts.change_contact(story.account.tenant.actor(), story.org, contact.id, details)


def letter_of(story: Story, on: date, level: DunningLevel, language: str) -> str:
    """A letter found by the job, approved by a person, sent, and read at the buyer's: silent about insurance. Gives its text."""
    taken = len(story.mailbox.taken)
    with standing_on(on):
        run_jobs(story.org, on)
        letter = db.session.scalars(select(DunningLetter).where(DunningLetter.state == LetterState.PROPOSED)).one()
        assert letter.level is level
        assert dunning.approve(story.account.tenant.actor(), story.org, [letter.id]) == 1
        run_jobs(story.org, on, ("dunning.issue", "messages.deliver"), at="T10:00")
        db.session.expire_all()
        assert (letter.state, letter.sent_on) == (LetterState.SENT, on)
        assert run_jobs(story.org, on, ("dunning.propose", "dunning.issue", "messages.deliver"), at="T11:00").get("letters_proposed") == 0
    new = story.mailbox.messages()[taken:]
    mail = next(each for each in new if each["To"] == "ap@mueller.example")
    assert len([each for each in new if each["To"] == "ap@mueller.example"]) == 1
    assert mail["Content-Language"] == language
    return silent_text(mail, language)


def silent_text(mail: EmailMessage, language: str) -> str:
    """All words of a mail and of its paper, after a look that none is about insurance."""
    body = mail.get_body(("plain",))
    assert body is not None
    paper = text_of(next(iter(mail.iter_attachments())).get_content())
    assert paper.count("Registered in Stockholm") == 1  # at the foot of the page, and nowhere else
    for text in (str(mail["Subject"]), body.get_content(), paper):
        assert find_insurance_words(text, language) == ()
        for name in ("Atradius", "POL-N1", "30.000", "30 000", "insurer.example"):
            assert name not in text
    return " ".join((str(mail["Subject"]), body.get_content(), paper))


def test_one_buyer_from_the_first_invoice_to_the_insurers_answer(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    with begun(app, monkeypatch) as story:
        sold_within_the_limit(story)
        reminded_in_four_languages(story)
        blocked_by_the_rule_and_by_hand(story)
        notified_in_time_and_answered(story)
        planned_consented_and_broken(story)
        assert cover.check(story.org, day(6, 1)) == []
        assert journal.verify(story.org).faults == ()


def sold_within_the_limit(story: Story) -> None:
    actor = story.account.tenant.actor()
    with standing_on(day(1, 5)):
        record_decision(actor, story.org, NewDecision(story.buyer, story.account.policy_id, 30_000_00, "EUR", day(1, 5)), day(1, 5))
    for number, amount, on, due_on in (("F-1", "10000.00", day(1, 12), day(2, 11)), ("F-2", "8000.00", day(1, 26), day(2, 25))):
        with standing_on(on):
            story.invoice(number, amount, on, due_on)
    # Both fit into 30,000.
    assert story.cover(day(1, 11)) == {}
    assert story.cover(day(1, 30)) == {"F-1": (10_000, 10_000, 0, None), "F-2": (8_000, 8_000, 0, None)}
    # The day after the due date is the day for the first reminder: to do on 12 February, late on the 13th.
    reminder = ObligationKind.SEND_REMINDER
    assert story.duty(reminder, day(2, 4))["F-1"] is CalendarStatus.OPEN
    assert story.duty(reminder, day(2, 12))["F-1"] is CalendarStatus.DUE_SOON
    assert story.duty(reminder, day(2, 13))["F-1"] is CalendarStatus.LATE


def reminded_in_four_languages(story: Story) -> None:
    actor = story.account.tenant.actor()
    # The rule of a house that made none: letters 7, 21, 35 and 50 days after the due date of 11 February.
    with standing_on(day(2, 17)):
        assert run_jobs(story.org, day(2, 17))["letters_proposed"] == 0
    text = letter_of(story, day(2, 18), DunningLevel.REMINDER_1, "de")
    assert "F-1" in text
    assert "10.000,00" in text
    assert "F-2" not in text  # not due before 25 February
    assert story.duty(ObligationKind.SEND_REMINDER, day(2, 18))["F-1"] is CalendarStatus.DONE_LATE

    # They promise 10,000 by 27 February and pay nothing: the promise is broken on the 28th, told once to each.
    with standing_on(day(2, 20)):
        dunning.add_promise(
            actor, story.org, story.buyer, Money(10_000_00, "EUR"), made_on=day(2, 20), promised_for=day(2, 27), invoices=["F-1"]
        )
    assert [each.state for each in promise_pictures(day(2, 27))] == [PromiseState.OPEN]
    assert [each.state for each in promise_pictures(day(2, 28))] == [PromiseState.BROKEN]
    with standing_on(day(2, 27)):
        run_jobs(story.org, day(2, 27))
        assert told(NoticeToPerson.PROMISE_BROKEN) == []
    for on in (day(2, 28), day(3, 1)):
        with standing_on(on):
            run_jobs(story.org, on)
    people = {user_id for user_id, _cause in told(NoticeToPerson.PROMISE_BROKEN)}
    assert (
        len(told(NoticeToPerson.PROMISE_BROKEN)) == len(people) == 2
    )  # the administrator and the clerk; a claims handler sends no letters

    # 4 March: F-1 is 21 days overdue, F-2 seven; one letter of the firmer level asks for 10,000 + 8,000.
    speak(story, "fr")
    text = letter_of(story, day(3, 4), DunningLevel.REMINDER_2, "fr")
    assert "F-1" in text
    assert "F-2" in text
    assert "18 000,00" in text.replace("\u202f", " ").replace("\xa0", " ")

    # 3,000 of F-2 are disputed and set apart: from that day they are not covered, and no letter asks for them.
    with standing_on(day(3, 9)):
        receivables.open_dispute(
            actor,
            story.org,
            invoice_id(db.session(), "F-2"),
            amount_minor=3_000_00,
            opened_on=day(3, 9),
            reason="two pumps leak",
            on=day(3, 9),
        )
    assert story.cover(day(3, 8))["F-2"] == (8_000, 8_000, 0, None)
    assert story.cover(day(3, 9)) == {"F-1": (10_000, 10_000, 0, None), "F-2": (8_000, 5_000, 3_000, None)}
    speak(story, "sv")
    text = letter_of(story, day(3, 18), DunningLevel.REMINDER_3, "sv").replace("\xa0", " ")
    assert "15 000,00" in text
    assert "18 000,00" not in text

    speak(story, "es")
    with standing_on(day(4, 1)):
        # F-2 is 35 days overdue, but has been in a letter of that level already.
        assert run_jobs(story.org, day(4, 1))["letters_proposed"] == 0
    text = letter_of(story, day(4, 2), DunningLevel.FINAL_DEMAND, "es")
    assert "15.000,00" in text
    letters = db.session.scalars(select(DunningLetter).order_by(DunningLetter.id)).all()
    assert [letter.language for letter in letters] == ["de", "fr", "sv", "es"]
    mails = db.session.scalars(select(Message).where(Message.kind == "dunning_letter")).all()
    assert [mail.state for mail in mails] == [MessageState.SENT] * 4


def blocked_by_the_rule_and_by_hand(story: Story) -> None:
    actor, org, buyer = story.account.tenant.actor(), story.org, story.buyer
    stop = ObligationKind.STOP_SHIPMENTS
    assert story.duty(stop, day(4, 4))["F-1"] is CalendarStatus.OPEN
    assert story.duty(stop, day(4, 12))["F-1"] is CalendarStatus.DUE_SOON
    # The extension of F-1 ends on 12 April: shipments of that day may leave, those of the 13th not.
    assert not find_block(buyer, day(4, 12)).is_blocked
    block = find_block(buyer, day(4, 13))
    assert [(cause.source, cause.since, [each.number for each in cause.invoices]) for cause in block.causes] == [
        (BlockSource.POLICY, day(4, 13), ["F-1"])
    ]
    with standing_on(day(4, 12)):
        run_jobs(org, day(4, 12))
        assert told(NoticeToPerson.BUYER_BLOCKED) == []
    for on in (day(4, 13), day(4, 14)):
        with standing_on(on):
            run_jobs(org, on)
    assert {cause for _user, cause in told(NoticeToPerson.BUYER_BLOCKED)} == {f"block:{buyer}:2026-04-13"}

    with standing_on(day(4, 15)):
        by_hand = blocks.set_block(actor, org, buyer, reason="their bank returned a payment", from_on=day(4, 15))
    assert {cause.source for cause in find_block(buyer, day(4, 15)).causes} == {BlockSource.POLICY, BlockSource.MANUAL}
    # Somebody ships 4,000 all the same: without cover from the first day, and for good.
    with standing_on(day(4, 20)):
        story.invoice("F-3", "4000.00", day(4, 20), day(5, 20))
    stopped = (4_000, 0, 0, "shipped_while_stopped")
    assert story.cover(day(4, 20)) == {"F-1": (10_000, 10_000, 0, None), "F-2": (8_000, 5_000, 3_000, None), "F-3": stopped}
    with standing_on(day(4, 21)):
        blocks.lift_block(actor, org, by_hand.id, note="cleared with the bank", on=day(4, 21))
    assert {cause.source for cause in find_block(buyer, day(4, 21)).causes} == {BlockSource.POLICY}


def notified_in_time_and_answered(story: Story) -> None:
    actor, org, buyer = story.account.tenant.actor(), story.org, story.buyer
    duty = ObligationKind.NOTIFY_OVERDUE
    assert story.duty(duty, day(4, 30))["F-1"] is CalendarStatus.OPEN
    assert story.duty(duty, day(5, 12))["F-1"] is CalendarStatus.DUE_SOON  # the last day
    assert story.duty(duty, day(5, 13))["F-1"] is CalendarStatus.LATE  # as it would stand if nothing were sent
    with standing_on(day(4, 26)):
        assert run_jobs(org, day(4, 26))["drafted"] == 0
    with standing_on(day(4, 27)):  # fifteen days before 12 May
        assert run_jobs(org, day(4, 27))["drafted"] == 1
    notice = db.session.scalars(select(Notice)).one()
    assert (notice.state, notice.deadline_on, notice.as_of) == (NoticeState.DRAFT, day(5, 12), day(4, 27))
    assert told(NoticeToPerson.NOTIFICATION_TO_APPROVE)
    coming = {cause for _user, cause in told(NoticeToPerson.DUTY_COMES) if "notify_overdue:2026-05-12" in cause}
    assert coming == {f"duty:{story.account.policy_id}:{buyer}:notify_overdue:2026-05-12:15"}

    taken = len(story.mailbox.taken)
    with standing_on(day(5, 11)):
        run_jobs(org, day(5, 11))
        notices.renew(actor, org, notice.id, day(5, 11))
        view = find_notice(notice.id)
        assert view is not None
        # The whole exposure with original due dates: F-3 is not due yet, and none of it is insured.
        assert [
            (line.number, line.original_due_on, line.open, line.insured, line.disputed, line.uninsured_reason) for line in view.lines
        ] == [
            ("F-1", day(2, 11), 10_000_00, 10_000_00, 0, ""),
            ("F-2", day(2, 25), 8_000_00, 5_000_00, 3_000_00, "disputed"),
            ("F-3", day(5, 20), 4_000_00, 0, 0, "shipped_while_stopped"),
        ]
        assert view.particulars.last_demand_on == day(4, 2)  # the final demand, not the first reminder, which did the duty
        total = view.totals[0]
        assert (total.open, total.overdue, total.not_due) == (22_000_00, 18_000_00, 4_000_00)
        notices.change(actor, org, notice.id, Changes(reason=ReasonForNonPayment.CASH_FLOW))
        notices.approve(actor, org, notice.id, day(5, 11))
        notices.send(actor, org, notice.id, Sending(channel=Channel.EMAIL), day(5, 11))
        assert story.duty(duty, day(5, 11))["F-1"] is CalendarStatus.DUE_SOON  # handed over is not sent
        run_jobs(org, day(5, 11), ("messages.deliver",), at="T10:00")
    db.session.expire_all()
    assert (notice.state, notice.sent_on) == (NoticeState.SENT, day(5, 11))
    assert story.duty(duty, day(5, 13))["F-1"] is CalendarStatus.DONE
    mails = [mail for mail in story.mailbox.messages()[taken:] if mail["To"] == "overdues@insurer.example"]
    assert len(mails) == 1
    paper = text_of(next(iter(mails[0].iter_attachments())).get_content())
    for said in ("F-1", "F-2", "F-3", "POL-N1", "22,000.00"):
        assert said in paper

    # The insurer answers on 14 May: deliveries may go on in spite of F-1 and F-2, and the block ends. What was shipped meanwhile stays out.
    assert find_block(buyer, day(5, 13)).is_blocked
    with standing_on(day(5, 14)):
        letter = NewEvidence("consent.pdf", io.BytesIO(PAPER))
        notices.answer(
            actor,
            org,
            notice.id,
            Answer(outcome=ReplyOutcome.CONSENTED, on=day(5, 14), note="Go on delivering.", evidence=letter),
            day(5, 14),
        )
    assert not find_block(buyer, day(5, 14)).is_blocked
    with standing_on(day(5, 15)):
        story.invoice("F-4", "2000.00", day(5, 15), day(6, 14))
    # Covered: F-1 10,000, F-2 5,000, F-4 2,000 = 17,000 of 30,000; F-3 stays out for good.
    assert story.cover(day(5, 15)) == {
        "F-1": (10_000, 10_000, 0, None),
        "F-2": (8_000, 5_000, 3_000, None),
        "F-3": (4_000, 0, 0, "shipped_while_stopped"),
        "F-4": (2_000, 2_000, 0, None),
    }
    view = find_notice(notice.id)
    assert view is not None
    proof = proof_of(view, now())
    assert proof["notice"]["in_time"] is True
    assert [(each["channel"], each["delivered"], each["recipient"]) for each in proof["dispatches"]] == [
        (Channel.EMAIL, True, "overdues@insurer.example")
    ]
    assert proof["document"]["sha256"] == proof["dispatches"][0]["sha256"]
    assert [file["name"] for file in proof["evidence"]] == ["consent.pdf"]


def planned_consented_and_broken(story: Story) -> None:
    actor, org, buyer = story.account.tenant.actor(), story.org, story.buyer
    # 10,000 of F-1 in two parts. Its extension ended on 12 April, so both parts need the insurer's consent.
    parts = (PlannedInstalment(day(5, 29), 5_000_00), PlannedInstalment(day(6, 30), 5_000_00))
    with standing_on(day(5, 18)):
        new = NewPlan(buyer_id=buyer, invoice_ids=[invoice_id(db.session(), "F-1")], instalments=parts)
        plan = payment_plans.propose(actor, org, new, day(5, 18))
        with pytest.raises(Refusal, match="plan_needs_consent"):
            payment_plans.agree(actor, org, plan.id, day(5, 18))
        request = payment_plans.ask_consent(actor, org, plan.id, day(5, 18))
        assert (plan.state, request.kind) == (PlanState.AWAITING_CONSENT, NoticeKind.RESCHEDULING)
        notices.approve(actor, org, request.id, day(5, 18))
        notices.send(actor, org, request.id, Sending(channel=Channel.EMAIL), day(5, 18))
        run_jobs(org, day(5, 18), ("messages.deliver",), at="T10:00")
    taken = len(story.mailbox.taken)
    with standing_on(day(5, 20)):
        letter = NewEvidence("agreed.pdf", io.BytesIO(PAPER))
        notices.answer(actor, org, request.id, Answer(outcome=ReplyOutcome.CONSENTED, on=day(5, 20), evidence=letter), day(5, 20))
        db.session.expire_all()
        assert (plan.state, plan.agreed_on) == (PlanState.ACTIVE, day(5, 20))
        payment_plans.confirm(actor, org, plan.id, day(5, 20))
        run_jobs(org, day(5, 20), ("messages.deliver",), at="T10:00")
    # The insurer's consent puts the stop off; the original due date stays what it was.
    act = db.session.scalars(select(AccountAct).where(AccountAct.kind == AccountActKind.EXTENSION)).one()
    assert act.data == {"new_due_on": "2026-06-30", "consent": True}
    invoice = db.session.get_one(Invoice, act.invoice_id)
    assert (invoice.number, invoice.original_due_on) == ("F-1", day(2, 11))
    confirmed = story.mailbox.messages()[taken:]
    assert [mail["To"] for mail in confirmed] == ["ap@mueller.example"]
    text = silent_text(confirmed[0], "es")
    assert "5.000,00" in text
    assert "11 feb 2026" in text

    # Nothing comes on 29 May: broken from the 30th, told once, and to be reported within 10 days: by 9 June.
    for on, state in ((day(5, 29), PlanState.ACTIVE), (day(5, 30), PlanState.BROKEN), (day(5, 31), PlanState.BROKEN)):
        with standing_on(on):
            run_jobs(org, on, ("payment_plans.watch",))
            db.session.expire_all()
            assert plan.state is state
    assert plan.broken_on == day(5, 30)
    assert {cause for _user, cause in told(NoticeToPerson.INSTALMENT_BROKEN)} == {f"plan:{plan.id}:broken"}
    report = ObligationKind.REPORT_ADVERSE_INFORMATION
    assert story.duty(report, day(5, 31)) == {None: CalendarStatus.OPEN}
    assert story.duty(report, day(6, 9)) == {None: CalendarStatus.DUE_SOON}
    assert story.duty(report, day(6, 10)) == {None: CalendarStatus.LATE}

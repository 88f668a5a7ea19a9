"""Payment plans through their life: free within the period, consent beyond it, cover, papers, money, a break that is told once."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from support.accounts import TODAY, Account, fresh_session, within
from support.notices import invoice_id, make_overdue_account
from support.papers import text_of

from insureflow.documents.forbidden_words import find_insurance_words
from insureflow.domain.blocks import BlockSource
from insureflow.domain.errors import Refusal
from insureflow.domain.limits import AccountActKind
from insureflow.domain.messages import MessageState, NoticeToPerson
from insureflow.domain.notices import Channel, NoticeKind, NoticeState, ReplyOutcome
from insureflow.domain.obligations import ObligationKind
from insureflow.domain.payment_plans import (
    InstalmentState,
    PlannedInstalment,
    PlanOutcome,
    PlanState,
    PlanVerdict,
    equal_instalments,
)
from insureflow.domain.work import WorkKind
from insureflow.models.cover import AccountState, InvoicePosition, Obligation
from insureflow.models.documents import IssuedDocument
from insureflow.models.journal import JournalEntry
from insureflow.models.limits import AccountAct
from insureflow.models.messages import Message, Told, WebhookDelivery, WebhookEndpoint
from insureflow.models.notices import Notice, NoticeInvoice
from insureflow.models.receivables import Allocation, Invoice, Payment
from insureflow.models.work_items import WorkItem
from insureflow.queries import dunning as dunning_queries
from insureflow.queries.blocks import find_block, house_blocks_on
from insureflow.queries.notices.showing import journal_of_notice
from insureflow.queries.payment_plans import choices_of, find_plan
from insureflow.services import contacts, cover, limits, notices, payment_plans
from insureflow.services.clock import now
from insureflow.services.contacts import ContactDetails
from insureflow.services.dunning.rules import fallback_rules
from insureflow.services.issued_documents import read
from insureflow.services.limits import NewAct
from insureflow.services.limits.acts import withdraw_extension
from insureflow.services.notices import Answer, Sending
from insureflow.services.payment_plans import NewPlan
from insureflow.services.transaction import transaction

#: Original due date of the new invoice of the account, and the last day of its maximum extension period.
NEW_DUE = date(2026, 7, 19)
NEW_END = NEW_DUE + timedelta(days=60)


def pay(account: Account, number: str, amount: int, on: date, buyer_id: int | None = None) -> None:
    """Money that settles something of an invoice."""
    with transaction(account.organisation_id) as session:
        invoice = session.scalars(select(Invoice).where(Invoice.number == number)).one()
        known = session.scalar(select(func.count()).select_from(Payment)) or 0
        payment = Payment(
            entity_id=invoice.entity_id, buyer_id=invoice.buyer_id, number=f"P-{known}", currency=invoice.currency, amount_minor=amount,
            unapplied_minor=0, received_on=on,
        )  # fmt: skip
        session.add(payment)
        session.flush()
        session.add(Allocation(invoice_id=invoice.id, payment_id=payment.id, amount_minor=amount, allocated_on=on))
        invoice.open_minor -= amount
        session.flush()
        cover.refresh_buyers(session, [invoice.buyer_id], on)


def by_plan(buyer_id: int, on: date) -> list[tuple[date, int | None]]:
    """Since when which broken plans keep goods back from a buyer."""
    causes = find_block(buyer_id, on).causes
    return [(cause.since, cause.plan_id) for cause in causes if cause.source is BlockSource.PLAN_BROKEN]


def reason(session: Session, number: str, on: date) -> str | None:
    """Why an invoice is not covered on a day."""
    return session.scalars(
        select(InvoicePosition.excluded_reason)
        .join(Invoice, Invoice.id == InvoicePosition.invoice_id)
        .where(Invoice.number == number, InvoicePosition.valid_from <= on, InvoicePosition.valid_to > on)
    ).one()


def test_a_plan_within_the_period_is_agreed_watched_broken_and_paid(app: Flask) -> None:
    account = make_overdue_account(app)
    actor, org, buyer = account.tenant.actor(), account.organisation_id, account.buyer_id
    with app.app_context(), within(org):
        session = fresh_session(account)
        contacts.add_contact(actor, org, buyer, ContactDetails(name="Buchhaltung", email="ap@mueller.example", language="de"))
        with transaction(org):
            session.add(WebhookEndpoint(url="https://example.org/hook", secret="x", events=["plan.broken"], created_at=now()))
        choices = {choice.number: choice for choice in choices_of(buyer, TODAY)}
        assert choices["NEW-0"].last_free_on == NEW_END
        new, old = choices["NEW-0"].invoice_id, choices["OLD-0"].invoice_id
        half = equal_instalments(200_000, 2, date(2026, 7, 25))
        made = NewPlan(buyer_id=buyer, invoice_ids=[new], instalments=half, grace_days=2, interest="Ohne Zinsen.", note="limit is tight")
        for wrong, code in [
            (NewPlan(buyer_id=buyer, invoice_ids=[], instalments=half), "plan_invoices_needed"),
            (NewPlan(buyer_id=buyer, invoice_ids=[99_999], instalments=half), "plan_invoice_not_open"),
            (NewPlan(buyer_id=buyer, invoice_ids=[new], instalments=half, grace_days=99), "plan_grace_out_of_bounds"),
            (NewPlan(buyer_id=buyer, invoice_ids=[new], instalments=half, interest="Kreditversicherung"), "plan_speaks_of_insurance"),
            (NewPlan(buyer_id=buyer, invoice_ids=[new, old], instalments=half), "plan_sum_differs"),
            (NewPlan(buyer_id=99_999, invoice_ids=[new], instalments=half), "buyer_unknown"),
        ]:
            with pytest.raises(Refusal, match=code):
                payment_plans.propose(actor, org, wrong, TODAY)
        plan = payment_plans.propose(actor, org, made, TODAY)
        with pytest.raises(Refusal, match="plan_invoice_planned"):
            payment_plans.propose(actor, org, made, TODAY)
        with pytest.raises(Refusal, match="plan_not_agreed"):
            payment_plans.confirm(actor, org, plan.id, TODAY)
        payment_plans.agree(actor, org, plan.id, TODAY)
        view = find_plan(plan.id, TODAY)
        assert view is not None
        assert (view.plan.state, view.design.verdict) == (PlanState.ACTIVE, PlanVerdict.FREE)
        # The act says the new date without consent; within the period cover stays, and the original due date with it.
        act = session.scalars(select(AccountAct).where(AccountAct.kind == AccountActKind.EXTENSION)).one()
        assert act.data == {"new_due_on": "2026-08-25", "consent": False}
        invoice = session.scalars(select(Invoice).where(Invoice.number == "NEW-0")).one()
        assert (invoice.original_due_on, reason(session, "NEW-0", TODAY)) == (NEW_DUE, None)
        # The paper is in the buyer's language, says the original due date, and nothing about insurance or what is noted for ourselves.
        document = session.scalars(select(IssuedDocument).where(IssuedDocument.kind == "payment_plan")).one()
        text = text_of(read(org, document.id).content)
        assert document.language == "de"
        assert "19. Juli 2026" in text
        assert "25. Aug. 2026" in text
        assert "Ohne Zinsen." in text
        assert find_insurance_words(text, "de") == ()
        message = session.scalars(select(Message).where(Message.kind == "payment_plan")).one()
        assert (message.recipients, message.documents) == (["ap@mueller.example"], [document.id])
        assert find_insurance_words(message.body, "de") == ()
        assert payment_plans.confirm(actor, org, plan.id, TODAY).replaces_id == document.id

        # Reminders wait while the plan holds. The first half comes in grace; the second does not.
        late = date(2026, 8, 20)
        due = (dunning_queries.stored_rules(), fallback_rules())
        assert "NEW-0" not in str(dunning_queries.due_invoices(*due, late, [buyer]))
        pay(account, "NEW-0", 100_000, date(2026, 7, 27))
        assert payment_plans.watch(org, date(2026, 8, 27)) == {"plans_broken": 0, "plans_kept": 0}
        view = find_plan(plan.id, date(2026, 8, 27))
        assert view is not None
        assert view.standing is not None
        assert [each.state for each in view.standing.instalments] == [InstalmentState.PAID_LATE, InstalmentState.IN_GRACE]
        # Goods are kept back from the day it broke, whether a job ran or not.
        assert by_plan(buyer, date(2026, 8, 27)) == []
        assert by_plan(buyer, date(2026, 8, 28)) == [(date(2026, 8, 28), plan.id)]
        assert [each.reason for each in house_blocks_on(buyer, date(2026, 8, 29))] == ["plan_broken"]
        # A day that was missed is caught up with the day on which it broke; nothing is told twice.
        assert payment_plans.watch(org, date(2026, 8, 30)) == {"plans_broken": 1, "plans_kept": 0}
        assert payment_plans.watch(org, date(2026, 8, 31)) == {"plans_broken": 0, "plans_kept": 0}
        session.expire_all()
        assert (plan.state, plan.broken_on) == (PlanState.BROKEN, date(2026, 8, 28))
        told = session.scalars(select(Told).where(Told.kind == NoticeToPerson.INSTALMENT_BROKEN)).all()
        assert len({each.user_id for each in told}) == len(told) > 0
        assert [each.event for each in session.scalars(select(WebhookDelivery))] == ["plan.broken"]
        assert "NEW-0" in str(dunning_queries.due_invoices(*due, date(2026, 8, 31), [buyer]))
        work = session.scalars(select(WorkItem)).one()
        assert (work.kind, work.owner_id, work.done_at) == (WorkKind.PLAN_BROKEN, actor.user_id, None)
        assert "1000" in str(work.facts["amount"])
        pay(account, "NEW-0", 100_000, date(2026, 9, 2))
        assert [len(by_plan(buyer, date(2026, 9, day))) for day in (1, 2)] == [1, 0]
        assert payment_plans.watch(org, date(2026, 9, 3)) == {"plans_broken": 0, "plans_kept": 1}
        session.refresh(work)
        assert work.outcome == "done"
        view = find_plan(plan.id, date(2026, 9, 3))
        assert view is not None
        assert view.standing is not None
        assert (view.plan.state, view.standing.outcome) == (PlanState.KEPT, PlanOutcome.KEPT_LATE)
        actions = session.scalars(
            select(JournalEntry.action).where(JournalEntry.action.startswith("plan.")).order_by(JournalEntry.id)
        ).all()
        assert list(actions) == ["plan.proposed", "plan.agreed", "plan.confirmed", "plan.broken", "plan.kept"]


def test_beyond_the_period_the_insurer_is_asked_and_a_break_must_be_reported(app: Flask) -> None:
    account = make_overdue_account(app, buyers=2)
    actor, org, buyer = account.tenant.actor(), account.organisation_id, account.buyer_id
    with app.app_context(), within(org):
        session = fresh_session(account)
        keys = [invoice_id(session, "OLD-0"), invoice_id(session, "NEW-0")]
        new = NewPlan(buyer_id=buyer, invoice_ids=keys, instalments=equal_instalments(1_200_000, 4, date(2026, 7, 15)))
        plan = payment_plans.propose(actor, org, new, TODAY)
        with pytest.raises(Refusal, match="plan_needs_consent"):
            payment_plans.agree(actor, org, plan.id, TODAY)
        notice = payment_plans.ask_consent(actor, org, plan.id, TODAY)
        assert (notice.kind, plan.state) == (NoticeKind.RESCHEDULING, PlanState.AWAITING_CONSENT)
        # Changed before it was sent: the request is given up, and asked anew with what is planned now.
        payment_plans.change(actor, org, plan.id, new, TODAY)
        assert (session.get_one(Notice, notice.id).state, plan.state, plan.notice_id) == (NoticeState.CANCELLED, PlanState.DRAFT, None)
        notice = payment_plans.ask_consent(actor, org, plan.id, TODAY)
        notices.approve(actor, org, notice.id, TODAY)
        notices.send(actor, org, notice.id, Sending(channel=Channel.PORTAL, on=TODAY, protocol_number="R-1"), TODAY)
        with pytest.raises(Refusal, match="plan_request_sent"):
            payment_plans.change(actor, org, plan.id, new, TODAY)
        notices.answer(actor, org, notice.id, Answer(outcome=ReplyOutcome.MORE_WANTED, on=TODAY), TODAY)
        assert plan.state is PlanState.AWAITING_CONSENT
        notices.answer(actor, org, notice.id, Answer(outcome=ReplyOutcome.CONSENTED, on=TODAY), TODAY)
        session.expire_all()
        assert (plan.state, plan.agreed_on) == (PlanState.ACTIVE, TODAY)
        acts = session.scalars(select(AccountAct).where(AccountAct.kind == AccountActKind.EXTENSION)).all()
        assert [act.data["consent"] for act in acts] == [True, True]
        assert payment_plans.confirm(actor, org, plan.id, TODAY).kind == "payment_plan"
        covered = reason(session, "NEW-0", date(2026, 7, 16))
        assert payment_plans.watch(org, date(2026, 7, 16))["plans_broken"] == 1
        # Cover follows the insurer's word alone: its consent stays. The house stops, has work, and a draft for the insurer with its deadline.
        assert reason(session, "NEW-0", date(2026, 7, 16)) == covered
        news = session.scalars(select(Notice).where(Notice.kind == NoticeKind.ADVERSE_INFORMATION)).one()
        work = session.scalars(select(WorkItem)).one()
        assert (news.state, news.cause, news.deadline_on) == (NoticeState.DRAFT, f"plan/{plan.id}/broken", work.due_on)
        assert news.facts["particulars"]["adverse"] == ["plan_broken"]
        day = date(2026, 7, 17)
        assert by_plan(buyer, day) == [(date(2026, 7, 16), plan.id)]
        limits.record_act(actor, org, NewAct(buyer, plan.policy_id, AccountActKind.CONSENT, day), day)
        assert by_plan(buyer, day) == []
        assert payment_plans.watch(org, day)["plans_broken"] == 0
        session.refresh(work)
        assert work.outcome == "done"
        known = session.scalars(select(AccountAct).where(AccountAct.kind == AccountActKind.ADVERSE_INFORMATION)).one()
        assert known.happened_on == date(2026, 7, 16)
        kind = ObligationKind.REPORT_ADVERSE_INFORMATION.value
        assert (
            session.scalar(select(func.count()).select_from(Obligation).where(Obligation.buyer_id == buyer, Obligation.kind == kind)) == 1
        )

        # A deferral of one invoice: asked as an extension with its new date; refused, it may be drawn up anew or given up.
        other = session.scalars(select(Invoice).where(Invoice.number == "OLD-1")).one()
        deferral = NewPlan(
            buyer_id=other.buyer_id, invoice_ids=[other.id], instalments=[PlannedInstalment(date(2026, 7, 31), 1_000_000)]
        )  # fmt: skip
        put_off = payment_plans.propose(actor, org, deferral, TODAY)
        asked = payment_plans.ask_consent(actor, org, put_off.id, TODAY)
        line = session.scalars(select(NoticeInvoice).where(NoticeInvoice.notice_id == asked.id, NoticeInvoice.number == "OLD-1")).one()
        assert (asked.kind, line.new_due_on) == (NoticeKind.EXTENSION, date(2026, 7, 31))
        notices.approve(actor, org, asked.id, TODAY)
        notices.send(actor, org, asked.id, Sending(channel=Channel.PORTAL, on=TODAY, protocol_number="R-2"), TODAY)
        notices.answer(actor, org, asked.id, Answer(outcome=ReplyOutcome.REFUSED, on=TODAY), TODAY)
        assert put_off.state is PlanState.REFUSED
        payment_plans.change(actor, org, put_off.id, deferral, TODAY)
        # Agreed in spite of that, with open eyes: the invoice loses its cover.
        assert reason(session, "OLD-1", TODAY) is None
        payment_plans.agree(actor, org, put_off.id, TODAY, without_consent=True)
        session.expire_all()
        assert reason(session, "OLD-1", TODAY) == "extended_without_consent"
        with pytest.raises(Refusal, match="plan_reason_needed"):
            payment_plans.cancel(actor, org, put_off.id, " ", TODAY)
        later = TODAY + timedelta(days=3)
        assert payment_plans.cancel(actor, org, put_off.id, "the buyer pays at once", later).state is PlanState.CANCELLED
        # It was granted without consent: that stays, and the history with it.
        assert reason(session, "OLD-1", later) == "extended_without_consent"
        with pytest.raises(Refusal, match="plan_unknown"):
            payment_plans.agree(actor, org, 99_999, TODAY)


def test_a_plan_that_the_ledger_overtook_is_drawn_up_anew(app: Flask) -> None:
    account = make_overdue_account(app)
    actor, org, buyer = account.tenant.actor(), account.organisation_id, account.buyer_id
    with app.app_context(), within(org):
        session = fresh_session(account)
        key = invoice_id(session, "NEW-0")
        pay(account, "NEW-0", 50_000, TODAY)
        new = NewPlan(buyer_id=buyer, invoice_ids=[key], instalments=[PlannedInstalment(date(2026, 8, 1), 150_000)])
        plan = payment_plans.propose(actor, org, new, TODAY)
        pay(account, "NEW-0", 50_000, TODAY)
        with pytest.raises(Refusal, match="plan_amounts_moved"):
            payment_plans.agree(actor, org, plan.id, TODAY)
        again = NewPlan(buyer_id=buyer, invoice_ids=[key], instalments=[PlannedInstalment(date(2026, 8, 1), 100_000)])
        payment_plans.change(actor, org, plan.id, again, TODAY)
        with pytest.raises(Refusal, match="plan_day_over"):
            payment_plans.agree(actor, org, plan.id, date(2026, 8, 2))
        payment_plans.agree(actor, org, plan.id, TODAY)
        # What was settled before, on the same day, is no instalment.
        view = find_plan(plan.id, TODAY)
        assert view is not None
        assert view.standing is not None
        assert (view.standing.paid_minor, view.standing.open_minor) == (0, 100_000)
        pay(account, "NEW-0", 100_000, date(2026, 7, 20))
        assert payment_plans.watch(org, date(2026, 7, 21)) == {"plans_broken": 0, "plans_kept": 1}
        assert find_plan(99_999, TODAY) is None


def test_a_plan_given_up_leaves_nothing_behind_that_changes_cover(app: Flask) -> None:
    account = make_overdue_account(app, buyers=2)
    actor, org = account.tenant.actor(), account.organisation_id
    with app.app_context(), within(org):
        session = fresh_session(account)
        invoice = session.scalars(select(Invoice).where(Invoice.number == "OLD-1")).one()
        buyer = invoice.buyer_id
        contacts.add_contact(actor, org, buyer, ContactDetails(name="Buchhaltung", email="ap@mueller.example", language="de"))

        def spans() -> list[tuple[Any, ...]]:
            session.expire_all()
            positions, states = InvoicePosition, AccountState
            rows = [
                *session.execute(
                    select(positions.valid_from, positions.excluded_reason, positions.primary_minor)
                    .where(positions.buyer_id == buyer)
                    .order_by(positions.invoice_id, positions.valid_from)
                ),
                *session.execute(select(states.valid_from, states.stopped).where(states.buyer_id == buyer).order_by(states.valid_from)),
            ]
            return [tuple(row) for row in rows]

        before = spans()
        due = [PlannedInstalment(date(2026, 8, 31), 1_000_000)]
        deferral = NewPlan(buyer_id=buyer, invoice_ids=[invoice.id], instalments=due)
        # Entered by mistake, and the confirmation had not gone out: nothing was granted, and cover is what it was.
        plan = payment_plans.propose(actor, org, deferral, TODAY)
        payment_plans.agree(actor, org, plan.id, TODAY, without_consent=True)
        assert spans() != before
        payment_plans.cancel(actor, org, plan.id, "wrong buyer", TODAY + timedelta(days=2), never_told=True)
        assert spans() == before
        assert [each.state for each in session.scalars(select(Message))] == [MessageState.CANCELLED]
        # With consent: until it is given up the stop waits for the new date, from then on it is where it was without the plan.
        plan = payment_plans.propose(actor, org, deferral, TODAY)
        asked = payment_plans.ask_consent(actor, org, plan.id, TODAY)
        notices.approve(actor, org, asked.id, TODAY)
        notices.send(actor, org, asked.id, Sending(channel=Channel.PORTAL, on=TODAY, protocol_number="R-3"), TODAY)
        notices.answer(actor, org, asked.id, Answer(outcome=ReplyOutcome.CONSENTED, on=TODAY), TODAY)
        stopped = [find_block(buyer, TODAY + timedelta(days=number)).is_cover_stopped for number in (0, 30)]
        assert stopped == [False, False]
        ended = TODAY + timedelta(days=30)
        payment_plans.cancel(actor, org, plan.id, "the buyer pays at once", ended)
        assert [find_block(buyer, day).is_cover_stopped for day in (ended - timedelta(days=1), ended)] == [False, True]
        act = session.scalars(select(AccountAct).where(AccountAct.note != f"plan {plan.id - 1}")).all()[-1]
        assert act.data["withdrawn_on"] == ended.isoformat()
        with pytest.raises(Refusal, match="not_withdrawable"):
            withdraw_extension(actor, org, act.id, ended, "again", ended)
        with pytest.raises(Refusal, match="act_unknown"):
            withdraw_extension(actor, org, 99_999, ended, "again", ended)
        # A request that nobody has sent is given up with its plan, and its own history says so.
        plan = payment_plans.propose(actor, org, deferral, ended)
        asked = payment_plans.ask_consent(actor, org, plan.id, ended)
        payment_plans.cancel(actor, org, plan.id, "nothing asked", ended)
        entry = journal_of_notice(asked.id)[0]
        assert (entry.action, entry.after) == ("notice.cancelled", {"state": "cancelled", "reason": "nothing asked"})
        # Consent that comes after the plan was given up puts nothing off.
        stand = spans()
        plan = payment_plans.propose(actor, org, deferral, ended)
        asked = payment_plans.ask_consent(actor, org, plan.id, ended)
        notices.approve(actor, org, asked.id, ended)
        notices.send(actor, org, asked.id, Sending(channel=Channel.PORTAL, on=ended, protocol_number="R-4"), ended)
        payment_plans.cancel(actor, org, plan.id, "no plan after all", ended)
        notices.answer(actor, org, asked.id, Answer(outcome=ReplyOutcome.CONSENTED, on=ended), ended)
        assert spans() == stand
        # Once the confirmation has gone out it cannot be said that the buyer was never told.
        plan = payment_plans.propose(actor, org, deferral, ended)
        payment_plans.agree(actor, org, plan.id, ended, without_consent=True)
        with transaction(org) as writing:
            writing.scalars(select(Message).where(Message.state == MessageState.QUEUED)).one().state = MessageState.SENT
        with pytest.raises(Refusal, match="plan_told_already"):
            payment_plans.cancel(actor, org, plan.id, "wrong buyer", ended, never_told=True)

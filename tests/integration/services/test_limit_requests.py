"""Limit requests: written, approved by a second person, sent by a connection or by hand, answered; one by one and many at once."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from support.accounts import TERMS, TODAY, Account, add_buyer, add_invoice, fresh_session, make_account, within

from insureflow.domain.access import Role
from insureflow.domain.buyers import NotInsurable
from insureflow.domain.connections import Operation, OutboxState
from insureflow.domain.errors import InvalidValues, Refusal
from insureflow.domain.limits import LimitKind, LimitStatus, RequestOutcome, RequestState, RequestType
from insureflow.models.buyers import InsurerIdentity
from insureflow.models.connections import InsurerConnection, OutboxMessage
from insureflow.models.journal import JournalEntry
from insureflow.models.limit_requests import EvidenceFile, LimitRequest
from insureflow.models.limits import LimitDecision
from insureflow.models.work_items import WorkItem
from insureflow.queries import limit_requests as queries
from insureflow.services import buyers, files, limit_requests, limits, tasks
from insureflow.services.buyers import BuyerDetails
from insureflow.services.clock import now
from insureflow.services.files import NewEvidence
from insureflow.services.limit_requests import AmountRule, NewLimitRequest, Selection
from insureflow.services.limits import NewDecision, NewWithdrawal
from insureflow.services.transaction import transaction

ROLES = (Role.ADMINISTRATOR, Role.CREDIT_MANAGER, Role.CREDIT_ANALYST)


@pytest.fixture
def account(app: Flask) -> Account:
    return make_account(app, roles=ROLES)


@pytest.fixture
def at_work(app: Flask, account: Account) -> Any:
    with app.app_context(), within(account.organisation_id):
        yield account


def wish(account: Account, amount: int | None = 50_000_00, **more: Any) -> NewLimitRequest:
    return NewLimitRequest(account.buyer_id, account.policy_id, amount, **more)


def connect(account: Account, *operations: Operation) -> None:
    with transaction(account.organisation_id) as session:
        session.add(
            InsurerConnection(
                policy_id=account.policy_id,
                connector="atradius",
                addresses={},
                policy_key={},
                options={},
                capabilities=[operation.value for operation in operations],
                created_at=now(),
            )
        )


def codes(refused: pytest.ExceptionInfo[InvalidValues]) -> list[str]:
    return [problem.code for problem in refused.value.problems]


def drafted(account: Account, role: Role = Role.CREDIT_ANALYST, **more: Any) -> int:
    return limit_requests.draft(account.tenant.actor(role), account.organisation_id, wish(account, **more), TODAY).id


def test_a_small_request_goes_by_hand_and_the_answer_closes_it(at_work: Account) -> None:
    account, key = at_work, at_work.organisation_id
    analyst = account.tenant.actor(Role.CREDIT_ANALYST)
    with pytest.raises(InvalidValues) as refused:
        limit_requests.draft(analyst, key, wish(account, request_type=RequestType.INCREASE), TODAY)
    assert codes(refused) == ["request_type_does_not_fit"]
    with pytest.raises(InvalidValues) as refused:
        limit_requests.draft(analyst, key, wish(account, None), TODAY)
    assert codes(refused) == ["request_amount_needed"]
    with pytest.raises(InvalidValues) as refused:
        limit_requests.draft(analyst, key, wish(account, kind=LimitKind.BLIND), TODAY)
    assert codes(refused) == ["kind_not_asked_for"]
    request_id = drafted(account)
    with pytest.raises(InvalidValues) as refused:
        limit_requests.draft(analyst, key, wish(account, 1), TODAY)
    assert codes(refused) == ["request_under_way"]
    request = limit_requests.hand_in(analyst, key, request_id, Role.CREDIT_ANALYST, TODAY)
    assert (request.state, request.request_type) == (RequestState.SUBMITTED, RequestType.NEW)
    session = fresh_session(account)
    entry = session.scalars(select(LimitDecision)).one()
    assert (entry.status, entry.requested_minor, entry.id) == (LimitStatus.REQUESTED, 50_000_00, request.request_decision_id)
    work = session.scalars(select(WorkItem)).one()
    assert (work.kind, work.done_at) == ("send_request", None)
    evidence = NewEvidence("C:\\mail\\answer.pdf", io.BytesIO(b"%PDF-1.7 the limit is 30,000"), TODAY)
    decision = limit_requests.record_answer(
        analyst, key, NewDecision(account.buyer_id, account.policy_id, 30_000_00, "EUR", TODAY), TODAY, evidence=evidence
    )
    request = fresh_session(account).get_one(LimitRequest, request_id)
    assert (request.state, request.outcome, request.decision_id) == (RequestState.DECIDED, RequestOutcome.PARTIAL, decision.id)
    assert request.closed_at is not None
    assert session.scalars(select(WorkItem)).one().done_at is not None
    kept = session.scalars(select(EvidenceFile)).one()
    assert (kept.name, kept.media_type, kept.decision_id) == ("answer.pdf", "application/pdf", decision.id)
    assert files.open_download(key, kept.id).content.startswith(b"%PDF")
    actions = session.scalars(select(JournalEntry.action).order_by(JournalEntry.sequence.desc()).limit(3)).all()
    assert actions == ["limit.decided", "limit_request.submitted", "limit_request.drafted"]


def test_four_eyes_above_the_amount_of_the_role(at_work: Account) -> None:
    account, key = at_work, at_work.organisation_id
    tenant = account.tenant
    admin, manager, analyst = tenant.actor(), tenant.actor(Role.CREDIT_MANAGER), tenant.actor(Role.CREDIT_ANALYST)
    with pytest.raises(InvalidValues):
        limit_requests.set_thresholds(admin, key, {Role.SALES: 1, Role.CREDIT_ANALYST: -1})
    limit_requests.set_thresholds(admin, key, {Role.CREDIT_ANALYST: 20_000_00, Role.CREDIT_MANAGER: 40_000_00, Role.ADMINISTRATOR: None})
    request_id = drafted(account)
    with pytest.raises(Refusal, match="approval_needed"):
        limit_requests.submit(analyst, key, request_id, Role.CREDIT_ANALYST, TODAY)
    request = limit_requests.hand_in(analyst, key, request_id, Role.CREDIT_ANALYST, TODAY)
    assert request.state is RequestState.AWAITING_APPROVAL
    with pytest.raises(Refusal, match="approval_above_authority"):
        limit_requests.approve(analyst, key, request_id, Role.CREDIT_ANALYST, TODAY)
    with pytest.raises(Refusal, match="approval_above_authority"):
        limit_requests.approve(manager, key, request_id, Role.CREDIT_MANAGER, TODAY)
    limit_requests.reject(admin, key, request_id, Role.ADMINISTRATOR, "too much", TODAY)
    revised = limit_requests.revise(manager, key, request_id, wish(account, 30_000_00, comment="less"), TODAY)
    assert (revised.state, revised.requested_minor) == (RequestState.DRAFT, 30_000_00)
    limit_requests.ask_approval(analyst, key, request_id, TODAY)
    with pytest.raises(Refusal, match="approval_of_own_request"):
        limit_requests.approve(manager, key, request_id, Role.CREDIT_MANAGER, TODAY)
    approved = limit_requests.approve(admin, key, request_id, Role.ADMINISTRATOR, TODAY)
    assert (approved.state, approved.approved_by_id) == (RequestState.SUBMITTED, admin.user_id)
    done = fresh_session(account).scalars(select(WorkItem.done_at).where(WorkItem.kind == "approve_request")).all()
    assert len(done) == 2
    assert None not in done
    with pytest.raises(Refusal, match="request_not_possible"):
        limit_requests.approve(admin, key, request_id, Role.ADMINISTRATOR, TODAY)
    limit_requests.set_thresholds(admin, key, {Role.CREDIT_ANALYST: None})
    assert limit_requests.thresholds_of(fresh_session(account)).keys() == {Role.CREDIT_MANAGER}


def test_a_connection_carries_the_request_out_and_holds_it_back(at_work: Account) -> None:
    account, key = at_work, at_work.organisation_id
    analyst = account.tenant.actor(Role.CREDIT_ANALYST)
    connect(account, Operation.REQUEST_NEW, Operation.REQUEST_CANCELLATION)
    request_id = drafted(account, is_urgent=True)
    with pytest.raises(Refusal, match="company_not_matched"):
        limit_requests.hand_in(analyst, key, request_id, Role.CREDIT_ANALYST, TODAY)
    assert fresh_session(account).get_one(LimitRequest, request_id).state is RequestState.DRAFT
    with transaction(key) as session:
        session.add(InsurerIdentity(buyer_id=account.buyer_id, insurer="Atradius", number="777"))
    limit_requests.hand_in(analyst, key, request_id, Role.CREDIT_ANALYST, TODAY)
    session = fresh_session(account)
    message = session.scalars(select(OutboxMessage)).one()
    assert (message.state, message.operation, message.payload["company_id"]) == (OutboxState.WAITING, "request_new", "777")
    assert (message.payload["amount_minor"], message.payload["code"], message.payload["is_urgent"]) == (50_000_00, 2, True)
    limit_requests.cancel(analyst, key, request_id, TODAY)
    session = fresh_session(account)
    assert session.scalars(select(OutboxMessage.state)).one() is OutboxState.WITHDRAWN
    assert session.scalar(select(func.count()).select_from(LimitDecision)) == 0
    limits.record_decision(
        analyst, key, NewDecision(account.buyer_id, account.policy_id, 80_000_00, "EUR", date(2026, 6, 1), insurer_reference="C9/2", source="atradius"), TODAY
    )  # fmt: skip
    with pytest.raises(InvalidValues) as refused:
        limit_requests.draft(analyst, key, wish(account, 80_000_00), TODAY)
    assert codes(refused) == ["request_changes_nothing"]
    giving_up = drafted(account, amount=None, request_type=RequestType.CANCEL)
    limit_requests.hand_in(analyst, key, giving_up, Role.CREDIT_ANALYST, TODAY)
    session = fresh_session(account)
    message = session.scalars(select(OutboxMessage).where(OutboxMessage.limit_request_id == giving_up)).one()
    assert (message.operation, message.payload["cover_id"], message.payload["amount_minor"]) == ("request_cancellation", "C9", None)
    with transaction(key):
        message.state = OutboxState.SENT
    with pytest.raises(Refusal, match="request_has_left"):
        limit_requests.cancel(analyst, key, giving_up, TODAY)
    with transaction(key) as working:
        limit_requests.mark_referred(working, working.get_one(LimitRequest, giving_up), insurer_reference="R1")
        found = limit_requests.find_answered(working, account.policy_id, insurer_reference="R1")
        assert found is not None
        assert found.id == giving_up
        assert limit_requests.find_answered(working, account.policy_id) is None
    limit_requests.record_answer(analyst, key, NewWithdrawal(account.buyer_id, account.policy_id, TODAY), TODAY)
    request = fresh_session(account).get_one(LimitRequest, giving_up)
    assert (request.state, request.outcome) == (RequestState.DECIDED, RequestOutcome.FULL)


def test_kinds_that_the_interface_does_not_carry_go_by_hand(at_work: Account) -> None:
    """Nobody is told that a request leaves by a connection which then cannot send it."""
    account, key = at_work, at_work.organisation_id
    connect(account, Operation.REQUEST_NEW)
    analyst = account.tenant.actor(Role.CREDIT_ANALYST)
    temporary = drafted(account, kind=LimitKind.TEMPORARY)
    limit_requests.hand_in(analyst, key, temporary, Role.CREDIT_ANALYST, TODAY)
    view = queries.find_request(temporary, TODAY)
    assert view is not None
    assert view.message is None
    assert (view.must_act, view.pending) == (queries.MustAct.SENDER, ())
    assert view.carrier is not None
    assert not view.carrier.can_carry(view.request)


def test_many_requests_from_a_selection(at_work: Account) -> None:
    account, key = at_work, at_work.organisation_id
    analyst = account.tenant.actor(Role.CREDIT_ANALYST)
    other, third = add_buyer(account.tenant, "Second SA", "FR", number="1002"), add_buyer(account.tenant, "Third SpA", "IT")
    add_invoice(account, "A1", 12_345_67)
    add_invoice(account, "B1", 999_00, buyer_id=other)
    selection = Selection(account.policy_id, (account.buyer_id, other, third), AmountRule.OWED)
    nothing = limit_requests.request_selection(analyst, key, selection, Role.CREDIT_ANALYST, TODAY)
    assert not nothing.is_stored
    assert [(problem.row, problem.code) for problem in nothing.problems] == [(3, "request_amount_needed")]
    assert fresh_session(account).scalar(select(func.count()).select_from(LimitRequest)) == 0
    limit_requests.set_thresholds(account.tenant.actor(), key, {Role.CREDIT_ANALYST: 5_000_00})
    done = limit_requests.request_selection(analyst, key, selection, Role.CREDIT_ANALYST, TODAY, good_rows_only=True, hand_in=True)
    assert (done.submitted, done.awaiting_approval, done.drafted, len(done.problems)) == (1, 1, 0, 1)
    amounts = fresh_session(account).scalars(select(LimitRequest.requested_minor).order_by(LimitRequest.buyer_id)).all()
    assert amounts == [13_000_00, 1_000_00]
    with pytest.raises(InvalidValues) as refused:
        limit_requests.request_selection(analyst, key, Selection(account.policy_id, (), AmountRule.AMOUNT), Role.CREDIT_ANALYST, TODAY)
    assert codes(refused) == ["selection_empty", "request_amount_needed"]


def test_nothing_is_asked_for_a_buyer_that_cannot_be_insured(app: Flask) -> None:
    account = make_account(app, roles=ROLES, terms={**TERMS, "countries_covered": ["DE"]})
    analyst, key = account.tenant.actor(Role.CREDIT_ANALYST), account.organisation_id
    with app.app_context(), within(key):
        abroad = add_buyer(account.tenant, "Acme Brasil", "BR", number="2001")
        details = BuyerDetails(legal_name="Own Sister GmbH", country="DE", not_insurable=NotInsurable.AFFILIATE)
        sister = buyers.add_buyer(account.tenant.actor(), key, details).id
        for buyer_id, code in ((abroad, "request_country_not_covered"), (sister, "request_buyer_not_insurable")):
            with pytest.raises(InvalidValues) as refused:
                limit_requests.draft(analyst, key, NewLimitRequest(buyer_id, account.policy_id, 50_000_00), TODAY)
            assert codes(refused) == [code]
        chosen = Selection(account.policy_id, (account.buyer_id, abroad, sister), AmountRule.AMOUNT, 10_000_00)
        outcome = limit_requests.request_selection(analyst, key, chosen, Role.CREDIT_ANALYST, TODAY, good_rows_only=True)
        assert outcome.drafted == 1
        assert [(problem.row, problem.value, problem.code) for problem in outcome.problems] == [
            (2, "Acme Brasil", "request_country_not_covered"),
            (3, "Own Sister GmbH", "request_buyer_not_insurable"),
        ]
        # What the insurer grants all the same can be lowered and given up, but not raised.
        granted = NewDecision(abroad, account.policy_id, 20_000_00, "EUR", TODAY)
        limits.record_decision(account.tenant.actor(), key, granted, TODAY)
        with pytest.raises(InvalidValues) as refused:
            limit_requests.draft(analyst, key, NewLimitRequest(abroad, account.policy_id, 30_000_00), TODAY)
        assert codes(refused) == ["request_country_not_covered"]
        less = limit_requests.draft(analyst, key, NewLimitRequest(abroad, account.policy_id, 10_000_00), TODAY)
        assert less.request_type is RequestType.REDUCE


FILE = """customer_number;buyer_name;country;policy;type;amount;currency;urgent
1001;;;POL-N1;new;25000;EUR;yes
1002;;;POL-N1;increase;30000;EUR;
;Third SpA;IT;;;40000;EUR;no
9999;;;POL-N1;;1000;EUR;
1001;;;POL-N1;;26000;EUR;
;Third SpA;IT;OTHER;;abc;EUR;
"""


def test_many_requests_from_a_file_in_the_background(at_work: Account) -> None:
    account, key = at_work, at_work.organisation_id
    analyst = account.tenant.actor(Role.CREDIT_ANALYST)
    add_buyer(account.tenant, "Second SA", "FR", number="1002")
    add_buyer(account.tenant, "Third SpA", "IT")
    told = limit_requests.request_file(
        analyst, key, io.BytesIO(FILE.encode()), "wanted.csv", Role.CREDIT_ANALYST, TODAY, policy_id=account.policy_id
    )
    assert not told.is_stored
    assert [(problem.row, problem.code) for problem in told.problems] == [
        (3, "request_type_does_not_fit"),
        (5, "request_buyer_unknown"),
        (6, "request_twice_in_file"),
        (7, "not_an_amount"),
    ]
    task_id = limit_requests.enqueue_file(
        analyst,
        key,
        io.BytesIO(FILE.encode()),
        "wanted.csv",
        Role.CREDIT_ANALYST,
        TODAY,
        policy_id=None,
        good_rows_only=True,
        hand_in=False,
    )
    assert tasks.run_next() == task_id
    outcome = limit_requests.outcome_of_task(tasks.get_task(key, task_id))
    assert outcome is not None
    assert (outcome.is_stored, outcome.drafted, outcome.rows, len(outcome.problems)) == (True, 2, 6, 4)
    task_id = limit_requests.enqueue_selection(
        analyst, key, Selection(account.policy_id, (account.buyer_id,), AmountRule.AMOUNT, 1_000_00), None, TODAY, good_rows_only=False, hand_in=True
    )  # fmt: skip
    assert tasks.run_next() == task_id
    outcome = limit_requests.outcome_of_task(tasks.get_task(key, task_id))
    assert outcome is not None
    assert [problem.code for problem in outcome.problems] == ["request_under_way"]

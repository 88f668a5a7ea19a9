from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, select
from sqlalchemy.orm import Session
from support.connections import FIRST_COMPANY, TESTER, Insured, insure, seed, use_sandbox
from support.days import staying_on
from support.sandbox import RunningSandbox, running_sandbox

from insureflow.domain.connections import InboxState, Operation, OutboxState
from insureflow.domain.cover.events import Layer
from insureflow.domain.limits import LimitKind, LimitStatus
from insureflow.domain.limits.codes import CODE_OF_REQUEST
from insureflow.domain.limits.life import PendingAction, RequestOutcome, RequestState, RequestType
from insureflow.models.connections import InboxMessage, InsurerConnection, OutboxMessage
from insureflow.models.limit_requests import LimitRequest
from insureflow.sandbox.state import Cover
from insureflow.sandbox.state import seed as seed_state
from insureflow.services import connections, inbox, outbox, sync
from insureflow.services.clock import now
from insureflow.services.transaction import transaction

TODAY = now().date()
A, B = (str(FIRST_COMPANY + number) for number in range(2))


@pytest.fixture(autouse=True)
def _one_day() -> Iterator[None]:
    with staying_on(TODAY):
        yield


@pytest.fixture(scope="module")
def shared_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    with running_sandbox(tmp_path_factory.mktemp("sandbox") / "sandbox.db") as running:
        yield running


@pytest.fixture
def sandbox(app: Flask, shared_sandbox: RunningSandbox) -> RunningSandbox:
    shared_sandbox.control("reset")
    use_sandbox(app, shared_sandbox)
    shared_sandbox.control(
        "rules",
        {"rules": [{"company_id": A, "answer": "full"}, {"company_id": B, "answer": "partial", "percent": 50, "after_seconds": 3600}]},
    )
    return shared_sandbox


@pytest.fixture
def insured(sandbox: RunningSandbox, session: Session) -> Insured:
    seed(sandbox, "atradius", [{"company_id": str(FIRST_COMPANY + 2), "amount": 10_000}])
    return insure(session)


def ask(session: Session, insured: Insured, company: str, amount: int, reference: str = "IF-1", kind: RequestType = RequestType.NEW) -> int:
    """A request that was submitted, and its message; gives the key of the message."""
    with transaction(insured.organisation_id):
        request = LimitRequest(
            policy_id=insured.policy_id,
            buyer_id=insured.buyers[company],
            request_type=kind,
            layer=Layer.PRIMARY,
            kind=LimitKind.NAMED,
            state=RequestState.SUBMITTED,
            requested_minor=amount * 100,
            currency="EUR",
            asked_on=TODAY,
            own_reference=reference,
            created_at=now(),
        )
        session.add(request)
        session.flush()
        message = OutboxMessage(
            connection_id=insured.connection_id,
            limit_request_id=request.id,
            operation=Operation.REQUEST_NEW.value,
            own_reference=reference,
            payload={
                "own_reference": reference,
                "code": int(CODE_OF_REQUEST[kind]),
                "company_id": company,
                "kind": "named",
                "layer": "primary",
                "amount_minor": amount * 100,
                "currency": "EUR",
                "asked_on": TODAY.isoformat(),
                "cover_id": None,
                "is_urgent": False,
                "comment": "",
            },
            state=OutboxState.WAITING,
            next_attempt_at=now(),
            created_at=now(),
        )
        session.add(message)
        session.flush()
        return message.id


def state_of(session: Session, insured: Insured) -> tuple[OutboxMessage, LimitRequest]:
    with transaction(insured.organisation_id):
        session.expire_all()
        message = session.scalars(select(OutboxMessage)).one()
        return message, session.get_one(LimitRequest, message.limit_request_id)


def deliver(insured: Insured, *, hours: int = 0) -> dict[str, int]:
    return outbox.deliver_due(insured.organisation_id, TODAY, now() + timedelta(hours=hours)).counts()


def covers_of(sandbox: RunningSandbox, company: str) -> list[Any]:
    return [cover for cover in sandbox.sandbox.state.covers("atradius") if cover.company_id == company]


def test_a_request_decided_at_once_is_sent_once_and_closed(insured: Insured, sandbox: RunningSandbox, session: Session) -> None:
    ask(session, insured, A, 40_000)
    assert deliver(insured)["sent"] == 1
    assert deliver(insured, hours=9)["sent"] == 0
    message, request = state_of(session, insured)
    assert (message.state, request.state, request.outcome) == (OutboxState.SENT, RequestState.DECIDED, RequestOutcome.FULL)
    (decision,) = insured.decisions(insured.buyers[A])
    assert (decision.decided_minor, request.decision_id, message.insurer_reference) == (4_000_000, decision.id, request.insurer_reference)
    assert len(covers_of(sandbox, A)) == 1
    result = sync.synchronise(insured.organisation_id, insured.connection_id, TODAY, whole=True)
    assert len(insured.decisions(insured.buyers[A])) == 1, result.counts


def test_a_referred_request_is_closed_by_a_later_synchronisation(insured: Insured, sandbox: RunningSandbox, session: Session) -> None:
    ask(session, insured, B, 60_000)
    deliver(insured)
    assert state_of(session, insured)[1].state is RequestState.REFERRED
    sync.synchronise(insured.organisation_id, insured.connection_id, TODAY)
    assert state_of(session, insured)[1].state is RequestState.REFERRED
    sandbox.control("decide", {"insurer": "atradius"})
    result = sync.synchronise(insured.organisation_id, insured.connection_id, TODAY)
    assert result.counts["answers"] == 1
    _message, request = state_of(session, insured)
    assert (request.state, request.outcome) == (RequestState.DECIDED, RequestOutcome.PARTIAL)
    (decision,) = insured.decisions(insured.buyers[B])
    assert (decision.status, decision.decided_minor) == (LimitStatus.PARTLY_APPROVED, 3_000_000)


def test_the_insurers_list_answers_what_was_asked_without_a_receipt(insured: Insured, sandbox: RunningSandbox, session: Session) -> None:
    """Asked for by the insurer's portal: its list names no reference of ours, but the buyer, the amount and a day since."""
    third = str(FIRST_COMPANY + 2)
    for company, amount, reference in ((A, 40_000, "IF-1"), (B, 70_000, "IF-2"), (third, 30_000, "IF-3")):
        ask(session, insured, company, amount, reference)
    with transaction(insured.organisation_id):  # the first two went by the portal; the third is still to be sent
        session.execute(delete(OutboxMessage).where(OutboxMessage.own_reference != "IF-3"))
    sandbox.control("reset")
    seed(sandbox, "atradius", [{"company_id": A, "amount": 40_000}, {"company_id": third, "amount": 30_000}], decided_on=TODAY)
    seed_state(sandbox.sandbox.state.path, [Cover("atradius", 0, "P-1", B, "EUR", 7_000_000, TODAY.isoformat())], clock=now)

    def stand() -> list[tuple[RequestState, RequestOutcome | None]]:
        with transaction(insured.organisation_id):
            session.expire_all()
            rows = session.scalars(select(LimitRequest).order_by(LimitRequest.own_reference)).all()
            return [(row.state, row.outcome) for row in rows]

    assert sync.synchronise(insured.organisation_id, insured.connection_id, TODAY, whole=True).counts["answers"] == 1
    referred, waiting = (RequestState.REFERRED, None), (RequestState.SUBMITTED, None)
    assert stand() == [(RequestState.DECIDED, RequestOutcome.FULL), referred, waiting]
    sandbox.control("decide", {"insurer": "atradius"})
    assert sync.synchronise(insured.organisation_id, insured.connection_id, TODAY, whole=True).counts["answers"] == 1
    assert stand() == [(RequestState.DECIDED, RequestOutcome.FULL), (RequestState.DECIDED, RequestOutcome.FULL), waiting]


def test_a_lost_answer_is_looked_for_before_anything_is_sent_again(insured: Insured, sandbox: RunningSandbox, session: Session) -> None:
    ask(session, insured, A, 40_000)
    sandbox.control("faults", {"error_500": {"times": 1, "method": "POST", "after": True, "path": "covers"}})
    assert deliver(insured)["uncertain"] == 1
    message, _request = state_of(session, insured)
    assert message.state is OutboxState.UNCERTAIN
    assert message.last_error is not None
    assert deliver(insured)["sent"] == 0, "not before its pause is over"
    assert deliver(insured, hours=1) == {"sent": 1, "found": 1, "postponed": 0, "uncertain": 0, "failed": 0}
    assert len(covers_of(sandbox, A)) == 1
    assert state_of(session, insured)[1].state is RequestState.DECIDED


def test_a_message_that_never_arrived_is_sent_again(insured: Insured, sandbox: RunningSandbox, session: Session) -> None:
    ask(session, insured, A, 40_000)
    sandbox.control("faults", {"error_500": {"times": 1, "method": "POST", "path": "covers"}})
    assert deliver(insured)["uncertain"] == 1
    assert covers_of(sandbox, A) == []
    assert deliver(insured, hours=1)["found"] == 0
    assert len(covers_of(sandbox, A)) == 1


def test_a_process_that_dies_between_sending_and_recording_sends_nothing_twice(
    insured: Insured, sandbox: RunningSandbox, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def die(*_arguments: object) -> None:
        raise Killed

    ask(session, insured, A, 40_000)
    with monkeypatch.context() as dying:
        dying.setattr(outbox, "_record", die)
        with pytest.raises(Killed):
            deliver(insured)
    assert state_of(session, insured)[0].state is OutboxState.SENDING
    assert deliver(insured)["sent"] == 0, "its sender may still live"
    assert deliver(insured, hours=1) == {"sent": 1, "found": 1, "postponed": 0, "uncertain": 0, "failed": 0}
    assert len(covers_of(sandbox, A)) == 1
    assert len(insured.decisions(insured.buyers[A])) == 1


def test_an_insurer_that_asks_to_wait_is_not_asked_earlier(insured: Insured, sandbox: RunningSandbox, session: Session) -> None:
    ask(session, insured, A, 40_000)
    sandbox.control("faults", {"too_many_requests": {"times": 1, "retry_after": 900}})
    assert deliver(insured)["postponed"] == 1
    message, _request = state_of(session, insured)
    assert message.state is OutboxState.WAITING
    assert timedelta(seconds=880) < message.next_attempt_at - now() <= timedelta(seconds=900)


def test_what_the_insurer_refuses_waits_for_a_person(insured: Insured, sandbox: RunningSandbox, session: Session) -> None:
    key = ask(session, insured, A, 40_500)
    assert deliver(insured)["failed"] == 1
    message, request = state_of(session, insured)
    assert (message.state, request.pending_action) == (OutboxState.FAILED, PendingAction.SENDING_FAILED)
    assert message.last_error is not None
    assert message.last_error["code"] == "amount_step"
    assert deliver(insured, hours=100)["failed"] == 0
    assert outbox.retry(TESTER, insured.organisation_id, key).state is OutboxState.UNCERTAIN
    assert deliver(insured)["failed"] == 1
    assert outbox.withdraw_message(TESTER, insured.organisation_id, key).state is OutboxState.WITHDRAWN


def test_wrong_credentials_stop_the_connection_and_keep_the_message(insured: Insured, sandbox: RunningSandbox, session: Session) -> None:
    ask(session, insured, A, 40_000)
    with transaction(insured.organisation_id):
        row = session.scalars(select(InsurerConnection)).one()
        setup = connections.Setup("atradius", "sandbox", policy_key=row.policy_key, credentials={"secret": "wrong-one"})
    connections.change_connection(TESTER, insured.organisation_id, insured.connection_id, setup)
    assert deliver(insured)["postponed"] == 1
    assert deliver(insured, hours=100)["postponed"] == 0
    with transaction(insured.organisation_id):
        row = session.scalars(select(InsurerConnection).execution_options(populate_existing=True)).one()
        assert row.stopped_because is not None
        assert row.stopped_because["code"] == "credentials_refused"
        setup = connections.Setup("atradius", "sandbox", policy_key=row.policy_key, credentials={"secret": "hidden-secret-right"})
    connections.change_connection(TESTER, insured.organisation_id, insured.connection_id, setup)
    assert deliver(insured, hours=1)["sent"] == 1


def test_pushes_in_any_order_and_number_lead_to_the_truth_once(sandbox: RunningSandbox, session: Session) -> None:
    seed(sandbox, "allianz_trade", [{"company_id": A, "amount": 50_000}, {"company_id": B, "amount": 20_000}], TODAY - timedelta(days=30))
    insured = insure(session, connector="allianz_trade")
    sync.synchronise(insured.organisation_id, insured.connection_id, TODAY, whole=True)
    assert insured.limits() == {A: 50_000, B: 20_000}
    address = connections.take_pushes(
        TESTER, insured.organisation_id, insured.connection_id, "X-Push", lambda key: f"https://us.example/push/acme/{key}"
    )
    push_key = address.rpartition("/")[2]
    cover = next(each for each in sandbox.sandbox.state.covers("allianz_trade") if each.company_id == A)
    pushes = [json.dumps({"coverId": str(cover.cover_id), "n": number}).encode() for number in range(3)]
    for percent in (80, 50):
        sandbox.control("cut", {"insurer": "allianz_trade", "company_id": A, "percent": percent})
    for body in (pushes[2], pushes[0], pushes[2], pushes[1], pushes[0]):
        inbox.receive("acme", push_key, {"Content-Type": "application/json"}, body)
    assert inbox.process_due(insured.organisation_id, TODAY) == {"applied": 3, "rejected": 0, "waiting": 0}
    assert inbox.process_due(insured.organisation_id, TODAY) == {"applied": 0, "rejected": 0, "waiting": 0}
    assert insured.limits() == {A: 20_000, B: 20_000}
    assert len(insured.decisions(insured.buyers[A])) == 2
    with transaction(insured.organisation_id):
        rows = session.scalars(select(InboxMessage).order_by(InboxMessage.id)).all()
        assert [(row.state, row.repeated) for row in rows] == [(InboxState.APPLIED, 1), (InboxState.APPLIED, 1), (InboxState.APPLIED, 0)]
    sync.synchronise(insured.organisation_id, insured.connection_id, TODAY, whole=True)
    assert len(insured.decisions(insured.buyers[A])) == 2

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session
from support.connections import FIRST_COMPANY, TESTER, Insured, insure, seed, use_sandbox
from support.days import staying_on
from support.sandbox import RunningSandbox, running_sandbox

from insureflow.domain.connections import SyncState
from insureflow.domain.limits import LimitStatus
from insureflow.domain.limits.life import RequestState, RequestType
from insureflow.models.buyers import InsurerIdentity
from insureflow.models.connections import InsurerConnection, InsurerExchange, SyncRun
from insureflow.models.database import db
from insureflow.models.journal import JournalEntry
from insureflow.models.limit_requests import LimitRequest
from insureflow.models.work_items import WorkItem
from insureflow.queries import connections as queries
from insureflow.services import connections, limits, sync
from insureflow.services.clock import now
from insureflow.services.limits import NewDecision
from insureflow.services.transaction import transaction

TODAY = now().date()
LAST_MONTH = TODAY - timedelta(days=30)
A, B, C = (str(FIRST_COMPANY + number) for number in range(3))


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
    return shared_sandbox


@pytest.fixture
def insured(sandbox: RunningSandbox, session: Session) -> Insured:
    seed(sandbox, "atradius", [{"company_id": A, "amount": 50_000}, {"company_id": B, "amount": 80_000, "requested": 90_000}], LAST_MONTH)
    return insure(session)


def run(insured: Insured, *, whole: bool = True) -> sync.SyncResult:
    return sync.synchronise(insured.organisation_id, insured.connection_id, TODAY, whole=whole)


def test_the_first_brings_everything_and_the_second_changes_nothing(insured: Insured, session: Session) -> None:
    first = run(insured)
    assert (first.state, first.is_whole, first.error) == (SyncState.DONE, True, None)
    assert first.counts["recorded"] == 2
    assert insured.limits() == {A: 50_000, B: 80_000}
    one, two = insured.decisions()
    assert (one.status, two.status) == (LimitStatus.APPROVED, LimitStatus.PARTLY_APPROVED)
    assert (one.source, one.decided_on, one.rate) == ("atradius", LAST_MONTH, 1)
    with transaction(insured.organisation_id):
        entries = session.scalars(select(JournalEntry).where(JournalEntry.action == "limits.synchronised")).all()
        assert [len(entry.after["limits"]) for entry in entries if entry.after] == [2]
        assert session.scalars(select(InsurerConnection)).one().last_good_sync_at is not None
        exchanges = session.scalars(select(InsurerExchange)).all()
        assert {exchange.operation for exchange in exchanges} >= {"token", "list_covers"}
        assert not any("hidden" in text for each in exchanges for text in (each.request, each.reply, each.address))
    second = run(insured)
    assert (second.counts["recorded"], second.counts["unchanged"], second.counts["same"]) == (0, 2, 0)
    assert len(insured.decisions()) == 2
    with transaction(insured.organisation_id):
        assert session.scalar(select(func.count(SyncRun.id)).where(SyncRun.state == SyncState.DONE)) == 2
    assert insured.differences() == {}


def test_a_request_that_the_insurer_does_not_know_keeps_nothing_else_away(sandbox: RunningSandbox, session: Session) -> None:
    seed(sandbox, "allianz_trade", [{"company_id": A, "amount": 50_000}], LAST_MONTH)
    insured = insure(session, connector="allianz_trade")
    run(insured)
    with transaction(insured.organisation_id):
        decision = insured.decisions()[0]
        session.add(
            LimitRequest(
                policy_id=decision.policy_id,
                buyer_id=decision.buyer_id,
                request_type=RequestType.INCREASE,
                layer=decision.layer,
                kind=decision.kind,
                state=RequestState.REFERRED,
                requested_minor=70_000_00,
                currency=decision.currency,
                asked_on=TODAY,
                own_reference="IFGONE",
                insurer_reference="no-such-cover",
                created_at=now(),
            )
        )
    sandbox.control("cut", {"insurer": "allianz_trade", "company_id": A, "amount": 20_000})
    result = run(insured)
    assert (result.state, result.error, result.is_whole) == (SyncState.DONE, None, True)
    assert (result.counts["recorded"], result.counts["unreadable"]) == (1, 1)
    assert insured.decisions()[-1].decided_minor == 20_000_00
    ((name, difference),) = insured.differences().items()
    assert name == ("unreadable", "request/IFGONE")
    assert (difference.buyer_id, difference.theirs["problem"]) == (insured.buyers[A], "insurer_refuses")
    assert (difference.theirs["cover_id"], difference.theirs["parameters"]["status"]) == ("no-such-cover", "404")
    assert run(insured).state is SyncState.DONE
    assert list(insured.differences()) == [name]
    with transaction(insured.organisation_id):
        session.scalars(select(LimitRequest)).one().state = RequestState.CANCELLED
    run(insured)
    assert insured.differences() == {}


def test_a_limit_shown_at_nothing_has_ended(sandbox: RunningSandbox, session: Session) -> None:
    seed(sandbox, "allianz_trade", [{"company_id": A, "amount": 50_000}, {"company_id": B, "amount": 30_000}], LAST_MONTH)
    insured = insure(session, connector="allianz_trade")
    run(insured)
    sandbox.control("withdraw", {"insurer": "allianz_trade", "company_id": A})
    assert run(insured).counts["cuts"] == 1
    last = insured.decisions(insured.buyers[A])[-1]
    assert (last.status, last.decided_minor, last.decided_on, last.effective_on) == (LimitStatus.WITHDRAWN, None, TODAY, TODAY)
    assert run(insured).counts["recorded"] == 0
    sync.reconcile(insured.organisation_id, insured.connection_id, TODAY)
    assert (insured.differences(), insured.limits()) == ({}, {A: 0, B: 30_000})


def test_a_part_without_news_costs_a_handful_of_statements(sandbox: RunningSandbox, session: Session) -> None:
    seed(sandbox, "atradius", [{"company_id": str(FIRST_COMPANY + n), "amount": 10_000 + n} for n in range(400)], LAST_MONTH)
    insured = insure(session, buyers=400)
    run(insured)
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        result = run(insured)
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    assert result.counts["unchanged"] == 400
    assert len(statements) < 50, "\n".join(statements)


def test_a_cut_is_recorded_with_the_run_off_it_meets(insured: Insured, sandbox: RunningSandbox, session: Session) -> None:
    run(insured)
    sandbox.control("cut", {"insurer": "atradius", "company_id": A, "amount": 20_000})
    result = run(insured)
    assert (result.counts["recorded"], result.counts["cuts"]) == (1, 1)
    assert insured.limits() == {A: 20_000, B: 80_000}
    assert insured.decisions(insured.buyers[A])[-1].status is LimitStatus.REDUCED
    with transaction(insured.organisation_id):
        (work,) = session.scalars(select(WorkItem).where(WorkItem.kind == "limit_cut"))
        assert work.buyer_id == insured.buyers[A]
        assert work.facts["before"] == {"amount": "50000.00", "currency": "EUR"}
        assert work.facts["after"] == {"amount": "20000.00", "currency": "EUR"}
        assert work.facts["open"] == {"amount": "0.00", "currency": "EUR"}
    run(insured)
    assert len(insured.decisions(insured.buyers[A])) == 2


@pytest.mark.parametrize("days", [0, 10])
def test_a_withdrawal_ends_the_limit_on_its_day(insured: Insured, sandbox: RunningSandbox, days: int) -> None:
    run(insured)
    effective_on = TODAY + timedelta(days=days)
    sandbox.control("withdraw", {"insurer": "atradius", "company_id": A, **({"effective_on": effective_on.isoformat()} if days else {})})
    run(insured, whole=not days)  # what has ended is in no whole list; it must be heard of all the same
    last = insured.decisions(insured.buyers[A])[-1]
    assert (last.status, last.effective_on) == (LimitStatus.WITHDRAWN, effective_on)
    count = len(insured.decisions())
    run(insured, whole=False)
    run(insured)
    assert len(insured.decisions()) == count
    assert insured.limits() == {A: 0, B: 80_000}


def test_the_insurers_grade_is_kept_and_its_change_decides_nothing(insured: Insured, sandbox: RunningSandbox, session: Session) -> None:
    def grades() -> list[tuple[str, str, str]]:
        with transaction(insured.organisation_id):
            found = queries.grades_of_buyer(insured.buyers[A])
            assert all(each.read_at is not None for each in found)
            return [(each.policy_number, each.grade, each.grade_class) for each in found]

    sandbox.control("settings", {"ratings": {A: 45}})
    run(insured)
    assert grades() == [("P-1", "45", "5")]
    sandbox.control("settings", {"ratings": {A: 82}})
    assert run(insured).counts["recorded"] == 0
    assert grades() == [("P-1", "82", "9")]
    assert insured.limits() == {A: 50_000, B: 80_000}


def test_a_limit_the_insurer_does_not_show_stays_and_is_explained(insured: Insured, sandbox: RunningSandbox, session: Session) -> None:
    buyer = insured.buyers[C]
    limits.record_decision(TESTER, insured.organisation_id, NewDecision(buyer, insured.policy_id, 3_000_000, "EUR", LAST_MONTH), TODAY)
    run(insured)
    found = insured.differences()
    assert list(found) == [("missing_there", f"limit/{buyer}/primary")]
    assert found["missing_there", f"limit/{buyer}/primary"].ours["decided"] == {"amount": "30000.00", "currency": "EUR"}
    assert insured.limits()[C] == 30_000
    seed(sandbox, "atradius", [{"company_id": C, "amount": 30_000}], LAST_MONTH)
    run(insured)
    assert insured.differences() == {}
    assert len(insured.decisions(buyer)) == 1, "the insurer's word for the same limit is no second decision"


def test_half_a_list_proves_nothing(insured: Insured, sandbox: RunningSandbox, session: Session) -> None:
    run(insured)
    sandbox.control("faults", {"half_page": {}})
    result = run(insured)
    assert (result.state, result.is_whole) == (SyncState.PARTLY, False)
    assert insured.differences() == {}
    assert insured.limits() == {A: 50_000, B: 80_000}


def test_what_a_person_entered_later_stays_until_the_insurer_says_something_newer(insured: Insured, sandbox: RunningSandbox) -> None:
    buyer = insured.buyers[A]
    newer = NewDecision(buyer, insured.policy_id, 6_000_000, "EUR", TODAY - timedelta(days=2), source="manual")
    limits.record_decision(TESTER, insured.organisation_id, newer, TODAY)
    result = run(insured)
    assert result.counts["differences"] == 1
    ((kind, _subject), difference) = next(iter(insured.differences().items()))
    assert kind == "manual_kept"
    assert (difference.ours["decided"]["amount"], difference.theirs["decided"]["amount"]) == ("60000.00", "50000.00")
    assert insured.limits()[A] == 60_000
    sync.keep_ours(TESTER, insured.organisation_id, difference.id, "Raised by letter, their list follows")
    sync.reconcile(insured.organisation_id, insured.connection_id, TODAY)
    assert insured.differences() == {}, "settled by a person, and nothing has changed since"
    sandbox.control("cut", {"insurer": "atradius", "company_id": A, "amount": 40_000})
    run(insured)
    assert insured.limits()[A] == 40_000
    assert insured.differences() == {}


def test_the_insurers_word_can_be_taken(insured: Insured) -> None:
    buyer = insured.buyers[A]
    newer = NewDecision(buyer, insured.policy_id, 6_000_000, "EUR", TODAY - timedelta(days=2), source="manual")
    limits.record_decision(TESTER, insured.organisation_id, newer, TODAY)
    unlisted = NewDecision(insured.buyers[C], insured.policy_id, 1_000_000, "EUR", LAST_MONTH)
    limits.record_decision(TESTER, insured.organisation_id, unlisted, TODAY)
    run(insured)
    for difference in list(insured.differences().values()):
        sync.accept_theirs(TESTER, insured.organisation_id, difference.id, TODAY)
    assert insured.limits() == {A: 50_000, B: 80_000, C: 0}
    run(insured)
    assert sync.reconcile(insured.organisation_id, insured.connection_id, TODAY)["differences"] == 0
    assert insured.differences() == {}


def test_an_unknown_company_waits_for_a_person_and_is_then_applied(insured: Insured, sandbox: RunningSandbox, session: Session) -> None:
    seed(sandbox, "atradius", [{"company_id": "7999999", "amount": 70_000, "company_name": "Buyer 000002"}], LAST_MONTH)
    run(insured)
    assert [kind for kind, _subject in insured.differences()] == ["buyer_unknown"], "a name proves nothing"
    with transaction(insured.organisation_id):
        session.add(InsurerIdentity(buyer_id=insured.buyers[C], insurer="atradius", number="7999999"))
    run(insured)
    assert insured.differences() == {}
    assert insured.limits()[C] == 70_000


@pytest.mark.parametrize(
    ("fault", "code"), [("error_500", "insurer_fails"), ("broken_json", "reply_unreadable"), ("too_many_requests", "too_many_requests")]
)
def test_a_failing_insurer_changes_nothing_and_is_asked_again_later(
    insured: Insured, sandbox: RunningSandbox, session: Session, fault: str, code: str
) -> None:
    sandbox.control("faults", {fault: {"times": 1000}})
    result = run(insured)
    assert result.state is SyncState.FAILED
    assert result.error is not None
    assert result.error.code == code
    assert insured.decisions() == []
    assert sync.due_connections(insured.organisation_id, now()) == []
    assert sync.due_connections(insured.organisation_id, now() + timedelta(hours=7)) == [insured.connection_id]
    sandbox.control("faults", {}, method="DELETE")
    assert run(insured).state is SyncState.DONE
    assert insured.limits() == {A: 50_000, B: 80_000}


def test_refused_credentials_stop_a_connection_until_a_person_acts(insured: Insured, session: Session) -> None:
    with transaction(insured.organisation_id):
        setup = connections.Setup(
            "atradius", "sandbox", policy_key={"customer_id": "4711", "policy_id": "P-1"}, credentials={"app_key": ""}
        )
    connections.change_connection(TESTER, insured.organisation_id, insured.connection_id, setup)
    assert run(insured).state is SyncState.DONE, "a credential that is not given keeps its value"

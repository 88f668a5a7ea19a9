"""What is particular to Atradius: no references in the lists, second amounts, pending cancellations, headers, a policy that is not live."""

from __future__ import annotations

import http.client
from datetime import date
from pathlib import Path

import pytest
from support.insurers import APPROVED, Case
from support.sandbox import RunningSandbox

from insureflow.connectors.insurers.interface import CompanyQuery, ItemFailed, StopSync
from insureflow.domain.connections import Operation
from insureflow.domain.limits import LimitKind
from insureflow.domain.limits.codes import CoverRequestCode, CoverResponseCode
from insureflow.domain.limits.life import PendingAction
from insureflow.domain.money import Money


@pytest.fixture
def case(running: RunningSandbox) -> Case:
    return Case("atradius", running)


def test_without_references_a_request_is_known_by_what_it_asked_for(case: Case) -> None:
    case.control("settings", hides_references=True)
    message = case.message(200_000)
    assert case.connector.find_request(case.connection(), message) is None
    receipt = case.submit(message)
    found = case.connector.find_request(case.connection(), message)
    assert found == receipt
    assert case.connector.find_request(case.connection(), case.message(201_000)) is None
    case.pass_time()
    cancellation = case.message(None, code=CoverRequestCode.CANCELLATION, cover_id=receipt.reference)
    assert case.connector.find_request(case.connection(), cancellation) is None
    case.submit(cancellation)
    assert case.connector.find_request(case.connection(), cancellation) is not None


def test_a_second_amount_for_a_while_is_a_temporary_limit(case: Case) -> None:
    case.control("rules", rules=[{"above": 1000, "answer": "full", "second_amount": 20_000, "second_days": 30}])
    case.submit(case.message(50_000))
    base, whole = case.listed(APPROVED)
    assert (base.kind, base.decided, base.valid_to) == (LimitKind.NAMED, Money.of(50_000, "EUR"), None)
    assert (whole.kind, whole.decided, whole.cover_id) == (LimitKind.TEMPORARY, Money.of(70_000, "EUR"), f"{base.cover_id}/2")
    assert whole.valid_to is not None


def test_a_cancellation_that_takes_time_is_pending(case: Case) -> None:
    cover = case.in_force()
    case.control("settings", cancel_after_seconds=600)
    case.submit(case.message(None, code=CoverRequestCode.CANCELLATION, cover_id=cover.cover_id))
    (pending,) = case.listed(APPROVED)
    assert (pending.pending, pending.decided) == (PendingAction.CANCELLATION_PENDING, Money.of(50_000, "EUR"))
    case.pass_time(700)
    assert case.listed(APPROVED) == []


def test_a_credit_check_has_no_amount_of_ours(case: Case) -> None:
    checked = case.poll(case.submit(case.message(None, kind=LimitKind.CREDIT_CHECK)))
    assert (checked.kind, checked.requested, checked.decided) == (LimitKind.CREDIT_CHECK, None, Money.of(15_000, "EUR"))


def test_an_application_given_up_decides_nothing(case: Case) -> None:
    receipt = case.submit(case.message(200_000))
    case.submit(case.message(None, code=CoverRequestCode.CANCELLATION, cover_id=receipt.reference))
    ended = case.poll(receipt)
    assert (ended.response, ended.decided) == (CoverResponseCode.CANCELLED, None)


def test_a_policy_without_the_list_of_ended_covers_can_be_read(case: Case) -> None:
    case.in_force()
    case.running.exchanges.clear()
    assert case.connector.find_request(case.connection(options={"historic": "off"}), case.message()) is None
    assert {each.operation for each in case.running.exchanges} == {"list_applications", "list_decisions", "list_covers"}


def test_registers_without_a_known_type_are_not_guessed(case: Case) -> None:
    query = CompanyQuery("SE", (("registration", "5560360793"),))
    with pytest.raises(ItemFailed, match="identifier_needed"):
        case.connector.find_companies(case.connection(), query)
    (match,) = case.connector.find_companies(case.connection(options={"uid_type.SE": "NRN"}), query)
    assert match.country == "SE"
    assert case.connector.find_companies(case.connection(), CompanyQuery("FR", (("registration", "552100000"),))) == ()


def test_a_policy_in_another_currency_stops(case: Case) -> None:
    assert Operation.REQUEST_CANCELLATION in case.connector.capabilities(case.connection())
    with pytest.raises(StopSync, match="policy_currency_differs"):
        case.connector.capabilities(case.connection(policy_currency="SEK"))


def test_the_gate_answers_as_the_real_one_does(case: Case) -> None:
    def status(path: str, headers: dict[str, str]) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", case.running.port)
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse().status
        connection.close()
        return answer

    keys = {"Atradius-App-Key": "a", "Atradius-Correlation-Id": "b"}
    covers = "/atradius/credit-insurance/cover-management/v1/covers"
    assert status("/atradius/wrong", keys) == 403
    assert status(covers, keys) == 401
    assert status(covers, {}) == 400
    token = case.running.sandbox.state.issue_token("atradius", 1800)
    bearer = {**keys, "Authorization": f"Bearer {token}"}
    assert status(f"{covers}?customerId=1", bearer) == 200
    assert status(f"{covers}?customerId=1&pageSize=5", bearer) == 400
    case.pass_time(1800)
    assert status(f"{covers}?customerId=1", bearer) == 401


def test_the_controls_are_for_this_machine_alone(case: Case) -> None:
    client = case.running.sandbox.app.test_client()
    assert client.get("/control/state").status_code == 200
    assert client.get("/control/state", environ_base={"REMOTE_ADDR": "192.0.2.7"}).status_code == 403
    assert client.get("/control/state", headers={"Host": "insurer.example"}).status_code == 403
    assert client.get("/control/state", headers={"X-Forwarded-For": "192.0.2.7"}).status_code == 403
    assert client.post("/control/reset", data="{}", content_type="text/plain").status_code == 415
    for path, body in (("faults", {"nonsense": {}}), ("settings", {"nonsense": 1}), ("rules", {"rules": [{"nonsense": 1}]}), ("seed", {})):
        assert client.post(f"/control/{path}", json=body).status_code == 422
    assert client.post("/control/decide", json=[]).status_code == 422


def test_a_restart_forgets_nothing(case: Case, tmp_path: Path) -> None:
    from datetime import UTC, datetime

    from support.sandbox import running_sandbox

    path = tmp_path / "kept.db"
    for expected in (0, 3):
        with running_sandbox(path, clock=lambda: datetime(2026, 11, 2, tzinfo=UTC)) as running:
            again = Case("atradius", running)
            assert sum(len(page.covers) for page in again.pages()) == expected
            if not expected:
                again.seed(3)
                again.pass_time(86_400)
            assert running.sandbox.state.today() == date(2026, 11, 3)

"""Connectors that offer little: what they offer works, everything else is refused before anything is sent."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator
from datetime import date

import pytest
from support.insurers import Case
from support.sandbox import ADDRESSES, LISTING, RunningSandbox

from insureflow.connectors.insurers import registry
from insureflow.connectors.insurers.cofaserve import REFUSED
from insureflow.connectors.insurers.interface import CompanyQuery, ItemFailed, NotSupported, StopSync, TryLater
from insureflow.connectors.insurers.known import KNOWN, KnownInsurer
from insureflow.domain.connections import Operation
from insureflow.domain.limits import LimitKind
from insureflow.domain.limits.codes import CoverRequestCode

NARROW = sorted(set(ADDRESSES) - set(LISTING))
OFFERED = {"cofaserve": {Operation.FIND_COMPANY}, "file_exchange": set(), "manual": set()}
GERMAN = CompanyQuery("DE", (("vat", "DE136695976"),), "Alpha")


@pytest.fixture(params=NARROW)
def narrow(request: pytest.FixtureRequest, running: RunningSandbox) -> Case:
    return Case(request.param, running)


@pytest.fixture
def coface(running: RunningSandbox) -> Iterator[Case]:
    REFUSED.clear()
    yield Case("cofaserve", running)
    REFUSED.clear()


def test_every_connector_is_held_to_a_contract() -> None:
    assert set(registry.CONNECTORS) == set(ADDRESSES)


@pytest.mark.parametrize("insurer", [each for each in KNOWN if each.operations], ids=lambda each: each.key)
def test_what_the_table_says_of_an_insurer_is_what_its_connector_offers(running: RunningSandbox, insurer: KnownInsurer) -> None:
    case = Case(insurer.connector, running)
    connection = case.connection(options={"push": "on", "push_header": "X-Push", "push_url": "https://example.com/"})
    assert case.connector.capabilities(connection) == set(insurer.operations)
    assert case.connector.confidence is insurer.confidence


def test_what_is_not_offered_is_refused_and_nothing_is_sent(narrow: Case) -> None:
    connector, connection = narrow.connector, narrow.connection()
    assert connector.capabilities(connection) == OFFERED[narrow.key]
    assert connector.key == narrow.key
    assert connector.name
    codes = (CoverRequestCode.NEW_LIMIT, CoverRequestCode.INCREASE, CoverRequestCode.REDUCTION, CoverRequestCode.CANCELLATION)
    calls: dict[Operation, Callable[[], object]] = {
        Operation.FIND_COMPANY: lambda: connector.find_companies(connection, GERMAN),
        Operation.FIND_REQUEST: lambda: connector.find_request(connection, narrow.message()),
        Operation.POLL_REQUESTS: lambda: connector.poll(connection, ("1",)),
        Operation.LIST_COVERS: lambda: list(connector.list_covers(connection)),
        Operation.LIST_CHANGES: lambda: list(connector.list_changes(connection, date(2026, 1, 1))),
        Operation.RECEIVE_PUSH: lambda: connector.read_push(connection, {}, b"{}"),
    }
    narrow.running.exchanges.clear()
    for operation, call in calls.items():
        if operation not in OFFERED[narrow.key]:
            with pytest.raises(NotSupported) as caught:
                call()
            assert caught.value.parameters["operation"] is operation
    for code in codes:
        narrow.refuses(narrow.message(code=code))
    narrow.refuses(narrow.message(kind=LimitKind.CREDIT_CHECK))
    assert narrow.running.exchanges == []


def test_coface_finds_a_company_by_its_number(coface: Case) -> None:
    company = {"company_id": "30000001", "name": "Alpha Metallbau GmbH", "country": "DE", "city": "Bonn", "numbers": {"VAT": "DE136695976"}}
    coface.control("seed", insurer="cofaserve", companies=[company])
    (match,) = coface.connector.find_companies(coface.connection(), GERMAN)
    assert (match.company_id, match.name, match.city, match.scheme) == ("30000001", "Alpha Metallbau GmbH", "Bonn", "coface_easy_number")
    assert match.is_exact
    assert coface.connector.find_companies(coface.connection(), CompanyQuery("DE", (("vat", "DE000"),))) == ()
    seen = CompanyQuery("EC", (("vat", "1790016919001"),))
    assert len(coface.connector.find_companies(coface.connection(), seen)) == 1
    with pytest.raises(ItemFailed, match="identifier_needed"):
        coface.connector.find_companies(coface.connection(), CompanyQuery("FR", (("vat", "FR1"),)))
    with pytest.raises(NotSupported):
        coface.connector.find_companies(coface.connection(options={"environment": "test"}), GERMAN)
    coface.fault("broken_json")
    with pytest.raises(TryLater, match="reply_unreadable"):
        coface.connector.find_companies(coface.connection(), GERMAN)
    coface.pass_time(4000)
    assert coface.connector.find_companies(coface.connection(), GERMAN)
    secrets = set(coface.connection().credentials.values())
    recorded = "\n".join(f"{each.request}{each.reply}{each.address}" for each in coface.running.exchanges)
    assert not [secret for secret in secrets if secret in recorded or json.dumps(secret)[1:-1] in recorded]


def test_one_refused_log_in_is_the_last_for_a_while(coface: Case) -> None:
    wrong = {"credentials": {"api_key": "hidden-api-key", "username": "hidden-user", "password": "wrong-password"}}
    with pytest.raises(StopSync, match="credentials_refused"):
        coface.connector.capabilities(coface.connection(**wrong))
    for _ in range(8):
        with pytest.raises(StopSync, match="log_in_refused_before"):
            coface.connector.capabilities(coface.connection(**wrong))
    assert len(coface.running.exchanges) == 1
    assert coface.connector.capabilities(coface.connection()) == {Operation.FIND_COMPANY}
    with pytest.raises(StopSync, match="policy_key_missing"):
        coface.connector.capabilities(coface.connection(policy_key={}))
    with pytest.raises(StopSync, match="credential_missing"):
        coface.connector.capabilities(coface.connection(credentials={}))


def test_the_account_is_locked_after_five_failures_and_longer_each_time(coface: Case) -> None:
    def log_in(password: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", coface.running.port)
        body = json.dumps({"username": "u", "password": password, "grantType": "password"})
        headers = {"Content-Type": "application/json", "x-api-key": "k", "X-COF-Policy-Number": "P-1"}
        connection.request("POST", "/cofaserve/authentication/v1/token", body, headers)
        status = connection.getresponse().status
        connection.close()
        return status

    assert [log_in("wrong") for _ in range(5)] == [401] * 5
    assert log_in("right") == 423
    coface.pass_time(1.5)
    assert log_in("wrong") == 401
    coface.pass_time(1)
    assert log_in("right") == 423
    coface.pass_time(1.5)
    assert log_in("right") == 200

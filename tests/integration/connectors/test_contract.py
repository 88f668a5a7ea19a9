"""What every connector must do, over real HTTP against the sandbox insurer that speaks its language."""

from __future__ import annotations

import json
import threading
from datetime import UTC, date, datetime, timedelta

import pytest
from support.insurers import APPROVED, CONDITIONAL, REFUSED, Case
from support.listener import listening

from insureflow.connectors.insurers.interface import (
    AnswerLost,
    CompanyQuery,
    ConnectorError,
    ItemFailed,
    NotSupported,
    StopSync,
    TryLater,
)
from insureflow.domain.connections import Operation
from insureflow.domain.limits import LimitKind
from insureflow.domain.limits.codes import CoverRequestCode, CoverResponseCode
from insureflow.domain.limits.life import PendingAction
from insureflow.domain.money import Money


def eur(amount: int) -> Money:
    return Money.of(amount, "EUR")


def test_a_connector_says_what_it_is(case: Case) -> None:
    connector = case.connector
    assert connector.key == case.key
    assert connector.name
    assert connector.company_scheme
    for addresses in connector.default_addresses.values():
        assert set(connector.address_names) <= set(addresses)
        assert all(address.startswith("https://") for address in addresses.values())
    assert {Operation.REQUEST_NEW, Operation.LIST_COVERS, Operation.FIND_REQUEST} <= connector.capabilities(case.connection())


def test_a_company_is_found_by_its_number(case: Case) -> None:
    if not case.offers(Operation.FIND_COMPANY):
        with pytest.raises(NotSupported):
            case.connector.find_companies(case.connection(), CompanyQuery("DE", (("vat", "DE136695976"),)))
        return
    company = {"company_id": "30000001", "name": "Alpha Metallbau GmbH", "country": "DE", "city": "Bonn", "numbers": {"VAT": "DE136695976"}}
    case.control("seed", insurer=case.key, companies=[company])
    (match,) = case.connector.find_companies(case.connection(), CompanyQuery("DE", (("vat", "DE136695976"),), "Alpha"))
    assert (match.company_id, match.name, match.country, match.city) == ("30000001", "Alpha Metallbau GmbH", "DE", "Bonn")
    assert match.is_exact
    assert match.scheme == case.connector.company_scheme


def test_small_limits_are_decided_at_once(case: Case) -> None:
    receipt = case.submit(case.message(50_000))
    cover = case.poll(receipt)
    assert (cover.response, cover.requested, cover.decided) == (CoverResponseCode.APPROVED, eur(50_000), eur(50_000))
    assert cover.company_id == APPROVED
    assert cover.kind is LimitKind.NAMED
    assert cover.effective_on is not None
    assert cover.decided_on is not None
    assert [each.cover_id for each in case.listed(APPROVED)] == [cover.cover_id]


def test_large_limits_are_studied_and_then_decided_in_full_or_in_part(case: Case) -> None:
    full, partial = case.submit(case.message(200_000)), case.submit(case.message(1_000_000, "10000002"))
    assert full.cover is None
    studied = case.poll(full)
    assert (studied.response, studied.decided) == (CoverResponseCode.STILL_INVESTIGATING, None)
    case.pass_time()
    assert (case.poll(full).response, case.poll(full).decided) == (CoverResponseCode.APPROVED, eur(200_000))
    assert (case.poll(partial).response, case.poll(partial).decided) == (CoverResponseCode.PARTLY, eur(600_000))


def test_a_refusal_and_conditions_are_told_apart(case: Case) -> None:
    refused = case.poll(case.submit(case.message(50_000, REFUSED)))
    assert (refused.response, refused.decided) == (CoverResponseCode.NOT_APPROVED, eur(0))
    conditional = case.poll(case.submit(case.message(50_000, CONDITIONAL)))
    assert conditional.decided == eur(50_000)
    assert conditional.response in {CoverResponseCode.CONDITIONAL, CoverResponseCode.APPROVED}
    assert bool(conditional.conditions) == (conditional.response is CoverResponseCode.CONDITIONAL)


def test_an_increase_replaces_the_limit_when_it_is_decided(case: Case) -> None:
    cover = case.in_force(50_000)
    message = case.message(200_000, code=CoverRequestCode.INCREASE, cover_id=cover.cover_id)
    if not case.offers(Operation.REQUEST_INCREASE):
        case.refuses(message)
        return
    receipt = case.submit(message)
    assert case.poll(receipt).response is CoverResponseCode.STILL_INVESTIGATING
    assert [each.decided for each in case.listed(APPROVED)] == [eur(50_000)]
    case.pass_time()
    assert case.poll(receipt).decided == eur(200_000)
    assert [each.decided for each in case.listed(APPROVED)] == [eur(200_000)]


def test_a_refused_increase_leaves_the_limit_as_it_is(case: Case) -> None:
    cover = case.in_force(50_000)
    if not case.offers(Operation.REQUEST_INCREASE):
        return
    case.control("rules", rules=[{"company_id": APPROVED, "answer": "refused"}])
    receipt = case.submit(case.message(80_000, code=CoverRequestCode.INCREASE, cover_id=cover.cover_id))
    answer = case.poll(receipt)
    assert answer.decided in {None, eur(50_000)}
    assert answer.response is not CoverResponseCode.STILL_INVESTIGATING
    assert [each.decided for each in case.listed(APPROVED)] == [eur(50_000)]


def test_a_reduction_and_a_cancellation_take_effect(case: Case) -> None:
    cover = case.in_force(80_000)
    reduction = case.message(30_000, code=CoverRequestCode.REDUCTION, cover_id=cover.cover_id)
    if case.offers(Operation.REQUEST_REDUCTION):
        assert case.poll(case.submit(reduction)).decided == eur(30_000)
        assert [each.decided for each in case.listed(APPROVED)] == [eur(30_000)]
    else:
        case.refuses(reduction)
    cancellation = case.message(None, code=CoverRequestCode.CANCELLATION, cover_id=cover.cover_id)
    if case.offers(Operation.REQUEST_CANCELLATION):
        ended = case.poll(case.submit(cancellation))
        assert (ended.response, ended.decided) == (CoverResponseCode.CANCELLED, eur(0))
        assert all(not each.decided for each in case.listed(APPROVED))
    else:
        case.refuses(cancellation)


def test_what_the_interface_does_not_know_is_not_sent(case: Case) -> None:
    case.refuses(case.message(code=CoverRequestCode.MULTI_CURRENCY_COVER))
    case.refuses(case.message(kind=LimitKind.PRE_SHIPMENT))
    if case.connector.amount_step > 1:
        with pytest.raises(ItemFailed, match="amount_step"):
            case.submit(case.message(50_500))
    with pytest.raises(ItemFailed):
        case.submit(case.message(company="not a number"))
    assert case.covers_there() == 0


def test_a_company_the_insurer_does_not_know_fails_alone(case: Case) -> None:
    with pytest.raises(ItemFailed):
        case.submit(case.message(company="90000001"))
    assert case.poll(case.submit(case.message())).decided == eur(50_000)


def test_the_whole_list_is_listed_in_parts_and_goes_on_from_a_cursor(case: Case) -> None:
    case.seed(2500)
    pages = case.pages(options={"page_size": "1000"})
    assert len(pages) > 1
    assert all(page.is_whole and not page.unreadable for page in pages)
    assert [page.cursor is None for page in pages] == [False] * (len(pages) - 1) + [True]
    found = {cover.company_id: cover.decided for page in pages for cover in page.covers}
    assert found == {str(20_000_001 + number): eur(10_000 + 1000 * number) for number in range(2500)}
    rest = list(case.connector.list_covers(case.connection(options={"page_size": "1000"}), pages[0].cursor))
    assert [cover.cover_id for page in rest for cover in page.covers] == [cover.cover_id for page in pages[1:] for cover in page.covers]


def test_half_a_list_proves_nothing(case: Case) -> None:
    case.seed(40)
    case.fault("half_page")
    pages = case.pages()
    assert not all(page.is_whole for page in pages)
    assert sum(len(page.covers) for page in pages) < 40
    assert all(page.is_whole for page in case.pages())


def test_cuts_and_withdrawals_show_in_the_list(case: Case) -> None:
    case.in_force(80_000)
    case.control("cut", insurer=case.key, company_id=APPROVED, percent=50)
    assert [each.decided for each in case.listed(APPROVED)] == [eur(40_000)]
    end = datetime.now(UTC).date() + timedelta(days=30)
    case.control("withdraw", insurer=case.key, company_id=APPROVED, effective_on=end.isoformat())
    (announced,) = case.listed(APPROVED)
    assert announced.decided == eur(40_000)
    if announced.pending is not None:
        assert (announced.pending, announced.pending_on) == (PendingAction.WITHDRAWAL_ANNOUNCED, end)
    case.control("clock", days=31)
    assert all(not each.decided for each in case.listed(APPROVED))


def test_changes_since_a_day_hold_decisions_and_ends(case: Case) -> None:
    since = datetime.now(UTC).date()
    if not case.offers(Operation.LIST_CHANGES):
        with pytest.raises(NotSupported):
            list(case.connector.list_changes(case.connection(), since))
        return
    case.seed(3, decided_on="2026-01-05")
    case.in_force(50_000)
    case.control("withdraw", insurer=case.key, company_id="20000002")
    changed = {cover.company_id: cover for page in case.connector.list_changes(case.connection(), since) for cover in page.covers}
    assert set(changed) == {APPROVED, "20000002"}
    assert (changed["20000002"].response, changed["20000002"].decided) == (CoverResponseCode.CANCELLED, eur(0))
    assert changed["20000002"].effective_on == since


def test_a_request_is_looked_for_before_it_is_sent_again(case: Case) -> None:
    message = case.message(200_000)
    assert case.connector.find_request(case.connection(), message) is None
    case.submit(message)
    found = case.connector.find_request(case.connection(), message)
    assert found is not None
    assert case.poll(found).requested == eur(200_000)
    assert case.connector.find_request(case.connection(), case.message(300_000)) is None
    assert case.connector.find_request(case.connection(), case.message(200_000, "10000002")) is None


def test_an_answer_lost_after_the_insurer_accepted_is_found_again(case: Case) -> None:
    case.connector.capabilities(case.connection())
    message = case.message(200_000)
    case.fault("time_out", seconds=1)
    with pytest.raises(AnswerLost, match="answer_lost"):
        case.submit(message, options={"read_seconds": "0.3"})
    assert case.covers_there() == 1
    found = case.connector.find_request(case.connection(), message)
    assert found is not None
    case.pass_time()
    assert case.poll(found).decided == eur(200_000)
    assert case.covers_there() == 1


@pytest.mark.parametrize("accepted", [False, True])
def test_a_failing_server_is_never_asked_twice_to_do_something(case: Case, accepted: bool) -> None:
    message = case.message(200_000)
    case.connector.capabilities(case.connection())
    case.fault("error_500", after=accepted)
    with pytest.raises(AnswerLost):
        case.submit(message)
    assert case.covers_there() == int(accepted)
    assert (case.connector.find_request(case.connection(), message) is not None) == accepted


def test_questions_are_repeated_when_the_server_fails_for_a_moment(case: Case) -> None:
    case.seed(5)
    case.fault("error_500", times=2)
    assert sum(len(page.covers) for page in case.pages()) == 5
    assert [each.status for each in case.running.exchanges if each.error == "insurer_fails"] == [500, 500]
    case.fault("error_500", times=50)
    with pytest.raises(TryLater, match="insurer_fails"):
        case.pages()


def test_an_unreadable_reply_is_told(case: Case) -> None:
    case.seed(5)
    case.fault("broken_json")
    with pytest.raises(TryLater, match="reply_unreadable"):
        case.pages()
    message = case.message(200_000)
    case.fault("broken_json")
    with pytest.raises(AnswerLost, match="reply_unreadable"):
        case.submit(message)
    assert case.connector.find_request(case.connection(), message) is not None


def test_a_token_that_expired_is_renewed_once(case: Case) -> None:
    case.seed(5)
    case.pages()
    for expire in (lambda: case.fault("expired_token"), lambda: case.pass_time(4000)):
        case.running.exchanges.clear()
        expire()
        assert sum(len(page.covers) for page in case.pages()) == 5
        operations = [each.operation for each in case.running.exchanges]
        assert operations.count("token") == 1
        assert [each.status for each in case.running.exchanges].count(401) == 1
    assert case.poll(case.submit(case.message())).decided == eur(50_000)


def test_wrong_credentials_stop_everything(case: Case) -> None:
    wrong = {name: f"wrong-{name}" for name in case.connector.credential_names}
    with pytest.raises(StopSync, match="credentials_refused"):
        case.pages(credentials=wrong)
    with pytest.raises(StopSync, match="credential_missing"):
        case.pages(credentials={})
    with pytest.raises(StopSync, match="address_missing"):
        case.pages(addresses={})
    with pytest.raises(StopSync, match="policy_key_missing"):
        case.pages(policy_key={})


def test_a_wrong_address_is_told_apart_from_an_outage(case: Case) -> None:
    right = case.connection().addresses
    wrong = {name: address if "token" in name else f"{address}/nowhere" for name, address in right.items()}
    with pytest.raises((StopSync, ItemFailed)):
        case.pages(addresses=wrong)
    closed = {name: address.replace(str(case.running.port), "9") for name, address in right.items()}
    with pytest.raises(TryLater, match="insurer_unreachable"):
        case.pages(addresses=closed)
    with pytest.raises(TryLater, match="insurer_unreachable"):
        case.submit(case.message(), addresses=closed)


def test_the_insurer_is_left_alone_as_long_as_it_asks(case: Case) -> None:
    case.connector.capabilities(case.connection())
    case.fault("too_many_requests", retry_after=30)
    with pytest.raises(TryLater) as caught:
        case.pages()
    assert (caught.value.code, caught.value.retry_after_seconds) == ("too_many_requests", 30)
    case.fault("too_many_requests", retry_after=7)
    with pytest.raises(TryLater) as caught:
        case.submit(case.message())
    assert caught.value.retry_after_seconds == 7
    assert case.covers_there() == 0


def test_a_reply_too_large_is_not_swallowed(case: Case) -> None:
    case.connector.capabilities(case.connection())
    case.fault("oversize", mebibytes=3)
    with pytest.raises(ItemFailed, match="reply_too_large"):
        case.pages(options={"reply_mebibytes": "1"})


def test_a_slow_insurer_is_waited_for(case: Case) -> None:
    case.seed(2)
    case.fault("slow", seconds=0.3)
    assert sum(len(page.covers) for page in case.pages()) == 2
    assert max(each.milliseconds for each in case.running.exchanges) >= 300


def test_no_secret_is_ever_recorded(case: Case) -> None:
    connection = case.connection()
    case.in_force()
    case.pages()
    case.fault("error_500")
    with pytest.raises(ConnectorError):
        case.submit(case.message())
    wrong = {name: f"wrong-{name}" for name in case.connector.credential_names}
    with pytest.raises(StopSync):
        case.pages(credentials=wrong)
    with case.running.sandbox.state.read() as database:
        tokens = [row[0] for row in database.execute("SELECT value FROM token")]
    assert tokens
    secrets = {*connection.credentials.values(), *tokens, *wrong.values()}
    written = {*secrets, *(json.dumps(secret)[1:-1] for secret in secrets)}
    for exchange in case.running.exchanges:
        shown = "\n".join(str(getattr(exchange, name)) for name in exchange.__slots__)
        assert not [secret for secret in written if secret in shown], exchange.operation
        assert exchange.correlation
        assert len(exchange.request) <= 4000
        assert len(exchange.reply) <= 4000
    assert {each.operation for each in case.running.exchanges} >= {"token"}
    assert "hidden" not in repr(connection)


def wait_for(received: list[bytes], count: int) -> None:
    pause = threading.Event()
    for _ in range(100):
        if len(received) >= count:
            return
        pause.wait(0.05)
    raise AssertionError(f"{len(received)} of {count} pushes arrived")


def test_a_push_says_where_to_look_and_a_repetition_is_known(case: Case) -> None:
    options = {"push": "on", "push_header": "X-Notification"}
    if Operation.RECEIVE_PUSH not in case.connector.capabilities(case.connection(options=options)):
        with pytest.raises(NotSupported):
            case.connector.read_push(case.connection(), {}, b"{}")
        return
    with listening() as (url, received):
        case.control("faults", duplicate_push={})
        options["push_url"] = url
        case.submit(case.message(200_000), options=options)
        case.pass_time(2)
        wait_for(received, 2)
        first, second = (case.connector.read_push(case.connection(), {}, body) for body in received[:2])
        assert first == second
        (studied,) = case.connector.poll(case.connection(), first.look_at)
        assert studied.response is CoverResponseCode.STILL_INVESTIGATING
        case.pass_time()
        wait_for(received, 4)
        later = case.connector.read_push(case.connection(), {}, received[2])
        assert later.delivery != first.delivery
        (decided,) = case.connector.poll(case.connection(), later.look_at)
        assert decided.decided == eur(200_000)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"\xff\xfe", b'{"jobId": {"a": 1}}', b'{"resourceUrl": "http://["}'])
def test_what_is_no_push_is_rejected(case: Case, body: bytes) -> None:
    with pytest.raises(ItemFailed):
        case.connector.read_push(case.connection(), {}, body)


def test_dates_stand_as_they_were_delivered(case: Case) -> None:
    case.seed(1, decided_on="2026-03-31", effective_on="2026-04-01", valid_to="2026-09-30")
    (cover,) = [cover for page in case.pages() for cover in page.covers]
    assert cover.effective_on == date(2026, 4, 1)
    assert cover.valid_to in {date(2026, 9, 30), None}

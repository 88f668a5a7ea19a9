"""What is particular to Allianz Trade: jobs, extensions of a policy, the old list with 206, cover by grade, search by name."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.insurers import APPROVED, Case
from support.listener import listening
from support.sandbox import RunningSandbox

from insureflow.connectors.insurers.interface import CompanyQuery, ItemFailed, NotSupported, RequestsFailed, StopSync, TryLater
from insureflow.domain.cover.events import Layer
from insureflow.domain.limits import LimitKind
from insureflow.domain.limits.codes import CoverResponseCode
from insureflow.domain.money import Money
from insureflow.sandbox import pushes
from insureflow.sandbox.state import State


@pytest.fixture
def case(running: RunningSandbox) -> Case:
    return Case("allianz_trade", running)


def test_a_job_at_work_says_nothing_yet(case: Case) -> None:
    case.control("settings", job_seconds=50)
    receipt = case.submit(case.message())
    assert receipt.reference.startswith("job:")
    assert case.connector.poll(case.connection(), (receipt.reference,)) == ()
    case.pass_time(50)
    assert case.poll(receipt).decided == Money.of(50_000, "EUR")
    with pytest.raises(RequestsFailed, match="insurer_refuses") as partly:
        case.connector.poll(case.connection(), ("job:unknown", receipt.reference))
    assert set(partly.value.failures) == {"job:unknown"}
    assert [cover.request_reference for cover in partly.value.covers] == [receipt.reference]


def test_a_second_request_waits_for_the_first(case: Case) -> None:
    case.submit(case.message(200_000))
    with pytest.raises(ItemFailed, match="insurer_refuses"):
        case.submit(case.message(300_000))


def test_a_second_layer_has_an_extension_of_its_own(case: Case) -> None:
    message = case.message(40_000, layer=Layer.TOP_UP, kind=LimitKind.TOP_UP)
    with pytest.raises(NotSupported):
        case.submit(message)
    case.submit(message, options={"extensions": "CAP, DCL"})
    case.submit(case.message(50_000))
    pages = case.pages(options={"extensions": "CAP, DCL"})
    assert [page.cursor for page in pages] == ["CAP|1", "DCL|1", None]
    shown = [(cover.layer, cover.kind, cover.decided) for page in pages for cover in page.covers]
    assert shown == [
        (Layer.PRIMARY, LimitKind.NAMED, Money.of(50_000, "EUR")),
        (Layer.TOP_UP, LimitKind.TOP_UP, Money.of(40_000, "EUR")),
    ]
    with pytest.raises(ItemFailed):
        list(case.connector.list_covers(case.connection(), "XXX|1"))


def test_the_old_list_has_pages_that_answer_206(case: Case) -> None:
    case.seed(250)
    old = {"listing": "v2"}
    pages = case.pages(options=old)
    assert [len(page.covers) for page in pages] == [100, 100, 50]
    assert all(page.is_whole for page in pages)
    assert [each.status for each in case.running.exchanges if each.operation == "list_covers"] == [206, 206, 200]
    case.fault("half_page")
    cut = case.pages(options=old)
    assert (len(cut), cut[0].is_whole) == (1, False)


def test_cover_by_grade_asks_for_no_amount(case: Case) -> None:
    message = case.message(None, kind=LimitKind.CREDIT_CHECK)
    cover = case.poll(case.submit(message))
    assert (cover.kind, cover.requested, cover.decided) == (LimitKind.CREDIT_CHECK, None, Money.of(15_000, "EUR"))
    assert case.connector.find_request(case.connection(), message) is not None
    assert case.connector.find_request(case.connection(), case.message(15_000)) is None


def test_a_name_only_proposes(case: Case) -> None:
    companies = [{"company_id": f"4000000{number}", "name": f"Beta {number}", "country": "DE"} for number in range(3)]
    case.control("seed", insurer="allianz_trade", companies=companies)
    found = case.connector.find_companies(case.connection(), CompanyQuery("DE", name="beta"))
    assert [match.name for match in found] == ["Beta 0", "Beta 1", "Beta 2"]
    assert not any(match.is_exact for match in found)
    with pytest.raises(ItemFailed, match="identifier_needed"):
        case.connector.find_companies(case.connection(), CompanyQuery("DE"))


def test_a_temporary_amount_stands_beside_the_limit(case: Case) -> None:
    case.seed(1, second=5000, second_to="2027-06-30")
    base, whole = (cover for page in case.pages() for cover in page.covers)
    assert (base.decided, whole.decided, whole.kind) == (Money.of(10_000, "EUR"), Money.of(15_000, "EUR"), LimitKind.TEMPORARY)
    assert (whole.cover_id, str(whole.valid_to)) == (f"{base.cover_id}/2", "2027-06-30")


def test_pushes_need_to_know_where_and_how(case: Case) -> None:
    with pytest.raises(StopSync, match="option_missing"):
        case.submit(case.message(), options={"push": "on"})
    assert case.covers_there() == 0


def test_what_is_agreed_in_part_is_told_by_the_amounts(case: Case) -> None:
    case.control("rules", rules=[{"company_id": APPROVED, "answer": "partial", "percent": 40}])
    cover = case.poll(case.submit(case.message(100_000)))
    assert (cover.response, cover.decided) == (CoverResponseCode.PARTLY, Money.of(40_000, "EUR"))


def test_an_outage_in_the_middle_of_a_list_can_be_continued(case: Case) -> None:
    case.seed(30)
    options = {"page_size": "10"}
    pages = case.connector.list_covers(case.connection(options=options))
    first = next(pages)
    case.fault("error_500", times=5)
    with pytest.raises(TryLater):
        next(pages)
    case.running.control("faults", method="DELETE")
    rest = list(case.connector.list_covers(case.connection(options=options), first.cursor))
    assert len({cover.cover_id for page in (first, *rest) for cover in page.covers}) == 30


def test_pushes_come_out_of_order_when_told_to(tmp_path: Path) -> None:
    state = State(tmp_path / "pushes.db", lambda: datetime(2026, 11, 22, tzinfo=UTC))
    with listening() as (url, received):
        for faults, expected in (({}, [0, 1, 2]), ({"shuffled_push": {}}, [2, 1, 0])):
            received.clear()
            state.set_setting("faults", faults)
            for number in range(3):
                pushes.send(state, url, {"jobId": str(number)}, state.now())
            assert pushes.deliver(state) == 3
            assert [int(json.loads(body)["jobId"]) for body in received] == expected
    pushes.send(state, url, {}, state.now())
    pushes.send(state, "https://somebody.example/", {}, state.now())
    for tries in range(pushes.TRIES):
        assert pushes.waiting(state) == (2 if tries < pushes.TRIES else 0)
        assert pushes.deliver(state) == 0
        state.move_clock(timedelta(minutes=1))
    assert pushes.waiting(state) == 0
    state.close()

"""What is particular to CESCE: two days of movements, names that only subscribers know, collections and claims, a grant refused with 400."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from support.insurers import APPROVED, Case
from support.sandbox import RunningSandbox

from insureflow.connectors.insurers.cesce import Cesce
from insureflow.connectors.insurers.interface import CollectionMessage, ItemFailed, NotSupported, SaleMessage
from insureflow.domain.connections import Operation
from insureflow.domain.limits import LimitKind
from insureflow.domain.limits.codes import CoverRequestCode, CoverResponseCode
from insureflow.domain.money import Money


@pytest.fixture
def case(running: RunningSandbox) -> Case:
    return Case("cesce", running)


def cesce(case: Case) -> Cesce:
    connector = case.connector
    assert isinstance(connector, Cesce)
    return connector


def test_movements_reach_two_days_back_and_say_so(case: Case) -> None:
    case.seed(250)
    today = datetime.now(UTC).date()
    pages = list(case.connector.list_changes(case.connection(), today - timedelta(days=2)))
    assert [len(page.covers) for page in pages] == [100, 100, 50]
    assert all(page.is_whole for page in pages)
    earlier = list(case.connector.list_changes(case.connection(), today - timedelta(days=3)))
    assert not any(page.is_whole for page in earlier)
    case.seed(5, decided_on=(today - timedelta(days=3)).isoformat(), cover_id=0)
    assert sum(len(page.covers) for page in case.connector.list_changes(case.connection(), today)) == 250


def test_names_nobody_published_are_not_guessed(case: Case) -> None:
    outside = case.connection(options={"environment": "test"})
    with pytest.raises(NotSupported):
        case.connector.submit(outside, case.message())
    with pytest.raises(NotSupported):
        list(case.connector.list_covers(outside))
    with pytest.raises(NotSupported):
        case.connector.poll(outside, ("1-1",))
    with pytest.raises(NotSupported):
        cesce(case).declare_collection(outside, CollectionMessage("CO-1", "1", "2", datetime.now(UTC).date(), Money(1, "EUR")))
    offered = case.connector.capabilities(case.connection())
    assert {Operation.DECLARE_TURNOVER, Operation.DECLARE_COLLECTION} <= offered
    assert {Operation.REQUEST_INCREASE, Operation.REQUEST_REDUCTION, Operation.FIND_COMPANY} & offered == set()


def test_a_status_nobody_explained_is_told_and_the_rest_is_read(case: Case) -> None:
    case.in_force()
    case.seed(2, answer="reduced")
    (page,) = case.pages(options={"status.6": ""})
    assert [cover.company_id for cover in page.covers] == [APPROVED]
    assert (page.is_whole, page.unreadable) == (False, (("20000001", "statusCode"), ("20000002", "statusCode")))


def test_an_application_that_is_annulled_decides_nothing_and_a_limit_ends(case: Case) -> None:
    receipt = case.submit(case.message(200_000))
    end = case.message(None, code=CoverRequestCode.CANCELLATION, cover_id=receipt.reference)
    assert case.connector.find_request(case.connection(), end) is None
    case.submit(end)
    ended = case.poll(receipt)
    assert (ended.response, ended.decided) == (CoverResponseCode.CANCELLED, None)
    assert case.connector.find_request(case.connection(), end) is not None
    with pytest.raises(ItemFailed, match="cover_needed"):
        case.submit(case.message(None, code=CoverRequestCode.CANCELLATION))
    with pytest.raises(ItemFailed, match="request_needs_amount"):
        case.submit(case.message(None))
    case.refuses(case.message(kind=LimitKind.CREDIT_CHECK))


def test_conditions_come_along_where_they_have_a_name(case: Case) -> None:
    cover = case.poll(case.submit(case.message(50_000, "10000008")))
    assert cover.conditions == ("Payment by bank transfer within 60 days of the invoice date.",)
    (page,) = case.pages(policy_currency="USD")
    assert page.unreadable == (("10000008", "policy_currency_differs"),)


def test_sales_and_their_payments_are_told_and_claims_are_read(case: Case) -> None:
    connector, connection = cesce(case), case.connection()
    day = datetime.now(UTC).date()
    sold = SaleMessage("IF-1", APPROVED, "2026-1", day, day, Money.of("10.50", "EUR"))
    sale = connector.declare_sale(connection, sold).reference
    (shown,) = connector.read_paper(connection, "sales")["sales"]
    assert (shown["saleCesceReferenceNo"], shown["maturityAmount"], shown["invoiceNumber"]) == (sale, "10.50", "2026-1")
    paid = CollectionMessage("CO-1", APPROVED, sale, day, Money.of("10.50", "EUR"))
    assert connector.declare_collection(connection, paid).reference == "CO-1"
    with pytest.raises(ItemFailed, match="insurer_refuses"):
        connector.declare_collection(connection, replace(paid, sale="V2"))
    with pytest.raises(ItemFailed, match="operation_not_offered"):
        connector.declare_sale(case.connection(options={"sale.amount": ""}), sold)
    with case.running.sandbox.state.write() as database:
        for kind, content in (("dossiers", {"dossierNo": "D1"}), ("D1/recoveries", {"amount": 5})):
            database.execute("INSERT INTO paper VALUES ('cesce', 'C-1', ?, '1', ?, 0)", (kind, json.dumps(content)))
    assert connector.read_paper(connection, "dossiers")["dossiers"] == [{"dossierNo": "D1"}]
    assert connector.read_paper(connection, "recoveries", "D1") == {"recoveries": [{"amount": 5}]}
    with pytest.raises(ItemFailed):
        connector.read_paper(connection, "recoveries")

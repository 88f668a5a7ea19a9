"""Whatever goes wrong at or on the way to an insurer, in the end our picture is exactly the insurer's."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import stamina
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from support.browsing import served
from support.connections import FIRST_COMPANY, TESTER, Insured, insure, seed, use_sandbox
from support.days import staying_on
from support.sandbox import RunningSandbox, running_sandbox

from insureflow.domain.connections import InboxState, SyncState
from insureflow.models.connections import InboxMessage
from insureflow.sandbox.faults import FAULTS
from insureflow.services import connections, inbox, sync
from insureflow.services.clock import now
from insureflow.services.transaction import transaction

TODAY = now().date()
LAST_MONTH = TODAY - timedelta(days=30)
COMPANIES = [str(FIRST_COMPANY + number) for number in range(4)]
#: How each fault is set here, and how a synchronisation ends while it lasts. Pushes are tried by themselves.
ON_THE_WAY: dict[str, tuple[dict[str, object], SyncState]] = {
    "time_out": ({"seconds": 1.5}, SyncState.FAILED),
    "error_500": ({}, SyncState.FAILED),
    "slow": ({"seconds": 0.05}, SyncState.DONE),
    "broken_json": ({}, SyncState.FAILED),
    "oversize": ({"mebibytes": 2}, SyncState.FAILED),
    "too_many_requests": ({}, SyncState.FAILED),
    "expired_token": ({"times": 1}, SyncState.DONE),
    "half_page": ({}, SyncState.PARTLY),
}


@pytest.fixture(autouse=True)
def _one_day() -> Iterator[None]:
    with staying_on(TODAY):
        yield


@pytest.fixture
def sandbox(app: Flask, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    folder = tmp_path_factory.mktemp("sandbox")
    with running_sandbox(folder / "sandbox.db", with_postman=True) as running, stamina.set_testing(True, attempts=2, cap=True):
        use_sandbox(app, running)
        yield running


def theirs(sandbox: RunningSandbox, insurer: str) -> dict[str, int]:
    """What every company has in force at the insurer, in major units."""
    return {
        cover.company_id: (cover.decided or 0) // 100 if cover.stage == "in_force" else 0 for cover in sandbox.sandbox.state.covers(insurer)
    }


def synchronise(insured: Insured) -> sync.SyncResult:
    return sync.synchronise(insured.organisation_id, insured.connection_id, TODAY, whole=True)


def test_every_fault_on_the_way_leaves_the_insurers_picture_in_the_end(sandbox: RunningSandbox, session: Session) -> None:
    assert set(ON_THE_WAY) | {"duplicate_push", "shuffled_push"} == set(FAULTS)
    seed(sandbox, "atradius", [{"company_id": company, "amount": 50_000} for company in COMPANIES], LAST_MONTH)
    insured = insure(session, buyers=len(COMPANIES), options={"read_seconds": "0.5", "reply_mebibytes": "1"})
    synchronise(insured)
    for number, (fault, (settings, state)) in enumerate(ON_THE_WAY.items()):
        company = COMPANIES[number % 3]
        sandbox.control("cut", {"insurer": "atradius", "company_id": company, "percent": 90 - number})
        sandbox.control("faults", {fault: settings})
        result = synchronise(insured)
        assert result.state is state, (fault, result.error)
        sandbox.control("faults", {}, method="DELETE")
        assert synchronise(insured).state is SyncState.DONE, fault
        assert insured.limits() == theirs(sandbox, "atradius"), fault
        assert insured.differences() == {}, fault
    sandbox.control("withdraw", {"insurer": "atradius", "company_id": COMPANIES[3]})
    sandbox.control("faults", {"half_page": {}})
    synchronise(insured)
    sandbox.control("faults", {}, method="DELETE")
    synchronise(insured)
    assert insured.limits() == theirs(sandbox, "atradius")
    assert len(insured.decisions()) == len(COMPANIES) + len(ON_THE_WAY) + 1, "each change was recorded once"


def wait_until(true: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(200):
        if true():
            return
        pause.wait(0.05)
    raise AssertionError("waited too long")


def test_pushes_sent_twice_and_out_of_order_lead_to_the_insurers_picture(app: Flask, sandbox: RunningSandbox, session: Session) -> None:
    """From the sandbox's postman over HTTP through the door of the pages into the books."""
    insured = insure(session, buyers=len(COMPANIES), connector="allianz_trade")

    def kept() -> list[InboxMessage]:
        with transaction(insured.organisation_id):
            session.expire_all()
            return list(session.scalars(select(InboxMessage).order_by(InboxMessage.id)))

    with served(app) as site:
        connections.take_pushes(
            TESTER, insured.organisation_id, insured.connection_id, "X-Notification", lambda key: f"{site.url}/push/acme/{key}"
        )
        sandbox.control("faults", {"duplicate_push": {}, "shuffled_push": {}})
        reach = connections.reach(insured.organisation_id, insured.connection_id)
        for company, amount in zip(COMPANIES, (20_000, 30_000, 40_000, 45_000), strict=True):
            ask(reach, company, amount)
        wait_until(lambda: len(kept()) >= 4 and all(row.repeated for row in kept()))
        for percent in (80, 50):
            sandbox.control("cut", {"insurer": "allianz_trade", "percent": percent})
        wait_until(lambda: len(kept()) == 12 and all(row.repeated for row in kept()))
    assert inbox.process_due(insured.organisation_id, TODAY) == {"applied": 12, "rejected": 0, "waiting": 0}
    assert insured.limits() == theirs(sandbox, "allianz_trade")
    assert set(insured.limits().values()) == {8_000, 12_000, 16_000, 18_000}
    assert {row.state for row in kept()} == {InboxState.APPLIED}
    decided = len(insured.decisions())
    assert synchronise(insured).state is SyncState.DONE
    assert len(insured.decisions()) == decided
    exchanges = reach.recorder
    assert exchanges.count


def ask(reach: connections.Reach, company: str, amount: int) -> None:
    from insureflow.connectors.insurers.interface import LimitMessage
    from insureflow.domain.cover.events import Layer
    from insureflow.domain.limits import LimitKind
    from insureflow.domain.limits.codes import CoverRequestCode
    from insureflow.domain.money import Money

    message = LimitMessage(
        f"IF-{company}", CoverRequestCode.NEW_LIMIT, company, LimitKind.NAMED, Layer.PRIMARY, Money.of(amount, "EUR"), TODAY
    )
    reach.connector.submit(reach.connection, message)

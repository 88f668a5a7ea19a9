"""Everything that changes the books of an organisation, at once and on the same buyers: each waits for the other, and the books are true."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import func, insert, select
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session
from support.connections import FIRST_COMPANY, TESTER, Insured, insure, seed, use_sandbox
from support.dunning import RULE
from support.import_ledgers import csv, line
from support.ledgers import organisation
from support.sandbox import RunningSandbox, running_sandbox

from insureflow.connectors.ledgers import get_shipped_profile
from insureflow.domain.connections import SyncState
from insureflow.domain.errors import Refusal
from insureflow.models.buyers import CustomerNumber
from insureflow.models.database import db
from insureflow.models.journal import JournalEntry
from insureflow.models.organisations import Entity, Organisation
from insureflow.models.receivables import Invoice
from insureflow.models.scope import within
from insureflow.services import blocks, cover, dunning, imports, journal, limits, organisations, shipping, sync, transaction
from insureflow.services.clock import now
from insureflow.services.limits import NewDecision
from insureflow.services.shipping import ShipQuestion
from insureflow.services.transaction import is_busy

TODAY = now().date()
LAST_MONTH = TODAY - timedelta(days=30)
BUYERS = 8
#: So long everything goes on at once; longer where somebody asks for it.
SECONDS = float(os.environ.get("INSUREFLOW_TEST_WRITERS_SECONDS", "3"))
COMPANIES = [str(FIRST_COMPANY + number) for number in range(BUYERS)]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    with running_sandbox(tmp_path_factory.mktemp("sandbox") / "sandbox.db") as running:
        yield running


@pytest.fixture
def books(app: Flask, sandbox: RunningSandbox, session: Session) -> Insured:
    """An organisation whose buyers have customer numbers, a connection to their insurer and rules for reminding; and another one beside."""
    sandbox.control("reset")
    use_sandbox(app, sandbox)
    seed(sandbox, "atradius", [{"company_id": each, "amount": 50_000} for each in COMPANIES], LAST_MONTH)
    insured = insure(session, buyers=BUYERS)
    with transaction.transaction(insured.organisation_id) as working:
        rows = [
            {"organisation_id": insured.organisation_id, "buyer_id": key, "entity_id": insured.entity_id} for key in insured.buyers.values()
        ]
        working.execute(insert(CustomerNumber), [{**row, "number": f"K{number}"} for number, row in enumerate(rows)])
    dunning.set_rule(TESTER, insured.organisation_id, RULE, LAST_MONTH)
    organisations.add_entity(TESTER, organisation(session, "beside").id, code="B1", name="Beside", country="SE", currency="EUR")
    return insured


def take(organisation_id: int, number: int, amount: str = "200.00") -> None:
    """A ledger file for every buyer, with one that nobody knew."""
    with within(organisation_id):
        code = db.session.scalars(select(Entity.code)).one()
        db.session.rollback()
    due = {"document_date": str(TODAY - timedelta(days=70)), "due_date": str(TODAY - timedelta(days=20))}
    rows = [line(f"I{number}-{each}", amount, f"K{each % BUYERS}", **due) for each in range(3 * BUYERS)]
    rows.append(line(f"N{number}", amount, f"N{number}", **due))
    order = imports.ImportOrder(code, get_shipped_profile("plain"), TODAY, f"{number}.csv")
    outcome = imports.import_ledger(TESTER, organisation_id, order, csv(*rows), on=TODAY)
    assert outcome.state == "done", outcome


def at_once(app: Flask, doings: dict[str, Callable[[int], Any]]) -> tuple[Counter[str], list[str]]:
    """Do all of it again and again side by side; gives how often each was done, and whatever stopped one of them."""
    done: Counter[str] = Counter()
    stopped: list[str] = []
    begin, until = threading.Barrier(len(doings)), time.monotonic() + SECONDS

    def repeat(name: str, doing: Callable[[int], Any]) -> None:
        begin.wait(30)
        while time.monotonic() < until or not done[name]:
            try:
                with app.app_context():
                    doing(done[name])
            except BaseException as error:  # noqa: BLE001 (the test names what stopped it)
                stopped.append(f"{name}: {error!r}")
                return
            done[name] += 1

    threads = [threading.Thread(target=repeat, args=each) for each in doings.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS + 60)
    assert not any(thread.is_alive() for thread in threads)
    return done, stopped


def test_everything_at_once_leaves_true_books(app: Flask, books: Insured, sandbox: RunningSandbox, session: Session) -> None:
    key, buyers = books.organisation_id, list(books.buyers.values())
    beside = session.scalars(select(Organisation.id).where(Organisation.slug == "beside")).one()
    session.rollback()

    def decide(number: int) -> None:
        new = NewDecision(buyers[-1 - number % BUYERS], books.policy_id, 1_000_00 + number, "EUR", TODAY)
        limits.record_decision(TESTER, key, new, TODAY)

    def ship(number: int) -> None:
        question = ShipQuestion(buyers[number % BUYERS], 100_00, "EUR", TODAY, 30, order_reference=f"O{number}")
        shipping.decide(TESTER, key, question, TODAY, reserve_until=TODAY + timedelta(days=5), with_trace=False)

    def synchronise(number: int) -> None:
        sandbox.control("cut", {"insurer": "atradius", "company_id": COMPANIES[number % BUYERS], "amount": 40_000 - number})
        result = sync.synchronise(key, books.connection_id, TODAY, whole=True)
        assert result.state is SyncState.DONE, result

    def block(number: int) -> None:
        made = blocks.set_block(TESTER, key, buyers[-1], reason="try", from_on=TODAY)
        blocks.lift_block(TESTER, key, made.id, note="over", on=TODAY)
        dunning.propose(TESTER, key, TODAY + timedelta(days=number % 3))

    # what is blocked keeps nothing free, so the last buyer is not among those shipped to
    doings = {
        "import": lambda number: take(key, number),
        "limits": decide,
        "ship": lambda number: ship(number % (BUYERS - 1) + number // (BUYERS - 1) * BUYERS),
        "sync": synchronise,
        "block": block,
        "beside": lambda number: take(beside, number),
    }
    done, stopped = at_once(app, doings)
    assert not stopped
    assert set(done) == set(doings)
    assert cover.check(key, TODAY) == []
    assert cover.check(beside, TODAY) == []
    for each in (key, beside):
        assert journal.verify(each).is_sound
        with within(each):
            invoices = session.scalar(select(func.count(Invoice.id)))
        assert invoices == done["import" if each == key else "beside"] * (3 * BUYERS + 1)


def test_who_waits_too_long_is_told_and_has_done_nothing(app: Flask, books: Insured, monkeypatch: pytest.MonkeyPatch) -> None:
    key, entered, leave = books.organisation_id, threading.Event(), threading.Event()
    monkeypatch.setattr(transaction, "PATIENCE_OF_A_PAGE", 0.05)

    def keep() -> None:
        with app.app_context(), transaction.transaction(key):
            entered.set()
            leave.wait(30)

    writer = threading.Thread(target=keep)
    writer.start()
    try:
        assert entered.wait(30)
        with app.test_request_context("/"), pytest.raises(Refusal, match="books_busy"):
            blocks.set_block(TESTER, key, next(iter(books.buyers.values())), reason="try", from_on=TODAY)
    finally:
        leave.set()
        writer.join(30)
    with within(key):
        assert db.session.scalar(select(func.count(JournalEntry.id)).where(JournalEntry.action == "block.set")) == 0


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_what_the_database_gives_up_is_a_refusal(app: Flask, books: Insured) -> None:
    """Two units of work without an organisation that take two rows crosswise: PostgreSQL ends one, and that one says so plainly.

    SQLite has one writer, so nobody can wait crosswise there.
    """
    rows = sorted(books.buyers.values())[:2]
    both, outcomes = threading.Barrier(2), Counter[str]()

    def cross(first: int, second: int) -> None:
        from insureflow.models.buyers import Buyer

        try:
            with app.app_context(), within(books.organisation_id), transaction.transaction() as session:
                session.scalar(select(Buyer.id).where(Buyer.id == first).with_for_update())
                both.wait(30)
                session.scalar(select(Buyer.id).where(Buyer.id == second).with_for_update())
            outcomes["done"] += 1
        except Refusal as refused:
            outcomes[refused.code] += 1

    threads = [threading.Thread(target=cross, args=each) for each in (rows, rows[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert outcomes == {"done": 1, "books_busy": 1}


def test_only_what_somebody_elses_work_causes_is_busy(tmp_path: Path) -> None:
    one = sqlite3.connect(tmp_path / "a.db", isolation_level=None, timeout=0)
    two = sqlite3.connect(tmp_path / "a.db", isolation_level=None, timeout=0)
    one.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.OperationalError) as locked:
        two.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.OperationalError) as wrong:
        two.execute("SELECT nonsense")
    one.close()
    two.close()
    assert is_busy(locked.value)
    assert is_busy(OperationalError("", None, locked.value))
    assert is_busy(DBAPIError("", None, psycopg.errors.SerializationFailure()))
    assert not is_busy(wrong.value)
    assert not is_busy(psycopg.errors.UniqueViolation())
    assert not is_busy(ValueError())

"""How long a book of past-due invoices is scanned for duties, against bare SQL over the same rows; prints figures and bounds the statements.

Every pass asks the database once, or once for so many thousand buyers that it is about: none asks for each invoice. Seconds of
PostgreSQL's own work are on the wall clock only; SQLite works inside this process.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sized
from datetime import date, timedelta

from flask import Flask
from sqlalchemy import event
from support import databases
from support.large_books import say
from support.loaded_books import make_loaded_book, multiply_book

from insureflow.models.database import db
from insureflow.models.scope import within
from insureflow.queries import dunning as dunning_queries
from insureflow.queries.blocks import newly_blocked
from insureflow.queries.dashboard.duties import TO_DO
from insureflow.queries.notices.standings import due_notifications
from insureflow.queries.obligations.calendar import DutySelection
from insureflow.queries.obligations.standing import Standing
from insureflow.queries.reminders import open_duties
from insureflow.services.blocks import NEWS_DAYS as BLOCK_NEWS_DAYS
from insureflow.services.dunning.rules import fallback_rules
from insureflow.services.notices import DRAFT_DAYS
from insureflow.services.reminders import NEWS_DAYS

INVOICES = int(os.environ.get("INSUREFLOW_BENCH_INVOICES", "1000000"))
BOOKED = date(2026, 5, 1)
#: The newest invoice is of the day before the ledger at sixty days: on this day every one of them is past due.
ON = BOOKED + timedelta(days=60)
#: How many times the book is put beside itself: one of these parts is booked with all its cover, the others are copies of it.
PARTS = 20 if INVOICES >= 200_000 and INVOICES % 20 == 0 else 1
#: A pass may ask a few questions more than one, and some for every portion of buyers; one for each invoice would be far above this.
MOST_STATEMENTS = 100

BARE = {
    "bare: past due, count and sum": "SELECT count(*), sum(open_minor) FROM invoice WHERE organisation_id = {org} AND open_minor > 0 AND original_due_on < '{on}'",
    "bare: past due by buyer": "SELECT buyer_id, count(*), sum(open_minor), min(original_due_on) FROM invoice WHERE organisation_id = {org} AND open_minor > 0 AND original_due_on < '{on}' GROUP BY buyer_id",
    "bare: duties by kind": "SELECT kind, count(*) FROM obligation WHERE organisation_id = {org} GROUP BY kind",
    "bare: duties by account and day": "SELECT policy_id, buyer_id, kind, due_on, count(*) FROM obligation WHERE organisation_id = {org} GROUP BY policy_id, buyer_id, kind, due_on",
}  # fmt: skip


def _timed(ask: Callable[[], Sized]) -> tuple[float, float, int, int]:
    """Wall and processor seconds of the better of two, how much was found, and how many statements that took."""
    statements: list[str] = []
    best = (float("inf"), 0.0, 0, 0)

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        statements.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        for _ in range(2):
            statements.clear()
            wall, cpu = time.perf_counter(), time.process_time()
            found = len(ask())
            best = min(best, (time.perf_counter() - wall, time.process_time() - cpu, found, len(statements)))
            db.session.rollback()
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    return best


def test_past_due_invoices_are_scanned_in_one_pass(app: Flask, database: databases.Database) -> None:
    with app.app_context():
        begun = time.perf_counter()
        tenant = make_loaded_book(app, max(1, INVOICES // PARTS // 20), INVOICES // PARTS, BOOKED)
        say(f"{database.kind}: {INVOICES // PARTS} invoices booked with cover in {time.perf_counter() - begun:.0f} s")
        multiply_book(tenant, PARTS)
        say(f"{database.kind}: {INVOICES} invoices there after {time.perf_counter() - begun:.0f} s")
        with db.engine.connect() as connection:

            def bare(statement: str) -> list[object]:
                return list(connection.exec_driver_sql(statement.format(org=tenant.id, on=ON.isoformat())).all())

            count = connection.exec_driver_sql(BARE["bare: past due, count and sum"].format(org=tenant.id, on=ON.isoformat())).one()[0]
            assert count == INVOICES
            kinds = dict(connection.exec_driver_sql(BARE["bare: duties by kind"].format(org=tenant.id)).all())
            say(f"{database.kind}: duties {kinds}")
            results = {name: _timed(lambda text=text: bare(text)) for name, text in BARE.items()}
        with within(tenant.id):
            rules, fallback = dunning_queries.stored_rules(), fallback_rules()
            standing = Standing(DutySelection(ON, ON, TO_DO))
            passes: dict[str, Callable[[], Sized]] = {
                "letters that are due": lambda: list(dunning_queries.due_letters(rules, fallback, ON)),
                "notifications to draft": lambda: due_notifications(ON, ON + timedelta(days=DRAFT_DAYS)),
                "duties to remind of": lambda: open_duties(ON, ON - timedelta(days=NEWS_DAYS), ON + timedelta(days=DRAFT_DAYS)),
                "blocks that are news": lambda: newly_blocked(ON - timedelta(days=BLOCK_NEWS_DAYS), ON),
                "calendar: by day, kind and status": lambda: standing.groups(ON - timedelta(days=60), ON + timedelta(days=60)),
                "calendar: late and coming": lambda: range(standing.count_late() + standing.count_coming(30)),
            }
            results |= {name: _timed(ask) for name, ask in passes.items()}
        for name, (wall, cpu, found, statements) in results.items():
            say(f"{database.kind:10} {name:36} {wall:8.2f} s  cpu {cpu:7.2f} s  {found:8} found  {statements:3} statements")
            assert statements <= MOST_STATEMENTS, name

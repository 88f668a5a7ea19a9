"""How long pages take with 100,000 buyers and 200,000 open invoices, on each database; prints milliseconds and judges nothing.

Every page is fetched twice as a person would, the better time counts. Beside it: the time of its statements alone.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, event
from support import databases
from support.large_books import TODAY, make_book, say, write_ledger
from support.tenants import log_in

from insureflow.connectors.ledgers import get_shipped_profile
from insureflow.models.database import db
from insureflow.services.imports import ImportOrder, import_ledger

BUYERS = int(os.environ.get("INSUREFLOW_BENCH_BUYERS", "100000"))
COUNTRIES = ("DE", "FR", "IT", "PL", "ES", "NL", "SE", "US")
#: Rows of a page, where nobody asks for another number.
ROWS = 50
LAST = BUYERS // ROWS

PAGES = {
    "buyers, first page": "/buyers/",
    "buyers, last page": f"/buyers/?page={LAST}",
    "buyers by name": "/buyers/?sort=name",
    "buyers of a country": "/buyers/?country=PL",
    "buyers in force": "/buyers/?situation=in_force",
    "buyers searched": "/buyers/?q=customer+4711",
    "limits, first page": "/limits/",
    "limits, last page": f"/limits/?page={LAST}",
    "limits by buyer": "/limits/?sort=buyer",
    "limits of a country": "/limits/?country=PL",
    "limits never asked for": "/limits/?situation=never_asked",
    "limits searched": "/limits/?q=customer+4711",
    "invoices, first page": "/receivables/",
    "invoices, last page": f"/receivables/?page={2 * LAST}",
    "invoices by amount": "/receivables/?sort=open&direction=desc",
    "invoices of a buyer's name": "/receivables/?buyer=customer+4711",
    "payments": "/receivables/payments",
    "dashboard": "/",
    "exposure by country": "/exposure/",
    "ageing": "/exposure/ageing",
    "obligations": "/obligations/",
}


@contextmanager
def statements() -> Iterator[list[tuple[float, str]]]:
    """Collects the seconds of every statement."""
    found: list[tuple[float, str]] = []

    def begin(connection: Any, *_: Any) -> None:
        connection.info["begun"] = time.perf_counter()

    def end(connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        found.append((time.perf_counter() - connection.info["begun"], statement))

    event.listen(Engine, "before_cursor_execute", begin)
    event.listen(Engine, "after_cursor_execute", end)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", begin)
        event.remove(Engine, "after_cursor_execute", end)


def test_pages_of_a_large_book(app: Flask, database: databases.Database, tmp_path: Path) -> None:
    path = tmp_path / "ledger.csv"
    write_ledger(path, 2 * BUYERS, BUYERS, with_settled=False, countries=COUNTRIES)
    with app.app_context():
        tenant = make_book(app, BUYERS, countries=COUNTRIES)
        order = ImportOrder("SE01", get_shipped_profile("plain"), TODAY, path.name)
        outcome = import_ledger(tenant.actor(), tenant.id, order, path, on=TODAY)
        assert outcome.counts["new_invoices"] == 2 * BUYERS, outcome.problems[:3]
        if database.kind == "postgresql":  # what a server does by itself after a while, and the server of the tests does not
            with db.engine.begin() as connection:
                connection.exec_driver_sql("ANALYZE")
        db.session.remove()
    client = FlaskClient(app, app.response_class)
    log_in(client, tenant)
    say(f"{database.kind}, {BUYERS:,} buyers, {2 * BUYERS:,} open invoices: page (its statements, the longest) in ms")
    for name, address in PAGES.items():
        times = []
        for _ in range(2):
            with statements() as found:
                begun = time.perf_counter()
                response = client.get(address, query_string=None, headers={"Accept": "text/html"})
                took = time.perf_counter() - begun
            assert response.status_code == 200, (address, response.status_code)
            times.append((took, sum(seconds for seconds, _ in found), found))
        took, asked, found = min(times, key=lambda entry: entry[0])
        longest = max(found)
        say(f"  {name:28} {took * 1000:7.0f}  ({asked * 1000:6.0f}, {longest[0] * 1000:6.0f})")
        if os.environ.get("INSUREFLOW_BENCH_STATEMENTS") and longest[0] > 0.15:
            for seconds, statement in sorted(found, reverse=True)[:4]:
                say(f"      {seconds * 1000:.0f} ms: {' '.join(statement.split())[:700]}")

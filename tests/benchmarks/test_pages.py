"""How long every list page and the dashboard take with a full book, on each database; prints a table and judges nothing.

The book has three policies, four entities and several currencies (``support.loaded_books``). Every page is fetched twice as a person
would, the better time counts. Beside the time on the clock stands what the processors worked for it, the server's processes included
where they can be seen: on a machine that does other things as well, that is the time to go by. Smaller or larger books:
``INSUREFLOW_BENCH_BUYERS`` and ``INSUREFLOW_BENCH_INVOICES``; ``INSUREFLOW_BENCH_STATEMENTS=1`` shows the longest statements.
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
from support.large_books import say
from support.loaded_books import make_loaded_book
from support.tenants import log_in

from insureflow.services.clock import business_date

BUYERS = int(os.environ.get("INSUREFLOW_BENCH_BUYERS", "10000"))
INVOICES = int(os.environ.get("INSUREFLOW_BENCH_INVOICES", str(20 * BUYERS)))
#: Rows of a page, where nobody asks for another number.
ROWS = 50

PAGES = {
    "dashboard": "/",
    "buyers, first page": "/buyers/",
    "buyers, last page": f"/buyers/?page={BUYERS // ROWS}",
    "buyers by name": "/buyers/?sort=name",
    "buyers by what is overdue": "/buyers/?sort=overdue&direction=desc",
    "buyers of a country": "/buyers/?country=PL",
    "buyers in force": "/buyers/?situation=in_force",
    "buyers searched": "/buyers/?q=customer+4711",
    "limits, first page": "/limits/",
    "limits, last page": f"/limits/?page={BUYERS * 3 // 4 // ROWS}",
    "limits by buyer": "/limits/?sort=buyer",
    "limits by use": "/limits/?sort=utilisation&direction=desc",
    "limits of a country": "/limits/?country=PL",
    "limits never asked for": "/limits/?situation=never_asked",
    "limits searched": "/limits/?q=customer+4711",
    "needs, first page": "/limits/needs/",
    "needs by buyer": "/limits/needs/?sort=buyer&page=20",
    "limits cut": "/limits/cut",
    "requests": "/limit-requests/",
    "requests by buyer": "/limit-requests/?sort=buyer&page=5",
    "invoices, first page": "/receivables/",
    "invoices, last page": f"/receivables/?page={INVOICES // ROWS}",
    "invoices by amount": "/receivables/?sort=open&direction=desc",
    "invoices by buyer": "/receivables/?sort=buyer",
    "invoices overdue": "/receivables/?state=overdue",
    "invoices not fully covered": "/receivables/?not_fully_covered=yes",
    "invoices of a buyer's name": "/receivables/?buyer=customer+4711",
    "invoices searched": "/receivables/?q=F0004711",
    "payments": "/receivables/payments",
    "disputes": "/receivables/disputes",
    "exposure by country": "/exposure/",
    "one country": "/exposure/countries/PL",
    "one country, by buyer": "/exposure/countries/PL?sort=name&page=3",
    "why the whole": "/exposure/why",
    "why one country": "/exposure/why?country=PL",
    "ageing": "/exposure/ageing",
    "exposure by policy": "/exposure/by-policy",
    "exposure by entity": "/exposure/by-entity",
    "calendar of duties": "/obligations/",
    "duties, first page": "/obligations/list",
    "duties, later page": "/obligations/list?page=50",
    "duties late": "/obligations/list?status=late",
    "duties by amount": "/obligations/list?sort=amount&direction=desc",
    "work": "/work-items/",
    "journal": "/journal/",
    "search": "/search?q=customer+4711",
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


def worked(run_folder: Path) -> float:
    """Seconds of work so far: of this process and, if this run has started one, of the database server's."""
    seconds = time.process_time()
    data = run_folder / "postgres" / "data" / "postmaster.pid"
    if not data.exists():
        return seconds
    server, ticks = data.read_text(encoding="utf-8").split("\n", 1)[0], os.sysconf("SC_CLK_TCK")
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text(encoding="utf-8").rsplit(")", 1)[1].split()
        except OSError:
            continue
        if entry.parent.name == server:  # its own children that have ended, such as parallel workers
            seconds += (int(fields[13]) + int(fields[14])) / ticks
        elif fields[1] == server:
            seconds += (int(fields[11]) + int(fields[12])) / ticks
    return seconds


def test_pages_of_a_loaded_book(app: Flask, database: databases.Database, run_folder: Path) -> None:
    begun = time.perf_counter()
    with app.app_context():
        tenant = make_loaded_book(app, BUYERS, INVOICES, business_date("UTC"))
    client = FlaskClient(app, app.response_class)
    log_in(client, tenant)
    made = time.perf_counter() - begun
    say(f"{database.kind}, {BUYERS:,} buyers, {INVOICES:,} open invoices, made in {made:.0f} s: page, ms (work; its statements, longest)")
    for name, address in PAGES.items():
        times = []
        for _ in range(2):
            with statements() as found:
                begun, before = time.perf_counter(), worked(run_folder)
                response = client.get(address, headers={"Accept": "text/html"})
                took, work = time.perf_counter() - begun, worked(run_folder) - before
            assert response.status_code == 200, (address, response.status_code)
            times.append((took, work, sum(seconds for seconds, _ in found), found))
        took, work, asked, found = min(times, key=lambda entry: entry[0])
        say(f"  {name:28} {took * 1000:7.0f}  ({work * 1000:6.0f}; {asked * 1000:6.0f}, {max(found)[0] * 1000:6.0f})")
        if os.environ.get("INSUREFLOW_BENCH_STATEMENTS") and max(found)[0] > 0.15:
            for seconds, statement in sorted(found, reverse=True)[:4]:
                say(f"      {seconds * 1000:.0f} ms: {' '.join(statement.split())[:700]}")

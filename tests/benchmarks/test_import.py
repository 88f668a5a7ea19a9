"""Importing 100,000 invoices against bare bulk loads into the same tables of the same database, in one run.

What is measured against: the bare load of **all rows that the import stores** (invoices, payments, what they settle, positions,
states of accounts, exposure, duties), because none of them can be left out: figures are true in the transaction that imports.
That ratio is to be 3 at most. The ratio to the rows of ``invoice`` alone, a third of what is stored, stands beside it. A bare load
is what the driver does with rows that are ready: prepared statements on SQLite, COPY on PostgreSQL, with all keys, checks and
indexes. It prints times and judges nothing, because a machine that is busy with something else would decide; the work of this
process, which that does not change much, stands beside.
"""

from __future__ import annotations

import cProfile
import io
import json
import os
import pstats
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from support import databases
from support.large_books import TODAY, make_book, say, write_ledger

from insureflow.connectors.ledgers import get_shipped_profile
from insureflow.models.base import Base
from insureflow.models.database import db
from insureflow.services.imports import ImportOrder, import_ledger

INVOICES = int(os.environ.get("INSUREFLOW_BENCH_INVOICES", "100000"))
BUYERS = max(1, INVOICES // 10)


#: What an import writes, in an order in which it can be loaded.
WRITTEN = ("invoice", "payment", "allocation", "invoice_position", "account_state", "exposure", "obligation")

Rows = dict[str, tuple[list[str], list[tuple[Any, ...]]]]


def written_rows() -> Rows:
    """Everything that the import left behind, as the driver takes it back."""
    rows: Rows = {}
    with db.engine.connect() as connection:
        for table in WRITTEN:
            columns = [column.name for column in Base.metadata.tables[table].columns]
            names = ", ".join(f'"{name}"' for name in columns)
            found = [tuple(row) for row in connection.exec_driver_sql(f"SELECT {names} FROM {table}")]
            rows[table] = columns, [tuple(json.dumps(value) if isinstance(value, list | dict) else value for value in row) for row in found]
    return rows


def empty_tables(kind: str) -> None:
    """Take away what the import wrote."""
    db.session.remove()
    with db.engine.begin() as connection:
        for table in reversed(WRITTEN):
            connection.exec_driver_sql(f"TRUNCATE {table} CASCADE" if kind == "postgresql" else f"DELETE FROM {table}")


def bare_load(database: databases.Database, rows: Rows) -> float:
    """Seconds for putting the same rows into the emptied tables as the driver alone does it, committed."""
    if database.kind == "sqlite":
        connection = sqlite3.connect(database.path, isolation_level=None)
        connection.execute("PRAGMA foreign_keys=ON")
        begun = time.perf_counter()
        connection.execute("BEGIN IMMEDIATE")
        for table, (columns, found) in rows.items():
            names = ", ".join(f'"{name}"' for name in columns)
            connection.executemany(f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(columns))})", found)
        connection.execute("COMMIT")
        seconds = time.perf_counter() - begun
        connection.close()
        return seconds
    import psycopg

    with psycopg.connect(databases.libpq(database.url)) as server:
        begun = time.perf_counter()
        for table, (columns, found) in rows.items():
            names = ", ".join(f'"{name}"' for name in columns)
            with server.cursor() as cursor, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in found:
                    copy.write_row(row)
        server.commit()
        return time.perf_counter() - begun


@pytest.mark.parametrize("with_cover", [False, True], ids=["no-policy", "policy"])
def test_import_against_bare_load(app: Flask, database: databases.Database, tmp_path: Path, with_cover: bool) -> None:
    path = tmp_path / "ledger.csv"
    write_ledger(path, INVOICES, BUYERS)
    stages: dict[str, float] = {}
    last = ["", time.perf_counter()]

    def tell(stage: str, _done: int, _total: int | None) -> None:
        if stage != last[0]:
            moment = time.perf_counter()
            stages[str(last[0])] = stages.get(str(last[0]), 0) + moment - float(last[1])
            last[:] = [stage, moment]

    with app.app_context():
        tenant = make_book(app, BUYERS, with_cover=with_cover)
        order = ImportOrder("SE01", get_shipped_profile("plain"), TODAY, path.name)
        profiler = cProfile.Profile() if os.environ.get("INSUREFLOW_BENCH_PROFILE") else None
        worked = time.process_time()
        last[1] = begun = time.perf_counter()
        if profiler is not None:
            profiler.enable()
        outcome = import_ledger(tenant.actor(), tenant.id, order, path, on=TODAY, progress=tell)
        if profiler is not None:
            profiler.disable()
        imported = time.perf_counter() - begun
        worked = time.process_time() - worked
        tell("", 0, None)
        assert (outcome.state, outcome.counts["new_invoices"]) == ("done", INVOICES), outcome.problems[:3]
        rows = written_rows()
        empty_tables(database.kind)
        invoices_alone = bare_load(database, {"invoice": rows["invoice"]})
        empty_tables(database.kind)
        everything = bare_load(database, rows)
    assert len(rows["invoice"][1]) == INVOICES
    say(
        f"{database.kind}, {'policy and limits' if with_cover else 'no policy'}: {INVOICES:,} invoices, {outcome.counts['payments']:,} payments, "
        f"{BUYERS:,} buyers: import {imported:.2f} s ({worked:.2f} s of work in this process); "
        f"bare load of all {sum(len(found) for _columns, found in rows.values()):,} rows stored {everything:.2f} s, "
        f"ratio {imported / everything:.2f} (at most 3); "
        f"of the invoices alone {invoices_alone:.2f} s, ratio {imported / invoices_alone:.2f}"
    )
    say("  " + ", ".join(f"{stage or 'before'} {seconds:.2f} s" for stage, seconds in stages.items()))
    if profiler is not None:
        text = io.StringIO()
        pstats.Stats(profiler, stream=text).sort_stats("tottime").print_stats(40)
        say(text.getvalue())

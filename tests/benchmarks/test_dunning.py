"""How long it takes to find everybody who is due a letter among a million open invoices, and to write the letters down; judges nothing.

Beside it the bare SQL that reads the same invoices once and adds them up by buyer.
"""

from __future__ import annotations

import os
import random
import time
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import insert, select, text
from support import databases
from support.large_books import TODAY, make_book, say

from insureflow.models.buyers import Buyer
from insureflow.models.database import db
from insureflow.models.receivables import Invoice
from insureflow.services import dunning
from insureflow.services.scoping import within
from insureflow.services.transaction import transaction

INVOICES = int(os.environ.get("INSUREFLOW_BENCH_INVOICES", "1000000"))
BUYERS = int(os.environ.get("INSUREFLOW_BENCH_BUYERS", "100000"))
_PORTION = 20_000
_BARE = """
    SELECT buyer_id, entity_id, currency, max(CASE WHEN original_due_on <= :last THEN 2 WHEN original_due_on <= :first THEN 1 ELSE 0 END),
        sum(open_minor), min(original_due_on)
    FROM invoice WHERE organisation_id = :organisation AND open_minor > 0 AND original_due_on <= :first
    GROUP BY buyer_id, entity_id, currency
"""


def _invoices(organisation_id: int, entity_id: int) -> None:
    chance = random.Random(7)
    with transaction(organisation_id) as session:
        buyers = session.scalars(select(Buyer.id).order_by(Buyer.id)).all()
        for start in range(0, INVOICES, _PORTION):
            rows = []
            for number in range(start, min(start + _PORTION, INVOICES)):
                due_on = TODAY - timedelta(days=chance.randrange(-60, 120))
                amount = chance.randrange(5_000, 5_000_000)
                rows.append(
                    {
                        "organisation_id": organisation_id, "entity_id": entity_id, "buyer_id": buyers[number % len(buyers)], "number": f"B{number}",
                        "currency": "EUR", "net_minor": amount, "vat_minor": 0, "open_minor": amount if number % 3 else 0,
                        "invoice_on": due_on - timedelta(days=30), "shipment_on": due_on - timedelta(days=30), "due_on": due_on,
                        "original_due_on": due_on, "reference": "", "rate_source": "", "terms": "", "was_disputed": False, "fingerprint": "",
                    }
                )  # fmt: skip
            session.execute(insert(Invoice), rows)


@pytest.mark.parametrize("kind", ["postgresql"])
def test_everybody_who_is_due_a_letter(run_folder: Path, kind: str) -> None:
    from insureflow.app import create_app

    database = databases.clone(run_folder, kind)
    try:
        app: Flask = create_app(databases.settings_for(database.url, run_folder / "instance-dunning"))
        with app.app_context():
            tenant = make_book(app, BUYERS, with_cover=False)
            _invoices(tenant.id, tenant.entity_id)
            with db.engine.connect() as connection:
                connection.execute(text("ANALYZE"))
                begin = time.perf_counter()
                values = {"organisation": tenant.id, "first": TODAY - timedelta(days=7), "last": TODAY - timedelta(days=50)}
                found = len(connection.execute(text(_BARE), values).all())
                say(f"bare SQL: {found:,} buyers in {time.perf_counter() - begin:.1f} s")
            begin = time.perf_counter()
            with within(tenant.id):
                due = len(dunning.simulate(TODAY))
            say(f"found: {due:,} letters among {INVOICES:,} invoices in {time.perf_counter() - begin:.1f} s")
            db.session.remove()
            begin = time.perf_counter()
            made = dunning.propose(tenant.actor(), tenant.id, TODAY)
            say(f"written down: {made.proposed:,} letters in {time.perf_counter() - begin:.1f} s")
            db.session.remove()
            begin = time.perf_counter()
            assert dunning.propose(tenant.actor(), tenant.id, TODAY + timedelta(days=1)).proposed < made.proposed
            say(f"the next day: {time.perf_counter() - begin:.1f} s")
            db.session.remove()
            for engine in db.engines.values():
                engine.dispose()
    finally:
        databases.drop(run_folder, database)

"""How many "may I ship?" a second are answered, and how long the list of needed limits takes; prints figures and judges nothing.

Asked of many buyers with a few invoices each, and of one buyer with 10,000, from the account as it stands and through its past.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert, select
from support import databases
from support.large_books import TODAY, make_book, say, write_ledger
from support.tenants import TESTER, log_in

from insureflow.connectors.ledgers import get_shipped_profile
from insureflow.domain.access import Role
from insureflow.models.buyers import CustomerNumber
from insureflow.models.database import db
from insureflow.models.policies import Policy
from insureflow.models.receivables import Invoice
from insureflow.services import buyers, cover, limits, shipping, tokens
from insureflow.services.buyers import BuyerDetails
from insureflow.services.imports import ImportOrder, import_ledger
from insureflow.services.limits import NewDecision
from insureflow.services.scoping import within
from insureflow.services.shipping import ShipQuestion
from insureflow.services.transaction import transaction

BUYERS = int(os.environ.get("INSUREFLOW_BENCH_BUYERS", "100000"))
MANY = 10_000
ASKED = 300


def _each(times: int, ask: Callable[[int], object]) -> float:
    begin = time.perf_counter()
    for number in range(times):
        ask(number)
    return (time.perf_counter() - begin) / times * 1000


def _big_account(organisation_id: int, buyer_id: int, entity_id: int) -> None:
    """Ten thousand open invoices of one buyer, four months of them."""
    with transaction(organisation_id) as session:
        days = [TODAY - timedelta(days=number % 40) for number in range(MANY)]
        rows = [
            {
                "organisation_id": organisation_id,
                "entity_id": entity_id,
                "buyer_id": buyer_id,
                "number": f"BIG{number}",
                "reference": "",
                "currency": "EUR",
                "net_minor": 900,
                "vat_minor": 0,
                "open_minor": 900,
                "invoice_on": day,
                "shipment_on": day,
                "due_on": day + timedelta(days=60),
                "original_due_on": day + timedelta(days=60),
                "terms": "",
                "was_disputed": False,
                "fingerprint": "",
                "rate_source": "",
            }
            for number, day in enumerate(days)
        ]
        session.execute(insert(Invoice), rows)
        policy_id = session.scalars(select(Policy.id)).one()
        new = NewDecision(buyer_id, policy_id, 100_000_00, "EUR", TODAY - timedelta(days=100))
        limits.record_decision(TESTER, organisation_id, new, TODAY)
        cover.refresh_buyers(session, [buyer_id], TODAY)


def test_questions_and_needs(app: Flask, database: databases.Database, tmp_path: Path) -> None:
    path = tmp_path / "ledger.csv"
    write_ledger(path, 2 * BUYERS, BUYERS, with_settled=False)
    with app.app_context():
        tenant = make_book(app, BUYERS)
        order = ImportOrder("SE01", get_shipped_profile("plain"), TODAY, path.name)
        import_ledger(tenant.actor(), tenant.id, order, path, on=TODAY)
        login = tenant.logins[Role.ADMINISTRATOR]
        secret = tokens.add_token(tenant.actor(), tenant.id, login.user_id, "bench")[1]
        with within(tenant.id):
            keys = dict(db.session.execute(select(CustomerNumber.number, CustomerNumber.buyer_id).limit(ASKED + 1)).all())
        others = list(keys.items())
        new = BuyerDetails(legal_name="Many Invoices AG", country="DE", customer_numbers=((tenant.entity_id, "MANY"),))
        big = buyers.add_buyer(tenant.actor(), tenant.id, new).id
        _big_account(tenant.id, big, tenant.entity_id)
        if database.kind == "postgresql":  # what a server does by itself after a while, and the server of the tests does not
            with db.engine.begin() as connection:
                connection.exec_driver_sql("ANALYZE")
        with within(tenant.id):
            question = ShipQuestion(big, 100_00, "EUR", TODAY, 60)
            short = _each(5, lambda _n: shipping.ask(question, TODAY, with_remedies=False))
            long = _each(2, lambda _n: shipping.ask(question, TODAY, with_remedies=False, in_short=False))
        say(f"{database.kind}: {MANY} invoices, as it stands {short:.0f} ms, through its past {long:.0f} ms")
        db.session.remove()
    client = FlaskClient(app, app.response_class)
    headers = {"Authorization": f"Bearer {secret}"}
    chance = random.Random(3)
    with time_machine.travel(TODAY, tick=True):

        def over_api(number: int) -> None:
            buyer = others[number % len(others)][1]
            address = f"/api/v1/ship-check?buyer_id={buyer}&amount={chance.randrange(100, 90_000)}&currency=EUR&terms=60"
            assert client.get(address, headers=headers).status_code == 200

        over_api(0)
        milliseconds = _each(ASKED, over_api)
        say(f"{database.kind}: GET ship-check {milliseconds:.1f} ms, {1000 / milliseconds:.0f} a second in one process")
        log_in(client, tenant, Role.ADMINISTRATOR)
        for address in ("/limits/needs/", "/limits/needs/?standing=under_asked&sort=need", f"/limits/needs/?page={BUYERS // 50}"):
            times = [_each(1, lambda _n, at=address: client.get(at)) for _ in range(2)]
            say(f"{database.kind}: {address} {min(times):.0f} ms with {BUYERS} buyers")

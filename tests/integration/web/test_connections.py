from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from support.connections import TERMS, use_sandbox
from support.ledgers import Books
from support.pages import PageClient
from support.sandbox import CREDENTIALS, RunningSandbox, running_sandbox

from insureflow.connectors.insurers.interface import SaleMessage, SaleTaker
from insureflow.domain.access import Role
from insureflow.domain.money import Money
from insureflow.models.connections import InboxMessage, InsurerConnection, SyncDifference
from insureflow.models.database import db
from insureflow.models.limits import LimitDecision
from insureflow.services import connections, inbox, outbox, tasks
from insureflow.services.clock import now
from insureflow.services.scoping import within
from insureflow.services.transaction import transaction

LAST_MONTH = (now().date() - timedelta(days=30)).isoformat()


@pytest.fixture(scope="module")
def shared_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    with running_sandbox(tmp_path_factory.mktemp("sandbox") / "sandbox.db") as running:
        yield running


@pytest.fixture
def sandbox(app: Flask, shared_sandbox: RunningSandbox) -> RunningSandbox:
    shared_sandbox.control("reset")
    use_sandbox(app, shared_sandbox)
    return shared_sandbox


def work(app: Flask, number: int = 1) -> None:
    """What the scheduler does with what was asked for."""
    with app.app_context():
        done = 0
        while tasks.run_next() is not None:
            done += 1
        assert done == number


def prepared(app: Flask, organisation: Any, insurer: str) -> tuple[int, int]:
    """Keys of a policy and of a buyer."""
    with app.app_context(), transaction(organisation.id) as session:
        books = Books(session, organisation.id)
        from insureflow.models.organisations import Entity

        policy = books.policy([session.get_one(Entity, organisation.entity_id)], TERMS)
        policy.insurer = insurer
        return policy.id, books.buyer("Brio Costruzioni").id


def test_a_policy_is_connected_tried_synchronised_and_its_differences_settled(
    app: Flask, client: PageClient, organisation: Any, login: Any, sandbox: RunningSandbox
) -> None:
    policy_id, buyer_id = prepared(app, organisation, "atradius")
    sandbox.control(
        "seed",
        {
            "insurer": "atradius",
            "policy": "P-1",
            "currency": "EUR",
            "covers": [{"company_id": "7000001", "amount": 50_000, "company_name": "Brio", "decided_on": LAST_MONTH}],
        },
    )
    login(client, Role.CREDIT_MANAGER)
    assert "No connections" in client.get("/connections/").text
    assert "P-1 over Atradius" in client.get("/connections/add").text
    address = f"/connections/add/{policy_id}/atradius"
    form = {
        "environment": "sandbox",
        "policy_key__customer_id": "4711",
        "policy_key__policy_id": "P-1",
        **{f"credentials__{name}": value for name, value in CREDENTIALS["atradius"].items()},
        "sync_every_minutes": "60",
        "stale_after_minutes": "1440",
        "look_up_budget": "2",
        "options": "read_seconds = 5",
    }
    client.get(address)
    refused = client.post(address, data={**form, "credentials__app_key": "", "sync_every_minutes": "1", "options": "nonsense"})
    assert refused.status_code == 422
    assert "hidden-" not in refused.text
    missing = client.post(address, data={**form, "credentials__app_key": ""})
    assert missing.status_code == 422
    assert "Key of the application” is needed" in missing.text
    made = client.post(address, data=form)
    assert made.status_code == 302
    page = made.location
    assert "stored, encrypted" in client.get(page).text
    edited = client.get(f"{page}/edit")
    assert "hidden-" not in edited.text
    assert "Forget" in edited.text
    tried = client.post(f"{page}/try", follow_redirects=True)
    assert "The connection works" in tried.text
    asked = client.post(f"{page}/synchronise", follow_redirects=True).text
    assert "The synchronisation has been asked for." in asked
    assert "It begins as soon as the scheduler takes it up." in asked
    assert client.post(f"{page}/synchronise").status_code == 302
    assert "job-progress" in client.get(f"{page}/progress", headers={"HX-Request": "true"}).text
    client.post(f"{page}/cancel")
    assert "job-progress" not in client.get(page).text
    client.post(f"{page}/synchronise")
    work(app)
    assert "1 new difference" in client.get(f"{page}/progress", headers={"HX-Request": "true"}).text
    work(app, 0)
    differences = client.get("/connections/differences")
    assert "buyer unknown" in differences.text
    with app.app_context(), within(organisation.id):
        unknown = db.session.scalars(select(SyncDifference)).one()
    assert "a name alone proves nothing" in client.get(f"/connections/differences/{unknown.id}").text
    with app.app_context(), transaction(organisation.id) as session:
        from insureflow.models.buyers import InsurerIdentity

        session.add(InsurerIdentity(buyer_id=buyer_id, insurer="atradius", number="7000001"))
        session.add(
            LimitDecision(**_manual(policy_id, buyer_id))  # younger than the insurer's, so it is kept
        )
    client.post(f"{page}/synchronise")
    work(app)
    with app.app_context(), within(organisation.id):
        kept = db.session.scalars(select(SyncDifference).where(SyncDifference.resolved_at.is_(None))).one()
        assert kept.kind.value == "manual_kept"
    settle = f"/connections/differences/{kept.id}/settle"
    assert "Say why ours is kept" in client.post(settle, data={"choice": "ours", "note": ""}).text
    assert client.post(settle, data={"choice": "theirs"}).status_code == 302
    assert "Settled on" in client.get(f"/connections/differences/{kept.id}").text
    exchanges = client.get(f"{page}/exchanges")
    assert "token" in exchanges.text
    with app.app_context(), within(organisation.id):
        from insureflow.models.connections import InsurerExchange

        exchange = db.session.scalars(select(InsurerExchange.id).order_by(InsurerExchange.id.desc())).first()
    assert "hidden-" not in client.get(f"/connections/exchanges/{exchange}").text
    for empty in ("messages", "look-ups"):
        client.get(f"{page}/{empty}")
    client.post(f"{page}/switch", data={"enabled": "no"})
    assert "switched off" in client.get("/connections/").text.lower()
    login(client, Role.SALES)
    assert client.get("/connections/").status_code == 403
    login(client, Role.AUDITOR)
    assert "Synchronise now" not in client.get(page).text
    assert client.post(f"{page}/try").status_code == 403


def _manual(policy_id: int, buyer_id: int) -> dict[str, Any]:
    from decimal import Decimal

    from insureflow.domain.cover.events import Layer
    from insureflow.domain.limits import LimitKind, LimitStatus

    day = now().date() - timedelta(days=1)
    return {
        "policy_id": policy_id,
        "buyer_id": buyer_id,
        "layer": Layer.PRIMARY,
        "kind": LimitKind.NAMED,
        "status": LimitStatus.APPROVED,
        "decided_minor": 9_000_000,
        "currency": "EUR",
        "rate": Decimal(1),
        "decided_on": day,
        "effective_on": day,
        "source": "manual",
        "created_at": now(),
    }


def test_a_look_up_asks_before_it_costs_money_and_stays_within_its_budget(
    app: Flask, client: PageClient, organisation: Any, login: Any, sandbox: RunningSandbox
) -> None:
    from support.sandbox import POLICY_KEYS

    from insureflow.domain.buyers import IdentifierScheme
    from insureflow.models.buyers import BuyerIdentifier
    from insureflow.services import connections

    policy_id, buyer_id = prepared(app, organisation, "atradius")
    sandbox.control(
        "seed",
        {
            "insurer": "atradius",
            "companies": [{"company_id": "7000009", "country": "DE", "name": "Brio Costruzioni GmbH", "numbers": {"VAT": "DE136695976"}}],
        },
    )
    with app.app_context():
        with transaction(organisation.id) as session:
            session.add(BuyerIdentifier(buyer_id=buyer_id, scheme=IdentifierScheme.VAT, country="DE", value="DE136695976", checked=True))
        setup = connections.Setup(
            "atradius", "sandbox", policy_key=POLICY_KEYS["atradius"], credentials=CREDENTIALS["atradius"], look_up_budget=1
        )
        connection_id = connections.add_connection(organisation.actor(), organisation.id, policy_id, setup).id
    login(client, Role.CREDIT_ANALYST)
    ask = f"/connections/{connection_id}/look-up/{buyer_id}"
    assert "This look-up may cost money. 0 of 1" in client.get(ask).text
    assert "Confirm that you want it" in client.post(ask, data={}, follow_redirects=True).text
    found = client.post(ask, data={"confirmed": "yes"})
    page = client.get(found.location)
    assert "Brio Costruzioni GmbH" in page.text
    assert "1 of 1 look-ups of this month are used" in client.post(ask, data={"confirmed": "yes"}, follow_redirects=True).text
    assert client.post(f"{found.location}/take", data={"company_id": "1"}, follow_redirects=True).status_code == 200
    assert client.post(f"{found.location}/take", data={"company_id": "7000009"}).status_code == 302
    assert "Brio" in client.get(f"/connections/{connection_id}/look-ups").text


def test_a_push_gets_in_by_its_secret_address_alone_and_once(
    app: Flask, client: PageClient, organisation: Any, login: Any, sandbox: RunningSandbox
) -> None:
    from support.sandbox import POLICY_KEYS

    from insureflow.services import connections

    policy_id, _buyer_id = prepared(app, organisation, "allianz_trade")
    with app.app_context():
        setup = connections.Setup(
            "allianz_trade", "sandbox", policy_key=POLICY_KEYS["allianz_trade"], credentials=CREDENTIALS["allianz_trade"]
        )
        connection_id = connections.add_connection(organisation.actor(), organisation.id, policy_id, setup).id
    login(client, Role.ADMINISTRATOR)
    asked = client.post(f"/connections/{connection_id}/push-address", data={"header": "X Y"}, follow_redirects=True)
    assert "is no name of a header" in asked.text
    asked = client.post(f"/connections/{connection_id}/push-address", data={"header": "X-Notification"}, follow_redirects=True)
    found = re.search(rf"http://localhost/push/{organisation.slug}/([\w-]+)", asked.text)
    assert found is not None
    push_key = found[1]
    assert push_key not in client.get("/journal/").text
    body = {"jobId": "b7e1", "status": "PROCESSED"}
    address = f"/push/{organisation.slug}/{push_key}"
    assert client.post(f"/push/{organisation.slug}/wrong", json=body).status_code == 404
    assert client.post(f"/push/nobody/{push_key}", json=body).status_code == 404
    assert client.post(address, data=b"x" * (inbox.LARGEST_BODY_BYTES + 1)).status_code == 413
    assert client.post(address, data=b"nonsense").status_code == 400
    assert client.post(address, json=body).status_code == 202
    assert client.post(address, json=body).status_code == 202
    with app.app_context(), within(organisation.id):
        kept = db.session.scalars(select(InboxMessage)).one()
        assert (kept.repeated, kept.state.value) == (1, "received")
        assert db.session.scalars(select(InsurerConnection)).one().push_key == push_key
    client.post(f"/connections/{connection_id}/push-address", data={"remove": "yes"})
    assert client.post(address, json=body).status_code == 404


def test_an_insurer_shows_its_papers_and_is_told_of_a_payment_once(
    app: Flask, client: PageClient, organisation: Any, login: Any, sandbox: RunningSandbox
) -> None:
    policy_id, _buyer_id = prepared(app, organisation, "cesce")
    login(client, Role.CREDIT_MANAGER)
    form = {
        "environment": "sandbox",
        "policy_key__contract_no": "C-1",
        **{f"credentials__{name}": value for name, value in CREDENTIALS["cesce"].items()},
        "sync_every_minutes": "60",
        "stale_after_minutes": "1440",
        "look_up_budget": "0",
    }
    page = client.post(f"/connections/add/{policy_id}/cesce", data=form).location
    assert "takes no word of payments" in client.get(f"{page}/collections/new").text  # nobody knows yet what the policy may do
    client.post(f"{page}/try")
    shown = client.get(page).text
    assert f"{page}/papers" in shown
    assert f"{page}/collections/new" in shown
    with app.app_context(), within(organisation.id):
        key = int(page.rsplit("/", 1)[1])
        found = connections.reach(organisation.id, key)
        assert isinstance(found.connector, SaleTaker)
        day = now().date()
        sale = found.connector.declare_sale(
            found.connection, SaleMessage("IF-1", "10000001", "2026-1", day, day, Money.of("10.50", "EUR"))
        ).reference
    assert sale in client.get(f"{page}/papers?paper=sales").text
    assert "The insurer shows nothing here" in client.get(f"{page}/papers?paper=recoveries&numbers=D1").text
    assert "must be given 1 number" in client.get(f"{page}/papers?paper=recoveries").text
    assert "does not show this" in client.get(f"{page}/papers?paper=secrets").text
    said = {"client": "10000001", "sale": sale, "collected_on": day.isoformat(), "amount": "10.50"}
    late = client.post(f"{page}/collections/new", data=said | {"collected_on": (day + timedelta(days=9)).isoformat(), "amount": "0"})
    assert late.status_code == 422
    assert "is after today" in late.text
    assert "more than nothing" in late.text
    message = client.post(f"{page}/collections/new", data=said).location

    def deliver(times: int = 1) -> None:
        for hours in range(times):
            with app.app_context():
                outbox.deliver_due(organisation.id, day, now() + timedelta(hours=9 * hours))

    def told() -> int:
        with sandbox.sandbox.state.read() as database:
            return int(database.execute("SELECT count(*) FROM paper WHERE kind = 'collections'").fetchone()[0])

    sandbox.control("faults", {"error_500": {"after": True, "path": "collections", "times": 1}})  # it arrives, and nobody hears of it
    deliver(2)
    assert told() == 1
    assert "Look for it" not in client.get(message).text
    assert "Nobody knows whether" in client.get(message).text
    client.post(f"{message}/act", data={"what": "withdraw"})
    deliver(2)
    assert told() == 1
    again = client.post(f"{page}/collections/new", data=said).location
    deliver()
    assert told() == 2
    assert "sent" in client.get(again).text

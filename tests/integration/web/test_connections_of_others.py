"""CESCE and CofaServe from the first form to what they offer, on the pages and by command, against their sandboxes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from support.connections import TERMS, use_sandbox
from support.ledgers import Books
from support.pages import PageClient
from support.sandbox import CREDENTIALS, POLICY_KEYS, RunningSandbox, running_sandbox

from insureflow.connectors.insurers.cofaserve import REFUSED
from insureflow.domain.access import Role
from insureflow.domain.buyers import IdentifierScheme
from insureflow.models.buyers import BuyerIdentifier, InsurerIdentity
from insureflow.models.limits import LimitDecision
from insureflow.models.organisations import Entity
from insureflow.services import tasks
from insureflow.services.clock import now
from insureflow.services.scoping import within
from insureflow.services.transaction import transaction

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def sandbox(app: Flask, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    REFUSED.clear()
    with running_sandbox(tmp_path_factory.mktemp("sandbox") / "sandbox.db") as running:
        use_sandbox(app, running)
        yield running
    REFUSED.clear()


def prepare(app: Flask, organisation: Any, insurer: str, company: str | None) -> tuple[int, int]:
    """Keys of a policy, and of a buyer with a VAT number and, where given, the insurer's own."""
    with app.app_context(), transaction(organisation.id) as session:
        books = Books(session, organisation.id)
        policy = books.policy([session.get_one(Entity, organisation.entity_id)], TERMS)
        policy.insurer = insurer
        buyer = books.buyer("Alpha Metallbau")
        session.add(BuyerIdentifier(buyer_id=buyer.id, scheme=IdentifierScheme.VAT, country="DE", value="DE136695976", checked=True))
        if company is not None:
            session.add(InsurerIdentity(buyer_id=buyer.id, insurer=insurer, number=company))
        return policy.id, buyer.id


def form_of(connector: str, **changes: str) -> dict[str, str]:
    return {
        "environment": "sandbox",
        **{f"policy_key__{name}": value for name, value in POLICY_KEYS[connector].items()},
        **{f"credentials__{name}": value for name, value in CREDENTIALS[connector].items()},
        "sync_every_minutes": "60",
        "stale_after_minutes": "1440",
        "look_up_budget": "1",
        **changes,
    }


def test_cesce_is_set_up_tried_and_synchronised(
    app: Flask, client: PageClient, organisation: Any, login: Any, sandbox: RunningSandbox, invoke: Callable[..., Any]
) -> None:
    policy_id, _buyer_id = prepare(app, organisation, "cesce", "7000001")
    month = (now().date() - timedelta(days=30)).isoformat()
    covers = [
        {"company_id": "7000001", "amount": 50_000, "decided_on": month},
        {"company_id": "7000002", "amount": 9_000, "decided_on": month},
    ]
    sandbox.control("seed", {"insurer": "cesce", "policy": "C-1", "currency": "EUR", "covers": covers})
    login(client, Role.CREDIT_MANAGER)
    assert "P-1 over CESCE" in client.get("/connections/add").text
    form = client.get(f"/connections/add/{policy_id}/cesce").text
    for label in ("Contract number", "Client number", "Secret of the client", "User name", "Password"):
        assert label in form
    added = client.post(f"/connections/add/{policy_id}/cesce", data=form_of("cesce"))
    assert added.status_code == 302, added.text
    tried = client.post(f"{added.location}/try", follow_redirects=True).text
    assert "The connection works. It offers:" in tried
    assert "list all limits" in tried
    client.post(f"{added.location}/synchronise")
    with app.app_context():
        assert tasks.run_next() is not None
    done = client.get(f"{added.location}/progress", headers={"HX-Request": "true"}).text
    assert "1 decision recorded" in done
    assert "1 new difference" in done, "the second company is nobody we know"
    with app.app_context(), within(organisation.id):
        from sqlalchemy import select

        from insureflow.models.database import db

        assert [(row.decided_minor, row.source) for row in db.session.scalars(select(LimitDecision))] == [(5_000_000, "cesce")]

    place = ("-o", organisation.slug, "-p", "P-1")
    assert "list all limits" in invoke("connections", "test", *place).output
    synced = invoke("connections", "sync", *place)
    assert synced.exit_code == 0, synced.output
    assert "done: parts read:" in synced.output
    listed = invoke("connections", "list", "-o", organisation.slug).output
    assert "CESCE" in listed
    assert "sandbox of this installation" in listed
    assert "good" in listed
    assert "buyer unknown" in invoke("connections", "differences", "-o", organisation.slug).output
    assert "hidden-" not in client.get(f"{added.location}/exchanges").text


def test_cofaserve_logs_in_and_finds_a_company_within_its_budget(
    app: Flask, client: PageClient, organisation: Any, login: Any, sandbox: RunningSandbox, invoke: Callable[..., Any]
) -> None:
    policy_id, buyer_id = prepare(app, organisation, "coface", None)
    company = {"company_id": "30000001", "name": "Alpha Metallbau GmbH", "country": "DE", "city": "Bonn", "numbers": {"VAT": "DE136695976"}}
    sandbox.control("seed", {"insurer": "cofaserve", "companies": [company]})
    login(client, Role.CREDIT_MANAGER)
    assert "P-1 over Coface CofaServe" in client.get("/connections/add").text
    wrong = client.post(f"/connections/add/{policy_id}/cofaserve", data=form_of("cofaserve", credentials__password="wrong-one"))
    tried = client.post(f"{wrong.location}/try", follow_redirects=True).text
    assert "refuses our credentials" in tried
    assert "Stopped until somebody acts." in tried
    changed = form_of("cofaserve")
    assert client.post(f"{wrong.location}/edit", data=changed).status_code == 302
    tried = client.post(f"{wrong.location}/try", follow_redirects=True).text
    assert "The connection works. It offers: find a company." in tried
    page = client.get(wrong.location).text
    assert "Stopped until" not in page
    assert "Synchronise now" not in page, "there is nothing to read"

    ask = f"{wrong.location}/look-up/{buyer_id}"
    assert "This look-up may cost money. 0 of 1 of this month are used." in client.get(ask).text
    assert "Confirm that you want it" in client.post(ask, data={}, follow_redirects=True).text
    with app.app_context(), transaction(organisation.id) as session:
        stranger = Books(session, organisation.id).buyer("Numberless").id
    nothing_sent = client.post(f"{wrong.location}/look-up/{stranger}", data={"confirmed": "yes"}, follow_redirects=True).text
    assert "by a number of a public register only" in nothing_sent
    assert "0 of 1 of this month are used." in nothing_sent, "what did not leave the house costs nothing"
    found = client.post(ask, data={"confirmed": "yes"}, follow_redirects=True)
    assert "Alpha Metallbau GmbH" in found.text
    assert "1 of 1 look-ups of this month are used" in client.post(ask, data={"confirmed": "yes"}, follow_redirects=True).text

    place = ("-o", organisation.slug, "-p", "P-1")
    assert json.loads(invoke("connections", "test", *place, "--format", "json").output)["capabilities"] == ["find_company"]
    assert "no limits to read" in invoke("connections", "sync", *place).output
    assert "look-ups of this month are used" in invoke("connections", "look-up", *place, "--buyer", str(buyer_id), "--confirm").output
    rows = json.loads(invoke("connections", "health", "-o", organisation.slug, "--format", "json").output)
    assert rows[0]["why"] is None

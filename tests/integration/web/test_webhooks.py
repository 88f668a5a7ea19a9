"""Events for other systems: signed, repeated until taken, stopped when nobody takes them, never to our own network unasked."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from cryptography.fernet import Fernet, MultiFernet
from flask import Flask
from sqlalchemy import select
from support.accounts import within
from support.pages import PageClient
from support.tenants import Tenant, log_in, make_tenant

from insureflow.connectors import webhooks as connector
from insureflow.domain.access import Role
from insureflow.domain.errors import Refusal
from insureflow.domain.messages import DeliveryState
from insureflow.domain.webhooks import MOST_FAILURES, WAITS
from insureflow.models.database import db
from insureflow.models.messages import Told, WebhookDelivery, WebhookEndpoint
from insureflow.services import webhooks
from insureflow.services.clock import now
from insureflow.services.transaction import transaction


@dataclass
class Other:
    """Another system: what it was told, and what it answers."""

    url: str = ""
    told: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    status: int = 200


@contextmanager
def other_system() -> Iterator[Other]:
    other = Other()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            other.told.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(other.status)
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the library's name)
            del format, args

    server = HTTPServer(("127.0.0.1", 0), Handler)
    other.url = f"http://localhost:{server.server_port}/hook"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield other
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def announce(tenant: Tenant, event: str, event_id: str) -> int:
    with transaction(tenant.id) as session:
        return webhooks.announce(session, event, event_id, {"buyer": 7, "on": now().date()})


def test_an_event_is_signed_and_repeated_until_it_is_taken(app: Flask, client: PageClient, monkeypatch: pytest.MonkeyPatch) -> None:
    tenant = make_tenant(app, roles=(Role.ADMINISTRATOR, Role.AUDITOR))
    monkeypatch.setitem(app.config, "INSUREFLOW", replace(app.config["INSUREFLOW"], private_webhooks=True))
    with other_system() as other:
        log_in(client, tenant)
        assert client.post("/webhooks/", data={"url": "ftp://x.example"}).status_code == 422
        page = client.post("/webhooks/", data={"url": other.url, "events": ["letter.sent", "message.bounced"]}).get_data(as_text=True)
        found = re.search(r"<code>([\w-]{40,})</code>", page)
        assert found is not None
        secret = found[1]
        assert secret not in client.get("/webhooks/").get_data(as_text=True)
        with app.app_context():
            with within(tenant.id):
                endpoint = db.session.scalars(select(WebhookEndpoint)).one()
                key = endpoint.id
                assert secret not in endpoint.secret
            assert [
                announce(tenant, event, name) for event, name in (("letter.sent", "l1"), ("letter.sent", "l1"), ("buyer.blocked", "b1"))
            ] == [1, 0, 0]
            other.status = 500
            assert webhooks.deliver_due(tenant.id).counts() == {"events_delivered": 0, "events_put_off": 1, "events_failed": 0}
            other.status = 302  # nobody is followed elsewhere
            assert webhooks.deliver_due(tenant.id, now() + timedelta(minutes=2)).put_off == 1
            other.status = 200
            seen = len(other.told)
            with monkeypatch.context() as lost:
                lost.setattr(webhooks, "_box", lambda: MultiFernet([Fernet(Fernet.generate_key())]))
                assert webhooks.deliver_due(tenant.id, now() + timedelta(minutes=9)).put_off == 1
            assert len(other.told) == seen  # nothing goes out that cannot be signed
            assert "no key of this installation opens the secret" in client.get(f"/webhooks/{key}").get_data(as_text=True)
            assert webhooks.deliver_due(tenant.id, now() + timedelta(hours=9)).delivered == 1
            assert webhooks.deliver_due(tenant.id, now() + timedelta(days=9)).delivered == 0
        headers, body = other.told[-1]
        stamp = re.fullmatch(r"t=(\d+),v1=([0-9a-f]{64})", headers["InsureFlow-Signature"])
        assert stamp is not None
        assert stamp[2] == connector.signature(secret, int(stamp[1]), body)
        assert (headers["InsureFlow-Event"], headers["InsureFlow-Event-Id"], json.loads(body)["data"]["buyer"]) == ("letter.sent", "l1", 7)
        assert {told for _headers, told in other.told} == {body}  # every attempt is the same
        assert client.post(f"/webhooks/{key}/test").status_code == 302
        assert "delivered" in client.get(f"/webhooks/{key}").get_data(as_text=True)
        assert app.test_cli_runner().invoke(args=["webhooks", "send", "-o", tenant.slug]).exit_code == 0
        assert other.told[-1][0]["InsureFlow-Event"] == "test"
        assert client.post(f"/webhooks/{key}/switch", data={"is_enabled": "no"}).status_code == 302
        with app.app_context():
            assert announce(tenant, "letter.sent", "l2") == 0
        log_in(client, tenant, Role.AUDITOR)
        assert client.get(f"/webhooks/{key}").status_code == 200
        assert client.post(f"/webhooks/{key}/test").status_code == 403
        log_in(client, tenant)
        assert client.post(f"/webhooks/{key}/remove").status_code == 302


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_who_never_takes_events_is_left_alone(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    tenant = make_tenant(app, roles=(Role.ADMINISTRATOR,))
    with app.app_context():
        for url in ("https://127.0.0.1/x", "https://localhost/x", "https://[::1]/x", "https://10.0.0.1/x"):
            with pytest.raises(Refusal) as private:
                webhooks.add_endpoint(tenant.actor(), tenant.id, url)
            assert private.value.code == "webhook_address_private"
        for url in ("http://a.example/x", "https://user:pass@a.example", "nonsense", "https://"):
            with pytest.raises(Refusal) as wrong:
                webhooks.add_endpoint(tenant.actor(), tenant.id, url)
            assert wrong.value.code == "webhook_address_wrong"
        with pytest.raises(Refusal) as unknown:
            webhooks.add_endpoint(tenant.actor(), tenant.id, "https://a.example", ["weather"])
        assert unknown.value.code == "webhook_event_unknown"
        endpoint, _secret = webhooks.add_endpoint(tenant.actor(), tenant.id, "https://a.example/hook")
        monkeypatch.setattr(connector.socket, "getaddrinfo", lambda *_a, **_k: [(0, 0, 0, "", ("192.168.0.9", 443))])
        announce(tenant, "letter.sent", "l1")
        at = now()
        for attempt in range(len(WAITS) + 1):
            done = webhooks.deliver_due(tenant.id, at + timedelta(days=attempt))
            assert done.delivered == 0
        with within(tenant.id):
            delivery = db.session.scalars(select(WebhookDelivery)).one()
            assert (delivery.state, delivery.last_error) == (DeliveryState.FAILED, "webhook_address_private")
        for number in range(MOST_FAILURES):
            announce(tenant, "letter.sent", f"again{number}")
        webhooks.deliver_due(tenant.id)
        db.session.expire_all()
        with within(tenant.id):
            assert db.session.scalars(select(WebhookEndpoint)).one().stopped_because is not None
            assert [row.facts["url"] for row in db.session.scalars(select(Told))] == ["https://a.example/hook"]
        assert announce(tenant, "letter.sent", "l9") == 0
        webhooks.set_enabled(tenant.actor(), tenant.id, endpoint.id, is_enabled=True)
        assert announce(tenant, "letter.sent", "l9") == 1

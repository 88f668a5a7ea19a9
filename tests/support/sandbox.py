"""The sandbox insurers on a free port of this machine, and connections to them."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import waitress
from waitress import wasyncore

from insureflow.connectors.insurers.interface import Connection, Exchange
from insureflow.sandbox.application import Sandbox, create_sandbox

#: What the sandbox's addresses are called by each connector: name → path.
ADDRESSES: dict[str, dict[str, str]] = {
    "atradius": {
        "token": "/atradius/authenticate/v2/tokens",
        "policies": "/atradius/credit-insurance/policy-management/v1/policies",
        "buyers": "/atradius/credit-insurance/organisation-management/v1/buyers",
        "covers": "/atradius/credit-insurance/cover-management/v1/covers",
    },
    "allianz_trade": {
        "token": "/allianz-trade/v1/idp/oauth2/authorize",
        "search": "/allianz-trade/search/v2/companies",
        "riskinfo": "/allianz-trade/riskinfo/v3",
        "riskinfo_v2": "/allianz-trade/riskinfo/v2",
    },
    "cesce": {
        "token": "/cesce/oauth2/v1/token",
        "classifications": "/cesce/classifications/v1",
        "movements": "/cesce/portfolio-movements/v1",
        "sales": "/cesce/sales/v1",
        "collections": "/cesce/collections/v1",
        "claims": "/cesce/claims/v1",
    },
    "cofaserve": {"token": "/cofaserve/authentication/v1/token", "companies": "/cofaserve/company/v1/companies"},
    "file_exchange": {},
    "manual": {},
}
#: Connectors whose insurers list covers; the others offer less, and are held to that.
LISTING = ("allianz_trade", "atradius", "cesce")
#: Credentials, all of them words that must never be seen again.
CREDENTIALS: dict[str, dict[str, str]] = {
    "atradius": {"client_id": "hidden-client", "secret": 'hidden-secret-ä&"1', "app_key": "hidden-app-key"},
    "allianz_trade": {"api_key": "hidden-api-key-8/9"},
    "cesce": {"client_id": "hidden-id", "client_secret": "hidden-secret+&=", "username": "hidden-user", "password": "hidden-pass word"},
    "cofaserve": {"api_key": "hidden-api-key", "username": "hidden-user", "password": 'hidden-"password'},
    "file_exchange": {},
    "manual": {},
}
POLICY_KEYS: dict[str, dict[str, str]] = {
    "atradius": {"customer_id": "4711", "policy_id": "P-1"},
    "allianz_trade": {"business_unit_code": "ACI", "policy_id": "P-1"},
    "cesce": {"contract_no": "C-1"},
    "cofaserve": {"policy_number": "P-1"},
    "file_exchange": {},
    "manual": {},
}
#: The same policies as the controls of the sandbox name them.
SANDBOX_POLICIES: dict[str, str] = {"atradius": "P-1", "allianz_trade": "ACI/P-1", "cesce": "C-1"}
#: Options a connector needs to use all that its sandbox offers.
OPTIONS: dict[str, dict[str, str]] = {"allianz_trade": {"id_type.vat.DE": "VAT"}}


@dataclass
class RunningSandbox:
    """A sandbox that listens. ``exchanges`` is what connections made here have recorded."""

    sandbox: Sandbox
    port: int
    exchanges: list[Exchange] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def control(self, path: str, body: Mapping[str, Any] | None = None, *, method: str = "POST") -> dict[str, Any]:
        """One of the controls; the answer as a dictionary."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, f"/control/{path}", json.dumps(body or {}), {"Content-Type": "application/json"})
            response = connection.getresponse()
            text = response.read().decode()
            assert response.status == 200, text
            answer: dict[str, Any] = json.loads(text)
            return answer
        finally:
            connection.close()

    def connection(self, connector: str, **changes: Any) -> Connection:
        """A connection of a connector to this sandbox; ``options`` are added to the usual ones."""
        options = {"environment": "sandbox", "read_seconds": "5", **OPTIONS.get(connector, {}), **changes.pop("options", {})}
        values: dict[str, Any] = {
            "key": 1,
            "connector": connector,
            "addresses": {name: self.url + path for name, path in ADDRESSES[connector].items()},
            "policy_key": POLICY_KEYS[connector],
            "policy_currency": "EUR",
            "credentials": CREDENTIALS[connector],
            "clock": lambda: datetime.now(UTC),
            "options": options,
            "record": self.exchanges.append,
        }
        return Connection(**{**values, **changes})


@contextmanager
def running_sandbox(
    path: Path, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC), with_postman: bool = False
) -> Iterator[RunningSandbox]:
    """A sandbox in a thread of this process, on a free port, with its state in a file."""
    sandbox = create_sandbox(path, clock)
    server = waitress.create_server(sandbox.app, host="127.0.0.1", port=0, threads=8, ident=None)
    thread = threading.Thread(target=server.run, name="sandbox", daemon=True)
    thread.start()
    postman = sandbox.postman()
    if with_postman:
        postman.start()
    try:
        yield RunningSandbox(sandbox, server.effective_port)
    finally:
        if with_postman:
            postman.stop()
        server.trigger.pull_trigger(lambda: wasyncore.close_all(server._map))  # in its own thread: kept connections would hold it
        thread.join(5)
        server.task_dispatcher.shutdown()
        sandbox.state.close()

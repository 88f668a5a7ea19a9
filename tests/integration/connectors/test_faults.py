"""The fault switches of the sandbox: given without settings they strike every call, and what they do not know is refused."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from insureflow.sandbox.application import create_sandbox
from insureflow.sandbox.faults import FAULTS

PATH = "/allianz-trade/riskinfo/v2/covers?policyId=P-1&businessUnitCode=ACI"
KEY = {"apiKey": "a key"}


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FlaskClient]:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    sandbox = create_sandbox(tmp_path / "state.db", lambda: datetime.now(UTC))
    client = sandbox.app.test_client()
    client.slept = slept  # type: ignore[attr-defined]  # what the sandbox would have waited
    covers = [{"company_id": str(7_000_001 + number), "amount": 1000} for number in range(4)]
    seeded = {"insurer": "allianz_trade", "policy": "ACI/P-1", "currency": "EUR", "covers": covers}
    assert client.post("/control/seed", json=seeded).status_code == 200
    yield client
    sandbox.state.close()


def called(client: FlaskClient) -> tuple[int, int, list[float]]:
    """Status, bytes and waits of one call for a list."""
    token = client.post("/allianz-trade/v1/idp/oauth2/authorize", json=KEY).get_json()["access_token"]
    client.slept.clear()  # type: ignore[attr-defined]  # see above
    answer = client.get(PATH, headers={"Authorization": f"Bearer {token}"})
    return answer.status_code, len(answer.get_data()), list(client.slept)  # type: ignore[attr-defined]  # see above


def test_every_fault_given_without_settings_strikes_every_call(client: FlaskClient) -> None:
    status, size, waits = called(client)
    assert (status, waits) == (200, [])
    struck = {
        "time_out": (200, size, [40.0]),
        "error_500": (500, None, []),
        "slow": (200, size, [2.0]),
        "broken_json": (200, size // 2, []),
        "oversize": (200, size + 40 * 1024 * 1024, []),
        "too_many_requests": (429, None, []),
        "expired_token": (401, None, []),
        "half_page": (206, None, []),
    }
    assert set(struck) | {"duplicate_push", "shuffled_push"} == set(FAULTS)
    for fault, expected in struck.items():
        assert client.post("/control/faults", json={fault: {}}).get_json() == {fault: {}}
        for _ in range(2):
            found = called(client)
            assert (found[0], found[1] if expected[1] is not None else None, found[2]) == expected, fault
        client.delete("/control/faults")
    assert called(client) == (200, size, [])


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"nonsense": {}}, "There is no fault nonsense"),
        ({"error_500": None}, "The settings of error_500 are an object"),
        ({"error_500": True}, "The settings of error_500 are an object"),
        ({"error_500": {"seconds": 3}}, "error_500 takes no seconds; it takes times"),
        ({"duplicate_push": {"times": 3}}, "duplicate_push takes no times"),
        ({"error_500": {"times": 0}}, "times of error_500 is a whole number from 1 on"),
        ({"error_500": {"times": "3"}}, "times of error_500 is a whole number"),
        ({"time_out": {"seconds": True}}, "seconds of time_out is a number"),
        ({"time_out": {"before": "yes"}}, "before of time_out is true or false"),
        ({"slow": {"path": 3}}, "path of slow is a text"),
    ],
)
def test_what_a_fault_does_not_know_is_refused(client: FlaskClient, given: dict[str, Any], complaint: str) -> None:
    answer = client.post("/control/faults", json=given)
    assert answer.status_code == 422
    assert complaint in answer.get_json()["message"]
    assert client.get("/control/state").get_json()["faults"] == {}

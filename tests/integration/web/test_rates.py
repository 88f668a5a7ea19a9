"""Exchange rates in the browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from support.pages import PageClient
from support.tenants import Tenant

from insureflow.domain.access import Role


def test_a_rate_is_entered_used_and_taken_out(client: PageClient, login: Callable[..., Any], organisation: Tenant) -> None:
    login(client, Role.ADMINISTRATOR)
    assert "No rate was entered by hand" in client.get("/rates/").text
    sent = {"base": "aed", "quote": "EUR", "rate": "0.2345", "valid_on": "2026-01-01", "source": "House bank"}
    assert client.get("/rates/add").status_code == 200
    assert client.post("/rates/add", data=sent).status_code == 302
    page = client.get("/rates/?rate_of=AED&rate_in=EUR&on=2026-02-01").text
    assert "1 AED = 0.2345 EUR" in page
    assert "House bank" in page
    assert "Nobody knows a rate" in client.get("/rates/?rate_of=AED&rate_in=EUR&on=2025-12-31").text
    assert "three letters" in client.get("/rates/?rate_of=A").text
    assert "House bank" in client.get("/rates/1").text
    assert client.post("/rates/1/remove").status_code == 302
    assert client.get("/rates/1").status_code == 404


def test_a_rate_that_is_none_is_refused_at_its_field(client: PageClient, login: Callable[..., Any], organisation: Tenant) -> None:
    login(client, Role.ADMINISTRATOR)
    sent = {"base": "USD", "quote": "EUR", "rate": "much", "valid_on": "2026-01-01", "source": "House bank"}
    for wrong in (
        sent,
        {**sent, "rate": "1", "valid_on": "soon"},
        {**sent, "rate": "1", "quote": "USD"},
        {**sent, "rate": "1", "base": "ZZZ"},
        {},
    ):
        answer = client.post("/rates/add", data=wrong)
        assert answer.status_code == 422
        assert "could not be done" not in answer.text, "every refusal has its sentence"


def test_only_an_administrator_enters_rates(client: PageClient, login: Callable[..., Any], organisation: Tenant) -> None:
    login(client, Role.AUDITOR)
    assert client.get("/rates/").status_code == 200
    assert client.get("/rates/add").status_code == 403
    assert client.post("/rates/1/remove").status_code == 403

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from support.insight import Insight, make_insight, said
from support.pages import PageClient

from insureflow.domain.access import Role


@pytest.fixture
def insight(app: Flask, organisation: Any) -> Insight:
    return make_insight(app, organisation)


def test_an_empty_organisation_is_taught_what_to_do(client: PageClient, login: Callable[..., Any]) -> None:
    login(client, Role.ADMINISTRATOR)
    page = client.get("/")
    assert page.status_code == 200
    assert "No receivables on this day" in said(page.text)


def test_every_figure_of_today_is_there(client: PageClient, login: Callable[..., Any], insight: Insight) -> None:
    login(client, Role.MANAGEMENT)
    text = said(client.get("/").text)
    for figure in ("16,500.00 EUR", "10,000.00 EUR", "6,500.00 EUR", "9,000.00 EUR", "7,500.00 EUR", "12,000.00 EUR"):
        assert figure in text
    assert "Buyers over limit 1" in text
    assert "Stopped buyers 0" in text
    assert "Limits cut in the last 30 days" in text
    assert "20,000.00 EUR" in text
    assert "Gamma SARL" in text
    assert "Alpha Werke GmbH" in text
    assert "Sums in EUR at 1 exchange rate" in text


def test_a_past_day_shows_what_was_then(client: PageClient, login: Callable[..., Any], insight: Insight) -> None:
    login(client, Role.ADMINISTRATOR)
    text = said(client.get(f"/?on={insight.back(30)}").text)
    # A-1 and G-1 were open, both within their limits; nothing was cut yet.
    assert "9,000.00 EUR" in text
    assert "100% of exposure" in text
    assert "No limit was cut in the last 30 days." in text
    assert "No buyer is over the limit." in text


def test_a_future_day_shows_what_time_alone_brings(client: PageClient, login: Callable[..., Any], insight: Insight) -> None:
    login(client, Role.ADMINISTRATOR)
    text = said(client.get(f"/?on={insight.back(-30)}").text)
    assert "Stopped buyers 1" in text
    assert "as it will be on" in text


def test_the_scope_narrows_everything(client: PageClient, login: Callable[..., Any], insight: Insight) -> None:
    login(client, Role.ADMINISTRATOR)
    text = said(client.get(f"/?policy={insight.policy_id}").text)
    assert "16,500.00 EUR" in text
    text = said(client.get("/?policy=").text)
    assert "16,500.00 EUR" in text


def test_sales_is_welcomed_and_sees_no_figure(client: PageClient, login: Callable[..., Any], insight: Insight) -> None:
    login(client, Role.SALES)
    sent = client.get("/")
    assert (sent.status_code, sent.location) == (302, "/welcome")
    text = said(client.get("/welcome").text)
    assert "may this buyer be supplied now?" in text
    assert "EUR" not in text
    for address in ("/exposure/", "/receivables/", "/obligations/", "/exposure/why"):
        assert client.get(address).status_code == 403


def test_the_sentence_counts_in_words(client: PageClient, login: Callable[..., Any], insight: Insight) -> None:
    login(client, Role.ADMINISTRATOR)
    # Ten days from now A-1 is to be stopped, and A-2 is not due yet.
    text = said(client.get(f"/?on={insight.back(-15)}").text)
    assert "duty is due this week" in text or "duties are due this week" in text

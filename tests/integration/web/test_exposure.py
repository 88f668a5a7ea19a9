from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from support.insight import Insight, exported, make_insight, said
from support.pages import PageClient

from insureflow.domain.access import Role
from insureflow.models.scope import within
from insureflow.queries.exposure import Division, Portfolio, Reporting, divide, headroom, uncovered_by_reason


@pytest.fixture
def insight(app: Flask, organisation: Any) -> Insight:
    return make_insight(app, organisation)


@pytest.fixture
def reader(client: PageClient, login: Callable[..., Any], insight: Insight) -> PageClient:
    login(client, Role.AUDITOR)
    return client


def test_countries_add_up_to_the_whole(reader: PageClient) -> None:
    text = said(reader.get("/exposure/").text)
    assert "16,500.00 EUR is open; 6,500.00 EUR of it is not covered." in text
    found = {row["Country"]: row["Exposure"] for row in exported(reader, "/exposure/?format=csv")}
    assert found == {"DE": "14000.00", "US": "2500.00"}
    with reader.get("/exposure/?format=xlsx") as book:
        assert book.data.startswith(b"PK")


def test_lists_are_sorted_and_searched(reader: PageClient) -> None:
    assert [row["Country"] for row in exported(reader, "/exposure/?format=csv&sort=exposure&direction=asc")] == ["US", "DE"]
    assert [row["Country"] for row in exported(reader, "/exposure/?format=csv&sort=name&direction=asc")] == ["DE", "US"]
    assert [row["Country"] for row in exported(reader, "/exposure/?format=csv&q=united")] == ["US"]


def test_a_country_shows_its_buyers(reader: PageClient, insight: Insight) -> None:
    text = said(reader.get("/exposure/countries/US").text)
    assert "Beta Inc." in text
    assert "Alpha" not in text
    assert reader.get("/exposure/countries/FR").status_code == 200
    assert reader.get("/exposure/countries/ZZ").status_code == 404


def test_ageing_bands_lead_to_their_invoices(reader: PageClient, insight: Insight) -> None:
    page = reader.get("/exposure/ageing").text
    assert "6,000.00 EUR is overdue; 0.00 EUR of it is not covered." in said(page)
    found = {row["Age"]: row["Exposure"] for row in exported(reader, "/exposure/ageing?format=csv")}
    assert found["31–60 days"] == "6000.00"
    assert found["Not yet due"] == "10500.00"
    listed = exported(reader, f"/receivables/?format=csv&still_open=yes&due_on_from={insight.back(60)}&due_on_to={insight.back(31)}")
    assert [row["Invoice"] for row in listed] == ["A-1"]


@pytest.mark.parametrize(("name", "expected"), [("policy", "16500.00"), ("entity", "16500.00"), ("currency", "14000.00")])
def test_exposure_divided(reader: PageClient, name: str, expected: str) -> None:
    assert reader.get(f"/exposure/by-{name}").status_code == 200
    assert exported(reader, f"/exposure/by-{name}?format=csv")[0]["Exposure"] == expected


def test_the_reasons_of_a_figure(reader: PageClient, insight: Insight) -> None:
    text = said(reader.get("/exposure/why").text)
    assert "16,500.00 EUR is open" in text
    assert "9,000.00 EUR" in text
    text = said(reader.get(f"/exposure/why?buyer_id={insight.alpha}").text)
    assert "Exposure to Alpha Werke GmbH" in text
    assert "over the limit" in text
    panel = reader.get("/exposure/why?country=US", headers={"HX-Request": "true"})
    assert "<html" not in panel.text
    assert "2,500.00 EUR is open" in said(panel.text)
    assert reader.get("/exposure/why?country=ZZ").status_code == 404
    assert reader.get("/exposure/why?policy_id=999999").status_code == 404


def test_another_organisation_sees_nothing(
    client: PageClient, login: Callable[..., Any], insight: Insight, make_organisation: Callable[..., Any]
) -> None:
    other = make_organisation("Southern Pipes")
    login(client, Role.ADMINISTRATOR, other)
    assert "Nothing is open" in said(client.get("/exposure/").text)
    assert "Alpha" not in client.get(f"/exposure/why?buyer_id={insight.alpha}").text


def test_parts_sum_to_the_whole_in_every_division(app: Flask, organisation: Any) -> None:
    made = make_insight(app, organisation)
    with app.app_context(), within(organisation.id):
        portfolio = Portfolio(made.today)
        report, dollars = Reporting("EUR", made.today), Reporting("USD", made.today)
        whole = divide(portfolio, Division.WHOLE, dollars)[0]
        for division in Division:
            parts = divide(portfolio, division, dollars)
            for measure, total in (("open", 16_500_00), ("covered", 10_000_00), ("liability", 9_000_00)):
                assert sum(getattr(part, measure).get("EUR", 0) for part in parts) == total, (division, measure)
                parts_in_dollars = sum(dollars.sum(getattr(part, measure)) for part in parts)
                assert measure == "liability" or parts_in_dollars == dollars.sum(getattr(whole, measure))
        assert whole.ledger == {"EUR": 14_000_00, "USD": 5_000_00}
        assert uncovered_by_reason(portfolio, report) == {"over_limit": {"EUR": 4_000_00}, "no_limit": {"EUR": 2_500_00}}
        assert headroom(portfolio, report) == {"EUR": 12_000_00}

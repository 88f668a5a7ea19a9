"""From an empty database to exposure across countries, on the command line alone, and the figures add up."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from support import databases
from support.pages import PageClient

from insureflow.app import create_app
from insureflow.models.database import db

ON = "2026-06-30"
PASSWORD = "correct horse battery staple"
LIMITS = """insurer_id,buyer_name,country,customer_number,entity,requested,decided,decided_on,insurer_reference
4711,Müller GmbH,DE,1001,SE1,150000,100000,2026-01-15,CL-1
4712,Rossi S.p.A.,IT,1002,SE1,50000,0,2026-02-01,CL-2
"""
LEDGER = """kind;number;customer_number;customer_name;country;currency;net;vat;document_date;shipment_date;due_date;settled_date;applies_to
invoice;A-1;1001;Müller GmbH;DE;EUR;60000,00;0;2026-05-04;2026-05-04;2026-07-03;;
invoice;A-2;1001;Müller GmbH;DE;EUR;55000,00;0;2026-05-20;2026-05-20;2026-07-19;;
invoice;A-3;1002;Rossi S.p.A.;IT;EUR;12345,67;0;2026-05-21;2026-05-21;2026-07-20;;
invoice;A-4;1003;Ibérica de Aceros S.L.;ES;EUR;999,99;0;2026-05-22;2026-05-22;2026-07-21;;
invoice;A-5;1001;Müller GmbH;DE;EUR;1000,00;0;2026-02-02;2026-02-02;2026-04-03;;
payment;P-1;1001;Müller GmbH;DE;EUR;1000,00;0;2026-04-01;;;;A-5
"""


@pytest.fixture(params=databases.KINDS)
def product(request: pytest.FixtureRequest, run_folder: Path, tmp_path: Path) -> Iterator[Flask]:
    """The product on a database without a single table."""
    database = databases.empty(run_folder, request.param)
    app = create_app(databases.settings_for(database.url, tmp_path))
    app.test_client_class = PageClient
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    databases.drop(run_folder, database)


@pytest.fixture
def run(product: Flask) -> Callable[..., str]:
    """A command that must succeed: what it says."""
    runner = product.test_cli_runner()

    def invoke(*arguments: object, **options: Any) -> str:
        result = runner.invoke(args=[str(argument) for argument in arguments], **options)
        assert result.exit_code == 0, f"{arguments}: {result.output}{result.exception}"
        return str(result.stdout)

    return invoke


@pytest.mark.parametrize(
    "limits_first",
    [
        False,
        True,
    ],
)
def test_everything_without_a_browser(product: Flask, run: Callable[..., str], tmp_path: Path, limits_first: bool) -> None:
    own = ("--organisation", "nordic-parts")
    limits, ledger = tmp_path / "limits.csv", tmp_path / "ledger.csv"
    limits.write_text(LIMITS, encoding="utf-8")
    ledger.write_text(LEDGER, encoding="utf-8")
    run("db", "upgrade")
    run("organisation", "add", "Nordic Parts", "--currency", "EUR")
    run("entity", "add", "SE1", "Nordic Parts AB", *own, "--country", "SE", "--currency", "SEK")
    run("user", "add", "anna@example.com", *own, "--role", "administrator", "--password-stdin", input=f"{PASSWORD}\n")
    run(
        "policy", "add", *own, "--number", "AT-1", "--preset", "atradius-nl", "--from", "2026-01-01", "--set", "insured_percentage=90",
        "--set", "maximum_credit_terms.days=90",
    )  # fmt: skip

    def enter_limits() -> None:
        entered = json.loads(run("limits", "import", limits, *own, "--policy", "AT-1", "--create-buyers", "--on", ON, "--format", "json"))
        assert entered["added"] == 2

    if limits_first:
        enter_limits()
    arguments = ("receivables", "import", ledger, *own, "--entity", "SE1", "--profile", "plain", "--on", ON)
    run(*arguments, "--dry-run")
    assert json.loads(run("exposure", *own, "--on", ON, "--format", "json"))["rows"] == []
    run(*arguments, "--format", "json")
    if not limits_first:
        enter_limits()
    shown = json.loads(run("exposure", *own, "--by", "country", "--on", ON, "--format", "json"))
    rows = {row["country"]: row for row in shown["rows"]}
    assert {country: Decimal(row["receivables"]) for country, row in rows.items()} == {
        "DE": Decimal("115000.00"),
        "IT": Decimal("12345.67"),
        "ES": Decimal("999.99"),
    }
    assert {country: Decimal(row["covered"]) for country, row in rows.items()} == {"DE": Decimal(100000), "IT": 0, "ES": 0}
    assert Decimal(rows["DE"]["insurer_liability"]) == Decimal("90000.00")
    for row in rows.values():
        assert Decimal(row["covered"]) + Decimal(row["uncovered"]) == Decimal(row["open"])
        assert sum(map(Decimal, row["reasons"].values())) == Decimal(row["uncovered"])
    totals: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows.values():
        totals[row["currency"]] += Decimal(row["receivables"])
    assert totals == {"EUR": Decimal("128345.66")}
    before = run("exposure", *own, "--on", ON, "--format", "json")
    run(*arguments)
    assert run("exposure", *own, "--on", ON, "--format", "json") == before, "a file read twice changes nothing"
    run("exposure", "rebuild", "--check", *own)
    run("journal", "verify")
    client = product.test_client()
    answer = client.post("/login", data={"email": "anna@example.com", "password": PASSWORD})
    assert answer.status_code == 302
    page = client.get("/receivables/").get_data(as_text=True)
    assert "A-1" in page
    assert "Müller GmbH" in page

"""``insureflow exposure``: exact figures for people and programs, rebuild, and the check that finds a tampered row."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update
from support.trading import TODAY, make_up

from insureflow.domain.money import from_minor
from insureflow.models.cover import Exposure, InvoicePosition
from insureflow.models.database import db
from insureflow.models.scope import within
from insureflow.services.cover import rebuild
from insureflow.services.transaction import transaction


@pytest.fixture
def acme(app: Flask, keeping: Callable[..., Any]) -> int:
    def make() -> int:
        with app.app_context():
            made = make_up(db.session())
            rebuild(made.organisation_id, TODAY)
            organisation_id = made.organisation_id
            db.session.remove()
        return organisation_id

    return int(keeping("acme", make))


@pytest.mark.parametrize("by", ["country", "buyer", "policy", "currency", "entity"])
def test_every_grouping_adds_up_to_the_ledger_to_the_cent(app: Flask, acme: int, invoke: Callable[..., Any], by: str) -> None:
    on = TODAY - timedelta(days=40)
    result = invoke("exposure", "--organisation", "acme", "--by", by, "--on", on, "--format", "json")
    assert result.exit_code == 0, result.output
    data = json.loads(result.stdout)
    opened: dict[str, Decimal] = defaultdict(Decimal)
    with app.app_context(), within(acme):
        for row in db.session.scalars(select(InvoicePosition).where(InvoicePosition.valid_from <= on, InvoicePosition.valid_to > on)):
            opened[row.currency] += from_minor(row.ledger_open_minor, row.currency)
        db.session.remove()
    shown: dict[str, Decimal] = defaultdict(Decimal)
    for row in data["rows"]:
        shown[row["currency"]] += Decimal(row["receivables"])
        assert Decimal(row["covered"]) + sum((Decimal(amount) for amount in row["reasons"].values()), Decimal(0)) == Decimal(row["open"])
    assert {entry["currency"]: Decimal(entry["receivables"]) for entry in data["ledger"]} == shown
    assert {currency: amount for currency, amount in shown.items() if amount} == opened
    assert len({str(row[by]) for row in data["rows"]}) > 1


def test_one_entity_and_one_policy(acme: int, invoke: Callable[..., Any]) -> None:
    text = invoke("exposure", "--organisation", "acme", "--entity", "E3", "--by", "policy", "--on", TODAY)
    assert text.exit_code == 0, text.output
    assert "Receivables" in text.stdout
    of_entity = json.loads(invoke("exposure", "-o", "acme", "--entity", "E3", "--by", "policy", "--on", TODAY, "--format", "json").stdout)
    assert {row["policy"] for row in of_entity["rows"] if Decimal(row["receivables"])} == {None}
    of_policy = json.loads(
        invoke("exposure", "-o", "acme", "--policy", "USD-1", "--by", "policy", "--on", TODAY, "--format", "json").stdout
    )
    assert {row["policy"] for row in of_policy["rows"]} == {"USD-1"}
    unknown = invoke("exposure", "-o", "acme", "--entity", "E9")
    assert unknown.exit_code == 1
    assert "E9" in unknown.stderr
    assert invoke("exposure").exit_code == 2
    assert invoke("exposure", "-o", "nobody").exit_code == 1


def test_rebuild_and_check(app: Flask, acme: int, invoke: Callable[..., Any]) -> None:
    assert invoke("exposure", "rebuild", "--check", "-o", "acme", "--on", TODAY).exit_code == 0
    with app.app_context():
        with transaction(acme) as session:
            key = session.scalar(select(Exposure.id).where(Exposure.covered_minor > 0).order_by(Exposure.id).limit(1))
            session.execute(update(Exposure).where(Exposure.id == key).values(covered_minor=Exposure.covered_minor - 1))
        db.session.remove()
    found = invoke("exposure", "rebuild", "--check", "-o", "acme", "--on", TODAY, "--format", "json")
    assert found.exit_code == 1
    (difference,) = json.loads(found.stdout)["differences"]
    assert difference["table"] == "exposure"
    assert difference["stored"]["covered_minor"] == difference["calculated"]["covered_minor"] - 1
    assert invoke("exposure", "rebuild", "-o", "acme", "--on", TODAY).exit_code == 0
    again = invoke("exposure", "rebuild", "--check", "-o", "acme", "--on", TODAY)
    assert again.exit_code == 0
    assert "follows from ledger" in again.stdout

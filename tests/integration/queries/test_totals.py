"""The same totals to the cent, wherever they are shown: dashboard, pages, their divisions, files, and the command line."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from typing import Any

from flask import Flask
from support.insight import said
from support.pages import PageClient
from support.tenants import log_in

from insureflow.domain.access import Role


def test_every_face_gives_the_same_totals(demo_app: Flask, demo_organisation: Any) -> None:
    """On the demo, whose many accounts in several currencies would show any second way of rounding."""
    result = demo_app.test_cli_runner().invoke(args=["exposure", "-o", demo_organisation.slug, "--format", "json"])
    assert result.exit_code == 0, result.output
    whole = json.loads(result.stdout)["reporting"]
    opened, uncovered = Decimal(whole["open"]), Decimal(whole["uncovered"])
    assert opened == Decimal(whole["covered"]) + uncovered
    assert opened > 1_000_000
    assert whole["rates"], "the demo must have amounts in several currencies"
    client = demo_app.test_client()
    assert isinstance(client, PageClient)
    log_in(client, demo_organisation, Role.CREDIT_MANAGER)
    for address in ("/", "/exposure/", "/exposure/ageing", "/exposure/why"):
        text = said(client.get(address).text)
        assert f"{opened:,} {whole['currency']}" in text, address
        assert address == "/exposure/ageing" or f"{uncovered:,} {whole['currency']}" in text, address
    for division in ("/exposure/", "/exposure/ageing", "/exposure/by-policy", "/exposure/by-entity"):
        with client.get(f"{division}?format=csv") as answer:
            rows = list(csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig"))))
        assert sum(Decimal(row["Exposure"]) for row in rows) == opened, division
    shown = demo_app.test_cli_runner().invoke(args=["exposure", "-o", demo_organisation.slug, "--by", "policy"])
    assert f"In {whole['currency']}: {whole['open']} open, {whole['covered']} covered, {whole['uncovered']} uncovered." in shown.stdout

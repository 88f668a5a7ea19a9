"""From a file of the bank to a matched payment in a real browser, on a desktop and on a phone."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from support.bank_messages import Line, camt, entry
from support.insight import make_insight
from support.tenants import Tenant

from insureflow.domain.access import Role


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("width", [1280, 360])
def test_a_payment_is_matched(app: Flask, visit: Callable[..., Any], organisation: Tenant, tmp_path: Path, width: int) -> None:
    insight = make_insight(app, organisation)
    day = insight.back(0)
    lines = [
        Line("6000", "Invoice A-1", "Alpha Werke GmbH", "DE89370400440532013000", day=day, bank_reference="R1"),
        Line("7", "a very long text " * 20, "Somebody", day=day, bank_reference="R2"),
        Line("1.005", "odd", day=day),
    ]
    path = tmp_path / "bank.xml"
    path.write_bytes(camt([entry([line], "EUR", 8) for line in lines], opening="0", closing="1"))
    visitor = visit(organisation, Role.RECEIVABLES_CLERK, width=width)
    found: list[tuple[str, list[str], bool]] = []

    def look(name: str) -> None:
        found.append((name, visitor.violations(), visitor.is_too_wide()))

    page = visitor.open("/receivables/bank/new")
    look("upload")
    page.set_input_files("#file", str(path))
    page.get_by_role("button", name="Import", exact=True).click()
    page.wait_for_url(re.compile(r"/statements/\d+$"))
    look("statement")
    visitor.open("/receivables/bank/statements")
    look("statements")
    visitor.open("/receivables/bank/tolerances")
    look("tolerances")
    visitor.open("/receivables/bank/2?find=alpha")
    look("by hand")
    visitor.open("/receivables/bank/1/why")
    look("why")
    visitor.open("/receivables/bank/1")
    look("entry")
    page.get_by_role("button", name="Match proposal 1").click()
    page.get_by_text("The payment is matched").wait_for()
    look("matched")
    visitor.open("/receivables/bank/")
    look("entries")
    assert page.get_by_text("1 payment waits for a match.").count() == 1
    assert found == [(name, [], False) for name, _violations, _wide in found]

"""The import wizard in a real browser, on a desktop and on a phone."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.tenants import Tenant

from insureflow.domain.access import Role

FILE = (
    "Invoice no;Customer no;Customer name;Country;Amount;Invoice date;Due date\n"
    "F1;1001;Müller Maschinenbau GmbH;DE;1.190,00;04.05.2026;03.06.2026\n"
    "F3;1002;Åkesson AB;SE;50,00;05.05.2026;04.06.2026\n"
    "F2;1002;Åkesson AB;SE;x;05.05.2026;34.06.2026\n"
)


@pytest.mark.parametrize("width", [1280, 360])
def test_the_wizard_can_be_used_by_everybody(visit: Callable[..., Any], organisation: Tenant, tmp_path: Path, width: int) -> None:
    path = tmp_path / "ledger.csv"
    path.write_bytes(FILE.encode("cp1252"))
    visitor = visit(organisation, Role.RECEIVABLES_CLERK, width=width)
    found: list[tuple[str, list[str], bool]] = []

    def look(name: str) -> None:
        found.append((name, visitor.violations(), visitor.is_too_wide()))

    page = visitor.open("/imports/new")
    look("upload")
    page.set_input_files("#file", str(path))
    page.get_by_role("button", name="Upload and look at it").click()
    page.wait_for_url(re.compile(r"/imports/\d+/mapping"))
    look("mapping")
    if page.locator("#date_order").is_hidden():
        page.locator("summary", has_text="Change how the file is read").click()
    page.select_option("#date_order", "dmy")
    page.get_by_role("button", name="Check the whole file").click()
    page.wait_for_url(re.compile(r"/imports/\d+$"))
    look("check")
    visitor.open("/imports/")
    look("list")
    visitor.open("/imports/profiles")
    look("mappings")
    assert found == [(name, [], False) for name, _violations, _wide in found]

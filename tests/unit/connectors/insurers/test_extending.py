"""What ``docs/extending.md`` shows works, and what it names exists."""

from __future__ import annotations

import re
from typing import Any

import pytest
from support.tree import PACKAGE, ROOT

from insureflow.connectors.insurers.interface import InsurerConnector, ItemFailed
from insureflow.domain.money import Money
from insureflow.sandbox.book import RULE_FIELDS
from insureflow.sandbox.faults import FAULTS

TEXT = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def example() -> dict[str, Any]:
    """The names of the example's module."""
    (block,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    names: dict[str, Any] = {"__name__": "acme_credit"}
    exec(compile(block, "docs/extending.md", "exec"), names)
    return names


def test_the_example_is_a_connector(example: dict[str, Any]) -> None:
    connector = example["AcmeCredit"]()
    promised = {name for name in (*vars(InsurerConnector), *InsurerConnector.__annotations__) if not name.startswith("_")}
    assert {name for name in promised if not hasattr(connector, name)} == set()


def test_the_example_reads_what_it_says(example: dict[str, Any]) -> None:
    row = {"id": 1, "company": "7", "answer": "PART", "amount": "500", "asked": "1000", "from": "2026-03-31T00:00:00Z"}
    cover = example["read_cover"](row, "EUR")
    assert (cover.decided, cover.requested) == (Money.of(500, "EUR"), Money.of(1000, "EUR"))
    assert example["read_cover"]({**row, "answer": "NO"}, "EUR").decided == Money.zero("EUR")
    assert example["read_cover"]({**row, "answer": "WAIT"}, "EUR").decided is None
    for wrong in ({"answer": "PERHAPS"}, {"amount": ""}, {"id": None}):
        with pytest.raises(ItemFailed):
            example["read_cover"]({**row, **wrong}, "EUR")


def test_everything_named_exists() -> None:
    faults = re.search(r"^Faults: (.*?)\.$", TEXT, re.DOTALL | re.MULTILINE)
    assert faults is not None
    assert set(re.findall(r"`(\w+)`", faults[1])) == set(FAULTS)
    for field in sorted(RULE_FIELDS - {"policy", "kind"}):
        assert f"`{field}`" in TEXT
    control = (PACKAGE / "sandbox" / "control.py").read_text(encoding="utf-8")
    for path in re.findall(r"/control/(\w+)`", TEXT):
        assert f'"/{path}"' in control
    http = (PACKAGE / "connectors" / "insurers" / "http.py").read_text(encoding="utf-8")
    for option in ("connect_seconds", "read_seconds", "deadline_seconds", "reply_mebibytes", "private_addresses", "environment"):
        assert f"`{option}`" in TEXT
        assert f'"{option}"' in http
    for place in re.findall(r"`((?:connectors|sandbox|i18n|domain|tests)/[\w/.]+\.py)`", TEXT):
        assert (ROOT / place).is_file() or (PACKAGE / place).is_file(), place

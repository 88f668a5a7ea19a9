"""Cover as written down in worked examples, our own and those of the folder beside the repository."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from insureflow.domain.cover import (
    run_cover_case,
)

ROOT = Path(__file__).resolve().parents[4]
SHARED = Path(os.environ.get("INSUREFLOW_SHARED", ROOT.parent / "shared")) / "cases" / "cover.yaml"
OWN = ROOT / "tests" / "cases" / "cover.yaml"


def iso(value: object) -> Any:
    """Bare YAML dates as text, as a file's schema sees them."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: iso(entry) for key, entry in value.items()}
    return [iso(entry) for entry in value] if isinstance(value, list) else value


def differences(path: str, expected: object, found: object) -> list[str]:
    """Where a result is not what is written; maps are compared by the keys written, reasons whole."""
    if isinstance(expected, dict):
        if not isinstance(found, Mapping) or (path.endswith("reasons") and set(expected) != set(found)):
            return [f"{path}: expected {expected}, found {found}"]
        return [line for key, entry in expected.items() for line in differences(f"{path}.{key}", entry, found.get(key, "nothing"))]
    if isinstance(expected, bool) or expected is None:
        return [] if expected is found else [f"{path}: expected {expected}, found {found}"]
    same = found is not None and found != "nothing" and Decimal(str(expected)) == found
    return [] if same else [f"{path}: expected {expected}, found {found}"]


def cover_cases(path: Path) -> list[Any]:
    if not path.exists():
        return []
    cases = iso(yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader))["cases"]
    return [pytest.param(case, id=case["id"]) for case in cases if case["kind"] == "cover"]


def check_case(case: dict[str, Any]) -> None:
    states = case["expect"]["at"]
    found = run_cover_case(case["given"], [date.fromisoformat(state["date"]) for state in states])
    for position, (state, result) in enumerate(zip(states, found, strict=True)):
        written = {key: entry for key, entry in state.items() if key != "date"}
        assert differences(f"at[{position}]", written, result) == []


@pytest.mark.parametrize("case", cover_cases(OWN))
def test_own_worked_example(case: dict[str, Any]) -> None:
    check_case(case)


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.exists(), reason=f"{SHARED} is not there")
@pytest.mark.parametrize("case", cover_cases(SHARED))
def test_shared_worked_example(case: dict[str, Any]) -> None:
    check_case(case)


def test_own_worked_examples_are_many_and_have_ids_of_their_own() -> None:
    own = [case.id for case in cover_cases(OWN)]
    assert len(own) >= 35
    assert len(set(own)) == len(own)
    assert not set(own) & {case.id for case in cover_cases(SHARED)}

"""``insureflow cases run``: worked examples pass, failures and unreadable files are told apart."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

OWN = sorted((Path(__file__).parents[2] / "cases").glob("*.yaml"))

EXAMPLE = """
format: 1
title: One invoice
cases:
  - id: ONE
    title: Covered up to the limit
    kind: cover
    source: constructed (rule)
    given:
      policy: {currency: EUR}
      events:
        - {type: limit_decision, date: 2026-01-01, amount: 100}
        - {type: invoice, id: A, date: 2026-01-02, net: 150, due_date: 2026-02-01}
    expect:
      at: [{date: 2026-01-02, invoices: {A: {covered: COVERED}}}]
"""


@pytest.fixture
def run(app: Flask) -> Callable[..., Any]:
    """No database is needed."""
    runner = app.test_cli_runner()
    return lambda *arguments: runner.invoke(args=["cases", "run", *map(str, arguments)])


def test_the_products_own_examples_pass(run: Callable[..., Any]) -> None:
    assert OWN
    result = run(*OWN, "--format", "json")
    data = json.loads(result.stdout)
    assert [entry["id"] for entry in data if not entry["passed"]] == []
    assert result.exit_code == 0
    assert len(data) > 50


def test_a_failure_shows_expected_and_got(run: Callable[..., Any], tmp_path: Path) -> None:
    path = tmp_path / "one.yaml"
    path.write_text(EXAMPLE.replace("COVERED", "100"), encoding="utf-8")
    assert run(path).exit_code == 0
    path.write_text(EXAMPLE.replace("COVERED", "120"), encoding="utf-8")
    result = run(path, "--format", "json")
    assert result.exit_code == 1
    (entry,) = json.loads(result.stdout)
    assert (entry["id"], entry["kind"], entry["passed"]) == ("ONE", "cover", False)
    assert entry["differences"] == [{"path": "at[0].invoices.A.covered", "expected": 120, "got": "100.00"}]
    text = run(path)
    assert "expected 120, got 100.00" in text.stdout
    assert "1 fail" in text.stdout


def test_a_kind_not_built_yet_fails_and_says_so(run: Callable[..., Any], tmp_path: Path) -> None:
    path = tmp_path / "one.yaml"
    path.write_text(EXAMPLE.replace("kind: cover", "kind: premium"), encoding="utf-8")
    result = run(path)
    assert result.exit_code == 1
    assert "premium" in result.stdout


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("format: 1\nformat: 1\ntitle: x\ncases: []\n", "format"),
        ("format: [1\n", "YAML"),
        ("format: 2\ntitle: x\ncases: [{}]\n", "format 1"),
    ],
)
def test_an_unusable_file_is_named_and_the_others_still_run(run: Callable[..., Any], tmp_path: Path, content: str, said: str) -> None:
    bad, good = tmp_path / "bad.yaml", tmp_path / "good.yaml"
    bad.write_text(content, encoding="utf-8")
    good.write_text(EXAMPLE.replace("COVERED", "100"), encoding="utf-8")
    result = run(bad, good)
    assert result.exit_code == 1
    assert said in result.stderr
    assert "bad.yaml" in result.stderr
    assert "1 pass" in result.stdout
    assert run(tmp_path / "absent.yaml").exit_code == 1


def test_an_id_used_twice_is_an_error(run: Callable[..., Any], tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(EXAMPLE.replace("COVERED", "100"), encoding="utf-8")
    result = run(tmp_path / "a.yaml", tmp_path / "b.yaml", "--format", "json")
    assert [entry["passed"] for entry in json.loads(result.stdout)] == [True, False]
    assert result.exit_code == 1

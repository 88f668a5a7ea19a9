"""The commands about policies that exist: new terms from a day on, and whose sales they insure."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.tenants import make_tenant

Invoke = Callable[..., Any]


def ok(result: Any) -> str:
    assert result.exit_code == 0, result.output + str(result.exception)
    return str(result.stdout)


@pytest.fixture
def policy(app: Any, invoke: Invoke) -> tuple[str, ...]:
    """Where the policy is: the options that name it."""
    make_tenant(app, entities={"SE01": ("SE", "SEK"), "DE01": ("DE", "EUR")}, roles=())
    ok(
        invoke(
            *("policy", "add", "-o", "nordic-pumps", "--number", "AT-1", "--preset", "atradius-nl", "--entity", "SE01"),
            *("--set", "insured_percentage=90", "--set", "maximum_credit_terms.days=90", "--from", "2026-01-01"),
        )
    )
    return ("-o", "nordic-pumps", "--policy", "AT-1")


def test_new_terms_hold_from_their_day(invoke: Invoke, policy: tuple[str, ...], tmp_path: Path) -> None:
    said = ok(invoke("policy", "terms", "add", *policy, "--effective-on", "2026-07-01", "--set", "insured_percentage=85", "--note", "A1"))
    assert "has new terms from 1 Jul 2026" in said
    shown = json.loads(ok(invoke("policy", "show", "AT-1", "-o", "nordic-pumps", "--on", "2026-06-30", "--format", "json")))
    assert shown["terms"]["insured_percentage"]["default"] == "90"
    later = json.loads(ok(invoke("policy", "show", "AT-1", "-o", "nordic-pumps", "--on", "2026-07-01", "--format", "json")))
    assert later["terms"]["insured_percentage"]["default"] == "85"
    file = tmp_path / "terms.yaml"
    file.write_text("insured_percentage: 80\nmaximum_credit_terms: {days: 60}\n", encoding="utf-8")
    made = json.loads(ok(invoke("policy", "terms", "add", str(file), *policy, "--effective-on", "2026-09-01", "--format", "json")))
    assert made == {"number": "AT-1", "effective_on": "2026-09-01", "note": ""}
    listed = json.loads(ok(invoke("policy", "terms", "list", *policy, "--format", "json")))
    assert [each["effective_on"] for each in listed] == ["2026-01-01", "2026-07-01", "2026-09-01"]
    for arguments, words in (
        (("--effective-on", "2026-09-01", "--set", "insured_percentage=70"), "1 Sep 2026"),
        (("--effective-on", "2026-10-01", "--set", "insured_percentage=180"), "insured_percentage"),
    ):
        refused = invoke("policy", "terms", "add", *policy, *arguments)
        assert refused.exit_code == 1
        assert words in refused.stderr
    assert invoke("policy", "terms", "add", *policy, "--effective-on", "2026-10-01").exit_code == 2
    file.write_text("insured_percentage: [\n", encoding="utf-8")
    assert "line 2" in invoke("policy", "terms", "add", str(file), *policy, "--effective-on", "2026-10-01").stderr


def test_an_entity_is_insured_and_no_more(invoke: Invoke, policy: tuple[str, ...]) -> None:
    assert "insures DE01, SE01." in ok(invoke("policy", "insure", "DE01", *policy))
    less = json.loads(ok(invoke("policy", "insure", "SE01", *policy, "--remove", "--format", "json")))
    assert less == {"number": "AT-1", "entities": ["DE01"]}
    for arguments, words in ((("XX",), "XX"), (("DE01", "--remove"), "entit")):
        refused = invoke("policy", "insure", *arguments, *policy)
        assert refused.exit_code == 1
        assert words in refused.stderr
    assert "AT-9" in invoke("policy", "insure", "DE01", "-o", "nordic-pumps", "--policy", "AT-9").stderr

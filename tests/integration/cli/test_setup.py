"""From an empty database to a policy without a browser."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from support import databases

from insureflow.models.database import db

PASSWORD = "correct horse battery staple"
Invoke = Callable[..., Any]


def ok(result: Any) -> str:
    assert result.exit_code == 0, result.output + str(result.exception)
    return str(result.stdout)


def make_organisation(invoke: Invoke) -> None:
    ok(invoke("organisation", "add", "Nordic Parts", "--currency", "EUR", "--time-zone", "Europe/Stockholm"))
    ok(invoke("entity", "add", "NL1", "Nordic Parts BV", "-o", "nordic-parts", "--country", "NL", "--currency", "EUR"))


def test_everything_can_be_set_up_from_nothing(applications: Any, run_folder: Path, tmp_path: Path) -> None:
    """The real migrations on a new file, as a first start would."""
    from insureflow.app import create_app

    app = create_app(databases.settings_for(f"sqlite:///{tmp_path / 'new.db'}", tmp_path))
    runner = app.test_cli_runner()

    def invoke(*arguments: str, **options: Any) -> Any:
        return runner.invoke(args=list(arguments), **options)

    ok(invoke("db", "upgrade"))
    make_organisation(invoke)
    ok(
        invoke(
            "user",
            "add",
            "anna@example.com",
            "-o",
            "nordic-parts",
            "--name",
            "Anna",
            "--role",
            "administrator",
            "--password-stdin",
            input=f"{PASSWORD}\n",
        )
    )
    said = ok(
        invoke(
            "policy", "add", "-o", "nordic-parts", "--number", "AT-1", "--preset", "atradius-nl", "--set", "insured_percentage=90",
            "--set", "maximum_credit_terms.days=90", "--from", "2026-01-01",
        )
    )  # fmt: skip
    assert "Added the policy AT-1 of Atradius in EUR." in said
    assert "vat_covered" in said
    assert "insured_percentage.default" not in said, "what was set needs no check"
    shown = json.loads(ok(invoke("policy", "show", "AT-1", "-o", "nordic-parts", "--format", "json")))
    assert shown["terms"]["insured_percentage"] == {"default": "90"}
    assert shown["terms"]["maximum_extension_period"] == {"days": 60, "from": "original_due_date"}
    assert shown["entities"] == ["NL1"]
    words = ok(invoke("policy", "show", "AT-1", "-o", "nordic-parts"))
    assert "Maximum extension period: 60 days from the original due date [preset]" in words
    assert "Insured percentage: 90% [entered for this policy]" in words
    assert "all 4 entries are as they were written" in ok(invoke("journal", "verify"))
    applications.disconnect(app)


def test_a_person_can_log_in_with_the_password_that_was_asked_for(invoke: Invoke, client: Any) -> None:
    make_organisation(invoke)
    asked = invoke("user", "add", "anna@example.com", "-o", "nordic-parts", "--role", "auditor", input=f"{PASSWORD}\n{PASSWORD}\n")
    ok(asked)
    assert PASSWORD not in asked.output
    assert json.loads(ok(invoke("user", "list", "-o", "nordic-parts", "--format", "json"))) == [
        {"email": "anna@example.com", "name": "", "role": "auditor", "active": True}
    ]
    again = invoke("user", "add", "anna@example.com", "-o", "nordic-parts", "--role", "sales")
    assert again.exit_code == 1
    assert "works in this organisation already" in again.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["entity", "list", "-o", "nobody"], 1, "There is no organisation “nobody”"),
        (["entity", "add", "NL1", "Second", "-o", "nordic-parts", "--country", "NL", "--currency", "EUR"], 1, "exists already"),
        (["policy", "add", "-o", "nordic-parts", "--number", "1", "--preset", "nobody"], 1, "no preset “nobody”"),
        (["policy", "add", "-o", "nordic-parts", "--number", "1"], 1, "who is the insurer"),
        (["policy", "add", "-o", "nordic-parts", "--number", "1", "--preset", "plain", "--set", "x"], 1, "not of the form"),
        (
            ["policy", "add", "-o", "nordic-parts", "--number", "1", "--preset", "plain", "--entity", "ZZ"],
            1,
            "no entity with the code “ZZ”",
        ),
        (["policy", "show", "1", "-o", "nordic-parts"], 1, "There is no policy “1”"),
        (["policy", "show", "1", "-o", "nordic-parts", "--on", "tomorrow"], 2, "is not a date"),
        (["user", "add", "nobody", "-o", "nordic-parts", "--role", "sales", "--password-stdin"], 1, "is not an e-mail address"),
    ],
)
def test_a_refusal_is_a_sentence_and_a_status(invoke: Invoke, arguments: list[str], status: int, words: str) -> None:
    make_organisation(invoke)
    result = invoke(*arguments, input="\n")
    assert result.exit_code == status
    assert words in result.stderr
    assert result.stdout == ""


def test_terms_can_come_from_a_file_and_all_problems_are_named(invoke: Invoke, tmp_path: Path) -> None:
    make_organisation(invoke)
    file = tmp_path / "terms.yaml"
    file.write_text("currency: EUR\nmaximum_extension_period: {days: 45}\ncountries_covered: [NO, DE]\ninsured_percentage: 87.5\n", "utf-8")
    ok(invoke("policy", "add", "-o", "nordic-parts", "--number", "X", "--insurer", "Own", "--terms", str(file)))
    terms = json.loads(ok(invoke("policy", "show", "X", "-o", "nordic-parts", "--format", "json")))["terms"]
    assert terms["countries_covered"] == ["DE", "NO"]
    assert terms["insured_percentage"] == {"default": "87.5"}
    file.write_text("maximum_extension_period: {days: many}\ncountries_covered: [XX]\n", "utf-8")
    refused = invoke("policy", "add", "-o", "nordic-parts", "--number", "Y", "--insurer", "Own", "--terms", str(file))
    assert refused.exit_code == 1
    assert len(refused.stderr.splitlines()) == 2
    assert "policy.maximum_extension_period.days" in refused.stderr
    file.write_bytes(b"\xff\xfe")
    refused = invoke("policy", "add", "-o", "nordic-parts", "--number", "Y", "--insurer", "Own", "--terms", str(file))
    assert refused.exit_code == 1
    assert "not UTF-8" in refused.stderr


def test_presets_are_listed_and_shown(invoke: Invoke) -> None:
    listed = json.loads(ok(invoke("preset", "list", "--format", "json")))
    assert {
        "key": "prisma",
        "insurer": "PRISMA",
        "product": "Credit insurance",
        "title": "PRISMA in Austria",
        "countries": ["AT"],
    } in listed
    shown = ok(invoke("preset", "show", "prisma"))
    assert "Six months after the launch of collection." in shown
    data = json.loads(ok(invoke("preset", "show", "prisma", "--format", "json")))
    assert data["terms"]["waiting_period"]["protracted_default"] == {"months": 6, "from": "collection_start"}


def test_organisations_and_entities_are_listed(invoke: Invoke, app: Flask) -> None:
    assert "There is no organisation yet" in ok(invoke("organisation", "list"))
    assert "no organisation yet" in ok(invoke("journal", "verify"))
    make_organisation(invoke)
    assert "nordic-parts" in ok(invoke("organisation", "list"))
    assert json.loads(ok(invoke("entity", "list", "-o", "nordic-parts", "--format", "json"))) == [
        {"code": "NL1", "name": "Nordic Parts BV", "country": "NL", "currency": "EUR"}
    ]
    assert "There is no policy yet" in ok(invoke("policy", "list", "-o", "nordic-parts"))
    with app.app_context():
        assert db.engine is not None

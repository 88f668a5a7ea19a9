"""Limits on the command line: files read whole or not at all, single decisions, and the list."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from flask import Flask
from sqlalchemy import func, select
from support.accounts import Account, add_buyer, make_account, within
from support.workbooks import workbook

from insureflow.domain.buyers import BuyerStatus, IdentifierScheme
from insureflow.models.buyers import Buyer
from insureflow.models.database import db
from insureflow.models.journal import JournalEntry
from insureflow.models.limits import LimitDecision
from insureflow.services import buyers
from insureflow.services.buyers import BuyerDetails, IdentifierEntry

Invoke = Callable[..., Any]

HEADING = "insurer_id,vat_number,customer_number,buyer_name,country,layer,kind,status,requested,decided,decided_on,valid_to,insured_percentage,insurer_reference"
GOOD = f"""{HEADING}
4711,,,,,,,,150000,100000,2026-01-15,,85,CL-1
,DE136695976,,,DE,,,,,50000.50,2026-01-16,,,CL-2
,,1001,,,,,,,60000,2026-01-17,,,
,,,Nobody Asked SARL,FR,,,refused,5000,,2026-01-18,,,CL-4
,,1001,,,,temporary,,,90000,2026-02-01,2026-08-31,,
,,1001,,,,,requested,500000,,2026-03-01,,,
,,1001,,,,,withdrawn,,,2026-04-01,,,CL-7
"""


@pytest.fixture
def account(app: Flask) -> Account:
    account = make_account(app)
    with app.app_context(), within(account.organisation_id):
        actor = account.tenant.actor()
        buyers.add_buyer(actor, account.organisation_id, BuyerDetails("Known To Insurer AB", "SE", insurer_numbers=(("Atradius", "4711"),)))
        vat = (IdentifierEntry(IdentifierScheme.VAT, "DE", "DE136695976"),)
        buyers.add_buyer(actor, account.organisation_id, BuyerDetails("Taxed AG", "DE", identifiers=vat))
        add_buyer(account.tenant, "Nobody Asked SARL", "FR")
    return account


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str, name: str = "limits.csv") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def stored(app: Flask, account: Account) -> list[LimitDecision]:
    with app.app_context(), within(account.organisation_id):
        return list(db.session.scalars(select(LimitDecision).order_by(LimitDecision.decided_on, LimitDecision.id)))


def journalled(app: Flask, account: Account) -> list[str]:
    with app.app_context(), within(account.organisation_id):
        return list(db.session.scalars(select(JournalEntry.action).order_by(JournalEntry.sequence)))


def run(invoke: Invoke, *arguments: object) -> Any:
    return invoke("limits", *map(str, arguments), "-o", "nordic-pumps")


def load(invoke: Invoke, path: Path, *more: object) -> Any:
    return run(invoke, "import", path, "--policy", "POL-N1", "--on", "2026-06-30", *more)


def test_a_file_is_entered_once(app: Flask, account: Account, invoke: Invoke, file: Callable[[str], Path]) -> None:
    path = file(GOOD)
    dry = load(invoke, path, "--dry-run", "--format", "json")
    assert dry.exit_code == 0, dry.output
    assert {name: json.loads(dry.output)[name] for name in ("rows", "added", "stored")} == {"rows": 7, "added": 7, "stored": False}
    assert stored(app, account) == []
    first = load(invoke, path)
    assert first.exit_code == 0, first.output
    assert "7 rows read: 7 entered, 0 known already" in first.output
    assert [each.status.value for each in stored(app, account)] == [
        "partly_approved",
        "approved",
        "approved",
        "refused",
        "approved",
        "requested",
        "withdrawn",
    ]
    assert stored(app, account)[1].decided_minor == 50_000_50
    assert stored(app, account)[0].conditions == {"insured_percentage": "85"}
    entries = journalled(app, account)
    assert entries.count("limits.imported") == 1
    again = load(invoke, path)
    assert "0 entered, 7 known already" in again.output
    assert journalled(app, account) == entries


def test_all_bad_rows_are_told_at_once_and_nothing_is_entered(
    app: Flask, account: Account, invoke: Invoke, file: Callable[[str], Path]
) -> None:
    bad = f"""{HEADING}
4711,,,,,,,,,100000,2026-01-15,,,CL-1
9999,,,,,,,,,1,2026-01-15,,,
,,,Nobody,QQ,,,,,1,2026-01-15,,,
,,1001,,,second,,,,1,2026-01-15,,,
,,1001,,,,,,,much,2026-01-15,,,
,,1001,,,,,,,-5,2026-01-15,,,
,,1001,,,,,,,5,,,,
,,1001,,,,temporary,,,5,2026-01-15,,,
,,1001,,,,,,,5,2026-01-15,,180,
,,,,,,,,,5,2026-01-15,,,
,,1001,,,,,,,5,2027-01-15,,,
,,1001,,,,,refused,,5,2026-01-15,,,
,,1001,,,,,requested,,,2026-01-15,,,
4711,,,,,,,,,99,2026-01-15,,,CL-1
"""
    result = load(invoke, file(bad), "--format", "json")
    assert result.exit_code == 1
    problems = json.loads(result.output)["problems"]
    assert [(problem["row"], problem["column"], problem["code"]) for problem in problems] == [
        (3, "insurer_id", "buyer_not_found"),
        (4, "country", "not_a_country_code"),
        (5, "layer", "not_one_of"),
        (6, "decided", "not_an_amount"),
        (7, "decided", "amount_negative"),
        (8, "decided_on", "date_needed"),
        (9, "valid_to", "temporary_needs_end"),
        (10, "insured_percentage", "cell_not_a_percentage"),
        (11, "insurer_id", "buyer_not_named"),
        (12, "decided_on", "in_the_future"),
        (13, "decided", "refused_with_amount"),
        (14, "requested", "amount_needed"),
        (15, "insurer_reference", "reference_taken"),
    ]
    assert all(problem["reason"] and "could not be done" not in problem["reason"] for problem in problems)
    assert stored(app, account) == []
    spoken = load(invoke, file(bad))
    assert "Row 3, insurer_id “9999”: No buyer fits." in spoken.stderr
    assert "13 problems were found; nothing was entered" in spoken.stderr


def test_a_workbook_is_read_as_well(app: Flask, account: Account, invoke: Invoke, tmp_path: Path) -> None:
    path = tmp_path / "limits.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        for column, heading in enumerate(("Customer number", "Decided", "Decided on", "Insured percentage")):
            sheet.write(0, column, heading)
        sheet.write_string(1, 0, "1001")
        sheet.write_number(1, 1, 75000.25)
        sheet.write_number(1, 2, 46037, day)
        sheet.write_number(1, 3, 80)
    result = load(invoke, path)
    assert result.exit_code == 0, result.output + result.stderr
    [made] = stored(app, account)
    assert (made.decided_minor, made.decided_on.isoformat(), made.conditions) == (75_000_25, "2026-01-15", {"insured_percentage": "80"})


def test_the_same_list_as_text_and_as_a_workbook_is_entered_once(
    app: Flask, account: Account, invoke: Invoke, file: Callable[[str], Path], tmp_path: Path
) -> None:
    path = tmp_path / "limits.xlsx"
    rows: list[list[object]] = [
        [
            "INSURER ID",
            "Customer-Number",
            "country",
            "Decided",
            "decided on",
            "valid_to",
            "Kind",
            "Insured  Percentage",
            "insurer_reference",
        ],
        [4711, "", "Sweden", 100000, date(2026, 1, 15), "", "", 0.85, "CL-1"],
        ["", 1001, "DEU", 60000.5, date(2026, 1, 17), "", "", "", ""],
        ["", 1001, "", 90000, date(2026, 2, 1), date(2026, 8, 31), "temporary", "", ""],
    ]
    path.write_bytes(workbook({"Limits": rows}))
    assert "3 entered, 0 known already" in load(invoke, path).output
    text = """insurer_id,customer_number,decided,decided_on,valid_to,kind,insured_percentage,insurer_reference
4711,,100000.00,2026-01-15,,,85.0,CL-1
,1001,60000.50,2026-01-17,,,,
,1001,90000,2026-02-01,2026-08-31,temporary,,
"""
    assert "0 entered, 3 known already" in load(invoke, file(text)).output
    assert "0 entered, 3 known already" in load(invoke, path).output
    assert len(stored(app, account)) == 3


def test_new_buyers_are_made_only_when_asked(app: Flask, account: Account, invoke: Invoke, file: Callable[[str], Path]) -> None:
    path = file("insurer_id,vat_number,buyer_name,country,decided,decided_on\n88,SE556703748501,New Customer AB,SE,1000,2026-01-15\n")
    assert load(invoke, path).exit_code == 1
    result = load(invoke, path, "--create-buyers")
    assert "1 entered, 0 known already, 1 new buyers" in result.output
    with app.app_context(), within(account.organisation_id):
        buyer = db.session.scalars(select(Buyer).where(Buyer.legal_name == "New Customer AB")).one()
        assert buyer.status is BuyerStatus.TO_REVIEW
        assert [each.value for each in buyer.identifiers] == ["SE556703748501"]
        assert [each.number for each in buyer.insurer_identities] == ["88"]
    assert "0 new buyers" in load(invoke, path, "--create-buyers").output
    nameless = file("insurer_id,decided,decided_on\n99,1000,2026-01-15\n", "nameless.csv")
    assert "needs its name and country" in load(invoke, nameless, "--create-buyers").stderr


def test_a_name_that_two_buyers_have_is_not_guessed(app: Flask, account: Account, invoke: Invoke, file: Callable[[str], Path]) -> None:
    with app.app_context(), within(account.organisation_id):
        add_buyer(account.tenant, "MÜLLER AG")
    result = load(invoke, file("buyer_name,country,decided,decided_on\nmuller,DE,1000,2026-01-15\n"))
    assert "Several buyers fit: MÜLLER AG, Müller GmbH" in result.stderr
    exact = load(invoke, file("buyer_name,country,decided,decided_on\nMüller GmbH,DE,1000,2026-01-15\n"))
    assert exact.exit_code == 0, exact.stderr


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("buyer_name,amount,decided_on\nx,1,2026-01-01\n", "The column “amount” is not one of the layout"),
        ("buyer_name,decided,decided_on,Decided On\nx,1,2026-01-01,2026-01-01\n", "stands twice"),
        ("decided,reason\n1,x\n", "A column is missing"),
        ("buyer_name,decided,decided_on\n", "Error"),
        ("buyer_name,decided,decided_on\nx,1,03/04/2026\ny,1,05/06/2026\n", "Error"),
        ('buyer_name,decided,decided_on\nx,"1,000",2026-01-01\n', "Error"),
    ],
)
def test_a_file_of_another_layout_is_refused(
    app: Flask, account: Account, invoke: Invoke, file: Callable[[str], Path], text: str, sentence: str
) -> None:
    result = load(invoke, file(text))
    assert result.exit_code == 1
    assert sentence in result.stderr
    assert stored(app, account) == []


def test_an_unknown_policy_is_named(account: Account, invoke: Invoke, file: Callable[[str], Path]) -> None:
    result = run(invoke, "import", file(GOOD), "--policy", "P-404")
    assert result.exit_code == 1
    assert "no policy with the number “P-404”" in result.stderr


def test_one_decision_is_entered_listed_and_withdrawn(app: Flask, account: Account, invoke: Invoke) -> None:
    common = ("--policy", "POL-N1", "--buyer", "1001", "--on", "2026-06-30")
    made = run(
        invoke, "record", *common, "--decided", "50000", "--decided-on", "2026-01-10", "--insured-percentage", "85", "--format", "json"
    )
    assert made.exit_code == 0, made.stderr
    assert json.loads(made.output)["decided"] == {"amount": "50000.00", "currency": "EUR"}
    listed = json.loads(run(invoke, "list", "--policy", "POL-N1", "--on", "2026-06-30", "--format", "json").output)
    assert [(row["buyer"], row["situation"], row["limit"], row["insured_percentage"]) for row in listed] == [
        ("Müller GmbH", "in_force", {"amount": "50000.00", "currency": "EUR"}, "85")
    ]
    ended = run(invoke, "withdraw", *common, "--received-on", "2026-02-01", "--reason", "no more")
    assert "withdrawn" in ended.output
    assert "withdrawn" in run(invoke, "list", "--on", "2026-06-30").output
    with app.app_context(), within(account.organisation_id):
        assert db.session.scalar(select(func.count(LimitDecision.id))) == 2


@pytest.mark.parametrize(("buyer", "sentence"), [("nobody at all", "no such buyer"), ("a", "Several buyers fit")])
def test_the_buyer_must_be_one(account: Account, invoke: Invoke, buyer: str, sentence: str) -> None:
    result = run(invoke, "record", "--policy", "POL-N1", "--buyer", buyer, "--decided", "1")
    assert result.exit_code == 1
    assert sentence in result.stderr

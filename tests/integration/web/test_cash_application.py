from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from support.bank_messages import PAYER, Line, camt, entry
from support.insight import Insight, exported, make_insight, said
from support.pages import PageClient

from insureflow.domain.access import Role

ADDRESS = "/receivables/bank"


@pytest.fixture
def insight(app: Flask, organisation: Any) -> Insight:
    return make_insight(app, organisation)


@pytest.fixture
def clerk(client: PageClient, login: Callable[..., Any], insight: Insight) -> PageClient:
    login(client, Role.RECEIVABLES_CLERK)
    return client


def statement(insight: Insight) -> bytes:
    """Three payments, a reversal, a bad entry, and balances that do not lead to each other."""
    day = insight.back(0)
    lines = [
        Line("6000", "Invoice A-1", "Alpha Werke GmbH", PAYER, day=day, bank_reference="R1", end_to_end="E1"),
        Line("7990", "prepayment A-2", "Alpha Werke GmbH", PAYER, day=day, bank_reference="R2"),
        Line("12.5", "who knows", "Somebody", day=day, bank_reference="R3"),
        Line("6000", "returned", direction="DBIT", is_reversal=True, day=day, bank_reference="R4", end_to_end="E1"),
        Line("1.005", "odd", day=day),
    ]
    return camt([entry([line], "EUR", 8) for line in lines], opening="0", closing="1")


def send(client: PageClient, content: bytes, organisation: Any, name: str = "bank.xml") -> Any:
    entity = next(iter(organisation.entities))
    return client.post(f"{ADDRESS}/new", data={"entity": entity, "file": (io.BytesIO(content), name)}, follow_redirects=True)


def test_from_the_file_to_the_match_and_back(clerk: PageClient, insight: Insight, organisation: Any) -> None:
    assert "No bank statements yet" in said(clerk.get(f"{ADDRESS}/").text)
    text = said(send(clerk, statement(insight), organisation).text)
    assert "4 new entries were taken from the file." in text
    assert "Not everything in the file is in order" in text
    assert "does not add up" in text
    assert "differs by -8,001.50 EUR from the closing balance of 1.00 EUR" in text
    assert "This is not an amount of its currency." in text
    assert "All of this is known already" in said(send(clerk, statement(insight), organisation).text)
    assert "S-1" in said(clerk.get(f"{ADDRESS}/statements").text)
    index = said(clerk.get(f"{ADDRESS}/").text)
    assert "3 payments wait for a match. For 1 of them nothing was found." in index
    rows = exported(clerk, f"{ADDRESS}/?format=csv&state=proposed")
    assert [row["Text"] for row in rows] == ["Invoice A-1", "prepayment A-2"]
    assert [row["Text"] for row in exported(clerk, f"{ADDRESS}/?format=csv&state=unmatched")] == ["who knows"]
    first = said(clerk.get(f"{ADDRESS}/1").text)
    assert "6,000.00 EUR came in" in first
    assert "exactly what is open" in first
    assert "open − paid − deducted" in said(clerk.get(f"{ADDRESS}/1/why").text)
    assert "1 payment was matched." in said(clerk.post(f"{ADDRESS}/confirm-certain", follow_redirects=True).text)
    matched = said(clerk.get(f"{ADDRESS}/1").text)
    assert "confirmed" in matched
    assert "A-1: 6,000.00 EUR" in matched
    assert clerk.post(f"{ADDRESS}/1/confirm", data={"proposal": "0"}).status_code == 422
    assert "The bank takes an earlier payment back." in said(clerk.get(f"{ADDRESS}/4").text)
    assert "taken out of the ledger" in said(clerk.post(f"{ADDRESS}/4/take-back", follow_redirects=True).text)
    assert "The bank has taken this payment back." in said(clerk.get(f"{ADDRESS}/1").text)
    assert clerk.get(f"{ADDRESS}/999999").status_code == 404
    assert clerk.get(f"{ADDRESS}/statements/999999").status_code == 404
    assert clerk.get(f"{ADDRESS}/4/why").status_code == 404


def test_tolerances_and_a_prepayment(clerk: PageClient, insight: Insight, organisation: Any) -> None:
    send(clerk, statement(insight), organisation)
    wrong = clerk.post(f"{ADDRESS}/tolerances", data={"code": "XQ", "charges": "x", "discount": "y", "days": "-1"})
    assert wrong.status_code == 422
    assert clerk.post(f"{ADDRESS}/tolerances", data={"code": "EUR", "charges": "1", "discount": "101", "days": ""}).status_code == 422
    saved = clerk.post(f"{ADDRESS}/tolerances", data={"code": "eur", "charges": "15", "discount": "2", "days": ""}, follow_redirects=True)
    assert "15.00" in said(saved.text)
    assert "3 payments were compared" in said(clerk.post(f"{ADDRESS}/propose", follow_redirects=True).text)
    page = said(clerk.get(f"{ADDRESS}/2").text)
    assert "The text speaks of a prepayment." in page
    assert "and 10.00 EUR deducted" in page
    data = {"proposal": "0", "deduct": "yes", "purpose": "cash_or_prepaid_supply"}
    assert "The payment is matched" in said(clerk.post(f"{ADDRESS}/2/confirm", data=data, follow_redirects=True).text)
    payments = said(clerk.get("/receivables/payments").text)
    assert "for a cash or prepaid supply" in payments
    assert "The decision was taken back" in said(clerk.post(f"{ADDRESS}/2/undo", follow_redirects=True).text)


def test_by_hand(clerk: PageClient, insight: Insight, organisation: Any) -> None:
    send(clerk, statement(insight), organisation)
    assert "Look for an invoice or a buyer first." in said(clerk.get(f"{ADDRESS}/3").text)
    assert "No open invoice in EUR fits" in said(clerk.get(f"{ADDRESS}/3?find=%25nothing").text)
    found = said(clerk.get(f"{ADDRESS}/3?find=alpha").text)
    assert "A-1" in found
    assert "A-2" in found
    for data, text in (
        ({f"amount-{insight.overdue}": "lots"}, "“lots” is not an amount in EUR."),
        ({f"amount-{insight.overdue}": "13"}, "only 12.50 EUR came in"),
        ({}, "Choose at least one invoice"),
    ):
        answer = clerk.post(f"{ADDRESS}/3/choose", data={"find": "alpha", **data})
        assert answer.status_code == 422
        assert text in said(answer.text)
    data = {f"amount-{insight.overdue}": "10", "buyer": str(insight.alpha)}
    assert "The payment is matched" in said(clerk.post(f"{ADDRESS}/3/choose", data=data, follow_redirects=True).text)
    clerk.post(f"{ADDRESS}/3/undo")
    assert "set aside" in said(clerk.post(f"{ADDRESS}/3/set-aside", data={"note": "refund"}, follow_redirects=True).text)
    assert "refund" in said(clerk.get(f"{ADDRESS}/3").text)


def test_a_file_that_is_no_statement(clerk: PageClient, organisation: Any) -> None:
    answer = send(clerk, b"hello", organisation)
    assert answer.status_code == 422
    assert "This is no bank statement" in said(answer.text)
    assert clerk.post(f"{ADDRESS}/new", data={}).status_code == 422
    gone = clerk.post(f"{ADDRESS}/new", data={"entity": "NOPE", "file": (io.BytesIO(camt([])), "x.xml")})
    assert gone.status_code == 422


def test_who_may_only_look(client: PageClient, login: Callable[..., Any], insight: Insight, organisation: Any) -> None:
    login(client, Role.RECEIVABLES_CLERK)
    send(client, statement(insight), organisation)
    login(client, Role.AUDITOR)
    assert "Match proposal" not in client.get(f"{ADDRESS}/1").text
    for address in (
        "/new",
        "/propose",
        "/confirm-certain",
        "/1/confirm",
        "/1/choose",
        "/1/set-aside",
        "/1/undo",
        "/4/take-back",
        "/tolerances",
    ):
        assert client.post(f"{ADDRESS}{address}").status_code == 403, address


def test_the_command_line(app: Flask, invoke: Callable[..., Any], organisation: Any, tmp_path: Path) -> None:
    insight = make_insight(app, organisation)
    path = tmp_path / "bank.xml"
    path.write_bytes(statement(insight))
    where = ("--organisation", organisation.slug)
    arguments = ("cash", "import", str(path), *where, "--entity", next(iter(organisation.entities)))
    first = invoke(*arguments, "--format", "json")
    assert first.exit_code == 1
    assert '"proposed": 2' in first.output
    assert '"code": "balance_differs"' in first.output
    assert "known already" in invoke(*arguments).output
    assert '"certain": 1' in invoke("cash", "propose", *where, "--format", "json").output
    assert "likely" in invoke("cash", "propose", *where).output
    assert "1 payments matched; 0 had changed" in invoke("cash", "apply", *where).output
    assert '"matched": 0' in invoke("cash", "apply", *where, "--format", "json").output
    path.write_bytes(b"nothing")
    assert "no bank statement" in invoke(*arguments).output

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from support.bank_messages import ACCOUNT, MT940, PAYER, Line, camt, entry

from insureflow.connectors.bank_statements import StatementBounds, read_statements
from insureflow.domain.bank_statements import BalanceCheck, EntryStatus, StatementFile, StatementKind, check_balances
from insureflow.domain.errors import Refusal
from insureflow.domain.money import Money

VERSIONS = [2, 4, 8, 13]


def codes(found: StatementFile) -> list[str]:
    return [each.code for each in (*found.problems, *found.warnings)]


@pytest.mark.parametrize("kind", ["053", "054"])
@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_says_the_same(version: int, kind: str) -> None:
    line = Line(
        "1190.00",
        "Rechnung INV-1",
        "Alpha Werke GmbH",
        PAYER,
        "RF18539007547034",
        "BANK1",
        "E2E-1",
        charges="5",
        instructed=("1300", "USD"),
    )
    found = read_statements(camt([entry([line], "EUR", version)], version=version, kind=kind))
    statement = found.statements[0]
    assert (statement.kind is StatementKind.STATEMENT) == (kind == "053")
    assert statement.source == f"camt.{kind}.001.{version:02d}"
    assert (statement.account, statement.currency, statement.identification) == (ACCOUNT, "EUR", "S-1")
    (booking,) = statement.bookings
    (part,) = booking.parts
    assert booking.reference == "BANK1"
    assert (part.amount_minor, part.is_credit, part.status, part.is_reversal) == (119_000, True, EntryStatus.BOOKED, False)
    assert (part.booked_on, part.value_on) == (date(2026, 11, 18), date(2026, 11, 18))
    assert (part.references, part.text, part.end_to_end_id) == (("RF18539007547034",), "Rechnung INV-1", "E2E-1")
    assert (part.counterparty_name, part.counterparty_account) == ("Alpha Werke GmbH", PAYER)
    assert (part.instructed, part.charges_minor) == (Money(130_000, "USD"), 500)
    assert not found.problems
    assert not found.warnings


@pytest.mark.parametrize("version", VERSIONS)
def test_a_batch_is_told_payment_by_payment(version: int) -> None:
    lines = [Line("100", "INV-1", "Alpha", bank_reference="B"), Line("50.5", "INV-2", "Beta")]
    found = read_statements(camt([entry(lines, "EUR", version, total="150.50")], version=version))
    (booking,) = found.statements[0].bookings
    assert [(part.amount_minor, part.text, part.counterparty_name) for part in booking.parts] == [
        (10_000, "INV-1", "Alpha"),
        (5_050, "INV-2", "Beta"),
    ]
    assert booking.amount_minor == 15_050
    wrong = read_statements(camt([entry(lines, "EUR", version, total="150.51")], version=version))
    (whole,) = wrong.statements[0].bookings
    assert [(part.amount_minor, part.text) for part in whole.parts] == [(15_051, "INV-1 / INV-2")]
    assert codes(wrong) == ["parts_do_not_add_up"]


def test_a_reversal_keeps_the_sides_of_the_payment_it_takes_back() -> None:
    line = Line("20", "INV-1", "Alpha", PAYER, direction="DBIT", is_reversal=True)
    (part,) = read_statements(camt([entry([line], "EUR", 8)])).statements[0].entries
    assert (part.is_credit, part.is_reversal, part.counterparty_name, part.signed_minor) == (False, True, "Alpha", -2_000)


def test_balances_are_compared_with_what_is_booked() -> None:
    lines = [Line("100"), Line("30", direction="DBIT"), Line("500", status="PDNG"), Line("7", status="INFO")]
    entries = [entry([line], "EUR", 8) for line in lines]
    right = read_statements(camt(entries, opening="-20", closing="50"))
    assert check_balances(right.statements[0]).check is BalanceCheck.ADDS_UP
    assert not right.warnings
    wrong = read_statements(camt(entries, opening="-20", closing="50.01"))
    assert codes(wrong) == ["balance_differs"]
    assert wrong.warnings[0].parameters["difference"] == Money(1, "EUR")
    other = read_statements(camt([*entries, entry([Line("1")], "USD", 8)], opening="-20", closing="50"))
    assert codes(other) == ["balance_currencies_differ"]
    assert check_balances(read_statements(camt(entries, opening="0")).statements[0]).check is BalanceCheck.NOT_STATED


def test_every_bad_entry_is_told_and_the_others_are_read() -> None:
    good = entry([Line("1")], "EUR", 2)
    bad = {
        "entry_amount_bad": [
            good.replace(">1<", ">1.005<"),
            good.replace(">1<", ">-1<"),
            good.replace(">1<", ">1e5<"),
            good.replace(">1<", f">{'9' * 30}<"),
        ],
        "entry_amount_missing": [good.replace(">1<", "> <")],
        "entry_currency_unknown": [good.replace('Ccy="EUR"', 'Ccy="XXQ"'), good.replace(' Ccy="EUR"', "")],
        "entry_direction_unknown": [good.replace("CRDT</CdtDbtInd><Sts>", "</CdtDbtInd><Sts>")],
        "entry_status_unknown": [good.replace("BOOK", "MAYBE"), good.replace("<Sts>BOOK</Sts>", "")],
        "entry_date_bad": [good.replace("2026-11-18", "2026-02-30")],
        "entry_date_missing": [good.replace("<Dt>2026-11-18</Dt>", "")],
    }
    for code, entries in bad.items():
        found = read_statements(camt([good, *entries, good], version=2))
        assert [each.code for each in found.problems] == [code] * len(entries), code
        assert [each.row for each in found.problems] == list(range(2, 2 + len(entries)))
        assert len(found.statements[0].entries) == 2


def test_a_statement_without_account_is_told() -> None:
    found = read_statements(camt([entry([Line("1")], "EUR", 8)], account=""))
    assert codes(found) == ["account_missing"]
    assert not found.statements


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"  \n", "file_empty"),
        (b"PK\x03\x04", "statement_kind_unknown"),
        (b"<html><body/></html>", "statement_kind_unknown"),
        (camt([], version=14), "statement_version_unknown"),
        (camt([], kind="053").replace(b"camt.053", b"camt.054"), "statement_version_unknown"),
        (camt([])[:-20], "statement_damaged"),
        (b'<?xml version="1.0" encoding="no-such"?><a/>', "statement_damaged"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "xml_with_entities"),
        (b"<a>" * 100 + b"</a>" * 100, "statement_damaged"),
        (b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt/></Document>', "no_statement"),
        (b"x" * 2001, "file_too_large"),
        (camt([entry([Line("1")], "EUR", 8)] * 3), "too_many_bank_entries"),
        (b":20:A\n" * 4, "too_many_statements"),
    ],
)
def test_hostile_and_foreign_files_are_refused(content: bytes, code: str) -> None:
    bounds = StatementBounds(size=2000 if content.startswith(b"x") else 50_000, statements=3, entries=2)
    with pytest.raises(Refusal) as refused:
        read_statements(content, bounds)
    assert refused.value.code == code


def test_what_is_told_beside_the_payments() -> None:
    told = entry([Line("1")], "EUR", 8).replace("</NtryDtls>", "</NtryDtls><AddtlNtryInf>Card receipts</AddtlNtryInf>")
    unsaid = entry([Line("2")], "EUR", 8, tell=False).replace("</NtryDtls>", "</NtryDtls><AddtlNtryInf>Batch</AddtlNtryInf>")
    bare = (
        entry([Line("3", charges="1")], "EUR", 8)
        .replace("<RltdPties></RltdPties>", "")
        .replace("<Rcrd><Amt", "<Rcrd><Amt x=''")
        .replace(">1<", ">x<")
    )
    assert [part.text for part in read_statements(camt([told, unsaid, bare])).statements[0].entries] == ["Card receipts", "Batch", ""]
    page = camt([told]).replace(b"<Ntry>", b"<Bal><Tp><CdOrPrtry><Cd>ITBD</Cd></CdOrPrtry></Tp><Amt Ccy='EUR'>5</Amt></Bal><Ntry>", 1)
    (statement,) = read_statements(page).statements
    assert (statement.opening, statement.closing and statement.closing.amount) == (None, Money(500, "EUR"))
    period = camt([told]).replace(b"<Acct>", b"<FrToDt><FrDtTm>2026-11-01T00:00:00</FrDtTm><ToDtTm>never</ToDtTm></FrToDt><Acct>")
    assert codes(read_statements(period)) == ["entry_date_bad"]
    broken = camt([told], opening="1", closing="x")
    assert codes(read_statements(broken)) == ["entry_amount_bad"]


def test_texts_are_cleaned_and_cut() -> None:
    line = Line("1", "a\u202eb\n\tc" + "x" * 9_000, "n" * 900)
    (part,) = read_statements(camt([entry([line], "EUR", 8)])).statements[0].entries
    assert part.text.startswith("ab cx")
    assert (len(part.text), len(part.counterparty_name)) == (4_000, 300)


def test_mt940() -> None:
    found = read_statements(MT940.encode("cp1252"))
    (statement,) = found.statements
    assert not found.problems
    assert not found.warnings
    assert (statement.account, statement.currency, statement.identification) == (ACCOUNT, "EUR", "STARTUMSE/00001/001")
    assert check_balances(statement).check is BalanceCheck.ADDS_UP
    first, second, third, fourth = statement.entries
    assert (first.amount_minor, first.bank_reference, first.end_to_end_id) == (119_000, "BANKREF123", "E2E-1")
    assert (first.text, first.counterparty_name, first.counterparty_account) == ("Rechnung INV-2026-0001 danke", "Alpha Werke GmbH", PAYER)
    assert (second.is_credit, second.is_reversal, second.signed_minor) == (False, True, -5_000)
    assert (second.text, second.counterparty_name, second.counterparty_account) == ("Invoice F2", "Foo BV", "NL56AGDH9619008421")
    assert (third.is_credit, third.text) == (False, "")
    assert (fourth.text, fourth.counterparty_account) == ("interest for October FI2112345600000785", "FI2112345600000785")


def test_an_mt940_file_in_other_customs() -> None:
    other = MT940.replace(":25:SE4550000000058398257466", ":25:20041010/0058398257EUR").replace("danke", "für Öl")
    (statement,) = read_statements(b"{1:F01X}{4:\n" + other.encode("cp1252") + b"-}\n").statements
    assert statement.account == "20041010/0058398257"
    assert statement.entries[0].text == "Rechnung INV-2026-0001 für Öl"
    code_first = MT940.replace(":25:", ":25:SEBSWEFF/").replace(":62F:C261118EUR2138,00", ":86:for the whole day")
    (statement,) = read_statements(code_first.replace("2611181118C0,50", "2602301118C0,50").encode()).statements
    assert (statement.account, statement.closing) == (ACCOUNT, None)
    assert statement.entries[-1].value_on == date(2026, 2, 28)


def test_a_bad_line_of_an_mt940_file_is_told_and_the_others_are_read() -> None:
    found = read_statements(MT940.replace("2611181118CR1190,00", "26XX1118CR1190,00").encode())
    assert codes(found) == ["entry_unreadable", "balance_differs"]
    assert found.problems[0].row == 1
    assert len(found.statements[0].entries) == 3
    for broken, code in (
        (MT940.replace(":25:SE4550000000058398257466\n", ""), "account_missing"),
        (MT940.replace("C261117EUR1000,00", "nonsense"), "balance_unreadable"),
        (MT940.replace(":60F:C261117EUR1000,00\n", ""), "entry_currency_unknown"),
        (MT940.replace(":60F:C261117EUR", ":60F:C261117XXQ"), "entry_currency_unknown"),
    ):
        assert codes(read_statements(broken.encode())) == [code]


@pytest.mark.parametrize(
    ("name", "account", "entries", "check"),
    [
        ("camt053.v2.all-balance-types.xml", "CH2801234000123456789", 1, BalanceCheck.DIFFERS),
        ("camt053.v2.minimal.xml", "NL26VAYB8060476890", 1, BalanceCheck.CURRENCIES_DIFFER),
        ("camt053.v2.with-party-ids.xml", "NL26VAYB8060476890", 1, BalanceCheck.CURRENCIES_DIFFER),
        ("camt053.v4.xml", "NL26VAYB8060476890", 1, BalanceCheck.CURRENCIES_DIFFER),
        ("camt053.v8.xml", "NL26VAYB8060476890", 1, BalanceCheck.CURRENCIES_DIFFER),
        ("camt054.v4.xml", "CH2801234000123456789", 1, BalanceCheck.NOT_STATED),
    ],
)
def test_real_files(shared_folder: Path, name: str, account: str, entries: int, check: BalanceCheck) -> None:
    found = read_statements((shared_folder / "data" / "bank-statements" / name).read_bytes())
    (statement,) = found.statements
    assert not found.problems
    assert (statement.account, len(statement.entries), check_balances(statement).check) == (account, entries, check)


def test_a_real_file_with_several_statements_adds_up(shared_folder: Path) -> None:
    found = read_statements((shared_folder / "data" / "bank-statements" / "camt053.v2.multi.statement.xml").read_bytes())
    assert [check_balances(statement).check for statement in found.statements] == [BalanceCheck.ADDS_UP] * 2
    assert [statement.entries[0].signed_minor for statement in found.statements] == [885, -700]


def test_a_real_file_without_statement_is_refused(shared_folder: Path) -> None:
    with pytest.raises(Refusal, match="no_statement"):
        read_statements((shared_folder / "data" / "bank-statements" / "camt053.v2.wrong.xml").read_bytes())
